//! `sayso doctor`: mistakes in an integration, in words a web developer acts on; and whether the files of a
//! store are what Sayso wrote.

use std::io::Read;
use std::time::Duration;

use sayso_store::sqlite::examination::{self, Fault};
use serde_json::json;

use super::Place;
use crate::doctor::fetch::{Fetch, PAGE_BYTES_MAX};
use crate::doctor::page::{Finding, Severity, examine};
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::{Doctor, DoctorPage};
use crate::printer::Printer;

/// Looks at what the options name; exit code 1 if something is wrong.
pub(crate) async fn run(place: &Place, what: Doctor, printer: Printer) -> Result<Exit, Failure> {
    match what {
        Doctor::Page(options) => page(options, printer).await,
        Doctor::Store => store(place, printer),
    }
}

/// Examines the store beside its server.
fn store(place: &Place, printer: Printer) -> Result<Exit, Failure> {
    let directory = place.config()?.store.directory;
    let examined =
        examination::examine(&directory).map_err(|error| local::open_failure(&directory, error))?;
    let as_json =
        |fault: &Fault| json!({ "file": fault.file, "message": fault.what, "fix": fault.remedy });
    let shown = json!({
        "directory": directory,
        "proven": examined.proven,
        "destroyed": examined.destroyed,
        "faults": examined.faults.iter().map(as_json).collect::<Vec<_>>(),
    });
    printer.value(&shown, |_| {
        let mut lines: Vec<String> = examined.faults.iter().map(|fault| {
            format!("error   {}: {}\n        {}", fault.file, fault.what, fault.remedy)
        }).collect();
        let word = if lines.is_empty() { "good " } else { "" };
        lines.push(format!(
            "{word:<8}{} events are what their hashes say; {} more were erased, and nobody can tell",
            examined.proven, examined.destroyed
        ));
        lines.join("\n")
    });
    Ok(if examined.faults.is_empty() { Exit::Yes } else { Exit::No })
}

/// Examines a page.
async fn page(options: DoctorPage, printer: Printer) -> Result<Exit, Failure> {
    let findings = examine(&read(&options, printer).await?);
    let shown = json!({ "page": options.page, "findings": findings.iter().map(as_json).collect::<Vec<_>>() });
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

/// Reads a page from a file, from standard input (`-`), or by its URL.
async fn read(options: &DoctorPage, printer: Printer) -> Result<String, Failure> {
    let page = &options.page;
    let bytes = if page.contains("://") {
        let patience = Duration::from_secs(options.timeout);
        let fetch = Fetch { url: page, ca: options.ca.as_deref(), patience };
        let fetched =
            fetch.run().await.map_err(|error| Failure::Input(format!("{page}: {error}")))?;
        if fetched.url.trim_end_matches('/') != page.trim_end_matches('/') {
            printer.say(&format!("It led to {}, which is what is examined here.", fetched.url));
        }
        fetched.bytes
    } else {
        read_local(page).map_err(|error| Failure::Input(format!("cannot read {page}: {error}")))?
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_local(page: &str) -> std::io::Result<Vec<u8>> {
    let source: Box<dyn Read> =
        if page == "-" { Box::new(std::io::stdin()) } else { Box::new(std::fs::File::open(page)?) };
    let limit = u64::try_from(PAGE_BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() > PAGE_BYTES_MAX {
        return Err(std::io::Error::other("it is longer than 4 MiB"));
    }
    Ok(bytes)
}
