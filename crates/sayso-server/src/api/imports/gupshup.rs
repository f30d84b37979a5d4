//! Rows in the shape of Gupshup's list of an app's users: each a user as its API gives it, with the
//! line beside.
//!
//! Gupshup does not keep what was shown to a person, so a yes is a report of the list, of its time. The
//! time of a row is that of an opt-in as far as anybody knows; a no is therefore of now, lest it be
//! dated before an opt-in that it ended. Another word says nothing: such a person never chose.

use sayso_channels::gupshup::users::{OptIn, User, read_user_of};
use sayso_core::address::phone::PhoneBook;
use sayso_core::words::channel::Channel;
use sayso_core::words::source::EvidenceText;
use serde_json::Value;

use super::row::doubt::ListedText;
use super::row::{ImportRow, RejectedRow};
use crate::body::texts::{ChannelText, ClaimedTimeText, NoteText, Said};
use crate::body::{Faults, Sent};
use crate::problem::{Code, FieldError};

/// What a user of Gupshup's says as a row.
pub(super) enum Read {
    /// A row.
    Row(Box<Sent<ImportRow>>),
    /// Neither yes nor no, on this line.
    Silent(Option<u32>),
}

/// Reads one user.
pub(super) fn read(text: &str, book: &PhoneBook) -> Result<Read, RejectedRow> {
    let line = serde_json::from_str::<Value>(text).ok();
    let line = line.and_then(|user| u32::try_from(user.get("line")?.as_u64()?).ok());
    let user = read_user_of(text.as_bytes(), book).map_err(|fault| {
        let example = Some(r#""countryCode":"1","phoneCode":"4155550123""#.into());
        let (pointer, code) = (String::new(), Code::InvalidValue);
        RejectedRow {
            line,
            errors: vec![FieldError { pointer, code, fault: fault.to_string(), example }],
            left_out: 0,
        }
    })?;
    let User { phone, opt_in, source, occurred_at, last_message_at: _ } = user;
    let (said, at) = match opt_in {
        OptIn::In => (Said::OptIn, occurred_at.map(ClaimedTimeText)),
        OptIn::Out => (Said::OptOut, None),
        OptIn::Other(_) => return Ok(Read::Silent(line)),
    };
    let source = format!("gupshup {}", source.unwrap_or_default());
    let request = ImportRow {
        line,
        phone: Some(phone.to_string()),
        channel: Some(ChannelText(Channel::WhatsApp)),
        statement: Some(ListedText(said)),
        occurred_at: at,
        source: EvidenceText::parse(&source).ok().map(NoteText),
        ..ImportRow::default()
    };
    Ok(Read::Row(Box::new(Sent { request, faults: Faults::default() })))
}
