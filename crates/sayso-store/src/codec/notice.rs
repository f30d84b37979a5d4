//! The stored form of a version of a notice.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::NoticeId;
use sayso_core::words::channel::Permission;
use sayso_core::words::notice::{Language, Notice};

use super::{read_list, write_list};

pub(super) fn write(notice: &Notice, to: &mut Writer) {
    notice.id.write(to);
    to.number(u64::from(notice.version));
    to.text(notice.language.as_str());
    to.text(&notice.text);
    write_list(to, notice.names.iter(), |to, permission| permission.write(to));
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Notice, Malformed> {
    Ok(Notice {
        id: NoticeId::read(from)?,
        version: u32::try_from(from.number()?).map_err(|_| Malformed)?,
        language: Language::parse(from.text()?).map_err(|_| Malformed)?,
        text: from.text()?.into(),
        names: read_list(from, Permission::read)?,
    })
}
