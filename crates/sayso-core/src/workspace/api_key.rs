//! An API key, as it is kept.

use crate::time::Timestamp;
use crate::words::source::SourceName;
use crate::words::statement::Standing;

use super::KeyScope;

/// One API key. The key itself is shown once and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// How operators call it; also the name of the source of what it records.
    pub name: SourceName,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The highest standing it may record (rule 4).
    pub highest: Standing,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it works.
    pub fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }
}
