//! Every statement on a table that workspaces share names its workspace.
//!
//! A simple scan over the string literals of `sayso-store`, on purpose: a statement is a literal with
//! a SQL verb, and it must hold the word `workspace`. One that is meant for all workspaces says so in
//! the statement, where its reader looks: `/* every workspace: why */`. Tables are the ones listed
//! here; a `CREATE TABLE` of a table that is in neither list is a finding of its own.

use super::Finding;
use crate::source::{Source, has_word};
use crate::workspace::has_extension;

/// Tables whose rows belong to a workspace.
const WORKSPACE_TABLES: &[&str] = &[
    "event",
    "configuration",
    "address",
    "history",
    "keyed_event",
    "profile",
    "undone_import",
    "reject",
    "reject_about",
    "erasure",
    "look_up",
    "message",
    "tally",
    "early_report",
    "reference",
    "double_opt_in",
];

/// Tables of the server itself: the workspaces, what a file is, and how far the views have come.
const SERVER_TABLES: &[&str] = &["workspace", "store", "watermark", "cursor"];

const STORE: &str = "crates/sayso-store/";

/// Checks the SQL in one Rust file.
pub(super) fn check(path: &str, source: &Source) -> Vec<Finding> {
    if !path.starts_with(STORE) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for literal in &source.literals {
        findings.extend(unknown_tables(path, literal.line, &literal.text));
        if let Some(table) = unscoped_table(&literal.text, WORKSPACE_TABLES) {
            let advice = format!(
                "name the workspace of `{table}`, or say `/* every workspace: why */` in the statement"
            );
            findings.push(Finding::new(path, literal.line, "sql-workspace", advice));
        }
    }
    findings
}

/// Checks the tables that one migration creates.
pub(super) fn check_migration(path: &str, text: &str) -> Vec<Finding> {
    if !(path.starts_with(STORE) && has_extension(path, "sql")) {
        return Vec::new();
    }
    let lines = text.lines().enumerate();
    lines.flat_map(|(index, line)| unknown_tables(path, index + 1, line)).collect()
}

/// The first of the tables that the statement touches without naming a workspace.
fn unscoped_table<'a>(statement: &str, tables: &[&'a str]) -> Option<&'a str> {
    let words: Vec<String> = words_of(statement).collect();
    let is = |word: &str, any: &[&str]| any.contains(&word);
    let verb =
        words.iter().any(|word| is(word, &["select", "insert", "update", "delete", "replace"]));
    if !verb || words.iter().any(|word| word.starts_with("workspace")) {
        return None;
    }
    let named = words.iter().zip(words.iter().skip(1)).filter_map(|(before, table)| {
        is(before, &["from", "into", "update", "join"]).then_some(table.as_str())
    });
    named.into_iter().find_map(|name| tables.iter().find(|table| **table == name)).copied()
}

fn unknown_tables(path: &str, line: usize, text: &str) -> Vec<Finding> {
    let created = created_tables(text).into_iter();
    let unknown = created.filter(|table| {
        !WORKSPACE_TABLES.contains(&table.as_str()) && !SERVER_TABLES.contains(&table.as_str())
    });
    let advice =
        "belongs to workspaces or to the server? add it to its list in xtask/src/tidy/sql.rs";
    unknown
        .map(|table| Finding::new(path, line, "sql-table", format!("`{table}` {advice}")))
        .collect()
}

/// The tables that the text creates, temporary ones left out.
fn created_tables(text: &str) -> Vec<String> {
    if !has_word(&text.to_lowercase(), "table") {
        return Vec::new();
    }
    let words: Vec<String> =
        words_of(text).filter(|word| !["if", "not", "exists"].contains(&word.as_str())).collect();
    let mut created = Vec::new();
    for window in words.windows(3) {
        if let [create, table, name] = window
            && create == "create"
            && table == "table"
        {
            created.push(name.clone());
        }
    }
    created
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: [&str; 2] = ["profile", "register"];

    #[test]
    fn a_statement_on_a_shared_table_names_its_workspace() {
        let unscoped = |statement| unscoped_table(statement, &TABLES);
        assert_eq!(unscoped("SELECT id FROM profile WHERE id = ?1"), Some("profile"));
        assert_eq!(unscoped("delete from register where key = ?"), Some("register"));
        assert_eq!(unscoped("UPDATE profile SET a = 1"), Some("profile"));
        assert_eq!(unscoped("SELECT id FROM profile WHERE workspace = ?1"), None);
        assert_eq!(unscoped("SELECT key FROM register /* every workspace: flush */"), None);
        assert_eq!(unscoped("SELECT value FROM setting"), None);
        assert_eq!(unscoped("a word from profile that is no SQL"), None);
    }

    #[test]
    fn created_tables_are_named_and_temporary_ones_left_out() {
        let text = "CREATE TABLE IF NOT EXISTS profile (id); create table register(key);";
        assert_eq!(created_tables(text), ["profile", "register"]);
        assert!(created_tables("CREATE TEMP TABLE chunk (id)").is_empty());
    }

    #[test]
    fn only_the_store_is_looked_at() {
        let source = Source::read("\"CREATE TABLE absent (id)\"");
        assert_eq!(check("crates/sayso-store/src/a.rs", &source).len(), 1);
        assert!(check("crates/sayso/src/a.rs", &source).is_empty());
        assert_eq!(check_migration("crates/sayso-store/a.sql", "CREATE TABLE absent (").len(), 1);
    }
}
