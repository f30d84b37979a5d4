//! `sayso keys`: make, list and revoke API keys; rotate the master key.

use hyper::Method;
use sayso_store::environment::Environment;
use sayso_store::sqlite::rotation;
use serde_json::{Value, json};

use super::{Place, text, with_client};
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::Keys;
use crate::printer::Printer;

/// Makes, lists or revokes API keys, or rotates the master key.
pub(crate) fn run(place: &Place, what: Keys, printer: Printer) -> Result<Exit, Failure> {
    match what {
        Keys::Create { name, role, scopes, highest_standing } => {
            let request = json!({
                "name": name, "role": role, "scopes": scopes, "highest": highest_standing,
            });
            with_client(place, async |client| create(client, request, printer).await)
        }
        Keys::List => with_client(place, async |client| list(client, printer).await),
        Keys::Revoke { id } => {
            with_client(place, async |client| revoke(client, &id, printer).await)
        }
        Keys::Rotate => rotate(place, printer),
    }
}

async fn create(client: &Client, request: Value, printer: Printer) -> Result<Exit, Failure> {
    let made = client.json(Method::POST, "/v1/keys", Payload::Json(request)).await?;
    printer.say("This key is shown once; Sayso keeps only its hash.");
    printer.value(&made, |made| text(made, "secret").to_owned());
    Ok(Exit::Yes)
}

async fn list(client: &Client, printer: Printer) -> Result<Exit, Failure> {
    let keys = client.list("/v1/keys", "keys").await?;
    printer.value(&keys, table);
    Ok(Exit::Yes)
}

async fn revoke(client: &Client, id: &str, printer: Printer) -> Result<Exit, Failure> {
    let path = format!("/v1/keys/{id}");
    let revoked = client.json(Method::DELETE, &path, Payload::Nothing).await?;
    printer.value(&revoked, |_| format!("revoked {id}"));
    Ok(Exit::Yes)
}

/// Puts a new master key in the place of the store's.
fn rotate(place: &Place, printer: Printer) -> Result<Exit, Failure> {
    let directory = place.config()?.store.directory;
    let rotated = rotation::rotate(&directory, &Environment::system())
        .map_err(|error| local::open_failure(&directory, error))?;
    let key = directory.join("master.key");
    printer.say(&format!(
        "{} is another file now: keep a copy of it elsewhere. Backups made until now open with the \
         old key alone: keep that as long as them.",
        key.display()
    ));
    let shown = json!({
        "master_key": key,
        "fingerprint": rotated.after.to_string(),
        "fingerprint_before": rotated.before.to_string(),
        "workspaces": rotated.workspaces,
    });
    printer.value(&shown, |_| format!("rotated: the master key is {} now", rotated.after));
    Ok(Exit::Yes)
}

fn table(keys: &Value) -> String {
    let items = keys.as_array();
    let lines: Vec<String> = items
        .into_iter()
        .flatten()
        .map(|key| {
            let state = if text(key, "revoked_at").is_empty() { "in force" } else { "revoked" };
            let scopes = key.get("scopes").and_then(Value::as_array).into_iter().flatten();
            let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
            let (id, name, highest) = (text(key, "id"), text(key, "name"), text(key, "highest"));
            format!("{id}  {name:<24}  {state:<8}  {highest:<6}  {}", scopes.join(", "))
        })
        .collect();
    if lines.is_empty() {
        "No keys yet. Make one: sayso keys create my-shop --role backend".to_owned()
    } else {
        lines.join("\n")
    }
}
