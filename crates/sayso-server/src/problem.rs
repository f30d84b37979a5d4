//! What goes wrong, as the client sees it: RFC 9457 problems with stable codes.
//!
//! This module alone turns domain errors into answers. A handler returns a [`Problem`]; the
//! outermost layer writes its body, because only that layer knows the id of the request. No inner
//! text of an error ever reaches a client.

use std::fmt::{self, Write};

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use sayso_store::store::StoreError;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

pub use codes::Code;

mod codes;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// One field of the request, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where it stands in the request, as a JSON pointer (RFC 6901); `?name` for a query parameter.
    pub pointer: String,
    /// The stable code of this fault.
    #[schema(value_type = String, example = "invalid-phone")]
    pub code: Code,
    /// What is wrong with the value.
    pub fault: String,
    /// A value that would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Why a request was not done, as the client sees it.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    code: Code,
    detail: Option<String>,
    errors: Vec<FieldError>,
    left_out: u64,
    decision: Option<Value>,
    headers: HeaderMap,
}

/// The body of a problem.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// A reference to the page that explains the code.
    #[serde(rename = "type")]
    #[schema(example = "/docs/problems#not-json")]
    kind: String,
    /// What happened, in a few words that never change for a code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The id of the request, also in the header `x-request-id`.
    instance: String,
    /// The stable code; the list is at `/docs/problems`.
    #[schema(value_type = String, example = "not-json")]
    code: Code,
    /// The fields that are wrong, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// How many more fields are wrong than `errors` names; absent where it names all.
    #[serde(skip_serializing_if = "is_none_left_out")]
    #[schema(value_type = Option<u64>)]
    errors_left_out: u64,
    /// What the gate says, as `check` answers it; with `message-not-allowed` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    decision: Option<Value>,
}

impl Problem {
    /// A problem with this code and nothing more to say.
    pub fn new(code: Code) -> Self {
        let (errors, headers) = (Vec::new(), HeaderMap::new());
        let (detail, decision) = (None, None);
        Self(Box::new(Parts { code, detail, errors, left_out: 0, decision, headers }))
    }

    /// What happened this time. Never holds personal data or the text of an inner error.
    #[must_use]
    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.0.detail = Some(detail.to_string());
        self
    }

    /// A problem of these fields. Where all have the same code it is the problem's own.
    pub fn of_fields(errors: Vec<FieldError>) -> Self {
        let mut codes = errors.iter().map(|error| error.code);
        let first = codes.next().unwrap_or(Code::InvalidFields);
        let code = if codes.all(|code| code == first) { first } else { Code::InvalidFields };
        let mut problem = Self::new(code);
        problem.0.errors = errors;
        problem
    }

    /// The problem, of which so many more fields are wrong.
    #[must_use]
    pub fn and_more(mut self, left_out: u64) -> Self {
        self.0.left_out += left_out;
        self
    }

    /// The problem with no more than its first `errors_max` fields told, and the others counted.
    #[must_use]
    pub(crate) fn telling(mut self, errors_max: usize) -> Self {
        let more = self.0.errors.len().saturating_sub(errors_max);
        self.0.errors.truncate(errors_max);
        self.0.errors.shrink_to_fit();
        self.and_more(u64::try_from(more).unwrap_or(u64::MAX))
    }

    /// The problem with the decision of the gate that it follows from.
    #[must_use]
    pub fn decision(mut self, decision: &impl Serialize) -> Self {
        self.0.decision = serde_json::to_value(decision).ok();
        self
    }

    /// The problem with a header besides.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The problem, and when to come back.
    #[must_use]
    pub fn retry_after_seconds(self, seconds: u64) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    /// Whether it says more than its code does.
    pub(crate) fn says_more(&self) -> bool {
        self.0.detail.is_some() || !self.0.errors.is_empty()
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The fields that are wrong.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// How many more fields are wrong.
    pub fn left_out(&self) -> u64 {
        self.0.left_out
    }

    /// The body, for the request with this id.
    pub fn body(&self, instance: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("/docs/problems#{}", self.0.code.as_str()),
            title: self.0.code.title(),
            status: self.0.code.status().as_u16(),
            detail: self.0.detail.clone(),
            instance: instance.to_owned(),
            code: self.0.code,
            errors: self.0.errors.clone(),
            errors_left_out: self.0.left_out,
            decision: self.0.decision.clone(),
        }
    }

    /// The response, for the request with this id.
    pub fn render(&self, instance: &str) -> Response {
        let body = serde_json::to_vec(&self.body(instance)).unwrap_or_default();
        let mut response = (self.0.code.status(), body).into_response();
        let headers = response.headers_mut();
        headers.extend(self.0.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

/// Whether nothing was left out of a list of faults.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
pub(crate) const fn is_none_left_out(left_out: &u64) -> bool {
    *left_out == 0
}

/// Hands the problem to the outermost layer, which writes the body.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.code.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => Self::new(Code::Busy).retry_after_seconds(1),
            StoreError::Unwritable(_) => {
                tracing::error!(error = %error, "the store cannot write: free space or permissions are needed");
                Self::new(Code::StoreUnwritable).retry_after_seconds(30)
            }
            StoreError::Closed => Self::new(Code::Stopping).retry_after_seconds(5),
            StoreError::Unknown => Self::new(Code::OutcomeUnknown).retry_after_seconds(5),
            StoreError::NoWorkspace => Self::new(Code::NotFound),
            StoreError::Decided => Self::new(Code::AlreadyDecided),
            StoreError::Corrupt { table, ref id } => {
                tracing::error!(store.table = table, store.row = %id, "a stored row is damaged");
                Self::new(Code::StoreUnreadable)
            }
            StoreError::Unreadable(ref source) => {
                tracing::error!(error = %source, "the store cannot be read");
                Self::new(Code::StoreUnreadable)
            }
        }
    }
}

/// The page that lists every code, in Markdown, for `docs/reference/problems.md`.
pub fn reference_markdown() -> String {
    let mut page = String::from(
        "# Problems\n\nErrors are RFC 9457 problems (`application/problem+json`) with a stable `code`. \
         A code is never reused. Where fields are wrong, `errors` names up to 32 of them by JSON \
         pointer, each with a code of its own, the fault and a good example; `errors_left_out` says \
         how many more there are. Where all of them have the same code, it is the problem's code too.\n",
    );
    for code in Code::ALL {
        let _infallible = write!(
            page,
            "\n## {}\n\n**{}**: {}.\n\n{}\n\n*What to do.* {}\n",
            code.as_str(),
            code.status().as_u16(),
            code.title(),
            code.meaning(),
            code.remedy(),
        );
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_kebab_case_words() {
        let distinct: std::collections::BTreeSet<_> =
            Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(distinct.len(), Code::ALL.len());
        for code in distinct {
            assert!(
                code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
                "{code}"
            );
        }
    }

    #[test]
    fn fields_of_one_code_make_a_problem_of_that_code() {
        let error =
            |code| FieldError { pointer: String::new(), code, fault: String::new(), example: None };
        let same = Problem::of_fields(vec![error(Code::InvalidPhone), error(Code::InvalidPhone)]);
        assert_eq!(same.code(), Code::InvalidPhone);
        let mixed = Problem::of_fields(vec![error(Code::InvalidPhone), error(Code::MissingField)]);
        assert_eq!(mixed.code(), Code::InvalidFields);
    }
}
