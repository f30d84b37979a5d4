//! Parameters in form encoding, of a query or a body.

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use sayso_core::limits::{HOOK_BODY_BYTES_MAX, HOOK_PARAMETERS_MAX, HOOK_WORD_BYTES_MAX};

use crate::call::Malformed;
use crate::credentials::HOOK_TOKEN_PARAMETER;

/// The parameters of one call; of a repeated one the first counts. The token of the hook is not
/// among them, so that it is never kept with an unknown call.
pub(crate) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    /// Reads the body, then the query.
    pub(crate) fn read(query: &str, body: &[u8]) -> Result<Self, Malformed> {
        if query.len().saturating_add(body.len()) > HOOK_BODY_BYTES_MAX {
            return Err(Malformed::TooLarge);
        }
        let mut parameters = BTreeMap::new();
        let pairs = form_urlencoded::parse(body).chain(form_urlencoded::parse(query.as_bytes()));
        for (count, (name, value)) in pairs.enumerate() {
            if count >= HOOK_PARAMETERS_MAX {
                return Err(Malformed::TooManyParameters);
            }
            if name != HOOK_TOKEN_PARAMETER {
                parameters.entry(name.into_owned()).or_insert_with(|| value.into_owned());
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter, empty or not.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A parameter that is an id or a word: neither empty nor longer than
    /// [`HOOK_WORD_BYTES_MAX`].
    pub(crate) fn word(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|word| (1..=HOOK_WORD_BYTES_MAX).contains(&word.len()))
    }

    /// All of them in form encoding, in the order of their names.
    pub(crate) fn raw(&self) -> String {
        encode(self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }
}

/// Writes parameters in form encoding.
pub(crate) fn encode<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// A URL with one more parameter.
pub(crate) fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let sign = if url.contains('?') { '&' } else { '?' };
    format!("{url}{sign}{}", encode([(name, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bounded() {
        let query = "a=1&".repeat(HOOK_PARAMETERS_MAX);
        assert!(Parameters::read(&query, b"").is_ok());
        let fault = Parameters::read(&(query + "a=1"), b"").err();
        assert_eq!(fault, Some(Malformed::TooManyParameters));
    }

    #[test]
    fn the_token_is_not_kept() {
        let parameters = Parameters::read("token=secret&b=2+3", b"a=%C3%A9").unwrap();
        assert_eq!(parameters.raw(), "a=%C3%A9&b=2+3");
    }
}
