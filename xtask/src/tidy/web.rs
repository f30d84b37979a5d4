//! Rules for what runs in browsers: nothing is kept there, and the tag stays small.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Finding;

/// Everything that would leave something behind in a visitor's browser.
const STORAGE: [&str; 4] = ["localStorage", "sessionStorage", "document.cookie", "indexedDB"];

/// What the tag may weigh on the wire.
const TAG_GZIP_BYTES_MAX: usize = 6 * 1024;

/// Checks one file under `web/`.
pub(super) fn check(path: &str, text: &str) -> Result<Vec<Finding>> {
    if !path.starts_with("web/") {
        return Ok(Vec::new());
    }
    let mut findings = kept(path, text);
    if path == "web/tag.js" {
        findings.extend(too_heavy(path, gzip_bytes(text)?));
    }
    Ok(findings)
}

fn kept(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(storage) = STORAGE.iter().find(|storage| line.contains(**storage)) {
            let advice =
                format!("`{storage}`: nothing is kept in the browser, ask the server instead");
            findings.push(Finding::new(path, index + 1, "browser-storage", advice));
        }
    }
    findings
}

fn too_heavy(path: &str, bytes: usize) -> Option<Finding> {
    let advice = format!("{bytes} bytes gzipped, {TAG_GZIP_BYTES_MAX} allowed: take something out");
    (bytes > TAG_GZIP_BYTES_MAX).then(|| Finding::new(path, 1, "tag-size", advice))
}

fn gzip_bytes(text: &str) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_kept_in_the_browser() {
        let findings = check("web/tag.js", "a\nwindow.localStorage.x = 1\n").expect("it packs");
        let places: Vec<_> = findings.iter().map(|finding| (finding.line, finding.rule)).collect();
        assert_eq!(places, [(2, "browser-storage")]);
        assert!(check("docs/tag.md", "localStorage").expect("it packs").is_empty());
    }

    #[test]
    fn the_tag_stays_within_its_budget() {
        assert_eq!(too_heavy("web/tag.js", TAG_GZIP_BYTES_MAX), None);
        assert!(too_heavy("web/tag.js", TAG_GZIP_BYTES_MAX + 1).is_some());
        assert!(gzip_bytes(&"a".repeat(100_000)).expect("it packs") < 1_000);
    }
}
