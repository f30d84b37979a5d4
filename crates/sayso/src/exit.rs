//! Exit codes, and why a command failed.

use std::process::ExitCode;

use thiserror::Error;

/// How a command ended. The numbers are an interface: scripts rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or yes.
    Yes,
    /// No: denied, or not as it should be.
    No,
    /// The input is wrong.
    Input,
    /// It is our fault, or this machine's.
    Fault,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::Input => 2,
            Exit::Fault => 3,
        })
    }
}

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What the user gave cannot be used; the text says what to do.
    #[error("{0}")]
    Input(String),
    /// Something of ours, or of this machine.
    #[error("{0:#}")]
    Fault(#[from] anyhow::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Input(_) => Exit::Input,
            Self::Fault(_) => Exit::Fault,
        }
    }
}
