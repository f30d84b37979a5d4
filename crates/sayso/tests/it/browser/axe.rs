//! axe-core on a page as it is shown: the rules of WCAG 2.2 A and AA, and those of good practice.
//!
//! `cargo xtask test --only browser` installs it. It is brought into the page by the driver: the page's policy
//! lets no other script in, and none of it is part of the product.

use std::path::Path;
use std::sync::LazyLock;

use fantoccini::Client;
use serde_json::{Value, json};

use super::window;

static SOURCE: LazyLock<String> = LazyLock::new(|| {
    let axe = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let axe = axe.join("../axe/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&axe).unwrap_or_else(|error| {
        panic!("{}: {error}; `cargo xtask test --only browser` installs it", axe.display())
    })
});

/// Each breach, with where it is. What is in frames is judged in them.
const RUN: &str = "return window.axe.run(document, { iframes: false, resultTypes: ['violations'],\
    runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] },\
    rules: { 'target-size': { enabled: true } } })\
    .then((found) => found.violations.flatMap((breach) => breach.nodes.map((at) =>\
      breach.id + ': ' + at.failureSummary.replace(/\\s+/g, ' ') + ' ' + at.html)))";

/// What is wrong with the page, or the frame, that the browser is in.
pub(super) async fn breaches(browser: &Client) -> Vec<String> {
    if window::script(browser, "return !!window.axe").await == json!(false) {
        browser.execute(&SOURCE, vec![]).await.unwrap();
    }
    let found = browser.execute(RUN, vec![]).await.unwrap();
    let Value::Array(found) = found else { panic!("axe-core says {found}") };
    found.iter().map(|breach| breach.as_str().unwrap_or_default().to_owned()).collect()
}

/// The page, or the frame, that the browser is in has no breach.
pub(super) async fn finds_nothing(browser: &Client, name: &str) {
    let found = breaches(browser).await;
    assert!(found.is_empty(), "{name}:\n{}", found.join("\n"));
}

#[tokio::test]
async fn a_page_with_breaches_is_found_out() {
    let (mut driver, browser) = super::open_browser(&[], json!({})).await;
    let page = "data:text/html,<html lang=en><title>Bad</title><main><h1>Bad</h1><input>\
        <p style='color:%23999;background:%23fff'>pale</p></main>";
    browser.goto(page).await.unwrap();
    let found = breaches(&browser).await;
    for rule in ["label: ", "color-contrast: "] {
        assert!(found.iter().any(|breach| breach.starts_with(rule)), "{rule}{found:?}");
    }
    assert_eq!(found.len(), 2, "{found:?}");
    browser.close().await.unwrap();
    driver.kill().unwrap();
    driver.wait().unwrap();
}
