//! The call that a provider makes, and whether it is the provider's own.

use sayso_core::limits::HOOK_EVENTS_MAX;
use thiserror::Error;

use crate::credentials::{HOOK_TOKEN_PARAMETER, HookToken};
use crate::signature;

/// A method of HTTP; providers call with these two, and are called with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// One call of a provider, as it came in.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// The whole URL as the provider called it: scheme, host, port if it named one, path and
    /// query. Behind a proxy this is the outer URL, since Twilio signs it.
    pub url: &'a str,
    /// The headers, names in lower case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// A call that its provider really made. Only a provider's `verify` makes one, and only one of
/// these is parsed.
#[derive(Clone, Copy)]
pub struct Verified<'a>(Call<'a>);

/// Why a call is not believed: answer 401 and count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unverified {
    /// No signature, or no token, where one belongs.
    #[error("carries no signature or token")]
    Missing,
    /// One that does not fit the call.
    #[error("carries a signature or token that does not fit")]
    Wrong,
}

/// Why a verified call cannot be read at all: answer 400, keep it among the rejects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// More than [`HOOK_BODY_BYTES_MAX`](sayso_core::limits::HOOK_BODY_BYTES_MAX) bytes.
    #[error("is larger than any call of a provider")]
    TooLarge,
    /// The body is no JSON object in UTF-8.
    #[error("is no JSON object")]
    NotJson,
    /// Deeper than [`HOOK_JSON_DEPTH_MAX`](sayso_core::limits::HOOK_JSON_DEPTH_MAX).
    #[error("is nested too deep")]
    TooDeep,
    /// The outer shape is not the provider's: the field is absent, or says something else.
    #[error("has no `{field}` as the provider writes it")]
    Envelope {
        /// The field.
        field: &'static str,
    },
    /// More than [`HOOK_EVENTS_MAX`].
    #[error("has more than {HOOK_EVENTS_MAX} events")]
    TooManyEvents,
    /// More than [`HOOK_PARAMETERS_MAX`](sayso_core::limits::HOOK_PARAMETERS_MAX).
    #[error("has too many parameters")]
    TooManyParameters,
}

impl<'a> Call<'a> {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The query of the URL, without its question mark.
    pub fn query(&self) -> &'a str {
        let url = self.url.split_once('#').map_or(self.url, |(url, _)| url);
        url.split_once('?').map_or("", |(_, query)| query)
    }

    /// A parameter of the query, decoded; of a repeated one the first.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query().as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }
}

impl<'a> Verified<'a> {
    /// For a provider's `verify`, once it is sure.
    pub(crate) const fn of(call: &Call<'a>) -> Self {
        Self(*call)
    }

    /// The call.
    pub const fn call(&self) -> &Call<'a> {
        &self.0
    }
}

/// Verifies a call by the token in its URL, for providers that sign nothing.
pub(crate) fn verify_token<'a>(
    call: &Call<'a>,
    token: &HookToken,
) -> Result<Verified<'a>, Unverified> {
    let claimed = call.parameter(HOOK_TOKEN_PARAMETER).ok_or(Unverified::Missing)?;
    if signature::same(claimed.as_bytes(), token.as_str().as_bytes()) {
        Ok(Verified::of(call))
    } else {
        Err(Unverified::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_compared_whole() {
        let token = HookToken::parse("0123456789abcdef").unwrap();
        let verify = |url| {
            let call = Call { method: Method::Post, url, headers: &[], body: b"" };
            verify_token(&call, &token).map(|_| ())
        };
        assert_eq!(verify("https://h.example/hooks/c?a=b&token=0123456789abcdef"), Ok(()));
        assert_eq!(verify("https://h.example/hooks/c"), Err(Unverified::Missing));
        for url in [
            "https://h.example/hooks/c?token=",
            "https://h.example/hooks/c?token=0123456789abcde",
            "https://h.example/hooks/c?token=0123456789abcdeff",
            "https://h.example/hooks/c?token=0123456789abcdeF",
            "https://h.example/hooks/c?token=no&token=0123456789abcdef",
        ] {
            assert_eq!(verify(url), Err(Unverified::Wrong), "{url}");
        }
    }
}
