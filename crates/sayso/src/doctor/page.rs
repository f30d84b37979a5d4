//! `sayso doctor page`: is this page's integration right?
//!
//! Reads the source of a page as the vendor checklists do: the tag, what a content security policy
//! makes of it, the user object or queue, the keys and the values that stand in the page as literals.
//! Pure: a text in, findings out, the same on every run. It runs no script and loads nothing, so what
//! scripts make at run time, other files and HTTP headers are outside its sight; where that matters a
//! finding says so and names the way to look.

mod literal;
mod location;
mod markup;
mod policy;
mod said;
mod token;
mod user;

use literal::{Entry, Value, is_template};
use location::Location;
use markup::{Kind, Page, Script};
use said::{Said, Way};

/// One thing found on a page, in words for the web developer who owns it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// How much it matters.
    pub(crate) severity: Severity,
    /// A stable name, kebab-case; never reused for another meaning.
    pub(crate) code: &'static str,
    /// What was found, and on which line of the page where there is one.
    pub(crate) message: String,
    /// What to do about it; empty where nothing is to be done.
    pub(crate) fix: String,
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    /// Consents are lost or wrong until it is mended.
    Error,
    /// Worth a look: it may be meant, or could not be read here.
    Warning,
    /// A point of the checklist that holds.
    Good,
}

impl Finding {
    fn error(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), fix: fix.into() }
    }

    fn warning(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, code, message: message.into(), fix: fix.into() }
    }

    fn good(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Good, code, message: message.into(), fix: String::new() }
    }
}

const TAG: &str =
    r#"<script async src="https://consent.example/tag.js" data-site="site_…"></script>"#;
const OBJECT: &str = r#"window.insider_object = { user: { uuid: "u-1001", phone_number: "+14155550123", gdpr_optin: true, sms_optin: true } };"#;

/// Examines the source of a page.
///
/// Findings come in the order of the checklist: tag, policy, object, keys. Any text is accepted; one
/// that is no page is a page without a tag.
pub(crate) fn examine(html: &str) -> Vec<Finding> {
    let page = markup::read(html);
    let mut findings = examine_tags(&page);
    findings.extend(examine_policies(&page));
    findings.extend(examine_user(&page));
    findings
}

/// The Sayso tags of a page, with the place of each among its scripts. Other vendors call their file
/// `tag.js` too, so without `data-site` only the root of a host counts.
fn tags(page: &Page) -> Vec<(usize, &Script, Location<'_>)> {
    let scripts = page.scripts.iter().enumerate();
    scripts
        .filter_map(|(index, script)| {
            let location = Location::parse(script.source.as_deref()?);
            let has_site = script.attribute("data-site").is_some();
            let is_tag =
                location.path == "/tag.js" || (has_site && location.path.ends_with("/tag.js"));
            is_tag.then_some((index, script, location))
        })
        .collect()
}

fn examine_tags(page: &Page) -> Vec<Finding> {
    let tags = tags(page);
    let Some((_, first, _)) = tags.first() else {
        return vec![missing_tag(page)];
    };
    let mut findings = vec![Finding::good(
        "tag-found",
        format!("Line {}: the Sayso tag is on the page.", first.line),
    )];
    for (_, script, location) in &tags {
        findings.push(examine_site(script));
        findings.extend(examine_address(script, location));
        findings.extend(examine_loading(script));
    }
    if let Some((_, second, _)) = tags.get(1) {
        findings.push(Finding::error(
            "tag-repeated",
            format!("Line {}: the tag is on the page {} times.", second.line, tags.len()),
            "Keep one; look for it in the theme and in the tag manager.",
        ));
    }
    findings
}

fn missing_tag(page: &Page) -> Finding {
    let injects = |script: &&Script| {
        script.text.contains("/tag.js")
            && (script.text.contains("data-site") || script.text.contains("dataset.site"))
    };
    match page.scripts.iter().find(injects) {
        Some(script) => Finding::warning(
            "tag-injected",
            format!(
                "Line {}: a script seems to add the Sayso tag, so its attributes cannot be checked here.",
                script.line
            ),
            format!("Better put it in the page: {TAG}"),
        ),
        None => Finding::error(
            "tag-missing",
            "There is no Sayso tag on the page. (One that a tag manager adds cannot be seen here.)",
            format!("Add it to the head: {TAG}"),
        ),
    }
}

fn examine_site(script: &Script) -> Finding {
    let line = script.line;
    match script.attribute("data-site").map(str::trim) {
        None | Some("") => Finding::error(
            "tag-site-missing",
            format!("Line {line}: the tag has no `data-site`, so it does nothing."),
            format!("Add the site key from your workspace: {TAG}"),
        ),
        Some(site) if is_template(site) => Finding::warning(
            "tag-site-template",
            format!(
                "Line {line}: `data-site` is {site:?}, a placeholder that should have been filled in by now."
            ),
            "Examine the page as the browser gets it, and see that the key is there.",
        ),
        Some(site) if !site.starts_with("site_") || site.contains(['…', '<', ' ']) => {
            Finding::error(
                "tag-site-malformed",
                format!("Line {line}: `data-site` is {site:?}, which is no site key."),
                "Copy the whole key from your workspace; it begins with `site_`.",
            )
        }
        Some(_) => Finding::good("tag-site", format!("Line {line}: `data-site` is set.")),
    }
}

fn examine_address(script: &Script, location: &Location<'_>) -> Option<Finding> {
    let line = script.line;
    let source = script.source.as_deref().unwrap_or_default();
    if is_template(source) {
        return None;
    }
    let https = location.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
    if https || location.is_loopback() {
        return Some(Finding::good(
            "tag-secure",
            format!("Line {line}: the tag is loaded safely."),
        ));
    }
    Some(match (location.scheme, location.host) {
        (Some(_), _) => Finding::error(
            "tag-insecure",
            format!(
                "Line {line}: the tag is loaded from {source:?}: anyone on the way can change it, and an https page will not load it."
            ),
            "Load it over https.",
        ),
        (None, Some(host)) => Finding::warning(
            "tag-scheme-relative",
            format!("Line {line}: the tag is loaded over http wherever the page is."),
            format!("Write https out: \"https://{host}{}\".", location.path),
        ),
        (None, None) => Finding::warning(
            "tag-same-host",
            format!(
                "Line {line}: the tag is loaded from the page's own host, and will send its answers there."
            ),
            "Right if Sayso answers on this host; otherwise write the address of your Sayso server in full, and do not host a copy.",
        ),
    })
}

fn examine_loading(script: &Script) -> Vec<Finding> {
    let line = script.line;
    let mut findings = Vec::new();
    if script.attribute("async").is_none() && script.attribute("defer").is_none() {
        findings.push(Finding::warning(
            "tag-not-async",
            format!("Line {line}: the page waits for the tag."),
            "Add `async`: the tag needs no particular order.",
        ));
    }
    if script.attribute("data-debug").is_some() {
        findings.push(Finding::warning(
            "tag-debug",
            format!("Line {line}: `data-debug` is on; visitors' consoles show what the tag does."),
            "Take it out when the integration works.",
        ));
    }
    findings
}

fn examine_policies(page: &Page) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, script, location) in tags(page) {
        if is_template(script.source.as_deref().unwrap_or_default()) {
            continue;
        }
        let origin = location.origin();
        let mut policies = policies_over(page, index);
        if !policies.all(|policy| policy::allows_script(policy, script, &location)) {
            findings.push(Finding::error(
                "csp-blocks-tag",
                format!(
                    "Line {}: the page's Content-Security-Policy does not let the tag load.",
                    script.line
                ),
                format!("Add {origin} to `script-src`."),
            ));
        }
        let capture = location.with_path("/capture/tag");
        let mut policies = policies_over(page, index);
        if !policies.all(|policy| policy::allows_connection(policy, &capture)) {
            findings.push(Finding::error(
                "csp-blocks-capture",
                format!("Line {}: the page's Content-Security-Policy does not let the tag send what it reads.", script.line),
                format!("Add {origin} to `connect-src`."),
            ));
        }
        if findings.is_empty() {
            findings.push(Finding {
                severity: Severity::Good,
                code: "csp-clear",
                message: "No Content-Security-Policy in the page stops the tag.".to_owned(),
                fix: format!("If your server sends one as a header, it must name {origin} in `script-src` and `connect-src`."),
            });
        }
        break;
    }
    findings
}

/// The policies that bind the script at this place.
fn policies_over(page: &Page, index: usize) -> impl Iterator<Item = &str> {
    let policies = page.policies.iter();
    policies.filter(move |policy| policy.scripts_before <= index).map(|policy| policy.text.as_str())
}

fn examine_user(page: &Page) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut found = false;
    let mut vendor = None;
    for (index, script) in page.scripts.iter().enumerate() {
        if vendor.is_none() && script.source.as_deref().is_some_and(is_vendor) {
            vendor = Some(script);
        }
        if script.kind == Kind::Inert || script.source.is_some() {
            continue;
        }
        let said = said::find(&script.text, script.text_line, script.kind);
        if said.is_empty() {
            continue;
        }
        found = true;
        if !policies_over(page, index).all(|policy| policy::allows_inline(policy, script)) {
            findings.push(Finding::error(
                "csp-blocks-object",
                format!("Line {}: the page's Content-Security-Policy does not let this script run, so the user is never set.", script.line),
                "Move the script to a file of your own, or give it a nonce that the policy names.",
            ));
        }
        for said in &said {
            findings.extend(examine_said(said));
            findings.extend(vendor.and_then(|vendor| examine_order(vendor, said)));
        }
    }
    if !found {
        findings.push(missing_user(page));
    } else if findings.iter().all(|finding| finding.severity != Severity::Error) {
        findings.insert(
            0,
            Finding::good(
                "user-found",
                "The page says who its user is, and what can be read of it is right.",
            ),
        );
    }
    findings
}

fn missing_user(page: &Page) -> Finding {
    let is_other_file = |script: &Script| {
        let source = script.source.as_deref();
        source.is_some_and(|source| {
            !is_vendor(source) && !Location::parse(source).path.ends_with("/tag.js")
        })
    };
    if page.scripts.iter().any(is_other_file) {
        return Finding::warning(
            "user-not-in-page",
            "No script in the page itself sets `insider_object.user` or pushes a user; one of its files may, which are not read here.",
            "Add `data-debug` to the tag, open the page logged in, and read what the console says.",
        );
    }
    Finding::error(
        "user-missing",
        "Nothing on the page says who its user is: no `insider_object.user`, no `InsiderQueue.push({ type: \"user\", … })`, no `sayso.push({ user: … })`.",
        format!("Set it where you know the user: {OBJECT}"),
    )
}

fn examine_said(said: &Said) -> Vec<Finding> {
    let line = said.line;
    match &said.way {
        Way::Local => {
            let mut findings = vec![Finding::error(
                "object-not-global",
                format!(
                    "Line {line}: `insider_object` is declared with `const` or `let` (or `var` in a module), so it is not `window.insider_object` and no tag sees it."
                ),
                format!("Write {OBJECT}"),
            )];
            findings.extend(examine_value(&said.user, line));
            findings
        }
        Way::Bare => vec![Finding::error(
            "user-not-nested",
            format!(
                "Line {line}: the user's keys stand directly in `insider_object`, where no tag looks."
            ),
            format!("Put them under `user`: {OBJECT}"),
        )],
        Way::Key(key) => {
            user::check_entry(&Entry { key: key.clone(), value: said.user.clone(), line })
        }
        Way::Object | Way::Push => examine_value(&said.user, line),
    }
}

fn examine_value(user: &Value, line: usize) -> Vec<Finding> {
    match user {
        Value::Record(record)
            if record.entries.is_empty() && record.rest == literal::Rest::None =>
        {
            Vec::new()
        }
        Value::Record(record) => user::check(record, line),
        Value::Absent => Vec::new(),
        Value::Dynamic => vec![Finding::warning(
            "user-dynamic",
            format!(
                "Line {line}: the user is filled in when the page runs, so its keys are not checked here."
            ),
            "Add `data-debug` to the tag, open the page logged in, and read what the console says.",
        )],
        Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::List(_) => {
            vec![Finding::error(
                "user-not-object",
                format!("Line {line}: the user is not an object."),
                format!("Write {OBJECT}"),
            )]
        }
    }
}

/// The vendor's tag reads the object once: it has to be there first. Queues and our tag do not care.
fn examine_order(vendor: &Script, said: &Said) -> Option<Finding> {
    (said.way == Way::Object).then(|| {
        Finding::error(
            "object-after-vendor",
            format!(
                "Line {}: the object is set after the Insider tag of line {}, which reads it only once. (Sayso's tag does not mind.)",
                said.line, vendor.line
            ),
            "Move the script with the object above the Insider tag.",
        )
    })
}

fn is_vendor(source: &str) -> bool {
    let location = Location::parse(source);
    let host = location.host.unwrap_or_default().to_ascii_lowercase();
    host == "useinsider.com" || host.ends_with(".useinsider.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_TAG: &str =
        r#"<script async src="https://consent.example/tag.js" data-site="site_k3y"></script>"#;
    const GOOD_USER: &str =
        r#"uuid: "u-1", phone_number: "+14155550123", gdpr_optin: true, sms_optin: true"#;

    fn page(script: &str) -> String {
        format!("<!doctype html>\n<head>\n<script>\n{script}\n</script>\n{GOOD_TAG}\n</head>")
    }

    /// Codes of what is not good.
    fn faults(html: &str) -> Vec<&'static str> {
        let found = examine(html).into_iter();
        found
            .filter(|finding| finding.severity != Severity::Good)
            .map(|finding| finding.code)
            .collect()
    }

    fn faults_of_user(keys: &str) -> Vec<&'static str> {
        faults(&page(&format!("window.insider_object = {{ user: {{ {keys} }} }};")))
    }

    fn find(html: &str, code: &str) -> Finding {
        let findings = examine(html);
        let found = findings.iter().find(|finding| finding.code == code).cloned();
        found.unwrap_or_else(|| panic!("no {code} in {findings:#?}"))
    }

    #[test]
    fn a_right_page_has_only_good_findings() {
        let html = page(&format!("window.insider_object = {{ user: {{ {GOOD_USER} }} }};"));
        let codes: Vec<_> =
            examine(&html).iter().map(|finding| (finding.severity, finding.code)).collect();
        let good = ["tag-found", "tag-site", "tag-secure", "csp-clear", "user-found"];
        assert_eq!(codes, good.map(|code| (Severity::Good, code)));
    }

    #[test]
    fn every_way_to_name_the_user_is_found() {
        for script in [
            "insider_object = { USER };",
            "var insider_object = { USER }",
            "window['insider_object'] = { USER };",
            "window.insider_object = window.insider_object || { USER };",
            "window.insider_object = insider_object = { USER };",
            "self.insider_object = { 'page': { 'type': 'Home' }, USER, }; // a comment",
            "/* { */ var a = /[/\"{]/; insider_object = { USER };",
            "insider_object = {}; insider_object.user = { KEYS };",
            "window.InsiderQueue = window.InsiderQueue || []; InsiderQueue.push({ type: 'user', value: { KEYS } }); InsiderQueue.push({type: 'init'});",
            "(window.InsiderQueue = window.InsiderQueue || []).push({ type: `user`, value: { KEYS } })",
            "InsiderQueue = [{ type: 'user', value: { KEYS } }, { type: 'init' }];",
            "window.sayso = window.sayso || []; sayso.push({ debug: false }, { USER });",
        ] {
            let script = script.replace("USER", "\"user\": { KEYS }");
            assert_eq!(
                faults(&page(&script.replace("KEYS", GOOD_USER))),
                Vec::<&str>::new(),
                "{script}"
            );
            let bad = format!("{GOOD_USER}, phon_number: 1");
            assert_eq!(faults(&page(&script.replace("KEYS", &bad))), ["key-unknown"], "{script}");
        }
    }

    #[test]
    fn a_page_without_a_tag_or_user_says_so() {
        assert_eq!(faults(""), ["tag-missing", "user-missing"]);
        assert_eq!(
            faults("<script src=https://mc.example/metrika/tag.js></script>").first(),
            Some(&"tag-missing")
        );
        assert_eq!(
            faults("<!-- <script src='https://a.example/tag.js' data-site=site_x></script> -->")
                .first(),
            Some(&"tag-missing")
        );
        let injected = "<script>s.src = 'https://c.example/tag.js'; s.setAttribute('data-site', 'site_x')</script>";
        assert_eq!(faults(injected), ["tag-injected", "user-missing"]);
        assert_eq!(
            faults(&format!("{GOOD_TAG}<script src=/app.js></script>")),
            ["user-not-in-page"]
        );
        assert_eq!(
            faults(&format!(
                "{GOOD_TAG}<script type=text/template>insider_object = {{ user: 1 }}</script>"
            )),
            ["user-missing"]
        );
    }

    #[test]
    fn the_tag_is_checked() {
        let with = |tag: &str| {
            faults(
                &page(&format!("insider_object={{user:{{{GOOD_USER}}}}}")).replace(GOOD_TAG, tag),
            )
        };
        assert_eq!(
            with("<script async src='https://c.example/tag.js'></script>"),
            ["tag-site-missing"]
        );
        assert_eq!(
            with("<script async src='https://c.example/tag.js' data-site></script>"),
            ["tag-site-missing"]
        );
        assert_eq!(
            with("<script async src='https://c.example/tag.js' data-site='YOUR KEY'></script>"),
            ["tag-site-malformed"]
        );
        assert_eq!(
            with("<script async src='https://c.example/tag.js' data-site='{{ key }}'></script>"),
            ["tag-site-template"]
        );
        assert_eq!(
            with("<script async src='http://c.example/tag.js' data-site=site_x></script>"),
            ["tag-insecure"]
        );
        assert_eq!(
            with("<script async src='http://127.0.0.1:8080/tag.js' data-site=site_x></script>"),
            Vec::<&str>::new()
        );
        assert_eq!(
            with("<SCRIPT ASYNC SRC=\"http://localhost:1/tag.js?v=2\" DATA-SITE=site_x></SCRIPT>"),
            Vec::<&str>::new()
        );
        assert_eq!(
            with("<script async src='//c.example/tag.js' data-site=site_x></script>"),
            ["tag-scheme-relative"]
        );
        assert_eq!(
            with("<script async src='/js/tag.js' data-site=site_x></script>"),
            ["tag-same-host"]
        );
        assert_eq!(
            with("<script src='https://c.example/tag.js' data-site=site_x data-debug></script>"),
            ["tag-not-async", "tag-debug"]
        );
        assert_eq!(with(&GOOD_TAG.repeat(2)), ["tag-repeated"]);
    }

    #[test]
    fn misspelt_keys_are_named_with_the_nearest_known_one() {
        for (wrong, right) in [
            ("phone", "phone_number"),
            ("phoneNumber", "phone_number"),
            ("'phone-number'", "phone_number"),
            ("sms_opt_in", "sms_optin"),
            ("smsOptIn", "sms_optin"),
            ("whatsap_optin", "whatsapp_optin"),
            ("gdpr_option", "gdpr_optin"),
            ("gdpr", "gdpr_optin"),
            ("e_mail", "email"),
            ("user_id", "uuid"),
            ("lastName", "surname"),
        ] {
            let html = page(&format!("insider_object = {{ user: {{ {GOOD_USER}, {wrong}: x }} }}"));
            assert_eq!(
                find(&html, "key-unknown").fix,
                format!("Did you mean `{right}`? Rename it."),
                "{wrong}"
            );
        }
        assert_eq!(faults_of_user(&format!("{GOOD_USER}, shoe_size: 41")), ["custom-key-at-root"]);
        assert_eq!(
            faults_of_user(&format!("{GOOD_USER}, custom: {{ shoe_size: 41 }}")),
            Vec::<&str>::new()
        );
        assert_eq!(
            faults_of_user(&format!("{GOOD_USER}, custom: {{ email_optin: true }}")),
            ["key-in-custom"]
        );
        assert_eq!(
            faults_of_user(&format!("{GOOD_USER}, custom: 'shoe_size'")),
            ["custom-not-object"]
        );
        assert_eq!(
            faults_of_user(&format!("{GOOD_USER}, birthday: '1990-01-01', age: 36, list_id: [1]")),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn wrong_types_and_values_are_named_with_their_line_and_a_good_value() {
        let html = page(
            "insider_object = { user: {\n uuid: 1005,\n phone_number: '12345',\n email: 'nope',\n gdpr_optin: 'true',\n sms_optin: 1 } }",
        );
        let faults: Vec<_> = examine(&html)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .collect();
        let told: Vec<_> =
            faults.iter().map(|finding| format!("{} {}", finding.message, finding.fix)).collect();
        assert_eq!(
            told,
            [
                "Line 5: `uuid` must be a string, but is the number 1005. Write it in quotes: `uuid: \"u-1001\"`.",
                "Line 6: `phone_number` is \"12345\", which no message can be sent to. Write it with a plus, the country code and digits only: \"+14155550123\".",
                "Line 7: `email` is \"nope\", which is no email address. Write a whole address, \"ada@shop.example\", or leave the key out.",
                "Line 8: `gdpr_optin` must be true or false, but is the string \"true\". Take the quotes away: `gdpr_optin: true`.",
                "Line 9: `sms_optin` must be true or false, but is the number 1. Write `sms_optin: true` or `sms_optin: false`; leave the key out if the person was not asked.",
            ]
        );
    }

    #[test]
    fn phones_must_be_e164() {
        for (phone, good) in [
            ("+14155550123", true),
            ("+4930123", true),
            ("14155550123", false),
            ("+0155550123", false),
            ("+1 415 555 0123", false),
            ("+123456", false),
            ("+1234567890123456", false),
        ] {
            let faults = faults_of_user(&format!(
                "phone_number: '{phone}', gdpr_optin: false, sms_optin: !0"
            ));
            assert_eq!(faults.is_empty(), good, "{phone}: {faults:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named_and_empty_counts_as_absent() {
        assert_eq!(faults_of_user("language: 'en_US'"), ["identifier-missing", "gdpr-missing"]);
        assert_eq!(
            faults_of_user(
                "uuid: 'u', email: '', gdpr_optin: true, sms_optin: true, email_optin: true"
            ),
            ["phone-missing", "email-missing"]
        );
        assert_eq!(
            faults_of_user("uuid: 'u', email: null, surname: void 0, gdpr_optin: !1"),
            Vec::<&str>::new()
        );
        assert_eq!(faults_of_user("uuid: 'undefined', gdpr_optin: true"), ["uuid-nobody"]);
    }

    #[test]
    fn values_made_by_code_are_skipped_with_a_hint() {
        let html = page(
            "insider_object = { user: { uuid: user.id, email, phone_number: '+' + phone, gdpr_optin: consent ? true : false, sms_optin: f({ a: [1, 2] }), name() { return 1 } } }",
        );
        let finding = find(&html, "value-dynamic");
        assert_eq!(faults(&html), ["value-dynamic"]);
        assert!(
            finding.message.ends_with(": uuid, email, phone_number, gdpr_optin, sms_optin, name."),
            "{}",
            finding.message
        );
        for dynamic in [
            "insider_object = { user: getUser() };",
            "insider_object = {{ user | tojson }};",
            "insider_object = make({ user: 1 })",
            "insider_object.user = loggedIn ? a : b",
            "InsiderQueue.push({ type: 'user', value: Object.assign({}, user) })",
        ] {
            assert_eq!(faults(&page(dynamic)), ["user-dynamic"], "{dynamic}");
        }
        for dynamic in [
            "...base, uuid: 'u'",
            "uuid: '<%= id %>', gdpr_optin: true",
            "uuid: `${id}`, gdpr_optin: true",
            "[key]: 1",
        ] {
            assert_eq!(faults_of_user(dynamic), ["value-dynamic"], "{dynamic}");
        }
    }

    #[test]
    fn the_object_must_be_global_nested_and_an_object() {
        assert_eq!(
            faults(&page(&format!("const insider_object = {{ user: {{ {GOOD_USER} }} }}"))),
            ["object-not-global"]
        );
        let module = page(&format!("var insider_object = {{ user: {{ {GOOD_USER} }} }}"))
            .replace("<script>", "<script type=module>");
        assert_eq!(faults(&module), ["object-not-global"]);
        assert_eq!(
            faults(&page(&format!("insider_object = {{ {GOOD_USER} }}"))),
            ["user-not-nested"]
        );
        assert_eq!(faults(&page("insider_object = { user: 'ada' }")), ["user-not-object"]);
        assert_eq!(
            faults(&page(
                "insider_object.user.sms_optin = 'yes'; if (insider_object.user.email == 'x') {}"
            )),
            ["flag-not-boolean"]
        );
    }

    #[test]
    fn the_object_must_stand_before_the_vendor_tag_and_a_queue_need_not() {
        let vendor = "<script async src='//shop.api.useinsider.com/ins.js?id=10001'></script>";
        let object = format!("<script>insider_object = {{ user: {{ {GOOD_USER} }} }}</script>");
        let queue = format!(
            "<script>InsiderQueue.push({{ type: 'user', value: {{ {GOOD_USER} }} }})</script>"
        );
        assert_eq!(faults(&format!("{object}{vendor}{GOOD_TAG}")), Vec::<&str>::new());
        assert_eq!(faults(&format!("{vendor}{object}{GOOD_TAG}")), ["object-after-vendor"]);
        assert_eq!(faults(&format!("{vendor}{queue}{GOOD_TAG}")), Vec::<&str>::new());
        assert_eq!(faults(&format!("{GOOD_TAG}{object}{vendor}")), Vec::<&str>::new());
    }

    #[test]
    fn a_policy_in_the_page_must_let_the_tag_load_and_send() {
        let with = |policy: &str| {
            let html = page("").replace("<script>\n\n</script>", "<script src=/app.js></script>");
            let meta = format!("<meta http-equiv=Content-Security-Policy content=\"{policy}\">");
            let mut faults = faults(&html.replace("<head>", &format!("<head>{meta}")));
            faults.retain(|code| code.starts_with("csp"));
            faults
        };
        let both = ["csp-blocks-tag", "csp-blocks-capture"];
        assert_eq!(with("default-src 'none'"), both);
        assert_eq!(with("default-src 'self'; script-src 'self' https://other.example"), both);
        assert_eq!(with("script-src https://consent.example"), Vec::<&str>::new());
        assert_eq!(with("default-src 'self'; script-src consent.example"), ["csp-blocks-capture"]);
        assert_eq!(with("script-src https:; connect-src *"), Vec::<&str>::new());
        assert_eq!(
            with("script-src *.example; connect-src https://consent.example/capture/"),
            Vec::<&str>::new()
        );
        assert_eq!(with("script-src https://consent.example:8443"), ["csp-blocks-tag"]);
        assert_eq!(
            with("script-src https://consent.example:*; connect-src HTTPS://CONSENT.example:443"),
            Vec::<&str>::new()
        );
        assert_eq!(
            with("script-src 'nonce-x' 'strict-dynamic' https://consent.example"),
            ["csp-blocks-tag"]
        );
        assert_eq!(
            with("script-src-elem https://consent.example; script-src 'none', connect-src 'none'"),
            ["csp-blocks-capture"]
        );
    }

    #[test]
    fn a_policy_binds_what_follows_it_and_may_stop_the_object() {
        let object =
            format!("<script nonce=r4nd>insider_object = {{ user: {{ {GOOD_USER} }} }}</script>");
        let policy = |sources: &str| {
            format!(
                "<meta http-equiv='content-security-policy' content=\"script-src {sources} https://consent.example\">"
            )
        };
        assert_eq!(
            faults(&format!("{}{object}{GOOD_TAG}", policy("'self'"))),
            ["csp-blocks-object"]
        );
        assert_eq!(
            faults(&format!("{}{object}{GOOD_TAG}", policy("'unsafe-inline'"))),
            Vec::<&str>::new()
        );
        assert_eq!(
            faults(&format!("{}{object}{GOOD_TAG}", policy("'nonce-r4nd'"))),
            Vec::<&str>::new()
        );
        assert_eq!(faults(&format!("{object}{}{GOOD_TAG}", policy("'self'"))), Vec::<&str>::new());
    }

    /// The pages of the browser tests, as their little server fills them in.
    #[test]
    fn the_pages_of_the_browser_tests_are_judged_right() {
        let judge = |html: &str| {
            faults(&html.replace("{{sayso}}", "http://127.0.0.1:9").replace("{{site}}", "site_k3y"))
        };
        assert_eq!(judge(include_str!("../../tests/it/pages/before.html")), ["tag-debug"]);
        assert_eq!(judge(include_str!("../../tests/it/pages/after.html")), Vec::<&str>::new());
        assert_eq!(
            judge(include_str!("../../tests/it/pages/strict-csp.html")),
            ["user-not-in-page"]
        );
        assert_eq!(
            judge(include_str!("../../tests/it/pages/broken.html")),
            [
                "tag-debug",
                "value-not-text",
                "phone-not-e164",
                "email-malformed",
                "flag-not-boolean"
            ]
        );
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        let html = page(&format!(
            "insider_object = {{ user: {{ {GOOD_USER}, custom: {{ a: 'é\\u00e9' }} }} }}"
        ));
        for (end, _) in html.char_indices() {
            examine(&html[..end]);
            examine(&html[end..]);
        }
        for odd in [
            "<",
            "</",
            "<script",
            "<script src=",
            "<script>`${",
            "<script>'",
            "<script>/",
            "<script>/*",
            "<meta content='",
        ] {
            examine(odd);
        }
    }

    #[test]
    fn deep_and_long_input_takes_linear_time_and_little_stack() {
        for piece in [
            "{a:",
            "[",
            "(",
            "${`",
            "<script>",
            "insider_object={user:",
            "!",
            "<!--",
            "insider_object.",
        ] {
            examine(&format!("<script>insider_object = {}", piece.repeat(50_000)));
        }
    }
}
