//! Rules for every text file: no path of one machine, no dead link, a changelog with room for news.

use std::path::Path;

use super::Finding;
use crate::workspace::{File, has_extension};

/// Where someone's own machine keeps things; written in two parts so that this line is not found.
const MACHINE_PATHS: [&str; 2] = [concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// Checks one file.
pub(super) fn check(path: &str, text: &str, root: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if MACHINE_PATHS.iter().any(|machine| begins_a_path(line, machine)) {
            let advice = "a path of one machine: make it relative to the repository";
            findings.push(Finding::new(path, index + 1, "machine-path", advice));
        }
    }
    if has_extension(path, "md") {
        findings.extend(dead_links(path, text, |target| root.join(target).exists()));
    }
    findings
}

/// Checks that the changelog is there and can take the next entry.
pub(super) fn check_presence(files: &[File]) -> Option<Finding> {
    let changelog = files.iter().find(|file| file.path == "CHANGELOG.md");
    let ready = changelog.is_some_and(|file| file.text.lines().any(|line| line == "## Unreleased"));
    let advice = "needs a section `## Unreleased` for what comes next";
    (!ready).then(|| Finding::new("CHANGELOG.md", 1, "changelog", advice))
}

/// Whether the line holds the path as an absolute one, and not as the middle of a longer path.
fn begins_a_path(line: &str, machine: &str) -> bool {
    line.match_indices(machine).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.}*/~".contains(c))
    })
}

/// Relative links of a Markdown file that lead nowhere.
fn dead_links(path: &str, text: &str, exists: impl Fn(&str) -> bool) -> Vec<Finding> {
    let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
    let mut findings = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let links = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|_| !fenced) {
            let target = link.split(['#', ' ']).next().unwrap_or_default();
            let elsewhere = target.is_empty() || target.contains(':') || target.starts_with('/');
            if !elsewhere && !exists(format!("{directory}/{target}").trim_start_matches('/')) {
                let advice = format!("`{target}` is not there: mend the link or take it out");
                findings.push(Finding::new(path, index + 1, "dead-link", advice));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_path_of_one_machine_is_found_and_a_longer_path_is_not() {
        let [first, second] = MACHINE_PATHS;
        let text = format!("see {first}a\nsrc{first}a\n`{second}b`\nframework/rooted/\n");
        let findings = check("notes.txt", &text, Path::new("."));
        let lines: Vec<_> = findings.iter().map(|finding| finding.line).collect();
        assert_eq!(lines, [1, 3]);
    }

    #[test]
    fn a_link_leads_somewhere() {
        let text =
            "[a](b.md) [c](../d.md#e) [f](https://sayso.example) [g](#h)\n```\n[i](j)\n```\n";
        let findings = dead_links("docs/x.md", text, |target| target == "docs/b.md");
        let advice: Vec<_> = findings.iter().map(|finding| finding.advice.as_str()).collect();
        assert_eq!(advice, ["`../d.md` is not there: mend the link or take it out"]);
    }

    #[test]
    fn the_changelog_has_room_for_news() {
        assert!(check_presence(&[]).is_some());
        assert!(check_presence(&[file("CHANGELOG.md", "# Changes\n")]).is_some());
        assert_eq!(check_presence(&[file("CHANGELOG.md", "# Changes\n\n## Unreleased\n")]), None);
    }
}
