//! `sayso restore`: make a store from a backup and its master key.

use sayso_store::Store;
use sayso_store::sqlite::Making;
use sayso_store::sqlite::backup::{Lines, Replayed, Restore, RestoreError, Restored};
use serde_json::json;

use super::Place;
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options;
use crate::printer::Printer;

/// Verifies a backup, restores it into the data directory, and opens the store once, which rebuilds
/// its views.
pub(crate) fn run(
    place: &Place,
    options: &options::Restore,
    printer: Printer,
) -> Result<Exit, Failure> {
    let directory = place.config()?.store.directory;
    let restore = Restore {
        from: &options.from,
        master_key: &options.master_key,
        to: &directory,
        erasures: options.erasures.as_deref(),
        lines: if options.unauthenticated { Lines::Any } else { Lines::Authenticated },
        replaced: options.compare.as_deref(),
    };
    let restored = restore.run().map_err(in_words)?;
    let store = match local::open(&directory, Making::Never) {
        Ok(store) => store,
        Err(error) => {
            restored.discard();
            return Err(local::open_failure(&directory, error));
        }
    };
    let events = store.health().events;
    warn(options, &restored, printer);
    let (manifest, lost) = (restored.manifest, restored.refusals_lost);
    let Replayed { erased, known, elsewhere } = restored.erasures;
    let shown = json!({
        "directory": directory,
        "events": events,
        "recorded_at": manifest.recorded_at.map(|at| at.to_string()),
        "refusals": manifest.refusals.count,
        "workspaces": manifest.workspaces,
        "refusals_lost": lost,
        "erasures": { "replayed": erased, "known": known, "of_other_workspaces": elsewhere },
    });
    printer.value(&shown, |_| {
        format!("{events} events restored into {}; {erased} erased again", directory.display())
    });
    Ok(Exit::Yes)
}

/// What the operator has to see to before anything is sent from the new store.
fn warn(options: &options::Restore, restored: &Restored, printer: Printer) {
    let moment = match restored.manifest.recorded_at {
        Some(at) => format!("after {at}"),
        None => "at any time".to_owned(),
    };
    match restored.refusals_lost {
        None => printer.say(&format!(
            "Refusals recorded {moment} are not in this store. Import those that your providers and \
             systems hold before you send from it."
        )),
        Some(0) => {}
        Some(lost) => printer.say(&format!(
            "Refusals of the store that is replaced that are not in this one: {lost}. Export them \
             from it and import them here before you send."
        )),
    }
    if restored.lacks_work {
        printer.say(
            "The backup has no work.db: messages, rejects and look-ups begin anew in this store, and a request that is \
             sent again under its Idempotency-Key makes a new message.",
        );
    }
    if options.erasures.is_none() && options.compare.is_none() {
        printer.say(&format!(
            "Nobody erased {moment} is erased in this store: restore with --erasures to do it again."
        ));
    }
}

/// Whose fault it is: a disk's, or that of what was given.
fn in_words(error: RestoreError) -> Failure {
    match error {
        RestoreError::Replay { .. } => Failure::Fault(anyhow::Error::new(error)),
        RestoreError::Write { .. } => Failure::Fault(anyhow::Error::msg(error.to_string())),
        RestoreError::Replaced { .. } => Failure::Input(format!("{:#}", anyhow::Error::new(error))),
        RestoreError::NoManifest(_)
        | RestoreError::Manifest(_)
        | RestoreError::Newer { .. }
        | RestoreError::Damaged { .. }
        | RestoreError::Differs { .. }
        | RestoreError::Older(_)
        | RestoreError::Forged(_)
        | RestoreError::Read { .. }
        | RestoreError::NotAKey(_)
        | RestoreError::WrongKey { .. }
        | RestoreError::Erasures { .. }
        | RestoreError::Unauthenticated { .. }
        | RestoreError::ForgedErasure { .. }
        | RestoreError::Occupied(_)
        | RestoreError::Owned(_) => Failure::Input(error.to_string()),
    }
}
