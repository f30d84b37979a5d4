//! A topic: a kind of message that people can agree to by itself.

use crate::time::Timestamp;
use crate::words::channel::Category;

/// A kind of message promised to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// How it is called.
    pub name: Box<str>,
    /// The category, fixed for good.
    pub category: Category,
    /// What people write after STOP to leave it; absent where its name is the code.
    pub code: Option<Box<str>>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}
