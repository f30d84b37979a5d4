//! No counter stands behind a look-up (rule 23).
//!
//! In what strangers reach, a limit that counts only what was found tells by its 429 what is known of whom. So
//! within a function, whatever counts a network or an address comes before the store is asked about anybody.
//! What a workspace records is counted later: that limit is everybody's, and tells of nobody.

use super::Finding;
use crate::source::Source;

const RULE: &str = "count-first";

/// Where strangers are answered.
const SURFACE: &str = "crates/sayso-server/src/people";

/// What counts a network or an address.
const COUNTERS: [&str; 7] = [
    "take_network(",
    "take_address(",
    "take_form_address(",
    "take_unproven(",
    "take_visitor(",
    "take_erasure(",
    "take_refusal_past_limit(",
];

/// What asks the store about somebody.
const LOOK_UPS: [&str; 6] = [
    ".find_address(",
    ".find_profile(",
    ".registers(",
    ".double_opt_in(",
    "Visitor::find(",
    "Answerer::find(",
];

/// Checks one Rust file.
pub(super) fn check(path: &str, source: &Source) -> Vec<Finding> {
    if !path.starts_with(SURFACE) {
        return Vec::new();
    }
    let mut looked_up = None;
    let mut findings = Vec::new();
    for (line, code) in source.lines() {
        if begins_function(code) {
            looked_up = None;
        }
        let counter = COUNTERS.iter().find(|counter| code.contains(*counter));
        if let (Some(counter), Some(look_up)) = (counter, looked_up) {
            let counter = counter.trim_end_matches('(');
            let advice =
                format!("`{counter}` comes after the look-up in line {look_up}: count first");
            findings.push(Finding::new(path, line, RULE, advice));
        }
        if LOOK_UPS.iter().any(|look_up| code.contains(look_up)) {
            looked_up.get_or_insert(line);
        }
    }
    findings
}

fn begins_function(code: &str) -> bool {
    code.split_whitespace().any(|word| word == "fn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<usize> {
        let path = "crates/sayso-server/src/people/page.rs";
        check(path, &Source::read(text)).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_counter_behind_a_look_up_is_found() {
        let behind = "async fn show() {\n    let who = Visitor::find(&app).await?;\n    app.rates().take_network(ip)?;\n}";
        assert_eq!(found(behind), [3]);
    }

    #[test]
    fn one_before_it_or_in_another_function_is_in_order() {
        let before = "fn a() {\n    app.rates().take_network(ip)?;\n    store.find_address(key);\n}\npub(super) async fn b() {\n    rates.take_address(key)?;\n}";
        assert_eq!(found(before), [0; 0]);
        let workspace =
            "fn a() {\n    self.registers(app);\n    app.rates().take_events(workspace, 1)?;\n}";
        assert_eq!(found(workspace), [0; 0]);
    }

    #[test]
    fn only_what_strangers_reach_is_looked_at() {
        let text = "fn a() {\n    store.find_address(key);\n    take_network(ip);\n}";
        assert!(check("crates/sayso-server/src/api/check.rs", &Source::read(text)).is_empty());
    }
}
