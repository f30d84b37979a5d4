//! Twilio's Messages API: SMS and WhatsApp.
//!
//! Calls are signed with the account's token over the URL as Twilio called it and the parameters.
//! Twilio answers stop, start and help words by itself where Advanced Opt-Out is on, and says so.
//! Times of messages it does not tell.
//!
//! *Source*: twilio.com/docs, and the validator of its Python library, November 2026.

use thiserror::Error;

use crate::call::{Call, Malformed, Unverified, Verified};
use crate::credentials::{BaseUrl, Secret};
use crate::inbound::ProviderEvent;
use crate::party::Numbers;

mod codes;
mod inbound;
mod outbound;
mod validator;

pub use outbound::{read_answer, send};

/// What a connection to Twilio holds.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account.
    pub account: AccountSid,
    /// Its token: it signs what Twilio sends, and is the password of the API.
    pub auth_token: Secret,
    /// Where the API is: [`default_base_url`] unless a stand-in is tested.
    pub base_url: BaseUrl,
}

/// The id of an account.
///
/// *Shape*: `AC` and 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSid(Box<str>);

/// A text that is no id of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no account SID: AC and 32 hexadecimal digits")]
pub struct AccountSidFault;

impl AccountSid {
    /// Parses an id.
    ///
    /// # Errors
    /// [`AccountSidFault`].
    pub fn parse(text: &str) -> Result<Self, AccountSidFault> {
        if is_sid(text, "AC") { Ok(Self(text.into())) } else { Err(AccountSidFault) }
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a text is one of Twilio's ids: two letters that say of what, and 32 hexadecimal digits.
fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// `https://api.twilio.com`.
pub fn default_base_url() -> BaseUrl {
    BaseUrl::known("https://api.twilio.com")
}

/// Verifies `X-Twilio-Signature`.
///
/// What is signed is the URL, with or without its port, followed for a form by each parameter's name
/// and value, in the order of their bytes, the same pair once. Any other body must have the SHA-256
/// that `bodySHA256` in the URL names. A body that neither covers is not believed.
///
/// # Errors
/// [`Unverified::Missing`] without the header, [`Unverified::Wrong`] for any other fault.
pub fn verify<'a>(call: &Call<'a>, credentials: &Credentials) -> Result<Verified<'a>, Unverified> {
    validator::verify(call, &credentials.auth_token)
}

/// Reads the event of a call: a message, or a report on one of ours.
///
/// # Errors
/// [`Malformed`] when there are too many parameters.
pub fn parse(
    verified: &Verified<'_>,
    numbers: &Numbers<'_>,
) -> Result<Vec<ProviderEvent>, Malformed> {
    inbound::parse(verified.call(), numbers)
}
