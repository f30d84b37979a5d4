//! The store of this machine: owned by a running server, or opened here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use sayso_server::config::Config;
use sayso_server::serve::SOCKET;
use sayso_server::{App, Router};
use sayso_store::Store;
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Making, OpenError, Options, SqliteStore};

use crate::exit::Failure;

/// How a command reaches the store.
#[derive(Debug)]
pub(crate) enum Local {
    /// Through the socket of the server that owns it.
    Socket(PathBuf),
    /// Opened by this process.
    Here {
        /// The store.
        store: Arc<dyn Store>,
        /// The API over it, as the operator of this machine.
        router: Router,
        /// The directory, if this command made the store in it.
        made: Option<PathBuf>,
    },
}

impl Local {
    /// Reaches the store in `directory`.
    pub(crate) fn reach(
        directory: &Path,
        making: Making,
        config: &Config,
    ) -> Result<Self, Failure> {
        match open(directory, making) {
            Ok(store) => {
                let made = store.made().map(Path::to_path_buf);
                let store: Arc<dyn Store> = Arc::new(store);
                let app = App::new(Arc::clone(&store), Environment::system(), config.app_options());
                Ok(Self::Here { store, router: app.local_router(), made })
            }
            Err(OpenError::Owned(_)) => Ok(Self::Socket(directory.join(SOCKET))),
            Err(error) => Err(open_failure(directory, error)),
        }
    }

    /// Writes what waits and closes the store, if this process owns it.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        match self {
            Self::Socket(_) => Ok(()),
            Self::Here { store, .. } => {
                Ok(store.close().await.context("the store does not close")?)
            }
        }
    }
}

/// Opens a store whose unknown outcome ends the process: what is acknowledged later must not rest
/// on a guess.
pub(crate) fn open(directory: &Path, making: Making) -> Result<SqliteStore, OpenError> {
    let on_unknown_outcome = Arc::new(end_of_certainty);
    let options = Options { making, on_unknown_outcome, ..Options::default() };
    SqliteStore::open(directory, options, Environment::system())
}

#[expect(clippy::exit, clippy::print_stderr, reason = "nothing may be acknowledged after this")]
fn end_of_certainty(word: &str) {
    eprintln!(
        "sayso: the disk did not confirm a write ({word}). Whether it is stored is not known, so \
         nothing more is taken. Look after the disk and start again: what is stored will be found."
    );
    std::process::exit(3);
}

/// Why a store does not open, in words for operators.
pub(crate) fn open_failure(directory: &Path, error: OpenError) -> Failure {
    let place = directory.display();
    match error {
        OpenError::Owned(_) => Failure::Input(format!(
            "another process owns the store in {place}: stop it first, or name another directory with --data"
        )),
        OpenError::WrongKey(_) => Failure::Input(format!(
            "{place}/master.key is not the key this store was made with: put the right one there"
        )),
        newer @ OpenError::Newer { .. } => {
            Failure::Input(format!("{newer}: start the release that wrote it"))
        }
        yours @ (OpenError::NoStore(_)
        | OpenError::Gone { .. }
        | OpenError::BrokenOff(_)
        | OpenError::Foreign(_)
        | OpenError::Damaged { .. }
        | OpenError::Schema { .. }
        | OpenError::File { .. }) => Failure::Input(yours.to_string()),
        other @ (OpenError::Engine(_) | OpenError::Migration(_) | OpenError::Store(_)) => {
            Failure::Fault(anyhow::Error::new(other).context(format!("the store in {place}")))
        }
    }
}

/// What a first start says of the store that it made.
pub(crate) fn words_of_new(directory: &Path) -> String {
    let place = std::path::absolute(directory).unwrap_or_else(|_| directory.to_path_buf());
    let key = place.join("master.key");
    format!(
        "made a new store in {}. Copy {} to a safe place that backups do not go to: without it nobody in this store can \
         be looked up.",
        place.display(),
        key.display()
    )
}
