//! Kannel as Debian has it: bearerbox and smsbox with the configuration of our guide, and its fake SMSC
//! as a person's phone.
//!
//! Directories and ports are its own, on loopback; the port of the fake SMSC knows no interface, and
//! lets in loopback alone. All processes are killed when their owner is dropped.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener as StdListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// The longest wait for anything: Kannel hands over what it has once a second.
const WAIT: Duration = Duration::from_secs(30);
const BEARERBOX: &str = "/usr/sbin/bearerbox";
const SMSBOX: &str = "/usr/sbin/smsbox";
const FAKE_SMSC: &str = "/usr/lib/kannel/test/fakesmsc";
/// How many shops this process has made.
static SHOPS: AtomicU32 = AtomicU32::new(0);
const GUIDE: &str = include_str!("../../../../../docs/guides/kannel.md");

/// Ports of this machine that nothing else uses now, below those that systems give out by themselves.
pub(crate) struct Ports {
    pub(crate) sayso: u16,
    pub(crate) sending: u16,
    admin: u16,
    boxes: u16,
    carrier: u16,
}

/// A running gateway.
pub(crate) struct Gateway {
    carrier: u16,
    pub(crate) smsbox: Process,
    _bearerbox: Process,
    _directory: tempfile::TempDir,
}

/// A program that runs, and all it has said.
pub(crate) struct Process {
    child: Child,
    said: watch::Receiver<String>,
}

impl Ports {
    pub(crate) fn reserve() -> Self {
        // Tests that run at once, in processes or threads, begin to look at different places.
        let shop = std::process::id() + 97 * SHOPS.fetch_add(1, Ordering::Relaxed);
        let first = 20_000 + u16::try_from(shop % 1_500 * 8).unwrap();
        let free: Vec<(u16, StdListener)> = (first..32_000)
            .chain(20_000..first)
            .filter_map(|port| Some((port, StdListener::bind(("127.0.0.1", port)).ok()?)))
            .take(5)
            .collect();
        let ports: Vec<u16> = free.iter().map(|(port, _)| *port).collect();
        let [sayso, sending, admin, boxes, carrier] = ports[..] else { panic!("no free ports") };
        Self { sayso, sending, admin, boxes, carrier }
    }
}

impl Gateway {
    /// Starts the gateway of the guide, which calls this hook.
    pub(crate) async fn start(ports: &Ports, hook: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kannel.conf");
        std::fs::write(&file, workspace(ports, hook, directory.path())).unwrap();
        let file = file.to_str().unwrap();
        let bearerbox = Process::start(BEARERBOX, &["-v", "1", file]);
        let status = "GET /status.txt?password=change-me-too HTTP/1.0\r\n\r\n";
        bearerbox.until_answered(ports.admin, status, "Status: running").await;
        let smsbox = Process::start(SMSBOX, &["-v", "1", file]);
        bearerbox.until_answered(ports.admin, status, "smsbox:").await;
        Self { carrier: ports.carrier, smsbox, _bearerbox: bearerbox, _directory: directory }
    }

    /// A phone that shows what arrives.
    pub(crate) fn phone(&self) -> Process {
        self.fake_smsc("0", "nobody nobody text nothing")
    }

    /// A phone on which this is typed: `FROM TO text WORDS`, or `FROM TO ucs2 %hh…`.
    pub(crate) fn phone_that_types(&self, words: &str) -> Process {
        self.fake_smsc("1", words)
    }

    fn fake_smsc(&self, times: &str, words: &str) -> Process {
        let port = self.carrier.to_string();
        Process::start(FAKE_SMSC, &["-H", "127.0.0.1", "-r", &port, "-m", times, words])
    }
}

/// The configuration of the guide, with places of our own. A line that is not there would be a test of
/// something else.
fn workspace(ports: &Ports, hook: &str, directory: &Path) -> String {
    let block = GUIDE.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let spool = directory.join("spool");
    std::fs::create_dir(&spool).unwrap();
    let places = [
        ("= 13000", format!("= {}", ports.admin)),
        ("= 13001", format!("= {}", ports.boxes)),
        ("= 13013", format!("= {}", ports.sending)),
        ("= 13100", format!("= {}", ports.carrier)),
        ("= 10\n", "= 1\n".to_owned()),
        ("/var/spool/kannel", spool.to_str().unwrap().to_owned()),
        ("https://consent.shop.example/hooks/con_…?token=…", hook.to_owned()),
    ];
    places.iter().fold(block.to_owned(), |text, (theirs, ours)| {
        assert_eq!(text.matches(theirs).count(), 1, "{theirs} in {text}");
        text.replace(theirs, ours)
    })
}

impl Process {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{program}: {error}; apt-get install kannel kannel-extras")
            });
        let (saying, said) = watch::channel(String::new());
        let pipes: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for pipe in pipes {
            let saying = saying.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    saying.send_modify(|said| said.extend([line.as_str(), "\n"]));
                }
            });
        }
        Self { child, said }
    }

    /// Waits until it has said this so often.
    pub(crate) async fn until_said(&self, words: &str, times: usize) {
        let mut said = self.said.clone();
        let heard = said.wait_for(|said| said.matches(words).count() >= times);
        let heard = tokio::time::timeout(WAIT, heard).await;
        let is_heard = matches!(heard, Ok(Ok(_)));
        drop(heard);
        assert!(is_heard, "not {times} times \"{words}\": {}", self.said());
    }

    /// All it has said.
    pub(crate) fn said(&self) -> String {
        self.said.borrow().clone()
    }

    /// Waits until a port answers this request with something that holds these words.
    async fn until_answered(&self, port: u16, request: &str, words: &str) {
        until(&format!("{words}: {}", self.said()), async || {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
            let mut answer = String::new();
            stream.write_all(request.as_bytes()).await.ok()?;
            stream.read_to_string(&mut answer).await.ok()?;
            answer.contains(words).then_some(())
        })
        .await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has ended already needs no kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let asking = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(WAIT, asking).await.unwrap_or_else(|_| panic!("never {what}"))
}
