//! The stored form of an entry point. Its code is the end of its id, so it is not kept.

use std::sync::Arc;

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{NoticeId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::words::color::Color;
use sayso_core::words::notice::Language;
use sayso_core::workspace::{Corner, EntryPoint, Widget};

use super::{read_list, read_name, write_list};

pub(super) fn write(entry: &EntryPoint, to: &mut Writer) {
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

pub(super) fn read(from: &mut Reader<'_>) -> Result<EntryPoint, Malformed> {
    let number = |from: &mut Reader<'_>| u32::try_from(from.number()?).map_err(|_| Malformed);
    Ok(EntryPoint {
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
    })
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
    use crate::codec::LogEntry;

    use sayso_core::id::EntryPointId;
    use sayso_core::time::Timestamp;
    use sayso_core::words::source::SourceName;
    use sayso_core::workspace::Change;

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
            let change = LogEntry::from(Change::EntryPoint(id, Box::new(entry.clone())));
            assert_eq!(LogEntry::from_bytes(&change.to_bytes()).unwrap(), change);
        }
    }
}
