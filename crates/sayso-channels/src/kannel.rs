//! Kannel, an SMS gateway of one's own, through its HTTP interface.
//!
//! Kannel calls a URL that the operator writes into its configuration ([`get_url`] makes it) and
//! signs nothing: the URL holds a token. A number in national form is read by the region of the workspace,
//! else by that of our own number; `unified-prefix` in Kannel's configuration makes all of them
//! international. Kannel gives a message no id when it takes it, so our own
//! id goes into the URL for reports and comes back.
//!
//! *Source*: Kannel user guide, "SMS-service" and "Using the HTTP interface to send SMS messages".

use crate::call::{Call, Malformed, Unverified, Verified, verify_token};
use crate::credentials::{BaseUrl, HookToken, Secret};
use crate::inbound::ProviderEvent;
use crate::party::Numbers;

mod charset;
mod inbound;
mod outbound;

pub use inbound::get_url;
pub use outbound::{read_answer, send};

/// What a connection to Kannel holds.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The user of group `sendsms-user`.
    pub username: Secret,
    /// Its password.
    pub password: Secret,
    /// The token in the hook's URL.
    pub hook_token: HookToken,
    /// Where smsbox listens: [`default_base_url`] on the same machine.
    pub base_url: BaseUrl,
}

/// `http://127.0.0.1:13013`, where Kannel's example configuration lets smsbox listen.
pub fn default_base_url() -> BaseUrl {
    BaseUrl::known("http://127.0.0.1:13013")
}

/// Verifies the token in the URL.
///
/// # Errors
/// [`Unverified`].
pub fn verify<'a>(call: &Call<'a>, credentials: &Credentials) -> Result<Verified<'a>, Unverified> {
    verify_token(call, &credentials.hook_token)
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
