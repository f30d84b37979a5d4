//! What is wrong with a setting, and where it was set.

use std::fmt;
use std::path::PathBuf;

/// Where a setting was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a file.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
    /// On the command line.
    Argument(String),
}

/// One wrong setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    origin: Origin,
    key: String,
    value: String,
    fault: &'static str,
    fix: String,
}

impl ConfigFault {
    pub(super) fn new(
        origin: Origin,
        key: &str,
        value: &str,
        fault: &'static str,
        fix: String,
    ) -> Self {
        let value = value.trim_matches('"').to_owned();
        Self { origin, key: key.to_owned(), value, fault, fix }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Argument(name) => write!(f, "the argument {name}"),
        }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, key, value, fault, fix } = self;
        write!(f, "{origin}: {key} = \"{value}\" {fault}: {fix}")
    }
}

/// All faults, one a line.
pub(super) fn list(faults: &[ConfigFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
