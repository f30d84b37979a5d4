//! `cargo xtask tidy`: the house rules that no linter knows.
//!
//! Each rule is a pure function from files or metadata to findings; this module gathers the facts
//! and prints what was found, one line each, with what to do about it.

mod claims;
mod counting;
mod floors;
mod layering;
mod phrases;
mod rust;
mod sql;
mod text;
mod web;

use std::fmt;

use anyhow::Result;

use crate::source::Source;
use crate::{Outcome, workspace};

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    advice: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, advice: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, rule, advice: advice.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}: {}", self.path, self.line, self.rule, self.advice)
    }
}

/// Checks every rule on the whole workspace.
pub(crate) fn run() -> Result<Outcome> {
    let files = workspace::files()?;
    let mut findings = layering::check(&workspace::metadata()?);
    for file in &files {
        findings.extend(rust::check_name(&file.path));
        findings.extend(text::check(&file.path, &file.text, &workspace::root()));
        findings.extend(web::check(&file.path, &file.text)?);
        findings.extend(phrases::check(&file.path, &file.text));
        let has = |test: &str| {
            let function = format!("fn {test}(");
            files
                .iter()
                .any(|it| workspace::has_extension(&it.path, "rs") && it.text.contains(&function))
        };
        findings.extend(claims::check(&file.path, &file.text, has));
        findings.extend(sql::check_migration(&file.path, &file.text));
        if workspace::has_extension(&file.path, "rs") {
            let source = Source::read(&file.text);
            findings.extend(rust::check(&file.path, &file.text, &source));
            findings.extend(counting::check(&file.path, &source));
            findings.extend(sql::check(&file.path, &source));
        }
    }
    findings.extend(text::check_presence(&files));
    let texts: Vec<(&str, &str)> =
        files.iter().map(|it| (it.path.as_str(), it.text.as_str())).collect();
    findings.extend(floors::check(&texts));

    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, nothing found", files.len());
        return Ok(Outcome::Done);
    }
    println!("tidy: {} files, {} findings", files.len(), findings.len());
    Ok(Outcome::No)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_names_path_line_rule_and_remedy() {
        let finding = Finding::new("a/b.rs", 7, "no-ignore", "make it pass");
        assert_eq!(finding.to_string(), "a/b.rs:7: no-ignore: make it pass");
    }
}
