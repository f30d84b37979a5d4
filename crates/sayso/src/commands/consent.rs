//! `sayso consent`: record a consent or a refusal.

use hyper::Method;
use serde_json::{Value, json};

use super::text;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Consent;
use crate::printer::Printer;

/// Records one statement and says what holds now.
pub(crate) async fn run(
    client: &Client,
    options: Consent,
    printer: Printer,
) -> Result<Exit, Failure> {
    let mut request = options.person.into_fields();
    let fields = [
        ("statement", Some(options.statement)),
        ("channel", Some(options.channel)),
        ("standing", Some(options.standing)),
        ("scope", options.scope),
        ("occurred_at", options.occurred_at),
        ("method", options.method),
        ("level", options.level),
        ("ends_at", options.ends_at),
    ];
    for (name, value) in fields {
        request.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    }
    if let Some(notice) = options.notice {
        request.insert("notice".to_owned(), parse_notice(&notice)?);
    }
    let answer = client.json(Method::POST, "/v1/consents", Payload::Json(request.into())).await?;
    printer.value(&answer, |answer| {
        let event = answer.get("event").unwrap_or(&Value::Null);
        let consent = answer.get("consent").unwrap_or(&Value::Null);
        format!(
            "{} {}, status {}",
            text(event, "outcome"),
            text(event, "id"),
            text(consent, "status")
        )
    });
    Ok(Exit::Yes)
}

fn parse_notice(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        Failure::Input(format!(
            "--notice {text} is not id/version/language; a good value: ntc_…/1/en"
        ))
    };
    let mut parts = text.split('/');
    let (Some(id), Some(version), Some(language), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(wrong());
    };
    let version: u32 = version.parse().map_err(|_| wrong())?;
    Ok(json!({ "id": id, "version": version, "language": language }))
}
