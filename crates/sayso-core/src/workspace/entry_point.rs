//! An entry point: where a QR code, a link or a widget leads, and how all of them look.
//!
//! What its pages recorded is in the events; what it counted is in the tallies. Its code is the end of its
//! id, so it is not kept.

use std::sync::Arc;

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::channel::{Channel, Permission, Scope};
use sayso_core::color::Color;
use sayso_core::id::{EntryPointId, NoticeId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::notice::Language;
use sayso_core::reference::EntryCode;
use sayso_core::source::SourceName;
use sayso_core::time::Timestamp;

use super::Configuration;
use super::codec::{read_list, read_name, write_list};

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

impl Configuration {
    /// The entry point with this code, deleted or not.
    pub fn entry_point(&self, code: EntryCode) -> Option<(EntryPointId, &EntryPoint)> {
        let mut all = self.entry_points.iter();
        all.find(|(id, _)| EntryCode::of(**id) == code).map(|(id, entry)| (*id, entry))
    }
}

pub(super) fn write_entry_point(id: EntryPointId, entry: &EntryPoint, to: &mut Writer) {
    id.write(to);
    to.number(u64::from(entry.version));
    to.text(&entry.name);
    entry.sender.write(to);
    to.text(&entry.thread);
    to.text(&entry.business);
    write_list(to, entry.topics.iter(), |to, topic| topic.write(to));
    entry.notice.write(to);
    to.number(u64::from(entry.notice_version));
    to.text(&entry.prefill);
    to.option(entry.call.as_deref(), Writer::text);
    write_list(to, entry.languages.iter(), |to, language| to.text(language.as_str()));
    to.text(entry.source.as_str());
    to.raw(&entry.widget.background.to_bytes());
    to.raw(&entry.widget.text.to_bytes());
    to.byte(match entry.widget.corner {
        Corner::BottomStart => 1,
        Corner::BottomEnd => 2,
    });
    entry.deleted_at.write(to);
    to.option(entry.logo.as_deref(), |to, logo| {
        to.length(logo.len());
        logo.iter().for_each(|byte| to.byte(*byte));
    });
}

pub(super) fn read_entry_point(
    from: &mut Reader<'_>,
) -> Result<(EntryPointId, EntryPoint), Malformed> {
    let id = EntryPointId::read(from)?;
    let number = |from: &mut Reader<'_>| u32::try_from(from.number()?).map_err(|_| Malformed);
    let entry = EntryPoint {
        version: number(from)?,
        name: from.text()?.into(),
        sender: SenderId::read(from)?,
        thread: from.text()?.into(),
        business: from.text()?.into(),
        topics: read_list(from, TopicId::read)?,
        notice: NoticeId::read(from)?,
        notice_version: number(from)?,
        prefill: from.text()?.into(),
        call: from.option(|from| from.text().map(Box::from))?,
        languages: read_list(from, |from| Language::parse(from.text()?).map_err(|_| Malformed))?,
        source: read_name(from)?,
        widget: Widget {
            background: Color::from_bytes(from.raw()?),
            text: Color::from_bytes(from.raw()?),
            corner: match from.byte()? {
                1 => Corner::BottomStart,
                2 => Corner::BottomEnd,
                _ => return Err(Malformed),
            },
        },
        deleted_at: Option::read(from)?,
        logo: from.option(read_logo)?,
    };
    Ok((id, entry))
}

fn read_logo(from: &mut Reader<'_>) -> Result<Arc<[u8]>, Malformed> {
    let length = from.length()?;
    if length > limits::QR_LOGO_BYTES_MAX {
        return Err(Malformed);
    }
    (0..length).map(|_| from.byte()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::configuration::Change;

    #[test]
    fn an_entry_point_is_read_as_it_was_written() {
        let mut entry = EntryPoint {
            version: 3,
            name: "Poster".into(),
            sender: SenderId::from_bytes([1; 16]),
            thread: "+15550100900".into(),
            business: "Harbour Books".into(),
            topics: vec![TopicId::from_bytes([2; 16]), TopicId::from_bytes([3; 16])],
            notice: NoticeId::from_bytes([4; 16]),
            notice_version: 2,
            prefill: "Hello".into(),
            call: Some("Scan me".into()),
            languages: ["en", "tr"].map(|tag| Language::parse(tag).unwrap()).to_vec(),
            source: SourceName::parse("poster").unwrap(),
            widget: Widget {
                background: Color::from_bytes([1, 2, 3]),
                text: Color::from_bytes([255; 3]),
                corner: Corner::BottomStart,
            },
            deleted_at: None,
            logo: Some([0x89, b'P', 0].into()),
        };
        let id = EntryPointId::from_bytes([9; 16]);
        for deleted_at in [None, Some(Timestamp::from_micros(7))] {
            entry.deleted_at = deleted_at;
            entry.logo = entry.logo.filter(|_| deleted_at.is_none());
            let change = Change::EntryPoint(id, Box::new(entry.clone()));
            assert_eq!(Change::from_bytes(&change.to_bytes()).unwrap(), change);
        }
    }
}
