//! The real binary on a disk that fails: what is acknowledged is on it, and the process says what it
//! cannot know.

use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use serde_json::{Value, json};

use crate::http::Http;
use crate::running::{Running, sayso_json};

/// A store on a disk that works until it is told otherwise.
struct Disk {
    directory: tempfile::TempDir,
    library: PathBuf,
    key: String,
}

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/disk.c");
        let library = directory.path().join("disk.so");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl");
        assert!(cc.status().unwrap().success(), "the C compiler that builds SQLite builds this");
        let data = directory.path().join("data");
        sayso_json(&data, &["workspaces", "create", "Shop", "--test"]);
        let scopes = ["--highest-standing", "act", "--scope", "write", "--scope", "check"];
        let made = sayso_json(&data, &[&["keys", "create", "shop"], &scopes[..]].concat());
        Self { directory, library, key: made["secret"].as_str().unwrap().to_owned() }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn plan(&self) -> PathBuf {
        self.directory.path().join("plan")
    }

    /// From now on the disk fails like this.
    fn fail(&self, how: &str) {
        std::fs::write(self.plan(), how).unwrap();
    }

    fn serve(&self) -> Running {
        let (plan, reserve) = (self.plan(), self.data().join("reserve"));
        let variables = [
            ("LD_PRELOAD", self.library.as_path()),
            ("SAYSO_TEST_DISK", &plan),
            ("SAYSO_TEST_RESERVE", &reserve),
        ];
        Running::serve_with(&self.data(), &[], &variables)
    }

    async fn connect(&self, running: &Running) -> Http {
        Http::connect(&running.address, &self.key).await.unwrap()
    }
}

fn says(phone: &str, statement: &str) -> Value {
    json!({
        "phone": phone, "channel": "sms", "statement": statement, "standing": "act",
        "method": "keyword", "occurred_at": "2026-01-01T00:00:00Z",
    })
}

async fn reason(http: &mut Http, phone: &str) -> Value {
    let ask = json!({ "phone": phone, "channel": "sms" });
    http.must(Method::POST, "/v1/check", Some(&ask)).await.body["reason"].clone()
}

#[tokio::test]
async fn a_failed_sync_ends_the_process_with_3_and_what_was_acknowledged_is_kept() {
    let disk = Disk::new();
    let running = disk.serve();
    let mut http = disk.connect(&running).await;
    let kept = says("+14155550101", "opt_out");
    assert_eq!(http.must(Method::POST, "/v1/consents", Some(&kept)).await.status, 201);
    disk.fail("sync");
    let lost = says("+14155550102", "opt_out");
    // The connection may break before the answer is out; a success it is not.
    if let Some(answer) = http.ask(Method::POST, "/v1/consents", Some(&lost)).await {
        assert_eq!(answer.body["code"], "outcome-unknown", "{answer:?}");
    }
    let (code, said) = running.wait();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("Whether it is stored is not known"), "{said}");

    disk.fail("works");
    let running = disk.serve();
    let mut http = disk.connect(&running).await;
    assert_eq!(reason(&mut http, "+14155550101").await, "opted_out");
    assert!(running.stop());
}

#[tokio::test]
async fn a_full_disk_takes_refusals_and_nothing_else_and_loses_nothing() {
    let disk = Disk::new();
    let running = disk.serve();
    let mut http = disk.connect(&running).await;
    disk.fail("full");
    let yes = says("+14155550103", "start");
    let refused = http.must(Method::POST, "/v1/consents", Some(&yes)).await;
    assert_eq!((refused.status, &refused.body["code"]), (503, &json!("store-unwritable")));
    let no = says("+14155550104", "opt_out");
    let taken = http.must(Method::POST, "/v1/consents", Some(&no)).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    assert_eq!(reason(&mut http, "+14155550104").await, "opted_out");
    assert!(running.stop());

    let running = disk.serve();
    let mut http = disk.connect(&running).await;
    assert_eq!(reason(&mut http, "+14155550104").await, "opted_out");
    assert_eq!(
        reason(&mut http, "+14155550103").await,
        "no_opt_in",
        "what was refused left nothing"
    );
    assert!(running.stop());
}
