//! A keyword rule of the workspace's own (rule 20).

use crate::text::rule;
use crate::time::Timestamp;

/// What a text does beside the words of every workspace (rule 20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it says.
    pub says: rule::Rule,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}
