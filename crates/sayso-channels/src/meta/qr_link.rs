//! Links and QR codes that open a chat with words already in it.
//!
//! Opening one sends nothing: the words are a draft that the person may edit, so they are matched
//! loosely and prove nothing.

use serde_json::json;
use thiserror::Error;

use super::{Credentials, outbound};
use crate::failure::Failure;
use crate::json::Object;
use crate::outbound::{Answer, CannotSend, HandOver, HttpRequest, Oddity, check_text};

/// The picture of a QR code that Meta should draw (both words unconfirmed).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QrImage {
    /// PNG.
    Png,
    /// SVG.
    Svg,
}

/// A link as Meta made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrLink {
    /// Meta's name of it, 14 letters and digits.
    pub code: String,
    /// The words that stand in the chat when it is opened.
    pub prefilled_message: Option<String>,
    /// The link: `https://wa.me/message/…`.
    pub url: String,
    /// Where the picture is, if one was asked for.
    pub image_url: Option<String>,
}

/// Why there is no link. Asking again makes at worst a second one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QrLinkFault {
    /// Meta said no, or not now.
    #[error("Meta refused with code {}: {}", .0.code, .0.reason)]
    Refused(Failure),
    /// Meta's answer says nothing.
    #[error("whether the link was made is unknown")]
    Unknown(#[source] Oddity),
}

/// The longest words in a link, in characters (unconfirmed).
const PREFILLED_CHARS_MAX: usize = 140;

/// Builds the request that makes a link to a phone number.
///
/// # Errors
/// [`CannotSend`] when the words are empty or too long, or the number is no id.
pub fn create_qr_link(
    phone_number_id: &str,
    prefilled_message: &str,
    image: QrImage,
    credentials: &Credentials,
) -> Result<HttpRequest, CannotSend> {
    check_text("the prefilled message", prefilled_message, PREFILLED_CHARS_MAX)?;
    let image = match image {
        QrImage::Png => "PNG",
        QrImage::Svg => "SVG",
    };
    let body = json!({ "prefilled_message": prefilled_message, "generate_qr_image": image });
    outbound::post(phone_number_id, "message_qrdls", &body, credentials)
}

/// Reads the answer to [`create_qr_link`].
///
/// # Errors
/// [`QrLinkFault`].
pub fn read_qr_link(answer: &Answer<'_>) -> Result<QrLink, QrLinkFault> {
    let link = Object::read(answer.body).ok().filter(|_| answer.is_success()).and_then(|body| {
        Some(QrLink {
            code: body.word("code")?,
            prefilled_message: body.word("prefilled_message"),
            url: body.word("deep_link_url")?,
            image_url: body.word("qr_image_url"),
        })
    });
    link.ok_or_else(|| match outbound::read_answer(answer) {
        HandOver::Refused(failure) | HandOver::TryLater { failure, .. } => {
            QrLinkFault::Refused(failure)
        }
        HandOver::Unknown { why } => QrLinkFault::Unknown(why),
        HandOver::Accepted { .. } => QrLinkFault::Unknown(Oddity::Unreadable(answer.status)),
    })
}
