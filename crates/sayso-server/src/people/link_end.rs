//! The end of a link that people follow: a form's id, a code or a token, as it came.
//!
//! What is no text at all is as unknown as any other end, so it leads to the page that says so, and not to
//! an error of the router.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

/// The end of a link.
#[derive(Debug)]
pub(crate) struct LinkEnd(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for LinkEnd {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let end = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(end.map(|Path(end)| end).unwrap_or_default()))
    }
}
