//! The stored form of a topic.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::words::channel::Category;
use sayso_core::workspace::Topic;

pub(super) fn write(topic: &Topic, to: &mut Writer) {
    to.text(&topic.name);
    topic.category.write(to);
    to.option(topic.code.as_deref(), Writer::text);
    topic.deleted_at.write(to);
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Topic, Malformed> {
    Ok(Topic {
        name: from.text()?.into(),
        category: Category::read(from)?,
        code: from.option(|from| from.text().map(Box::from))?,
        deleted_at: Option::read(from)?,
    })
}
