//! `If-Match` and `If-None-Match`: on which state a client wants to change something, and which it has.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use utoipa::IntoParams;

use super::Tag;
use crate::problem::{Code, Problem};

/// The header of a change, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the document is all it is for")]
pub(crate) struct IfMatchHeader {
    /// The `ETag` of the state that you read: the change is refused with a 412 if somebody else changed it since. `*` means whatever is there, as does leaving the header out.
    #[param(rename = "If-Match", example = "\"3x5y6z7w801jd6m9k3te5b8r\"")]
    if_match: Option<String>,
}

/// The header of a read, for the OpenAPI document.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "the document is all it is for")]
pub(crate) struct IfNoneMatchHeader {
    /// The `ETag` of the state that you have: the answer is an empty 304 if nothing changed since.
    #[param(rename = "If-None-Match", example = "\"3x5y6z7w801jd6m9k3te5b8r\"")]
    if_none_match: Option<String>,
}

/// What a header says of tags.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    /// Whatever there is.
    Any,
    /// One of these.
    These(Vec<Named>),
}

/// A tag that a client names.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    tag: String,
    strength: Strength,
}

/// How far two states with one tag are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strength {
    /// In every byte.
    Strong,
    /// In what matters, as somebody on the way says.
    Weak,
}

/// The states that a change is for.
#[derive(Clone, Debug)]
pub(crate) struct IfMatch(Option<Tags>);

/// The states that a client has.
#[derive(Clone, Debug)]
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfMatch {
    /// Reads the header.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        tags(headers, &header::IF_MATCH).map(Self)
    }

    /// Refuses a change that is for another state than the one there is.
    pub(crate) fn check(&self, tag: &Tag) -> Result<(), Problem> {
        let Some(Tags::These(named)) = &self.0 else { return Ok(()) };
        let is_named = |named: &Named| named.tag == tag.0;
        let strong = |named: &Named| is_named(named) && named.strength == Strength::Strong;
        if named.iter().any(strong) {
            return Ok(());
        }
        let detail = if named.iter().any(is_named) {
            format!("If-Match takes no weak tags: send \"{}\" without W/", tag.0)
        } else {
            format!(
                "its ETag is \"{}\" now: read it, make your change on that, and send the tag as If-Match",
                tag.0
            )
        };
        Err(refused(tag, detail))
    }
}

/// The answer to a change that rests on another state than the one there is.
pub(super) fn refused(tag: &Tag, detail: String) -> Problem {
    let problem = Problem::new(Code::PreconditionFailed).detail(detail);
    match tag.header() {
        Some(value) => problem.header(header::ETAG, value),
        None => problem,
    }
}

impl IfNoneMatch {
    /// Whether the client has this state.
    pub(super) fn knows(&self, tag: &Tag) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::These(named)) => named.iter().any(|named| named.tag == tag.0),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        tags(&parts.headers, &header::IF_NONE_MATCH).map(Self)
    }
}

/// The tags of a header, on however many lines.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let lines: Option<Vec<&str>> =
        headers.get_all(name).iter().map(|line| line.to_str().ok()).collect();
    let read = match lines.as_deref() {
        Some([]) => return Ok(None),
        Some(lines) => parse(&lines.join(",")),
        None => None,
    };
    read.map(Some).ok_or_else(|| {
        let detail = format!(
            "the header {name} is not *, nor tags in quotes as ETag gives them, such as \"3x5y6z7w801jd6m9k3te5b8r\""
        );
        Problem::new(Code::InvalidValue).detail(detail)
    })
}

/// Parses `*`, or a list of tags (RFC 9110 sections 8.8.3 and 13.1.1).
fn parse(text: &str) -> Option<Tags> {
    let mut rest = text.trim();
    if rest == "*" {
        return Some(Tags::Any);
    }
    let mut named = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        let (strength, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (Strength::Weak, quoted),
            None => (Strength::Strong, rest),
        };
        let (tag, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if !tag.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        rest = after.trim_start();
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
        named.push(Named { tag: tag.to_owned(), strength });
    }
    (!named.is_empty()).then_some(Tags::These(named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_the_standard_writes_them() {
        let named = |tag: &str, strength| Named { tag: tag.to_owned(), strength };
        assert_eq!(parse(" * "), Some(Tags::Any));
        let two = vec![named("a", Strength::Strong), named("b,c", Strength::Weak)];
        assert_eq!(parse("\"a\" , ,W/\"b,c\""), Some(Tags::These(two)));
        for garbled in
            ["", " , ", "a", "\"a", "\"a\" \"b\"", "w/\"a\"", "*, \"a\"", "\"a b\"", "'a'"]
        {
            assert_eq!(parse(garbled), None, "{garbled}");
        }
    }
}
