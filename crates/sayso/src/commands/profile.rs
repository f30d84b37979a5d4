//! `sayso profile`: what is known of a person.

use hyper::Method;
use serde_json::Value;

use super::text;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Profile;
use crate::printer::Printer;

/// Shows a profile with the status of every channel; exit code 1 if nobody is known.
pub(crate) async fn run(
    client: &Client,
    options: Profile,
    printer: Printer,
) -> Result<Exit, Failure> {
    let fields = options.person.into_fields();
    let Some((name, Value::String(value))) = fields.into_iter().next() else {
        return Err(Failure::Input(
            "name the person by --phone, --email or --external-id".to_owned(),
        ));
    };
    let path = format!("/v1/profiles?{name}={}", percent_encoded(&value));
    let profile = client.json(Method::GET, &path, Payload::Nothing).await?;
    if is_nobody(&profile) {
        printer.say("Nothing is known of this person.");
    }
    printer.value(&profile, lines);
    Ok(if is_nobody(&profile) { Exit::No } else { Exit::Yes })
}

/// Whether nothing was ever recorded: no profile, and no scope or claim on any channel.
fn is_nobody(profile: &Value) -> bool {
    let is_bare = |value: &Value, field: &str| {
        value.get(field).and_then(Value::as_array).is_none_or(Vec::is_empty)
    };
    let addresses = profile.get("addresses").and_then(Value::as_array).into_iter().flatten();
    let mut channels = addresses
        .flat_map(|place| place.get("channels").and_then(Value::as_array).into_iter().flatten());
    let has_profile = profile.get("id").is_some_and(Value::is_string);
    !has_profile && channels.all(|channel| is_bare(channel, "scopes") && is_bare(channel, "claims"))
}

fn lines(profile: &Value) -> String {
    let mut lines = vec![format!("processing {}", text(profile, "processing"))];
    for place in profile.get("addresses").and_then(Value::as_array).into_iter().flatten() {
        let address = place.get("address").and_then(Value::as_object).into_iter().flatten();
        lines.extend(
            address.map(|(kind, value)| format!("{kind} {}", value.as_str().unwrap_or_default())),
        );
        for channel in place.get("channels").and_then(Value::as_array).into_iter().flatten() {
            let consent = channel.get("consent").unwrap_or(&Value::Null);
            let line = format!(
                "  {:<10} {:<12} {:<10} {}",
                text(channel, "channel"),
                text(consent, "status"),
                text(consent, "level"),
                text(consent, "since")
            );
            lines.push(line.trim_end().to_owned());
        }
    }
    lines.join("\n")
}

/// A query value (RFC 3986 section 2.1).
pub(crate) fn percent_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
