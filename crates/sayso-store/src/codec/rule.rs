//! The stored form of a keyword rule.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::RuleId;
use sayso_core::text::rule::{self, Does, Draft, Keyword, Matching, Pattern};
use sayso_core::words::channel::{Channel, Scope};
use sayso_core::words::notice::NoticeRef;
use sayso_core::workspace::Rule;

use super::{read_list, write_list};

pub(super) fn write(rule: &Rule, to: &mut Writer) {
    let Draft { id: _, channel, sender, matching, does, permissions, notice, reply, created_at } =
        rule.says.says();
    channel.write(to);
    sender.write(to);
    match matching {
        Matching::Begins(keyword) => {
            to.byte(1);
            to.text(keyword.as_str());
        }
        Matching::Is(keyword) => {
            to.byte(2);
            to.text(keyword.as_str());
        }
        Matching::Matches(pattern) => {
            to.byte(3);
            to.text(pattern.as_str());
        }
    }
    to.byte(does.code());
    write_list(to, permissions.iter(), |to, (channel, scope)| {
        channel.write(to);
        scope.write(to);
    });
    to.option(notice.as_ref(), |to, notice| notice.write(to));
    to.option(reply.as_deref(), Writer::text);
    created_at.write(to);
    rule.deleted_at.write(to);
}

pub(super) fn read(id: RuleId, from: &mut Reader<'_>) -> Result<Rule, Malformed> {
    let channel = Channel::read(from)?;
    let sender = Option::read(from)?;
    let keyword = |text| Keyword::parse(text).map_err(|_| Malformed);
    let matching = match (from.byte()?, from.text()?) {
        (1, text) => Matching::Begins(keyword(text)?),
        (2, text) => Matching::Is(keyword(text)?),
        (3, text) => Matching::Matches(Pattern::parse(text).map_err(|_| Malformed)?),
        (_, _) => return Err(Malformed),
    };
    let draft = Draft {
        id,
        channel,
        sender,
        matching,
        does: Does::from_code(from.byte()?).ok_or(Malformed)?,
        permissions: read_list(from, |from| Ok((Channel::read(from)?, Scope::read(from)?)))?,
        notice: from.option(NoticeRef::read)?,
        reply: from.option(|from| from.text().map(Box::from))?,
        created_at: from.instant()?,
    };
    Ok(Rule { says: rule::Rule::kept(draft), deleted_at: Option::read(from)? })
}
