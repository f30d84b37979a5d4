//! `sayso workspaces`: make and list workspaces.

use hyper::Method;
use serde_json::{Value, json};

use super::text;
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Workspaces;
use crate::printer::Printer;

/// Makes or lists.
pub(crate) async fn run(
    client: &Client,
    what: Workspaces,
    printer: Printer,
) -> Result<Exit, Failure> {
    match what {
        Workspaces::Create { name, .. } if name.trim().is_empty() => {
            let fix = "the name is empty; a good value: \"My shop\"";
            return Err(Failure::Input(fix.to_owned()));
        }
        Workspaces::Create { name, test } => {
            let request = json!({ "name": name, "mode": if test { "test" } else { "live" } });
            let made =
                client.json(Method::POST, "/local/workspaces", Payload::Json(request)).await?;
            printer.value(&made, |made| text(made, "id").to_owned());
        }
        Workspaces::List => {
            let all = client.json(Method::GET, "/local/workspaces", Payload::Nothing).await?;
            printer.value(&all, table);
        }
    }
    Ok(Exit::Yes)
}

fn table(all: &Value) -> String {
    let items = all.get("items").and_then(Value::as_array);
    let lines: Vec<String> = items
        .into_iter()
        .flatten()
        .map(|one| format!("{}  {:<5} {}", text(one, "id"), text(one, "mode"), text(one, "name")))
        .collect();
    if lines.is_empty() {
        "No workspaces yet. Make one: sayso workspaces create \"My shop\"".to_owned()
    } else {
        lines.join("\n")
    }
}
