//! Email by SMTP, through a relay of the operator's own or of a mail service.
//!
//! [`compose`] writes the message, [`read_refusal`] says what a reply means that is no success. A relay
//! calls nobody, so there is nothing to verify or to parse here: whether a message arrived, and what people
//! answer, a relay does not tell. Signing (DKIM) is the relay's. Absent on purpose: HTML, attachments, and
//! messages to several people at once.
//!
//! *Source*: RFC 5321 (SMTP), RFC 5322 (the message), RFC 2369 and RFC 8058 (leaving with one click), RFC
//! 3463 (codes), RFC 8314 (TLS).

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

use crate::credentials::Secret;

mod message;
mod reply;

pub use message::{Heading, Mail, compose};
pub use reply::{Stage, read_refusal};

/// What a connection to a relay holds.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Where the relay is.
    pub host: Host,
    /// The port it listens on.
    pub port: Port,
    /// How what is said to it is encrypted.
    pub tls: Tls,
    /// With what we log in, if the relay asks for that.
    pub log_in: Option<LogIn>,
}

/// What we log in with. `Debug` shows nothing of it.
#[derive(Clone, Debug)]
pub struct LogIn {
    /// The user.
    pub username: Secret,
    /// The password.
    pub password: Secret,
}

/// The name or address of a relay.
///
/// *Shape*: a host name such as `smtp.shop.example`, or an IP address; at most [`HOST_BYTES_MAX`] bytes.
/// Whether it may be called at all is the server's to guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(Box<str>);

/// A port. *Shape*: a number from 1 to 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(u16);

/// How a connection to a relay is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// From the first byte on (RFC 8314 recommends it).
    Implicit,
    /// After `STARTTLS`, without which nothing is said.
    StartTls,
    /// Not at all: for a relay that is near.
    None,
}

/// A text that is no host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no host name or IP address; port and protocol have fields of their own")]
pub struct HostFault;

/// A text that is no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no port: a number from 1 to 65535")]
pub struct PortFault;

/// A text that says nothing of encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is none of implicit, starttls, none")]
pub struct TlsFault;

/// The longest host name. *Source*: RFC 1035, section 2.3.4, without the last dot.
pub const HOST_BYTES_MAX: usize = 253;

impl LogIn {
    /// User and password, to be said to the relay alone.
    pub fn to_relay(&self) -> (&str, &str) {
        (self.username.as_str(), self.password.as_str())
    }
}

impl Host {
    /// Parses a host.
    ///
    /// # Errors
    /// [`HostFault`].
    pub fn parse(text: &str) -> Result<Self, HostFault> {
        let is_label = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_name = text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label);
        let is_host = is_name || text.parse::<IpAddr>().is_ok();
        if is_host { Ok(Self(text.to_ascii_lowercase().into())) } else { Err(HostFault) }
    }

    /// The host.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address, where it is one and no name.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }
}

impl Port {
    /// Parses a port.
    ///
    /// # Errors
    /// [`PortFault`].
    pub fn parse(text: &str) -> Result<Self, PortFault> {
        match text.parse() {
            Ok(0) | Err(_) => Err(PortFault),
            Ok(number) => Ok(Self(number)),
        }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl Tls {
    /// Parses the word.
    ///
    /// # Errors
    /// [`TlsFault`].
    pub fn parse(text: &str) -> Result<Self, TlsFault> {
        [Self::Implicit, Self::StartTls, Self::None]
            .into_iter()
            .find(|tls| tls.as_str() == text)
            .ok_or(TlsFault)
    }

    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Implicit => "implicit",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }

    /// The port where relays listen for it.
    ///
    /// *Source*: RFC 8314, section 3; RFC 6409; RFC 5321.
    pub const fn usual_port(self) -> Port {
        match self {
            Self::Implicit => Port(465),
            Self::StartTls => Port(587),
            Self::None => Port(25),
        }
    }
}

impl fmt::Display for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_nothing_around_it() {
        for good in ["smtp.shop.example", "Relay", "127.0.0.1", "::1", "xn--bcher-kva.example"] {
            assert_eq!(Host::parse(good).unwrap().as_str(), good.to_ascii_lowercase());
        }
        let long = format!("{}example", "a.".repeat(124));
        for bad in [
            "",
            "smtp://a",
            "a:25",
            "[::1]",
            "a b",
            "a..b",
            ".a",
            "a.",
            "-a.b",
            "a\r\n",
            "user@a",
            "bücher.example",
            &long,
        ] {
            assert_eq!(Host::parse(bad), Err(HostFault), "{bad}");
        }
        assert_eq!(Host::parse("::1").unwrap().ip(), Some("::1".parse().unwrap()));
        assert_eq!(Host::parse("a.example").unwrap().ip(), None);
    }

    #[test]
    fn a_port_is_a_number_that_a_relay_may_listen_on() {
        assert_eq!(Port::parse("587").unwrap().number(), 587);
        for bad in ["", "0", "65536", "-1", "25 ", "smtp"] {
            assert_eq!(Port::parse(bad), Err(PortFault), "{bad}");
        }
    }

    #[test]
    fn every_way_to_encrypt_is_read_as_it_is_written() {
        for tls in [Tls::Implicit, Tls::StartTls, Tls::None] {
            assert_eq!(Tls::parse(tls.as_str()), Ok(tls));
        }
        assert_eq!(Tls::parse("ssl"), Err(TlsFault));
    }
}
