//! A row whose statements are on their way.

use super::lines::Record;
use super::statements::Statement;

/// How many rows are shown.
pub(super) const ROWS_SHOWN: u64 = 5;

/// A row whose statements are on their way.
pub(super) struct Sent {
    /// The row.
    pub(super) record: Record,
    /// How many statements are sent.
    pub(super) statements: usize,
    /// Those of the first rows, which are shown.
    pub(super) shown: Vec<Statement>,
    /// Why others are not sent.
    pub(super) faults: Vec<String>,
    /// What was in doubt.
    pub(super) remarks: Vec<String>,
}
