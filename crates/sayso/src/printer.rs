//! Everything that is printed: data on standard output, talk on standard error.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;

use serde_json::Value;

use crate::exit::Failure;

/// Whether data is printed for people or for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For people.
    Text,
    /// One JSON value, whose shape is an interface.
    Json,
}

/// Prints.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    style: Style,
}

#[expect(clippy::unused_self, reason = "who prints holds a printer, whatever its style")]
impl Printer {
    /// A printer in this style.
    pub(crate) const fn new(style: Style) -> Self {
        Self { style }
    }

    /// How data is printed.
    pub(crate) fn style(self) -> Style {
        self.style
    }

    /// Prints a line of data.
    pub(crate) fn line(self, line: &str) {
        write_line(&mut std::io::stdout().lock(), line);
    }

    /// Prints a piece of data as it is. A reader that went away, as `head` does, has what it wanted.
    pub(crate) fn piece(self, piece: &[u8]) -> std::io::Result<ControlFlow<()>> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(piece).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {
                Ok(ControlFlow::Break(()))
            }
            Err(error) => Err(error),
        }
    }

    /// Prints a value: as JSON for programs, else as `text` says.
    pub(crate) fn value(self, value: &Value, text: impl FnOnce(&Value) -> String) {
        match self.style {
            Style::Json => self.line(&value.to_string()),
            Style::Text => self.line(&text(value)),
        }
    }

    /// Says something to whoever watches.
    pub(crate) fn say(self, line: &str) {
        write_line(&mut std::io::stderr().lock(), line);
    }

    /// Says why a command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        self.say(&format!("sayso: {failure}"));
    }

    /// Whether somebody watches.
    pub(crate) fn is_watched(self) -> bool {
        self.style == Style::Text && std::io::stderr().is_terminal()
    }
}

/// Writes a line. A reader that went away, as `head` does, has what it wanted.
fn write_line(to: &mut impl Write, line: &str) {
    let written = writeln!(to, "{line}").and_then(|()| to.flush());
    if let Err(error) = written
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        tracing::warn!(error = %error, "a line could not be printed");
    }
}
