//! How a workspace's log is stored: one table of kinds, in the order of their numbers.
//!
//! A kind's number and its pair of write and read stand in one line of the table, so neither can be forgotten.
//! Numbers never change and are never used twice. A kind that grows appends its new parts, and reads what an
//! earlier release wrote as if they were absent. The encoding is the canonical one of `sayso-core`.

mod api_key;
mod connection;
mod entry_point;
mod form;
mod held_refusals;
mod link_key;
mod notice;
mod rule;
mod sender;
mod settings;
mod site;
mod topic;

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::gate::sender_health::Signal;
use sayso_core::gate::template::TemplateWord;
use sayso_core::id::{
    ConnectionId, EntryPointId, FormId, ImportId, KeyId, NoticeId, RuleId, SenderId, TopicId,
};
use sayso_core::time::Timestamp;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{Change, HeldOf, HeldRefusals, RuntimeFact, TemplateName, Workspace};

/// One entry of a workspace's log: a change that somebody planned, or a fact of running it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made for one write, or one line of a log")]
pub enum LogEntry {
    /// A change.
    Change(Change),
    /// A fact.
    Fact(RuntimeFact),
}

impl LogEntry {
    /// Folds it into a workspace, as of when it was written.
    pub fn apply_to(self, workspace: &mut Workspace, at: Timestamp) {
        match self {
            Self::Change(change) => workspace.apply(change, at),
            Self::Fact(fact) => workspace.runtime.apply(fact, at),
        }
    }
}

impl From<Change> for LogEntry {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl From<RuntimeFact> for LogEntry {
    fn from(fact: RuntimeFact) -> Self {
        Self::Fact(fact)
    }
}

macro_rules! kinds {
    ($($number:literal: $kind:pat => |$to:ident| $write:expr, |$from:ident| $read:expr;)+) => {
        impl Canonical for LogEntry {
            fn write(&self, to: &mut Writer) {
                match self {
                    $($kind => {
                        to.byte($number);
                        let $to = to;
                        $write
                    })+
                }
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                match from.byte()? {
                    $($number => {
                        let $from = from;
                        Ok(Self::from($read))
                    })+
                    _ => Err(Malformed),
                }
            }
        }
    };
}

kinds! {
    1: Self::Change(Change::Settings(it)) =>
        |to| settings::write(it, to),
        |from| Change::Settings(settings::read(from)?);
    2: Self::Change(Change::Sender(id, it)) =>
        |to| { id.write(to); sender::write(it, to) },
        |from| Change::Sender(SenderId::read(from)?, sender::read(from)?);
    3: Self::Change(Change::Topic(id, it)) =>
        |to| { id.write(to); topic::write(it, to) },
        |from| Change::Topic(TopicId::read(from)?, topic::read(from)?);
    4: Self::Change(Change::NoticeName(id, name)) =>
        |to| { id.write(to); to.text(name) },
        |from| Change::NoticeName(NoticeId::read(from)?, from.text()?.into());
    5: Self::Change(Change::Notice(it)) =>
        |to| notice::write(it, to),
        |from| Change::Notice(notice::read(from)?);
    6: Self::Change(Change::Site(key, it)) =>
        |to| { to.text(key.as_str()); site::write(it, to) },
        |from| Change::Site(read_name(from)?, site::read(from)?);
    7: Self::Change(Change::Key(id, it)) =>
        |to| { id.write(to); api_key::write(it, to) },
        |from| Change::Key(KeyId::read(from)?, api_key::read(from)?);
    8: Self::Fact(RuntimeFact::UndoneImport(id)) =>
        |to| id.write(to),
        |from| RuntimeFact::UndoneImport(ImportId::read(from)?);
    9: Self::Change(Change::Connection(id, it)) =>
        |to| { id.write(to); connection::write(it, to) },
        |from| Change::Connection(ConnectionId::read(from)?, connection::read(from)?);
    10: Self::Change(Change::Rule(id, it)) =>
        |to| { id.write(to); rule::write(it, to) },
        |from| { let id = RuleId::read(from)?; Change::Rule(id, rule::read(id, from)?) };
    11: Self::Fact(RuntimeFact::Signal(id, signal)) =>
        |to| { id.write(to); signal.write(to) },
        |from| RuntimeFact::Signal(SenderId::read(from)?, Signal::read(from)?);
    12: Self::Fact(RuntimeFact::Template(name, word)) =>
        |to| { name.connection.write(to); to.text(&name.name); word.write(to) },
        |from| {
            let connection = ConnectionId::read(from)?;
            let name = TemplateName { connection, name: from.text()?.into() };
            RuntimeFact::Template(name, TemplateWord::read(from)?)
        };
    13: Self::Fact(RuntimeFact::HeldRefusals(id, it @ HeldRefusals { of: HeldOf::Sender(_), .. })) =>
        |to| { id.write(to); held_refusals::write(it, to) },
        |from| {
            let id = ImportId::read(from)?;
            let of = HeldOf::Sender(SenderId::read(from)?);
            RuntimeFact::HeldRefusals(id, held_refusals::read(of, from)?)
        };
    14: Self::Change(Change::Form(id, it)) =>
        |to| { id.write(to); form::write(it, to) },
        |from| Change::Form(FormId::read(from)?, form::read(from)?);
    15: Self::Change(Change::EntryPoint(id, it)) =>
        |to| { id.write(to); entry_point::write(it, to) },
        |from| Change::EntryPoint(EntryPointId::read(from)?, Box::new(entry_point::read(from)?));
    16: Self::Change(Change::LinkKey(key)) =>
        |to| link_key::write(*key, to),
        |from| Change::LinkKey(link_key::read(from)?);
    17: Self::Fact(RuntimeFact::HeldRefusals(id, it @ HeldRefusals { of: HeldOf::Site(_), .. })) =>
        |to| { id.write(to); held_refusals::write(it, to) },
        |from| {
            let id = ImportId::read(from)?;
            let of = HeldOf::Site(read_name(from)?);
            RuntimeFact::HeldRefusals(id, held_refusals::read(of, from)?)
        };
}

fn read_name(from: &mut Reader<'_>) -> Result<SourceName, Malformed> {
    SourceName::parse(from.text()?).map_err(|_| Malformed)
}

/// Writes a list as its length and its items.
fn write_list<'a, T: 'a>(
    to: &mut Writer,
    items: impl ExactSizeIterator<Item = &'a T>,
    write: impl Fn(&mut Writer, &T),
) {
    to.length(items.len());
    items.for_each(|item| write(to, item));
}

fn read_list<T, C: FromIterator<T>>(
    from: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, Malformed>,
) -> Result<C, Malformed> {
    let length = from.length()?;
    (0..length).map(|_| read(from)).collect()
}

#[cfg(test)]
mod tests {

    use sayso_core::gate::cap::FrequencyCap;
    use sayso_core::gate::quiet::QuietHours;
    use sayso_core::gate::sender_health::{HealthCause, HealthLevel, Says};
    use sayso_core::gate::template::TemplateSays;
    use sayso_core::gate::time_of_day::TimeOfDay;
    use sayso_core::limits;
    use sayso_core::policy::demand::Shown;
    use sayso_core::policy::pack::PackName;
    use sayso_core::policy::settings::{ChannelDefault, Settings};
    use sayso_core::policy::{Policies, Policy, Preset, Terms, Way};
    use sayso_core::proof::link_key::LinkKey;
    use sayso_core::text::rule::{self, Does, Draft, Keyword, Matching, Pattern};
    use sayso_core::time::Timestamp;
    use sayso_core::words::channel::{Category, Channel, Provider, Scope};
    use sayso_core::words::statement::Level;
    use sayso_core::workspace::{Connection, Rule};

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
        let change =
            LogEntry::from(Change::Connection(ConnectionId::from_bytes([7; 16]), connection));
        assert_eq!(LogEntry::from_bytes(&change.to_bytes()).unwrap(), change);
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
            let change = LogEntry::from(Change::Rule(id, rule));
            assert_eq!(LogEntry::from_bytes(&change.to_bytes()).unwrap(), change);
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
            LogEntry::from(RuntimeFact::Signal(sender, signal.until(at))),
            LogEntry::from(RuntimeFact::Template(name, word)),
            LogEntry::from(RuntimeFact::HeldRefusals(ImportId::from_bytes([3; 16]), of_sender)),
            LogEntry::from(RuntimeFact::HeldRefusals(ImportId::from_bytes([4; 16]), of_site)),
            LogEntry::from(Change::LinkKey(LinkKey::from_number(300))),
        ] {
            assert_eq!(LogEntry::from_bytes(&change.to_bytes()).unwrap(), change);
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
        let bytes_of =
            |settings: &Settings| LogEntry::from(Change::Settings(settings.clone())).to_bytes();
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
            assert_eq!(LogEntry::from_bytes(&bytes).unwrap(), Change::Settings(settings).into());
        }
    }
}
