//! `sayso keys`: make, list and revoke API keys.

use hyper::Method;
use serde_json::{Value, json};

use super::text;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Keys;
use crate::printer::Printer;

/// Makes, lists or revokes.
pub(crate) async fn run(client: &Client, what: Keys, printer: Printer) -> Result<Exit, Failure> {
    match what {
        Keys::Create { name, scopes, highest_standing } => {
            let request = json!({ "name": name, "scopes": scopes, "highest": highest_standing });
            let made = client.json(Method::POST, "/v1/keys", Payload::Json(request)).await?;
            printer.say("This key is shown once; Sayso keeps only its hash.");
            printer.value(&made, |made| text(made, "secret").to_owned());
        }
        Keys::List => {
            let keys = client.json(Method::GET, "/v1/keys", Payload::Nothing).await?;
            printer.value(&keys, table);
        }
        Keys::Revoke { id } => {
            let path = format!("/v1/keys/{id}");
            let revoked = client.json(Method::DELETE, &path, Payload::Nothing).await?;
            printer.value(&revoked, |_| format!("revoked {id}"));
        }
    }
    Ok(Exit::Yes)
}

fn table(keys: &Value) -> String {
    let items = keys.as_array();
    let lines: Vec<String> = items
        .into_iter()
        .flatten()
        .map(|key| {
            let state = if text(key, "revoked_at").is_empty() { "in force" } else { "revoked" };
            format!("{}  {:<24}  {state}", text(key, "id"), text(key, "name"))
        })
        .collect();
    if lines.is_empty() {
        "No keys yet. Make one: sayso keys create my-shop --scope check --scope write".to_owned()
    } else {
        lines.join("\n")
    }
}
