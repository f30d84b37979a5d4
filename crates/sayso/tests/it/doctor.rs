//! `sayso doctor page` on a URL: redirects, bounds, and what is wrong with a certificate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::running::sayso;

/// A page without mistakes.
const PAGE: &str = r#"<!doctype html><html><head>
<script>window.insider_object = { user: { uuid: "u-1", phone_number: "+14155550123", gdpr_optin: true, sms_optin: true } };</script>
<script async src="https://consent.example/tag.js" data-site="site_k3y"></script>
</head><body></body></html>"#;
/// A page that is too long by one byte.
const LONG: usize = 4_194_305;

fn certificate(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/certificates").join(name)
}

/// TLS with this certificate.
pub(crate) fn tls(name: &str) -> Arc<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(certificate(name)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}

/// Serves a small site over TLS with this certificate, until the test process ends.
fn serve(name: &str) -> SocketAddr {
    let config = tls(name);
    accept(move |stream| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        answer(StreamOwned::new(connection, stream))
    })
}

/// Serves the same site without TLS.
fn serve_plain() -> SocketAddr {
    accept(answer)
}

fn accept(handle: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that refuses the certificate, or goes away, is what some tests are about.
            drop(handle(stream.unwrap()));
        }
    });
    address
}

/// Answers one request and closes.
fn answer(mut stream: impl Read + Write) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 1_024];
    while request.is_empty()
        || request.starts_with(b"GET ") && !request.windows(4).any(|end| end == b"\r\n\r\n")
    {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..read]);
    }
    let request = String::from_utf8_lossy(&request);
    if !request.starts_with("GET ") {
        return stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    }
    let (status, header, body) = match request.split(' ').nth(1).unwrap() {
        "/" => ("200 OK", "", PAGE.to_owned()),
        "/moved" => ("302 Found", "location: /\r\n", String::new()),
        "/loop" => ("302 Found", "location: /loop\r\n", String::new()),
        "/long" => ("200 OK", "", " ".repeat(LONG)),
        // Nothing is said until the client gives up.
        "/slow" => return stream.read(&mut buffer).map(drop),
        _ => ("404 Not Found", "", String::new()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{header}connection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.flush()
}

fn examine(url: &str, authority: &str) -> Output {
    let authority = certificate(authority);
    sayso(&["doctor", "page", url, "--ca", authority.to_str().unwrap(), "--timeout", "2"])
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_page_is_read_over_https_with_the_authority_that_is_named() {
    let port = serve("server.pem").port();
    let output = examine(&format!("https://localhost:{port}/"), "authority.pem");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("the Sayso tag is on the page"));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_redirect_is_followed_and_said() {
    let port = serve("server.pem").port();
    let output = examine(&format!("https://localhost:{port}/moved"), "authority.pem");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains(&format!("It led to https://localhost:{port}/,")), "{said}");
    let plain = serve_plain().port();
    let output = examine(&format!("http://localhost:{plain}/moved"), "authority.pem");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn what_is_wrong_with_a_certificate_is_said_with_what_to_do() {
    let (good, expired) = (serve("server.pem").port(), serve("expired.pem").port());
    let plain = serve_plain().port();
    let cases = [
        // An authority that signed something else.
        (format!("https://localhost:{good}/"), "server.pem", "signed by nobody"),
        (format!("https://localhost:{good}/"), "server.pem", "--ca FILE"),
        (format!("https://localhost:{expired}/"), "authority.pem", "is out of date"),
        (format!("https://127.0.0.1:{good}/"), "authority.pem", "is for another name"),
        (format!("https://localhost:{plain}/"), "authority.pem", "write http://"),
        (format!("https://localhost:{good}/"), "server.key", "BEGIN CERTIFICATE"),
        (format!("https://localhost:{good}/"), "missing.pem", "missing.pem: No such file"),
    ];
    for (url, authority, expected) in cases {
        let output = examine(&url, authority);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{url}: {said}");
        assert!(said.contains(expected), "{url}: {said}");
        assert_eq!(text(&output.stdout), "", "{url}");
    }
}

#[test]
fn a_page_that_does_not_come_is_said_with_what_to_do() {
    let port = serve("server.pem").port();
    let cases = [
        ("/loop", "redirects more than 5 times"),
        ("/long", "is longer than 4 MiB"),
        ("/slow", "took longer than 2 s"),
        ("/missing", "answers 404 Not Found"),
    ];
    for (path, expected) in cases {
        let output = examine(&format!("https://localhost:{port}{path}"), "authority.pem");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{path}: {said}");
        assert!(said.contains(expected), "{path}: {said}");
    }
    for url in ["ftp://shop.example/", "https://", "http://shop.example:port/"] {
        let said = text(&examine(url, "authority.pem").stderr);
        assert!(said.contains("a good value: https://shop.example/"), "{url}: {said}");
    }
}
