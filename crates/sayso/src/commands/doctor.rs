//! `sayso doctor`: mistakes in an integration, in words a web developer acts on.

use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::json;

use crate::doctor::page::{Finding, Severity, examine};
use crate::exit::{Exit, Failure};
use crate::options::Doctor;
use crate::printer::Printer;

/// The longest page that is read, in bytes.
const PAGE_BYTES_MAX: u64 = 4_194_304;
/// How long a page may take, in seconds.
const PAGE_SECONDS_MAX: u64 = 10;

/// Looks at what the options name; exit code 1 if something is wrong.
pub(crate) fn run(what: &Doctor, printer: Printer) -> Result<Exit, Failure> {
    let Doctor::Page { page } = what;
    let findings = examine(&read(page)?);
    let shown =
        json!({ "page": page, "findings": findings.iter().map(as_json).collect::<Vec<_>>() });
    printer.value(&shown, |_| findings.iter().map(as_text).collect::<Vec<_>>().join("\n"));
    let is_wrong = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if is_wrong { Exit::No } else { Exit::Yes })
}

fn as_json(finding: &Finding) -> serde_json::Value {
    json!({
        "severity": word(finding.severity),
        "code": finding.code,
        "message": finding.message,
        "fix": finding.fix,
    })
}

fn as_text(finding: &Finding) -> String {
    let first = format!("{:<7} {}", word(finding.severity), finding.message);
    if finding.fix.is_empty() { first } else { format!("{first}\n        {}", finding.fix) }
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Good => "good",
    }
}

/// Reads a page from a file, from standard input (`-`), or by plain HTTP.
fn read(page: &str) -> Result<String, Failure> {
    if page.starts_with("https://") {
        return Err(Failure::Input(format!(
            "pages are not fetched over https: run  curl -s {page} | sayso doctor page -"
        )));
    }
    let mut bytes = Vec::new();
    let read = if let Some(rest) = page.strip_prefix("http://") {
        fetch(rest, &mut bytes)
    } else if page == "-" {
        std::io::stdin().take(PAGE_BYTES_MAX).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(page).and_then(|file| file.take(PAGE_BYTES_MAX).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::Input(format!("{page}: {error}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// One GET by HTTP/1.0, which has neither chunks nor kept connections.
fn fetch(rest: &str, into: &mut Vec<u8>) -> std::io::Result<usize> {
    use std::io::Write;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let unknown = || std::io::Error::new(std::io::ErrorKind::NotFound, "the host is not known");
    let address = address.to_socket_addrs()?.next().ok_or_else(unknown)?;
    let limit = Duration::from_secs(PAGE_SECONDS_MAX);
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET /{path} HTTP/1.0\r\nhost: {host}\r\naccept: text/html\r\n\r\n")?;
    stream.take(PAGE_BYTES_MAX).read_to_end(into)
}
