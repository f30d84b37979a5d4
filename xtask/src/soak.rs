//! `cargo xtask soak`: a server under load for as long as you like, and whether its memory stops growing.
//!
//! A fixed number of people is asked about, recorded and looked up, over and over, by so many clients. What
//! the server keeps in memory follows from how many people there are, so after a while it must stay as it
//! is: the last quarter of the time is compared with the one before. If it grew, the gauges and files that
//! grew with it are named.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::{Outcome, workspace};

mod client;
mod samples;

use client::Client;
use samples::{Sample, Samples};

/// What to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// For how long.
    minutes: u64,
    /// How many people there are.
    contacts: u64,
    /// How many clients ask at the same time.
    clients: u64,
    /// The profile that the program is built with.
    profile: String,
}

impl Plan {
    /// Reads the arguments: minutes, contacts, clients, and `--profile NAME`.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut plan =
            Self { minutes: 60, contacts: 100_000, clients: 4, profile: "dist".to_owned() };
        let mut arguments = arguments.iter();
        let mut place = 0;
        while let Some(argument) = arguments.next() {
            if argument == "--profile" {
                plan.profile.clone_from(arguments.next().ok_or("--profile needs a name")?);
                continue;
            }
            let number = argument.parse().ok().filter(|number| (1..=10_000_000).contains(number));
            let number =
                number.ok_or_else(|| format!("{argument} is not a number from 1 to 10000000"))?;
            match place {
                0 => plan.minutes = number,
                1 => plan.contacts = number,
                2 => plan.clients = number.min(256),
                _ => return Err("soak takes minutes, contacts and clients, and no more".to_owned()),
            }
            place += 1;
        }
        Ok(plan)
    }
}

/// How often memory is looked at: two hundred times, but not more often than every second.
fn interval(minutes: u64) -> Duration {
    Duration::from_secs((minutes * 60 / 200).clamp(1, 60))
}

/// Runs it, and prints what memory did.
pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let mut build = workspace::cargo();
    build.args(["build", "--profile", &plan.profile, "--package", "sayso"]);
    if !workspace::succeeds(&mut build)? {
        return Ok(Outcome::No);
    }
    let scratch = Scratch::make()?;
    let server = Server::start(&program(&plan.profile), &scratch.0)?;
    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let samples = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..plan.clients)
            .map(|number| {
                let load = Load { plan, number, server: &server, stop: &stop, asked: &asked };
                scope.spawn(move || {
                    // One that ends early ends it all: what is measured is the whole load.
                    load.run().inspect_err(|_| load.stop.store(true, Ordering::Relaxed))
                })
            })
            .collect();
        let samples = watch(plan, &server, &scratch.0, (&stop, &asked));
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().map_err(|_| anyhow::anyhow!("a client broke"))??;
        }
        samples
    })?;
    println!("{}", samples.table());
    println!("{}", samples.verdict());
    Ok(if samples.has_plateau() { Outcome::Done } else { Outcome::No })
}

/// Looks at memory until the time is over, or a client has ended.
#[expect(clippy::disallowed_methods, reason = "it is about what a machine does over time")]
fn watch(
    plan: &Plan,
    server: &Server,
    data: &Path,
    (stop, asked): (&AtomicBool, &AtomicU64),
) -> Result<Samples> {
    let (begun, every) = (Instant::now(), interval(plan.minutes));
    let mut samples = Samples::default();
    let mut metrics = Client::connect(&server.admin, "")?;
    while begun.elapsed() < Duration::from_secs(plan.minutes * 60) && !stop.load(Ordering::Relaxed)
    {
        std::thread::sleep(every);
        let sample = Sample {
            at: begun.elapsed(),
            asked: asked.load(Ordering::Relaxed),
            resident: server.resident()?,
            gauges: samples::gauges(&metrics.get("/metrics")?),
            files: samples::files(data)?,
        };
        eprintln!("{sample}");
        samples.add(sample);
    }
    Ok(samples)
}

/// One client's load.
struct Load<'a> {
    plan: &'a Plan,
    number: u64,
    server: &'a Server,
    stop: &'a AtomicBool,
    asked: &'a AtomicU64,
}

impl Load<'_> {
    /// Asks until it is told to stop: mostly checks, some statements, a list and a history now and then.
    fn run(&self) -> Result<()> {
        let mut client = Client::connect(&self.server.public, &self.server.key)?;
        let mut turn = 0_u64;
        while !self.stop.load(Ordering::Relaxed) {
            // Each client meets everybody, in an order of its own.
            let phone = self.phone(turn.wrapping_mul(7_919).wrapping_add(self.number * 104_729));
            match turn % 20 {
                0..=4 => {
                    // What repeats its source says nothing new: everybody changes their mind each time.
                    let has_turned = (turn / self.plan.contacts).is_multiple_of(2);
                    let said = if has_turned { "opt_out" } else { "opt_in" };
                    let body = format!(
                        r#"{{"phone":"{phone}","channel":"sms","statement":"{said}","standing":"report"}}"#
                    );
                    client.post("/v1/consents", &body)?;
                }
                5 => {
                    let many: Vec<String> =
                        (0..100).map(|more| format!("\"{}\"", self.phone(turn + more))).collect();
                    let body = format!(r#"{{"channel":"sms","to":[{}]}}"#, many.join(","));
                    client.post("/v1/check/batch", &body)?;
                }
                6 => drop(client.get(&format!("/v1/events?phone={}", phone.replace('+', "%2B")))?),
                // What is wrong is refused, and kept among the rejects.
                7 => client.refused(
                    "/v1/consents",
                    r#"{"phone":"12","channel":"sms","statement":"opt_in"}"#,
                )?,
                _ => {
                    let body = format!(r#"{{"channel":"sms","phone":"{phone}"}}"#);
                    client.post("/v1/check", &body)?;
                }
            }
            turn += 1;
            self.asked.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn phone(&self, n: u64) -> String {
        format!("+49176{:08}", 20_000_000 + n % self.plan.contacts)
    }
}

/// The program that was built.
fn program(profile: &str) -> PathBuf {
    let directory = if profile == "dev" { "debug" } else { profile };
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| workspace::root().join("target")).join(directory).join("sayso")
}

/// A directory that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("sayso-soak-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("{} could not be removed: {error}", self.0.display());
        }
    }
}

/// The server under load. It ends with this.
struct Server {
    process: Child,
    public: String,
    admin: String,
    key: String,
}

impl Server {
    fn start(program: &Path, data: &Path) -> Result<Self> {
        let sayso = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command.arg("--json").arg("--data").arg(data).args(arguments).stdin(Stdio::null());
            for what in ["KEY_REQUESTS", "NETWORK_REQUESTS", "WORKSPACE_EVENTS"] {
                command.env(format!("SAYSO_LIMITS__{what}"), u32::MAX.to_string());
            }
            command.env("SAYSO_LOG__LEVEL", "error");
            command
        };
        let made = workspace::stdout_of(&mut sayso(&["workspaces", "create", "Soak", "--test"]))?;
        serde_json::from_str::<Value>(&made).context("sayso workspaces create")?;
        let scopes = ["check", "read", "write", "configure", "compliance"];
        let mut arguments = vec!["keys", "create", "soak"];
        scopes.iter().for_each(|scope| arguments.extend(["--scope", scope]));
        let key: Value = serde_json::from_str(&workspace::stdout_of(&mut sayso(&arguments))?)?;
        let mut serve = sayso(&["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
        let mut process = serve.stdout(Stdio::piped()).spawn().context("sayso serve")?;
        let output = process.stdout.take().context("sayso serve")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line)?;
        let said: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        let word = |of: &Value, name: &str| -> Result<String> {
            let word = of.get(name).and_then(Value::as_str);
            Ok(word.with_context(|| format!("{name} is not in {of}"))?.to_owned())
        };
        let (public, admin) = (word(&said, "url")?, word(&said, "admin_url")?);
        Ok(Self { process, public, admin, key: word(&key, "secret")? })
    }

    /// Its memory, in bytes.
    fn resident(&self) -> Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(&path).context(path)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
        let Some(kib) = kib else { bail!("the server has ended") };
        ensure!(kib > 0, "the server has ended");
        Ok(kib * 1_024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing that it holds is of use any more.
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("the server could not be ended: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Plan, String> {
        Plan::parse(&arguments.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_are_minutes_contacts_and_clients() {
        let plan = parse(&["5", "2000", "3", "--profile", "dev"]).unwrap();
        assert_eq!((plan.minutes, plan.contacts, plan.clients), (5, 2_000, 3));
        assert_eq!(plan.profile, "dev");
        assert_eq!(parse(&[]).unwrap().minutes, 60);
        for wrong in [&["x"][..], &["0"], &["1", "2", "3", "4"], &["--profile"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
