//! `sayso backup`: copy the store while it runs.

use hyper::Method;
use sayso_store::sqlite::backup::Manifest;
use serde_json::json;

use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Backup;
use crate::printer::Printer;

/// Copies the store into a new directory.
pub(crate) async fn run(
    client: &Client,
    options: Backup,
    printer: Printer,
) -> Result<Exit, Failure> {
    let to = std::path::absolute(&options.to).map_err(anyhow::Error::new)?;
    if to.exists() {
        return Err(Failure::Input(format!(
            "{} is there already: name a new directory",
            to.display()
        )));
    }
    let request = json!({ "directory": to });
    client.json(Method::POST, "/local/backups", Payload::Json(request)).await?;
    let manifest = Manifest::read(&to).map_err(|error| anyhow::Error::msg(error.to_string()))?;
    printer.say(
        "The master key is not in the copy. Keep it elsewhere: without it nobody can be looked up.",
    );
    let shown = json!({
        "directory": to,
        "events": manifest.last_row,
        "recorded_at": manifest.recorded_at.map(|at| at.to_string()),
        "refusals": manifest.refusals.count,
        "master_key_fingerprint": manifest.master_key.to_string(),
    });
    printer.value(&shown, |_| to.display().to_string());
    Ok(Exit::Yes)
}
