//! What a connection holds to speak with its provider. Nothing here is shown by `Debug`.

use std::fmt;

use sayso_core::limits::SECRET_BYTES_MAX;
use thiserror::Error;

/// A token, key or password that a provider gave.
///
/// *Shape*: 1 to [`SECRET_BYTES_MAX`] bytes of printable ASCII, so that it fits a header as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

/// The secret in the URL of a hook whose provider signs nothing (Gupshup, Kannel).
///
/// *Shape*: [`HOOK_TOKEN_BYTES_MIN`] bytes or more, of letters, digits, `-` and `_`. It is the value
/// of the query parameter [`HOOK_TOKEN_PARAMETER`].
#[derive(Clone, PartialEq, Eq)]
pub struct HookToken(Secret);

/// Where a provider's API is.
///
/// *Shape*: `https://graph.facebook.com`, also with a port and a path; no user, query or fragment; a
/// slash at the end is dropped. Plain `http` is for a gateway or a stand-in on the same machine.
/// Whether the host may be called at all is the server's to guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Box<str>);

/// Why a text is no secret. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SecretFault {
    /// Empty: an empty key would sign for everybody.
    #[error("is empty")]
    Empty,
    /// Shorter than [`HOOK_TOKEN_BYTES_MIN`].
    #[error("is shorter than {HOOK_TOKEN_BYTES_MIN} characters")]
    TooShort,
    /// Longer than [`SECRET_BYTES_MAX`].
    #[error("is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// White space at an end, control characters, or characters beyond ASCII.
    #[error("has a character that such a secret cannot have; was it copied whole?")]
    Character,
}

/// A text that is no base URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no URL of the form https://host or https://host/path")]
pub struct BaseUrlFault;

/// The shortest token of a hook: 16 characters of 64 kinds are 96 bits.
pub const HOOK_TOKEN_BYTES_MIN: usize = 16;

/// The query parameter of a hook's URL that holds its token.
pub const HOOK_TOKEN_PARAMETER: &str = "token";

const URL_BYTES_MAX: usize = 1_024;

impl Secret {
    /// Parses a secret.
    ///
    /// # Errors
    /// [`SecretFault`], all but [`SecretFault::TooShort`].
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        if text.is_empty() {
            Err(SecretFault::Empty)
        } else if text.len() > SECRET_BYTES_MAX {
            Err(SecretFault::TooLong)
        } else if text != text.trim() || !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            Err(SecretFault::Character)
        } else {
            Ok(Self(text.into()))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl HookToken {
    /// Parses a token.
    ///
    /// # Errors
    /// [`SecretFault`].
    pub fn parse(text: &str) -> Result<Self, SecretFault> {
        let secret = Secret::parse(text)?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !text.bytes().all(is_plain) {
            Err(SecretFault::Character)
        } else if text.len() < HOOK_TOKEN_BYTES_MIN {
            Err(SecretFault::TooShort)
        } else {
            Ok(Self(secret))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for HookToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HookToken")
    }
}

impl BaseUrl {
    /// Parses a base URL.
    ///
    /// # Errors
    /// [`BaseUrlFault`].
    pub fn parse(text: &str) -> Result<Self, BaseUrlFault> {
        let text = text.trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain = |byte: u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':' | b'/' | b'%' | b'[' | b']')
        };
        let has_host = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '[');
        rest.filter(|rest| has_host(rest) && rest.bytes().all(is_plain))
            .filter(|_| text.len() <= URL_BYTES_MAX)
            .map(|_| Self(text.into()))
            .ok_or(BaseUrlFault)
    }

    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// For the defaults of the providers, which are known to be right.
    pub(crate) fn known(text: &str) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::parse("correct horse").unwrap();
        let token = HookToken::parse("0123456789abcdef").unwrap();
        assert_eq!(format!("{secret:?} {token:?}"), "Secret HookToken");
    }

    #[test]
    fn what_cannot_be_a_secret_is_refused() {
        assert_eq!(Secret::parse("").unwrap_err(), SecretFault::Empty);
        assert_eq!(Secret::parse("a\r\nb").unwrap_err(), SecretFault::Character);
        assert_eq!(Secret::parse("a ").unwrap_err(), SecretFault::Character);
        let longest = "a".repeat(SECRET_BYTES_MAX);
        assert!(Secret::parse(&longest).is_ok());
        assert_eq!(Secret::parse(&(longest + "a")).unwrap_err(), SecretFault::TooLong);
        assert_eq!(HookToken::parse("0123456789abcde").unwrap_err(), SecretFault::TooShort);
        assert_eq!(HookToken::parse("0123456789abcde&").unwrap_err(), SecretFault::Character);
    }

    #[test]
    fn a_base_url_has_a_host_and_nothing_after_its_path() {
        assert_eq!(BaseUrl::parse("https://api.example/").unwrap().as_str(), "https://api.example");
        assert!(BaseUrl::parse("http://127.0.0.1:13013").is_ok());
        for text in
            ["", "https://", "ftp://a", "https://a@b", "https://a?b", "https://a#b", "https:///a"]
        {
            assert_eq!(BaseUrl::parse(text), Err(BaseUrlFault), "{text}");
        }
    }
}
