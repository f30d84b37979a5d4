//! What a refusal in a list may get wrong and still be taken (rules 5 and 16).
//!
//! Whatever cannot be read beside a refusal is left out and told. What says whom the refusal is about
//! is never left out: read without it, the row would refuse for somebody else.

use sayso_core::text::list_word::ListWord;
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::ImportRow;
use crate::api::imports::number::Spelled;
use crate::body::texts::{OpaqueIdText, Said, StatementText};
use crate::body::{Faults, FromJson, Pointer};
use crate::problem::{Code, FieldError};

/// What is left out where it cannot be read.
const DOUBTFUL: [&str; 10] = [
    "/scope",
    "/topic",
    "/notice",
    "/evidence",
    "/method",
    "/source",
    "/level",
    "/ends_at",
    "/basis",
    "/fields",
];

/// What says who refuses, and what: an unknown field that looks like one of these is not passed over.
const DECISIVE: [&str; 10] = [
    "line",
    "phone",
    "email",
    "external_id",
    "channel_id",
    "hash",
    "kind",
    "region",
    "channel",
    "permission",
];

/// What a row of a list says; a refusal in any word that can only be one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListedText(pub(crate) Said);

/// Notes where an address has lost bytes that were no UTF-8: without them it would be somebody else's.
pub(super) fn note_lost_bytes(row: &ImportRow, faults: &mut Faults) {
    let external = row.external_id.as_ref().map(|OpaqueIdText(id)| id.as_str());
    let channel = row.channel_id.as_ref().map(|OpaqueIdText(id)| id.as_str());
    let addresses = [
        ("/phone", row.phone.as_deref()),
        ("/email", row.email.as_deref()),
        ("/external_id", external),
        ("/channel_id", channel),
    ];
    for (pointer, _) in
        addresses.into_iter().filter(|(_, text)| text.is_some_and(|text| text.contains('\u{fffd}')))
    {
        faults.note(pointer, Code::InvalidValue, "has bytes that are no UTF-8");
    }
}

/// Takes out what a refusal may do without, and tells it.
pub(super) fn leave_out(row: &ImportRow, faults: &mut Faults) -> Vec<String> {
    let mut remarks: Vec<String> = faults
        .take_at(&["/occurred_at"])
        .errors
        .into_iter()
        .map(|doubt| format!("/occurred_at {}: the refusal counts from now", doubt.fault))
        .collect();
    let mut left_out = faults.take_at(&DOUBTFUL);
    left_out.add(faults.take_unknown(is_unknown));
    // A number that says of which country it is needs no region.
    let speaks_for_itself = match &row.phone {
        Some(text) => Spelled::of(text) == Spelled::Placed,
        None => row.email.is_some() || row.channel_id.is_some() || row.hash.is_some(),
    };
    if speaks_for_itself {
        left_out.add(faults.take_at(&["/region"]));
    }
    // Beside an address the customer's own id says only whose record the row speaks of.
    if row.phone.is_some() || row.email.is_some() || row.channel_id.is_some() || row.hash.is_some()
    {
        left_out.add(faults.take_at(&["/external_id"]));
    }
    remarks.extend(left_out.remarks());
    remarks
}

/// An unknown field that looks like nothing that decides whom the row is about.
fn is_unknown(fault: &FieldError) -> bool {
    let near = fault.example.as_deref().unwrap_or_default();
    fault.code == Code::UnknownField && !DECISIVE.contains(&near) && near != "statement"
}

impl FromJson for ListedText {
    fn from_json(value: Value, at: &Pointer<'_>, faults: &mut Faults) -> Option<Self> {
        let text = match &value {
            Value::Bool(false) => Some("false"),
            Value::String(text) => Some(text.as_str()),
            Value::Null
            | Value::Bool(true)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        };
        let is_no = text.is_some_and(|text| {
            matches!(ListWord::parse(text), Some(ListWord::False | ListWord::OptedOut))
        });
        if is_no {
            return Some(Self(Said::OptOut));
        }
        StatementText::from_json(value, at, faults).map(|StatementText(said)| Self(said))
    }
}

impl PartialSchema for ListedText {
    fn schema() -> RefOr<Schema> {
        StatementText::schema()
    }
}

impl ToSchema for ListedText {}
