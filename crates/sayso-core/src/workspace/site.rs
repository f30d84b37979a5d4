//! A site: pages that may send what they know, by the tag.

use crate::time::Timestamp;
use crate::words::source::SourceName;

/// A web site that may send what its pages know, by the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The name, which is also the name of the reporting source.
    pub name: SourceName,
    /// The origins whose pages may use it: `https://shop.example`.
    pub origins: Vec<Box<str>>,
    /// The secret with which the customer's server signs `user_hash`, if it does.
    pub user_hash_secret: Option<Box<str>>,
    /// Whether what its pages say is taken only where `user_hash` vouches for it, refusals included.
    pub requires_user_hash: bool,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}
