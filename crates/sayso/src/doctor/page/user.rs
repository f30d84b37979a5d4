//! The checks on a user object: its keys, their spelling and their types.

use super::Finding;
use super::literal::{Entry, Record, Rest, Value, is_template};

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Uuid,
    Phone,
    Email,
    Flag,
    Object,
    /// A key of the vendor's that Sayso does not read, of whatever type.
    Anything,
}

/// Every key of the object, and its type.
const KEYS: [(&str, Holds); 21] = [
    ("uuid", Holds::Uuid),
    ("email", Holds::Email),
    ("phone_number", Holds::Phone),
    ("gdpr_optin", Holds::Flag),
    ("whatsapp_optin", Holds::Flag),
    ("sms_optin", Holds::Flag),
    ("email_optin", Holds::Flag),
    ("name", Holds::Text),
    ("surname", Holds::Text),
    ("language", Holds::Text),
    ("custom", Holds::Object),
    ("username", Holds::Anything),
    ("birthday", Holds::Anything),
    ("gender", Holds::Anything),
    ("age", Holds::Anything),
    ("country", Holds::Anything),
    ("city", Holds::Anything),
    ("has_transacted", Holds::Anything),
    ("transaction_count", Holds::Anything),
    ("static_segment_id", Holds::Anything),
    ("list_id", Holds::Anything),
];

/// Spellings seen in the wild that are too far from the right one to be guessed by distance.
const OTHER_NAMES: [(&str, &str); 20] = [
    ("phone", "phone_number"),
    ("mobile", "phone_number"),
    ("mobilephone", "phone_number"),
    ("msisdn", "phone_number"),
    ("tel", "phone_number"),
    ("gsm", "phone_number"),
    ("mail", "email"),
    ("emailaddress", "email"),
    ("id", "uuid"),
    ("userid", "uuid"),
    ("externalid", "uuid"),
    ("gdpr", "gdpr_optin"),
    ("sms", "sms_optin"),
    ("smsconsent", "sms_optin"),
    ("whatsapp", "whatsapp_optin"),
    ("whatsappconsent", "whatsapp_optin"),
    ("firstname", "name"),
    ("lastname", "surname"),
    ("lang", "language"),
    ("locale", "language"),
];

/// Ids that stand for nobody; the vendor advises blocking them.
const NOBODY: [&str; 6] = ["undefined", "anonymous", "0", "1", "null", "guest"];

/// How many letters a spelling may be off to be taken for a known key.
const DISTANCE_MAX: usize = 2;

/// Whether Sayso reads this key.
pub(super) fn is_read(key: &str) -> bool {
    KEYS.iter().any(|(known, holds)| *known == key && *holds != Holds::Anything)
}

/// Checks a whole user object.
pub(super) fn check(user: &Record, line: usize) -> Vec<Finding> {
    let mut findings: Vec<Finding> = user.entries.iter().flat_map(check_entry).collect();
    if user.rest == Rest::None {
        findings.extend(check_missing(user, line));
    }
    findings.extend(check_dynamic(user, line));
    findings
}

/// Checks one key and its value.
pub(super) fn check_entry(entry: &Entry) -> Vec<Finding> {
    let Some((_, holds)) = KEYS.iter().find(|(known, _)| *known == entry.key) else {
        return vec![unknown_key(entry)];
    };
    match &entry.value {
        Value::Absent | Value::Dynamic => Vec::new(),
        Value::Text(text) if text.is_empty() => Vec::new(),
        Value::Text(_) | Value::Number(_) | Value::Flag(_) | Value::List(_) | Value::Record(_) => {
            check_value(entry, *holds)
        }
    }
}

fn unknown_key(entry: &Entry) -> Finding {
    let Entry { key, line, .. } = entry;
    match nearest(key) {
        Some(known) => Finding::error(
            "key-unknown",
            format!("Line {line}: `{key}` is not a key of the user object, so its value is lost."),
            format!("Did you mean `{known}`? Rename it."),
        ),
        None => Finding::error(
            "custom-key-at-root",
            format!(
                "Line {line}: `{key}` is not a key of the user object; your own attributes are lost at this level."
            ),
            format!("Move it under `custom`: `custom: {{ {key}: … }}`, or take it out."),
        ),
    }
}

fn check_value(entry: &Entry, holds: Holds) -> Vec<Finding> {
    let finding = match (holds, &entry.value) {
        (Holds::Anything, _) | (Holds::Flag, Value::Flag(_)) | (Holds::Text, Value::Text(_)) => {
            None
        }
        (Holds::Flag, value) => Some(not_a_flag(entry, value)),
        (Holds::Phone, Value::Text(text)) => check_phone(entry, text),
        (Holds::Email, Value::Text(text)) => check_email(entry, text),
        (Holds::Uuid, Value::Text(text)) => check_uuid(entry, text),
        (Holds::Object, Value::Record(custom)) => return check_custom(custom),
        (Holds::Object, _) => Some(Finding::error(
            "custom-not-object",
            format!("Line {}: `custom` is not an object.", entry.line),
            "Write your own attributes as `custom: { shoe_size: 41 }`.",
        )),
        (Holds::Phone | Holds::Email | Holds::Uuid | Holds::Text, value) => {
            Some(not_text(entry, value))
        }
    };
    finding.into_iter().collect()
}

fn not_a_flag(entry: &Entry, value: &Value) -> Finding {
    let Entry { key, line, .. } = entry;
    let fix = match value {
        Value::Text(text) if text == "true" || text == "false" => {
            format!("Take the quotes away: `{key}: {text}`.")
        }
        Value::Text(_)
        | Value::Number(_)
        | Value::Flag(_)
        | Value::Absent
        | Value::List(_)
        | Value::Record(_)
        | Value::Dynamic => {
            format!(
                "Write `{key}: true` or `{key}: false`; leave the key out if the person was not asked."
            )
        }
    };
    let what = describe(value);
    Finding::error(
        "flag-not-boolean",
        format!("Line {line}: `{key}` must be true or false, but is {what}."),
        fix,
    )
}

fn not_text(entry: &Entry, value: &Value) -> Finding {
    let Entry { key, line, .. } = entry;
    let good = match key.as_str() {
        "uuid" => "u-1001",
        "phone_number" => "+14155550123",
        "email" => "ada@shop.example",
        "language" => "en_US",
        _ => "Ada",
    };
    let what = describe(value);
    Finding::error(
        "value-not-text",
        format!("Line {line}: `{key}` must be a string, but is {what}."),
        format!("Write it in quotes: `{key}: \"{good}\"`."),
    )
}

fn check_phone(entry: &Entry, text: &str) -> Option<Finding> {
    let line = entry.line;
    let digits = text.strip_prefix('+').unwrap_or_default();
    let is_good = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    (!is_good).then(|| {
        Finding::error(
            "phone-not-e164",
            format!("Line {line}: `phone_number` is {text:?}, which no message can be sent to."),
            "Write it with a plus, the country code and digits only: \"+14155550123\".",
        )
    })
}

fn check_email(entry: &Entry, text: &str) -> Option<Finding> {
    let line = entry.line;
    let is_good = !text.contains(char::is_whitespace)
        && text.split_once('@').is_some_and(|(name, domain)| {
            let parts = domain.rsplit_once('.');
            !name.is_empty()
                && parts.is_some_and(|(start, end)| !start.is_empty() && !end.is_empty())
        });
    (!is_good).then(|| {
        Finding::error(
            "email-malformed",
            format!("Line {line}: `email` is {text:?}, which is no email address."),
            "Write a whole address, \"ada@shop.example\", or leave the key out.",
        )
    })
}

fn check_uuid(entry: &Entry, text: &str) -> Option<Finding> {
    let line = entry.line;
    NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(text)).then(|| {
        Finding::error(
            "uuid-nobody",
            format!("Line {line}: `uuid` is {text:?}: everyone with this id would be taken for one person."),
            "Leave `uuid` out until the person is logged in.",
        )
    })
}

fn check_custom(custom: &Record) -> Vec<Finding> {
    let misplaced = custom.entries.iter().filter(|entry| is_read(&entry.key));
    misplaced
        .map(|Entry { key, line, .. }| {
            Finding::warning(
                "key-in-custom",
                format!(
                    "Line {line}: `{key}` stands under `custom`, where it is only an attribute."
                ),
                format!("Move `{key}` up, beside `custom`."),
            )
        })
        .collect()
}

/// What a channel's guide requires and the object does not have.
fn check_missing(user: &Record, line: usize) -> Vec<Finding> {
    let has = |key: &str| user.get(key).is_some_and(|value| !is_absent(value));
    let mut findings = Vec::new();
    if !has("uuid") && !has("email") && !has("phone_number") {
        findings.push(Finding::warning(
            "identifier-missing",
            format!("Line {line}: the user has no `uuid`, `email` or `phone_number`, so nothing is sent."),
            "Fine while nobody is logged in. Set at least one of them as soon as you know who it is.",
        ));
    }
    if !has("gdpr_optin") {
        findings.push(Finding::warning(
            "gdpr-missing",
            format!(
                "Line {line}: `gdpr_optin` is not set; absent means that processing is allowed."
            ),
            "Set `gdpr_optin: true` or `gdpr_optin: false` from the person's choice.",
        ));
    }
    if (has("sms_optin") || has("whatsapp_optin")) && !has("phone_number") {
        findings.push(Finding::warning(
            "phone-missing",
            format!("Line {line}: a consent for SMS or WhatsApp is given, but no `phone_number` it is for."),
            "Add `phone_number: \"+14155550123\"`.",
        ));
    }
    if has("email_optin") && !has("email") {
        findings.push(Finding::warning(
            "email-missing",
            format!("Line {line}: `email_optin` is given, but no `email` it is for."),
            "Add `email: \"ada@shop.example\"`.",
        ));
    }
    findings
}

/// Names what could not be read, so that silence is not taken for praise.
fn check_dynamic(user: &Record, line: usize) -> Option<Finding> {
    let is_dynamic = |entry: &&Entry| is_read(&entry.key) && entry.value == Value::Dynamic;
    let mut keys: Vec<&str> =
        user.entries.iter().filter(is_dynamic).map(|entry| entry.key.as_str()).collect();
    if user.rest == Rest::Unknown {
        keys.push("what is spread into it");
    }
    let keys = keys.join(", ");
    (!keys.is_empty()).then(|| {
        Finding::warning(
            "value-dynamic",
            format!("Line {line}: filled in when the page runs, so not checked here: {keys}."),
            "Add `data-debug` to the tag, open the page logged in, and read what the console says.",
        )
    })
}

fn is_absent(value: &Value) -> bool {
    matches!(value, Value::Absent) || matches!(value, Value::Text(text) if text.is_empty())
}

fn describe(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("the string {text:?}"),
        Value::Number(number) => format!("the number {number}"),
        Value::Flag(flag) => format!("{flag}"),
        Value::Absent => "absent".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Record(_) => "an object".to_owned(),
        Value::Dynamic => "made by code".to_owned(),
    }
}

fn nearest(key: &str) -> Option<&'static str> {
    if is_template(key) {
        return None;
    }
    let plain = plain(key);
    let by_name = OTHER_NAMES.iter().find(|(other, _)| *other == plain).map(|(_, known)| *known);
    by_name.or_else(|| {
        let distances = KEYS
            .iter()
            .map(|(known, _)| (strsim::levenshtein(&plain, &self::plain(known)), *known));
        // Short names are near to everything.
        let near = distances.filter(|(off, known)| *off <= DISTANCE_MAX && off * 3 < known.len());
        near.min_by_key(|(off, _)| *off).map(|(_, known)| known)
    })
}

/// Letters alone: `smsOptIn`, `SMS-opt-in` and `sms_optin` are one.
fn plain(key: &str) -> String {
    key.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .take(40)
        .collect()
}
