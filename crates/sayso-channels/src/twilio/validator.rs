//! `X-Twilio-Signature`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_core::limits::{HOOK_BODY_BYTES_MAX, HOOK_PARAMETERS_MAX};

use crate::call::{Call, Unverified, Verified};
use crate::credentials::Secret;
use crate::signature;

const SIGNATURE_HEADER: &str = "x-twilio-signature";
const BODY_HASH_PARAMETER: &str = "bodySHA256";

/// A parameter of a form, decoded.
type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

pub(super) fn verify<'a>(call: &Call<'a>, token: &Secret) -> Result<Verified<'a>, Unverified> {
    let header = call.header(SIGNATURE_HEADER).ok_or(Unverified::Missing)?;
    let claimed = STANDARD.decode(header).map_err(|_| Unverified::Wrong)?;
    let pairs = signed_pairs(call).ok_or(Unverified::Wrong)?;
    let key = token.as_str().as_bytes();
    let is_signed = |url: &str| {
        let pairs = pairs.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let pieces = std::iter::once(url.as_bytes()).chain(pairs);
        signature::is_hmac_sha1(key, pieces, &claimed)
    };
    let (without_port, with_port) = port_spellings(call.url);
    if is_signed(&without_port) || is_signed(&with_port) {
        Ok(Verified::of(call))
    } else {
        Err(Unverified::Wrong)
    }
}

/// Whether the body is a form, whose parameters are signed.
pub(super) fn is_form(call: &Call<'_>) -> bool {
    let header = call.header("content-type").unwrap_or_default();
    let kind = header.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
}

/// The distinct parameters that the signature covers, in order; `None` when the body is covered by
/// nothing, or is more than we hash for a stranger.
fn signed_pairs<'a>(call: &Call<'a>) -> Option<BTreeSet<Pair<'a>>> {
    if call.body.len() > HOOK_BODY_BYTES_MAX {
        return None;
    }
    if call.body.is_empty() {
        return Some(BTreeSet::new());
    }
    if is_form(call) {
        let pairs: Vec<_> =
            form_urlencoded::parse(call.body).take(HOOK_PARAMETERS_MAX + 1).collect();
        return (pairs.len() <= HOOK_PARAMETERS_MAX).then(|| pairs.into_iter().collect());
    }
    let hash = call.parameter(BODY_HASH_PARAMETER)?;
    signature::is_sha256(call.body, hash.as_bytes()).then(BTreeSet::new)
}

/// The URL without a port, and with one: Twilio signs the one or the other, and a proxy may have
/// dropped it.
fn port_spellings(url: &str) -> (String, String) {
    let Some((scheme, rest)) = url.split_once("://") else {
        return (url.to_owned(), url.to_owned());
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let port = authority
        .rsplit_once(':')
        .filter(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    let without = port.map_or(authority, |(host, _)| host);
    let with = match port {
        Some(_) => authority.to_owned(),
        None => format!("{authority}:{}", if scheme == "https" { 443 } else { 80 }),
    };
    (format!("{scheme}://{without}{path}"), format!("{scheme}://{with}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_spelled_with_and_without_its_port() {
        let spelled = |url| {
            let (without, with) = port_spellings(url);
            (without, with)
        };
        for (url, without, with) in [
            (
                "https://h.example/a:b?c=d:1",
                "https://h.example/a:b?c=d:1",
                "https://h.example:443/a:b?c=d:1",
            ),
            ("http://h.example", "http://h.example", "http://h.example:80"),
            ("https://h.example:8443/a", "https://h.example/a", "https://h.example:8443/a"),
            ("https://[::1]:8443?a", "https://[::1]?a", "https://[::1]:8443?a"),
            ("https://[::1]/", "https://[::1]/", "https://[::1]:443/"),
            ("https://u:p@h.example/", "https://u:p@h.example/", "https://u:p@h.example:443/"),
            ("no url", "no url", "no url"),
        ] {
            assert_eq!(spelled(url), (without.to_owned(), with.to_owned()), "{url}");
        }
    }
}
