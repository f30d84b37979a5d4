//! What a server says of itself once it is ready: one line with all that an operator asks first.
//!
//! It goes out whatever the log level is. It is a JSON object where logs are JSON, so that whatever
//! reads the logs can read it too.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sayso_server::app::Scheme;
use sayso_server::config::Config;
use sayso_server::observe::LogForm;
use sayso_server::serve::Server;
use sayso_store::Store;
use sayso_store::environment::Environment;
use sayso_store::sqlite::SqliteStore;
use serde_json::{Value, json};

use crate::exit::Failure;
use crate::printer::{Printer, Style};

/// A store that is about to be served.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    directory: PathBuf,
    is_new: bool,
    master_key: String,
    events: u64,
    clock_held_back_us: u64,
    logs: LogForm,
}

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    /// The URL for clients and browsers.
    pub(crate) url: String,
    admin_url: String,
    speaks: Scheme,
}

impl Opened {
    /// What is known of a store before anything listens.
    pub(super) fn of(store: &SqliteStore, config: &Config) -> Self {
        let health = store.health();
        let directory = &config.store.directory;
        Self {
            directory: directory.canonicalize().unwrap_or_else(|_| directory.clone()),
            is_new: store.made().is_some(),
            master_key: store.master_key().to_string(),
            events: health.events,
            clock_held_back_us: health.clock_held_back_us,
            logs: config.log.form,
        }
    }

    /// Warns of what others on this machine may read.
    pub(super) fn warn_of_readers(&self) {
        let kept = [(self.directory.clone(), "700"), (self.directory.join("master.key"), "600")];
        for (path, right) in kept {
            if let Some(mode) = open_to_others(&path) {
                tracing::warn!(
                    path = %path.display(),
                    mode = %format_args!("{mode:03o}"),
                    "others on this machine may read what is the server's alone: run `chmod {right}` on it"
                );
            }
        }
    }

    /// Says it.
    pub(super) fn say(&self, listening: &Listening, printer: Printer) {
        match (printer.style(), self.logs) {
            (Style::Json, _) => printer.line(&self.shown(listening).to_string()),
            (Style::Text, LogForm::Json) => {
                let mut line = json!({
                    "timestamp": Environment::system().clock.now().to_string(),
                    "level": "INFO",
                    "message": "listening",
                });
                if let (Some(line), Value::Object(shown)) =
                    (line.as_object_mut(), self.shown(listening))
                {
                    line.extend(shown);
                }
                printer.say(&line.to_string());
            }
            (Style::Text, LogForm::Text) => printer.say(&self.in_words(listening)),
        }
    }

    fn shown(&self, listening: &Listening) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "url": listening.url,
            "admin_url": listening.admin_url,
            "tls": listening.speaks == Scheme::Https,
            "data": self.directory,
            "new_store": self.is_new,
            "events": self.events,
            "master_key": self.master_key,
            "clock_held_back_us": self.clock_held_back_us,
        })
    }

    fn in_words(&self, listening: &Listening) -> String {
        let Listening { url, admin_url, speaks } = listening;
        let tls = match speaks {
            Scheme::Https => "with TLS",
            Scheme::Http => "without TLS",
        };
        // Events of one commit are a microsecond apart, so their last one may be ahead by a little.
        let clock = match self.clock_held_back_us / 1_000_000 {
            0 => "clock right".to_owned(),
            behind => format!("clock {behind} s behind the last event: correct it"),
        };
        format!(
            "sayso: listening on {url} {tls}, operators on {admin_url}; version {}; data in {}, {} events, master key {}; {clock}",
            env!("CARGO_PKG_VERSION"),
            self.directory.display(),
            self.events,
            self.master_key,
        )
    }
}

impl Listening {
    /// Where a bound server listens.
    pub(super) fn of(server: &Server, speaks: Scheme) -> Result<Self, Failure> {
        let public = server.public_address().context("the listener has no address")?;
        let admin = server.admin_address().context("the listener for operators has no address")?;
        let scheme = match speaks {
            Scheme::Https => "https",
            Scheme::Http => "http",
        };
        let (url, admin_url) = (format!("{scheme}://{public}"), format!("http://{admin}"));
        Ok(Self { url, admin_url, speaks })
    }
}

/// The mode of a file that others than its owner may open; nothing for one that is closed to them.
fn open_to_others(path: &Path) -> Option<u32> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}
