//! What `SECURITY.md` claims is tested: each test that its threat model names is there.

use super::Finding;

const PAGE: &str = "SECURITY.md";
const HEADING: &str = "## Threat model";
const RULE: &str = "claim-has-a-test";

/// The tests that a page names: the code in the last cell of each row under the heading, with its line.
fn named(page: &str) -> Vec<(usize, &str)> {
    let mut is_within = false;
    let mut tests = Vec::new();
    for (index, line) in page.lines().enumerate() {
        if line.starts_with("## ") {
            is_within = line == HEADING;
        }
        let is_row = is_within
            && line.starts_with("| ")
            && line != "| They could try to | What holds it | Test |";
        if is_row {
            let last = line.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
            tests.push((index + 1, last.trim().trim_matches('`')));
        }
    }
    tests
}

/// Finds claims whose test is missing; `has` says whether some Rust file has a function of that name.
pub(super) fn check(path: &str, text: &str, has: impl Fn(&str) -> bool) -> Vec<Finding> {
    if path != PAGE {
        return Vec::new();
    }
    let tests = named(text);
    let none = tests.is_empty().then(|| {
        Finding::new(path, 1, RULE, format!("there are no claims under {HEADING:?}: add them"))
    });
    let missing = tests.into_iter().filter(|(_, test)| !has(test)).map(|(line, test)| {
        Finding::new(
            path,
            line,
            RULE,
            format!("there is no test `{test}`: name the test that holds the claim"),
        )
    });
    none.into_iter().chain(missing).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "# Security\n| a | b | `not_here` |\n## Threat model\n\n| They could try to | What holds it | Test |\n|---|---|---|\n| a | b | `there` |\n| a | b | `gone` |\n## Files\n| a | b |\n";

    #[test]
    fn a_claim_whose_test_is_gone_is_found() {
        let found = check(PAGE, TABLE, |test| test == "there");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].rule), (8, RULE));
    }

    #[test]
    fn a_page_without_claims_is_found_and_other_pages_make_none() {
        assert_eq!(check(PAGE, "# Security\n", |_| true).len(), 1);
        assert!(check("docs/x.md", TABLE, |_| false).is_empty());
    }
}
