//! The host that a request names, before anybody believes it.
//!
//! It ends up in links, in the evidence of consent, and in what a provider signed. So what is no host is
//! answered with a 400 before any handler sees it (RFC 9112 section 3.2).

use axum::http::{HeaderMap, Uri, header};

/// Whether a request names one host that is one, or none. HTTP/2 has it in `:authority`, which may hold more
/// than a host (RFC 9113 section 8.3.1 forbids that).
pub(crate) fn is_sound(uri: &Uri, headers: &HeaderMap) -> bool {
    if !uri.authority().is_none_or(|authority| is_host(authority.as_str().as_bytes())) {
        return false;
    }
    let mut named = headers.get_all(header::HOST).iter();
    match (named.next(), named.next()) {
        (None, _) => true,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// Whether it is a name or an address, and a port or none (RFC 3986 section 3.2.2). Names are as they are
/// in the DNS, with underscores, which machines within one network have.
fn is_host(text: &[u8]) -> bool {
    let (is_named, port) = if let Some(address) = text.strip_prefix(b"[") {
        let Some(end) = address.iter().position(|byte| *byte == b']') else { return false };
        let (address, port) = address.split_at(end);
        let is_of_address = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        let is_address = !address.is_empty() && address.iter().all(is_of_address);
        (is_address, port.get(1..).unwrap_or_default())
    } else {
        let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
        let (name, port) = text.split_at(end);
        let is_of_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let has_length = (1..=HOST_BYTES_MAX).contains(&name.len());
        (has_length && name.iter().all(is_of_name), port)
    };
    let has_port = match port {
        [] => true,
        [b':', port @ ..] => {
            (1..=PORT_DIGITS_MAX).contains(&port.len()) && port.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    };
    is_named && has_port
}

/// The longest name of a host (RFC 1035 section 2.3.4), with a dot at its end.
const HOST_BYTES_MAX: usize = 254;
const PORT_DIGITS_MAX: usize = 5;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_a_port() {
        for host in [
            "consent.shop.example",
            "consent.shop.example.",
            "localhost:8080",
            "my_host",
            "127.0.0.1:1",
            "[::1]",
            "[::ffff:127.0.0.1]:65535",
            "xn--bcher-kva.example",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        let long = "x".repeat(255);
        for host in [
            "",
            ":80",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "ada@shop.example",
            "shop.example:",
            "shop.example:8a",
            "shop.example:123456",
            "shop.example:80:80",
            "[::1",
            "[]",
            "[::1]x",
            "[g::]",
            "a\"b",
            "a<b",
            "a,b",
            "bücher.example",
            "a\\b",
            "a%20b",
            &long,
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let mut headers = HeaderMap::new();
        assert!(is_sound(&Uri::from_static("/p"), &headers));
        headers.append(header::HOST, HeaderValue::from_static("a.example"));
        assert!(is_sound(&Uri::from_static("/p"), &headers));
        headers.append(header::HOST, HeaderValue::from_static("a.example"));
        assert!(!is_sound(&Uri::from_static("/p"), &headers));
        let none = HeaderMap::new();
        assert!(is_sound(&Uri::from_static("https://a.example:8443/p"), &none));
        assert!(!is_sound(&Uri::from_static("https://ada@shop.example/p"), &none));
    }
}
