//! What a content security policy in the page lets through.

use super::location::Location;
use super::markup::Script;

/// The directives that can stop a script, the first present one decides.
const SCRIPT: [&str; 3] = ["script-src-elem", "script-src", "default-src"];
/// The directives that can stop a request.
const CONNECT: [&str; 2] = ["connect-src", "default-src"];

/// Whether the policy lets the browser load this script.
pub(super) fn allows_script(policy: &str, script: &Script, location: &Location<'_>) -> bool {
    all(policy, &SCRIPT, |sources| {
        let trusts_only_nonces =
            sources.iter().any(|source| is_keyword(source, "'strict-dynamic'"));
        has_nonce(sources, script) || (!trusts_only_nonces && matches_any(sources, location))
    })
}

/// Whether the policy lets the text of a script in the page run. A hash is believed, not computed.
pub(super) fn allows_inline(policy: &str, script: &Script) -> bool {
    all(policy, &SCRIPT, |sources| {
        let hashed = sources.iter().any(|source| source.starts_with("'sha"));
        let nonced = sources.iter().any(|source| source.starts_with("'nonce-"));
        let unsafe_inline = sources.iter().any(|source| is_keyword(source, "'unsafe-inline'"));
        hashed || has_nonce(sources, script) || (unsafe_inline && !nonced)
    })
}

/// Whether the policy lets the page send to this place.
pub(super) fn allows_connection(policy: &str, location: &Location<'_>) -> bool {
    all(policy, &CONNECT, |sources| matches_any(sources, location))
}

/// A header or element may hold several policies, separated by commas: each has to agree.
fn all(policy: &str, directives: &[&str], allows: impl Fn(&[&str]) -> bool) -> bool {
    policy.split(',').all(|policy| sources(policy, directives).is_none_or(|found| allows(&found)))
}

fn sources<'a>(policy: &'a str, directives: &[&str]) -> Option<Vec<&'a str>> {
    directives.iter().find_map(|wanted| {
        policy.split(';').find_map(|directive| {
            let mut words = directive.split_whitespace();
            let name = words.next()?;
            name.eq_ignore_ascii_case(wanted).then(|| words.collect())
        })
    })
}

fn is_keyword(source: &str, keyword: &str) -> bool {
    source.eq_ignore_ascii_case(keyword)
}

fn has_nonce(sources: &[&str], script: &Script) -> bool {
    script.attribute("nonce").is_some_and(|nonce| {
        let wanted = format!("'nonce-{nonce}'");
        sources.contains(&wanted.as_str())
    })
}

fn matches_any(sources: &[&str], location: &Location<'_>) -> bool {
    sources.iter().any(|source| matches(source, location))
}

fn matches(source: &str, location: &Location<'_>) -> bool {
    let Some(host) = location.host else {
        // On the page's own host: any other source that names it cannot be told from here.
        return is_keyword(source, "'self'") || source == "*";
    };
    if source == "*" {
        return true;
    }
    if let Some(scheme) = source.strip_suffix(':') {
        return location.scheme.is_none_or(|own| own.eq_ignore_ascii_case(scheme));
    }
    let wanted = Location::parse(source);
    // A source may leave its scheme out: `consent.example`, not `/consent.example`.
    let bare = format!("//{source}");
    let wanted = if wanted.host.is_some() { wanted } else { Location::parse(&bare) };
    same_scheme(wanted.scheme, location.scheme)
        && wanted.host.is_some_and(|wanted| same_host(wanted, host))
        && same_path(wanted.path, location.path)
}

fn same_scheme(wanted: Option<&str>, own: Option<&str>) -> bool {
    match (wanted, own) {
        (Some(wanted), Some(own)) => {
            // A policy that allows http allows https too.
            wanted.eq_ignore_ascii_case(own)
                || (wanted.eq_ignore_ascii_case("http") && own.eq_ignore_ascii_case("https"))
        }
        (None, _) | (_, None) => true,
    }
}

fn same_host(wanted: &str, own: &str) -> bool {
    let wanted = wanted.strip_suffix(":443").unwrap_or(wanted).to_ascii_lowercase();
    let own = own.strip_suffix(":443").unwrap_or(own).to_ascii_lowercase();
    let any_port = wanted.strip_suffix(":*");
    let own_name = own.rsplit_once(':').map_or(own.as_str(), |(name, _)| name);
    let (wanted, own) = any_port.map_or((wanted.as_str(), own.as_str()), |name| (name, own_name));
    match wanted.strip_prefix('*') {
        Some(end) => end.starts_with('.') && own.ends_with(end),
        None => wanted == own,
    }
}

fn same_path(wanted: &str, own: &str) -> bool {
    matches!(wanted, "" | "/")
        || wanted == own
        || (wanted.ends_with('/') && own.starts_with(wanted))
}
