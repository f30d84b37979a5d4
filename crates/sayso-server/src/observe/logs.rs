//! Structured logs on standard error.

use std::fmt;

use thiserror::Error;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::reload;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry};

use super::seldom::Seldom;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogForm {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The log level cannot be set.
#[derive(Debug, Error)]
pub enum LogFault {
    /// Logs were started before.
    #[error("logs were started before")]
    Started(#[source] TryInitError),
    /// The level is no filter.
    #[error("is no log level: off, error, warn, info, debug or trace")]
    Level,
    /// The subscriber is gone.
    #[error("logs have stopped")]
    Stopped(#[source] reload::Error),
}

/// Changes the level while the server runs, and says what was left out.
#[derive(Clone)]
pub struct LogControl {
    filter: reload::Handle<EnvFilter, Registry>,
    seldom: Seldom,
}

/// Starts logs of this process at a level.
///
/// # Errors
/// [`LogFault`].
pub fn start_logs(level: &str, form: LogForm) -> Result<LogControl, LogFault> {
    let (subscriber, control) = subscriber(level, form, std::io::stderr)?;
    subscriber.try_init().map_err(LogFault::Started)?;
    Ok(control)
}

/// A subscriber that writes log lines to `writer`.
///
/// # Errors
/// [`LogFault::Level`].
pub fn subscriber<W>(
    level: &str,
    form: LogForm,
    writer: W,
) -> Result<(impl tracing::Subscriber + Send + Sync, LogControl), LogFault>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(parse_level(level)?);
    let lines = tracing_subscriber::fmt::layer().with_writer(writer).with_target(true);
    let lines = match form {
        LogForm::Json => lines.json().flatten_event(true).boxed(),
        LogForm::Text => lines.boxed(),
    };
    let seldom = Seldom::default();
    let control = LogControl { filter: handle, seldom: seldom.clone() };
    Ok((tracing_subscriber::registry().with(filter).with(seldom).with(lines), control))
}

fn parse_level(level: &str) -> Result<EnvFilter, LogFault> {
    let level: LevelFilter = level.parse().map_err(|_| LogFault::Level)?;
    // What libraries say below "warn" may hold what they were given; ours never does.
    let others = level.min(LevelFilter::WARN);
    EnvFilter::try_new(format!("{others},sayso={level},sayso_server={level},sayso_store={level}"))
        .map_err(|_| LogFault::Level)
}

impl LogControl {
    /// Sets another level.
    ///
    /// # Errors
    /// [`LogFault::Level`] and [`LogFault::Stopped`].
    pub fn set_level(&self, level: &str) -> Result<(), LogFault> {
        self.filter.reload(parse_level(level)?).map_err(LogFault::Stopped)
    }

    /// Writes how many lines were left out since this was last called, by the place that would have
    /// written them: each says the same as those before it.
    pub fn tell_left_out(&self) {
        for (place, lines) in self.seldom.take_left_out() {
            let (file, line) = (place.file().unwrap_or_default(), place.line().unwrap_or_default());
            tracing::warn!(
                log.file = file,
                log.line = line,
                log.left_out = lines,
                "lines of the log were left out: there are more of a kind than are read"
            );
        }
    }
}

impl fmt::Debug for LogControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogControl(..)")
    }
}
