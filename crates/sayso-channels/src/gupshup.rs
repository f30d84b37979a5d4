//! Gupshup's WhatsApp API, self-serve accounts.
//!
//! Gupshup signs nothing: what proves a call is the token in the hook's URL, beside the allow-list
//! of addresses that the server keeps. Calls come in version 2, one event each and numbers without
//! plus, or in version 3, which is Meta's own envelope with ids of Gupshup added. Gupshup no longer
//! keeps or checks opt-ins since September 2024 (unconfirmed at its source), so ours is the only
//! gate.
//!
//! *Source*: docs.gupshup.io, November 2026.

use sayso_core::address::phone::PhoneBook;

use crate::call::{Call, Malformed, Unverified, Verified, verify_token};
use crate::credentials::{BaseUrl, HookToken, Secret};
use crate::inbound::ProviderEvent;

mod codes;
mod inbound;
mod outbound;
pub mod users;

pub use outbound::{read_answer, send};

/// What a connection to one of Gupshup's apps holds.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The account's API key.
    pub api_key: Secret,
    /// The app's name, which requests name beside the number.
    pub app: AppName,
    /// The token in the hook's URL.
    pub hook_token: HookToken,
    /// Where the API is: [`default_base_url`] unless a stand-in is tested.
    pub base_url: BaseUrl,
}

/// The name of an app.
///
/// *Shape*: 1 to [`APP_NAME_BYTES_MAX`] letters and digits of ASCII, `-` and `_`, so that it is one
/// part of a path (which characters Gupshup itself allows is unconfirmed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppName(Box<str>);

/// A text that is no name of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no name of an app: letters, digits, - and _")]
pub struct AppNameFault;

/// The longest name of an app.
pub const APP_NAME_BYTES_MAX: usize = 150;

impl AppName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`AppNameFault`].
    pub fn parse(text: &str) -> Result<Self, AppNameFault> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_name = (1..=APP_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        if is_name { Ok(Self(text.into())) } else { Err(AppNameFault) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `https://api.gupshup.io`.
pub fn default_base_url() -> BaseUrl {
    BaseUrl::known("https://api.gupshup.io")
}

/// Verifies the token in the URL.
///
/// # Errors
/// [`Unverified`].
pub fn verify<'a>(call: &Call<'a>, credentials: &Credentials) -> Result<Verified<'a>, Unverified> {
    verify_token(call, &credentials.hook_token)
}

/// Reads the events of a call. In version 2 our side is the app's name, in version 3 the phone
/// number id. There are none where Gupshup only tries the hook, or counts what to
/// bill.
///
/// # Errors
/// [`Malformed`] when the body is neither of the two envelopes.
pub fn parse(verified: &Verified<'_>, book: &PhoneBook) -> Result<Vec<ProviderEvent>, Malformed> {
    inbound::parse(verified.call().body, book)
}
