//! `sayso workspaces`: make and list workspaces.

use hyper::Method;
use sayso_store::sqlite::Making;
use serde_json::{Value, json};

use super::{Place, text, with_client, with_store};
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::Workspaces;
use crate::printer::Printer;

/// Makes or lists. The first workspace makes the store.
pub(crate) fn run(place: &Place, what: Workspaces, printer: Printer) -> Result<Exit, Failure> {
    match what {
        Workspaces::Create { name, .. } if name.trim().is_empty() => {
            let fix = "the name is empty; a good value: \"My shop\"";
            Err(Failure::Input(fix.to_owned()))
        }
        Workspaces::Create { name, test } => {
            let request = json!({ "name": name, "mode": if test { "test" } else { "live" } });
            with_store(place, Making::IfNone, async |client| create(client, request, printer).await)
        }
        Workspaces::List => with_client(place, async |client| list(client, printer).await),
    }
}

async fn create(client: &Client, request: Value, printer: Printer) -> Result<Exit, Failure> {
    if let Some(directory) = client.made() {
        printer.say(&local::words_of_new(directory));
    }
    let made = client.json(Method::POST, "/local/workspaces", Payload::Json(request)).await?;
    printer.value(&made, |made| text(made, "id").to_owned());
    Ok(Exit::Yes)
}

async fn list(client: &Client, printer: Printer) -> Result<Exit, Failure> {
    let all = client.json(Method::GET, "/local/workspaces", Payload::Nothing).await?;
    printer.value(&all, table);
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
