//! Rules for Rust files: names, module docs, what a test may not do, what the core may not know.

use super::Finding;
use crate::source::{Source, has_word};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 8] =
    ["utils", "util", "common", "helpers", "helper", "misc", "types", "mod"];

/// What the core would need a clock, a disk, a network or a wire format for.
const NOT_IN_CORE: [(&str, &str); 9] = [
    ("std::time::SystemTime", "take the time as an argument"),
    ("SystemTime", "take the time as an argument"),
    ("std::fs", "take the bytes as an argument"),
    ("std::net", "the core opens no socket; core::net has the address types"),
    ("tokio", "the core is not async"),
    ("serde", "derive it on a struct of the boundary"),
    ("serde_json", "derive it on a struct of the boundary"),
    ("rand", "take the random bytes as an argument"),
    ("getrandom", "take the random bytes as an argument"),
];

/// Names of `std` that a grouped import could hide from the table above.
const NOT_FROM_STD: [&str; 5] = ["fs", "net", "env", "process", "thread"];

/// Checks the name of any file of the workspace's own code.
pub(super) fn check_name(path: &str) -> Option<Finding> {
    if !is_our_code(path) {
        return None;
    }
    let mut parts = path.split('/').filter_map(|part| part.split('.').next());
    let name = parts.find(|part| EMPTY_NAMES.contains(part))?;
    let advice = if name == "mod" {
        "name the module's file after the module, beside its directory".to_owned()
    } else {
        format!("`{name}` says nothing: name the file after the one thing in it")
    };
    Some(Finding::new(path, 1, "file-name", advice))
}

/// Checks one Rust file.
pub(super) fn check(path: &str, text: &str, source: &Source) -> Vec<Finding> {
    if !is_our_code(path) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if !text.starts_with("//!") {
        let advice = "begin the file with `//!`: what it is for, what it owns, what is left out";
        findings.push(Finding::new(path, 1, "module-doc", advice));
    }
    let test_from = first_test_line(path, source);
    for (line, code) in source.lines() {
        let found = |(rule, advice)| Finding::new(path, line, rule, advice);
        findings.extend(unfinished(code).map(found));
        if line >= test_from && has_word(code, "sleep") && code.contains("sleep(") {
            let advice = "wait on a state with a bound, never on time";
            findings.push(Finding::new(path, line, "no-sleep", advice));
        }
        if path.starts_with("crates/sayso-core/src/") {
            findings
                .extend(impure(code).map(|advice| Finding::new(path, line, "pure-core", advice)));
        }
    }
    findings
}

fn is_our_code(path: &str) -> bool {
    ["crates/", "xtask/", "fuzz/"].iter().any(|root| path.starts_with(root))
}

/// The line from which a file is test code; by house order its tests come last.
fn first_test_line(path: &str, source: &Source) -> usize {
    let all_tests = path.contains("/tests/")
        || path.starts_with("crates/sayso-testing/")
        || path.contains("/conformance");
    if all_tests {
        return 1;
    }
    let start = source.lines().find(|(_, code)| code.trim_start().starts_with("#[cfg(test)]"));
    start.map_or(usize::MAX, |(line, _)| line)
}

fn unfinished(code: &str) -> Option<(&'static str, &'static str)> {
    let attribute = code.trim_start().starts_with('#');
    if attribute && has_word(code, "ignore") {
        Some(("no-ignore", "make the test pass or delete it"))
    } else if attribute && has_word(code, "should_panic") {
        Some(("no-should-panic", "return an error and assert which one"))
    } else if code.contains("todo!") || code.contains("unimplemented!") {
        Some(("unfinished", "write it, or leave it out"))
    } else {
        None
    }
}

fn impure(code: &str) -> Option<&'static str> {
    let named = NOT_IN_CORE.iter().find(|(name, _)| has_word(code, name));
    if let Some((_, advice)) = named {
        return Some(advice);
    }
    let group = code.split_once("std::{").map(|(_, group)| group)?;
    let hidden = NOT_FROM_STD.iter().any(|name| has_word(group, name));
    hidden.then_some("the core does no I/O: take what it needs as an argument")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(path: &str, text: &str) -> Vec<String> {
        let findings = check(path, text, &Source::read(text));
        findings.iter().map(|finding| format!("{} {}", finding.line, finding.rule)).collect()
    }

    #[test]
    fn every_rust_file_begins_with_its_doc() {
        assert_eq!(rules("crates/sayso/src/main.rs", "fn main() {}\n"), ["1 module-doc"]);
        assert!(rules("crates/sayso/src/main.rs", "//! The binary.\n").is_empty());
        assert!(rules("elsewhere/build.rs", "fn main() {}\n").is_empty());
    }

    #[test]
    fn unfinished_tests_and_code_are_found_in_code_only() {
        let text = "//! Doc.\n#[ignore]\n#[should_panic(expected = \"x\")]\ntodo!()\n// todo!()\n\"todo!()\"\n";
        let expected = ["2 no-ignore", "3 no-should-panic", "4 unfinished"];
        assert_eq!(rules("crates/a/src/b.rs", text), expected);
    }

    #[test]
    fn sleeping_is_found_in_tests_only() {
        let text = "//! Doc.\nsleep(a);\n#[cfg(test)]\nthread::sleep(b);\n";
        assert_eq!(rules("crates/a/src/b.rs", text), ["4 no-sleep"]);
        assert_eq!(rules("crates/a/tests/it/b.rs", text), ["2 no-sleep", "4 no-sleep"]);
    }

    #[test]
    fn the_core_knows_no_clock_disk_network_or_wire_format() {
        let text = "//! Serde is a word here.\nuse std::{fmt, fs};\nuse serde::Serialize;\nlet operand = 1;\nuse std::net::TcpStream;\n";
        let expected = ["2 pure-core", "3 pure-core", "5 pure-core"];
        assert_eq!(rules("crates/sayso-core/src/a.rs", text), expected);
        assert!(rules("crates/sayso-store/src/a.rs", text).is_empty());
    }

    #[test]
    fn a_file_has_a_name_that_says_something() {
        assert!(check_name("crates/a/src/utils.rs").is_some());
        assert!(check_name("crates/a/src/common/b.rs").is_some());
        assert!(check_name("crates/a/src/b/mod.rs").is_some());
        assert_eq!(check_name("crates/a/src/suppression.rs"), None);
        assert_eq!(check_name("docs/common.md"), None);
    }
}
