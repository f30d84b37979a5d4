//! `sayso doctor`: mistakes in an integration, in words a web developer acts on.

use std::io::Read;
use std::time::Duration;

use serde_json::json;

use crate::doctor::fetch::{Fetch, PAGE_BYTES_MAX};
use crate::doctor::page::{Finding, Severity, examine};
use crate::exit::{Exit, Failure};
use crate::options::{Doctor, DoctorPage};
use crate::printer::Printer;

/// Looks at what the options name; exit code 1 if something is wrong.
pub(crate) async fn run(what: Doctor, printer: Printer) -> Result<Exit, Failure> {
    let Doctor::Page(options) = what;
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
