//! The people of the benchmark: who they are and what they said, by their number alone.
//!
//! Six countries, two channels, 10 % known by email only; 30 % spoke of a single sender or topic
//! unless the data is plain; 4 % are suppressed and 1 % have an opt-in that ends; what they said came from
//! two sources. Everything follows from a fixed seed, so two runs measure the same.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result};
use sayso_core::address::email::Email;
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKeySecret};
use sayso_core::canonical::Writer;
use sayso_core::id::{NoticeId, SenderId, TopicId, WorkspaceId};
use sayso_core::state::guard::Guard;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::words::statement::{Standing, Statement};
use sayso_plan::draft::{Dating, Draft, Subject};

/// The seed of everything random here.
pub(crate) const SEED: u64 = 0x5a75_0bea_c0de_2026;

/// Senders on each of the two channels, and topics, where the data is not plain.
pub(crate) const SENDERS: u8 = 3;
/// Topics, where the data is not plain.
pub(crate) const TOPICS: u8 = 8;
/// The notice that opt-ins over HTTP name.
pub(crate) const NOTICE: NoticeId = NoticeId::from_bytes([0x11; 16]);

/// What one of the six countries' mobile numbers begin with, and how many digits follow.
const COUNTRIES: [(u64, u64); 6] = [
    (91_98, 100_000_000),
    (55_119, 100_000_000),
    (62_812, 100_000_000),
    (44_72, 100_000_000),
    (234_803, 10_000_000),
    (49_151, 100_000_000),
];

/// Neither even nor a multiple of five, so counting by it visits every number of a range once.
const STRIDE: u64 = 61_803_399;

/// The last person there can be: the smallest range of numbers holds a sixth of them.
pub(crate) const PEOPLE_MAX: u64 = 60_000_000;

/// Between January 2024 and February 2026.
const EPOCH: Timestamp = Timestamp::from_micros(1_704_067_200_000_000);

/// Whether people spoke of single senders and topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nobody did.
    Plain,
    /// Three in ten did.
    Scoped,
}

/// The people of one run.
#[derive(Clone, Debug)]
pub(crate) struct People {
    /// How many are known.
    pub(crate) contacts: u64,
    /// What they spoke of.
    pub(crate) detail: Detail,
    shop: Source,
    crm: Source,
    evidence: Evidence,
}

/// Well-mixed bits of a number (`SplitMix64`).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The digits of a person's phone number.
pub(crate) fn digits(person: u64) -> u64 {
    let country = usize::try_from(person % 6).unwrap_or_default();
    let (prefix, range) = COUNTRIES.get(country).copied().unwrap_or((91_98, 100_000_000));
    prefix * range + (person / 6) % range * (STRIDE % range) % range
}

/// Whether a person is known by email only.
pub(crate) const fn has_email_only(person: u64) -> bool {
    mix(person).is_multiple_of(10)
}

/// The email address of a person.
pub(crate) fn email(person: u64) -> String {
    format!("person{person}@mail{}.example", person % 97)
}

/// The sender with this number on a channel.
pub(crate) fn sender(channel: Channel, number: u8) -> SenderId {
    id(0x51, channel.code(), number, SenderId::from_bytes)
}

/// The topic with this number.
pub(crate) fn topic(number: u8) -> TopicId {
    id(0x70, 0, number, TopicId::from_bytes)
}

fn id<T>(kind: u8, of: u8, number: u8, make: impl Fn([u8; 16]) -> T) -> T {
    let mut bytes = [kind; 16];
    let [.., second, last] = &mut bytes;
    (*second, *last) = (of, number);
    make(bytes)
}

impl People {
    /// The people of a run.
    pub(crate) fn new(contacts: u64, detail: Detail) -> Result<Self> {
        let source = |road, name| {
            let name = SourceName::parse(name).context("a source of the benchmark")?;
            Ok::<_, anyhow::Error>(Source { road, name, spoke_of: None })
        };
        let text = |text| EvidenceText::parse(text).context("evidence of the benchmark");
        let evidence = Evidence {
            method: Some(text("checkbox")?),
            notice: None,
            page: Some(text("https://shop.example/checkout/thank-you")?),
            ip: Some(text("203.0.113.77")?),
            user_agent: Some(text(USER_AGENT)?),
            fields: BTreeMap::new(),
        };
        let (shop, crm) = (source(Road::Api, "shop")?, source(Road::Import, "crm")?);
        Ok(Self { contacts, detail, shop, crm, evidence })
    }

    /// A random known phone number; `turn` is any number, another for each.
    pub(crate) fn known(&self, turn: u64) -> u64 {
        let mut bits = mix(turn);
        let mut person = bits % self.contacts;
        // Each try finds a phone nine times in ten.
        while has_email_only(person) {
            bits = mix(bits);
            person = bits % self.contacts;
        }
        digits(person)
    }

    /// A random number that nobody known has.
    pub(crate) fn stranger(&self, turn: u64) -> u64 {
        digits(self.contacts + mix(turn) % self.contacts)
    }

    /// The first person who is neither known nor a stranger.
    pub(crate) const fn first_newcomer(&self) -> u64 {
        self.contacts * 2
    }

    /// What some people said.
    pub(crate) fn drafts(&self, people: Range<u64>, workspace: WorkspaceId) -> Result<Vec<Draft>> {
        let mut drafts = Vec::new();
        for person in people {
            let address = if has_email_only(person) {
                Address::Email(Email::parse(&email(person)).context("an email of the benchmark")?)
            } else {
                let phone = Phone::from_digits(digits(person));
                Address::Phone(phone.context("a phone of the benchmark")?)
            };
            for (part, fact) in (0..).zip(self.facts(person)) {
                drafts.push(self.draft(&address, workspace, (person, part), fact));
            }
        }
        Ok(drafts)
    }

    fn facts(&self, person: u64) -> Vec<Fact> {
        let says = |channel, scope, statement| {
            Fact::Consent(Permission::Messages(channel, scope), statement)
        };
        if has_email_only(person) {
            return vec![says(Channel::Email, Scope::All, statement(mix(person ^ 1)))];
        }
        let fate = mix(person ^ 2) % 100;
        let on_sms = match fate {
            0 => Statement::Term(EPOCH.plus(Span::days(365 * 80))),
            _ => statement(mix(person ^ 3)),
        };
        let mut facts = vec![
            says(Channel::Sms, Scope::All, on_sms),
            says(Channel::WhatsApp, Scope::All, statement(mix(person ^ 4))),
        ];
        let aspect = mix(person ^ 5);
        if self.detail == Detail::Scoped && aspect % 10 < 3 {
            facts.push(scoped(aspect >> 8));
        }
        if (1..5).contains(&fate) {
            let kind = match fate {
                1 => Suppression::Complaint,
                2 => Suppression::Invalid,
                _ => Suppression::Operator,
            };
            facts.push(Fact::Suppression(kind, Cover::default(), Switched::On));
        }
        facts
    }

    fn draft(
        &self,
        address: &Address,
        workspace: WorkspaceId,
        (person, part): (u64, u32),
        fact: Fact,
    ) -> Draft {
        let mut sent = Writer::default();
        sent.number(person);
        sent.number(u64::from(part));
        let request = RequestHash::of(&sent, &AddressKeySecret::from_bytes([7; 32]));
        let consent = fact.consent();
        let standing = consent.map_or(Standing::Report, |(_, statement)| statement.standing());
        let (source, actor) = match standing {
            Standing::Act => (&self.shop, Actor::Subject),
            Standing::Report => (&self.crm, Actor::Operator),
        };
        let seconds = i64::try_from(mix(person ^ 6) % 68_000_000).unwrap_or_default();
        Draft {
            subject: Subject::Address(address.clone()),
            id: event_id(workspace, RequestIdentity::Dated(request), part),
            request,
            fact,
            source: source.clone(),
            actor,
            occurred_at: EPOCH.plus(Span::seconds(seconds + i64::from(part))),
            dating: Dating::Dated,
            import: None,
            basis: None,
            evidence: self.evidence.clone(),
            attributes: BTreeMap::new(),
            guard: Guard::None,
        }
    }
}

/// With the other fields about 200 bytes.
const USER_AGENT: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36";

/// What a person said about a channel.
const fn statement(bits: u64) -> Statement {
    match bits % 100 {
        0..50 => Statement::Single,
        50..60 => Statement::Confirmed,
        60..75 => Statement::Yes,
        75..90 => Statement::OptOut,
        _ => Statement::No,
    }
}

/// What a person said about a single sender or topic.
fn scoped(bits: u64) -> Fact {
    let channel = if bits & 1 == 0 { Channel::Sms } else { Channel::WhatsApp };
    let statement = if bits & 2 == 0 { Statement::Single } else { Statement::OptOut };
    let number = |of: u8| u8::try_from((bits >> 8) % u64::from(of)).unwrap_or_default();
    let scope = if bits & 4 == 0 {
        Scope::Sender(sender(channel, number(SENDERS)))
    } else {
        Scope::Topic(topic(number(TOPICS)))
    };
    Fact::Consent(Permission::Messages(channel, scope), statement)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sayso_core::address::phone::PhoneBook;

    use super::*;

    #[test]
    fn every_number_is_valid_and_of_one_person_alone() {
        let book = PhoneBook::builtin();
        let people = (0..6_000).chain(PEOPLE_MAX - 6_000..PEOPLE_MAX);
        let numbers: BTreeSet<u64> = people
            .map(|person| {
                let phone = Phone::from_digits(digits(person)).unwrap();
                assert!(phone.is_valid(&book), "{phone}");
                phone.digits()
            })
            .collect();
        assert_eq!(numbers.len(), 12_000);
    }

    #[test]
    fn the_shares_are_those_of_the_description() {
        let people = People::new(20_000, Detail::Scoped).unwrap();
        let of = |wanted: fn(&Fact) -> bool| {
            (0..20_000).filter(|person| people.facts(*person).iter().any(wanted)).count()
        };
        let emails = (0..20_000).filter(|person| has_email_only(*person)).count();
        assert!((1_800..2_200).contains(&emails), "{emails}");
        let suppressed = of(|fact| matches!(fact, Fact::Suppression(..)));
        assert!((620..820).contains(&suppressed), "{suppressed}");
        let ending = of(|fact| matches!(fact, Fact::Consent(_, Statement::Term(_))));
        assert!((130..230).contains(&ending), "{ending}");
        let narrow = of(
            |fact| matches!(fact, Fact::Consent(Permission::Messages(_, scope), _) if *scope != Scope::All),
        );
        assert!((5_000..5_800).contains(&narrow), "{narrow}");
    }

    #[test]
    fn plain_people_spoke_of_everything_on_a_channel() {
        let people = People::new(2_000, Detail::Plain).unwrap();
        let facts = (0..2_000).flat_map(|person| people.facts(person));
        let narrow = facts.filter(|fact| {
            matches!(fact, Fact::Consent(Permission::Messages(_, scope), _) if *scope != Scope::All)
        });
        assert_eq!(narrow.count(), 0);
    }

    #[test]
    fn the_evidence_of_an_event_is_about_200_bytes() {
        let people = People::new(1_000, Detail::Plain).unwrap();
        let Evidence { method, page, ip, user_agent, .. } = people.evidence;
        let bytes: usize =
            [method, page, ip, user_agent].iter().flatten().map(|text| text.as_str().len()).sum();
        assert!((170..210).contains(&bytes), "{bytes}");
    }
}
