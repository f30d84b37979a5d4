//! The stored form of a sender.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::words::channel::Channel;
use sayso_core::words::notice::NoticeRef;
use sayso_core::workspace::{OptInQuestion, Sender};

pub(super) fn write(sender: &Sender, to: &mut Writer) {
    sender.channel.write(to);
    to.text(&sender.name);
    to.text(&sender.address);
    sender.connection.write(to);
    to.option(sender.question.as_ref(), write_question);
    sender.deleted_at.write(to);
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Sender, Malformed> {
    Ok(Sender {
        channel: Channel::read(from)?,
        name: from.text()?.into(),
        address: from.text()?.into(),
        connection: Option::read(from)?,
        question: from.option(read_question)?,
        deleted_at: Option::read(from)?,
    })
}

fn write_question(to: &mut Writer, question: &OptInQuestion) {
    to.text(&question.text);
    to.text(&question.yes);
    to.text(&question.no);
    to.option(question.thanks.as_deref(), Writer::text);
    question.notice.write(to);
}

fn read_question(from: &mut Reader<'_>) -> Result<OptInQuestion, Malformed> {
    Ok(OptInQuestion {
        text: from.text()?.into(),
        yes: from.text()?.into(),
        no: from.text()?.into(),
        thanks: from.option(|from| from.text().map(Box::from))?,
        notice: NoticeRef::read(from)?,
    })
}
