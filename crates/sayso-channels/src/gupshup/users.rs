//! The list of an app's users, as Gupshup kept it with their opt-ins: something to import.
//!
//! The call is deprecated and still answers. A row says what Gupshup believes; what may be made of
//! it is for the import to decide (rule 16).

use sayso_core::address::phone::{Phone, PhoneBook, PhoneFault};
use sayso_core::time::ClaimedTime;
use thiserror::Error;

use super::Credentials;
use crate::call::{Malformed, Method};
use crate::failure::{ErrorMeaning, Failure};
use crate::inbound::claimed;
use crate::json::{Item, Object};
use crate::outbound::{Answer, HandOver, HttpRequest, Oddity};

/// One user of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Their number.
    pub phone: Phone,
    /// What Gupshup believes about their opt-in.
    pub opt_in: OptIn,
    /// By which road it came, in Gupshup's word: `URL`.
    pub source: Option<String>,
    /// Since when.
    pub occurred_at: Option<ClaimedTime>,
    /// When they last wrote; absent if never.
    pub last_message_at: Option<ClaimedTime>,
}

/// Gupshup's word on an opt-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptIn {
    /// `OPT_IN`.
    In,
    /// `OPT_OUT` (the spelling is unconfirmed).
    Out,
    /// Another word, or none: they never chose.
    Other(Option<String>),
}

/// A row of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A user.
    User(User),
    /// A row that cannot be used.
    Fault(RowFault),
}

/// Why a row cannot be used. Never shows the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RowFault {
    /// No object.
    #[error("is no object")]
    Shape,
    /// The number is none.
    #[error("the number {0}")]
    Phone(#[source] PhoneFault),
}

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ListFault {
    /// Gupshup said no; a wrong app's name comes with a status of success.
    #[error("Gupshup refused with code {}: {}", .0.code, .0.reason)]
    Refused(Failure),
    /// Gupshup broke down.
    #[error("Gupshup did not answer the question")]
    Unanswered(#[source] Oddity),
    /// The body is no list.
    #[error("the answer {0}")]
    Malformed(#[source] Malformed),
}

/// Rows of a page, as Gupshup's example asks for them.
pub const PAGE_ROWS: u32 = 5_000;

/// Builds the request for a page of the list, the first being 1. A page with fewer than
/// [`PAGE_ROWS`] rows is the last.
pub fn list(page: u32, credentials: &Credentials) -> HttpRequest {
    let (base, app) = (credentials.base_url.as_str(), credentials.app.as_str());
    HttpRequest {
        method: Method::Get,
        url: format!("{base}/sm/api/v1/users/{app}?maxResult={PAGE_ROWS}&pageNo={page}"),
        headers: vec![("apikey", credentials.api_key.as_str().to_owned())],
        body: Vec::new(),
    }
}

/// Reads the answer to [`list`].
///
/// # Errors
/// [`ListFault`].
pub fn read_list(answer: &Answer<'_>, book: &PhoneBook) -> Result<Vec<Row>, ListFault> {
    if !answer.is_success() {
        return Err(match answer.by_status() {
            HandOver::Refused(failure) | HandOver::TryLater { failure, .. } => {
                ListFault::Refused(failure)
            }
            HandOver::Unknown { why } => ListFault::Unanswered(why),
            HandOver::Accepted { .. } => ListFault::Unanswered(Oddity::Unreadable(answer.status)),
        });
    }
    parse(answer.body, book)
}

/// Reads a list: `{status, users: [{countryCode, phoneCode, optinStatus, …}]}`, also from a file.
///
/// # Errors
/// [`ListFault::Refused`] and [`ListFault::Malformed`]. A row that cannot be used is a
/// [`Row::Fault`] in its place.
pub fn parse(bytes: &[u8], book: &PhoneBook) -> Result<Vec<Row>, ListFault> {
    let body = Object::read(bytes).map_err(ListFault::Malformed)?;
    if body.text("status").as_deref() == Some("error") {
        let words = body.text("message").unwrap_or_default();
        return Err(ListFault::Refused(Failure::new("none", ErrorMeaning::Permanent, &words)));
    }
    let missing = Malformed::Envelope { field: "users" };
    let users = body.items("users").ok_or(ListFault::Malformed(missing))?;
    Ok(users.into_iter().map(|item| read_row(item, book)).collect())
}

/// Reads one user of a list, as it stands there.
///
/// # Errors
/// [`RowFault`].
pub fn read_user_of(bytes: &[u8], book: &PhoneBook) -> Result<User, RowFault> {
    let user = Object::read(bytes).map_err(|_| RowFault::Shape)?;
    read_user(&user, book)
}

fn read_row(item: Item<'_>, book: &PhoneBook) -> Row {
    item.object()
        .ok_or(RowFault::Shape)
        .and_then(|user| read_user(&user, book))
        .map_or_else(Row::Fault, Row::User)
}

fn read_user(user: &Object<'_>, book: &PhoneBook) -> Result<User, RowFault> {
    let part = |name| user.word(name).unwrap_or_default();
    let digits = format!("+{}{}", part("countryCode"), part("phoneCode"));
    let opt_in = match user.word("optinStatus") {
        Some(word) if word == "OPT_IN" => OptIn::In,
        Some(word) if word == "OPT_OUT" => OptIn::Out,
        other => OptIn::Other(other),
    };
    // Zero stands for never.
    let time = |name| user.integer(name).filter(|number| *number > 0).and_then(claimed);
    Ok(User {
        phone: Phone::parse_possible(&digits, None, book).map_err(RowFault::Phone)?,
        opt_in,
        source: user.word("optinSource"),
        occurred_at: time("optinTimeStamp"),
        last_message_at: time("lastMessageTimeStamp"),
    })
}
