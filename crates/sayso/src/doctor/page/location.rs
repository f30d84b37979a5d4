//! Addresses of scripts, as they stand in a page.

/// The parts of an address that decide whether a browser loads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Location<'a> {
    /// `None` where the page's own scheme counts.
    pub(super) scheme: Option<&'a str>,
    /// With its port; `None` where the page's own host counts.
    pub(super) host: Option<&'a str>,
    /// Without query and fragment.
    pub(super) path: &'a str,
}

impl<'a> Location<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), Some(rest)),
            None => (None, text.strip_prefix("//")),
        };
        let Some(rest) = rest else {
            return Self { scheme: None, host: None, path: text };
        };
        let (host, path) =
            rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
        Self { scheme, host: Some(host), path }
    }

    /// The same place with another path.
    pub(super) fn with_path<'b>(&self, path: &'b str) -> Location<'b>
    where
        'a: 'b,
    {
        Location { path, ..*self }
    }

    pub(super) fn is_loopback(&self) -> bool {
        let Some(host) = self.host else {
            return false;
        };
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name == "localhost"
            || name.ends_with(".localhost")
            || name.starts_with("127.")
            || name == "[::1]"
    }

    /// Scheme and host, as a content security policy names them.
    pub(super) fn origin(&self) -> String {
        match (self.scheme, self.host) {
            (Some(scheme), Some(host)) => format!("{scheme}://{host}"),
            (None, Some(host)) => host.to_owned(),
            (Some(_) | None, None) => "'self'".to_owned(),
        }
    }
}
