//! `sayso backup`: copy the store while it runs.

use std::path::PathBuf;

use hyper::Method;
use sayso_store::sqlite::backup::Manifest;
use serde_json::json;

use super::{Place, with_client};
use crate::client::{Client, Payload};
use crate::exit::{Exit, Failure};
use crate::options::Backup;
use crate::printer::Printer;

/// Copies the store into a new directory, and says what the copy holds.
pub(crate) fn run(place: &Place, options: &Backup, printer: Printer) -> Result<Exit, Failure> {
    let absolute = |path: &PathBuf| std::path::absolute(path).map_err(anyhow::Error::new);
    let (from, to) = (absolute(&place.config()?.store.directory)?, absolute(&options.to)?);
    if to.exists() {
        return Err(Failure::Input(format!(
            "{} is there already: name a new directory",
            to.display()
        )));
    }
    with_client(place, async |client| copy(client, (from, to), printer).await)
}

async fn copy(
    client: &Client,
    (from, to): (PathBuf, PathBuf),
    printer: Printer,
) -> Result<Exit, Failure> {
    let request = json!({ "directory": to });
    client.json(Method::POST, "/local/backups", Payload::Json(request)).await?;
    let manifest = Manifest::read(&to).map_err(|error| anyhow::Error::msg(error.to_string()))?;
    let until = manifest.recorded_at.map(|at| at.to_string());
    if manifest.workspaces == 0 || manifest.last_row == 0 {
        let lacks = if manifest.workspaces == 0 { "no workspace" } else { "no event" };
        printer.say(&format!(
            "warning: this backup is empty: the store in {} holds {lacks}. If that is not the one you meant, name its \
             directory with --data or its configuration with --config.",
            from.display()
        ));
    }
    printer.say(
        "The master key is not in the copy. Keep it elsewhere: without it nobody can be looked up.",
    );
    let shown = json!({
        "directory": to,
        "from": from,
        "events": manifest.last_row,
        "workspaces": manifest.workspaces,
        "recorded_at": until,
        "refusals": manifest.refusals.count,
        "master_key_fingerprint": manifest.master_key.to_string(),
    });
    printer.value(&shown, |_| {
        format!(
            "{}\n  from        {}\n  events      {}\n  refusals    {}\n  workspaces  {}\n  until       {}",
            to.display(),
            from.display(),
            manifest.last_row,
            manifest.refusals.count,
            manifest.workspaces,
            until.as_deref().unwrap_or("nothing was recorded")
        )
    });
    Ok(Exit::Yes)
}
