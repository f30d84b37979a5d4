//! `sayso backup`: copy the store while it runs.

use hyper::Method;
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
    let done = client.json(Method::POST, "/local/backups", Payload::Json(request)).await?;
    printer.say(
        "The master key is not in the copy. Keep it elsewhere: without it nobody can be looked up.",
    );
    printer.value(&done, |_| to.display().to_string());
    Ok(Exit::Yes)
}
