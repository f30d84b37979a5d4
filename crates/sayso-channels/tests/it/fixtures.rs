//! Each recorded call reads as the file beside it says. A new fixture needs no code: a file
//! `<provider>/<name>.json` (a body), `.form` (a body in form encoding) or `.url` (the query of a
//! `GET`), and `<name>.expected`. What is read instead is left in the directory that a failure names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sayso_channels::call::Method;

use crate::support::{PROVIDERS, read, render};

pub(crate) fn directory(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(provider)
}

/// The files of a provider, in the order of their names.
pub(crate) fn files(provider: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(directory(provider)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn extension(file: &Path) -> &str {
    file.extension().unwrap().to_str().unwrap()
}

fn read_file(provider: &str, file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap();
    let text = text.trim_end();
    let events = match extension(file) {
        "url" => read(provider, Method::Get, text, b""),
        "json" | "form" => read(provider, Method::Post, "", text.as_bytes()),
        other => panic!("{}: what is .{other}?", file.display()),
    };
    render(&events)
}

#[test]
fn every_recorded_call_reads_as_the_file_beside_it_says() {
    let mut failures = Vec::new();
    for provider in PROVIDERS {
        let files = files(provider);
        let (expected, calls): (Vec<_>, Vec<_>) =
            files.iter().partition(|file| extension(file) == "expected");
        let answered: BTreeSet<_> = calls.iter().map(|file| file.with_extension("")).collect();
        assert_eq!(answered.len(), calls.len(), "{provider}: two calls of one name");
        let is_orphan = |file: &&&PathBuf| !answered.contains(&file.with_extension(""));
        failures.extend(
            expected.iter().filter(is_orphan).map(|file| format!("no call: {}", file.display())),
        );
        for call in calls {
            let found = read_file(provider, call);
            let expected = call.with_extension("expected");
            if fs::read_to_string(&expected).ok().as_deref() != Some(found.as_str()) {
                let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("found").join(provider);
                fs::create_dir_all(&copy).unwrap();
                let copy = copy.join(expected.file_name().unwrap());
                fs::write(&copy, &found).unwrap();
                failures.push(format!("{}\n  reads as {}", expected.display(), copy.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{} of them:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn no_unknown_keeps_the_token_of_its_hook() {
    for provider in PROVIDERS {
        for file in files(provider).iter().filter(|file| extension(file) != "expected") {
            assert!(
                !read_file(provider, file).contains(crate::support::TOKEN),
                "{}",
                file.display()
            );
        }
    }
}
