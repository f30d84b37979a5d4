//! Imports inside a crate point down only, and no files import each other in a circle.
//!
//! The table is that of ARCHITECTURE.md. A module may import from the floors below its own and from its own
//! floor, save that of the surfaces: what two of them need lies below both. A module and what lies within it
//! are one family, and may import each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::source::Source;

const FLOORS_RULE: &str = "floors";
const CYCLE_RULE: &str = "no-cycle";

/// What modules of one floor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Neighbors {
    /// They may import each other, where no circle comes of it.
    Speak,
    /// They may not.
    AreStrangers,
}

/// The floors of a crate, the lowest first.
struct House {
    name: &'static str,
    floors: &'static [(Neighbors, &'static [&'static str])],
}

const HOUSES: [House; 1] = [House {
    name: "sayso-server",
    floors: &[
        (Neighbors::Speak, &["problem", "body", "host", "outgoing", "thread"]),
        (
            Neighbors::Speak,
            &[
                "account",
                "answer_time",
                "paths",
                "keyring",
                "rate",
                "observe",
                "unread",
                "vocabularies",
                "personal_links",
            ],
        ),
        (Neighbors::Speak, &["app"]),
        (
            Neighbors::Speak,
            &["caller", "held", "looking", "rejecting", "reach", "unproven", "views", "way_out"],
        ),
        (Neighbors::Speak, &["double_opt_in", "heard"]),
        (Neighbors::AreStrangers, &["workers", "api", "people", "hooks", "local", "admin"]),
        (Neighbors::Speak, &["docs", "surfaces", "config", "serve"]),
    ],
}];

/// Crates whose files import each other in no circle.
const WITHOUT_CYCLES: [&str; 6] =
    ["sayso-server", "sayso-channels", "sayso-pages", "sayso", "sayso-core", "sayso-plan"];

/// The modules of one crate by their paths (`api/check`), with what each imports and on which line.
type Imports = BTreeMap<String, BTreeMap<String, usize>>;

/// Checks the files of the workspace, by their paths.
pub(super) fn check(files: &[(&str, &str)]) -> Vec<Finding> {
    let of = |name: &str| imports_of(name, files.iter().copied());
    let floors = HOUSES.iter().flat_map(|house| check_floors(house, &of(house.name)));
    let cycles = WITHOUT_CYCLES.iter().flat_map(|name| check_cycles(name, &of(name)));
    floors.chain(cycles).collect()
}

fn path_of(name: &str, module: &str) -> String {
    format!("crates/{name}/src/{module}.rs")
}

fn check_floors(house: &House, imports: &Imports) -> Vec<Finding> {
    let room = |module: &str| module.split('/').next().unwrap_or_default().to_owned();
    let floor = |room: &str| house.floors.iter().position(|(_, rooms)| rooms.contains(&room));
    let mut findings = Vec::new();
    for (module, imported) in imports {
        let from = room(module);
        if from == "lib" {
            continue;
        }
        let path = path_of(house.name, module);
        let Some(own) = floor(&from) else {
            let advice =
                format!("`{from}` is on no floor: add it to the table in xtask/src/tidy/floors.rs");
            findings.push(Finding::new(&path, 1, FLOORS_RULE, advice));
            continue;
        };
        for (other, line) in imported {
            let to = room(other);
            let Some(below) = floor(&to).filter(|_| to != from) else { continue };
            let strangers =
                house.floors.get(own).is_some_and(|(it, _)| *it == Neighbors::AreStrangers);
            let advice = if below > own {
                format!("`{from}` lies below `{to}`: move what it needs from `{other}` down")
            } else if below == own && strangers {
                format!(
                    "`{from}` and `{to}` are strangers: move what both need from `{other}` down"
                )
            } else {
                continue;
            };
            findings.push(Finding::new(&path, *line, FLOORS_RULE, advice));
        }
    }
    findings
}

fn check_cycles(name: &str, imports: &Imports) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for module in imports.keys() {
        let Some(circle) = circle_from(module, imports) else { continue };
        if circle.iter().any(|it| seen.contains(it.as_str())) {
            continue;
        }
        let advice = format!("files import each other in a circle: {}", circle.join(" > "));
        findings.push(Finding::new(&path_of(name, module), 1, CYCLE_RULE, advice));
        seen.extend(
            imports.keys().map(String::as_str).filter(|it| circle.iter().any(|at| at == it)),
        );
    }
    findings
}

/// The shortest way from a module back to itself that leaves families, with the module at both ends.
fn circle_from(module: &str, imports: &Imports) -> Option<Vec<String>> {
    let mut ways = vec![vec![module.to_owned()]];
    let mut visited = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            for next in imports.get(last).into_iter().flat_map(BTreeMap::keys) {
                if is_family(last, next) {
                    continue;
                }
                let mut way = way.clone();
                way.push(next.clone());
                if next == module {
                    return Some(way);
                }
                if visited.insert(next.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

/// Whether one of two modules lies within the other.
fn is_family(one: &str, other: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
    };
    within(one, other) || within(other, one)
}

/// What the files of a crate import from each other.
fn imports_of<'a>(name: &str, files: impl Iterator<Item = (&'a str, &'a str)>) -> Imports {
    let root = format!("crates/{name}/src/");
    let modules: BTreeMap<String, &str> = files
        .filter_map(|(path, text)| {
            Some((path.strip_prefix(&root)?.strip_suffix(".rs")?.to_owned(), text))
        })
        .collect();
    let names: BTreeSet<&str> = modules.keys().map(String::as_str).collect();
    let imports = |(module, text): (&String, &&str)| {
        let mut imported = BTreeMap::new();
        for (line, path) in paths(module, text) {
            let found = module_of(&path, &names);
            if let Some(found) = found.filter(|found| found != module) {
                imported.entry(found.to_owned()).or_insert(line);
            }
        }
        (module.clone(), imported)
    };
    modules.iter().map(imports).collect()
}

/// The module that a path of names leads into: the longest part of it that is one.
fn module_of<'n>(path: &[String], names: &BTreeSet<&'n str>) -> Option<&'n str> {
    (1..=path.len()).rev().find_map(|parts| {
        let name = path.get(..parts)?.join("/");
        names.get(name.as_str()).copied()
    })
}

/// Every path from the root of the crate that the code of a module names, with its line. Its tests are left out.
fn paths(module: &str, text: &str) -> Vec<(usize, Vec<String>)> {
    let code = Source::read(text).code;
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let here: Vec<String> = module.split('/').map(str::to_owned).collect();
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code.get(..at).unwrap_or_default();
            let is_inside =
                before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '$');
            if is_inside {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            let mut base = match start {
                "crate::" => Vec::new(),
                _ => here.clone(),
            };
            let mut rest = code.get(at..).unwrap_or_default();
            rest = rest.strip_prefix("crate::").or(rest.strip_prefix("self::")).unwrap_or(rest);
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
            let mut leaves = Vec::new();
            branches(rest, &base, &mut leaves);
            found.extend(leaves.into_iter().map(|leaf| (line, leaf)));
        }
    }
    found
}

/// Adds the paths that a tree of names has after `base`; gives what stands behind the tree.
fn branches<'t>(text: &'t str, base: &[String], leaves: &mut Vec<Vec<String>>) -> &'t str {
    let mut path = base.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                rest = branches(rest, &path, leaves).trim_start();
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
            }
            return rest.strip_prefix('}').unwrap_or(rest);
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            leaves.push(path);
            // Whatever else stands here is no path: go on behind it.
            return after.get(after.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
        }
        if name != "self" {
            path.push(name.to_owned());
        }
        let Some(deeper) = after.strip_prefix("::") else {
            leaves.push(path);
            return after.strip_prefix(" as ").map_or(after, |renamed| {
                renamed.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_')
            });
        };
        rest = deeper;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: House = House {
        name: "a",
        floors: &[
            (Neighbors::Speak, &["low"]),
            (Neighbors::AreStrangers, &["one", "two"]),
            (Neighbors::Speak, &["high"]),
        ],
    };

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(module, text)| (format!("crates/a/src/{module}.rs"), *text));
        let files: Vec<(String, &str)> = files.collect();
        let imports = imports_of("a", files.iter().map(|(path, text)| (path.as_str(), *text)));
        let both = check_floors(&HOUSE, &imports).into_iter().chain(check_cycles("a", &imports));
        both.map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn an_import_upwards_or_between_strangers_is_found_with_its_line() {
        let upwards = found(&[("low", "//! Low.\nuse crate::high::Thing;\n"), ("high", "")]);
        assert_eq!(upwards.len(), 1, "{upwards:?}");
        assert!(upwards[0].starts_with("crates/a/src/low.rs:2: floors: `low` lies below `high`"));
        let strangers =
            found(&[("one", ""), ("one/in", "fn f() { crate::two::x() }"), ("two", "")]);
        assert_eq!(strangers.len(), 1, "{strangers:?}");
        assert!(strangers[0].contains("strangers"));
        assert_eq!(
            found(&[("high", "use crate::{low, one::x};"), ("low", ""), ("one", "")]),
            [""; 0]
        );
        assert_eq!(found(&[("nowhere", "")]).len(), 1);
    }

    #[test]
    fn a_circle_of_files_is_found_and_a_family_is_none() {
        let circle = [
            ("low", "mod a;"),
            ("low/a", "use super::{b::{self, x}, low};"),
            ("low/b", "use crate::low::c;"),
            ("low/c", "// none\nuse crate::low::a::y as z;"),
        ];
        let circle = found(&circle);
        assert_eq!(circle.len(), 1, "{circle:?}");
        assert!(circle[0].ends_with("low/a > low/b > low/c > low/a"), "{circle:?}");
        assert_eq!(found(&[("low", "use self::a::x;"), ("low/a", "use super::y;")]), [""; 0]);
        let tests = "fn f() {}\n#[cfg(test)]\nmod tests { use crate::high::x; }";
        assert_eq!(found(&[("low", tests), ("high", "use crate::low::f;")]), [""; 0]);
    }
}
