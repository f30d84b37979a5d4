//! A connection: an account at a provider, by which a sender's messages go.

use std::collections::BTreeMap;
use std::fmt;

use crate::time::Timestamp;
use crate::words::channel::Provider;

/// An account at a provider. `Debug` shows none of its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// How operators call it.
    pub name: Box<str>,
    /// The provider.
    pub provider: Provider,
    /// What is needed to speak with the provider, by name: keys, tokens, where its API is.
    pub credentials: BTreeMap<Box<str>, Box<str>>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .field("credentials", &self.credentials.keys())
            .field("deleted_at", &self.deleted_at)
            .finish()
    }
}
