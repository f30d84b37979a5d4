//! What the fuzzer found before is run again: every file of `corpus/{target}`, by that target.
#![expect(
    clippy::unwrap_used,
    reason = "a test that finds something else than it expects should stop there"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sayso_fuzz::{TARGETS, run};

/// The largest file of a corpus: it is looked at by people.
const FILE_BYTES_MAX: u64 = 16_384;
/// The largest corpus.
const CORPUS_BYTES_MAX: u64 = 102_400;

/// A test for each target, which fails where its corpus holds nothing.
macro_rules! replay {
    ($($target:ident)+) => {
        $(#[test]
        fn $target() {
            let files = files(stringify!($target));
            assert!(!files.is_empty(), "corpus/{} holds nothing", stringify!($target));
            for file in files {
                // What is run when it fails is named above the failure.
                println!("{}", file.display());
                run(stringify!($target), &fs::read(&file).unwrap());
            }
        })+

        #[test]
        fn every_target_is_replayed_and_every_corpus_is_a_targets() {
            let replayed: BTreeSet<String> = [$(stringify!($target)),+].map(str::to_owned).into();
            let targets: BTreeSet<String> =
                TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
            assert_eq!(targets, replayed);
            assert_eq!(targets, names_in("corpus", ""));
            assert_eq!(targets, names_in("fuzz_targets", ".rs"), "and has a program");
        }
    };
}

replay! {
    answers
    batch
    cells
    config
    doctor_page
    double_opt_in
    email
    entry
    erasures
    facts
    form
    gate_index
    gupshup
    gupshup_users
    import
    import_rows
    kannel
    logo
    manifest
    meta
    origins
    personal_link
    phone
    placeholders
    references
    requests
    rules
    smtp_replies
    tag
    twilio
    words
}

#[test]
fn corpora_are_small() {
    for (target, _) in TARGETS {
        let sizes = files(target).into_iter().map(|file| fs::metadata(file).unwrap().len());
        let sizes: Vec<u64> = sizes.collect();
        assert!(sizes.iter().all(|size| *size <= FILE_BYTES_MAX), "{target}: {sizes:?}");
        assert!(sizes.iter().sum::<u64>() <= CORPUS_BYTES_MAX, "{target}: {sizes:?}");
    }
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The files of a target's corpus, in order.
fn files(target: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory("corpus").join(target)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What is in a directory, without the end of its names.
fn names_in(name: &str, end: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(directory(name)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| name.strip_suffix(end).unwrap().to_owned()).collect()
}
