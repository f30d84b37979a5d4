//! An account at any of the providers: one place that knows which module speaks for it.

pub use sayso_core::words::channel::Provider;

use crate::call::{Call, Malformed, Unverified, Verified};
use crate::inbound::ProviderEvent;
use crate::outbound::{Answer, CannotSend, HandOver, HttpRequest, Outgoing};
use crate::party::Numbers;
use crate::{gupshup, kannel, meta, twilio};

/// What is needed to speak with one account at a provider.
#[derive(Clone, Debug)]
pub enum Connection {
    /// At Meta.
    Meta(meta::Credentials),
    /// At Gupshup.
    Gupshup(gupshup::Credentials),
    /// At Twilio.
    Twilio(twilio::Credentials),
    /// At a Kannel of one's own.
    Kannel(kannel::Credentials),
}

impl Connection {
    /// At which provider.
    pub const fn provider(&self) -> Provider {
        match self {
            Self::Meta(_) => Provider::Meta,
            Self::Gupshup(_) => Provider::Gupshup,
            Self::Twilio(_) => Provider::Twilio,
            Self::Kannel(_) => Provider::Kannel,
        }
    }

    /// Verifies a call as the provider's `verify` does.
    ///
    /// # Errors
    /// [`Unverified`].
    pub fn verify<'a>(&self, call: &Call<'a>) -> Result<Verified<'a>, Unverified> {
        match self {
            Self::Meta(credentials) => meta::verify(call, credentials),
            Self::Gupshup(credentials) => gupshup::verify(call, credentials),
            Self::Twilio(credentials) => twilio::verify(call, credentials),
            Self::Kannel(credentials) => kannel::verify(call, credentials),
        }
    }

    /// Verifies a call and reads its events.
    ///
    /// # Errors
    /// [`Unverified`]; then, inside, [`Malformed`].
    ///
    /// ```
    /// use sayso_channels::call::{Call, Method};
    /// use sayso_channels::connection::Connection;
    /// use sayso_channels::credentials::{HookToken, Secret};
    /// use sayso_channels::gupshup::{self, AppName};
    /// use sayso_channels::inbound::ProviderEvent;
    /// use sayso_channels::party::Numbers;
    /// use sayso_core::address::phone::PhoneBook;
    ///
    /// let connection = Connection::Gupshup(gupshup::Credentials {
    ///     api_key: Secret::parse("key")?,
    ///     app: AppName::parse("DemoApp")?,
    ///     hook_token: HookToken::parse("kSx3PzQ7wLm9RtY2")?,
    ///     base_url: gupshup::default_base_url(),
    /// });
    /// let call = Call {
    ///     method: Method::Post,
    ///     url: "https://sayso.example/hooks/con_1?token=kSx3PzQ7wLm9RtY2",
    ///     headers: &[],
    ///     body: br#"{"type": "message", "payload": {"id": "1", "source": "15550100001",
    ///                "type": "text", "payload": {"text": "STOP"}}}"#,
    /// };
    /// let events = connection.receive(&call, &Numbers::international(&PhoneBook::builtin()))??;
    /// let [ProviderEvent::Wrote(wrote)] = &events[..] else { panic!("one message") };
    /// assert_eq!(wrote.text(), Some("STOP"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive(
        &self,
        call: &Call<'_>,
        numbers: &Numbers<'_>,
    ) -> Result<Result<Vec<ProviderEvent>, Malformed>, Unverified> {
        let verified = self.verify(call)?;
        Ok(match self {
            Self::Meta(_) => meta::parse(&verified, numbers.book),
            Self::Gupshup(_) => gupshup::parse(&verified, numbers.book),
            Self::Twilio(_) => twilio::parse(&verified, numbers),
            Self::Kannel(_) => kannel::parse(&verified, numbers),
        })
    }

    /// Builds the request that sends a message.
    ///
    /// # Errors
    /// [`CannotSend`].
    pub fn send(&self, outgoing: &Outgoing<'_>) -> Result<HttpRequest, CannotSend> {
        match self {
            Self::Meta(credentials) => meta::send(outgoing, credentials),
            Self::Gupshup(credentials) => gupshup::send(outgoing, credentials),
            Self::Twilio(credentials) => twilio::send(outgoing, credentials),
            Self::Kannel(credentials) => kannel::send(outgoing, credentials),
        }
    }

    /// Reads the provider's answer to a send.
    pub fn read_answer(&self, answer: &Answer<'_>) -> HandOver {
        match self {
            Self::Meta(_) => meta::read_answer(answer),
            Self::Gupshup(_) => gupshup::read_answer(answer),
            Self::Twilio(_) => twilio::read_answer(answer),
            Self::Kannel(_) => kannel::read_answer(answer),
        }
    }
}
