//! The stored form of configuration changes, in the canonical encoding of `sayso-core`.

mod form;

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::cap::FrequencyCap;
use sayso_core::channel::{Category, Channel, Permission, Provider, Scope};
use sayso_core::id::{ConnectionId, FormId, ImportId, KeyId, NoticeId, RuleId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::notice::{Language, Notice, NoticeRef};
use sayso_core::offer::Shown;
use sayso_core::pack::PackName;
use sayso_core::personal_link::LinkKey;
use sayso_core::phone::Region;
use sayso_core::policy::{Policies, Policy, Preset, Terms, Way};
use sayso_core::quiet::{QuietHours, TimeOfDay};
use sayso_core::rule::{self, Does, Draft, Keyword, Matching, Pattern};
use sayso_core::sender_health::Signal;
use sayso_core::settings::{ChannelDefault, Settings};
use sayso_core::source::SourceName;
use sayso_core::statement::{Level, Standing};
use sayso_core::template::TemplateWord;

use super::entry_point::{read_entry_point, write_entry_point};
use super::{
    ApiKey, Change, Connection, HeldOf, HeldRefusals, KeyScope, OptInQuestion, Rule, Sender, Site,
    TemplateName, Topic,
};

impl Canonical for Change {
    fn write(&self, to: &mut Writer) {
        to.byte(kind(self));
        match self {
            Self::Settings(settings) => {
                write_settings(settings, to);
            }
            Self::Sender(id, sender) => {
                id.write(to);
                write_sender(sender, to);
            }
            Self::Topic(id, topic) => {
                id.write(to);
                write_topic(topic, to);
            }
            Self::NoticeName(id, name) => {
                id.write(to);
                to.text(name);
            }
            Self::Notice(notice) => {
                write_notice(notice, to);
            }
            Self::Site(key, site) => {
                to.text(key.as_str());
                write_site(site, to);
            }
            Self::Key(id, key) => {
                id.write(to);
                write_key(key, to);
            }
            Self::Connection(id, connection) => {
                id.write(to);
                write_connection(connection, to);
            }
            Self::Rule(id, rule) => {
                id.write(to);
                write_rule(rule, to);
            }
            Self::UndoImport(id) => {
                id.write(to);
            }
            Self::SenderSignal(id, signal) => {
                id.write(to);
                signal.write(to);
            }
            Self::Template(name, word) => {
                name.connection.write(to);
                to.text(&name.name);
                word.write(to);
            }
            Self::HeldRefusals(id, held) => {
                id.write(to);
                write_held_refusals(held, to);
            }
            Self::EntryPoint(id, entry) => {
                write_entry_point(*id, entry, to);
            }
            Self::LinkKey(key) => write_link_key(*key, to),
            Self::Form(id, form) => form::write(*id, form, to),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            1 => read_settings(from).map(Self::Settings),
            2 => Ok(Self::Sender(SenderId::read(from)?, read_sender(from)?)),
            3 => Ok(Self::Topic(TopicId::read(from)?, read_topic(from)?)),
            4 => Ok(Self::NoticeName(NoticeId::read(from)?, from.text()?.into())),
            5 => read_notice(from).map(Self::Notice),
            6 => Ok(Self::Site(read_name(from)?, read_site(from)?)),
            7 => Ok(Self::Key(KeyId::read(from)?, read_key(from)?)),
            8 => ImportId::read(from).map(Self::UndoImport),
            9 => Ok(Self::Connection(
                ConnectionId::read(from)?,
                Connection {
                    name: from.text()?.into(),
                    provider: Provider::from_code(from.byte()?).ok_or(Malformed)?,
                    credentials: read_list(from, |from| {
                        Ok((from.text()?.into(), from.text()?.into()))
                    })?,
                    deleted_at: Option::read(from)?,
                },
            )),
            10 => {
                let id = RuleId::read(from)?;
                read_rule(id, from).map(|rule| Self::Rule(id, rule))
            }
            11 => Ok(Self::SenderSignal(SenderId::read(from)?, Signal::read(from)?)),
            12 => Ok(Self::Template(
                TemplateName { connection: ConnectionId::read(from)?, name: from.text()?.into() },
                TemplateWord::read(from)?,
            )),
            13 => {
                let id = ImportId::read(from)?;
                let of = HeldOf::Sender(SenderId::read(from)?);
                read_held_refusals(of, from).map(|held| Self::HeldRefusals(id, held))
            }
            17 => {
                let id = ImportId::read(from)?;
                let of = HeldOf::Site(read_name(from)?);
                read_held_refusals(of, from).map(|held| Self::HeldRefusals(id, held))
            }
            15 => read_entry_point(from).map(|(id, entry)| Self::EntryPoint(id, Box::new(entry))),
            16 => read_link_key(from).map(Self::LinkKey),
            14 => Ok(Self::Form(FormId::read(from)?, form::read_form(from)?)),
            _ => Err(Malformed),
        }
    }
}

fn write_link_key(key: LinkKey, to: &mut Writer) {
    to.number(u64::from(key.number()));
}

fn read_link_key(from: &mut Reader<'_>) -> Result<LinkKey, Malformed> {
    u32::try_from(from.number()?).map(LinkKey::from_number).map_err(|_| Malformed)
}

/// The byte that a kind of change is known by.
const fn kind(change: &Change) -> u8 {
    match change {
        Change::Settings(_) => 1,
        Change::Sender(..) => 2,
        Change::Topic(..) => 3,
        Change::NoticeName(..) => 4,
        Change::Notice(_) => 5,
        Change::Site(..) => 6,
        Change::Key(..) => 7,
        Change::UndoImport(_) => 8,
        Change::Connection(..) => 9,
        Change::Rule(..) => 10,
        Change::SenderSignal(..) => 11,
        Change::Template(..) => 12,
        Change::HeldRefusals(_, HeldRefusals { of: HeldOf::Sender(_), .. }) => 13,
        Change::HeldRefusals(_, HeldRefusals { of: HeldOf::Site(_), .. }) => 17,
        Change::Form(..) => 14,
        Change::EntryPoint(..) => 15,
        Change::LinkKey(_) => 16,
    }
}

fn write_sender(sender: &Sender, to: &mut Writer) {
    sender.channel.write(to);
    to.text(&sender.name);
    to.text(&sender.address);
    sender.connection.write(to);
    to.option(sender.question.as_ref(), write_question);
    sender.deleted_at.write(to);
}

fn read_sender(from: &mut Reader<'_>) -> Result<Sender, Malformed> {
    Ok(Sender {
        channel: Channel::read(from)?,
        name: from.text()?.into(),
        address: from.text()?.into(),
        connection: Option::read(from)?,
        question: from.option(read_question)?,
        deleted_at: Option::read(from)?,
    })
}

fn write_topic(topic: &Topic, to: &mut Writer) {
    to.text(&topic.name);
    topic.category.write(to);
    to.option(topic.code.as_deref(), Writer::text);
    topic.deleted_at.write(to);
}

fn read_topic(from: &mut Reader<'_>) -> Result<Topic, Malformed> {
    Ok(Topic {
        name: from.text()?.into(),
        category: Category::read(from)?,
        code: from.option(|from| from.text().map(Box::from))?,
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

fn write_rule(rule: &Rule, to: &mut Writer) {
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

fn read_rule(id: RuleId, from: &mut Reader<'_>) -> Result<Rule, Malformed> {
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

fn write_connection(connection: &Connection, to: &mut Writer) {
    to.text(&connection.name);
    to.byte(connection.provider.code());
    to.length(connection.credentials.len());
    for (name, value) in &connection.credentials {
        to.text(name);
        to.text(value);
    }
    connection.deleted_at.write(to);
}

fn write_held_refusals(held: &HeldRefusals, to: &mut Writer) {
    match &held.of {
        HeldOf::Sender(sender) => sender.write(to),
        HeldOf::Site(site) => to.text(site.as_str()),
    }
    to.instant(held.since);
    to.instant(held.opened_at);
    held.confirmed_at.write(to);
}

fn read_held_refusals(of: HeldOf, from: &mut Reader<'_>) -> Result<HeldRefusals, Malformed> {
    Ok(HeldRefusals {
        of,
        since: from.instant()?,
        opened_at: from.instant()?,
        confirmed_at: Option::read(from)?,
    })
}

pub(super) fn read_name(from: &mut Reader<'_>) -> Result<SourceName, Malformed> {
    SourceName::parse(from.text()?).map_err(|_| Malformed)
}

/// Writes a list as its length and its items.
pub(super) fn write_list<'a, T: 'a>(
    to: &mut Writer,
    items: impl ExactSizeIterator<Item = &'a T>,
    write: impl Fn(&mut Writer, &T),
) {
    to.length(items.len());
    items.for_each(|item| write(to, item));
}

pub(super) fn read_list<T, C: FromIterator<T>>(
    from: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<C, Malformed> {
    let length = from.length()?;
    (0..length).map(|_| read(from)).collect()
}

const fn default_code(default: ChannelDefault) -> u8 {
    match default {
        ChannelDefault::OptedOut => 1,
        ChannelDefault::OptedIn => 2,
        ChannelDefault::OptedInAcknowledged => 3,
    }
}

fn write_settings(settings: &Settings, to: &mut Writer) {
    to.option(settings.region, |to, region| to.text(region.as_str()));
    to.byte(u8::from(settings.require_opt_in));
    to.byte(u8::from(settings.notice_required));
    to.length(settings.defaults.len());
    for (channel, default) in &settings.defaults {
        channel.write(to);
        to.byte(default_code(*default));
    }
    to.length(settings.least_levels.len());
    for (channel, level) in &settings.least_levels {
        channel.write(to);
        to.byte(level.code());
    }
    to.byte(u8::from(settings.audit_look_ups));
    to.number(u64::from(settings.inferred_refusals_per_day));
    to.length(settings.quiet_hours.len());
    for (channel, hours) in &settings.quiet_hours {
        channel.write(to);
        to.number(u64::from(hours.from().minutes()));
        to.number(u64::from(hours.to().minutes()));
        write_list(to, hours.categories().iter(), |to, category| category.write(to));
    }
    write_list(to, settings.frequency_caps.iter(), |to, cap| {
        cap.channel().write(to);
        cap.category().write(to);
        to.number(u64::from(cap.messages()));
        to.number(u64::from(cap.hours()));
    });
    write_policies(&settings.policies, to);
    write_list(to, settings.country_packs.iter(), |to, pack| to.byte(pack.code()));
    to.length(settings.default_senders.len());
    for (channel, sender) in &settings.default_senders {
        channel.write(to);
        sender.write(to);
    }
}

fn read_settings(from: &mut Reader<'_>) -> Result<Settings, Malformed> {
    Ok(Settings {
        region: from.option(|from| Region::parse(from.text()?).map_err(|_| Malformed))?,
        require_opt_in: from.byte()? != 0,
        notice_required: from.byte()? != 0,
        defaults: read_list(from, |from| {
            let channel = Channel::read(from)?;
            let code = from.byte()?;
            let all = [
                ChannelDefault::OptedOut,
                ChannelDefault::OptedIn,
                ChannelDefault::OptedInAcknowledged,
            ];
            let default =
                all.into_iter().find(|default| default_code(*default) == code).ok_or(Malformed)?;
            Ok((channel, default))
        })?,
        least_levels: read_list(from, |from| {
            Ok((Channel::read(from)?, Level::from_code(from.byte()?).ok_or(Malformed)?))
        })?,
        // Settings written before there was one of these end before it.
        audit_look_ups: from.end().is_err() && from.byte()? != 0,
        inferred_refusals_per_day: match from.end() {
            Ok(()) => limits::INFERRED_REFUSALS_PER_DAY,
            Err(Malformed) => u32::try_from(from.number()?).map_err(|_| Malformed)?,
        },
        quiet_hours: match from.end() {
            Ok(()) => BTreeMap::new(),
            Err(Malformed) => read_list(from, read_quiet_hours)?,
        },
        frequency_caps: match from.end() {
            Ok(()) => Vec::new(),
            Err(Malformed) => read_list(from, read_frequency_cap)?,
        },
        policies: match from.end() {
            Ok(()) => Policies::default(),
            Err(Malformed) => Policies::new(read_list(from, read_policy)?),
        },
        country_packs: match from.end() {
            Ok(()) => BTreeSet::new(),
            Err(Malformed) => read_list(from, |from| read_word(from, PackName::from_code))?,
        },
        default_senders: match from.end() {
            Ok(()) => BTreeMap::new(),
            Err(Malformed) => {
                read_list(from, |from| Ok((Channel::read(from)?, SenderId::read(from)?)))?
            }
        },
    })
}

/// A preset is its code; a policy of the workspace's own is a 0 and its terms.
fn write_policies(policies: &Policies, to: &mut Writer) {
    to.length(policies.named().len());
    for (channel, policy) in policies.named() {
        channel.write(to);
        match policy {
            Policy::Preset(preset) => to.byte(preset.code()),
            Policy::Custom(terms) => {
                to.byte(0);
                write_list(to, terms.ways.iter(), |to, way| to.byte(way.code()));
                write_list(to, terms.shows.iter(), |to, shown| to.byte(shown.code()));
                to.byte(terms.least_level.code());
            }
        }
    }
}

fn read_policy(from: &mut Reader<'_>) -> Result<(Channel, Policy), Malformed> {
    let channel = Channel::read(from)?;
    let policy = match from.byte()? {
        0 => Policy::Custom(Terms {
            ways: read_list(from, |from| read_word(from, Way::from_code))?,
            shows: read_list(from, |from| read_word(from, Shown::from_code))?,
            least_level: read_word(from, Level::from_code)?,
        }),
        code => Policy::Preset(Preset::from_code(code).ok_or(Malformed)?),
    };
    Ok((channel, policy))
}

fn read_word<T>(
    from: &mut Reader<'_>,
    from_code: impl FnOnce(u8) -> Option<T>,
) -> Result<T, Malformed> {
    from_code(from.byte()?).ok_or(Malformed)
}

fn read_quiet_hours(from: &mut Reader<'_>) -> Result<(Channel, QuietHours), Malformed> {
    let channel = Channel::read(from)?;
    let mut time = || {
        let minutes = u16::try_from(from.number()?).map_err(|_| Malformed)?;
        TimeOfDay::from_minutes(minutes).ok_or(Malformed)
    };
    let (begin, end) = (time()?, time()?);
    let hours = QuietHours::new(begin, end, read_list(from, Category::read)?);
    Ok((channel, hours.map_err(|_| Malformed)?))
}

fn read_frequency_cap(from: &mut Reader<'_>) -> Result<FrequencyCap, Malformed> {
    let (channel, category) = (Option::read(from)?, Category::read(from)?);
    let mut number = || u32::try_from(from.number()?).map_err(|_| Malformed);
    FrequencyCap::new(channel, category, number()?, number()?).map_err(|_| Malformed)
}

fn write_notice(notice: &Notice, to: &mut Writer) {
    notice.id.write(to);
    to.number(u64::from(notice.version));
    to.text(notice.language.as_str());
    to.text(&notice.text);
    write_list(to, notice.names.iter(), |to, permission| permission.write(to));
}

fn read_notice(from: &mut Reader<'_>) -> Result<Notice, Malformed> {
    Ok(Notice {
        id: NoticeId::read(from)?,
        version: u32::try_from(from.number()?).map_err(|_| Malformed)?,
        language: Language::parse(from.text()?).map_err(|_| Malformed)?,
        text: from.text()?.into(),
        names: read_list(from, Permission::read)?,
    })
}

fn write_site(site: &Site, to: &mut Writer) {
    to.text(site.name.as_str());
    write_list(to, site.origins.iter(), |to, origin| to.text(origin));
    to.option(site.user_hash_secret.as_deref(), Writer::text);
    site.deleted_at.write(to);
    to.byte(u8::from(site.requires_user_hash));
}

fn read_site(from: &mut Reader<'_>) -> Result<Site, Malformed> {
    Ok(Site {
        name: read_name(from)?,
        origins: read_list(from, |from| from.text().map(Box::from))?,
        user_hash_secret: from.option(|from| from.text().map(Box::from))?,
        deleted_at: Option::read(from)?,
        // Absent in what earlier releases wrote.
        requires_user_hash: match from.end() {
            Ok(()) => false,
            Err(Malformed) => from.byte()? == 1,
        },
    })
}

fn write_key(key: &ApiKey, to: &mut Writer) {
    to.text(key.name.as_str());
    to.raw(&key.sha256);
    write_list(to, key.scopes.iter(), |to, scope| to.text(scope.as_str()));
    to.byte(key.highest.code());
    key.created_at.write(to);
    key.revoked_at.write(to);
}

fn read_key(from: &mut Reader<'_>) -> Result<ApiKey, Malformed> {
    Ok(ApiKey {
        name: read_name(from)?,
        sha256: from.raw()?,
        scopes: read_list(from, |from| KeyScope::parse(from.text()?).ok_or(Malformed))?,
        highest: Standing::from_code(from.byte()?).ok_or(Malformed)?,
        created_at: from.instant()?,
        revoked_at: Option::read(from)?,
    })
}

#[cfg(test)]
mod tests {
    use sayso_core::sender_health::{HealthCause, HealthLevel, Says};
    use sayso_core::template::TemplateSays;
    use sayso_core::time::Timestamp;

    use super::*;

    #[test]
    fn a_connection_keeps_its_credentials_and_shows_none() {
        let connection = Connection {
            name: "Shop".into(),
            provider: Provider::Gupshup,
            credentials: [("api_key".into(), "sesame".into()), ("app".into(), "Demo".into())]
                .into(),
            deleted_at: None,
        };
        let change = Change::Connection(ConnectionId::from_bytes([7; 16]), connection);
        assert_eq!(Change::from_bytes(&change.to_bytes()).unwrap(), change);
        assert!(!format!("{change:?}").contains("sesame"));
    }

    #[test]
    fn a_rule_of_each_kind_is_read_as_it_was_written() {
        let keyword = || Keyword::parse("Offers").unwrap();
        let kinds = [
            Matching::Begins(keyword()),
            Matching::Is(keyword()),
            Matching::Matches(Pattern::parse("^deal").unwrap()),
        ];
        let id = RuleId::from_bytes([5; 16]);
        for matching in kinds {
            let draft = Draft {
                id,
                channel: Channel::Sms,
                sender: Some(SenderId::from_bytes([6; 16])),
                matching,
                does: Does::OptOut,
                permissions: vec![(Channel::WhatsApp, Scope::Topic(TopicId::from_bytes([7; 16])))],
                notice: None,
                reply: Some("Done.".into()),
                created_at: Timestamp::from_micros(8),
            };
            let rule = Rule { says: rule::Rule::kept(draft), deleted_at: None };
            let change = Change::Rule(id, rule);
            assert_eq!(Change::from_bytes(&change.to_bytes()).unwrap(), change);
        }
    }

    #[test]
    fn what_is_said_of_senders_templates_and_held_refusals_is_read_as_it_was_written() {
        let at = Timestamp::from_micros(1_795_000_000_000_000);
        let sender = SenderId::from_bytes([1; 16]);
        let signal =
            Signal::new(HealthCause::Quality, Says::Level(HealthLevel::Red), at, "FLAGGED");
        let name =
            TemplateName { connection: ConnectionId::from_bytes([2; 16]), name: "offer".into() };
        let says = TemplateSays::Category(Category::Marketing);
        let word = TemplateWord { at, language: Some("en".into()), says };
        let of_sender = HeldRefusals {
            of: HeldOf::Sender(sender),
            since: at,
            opened_at: at,
            confirmed_at: Some(at),
        };
        let site = SourceName::parse("site_3x5y6z7w801jd6m9k3te5b8r5v").unwrap();
        let of_site = HeldRefusals { of: HeldOf::Site(site), ..of_sender.clone() };
        for change in [
            Change::SenderSignal(sender, signal.until(at)),
            Change::Template(name, word),
            Change::HeldRefusals(ImportId::from_bytes([3; 16]), of_sender),
            Change::HeldRefusals(ImportId::from_bytes([4; 16]), of_site),
            Change::LinkKey(LinkKey::from_number(300)),
        ] {
            assert_eq!(Change::from_bytes(&change.to_bytes()).unwrap(), change);
        }
    }

    #[test]
    fn settings_from_before_some_were_there_are_read_and_have_none_of_them() {
        let time = |text| TimeOfDay::parse(text).unwrap();
        let categories = [Category::Marketing, Category::Utility].into();
        let hours = QuietHours::new(time("21:00"), time("08:00"), categories).unwrap();
        let cap = |channel| FrequencyCap::new(channel, Category::Marketing, 1_000, 720).unwrap();
        let terms = Terms {
            ways: [Way::Form, Way::InPerson].into(),
            shows: [Shown::Fees].into(),
            least_level: Level::Confirmed,
        };
        let settings = Settings {
            defaults: [(Channel::Sms, ChannelDefault::OptedIn)].into(),
            audit_look_ups: true,
            quiet_hours: [(Channel::Sms, hours)].into(),
            frequency_caps: vec![cap(None), cap(Some(Channel::Email))],
            policies: Policies::new(
                [
                    (Channel::WhatsApp, Policy::Preset(Preset::Meta2020Strict)),
                    (Channel::Sms, Policy::Custom(terms)),
                ]
                .into(),
            ),
            country_packs: [PackName::Ca, PackName::Us].into(),
            default_senders: [(Channel::Sms, SenderId::from_bytes([4; 16]))].into(),
            ..Settings::default()
        };
        let bytes_of = |settings: &Settings| Change::Settings(settings.clone()).to_bytes();
        let mut earlier = settings.clone();
        let mut ends = vec![(bytes_of(&settings), settings)];
        let mut without = |after: usize, clear: fn(&mut Settings)| {
            clear(&mut earlier);
            let bytes = bytes_of(&earlier);
            let cut = bytes.get(..bytes.len() - after).unwrap().to_vec();
            ends.extend([(bytes, earlier.clone()), (cut, earlier.clone())]);
        };
        // An empty list is one byte, the number of inferred refusals is two, the switch is one.
        without(1, |settings| settings.default_senders.clear());
        without(2, |settings| settings.country_packs.clear());
        without(3, |settings| settings.policies = Policies::default());
        without(4, |settings| settings.frequency_caps.clear());
        without(5, |settings| settings.quiet_hours.clear());
        without(7, |settings| {
            settings.inferred_refusals_per_day = limits::INFERRED_REFUSALS_PER_DAY;
        });
        without(8, |settings| settings.audit_look_ups = false);
        for (bytes, settings) in ends {
            assert_eq!(Change::from_bytes(&bytes).unwrap(), Change::Settings(settings));
        }
    }
}
