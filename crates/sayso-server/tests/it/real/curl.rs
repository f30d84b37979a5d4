//! Debian's own curl gets every answer over HTTP/2, also one that is given before the body is read.
//!
//! Over HTTP/2 in clear the client knows beforehand which version is spoken, over TLS both agree on it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sayso_core::words::source::SourceName;
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{Change, KeyScope, Mode};
use sayso_server::app::Scheme;
use sayso_server::config::{Config, Sources};
use sayso_server::keyring::{KeyGrant, mint};
use sayso_server::serve::{ServeError, Server};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::support::certificate::Certificate;

/// How often each call is made: what is lost now and then is lost.
const TIMES: usize = 5;

/// The sizes of bodies that are sent, from what fits into one frame to far more than is read.
const SIZES: [usize; 7] = [1 << 10, 16 << 10, 64 << 10, 65 << 10, 128 << 10, 300 << 10, 1 << 20];

/// A server that speaks HTTP/2 in clear, or with TLS.
struct Running {
    url: String,
    key: String,
    directory: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

/// What is sent, and the status that answers it.
struct Call {
    status: u16,
    method: &'static str,
    path: &'static str,
    headers: Vec<String>,
}

impl Running {
    async fn start(speaks: Scheme, more: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let certificate = Certificate::of(7);
        std::fs::write(at("tls.pem"), &certificate.pem).unwrap();
        std::fs::write(at("tls.key"), &certificate.key_pem).unwrap();
        let mut settings = vec![
            ("server.address", "127.0.0.1:0".to_owned()),
            ("admin.address", "127.0.0.1:0".to_owned()),
            ("store.directory", at("")),
        ];
        if speaks == Scheme::Https {
            settings.push(("tls.certificate", at("tls.pem")));
            settings.push(("tls.key", at("tls.key")));
        }
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let arguments = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        let sources = Sources { arguments: arguments.collect(), ..Sources::default() };
        let config = Config::load(&sources).unwrap();
        let environment = Environment::system();
        let store = Arc::new(SqliteStore::in_memory(environment.clone()).unwrap());
        let workspace = store.create_workspace("Shop", Mode::Test).await.unwrap().id;
        let grant = KeyGrant {
            name: SourceName::parse("shop").unwrap(),
            scopes: KeyScope::ALL.to_vec(),
            highest: Standing::Act,
        };
        let minted = mint(&environment, Mode::Test, grant);
        let change = Change::Key(minted.id, minted.key);
        configure_now(store.as_ref(), workspace, change).await.unwrap();
        let server = Server::bind(config, store, environment).await.unwrap();
        let port = server.public_address().unwrap().port();
        let scheme = if speaks == Scheme::Https { "https" } else { "http" };
        let (stop, stopped) = oneshot::channel::<()>();
        let (_changes, reload) = watch::channel(None);
        #[expect(clippy::disallowed_methods, reason = "the test waits for it")]
        let ended = tokio::spawn(server.run(async { drop(stopped.await) }, reload, None));
        let url = format!("{scheme}://localhost:{port}");
        Self { url, key: minted.secret, directory, stop, ended }
    }

    /// Makes a call with a body of each size, several times, and asserts what comes back.
    fn must_answer(&self, call: &Call) {
        let folder = self.directory.path();
        for size in SIZES {
            let body = folder.join("body");
            std::fs::write(&body, vec![b' '; size]).unwrap();
            for _ in 0..TIMES {
                let (status, version, text) = self.curl(call, &body);
                let wanted = (call.status, "2".to_owned());
                assert_eq!((status, version), wanted, "{} {size}: {text}", call.path);
                assert!(text.contains("\"code\":\""), "{} {size}: {text}", call.path);
            }
        }
    }

    /// Runs curl; gives the status, the version of HTTP and the body.
    fn curl(&self, call: &Call, body: &Path) -> (u16, String, String) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--max-time", "20", "--request", call.method]);
        if self.url.starts_with("https") {
            curl.arg("--http2").arg("--cacert").arg(self.directory.path().join("tls.pem"));
        } else {
            curl.arg("--http2-prior-knowledge");
        }
        for header in &call.headers {
            curl.args(["--header", header]);
        }
        let from = format!("@{}", body.display());
        curl.args(["--data-binary", &from, "--write-out", "\n%{http_code} %{http_version}"]);
        let output = curl.arg(format!("{}{}", self.url, call.path)).output();
        let output = output.unwrap_or_else(|error| panic!("curl: {error}; apt-get install curl"));
        let said = String::from_utf8(output.stdout).unwrap();
        let (text, line) = said.rsplit_once('\n').unwrap();
        let (status, version) = line.split_once(' ').unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {}: {words}", call.path, body.display());
        (status.parse().unwrap(), version.to_owned(), text.to_owned())
    }

    fn call(&self, status: u16, method: &'static str, path: &'static str, kind: &str) -> Call {
        let key = format!("authorization: Bearer {}", self.key);
        Call { status, method, path, headers: vec![key, format!("content-type: {kind}")] }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

async fn every_early_answer_arrives(speaks: Scheme) {
    const JSON: &str = "application/json";
    let running = Running::start(speaks, &[]).await;
    let stranger = ["authorization: Bearer sk_test_nobody", "content-type: application/json"];
    let headers = stranger.map(str::to_owned).to_vec();
    running.must_answer(&Call { status: 401, method: "POST", path: "/v1/consents", headers });
    running.must_answer(&running.call(404, "POST", "/v1/consent", JSON));
    running.must_answer(&running.call(405, "PUT", "/v1/consents", JSON));
    running.must_answer(&running.call(415, "POST", "/v1/consents", "text/plain"));
    running.stop().await;

    let slow = [("limits.key_requests", "1"), ("limits.key_seconds", "3600")];
    let running = Running::start(speaks, &slow).await;
    let call = running.call(429, "POST", "/v1/check", JSON);
    let body = running.directory.path().join("first");
    std::fs::write(&body, "{}").unwrap();
    assert_eq!(running.curl(&call, &body).0, 422, "the one that is within the limit");
    running.must_answer(&call);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_an_answer_given_before_the_body_is_read_over_http_2_in_clear() {
    every_early_answer_arrives(Scheme::Http).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_gets_an_answer_given_before_the_body_is_read_over_http_2_with_tls() {
    every_early_answer_arrives(Scheme::Https).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_told_that_its_body_is_too_large_over_http_2() {
    for speaks in [Scheme::Http, Scheme::Https] {
        let running = Running::start(speaks, &[]).await;
        let call = running.call(413, "POST", "/v1/check", "application/json");
        let body = running.directory.path().join("large");
        for size in [263_000, 400_000, 1 << 20] {
            std::fs::write(&body, vec![b' '; size]).unwrap();
            for _ in 0..TIMES {
                let (status, _, text) = running.curl(&call, &body);
                assert_eq!(status, 413, "{size}: {text}");
                assert!(text.contains("at most 262144 bytes"), "{size}: {text}");
            }
        }
        running.stop().await;
    }
}
