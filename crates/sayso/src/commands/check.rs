//! `sayso check`: may this message be sent?

use hyper::Method;
use serde_json::Value;

use super::text;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Check;
use crate::printer::Printer;

/// Asks the gate; denied is exit code 1.
pub(crate) async fn run(
    client: &Client,
    options: Check,
    printer: Printer,
) -> Result<Exit, Failure> {
    let mut request = options.person.into_fields();
    request.insert("channel".to_owned(), options.channel.into());
    let optional =
        [("category", options.category), ("topic", options.topic), ("sender", options.sender)];
    for (name, value) in optional {
        request.extend(value.map(|value| (name.to_owned(), Value::from(value))));
    }
    if options.explain {
        request.insert("explain".to_owned(), true.into());
    }
    let answer = client.json(Method::POST, "/v1/check", Payload::Json(request.into())).await?;
    let is_allowed = text(&answer, "decision") == "allow";
    printer.value(&answer, |answer| {
        let reasons: Vec<&str> = answer
            .get("reasons")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let because =
            if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let mut lines = vec![format!("{}{because}", text(answer, "decision"))];
        if let Some(retry_at) = answer.get("retry_at").and_then(Value::as_str) {
            lines.push(format!("  ask again at {retry_at}"));
        }
        let explanation = answer.get("explanation").unwrap_or(&Value::Null);
        for part in ["rests_on", "claims"] {
            for said in explanation.get(part).and_then(Value::as_array).into_iter().flatten() {
                let whose = if part == "claims" { text(said, "source") } else { "the person" };
                lines.push(format!(
                    "  {} {whose}: {} about {} ({})",
                    text(said, "at"),
                    text(said, "says"),
                    text(said, "about"),
                    text(said, "event")
                ));
            }
        }
        lines.join("\n")
    });
    Ok(if is_allowed { Exit::Yes } else { Exit::No })
}
