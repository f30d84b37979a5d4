//! Imports point down only: which crate of ours may depend on which.
//!
//! The table is the design's. A further crate or edge needs a decision record first, then a row here.

use serde_json::Value;

use super::Finding;

/// Each crate, and the crates of ours that it may be built from.
const LAYERS: [(&str, &[&str]); 12] = [
    ("sayso-core", &[]),
    ("sayso-ledger", &["sayso-core"]),
    ("sayso-channels", &["sayso-core"]),
    ("sayso-pages", &["sayso-core"]),
    ("sayso-plan", &["sayso-core"]),
    ("sayso-store", &["sayso-core", "sayso-plan", "sayso-ledger"]),
    ("sayso-server", &BELOW_THE_SERVER),
    ("sayso", &BELOW_THE_BINARY),
    ("sayso-testing", &BELOW_THE_BINARY),
    ("sayso-bench", &BELOW_THE_BINARY),
    ("sayso-fuzz", &EVERYTHING),
    ("xtask", &[]),
];

const BELOW_THE_SERVER: [&str; 6] =
    ["sayso-core", "sayso-ledger", "sayso-channels", "sayso-pages", "sayso-plan", "sayso-store"];

const BELOW_THE_BINARY: [&str; 7] = [
    "sayso-core",
    "sayso-ledger",
    "sayso-channels",
    "sayso-pages",
    "sayso-plan",
    "sayso-store",
    "sayso-server",
];

/// What reads foreign bytes is anywhere.
const EVERYTHING: [&str; 8] = [
    "sayso-core",
    "sayso-ledger",
    "sayso-channels",
    "sayso-pages",
    "sayso-plan",
    "sayso-store",
    "sayso-server",
    "sayso",
];

/// Crates of ours and of others that no shipped code may be built from.
const TESTS_ONLY: [&str; 6] =
    ["sayso-testing", "fantoccini", "insta", "proptest", "tempfile", "webdriver"];

/// The fuzzer, and the one crate whose programs are built from it.
const FUZZER: (&str, &str) = ("libfuzzer-sys", "sayso-fuzz");

/// What would bring a clock, randomness, I/O or a wire format into the rules.
const NOT_IN_CORE: [&str; 6] = ["tokio", "serde", "serde_json", "rand", "getrandom", "uuid"];

const RULE: &str = "layering";

/// One dependency as a manifest declares it.
#[derive(Debug, PartialEq, Eq)]
struct Edge {
    from: String,
    to: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Needed to build what ships, build scripts included.
    Build,
    /// Needed by tests and benchmarks only.
    Test,
}

/// Checks the manifests of the workspace, as `cargo metadata` gives them.
pub(super) fn check(metadata: &Value) -> Vec<Finding> {
    let members = member_names(metadata);
    let mut findings: Vec<_> = members.iter().filter_map(|name| judge_member(name)).collect();
    findings.extend(edges(metadata).iter().filter_map(judge));
    findings
}

fn member_names(metadata: &Value) -> Vec<String> {
    packages(metadata).filter_map(name_of).collect()
}

/// The packages of the workspace itself: those that came from no registry.
fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    let all = metadata.get("packages").and_then(Value::as_array);
    all.into_iter().flatten().filter(|package| package.get("source").is_none_or(Value::is_null))
}

fn name_of(package: &Value) -> Option<String> {
    package.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn edges(metadata: &Value) -> Vec<Edge> {
    let mut edges = Vec::new();
    for package in packages(metadata) {
        let Some(from) = name_of(package) else {
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array);
        for dependency in dependencies.into_iter().flatten() {
            let Some(to) = name_of(dependency) else {
                continue;
            };
            let kind = match dependency.get("kind").and_then(Value::as_str) {
                Some("dev") => Kind::Test,
                Some(_) | None => Kind::Build,
            };
            edges.push(Edge { from: from.clone(), to, kind });
        }
    }
    edges
}

fn judge_member(name: &str) -> Option<Finding> {
    let known = LAYERS.iter().any(|(layer, _)| *layer == name);
    let advice =
        "is in no layer: write a decision record, then add it to xtask/src/tidy/layering.rs";
    (!known).then(|| Finding::new(&manifest_of(name), 1, RULE, format!("{name} {advice}")))
}

fn judge(edge: &Edge) -> Option<Finding> {
    let Edge { from, to, kind } = edge;
    let may_use_test_crates = *kind == Kind::Test || from == "sayso-testing";
    let advice = if TESTS_ONLY.contains(&to.as_str()) {
        (!may_use_test_crates).then(|| format!("{to} is for tests: move it to [dev-dependencies]"))
    } else if to == FUZZER.0 {
        (from != FUZZER.1).then(|| format!("{to} is for the programs of {} alone", FUZZER.1))
    } else if from == "sayso-core" && *kind == Kind::Build && NOT_IN_CORE.contains(&to.as_str()) {
        Some(format!("the core does without {to}: take what it would give as an argument"))
    } else {
        // A crate may ask itself for a feature in its own tests.
        let is_own_test = from == to && *kind == Kind::Test;
        (is_ours(to) && !is_own_test && !allowed(from, to)).then(|| {
            format!("{from} must not import {to}: imports point down only; move the code instead")
        })
    };
    advice.map(|advice| Finding::new(&manifest_of(from), 1, RULE, advice))
}

fn is_ours(name: &str) -> bool {
    LAYERS.iter().any(|(layer, _)| *layer == name)
}

fn allowed(from: &str, to: &str) -> bool {
    LAYERS.iter().any(|(layer, below)| *layer == from && below.contains(&to))
}

fn manifest_of(name: &str) -> String {
    let directory = match name {
        "xtask" => name.to_owned(),
        "sayso-fuzz" => "fuzz".to_owned(),
        _ => format!("crates/{name}"),
    };
    format!("{directory}/Cargo.toml")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edge(from: &str, to: &str, kind: Kind) -> Edge {
        Edge { from: from.to_owned(), to: to.to_owned(), kind }
    }

    #[test]
    fn imports_point_down_only() {
        assert_eq!(judge(&edge("sayso-store", "sayso-core", Kind::Build)), None);
        assert_eq!(judge(&edge("sayso", "sayso-server", Kind::Build)), None);
        assert!(judge(&edge("sayso-core", "sayso-store", Kind::Build)).is_some());
        assert!(judge(&edge("sayso-store", "sayso-server", Kind::Test)).is_some());
        assert!(judge(&edge("sayso-server", "sayso", Kind::Test)).is_some());
    }

    #[test]
    fn test_crates_are_dev_dependencies_only() {
        assert_eq!(judge(&edge("sayso-server", "sayso-testing", Kind::Test)), None);
        assert_eq!(judge(&edge("sayso-testing", "fantoccini", Kind::Build)), None);
        assert!(judge(&edge("sayso-server", "sayso-testing", Kind::Build)).is_some());
        assert!(judge(&edge("sayso", "fantoccini", Kind::Build)).is_some());
    }

    #[test]
    fn the_fuzzer_and_the_binary_are_for_the_fuzz_targets_alone() {
        assert_eq!(judge(&edge("sayso-fuzz", "libfuzzer-sys", Kind::Build)), None);
        assert_eq!(judge(&edge("sayso-fuzz", "sayso", Kind::Build)), None);
        assert!(judge(&edge("sayso-server", "libfuzzer-sys", Kind::Test)).is_some());
        assert!(judge(&edge("sayso-bench", "sayso", Kind::Build)).is_some());
    }

    #[test]
    fn the_core_takes_no_clock_randomness_or_wire_format() {
        assert!(judge(&edge("sayso-core", "serde", Kind::Build)).is_some());
        assert_eq!(judge(&edge("sayso-core", "serde", Kind::Test)), None);
        assert_eq!(judge(&edge("sayso-core", "jiff", Kind::Build)), None);
    }

    #[test]
    fn metadata_is_read_for_our_packages_only() {
        let metadata = json!({"packages": [
            {"name": "sayso-core", "source": null,
             "dependencies": [{"name": "sayso-store", "kind": null}, {"name": "proptest", "kind": "dev"}]},
            {"name": "sayso-extra", "source": null, "dependencies": []},
            {"name": "tokio", "source": "registry", "dependencies": [{"name": "sayso", "kind": null}]},
        ]});
        let findings = check(&metadata);
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines.iter().any(|line| line.starts_with("crates/sayso-extra/Cargo.toml:1: layering:"))
        );
        assert!(lines.iter().any(|line| line.contains("sayso-core must not import sayso-store")));
    }
}
