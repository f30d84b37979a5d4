//! What is configured, changed by several people at once.
//!
//! Each state of a thing has a tag, its `ETag`. A change that names the tag it rests on (`If-Match`) is
//! refused once the thing has moved on; one that names none is planned again on what others made of it, so
//! no two of them are mixed. `PUT` takes what `GET` gave, and `PATCH` changes what it names (RFC 7396).

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::address::AddressKeySecret;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::id::WorkspaceId;
use sayso_core::words::event_id::RequestHash;
use sayso_core::workspace::{Change, Workspace};
use sayso_store::Store;
use sayso_store::codec::LogEntry;
use sayso_store::configure::{self, Plan};
use serde::Serialize;

use crate::keyring::letters;
use crate::problem::Problem;

pub(crate) use condition::{IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader};
pub(crate) use edit::{Edit, Edited, Given, Patch, Put, Shown, Way};

mod condition;
mod edit;
mod merge;

/// Applies what a plan makes of a workspace's configuration, and plans again where somebody changed it
/// meanwhile. Answers with the configuration that the plan stands in.
pub(crate) async fn revise<T>(
    store: &dyn Store,
    workspace: WorkspaceId,
    plan: impl FnMut(&Workspace) -> Result<Plan<T>, Problem>,
) -> Result<(Arc<Workspace>, T), Problem> {
    configure::revise(store, workspace, plan).await
}

/// The name of one state of something configured. Equal states have equal tags, whenever they were; what is
/// counted or found out about the thing is no part of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag(String);

/// Bytes of the hash that a tag shows.
const TAG_BYTES: usize = 15;

impl Tag {
    /// The tag of what these changes make, keyed with the workspace's secret: it tells nothing about
    /// credentials.
    pub(crate) fn of(secret: &AddressKeySecret, version: u32, changes: &[Change]) -> Self {
        let mut fields = Writer::default();
        fields.text("configured state");
        fields.number(u64::from(version));
        for change in changes {
            LogEntry::from(change.clone()).write(&mut fields);
        }
        let RequestHash(hash) = RequestHash::of(&fields, secret);
        Self(letters(hash.first_chunk::<TAG_BYTES>().unwrap_or(&[0; TAG_BYTES])))
    }

    /// The tag as headers have it.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("\"{}\"", self.0)).ok()
    }
}

/// An answer about something configured, with the tag of its state.
#[derive(Debug)]
pub(crate) struct Tagged<T> {
    status: StatusCode,
    tag: Tag,
    answer: T,
}

impl<T> Tagged<T> {
    /// The thing as it is.
    pub(crate) const fn new(tag: Tag, answer: T) -> Self {
        Self { status: StatusCode::OK, tag, answer }
    }

    /// The thing, which was made just now.
    pub(crate) fn created(self) -> Self {
        Self { status: StatusCode::CREATED, ..self }
    }

    /// The thing, unless the client has it as it is.
    pub(crate) fn unless_known(self, condition: &IfNoneMatch) -> Self {
        let status =
            if condition.knows(&self.tag) { StatusCode::NOT_MODIFIED } else { self.status };
        Self { status, ..self }
    }
}

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let Self { status, tag, answer } = self;
        let mut response = if status == StatusCode::NOT_MODIFIED {
            status.into_response()
        } else {
            (status, Json(answer)).into_response()
        };
        if let Some(tag) = tag.header() {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
