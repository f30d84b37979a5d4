//! How relays are encrypted to.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::client::TlsParameters;
use sayso_core::limits;

/// How relays are encrypted to, made once for each: the certificates that this system trusts are many.
#[derive(Default)]
pub(crate) struct Encryption(Mutex<HashMap<Box<str>, TlsParameters>>);

impl Encryption {
    /// How this relay is.
    ///
    /// # Errors
    /// That of the library, where the certificates of this system cannot be read.
    pub(crate) fn with(&self, host: &str) -> Result<TlsParameters, SmtpError> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parameters) = known.get(host) {
            return Ok(parameters.clone());
        }
        let parameters = TlsParameters::new(host.to_owned())?;
        if known.len() >= limits::CONNECTIONS_PER_WORKSPACE_MAX {
            known.clear();
        }
        known.insert(host.into(), parameters.clone());
        Ok(parameters)
    }
}

impl fmt::Debug for Encryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encryption").finish_non_exhaustive()
    }
}
