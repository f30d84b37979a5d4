//! Meta's WhatsApp Cloud API.
//!
//! Calls are signed with the app's secret. One call may hold many events of many numbers. A person
//! is named by phone, by a business-scoped user id (BSUID), or by both; either may be missing.
//!
//! *Source*: Meta, WhatsApp Business Platform, webhooks and Cloud API references, November 2026.

use sayso_core::address::phone::PhoneBook;

use crate::call::{Call, Malformed, Method, Unverified, Verified};
use crate::credentials::{BaseUrl, Secret};
use crate::inbound::ProviderEvent;
use crate::signature;

mod account;
mod change;
pub(crate) mod codes;
pub(crate) mod content;
pub(crate) mod envelope;
pub(crate) mod messages;
mod outbound;
mod people;
mod qr_link;
mod system;

pub use outbound::{read_answer, send};
pub use qr_link::{QrImage, QrLink, QrLinkFault, create_qr_link, read_qr_link};

/// What a connection to Meta holds.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The app's secret, which signs what Meta sends.
    pub app_secret: Secret,
    /// The word that the operator enters at Meta beside the hook's URL.
    pub verify_token: Secret,
    /// The access token of a system user.
    pub access_token: Secret,
    /// Where the Graph API is: [`default_base_url`] unless a stand-in is tested.
    pub base_url: BaseUrl,
}

/// `https://graph.facebook.com`.
pub fn default_base_url() -> BaseUrl {
    BaseUrl::known("https://graph.facebook.com")
}

/// The version of the Graph API that requests name. Any current one will do (unconfirmed for the
/// next: Meta retires a version after about two years).
pub const GRAPH_VERSION: &str = "v25.0";

const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// Verifies a `POST`: `X-Hub-Signature-256` is `sha256=` and the HMAC-SHA256 of the raw body in
/// hexadecimal, keyed with the app's secret.
///
/// # Errors
/// [`Unverified::Missing`] without the header or for a `GET`, [`Unverified::Wrong`] for any other
/// signature.
pub fn verify<'a>(call: &Call<'a>, credentials: &Credentials) -> Result<Verified<'a>, Unverified> {
    let header = match call.method {
        Method::Post => call.header(SIGNATURE_HEADER).ok_or(Unverified::Missing)?,
        Method::Get => return Err(Unverified::Missing),
    };
    let hex = header.strip_prefix(b"sha256=").ok_or(Unverified::Wrong)?;
    let key = credentials.app_secret.as_str().as_bytes();
    if signature::is_hmac_sha256(key, call.body, hex) {
        Ok(Verified::of(call))
    } else {
        Err(Unverified::Wrong)
    }
}

/// Answers Meta's question whether the hook is ours: a `GET` with `hub.mode=subscribe`, the verify
/// token and a challenge. The challenge is to be sent back as plain text.
///
/// # Errors
/// [`Unverified::Missing`] for any other call, [`Unverified::Wrong`] for another token.
pub fn handshake(call: &Call<'_>, credentials: &Credentials) -> Result<String, Unverified> {
    let mode = call.parameter("hub.mode");
    if call.method != Method::Get || mode.as_deref() != Some("subscribe") {
        return Err(Unverified::Missing);
    }
    let claimed = call.parameter("hub.verify_token").ok_or(Unverified::Missing)?;
    let challenge = call.parameter("hub.challenge").ok_or(Unverified::Missing)?;
    let token = credentials.verify_token.as_str().as_bytes();
    if signature::same(claimed.as_bytes(), token) { Ok(challenge) } else { Err(Unverified::Wrong) }
}

/// Reads the events of a call.
///
/// # Errors
/// [`Malformed`] when the body is no envelope of Meta's. What is odd inside a good envelope is a
/// [`ProviderEvent::Unknown`] among its neighbors.
pub fn parse(verified: &Verified<'_>, book: &PhoneBook) -> Result<Vec<ProviderEvent>, Malformed> {
    envelope::parse(verified.call().body, book)
}
