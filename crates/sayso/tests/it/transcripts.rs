//! What a user reads of each command: its help, a good run and a mistake, in words and as JSON,
//! with the exit code.
//!
//! A transcript shows a command after `$`, what it writes to standard output as it is, what it
//! writes to standard error after `!`, and its exit code after `=>`. Ids, times of now, secrets,
//! ports and folders are masked. Read a changed transcript as somebody who has only this text.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use hyper::Method;
use serde_json::json;

use crate::http::Http;
use crate::running::{Running, SAYSO, sayso_json};

/// A folder with a store in `data`, and what was typed and answered there.
struct Shell {
    folder: tempfile::TempDir,
    transcript: String,
}

impl Shell {
    /// A folder without a store.
    fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), transcript: String::new() }
    }

    /// A store with a workspace, where one person is said to have agreed, and one refused.
    fn with_shop() -> Self {
        let shell = Self::empty();
        let data = shell.path("data");
        sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
        let people = [
            ("opt_in", "+14155550101", "report", "shop"),
            ("opt_out", "+14155550102", "act", "phone call"),
        ];
        for (statement, phone, standing, method) in people {
            let said = ["consent", statement, "--phone", phone, "--channel", "sms"];
            let proof = ["--standing", standing, "--method", method];
            let proof = [&proof[..], &["--occurred-at", "2025-01-01T10:00:00Z"]].concat();
            sayso_json(&data, &[&said[..], &proof[..]].concat());
        }
        shell
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SAYSO);
        // Help is as wide as on a terminal of this width, whatever runs the test.
        command.env("COLUMNS", "100").env("SAYSO_STORE__DIRECTORY", "data");
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    fn run(&mut self, arguments: &[&str]) -> &mut Self {
        let output = self.command(arguments).output().unwrap();
        self.note(arguments, &output, usize::MAX);
        self
    }

    /// Runs a command in words and with `--json`.
    fn both(&mut self, arguments: &[&str]) -> &mut Self {
        self.run(arguments).run(&[arguments, &["--json"]].concat())
    }

    /// Runs a command whose answer is long, and notes its first lines.
    fn head(&mut self, arguments: &[&str], lines: usize) -> &mut Self {
        let output = self.command(arguments).output().unwrap();
        self.note(arguments, &output, lines);
        self
    }

    /// Runs a server until it says `ready`, and stops it.
    fn until(&mut self, arguments: &[&str], ready: &str) -> &mut Self {
        let mut command = self.command(arguments);
        command.env("SAYSO_LOG__LEVEL", "error").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = [String::new(), String::new()];
        let mut streams: [Box<dyn BufRead>; 2] = [
            Box::new(BufReader::new(child.stdout.take().unwrap())),
            Box::new(BufReader::new(child.stderr.take().unwrap())),
        ];
        // Words of `serve` are talk; everything else that greets is data.
        let greets = usize::from(arguments[0] == "serve" && !arguments.contains(&"--json"));
        while !said[greets].contains(ready) {
            assert!(streams[greets].read_line(&mut said[greets]).unwrap() > 0, "{said:?}");
        }
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = child.wait().unwrap();
        for (stream, said) in streams.iter_mut().zip(&mut said) {
            stream.read_to_string(said).unwrap();
        }
        let [stdout, stderr] = said.map(String::into_bytes);
        self.note(arguments, &Output { status, stdout, stderr }, usize::MAX);
        self
    }

    fn note(&mut self, arguments: &[&str], output: &Output, lines: usize) {
        let quoted = arguments.iter().map(|argument| {
            let is_plain = !argument.is_empty() && !argument.contains([' ', '"', '\'']);
            if is_plain { (*argument).to_owned() } else { format!("'{argument}'") }
        });
        let typed = quoted.collect::<Vec<_>>().join(" ");
        writeln!(self.transcript, "$ sayso {typed}").unwrap();
        let stdout = String::from_utf8_lossy(&output.stdout);
        for line in stdout.lines().take(lines) {
            writeln!(self.transcript, "{}", line.trim_end()).unwrap();
        }
        if stdout.lines().count() > lines {
            self.transcript.push_str("…\n");
        }
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            writeln!(self.transcript, "{}", format!("! {line}").trim_end()).unwrap();
        }
        writeln!(self.transcript, "=> {}\n", output.status.code().unwrap()).unwrap();
    }

    /// A file of the folder, as a reader finds it afterwards.
    fn show(&mut self, name: &str) -> &mut Self {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        writeln!(self.transcript, "$ cat {name}\n{text}").unwrap();
        self
    }

    /// The transcript without what differs from run to run.
    fn masked(&self) -> String {
        let mut text = self.transcript.replace(self.folder.path().to_str().unwrap(), "<folder>");
        for prefix in ["evt", "ws", "key", "ntc", "imp", "pro", "snd", "top", "frm"] {
            let pattern = format!("{prefix}_{}", "@".repeat(26));
            text = mask(&text, &pattern, &format!("{prefix}_<id>"));
        }
        text = mask(&text, &format!("sk_test_{}", "@".repeat(38)), "sk_test_<secret>");
        text = mask(&text, &"@".repeat(32), "<address key>");
        for before in [
            "fingerprint\":\"",
            "fingerprint_before\":\"",
            "master_key\":\"",
            "the master key is ",
            "data, 2 events, master key ",
        ] {
            let pattern = format!("{before}{}", "@".repeat(16));
            text = mask(&text, &pattern, &format!("{before}<fingerprint>"));
        }
        // Times that a transcript itself names are of 2025.
        let text = text.replace("2025-", "\u{0}");
        let text = mask(&text, "####-##-##T##:##:##.######Z", "<now>");
        let text = mask(&text, "127.0.0.1:#####", "127.0.0.1:<port>").replace('\u{0}', "2025-");
        let text = mask_word(&text, "127.0.0.1:<port>/e/", "<code>");
        mask_word(&text, "127.0.0.1:<port>/p/", "<token>")
    }
}

/// Replaces what stands between `before` and the next space.
fn mask_word(text: &str, before: &str, name: &str) -> String {
    let mut parts = text.split(before);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(char::is_whitespace).unwrap_or(part.len());
        masked = masked + before + name + &part[end..];
    }
    masked
}

/// Replaces what fits the pattern: `#` is a digit, `@` a digit or small letter.
fn mask(text: &str, pattern: &str, name: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let fits = rest.len() >= pattern.len()
            && pattern.bytes().zip(rest.bytes()).all(|(wanted, found)| match wanted {
                b'#' => found.is_ascii_digit(),
                b'@' => found.is_ascii_digit() || found.is_ascii_lowercase(),
                other => found == other,
            });
        let taken = if fits {
            masked.push_str(name);
            pattern.len()
        } else {
            masked.push(letter);
            letter.len_utf8()
        };
        rest = &rest[taken..];
    }
    masked
}

/// Compares a transcript with the one that is committed.
#[track_caller]
fn assert_transcript(name: &str, shell: &Shell) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_snapshot_path(Path::new("transcripts"));
    settings.bind(|| insta::assert_snapshot!(name, shell.masked()));
}

#[test]
fn masks_hide_ids_and_times_of_now_and_nothing_else() {
    let shell = Shell {
        transcript: "evt_01jd6m9k3te5b8r5v3x5y6z7w8, 2026-11-21T10:00:00.000001Z, \
                     2025-11-21T10:00:00.000001Z, key_x, 127.0.0.1:40123, é"
            .to_owned(),
        ..Shell::empty()
    };
    assert_eq!(
        shell.masked(),
        "evt_<id>, <now>, 2025-11-21T10:00:00.000001Z, key_x, 127.0.0.1:<port>, é"
    );
}

#[test]
fn sayso_itself() {
    let mut shell = Shell::empty();
    shell.run(&["--help"]).run(&["--version"]).run(&[]).run(&["chek"]).run(&["check", "--jsn"]);
    assert_transcript("sayso", &shell);
}

#[test]
fn check() {
    let mut shell = Shell::with_shop();
    let ask = |phone| ["check", "--phone", phone, "--channel", "sms"];
    shell.run(&["check", "--help"]);
    shell.both(&ask("+14155550101")).both(&ask("+14155550102"));
    shell.both(&[&ask("+14155550102")[..], &["--explain"]].concat());
    shell.both(&["check", "--phone", "12", "--channel", "smoke"]);
    shell.both(&["check", "--phone", "+14155550101"]);
    shell.both(&[&ask("+14155550101")[..], &["--email", "ada@example.org"]].concat());
    assert_transcript("check", &shell);
}

#[test]
fn consent() {
    let mut shell = Shell::with_shop();
    let refuse = ["consent", "opt_out", "--phone", "+14155550103", "--channel", "sms"];
    let act = ["--standing", "act", "--method", "phone call"];
    let agree = ["consent", "opt_in", "--phone", "+14155550104", "--channel", "sms"];
    shell.run(&["consent", "--help"]);
    shell.both(&[&refuse[..], &act[..]].concat());
    shell.both(&[&agree[..], &["--standing", "report"]].concat());
    shell.both(&[&agree[..], &["--standing", "act"]].concat());
    shell.both(&["consent", "yes", "--phone", "0", "--channel", "sms", "--standing", "maybe"]);
    shell.both(&[&agree[..], &["--standing", "act", "--notice", "v1"]].concat());
    assert_transcript("consent", &shell);
}

#[test]
fn profile() {
    let mut shell = Shell::with_shop();
    shell.run(&["profile", "--help"]);
    shell.both(&["profile", "--phone", "+14155550102"]);
    shell.both(&["profile", "--external-id", "u-1001"]);
    shell.both(&["profile", "--email", "ada"]);
    assert_transcript("profile", &shell);
}

/// Makes the notice that an import names, as only the API can.
async fn with_notice(shell: &Shell) -> String {
    let data = shell.path("data");
    let key = sayso_json(&data, &["keys", "create", "shop", "--scope", "configure"]);
    let server = Running::serve(&data);
    let mut http = Http::connect(&server.address, key["secret"].as_str().unwrap()).await.unwrap();
    let words = json!({
        "version": 1, "language": "en", "text": "Yes, send me news by SMS.",
        "names": [{ "channel": "sms", "scope": "all" }],
    });
    let made = http.must(Method::POST, "/v1/notices", Some(&json!({ "name": "News" }))).await;
    let id = made.body["id"].as_str().unwrap();
    let path = format!("/v1/notices/{id}/versions");
    let made = http.must(Method::POST, &path, Some(&words)).await;
    assert_eq!(made.status, 201, "{made:?}");
    drop(http);
    assert!(server.stop());
    format!("{id}/1/en")
}

#[tokio::test]
async fn import() {
    let mut shell = Shell::with_shop();
    let notice = with_notice(&shell).await;
    shell.write(
        "list.csv",
        &format!(
            "Mobile,sms_optin,whatsapp_optin,occurred_at,method,evidence,notice,Town\n\
             +14155550110,yes,,,,,,Bath\n\
             +14155550102,yes,,2025-02-01,paper form,file 7,{notice},York\n\
             +14155550111,maybe,,,,,,Hull\n\
             12,yes,yes,,,,,Ely\n\
             +14155550112,,,,,,,Wells\n"
        ),
    );
    shell.write("names.csv", "name,town\nAda,Bath\n");
    let import = ["import", "list.csv", "--list", "crm"];
    shell.run(&["import", "--help"]);
    shell.both(&[&import[..], &["--dry-run"]].concat());
    shell.run(&[&import[..], &["--rejects", "bad.csv"]].concat()).show("bad.csv");
    shell.both(&[&import[..], &["--lift-refusals"]].concat());
    shell.both(&["import"]).both(&["import", "missing.csv"]).both(&["import", "names.csv"]);
    shell.both(&[&import[..], &["--column", "fone=Mobile"]].concat());
    shell.both(&[&import[..], &["--rejects", "list.csv"]].concat());
    shell.both(&["import", "list.csv", "--region", "Germany"]);
    assert_transcript("import", &shell);
}

#[test]
fn import_undo() {
    let mut shell = Shell::with_shop();
    shell.write("list.csv", "phone,sms_optin\n+14155550110,yes\n+14155550111,no\n");
    let done =
        sayso_json(&shell.path("data"), &["import", shell.path("list.csv").to_str().unwrap()]);
    let id = done["import"].as_str().unwrap().to_owned();
    shell.run(&["import", "undo", "--help"]);
    shell.both(&["import", "undo", &id]);
    shell.both(&["import", "list.csv"]);
    shell.both(&["import", "undo", "imp_01jd6m9k3te5b8r5v3x5y6z7w8"]);
    shell.both(&["import", "undo", "list.csv"]);
    assert_transcript("import-undo", &shell);
}

#[test]
fn export() {
    let mut shell = Shell::with_shop();
    shell.run(&["export", "--help"]);
    // One row: the order of several follows from keys that no two stores share.
    shell.both(&["export", "--channel", "sms", "--status", "opted_in"]);
    shell.run(&["export", "--channel", "sms", "--output", "sms.csv"]);
    shell.run(&["export", "--channel", "sms", "--output", "missing/sms.csv"]);
    shell.both(&["export", "--channel", "smoke", "--status", "yes"]);
    shell.both(&["export", "--erasures"]).run(&["export", "--erasures", "--output", "list"]);
    shell
        .run(&["export", "--erasures", "--channel", "sms"])
        .run(&["export", "--status", "opted_in"]);
    assert_transcript("export", &shell);
}

#[test]
fn keys() {
    let mut shell = Shell::with_shop();
    for what in [&["keys"][..], &["keys", "create"], &["keys", "list"], &["keys", "revoke"]] {
        shell.run(&[what, &["--help"]].concat());
    }
    shell.both(&["keys", "list"]);
    shell.both(&["keys", "create", "my-shop", "--scope", "check", "--scope", "write"]);
    shell.both(&["keys", "list"]);
    let all = sayso_json(&shell.path("data"), &["keys", "list"]);
    let key = all.as_array().unwrap()[0]["id"].as_str().unwrap().to_owned();
    shell.both(&["keys", "revoke", &key]);
    shell.both(&["keys", "create", "my-shop"]);
    shell.both(&["keys", "create", "my-shop", "--scope", "fly", "--highest-standing", "king"]);
    shell.both(&["keys", "revoke", "key_x"]);
    shell.run(&["keys", "rotate", "--help"]);
    shell.both(&["keys", "rotate"]);
    let running = Running::serve(&shell.path("data"));
    shell.both(&["keys", "rotate"]);
    assert!(running.stop());
    shell.both(&["keys", "rotate", "--data", "missing"]);
    assert_transcript("keys", &shell);
}

#[test]
fn workspaces() {
    let mut shell = Shell::empty();
    for what in [&["workspaces"][..], &["workspaces", "create"], &["workspaces", "list"]] {
        shell.run(&[what, &["--help"]].concat());
    }
    shell.both(&["workspaces", "list"]);
    shell.both(&["profile", "--phone", "+14155550102"]);
    shell.both(&["workspaces", "create", "My shop"]);
    shell.both(&["workspaces", "list"]);
    shell.both(&["profile", "--phone", "+14155550102"]);
    shell.both(&["profile", "--phone", "+14155550102", "--workspace", "shop"]);
    shell.both(&["workspaces", "create", " "]);
    assert_transcript("workspaces", &shell);
}

#[test]
fn doctor() {
    let mut shell = Shell::empty();
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/pages");
    for (source, name) in [("after.html", "good.html"), ("broken.html", "broken.html")] {
        let page = std::fs::read_to_string(pages.join(source)).unwrap();
        let page = page.replace("{{sayso}}", "https://consent.example");
        shell.write(name, &page.replace("{{site}}", "site_k3y"));
    }
    shell.run(&["doctor", "--help"]).run(&["doctor", "page", "--help"]);
    shell.both(&["doctor", "page", "good.html"]).both(&["doctor", "page", "broken.html"]);
    shell.both(&["doctor", "page", "missing.html"]);
    shell.both(&["doctor", "page", "https://127.0.0.1:1/", "--ca", "missing.pem"]);
    shell.run(&["doctor", "store", "--help"]).both(&["doctor", "store", "--data", "nowhere"]);
    assert_transcript("doctor", &shell);
}

#[test]
fn backup_and_restore() {
    let mut shell = Shell::with_shop();
    let key = ["--master-key", "data/master.key"];
    shell.run(&["backup", "--help"]).run(&["restore", "--help"]);
    shell.run(&["backup", "copy"]).run(&["backup", "copy-2", "--json"]);
    shell.both(&["backup", "copy"]);
    shell.run(&[&["restore", "copy", "--data", "new"], &key[..]].concat());
    shell.run(&[&["restore", "copy", "--data", "new-2", "--json"], &key[..]].concat());
    shell.both(&[&["restore", "copy", "--data", "new"], &key[..]].concat());
    shell.both(&[&["restore", "missing", "--data", "other"], &key[..]].concat());
    shell.both(&["restore", "copy"]);
    let compare = ["--erasures", "list", "--compare", "data"];
    shell.run(&["export", "--erasures", "--output", "list"]);
    shell.both(&[&["restore", "copy", "--data", "new-3"], &key[..], &compare[..]].concat());
    assert_transcript("backup-and-restore", &shell);
}

#[test]
fn serve() {
    let mut shell = Shell::with_shop();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
    shell.run(&["serve", "--help"]);
    shell.until(&serve, "listening");
    shell.until(&[&serve[..], &["--json"]].concat(), "url");
    shell.both(&["serve", "--listen", "everywhere"]);
    shell.both(&["serve", "--config", "missing.toml"]);
    let running = Running::serve(&shell.path("data"));
    shell.both(&serve);
    assert!(running.stop());
    assert_transcript("serve", &shell);
}

#[test]
fn demo() {
    let mut shell = Shell::empty();
    shell.run(&["demo", "--help"]);
    shell.until(&["demo", "--port", "0"], "nothing is kept");
    shell.until(&["demo", "--port", "0", "--json"], "url");
    shell.both(&["demo", "--port", "99999"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    shell.both(&["demo", "--port", &port]);
    shell.transcript = shell.transcript.replace(&format!("--port {port}"), "--port <taken>");
    assert_transcript("demo", &shell);
}

#[test]
fn generated_texts() {
    let mut shell = Shell::empty();
    shell.run(&["openapi", "--help"]).head(&["openapi"], 3).head(&["openapi", "--json"], 3);
    shell.run(&["openapi", "out.json"]);
    shell.run(&["docs", "--help"]);
    for page in ["problems", "config", "limits", "cli"] {
        shell.run(&["docs", page, "--help"]).head(&["docs", page], 4);
    }
    shell.head(&["docs", "limits", "--json"], 1).both(&["docs", "pages"]).both(&["docs"]);
    shell.run(&["completions", "--help"]).head(&["completions", "bash"], 2);
    shell.head(&["completions", "bash", "--json"], 2);
    shell.both(&["completions", "perl"]).both(&["completions"]);
    assert_transcript("generated-texts", &shell);
}
