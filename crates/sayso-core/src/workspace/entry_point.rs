//! An entry point: where a QR code, a link or a widget leads, and how all of them look.
//!
//! What its pages recorded is in the events; what it counted is in the tallies. Its code is the end of its
//! id, so it is not kept.

use std::sync::Arc;

use crate::id::{EntryPointId, NoticeId, SenderId, TopicId};
use crate::proof::reference::EntryCode;
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission, Scope};
use crate::words::color::Color;
use crate::words::notice::Language;
use crate::words::source::SourceName;

use super::Workspace;

/// A QR code, link or widget that leads to a chat through an opt-in page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryPoint {
    /// Which state of it this is, from 1: each change is the next.
    pub version: u32,
    /// How operators call it.
    pub name: Box<str>,
    /// Whom people write to. Never changes.
    pub sender: SenderId,
    /// Where the chat is: a phone in E.164, a short code, or a mailbox.
    pub thread: Box<str>,
    /// The business, as people know it.
    pub business: Box<str>,
    /// What is offered, a box each; with none of them one box for the whole channel.
    pub topics: Vec<TopicId>,
    /// The words that are shown.
    pub notice: NoticeId,
    /// Their version.
    pub notice_version: u32,
    /// What stands in the chat when it is opened.
    pub prefill: Box<str>,
    /// What the print sheet and the widget call for; absent where the pages' own words do.
    pub call: Option<Box<str>>,
    /// The languages of its page, in each of which the notice is published; the first is the default.
    pub languages: Vec<Language>,
    /// What the events of its page name as their source.
    pub source: SourceName,
    /// How its floating button looks.
    pub widget: Widget,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// The logo in the middle of its QR code, a PNG.
    pub logo: Option<Arc<[u8]>>,
}

/// A floating button on the customer's own page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widget {
    /// Its color.
    pub background: Color,
    /// The color of its words.
    pub text: Color,
    /// Where it floats.
    pub corner: Corner,
}

/// A corner of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Corner {
    /// Where the lines of the page begin.
    BottomStart,
    /// Where they end.
    #[default]
    BottomEnd,
}

impl Corner {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BottomStart => "bottom_start",
            Self::BottomEnd => "bottom_end",
        }
    }

    /// Parses the word.
    ///
    /// # Errors
    /// The words there are.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        [Self::BottomStart, Self::BottomEnd]
            .into_iter()
            .find(|corner| corner.as_str() == text)
            .ok_or("is none of bottom_start, bottom_end")
    }
}

impl EntryPoint {
    /// What its boxes give, in their order.
    pub fn permissions(&self, channel: Channel) -> Vec<Permission> {
        Self::offered(channel, &self.topics)
    }

    /// What boxes for these topics give.
    pub fn offered(channel: Channel, topics: &[TopicId]) -> Vec<Permission> {
        let scopes = match topics {
            [] => vec![Scope::All],
            topics => topics.iter().map(|topic| Scope::Topic(*topic)).collect(),
        };
        scopes.into_iter().map(|scope| Permission::Messages(channel, scope)).collect()
    }
}

impl Workspace {
    /// The entry point with this code, deleted or not.
    pub fn entry_point(&self, code: EntryCode) -> Option<(EntryPointId, &EntryPoint)> {
        let mut all = self.entry_points.iter();
        all.find(|(id, _)| EntryCode::of(**id) == code).map(|(id, entry)| (*id, entry))
    }
}
