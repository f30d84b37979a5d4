//! `sayso serve`: run the server.

use std::sync::Arc;

use anyhow::Context;
use sayso_core::text::wording;
use sayso_server::app::Scheme;
use sayso_server::config::Config;
use sayso_server::observe::{LogControl, start_logs};
use sayso_server::serve::Server;
use sayso_server::serve::signals;
use sayso_store::Store;
use sayso_store::environment::Environment;
use sayso_store::sqlite::Making;
use tokio::sync::watch;

use super::Place;
use crate::exit::{Exit, Failure};
use crate::local;
use crate::options::Serve;
use crate::printer::Printer;

use started::{Listening, Opened};

pub(crate) mod started;

/// Runs the server until it is told to stop.
pub(crate) async fn run(
    mut place: Place,
    options: Serve,
    printer: Printer,
) -> Result<Exit, Failure> {
    place.argue("server.address", options.listen);
    place.argue("admin.address", options.admin);
    let config = place.config()?;
    let logs = start_logs(&config.log.level, config.log.form).context("the logs do not start")?;
    // Beside the opening of the store; the server waits for it before it listens.
    drop(tokio::task::spawn_blocking(wording::make_ready));
    let directory = &config.store.directory;
    let store = local::open(directory, Making::IfNone)
        .map_err(|error| local::open_failure(directory, error))?;
    if store.made().is_some() {
        tracing::warn!(store.directory = %directory.display(), "{}", local::words_of_new(directory));
    }
    let opened = Opened::of(&store, &config);
    opened.warn_of_readers();
    let greet = |listening: &Listening| opened.say(listening, printer);
    until_stopped(Arc::new(store), &place, config, Some(logs), greet).await
}

/// Serves a store until the process is told to stop; `greet` is told where it listens once it is ready.
pub(crate) async fn until_stopped(
    store: Arc<dyn Store>,
    place: &Place,
    config: Config,
    logs: Option<LogControl>,
    greet: impl FnOnce(&Listening),
) -> Result<Exit, Failure> {
    let speaks = if config.tls.is_some() { Scheme::Https } else { Scheme::Http };
    let server = Server::bind(config, store, Environment::system()).await.map_err(in_full)?;
    let listening = Listening::of(&server, speaks)?;
    let (changes, changed) = watch::channel(None);
    let stop = signals::until_stop(reload_of(place), changes).context("signals cannot be heard")?;
    greet(&listening);
    server.run(stop, changed, logs).await.map_err(in_full)?;
    Ok(Exit::Yes)
}

/// An error with all its causes: they are printed once, here.
fn in_full(error: sayso_server::serve::ServeError) -> Failure {
    Failure::Fault(anyhow::Error::new(error))
}

/// Reads the configuration anew, from where it was read first; a wrong one changes nothing.
fn reload_of(place: &Place) -> sayso_server::serve::Reload {
    let place = place.clone();
    Box::new(move || {
        place
            .config()
            .inspect_err(
                |error| tracing::error!(error = %error, "the configuration was not read again"),
            )
            .ok()
    })
}
