//! Golden vectors of the canonical bytes: `tests/data/canonical.txt` holds what format 1 writes.
//! A changed line is a broken promise: stored events would read otherwise, and receipts and logs
//! that people already hold would no longer verify.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sayso_core::address::email::Email;
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKey, AddressKeySecret, OpaqueId};
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::id::NoticeId;
use sayso_core::state::registers::Registers;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Scope};
use sayso_core::words::event::{ConsentEvent, Fact, Sealed};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road};

use crate::support::language::{
    IMPORT, KEY, PROFILE_A, SENDER_S, TOPIC_T, Telling, WORKSPACE, clear, confirmed, erasure,
    event, fold, hold, implied, no, out, pending, retraction_of, set, single, source, start, term,
    topic, undoing_of, wrote_to, yes,
};

const GOLDEN: &str = include_str!("../data/canonical.txt");

const HEADER: &str = "\
# Canonical format 1 and encoding id-v1, both frozen. Each block: a name, then hex.
# See crates/sayso-core/src/canonical.rs and words/event_id.rs for the layout.
";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn text(text: &str) -> EvidenceText {
    EvidenceText::parse(text).unwrap()
}

/// An event of every kind of fact, with everything that an event can have.
fn events() -> Vec<(&'static str, ConsentEvent)> {
    let narrow = Cover {
        channel: Some(Channel::WhatsApp),
        sender: Some(SENDER_S),
        category: Some(Category::Marketing),
    };
    let link = event(Fact::Link(PROFILE_A), 4).from(source(Road::Api, "crm"));
    vec![
        ("opt_out of everything", out(1)),
        (
            "single on a topic, by another channel",
            single(2).on(topic(TOPIC_T)).via(Channel::WhatsApp),
        ),
        ("hold on a sender", hold(3).on(Scope::Sender(SENDER_S)).via(Channel::WhatsApp)),
        ("pending", pending(3)),
        ("start", start(4)),
        ("confirmed on a category", confirmed(4).on(Scope::Category(Category::Utility))),
        ("term", term(5, 40)),
        ("implied", implied(5, 200)),
        ("yes of a site that spoke of a profile", yes("site/A", 6).speaking_of(0xa)),
        (
            "no of an undated list",
            no("list", 6).in_import(IMPORT).at(Timestamp::DISTANT_PAST).by(Actor::Operator),
        ),
        ("processing refused", out(7).about_processing()),
        (
            "no carried over by a link",
            no("link", 7).from(source(Road::Link, "link")).following(link.id),
        ),
        ("suppression set", set(Suppression::Provider, narrow, 8)),
        ("suppression cleared", clear(Suppression::Operator, Cover::default(), 9)),
        ("activity", wrote_to(SENDER_S, 10)),
        ("link", link),
        ("attributes", event(Fact::Attributes(PROFILE_A), 11)),
        ("retraction of an event", retraction_of(&single(1), 12)),
        ("retraction of an import", undoing_of(IMPORT, 13)),
        ("erasure", erasure(0)),
        ("one account", event(Fact::SameAccount(Channel::WhatsApp, KEY), 14).by(Actor::Provider)),
        ("moved from another address", event(Fact::MovedFrom(KEY), 14).by(Actor::Provider)),
    ]
}

fn sealed_parts() -> [(&'static str, Sealed); 3] {
    let notice = Notice {
        id: NoticeId::from_bytes([0x9c; 16]),
        version: 300,
        language: Language::parse("pt-BR").unwrap(),
        text: Notice::parse_text("Sim, quero receber ofertas.").unwrap(),
        names: vec![],
    };
    let full = Sealed {
        address: Some(Address::Phone(Phone::from_digits(15_550_100_001).unwrap())),
        evidence: Evidence {
            method: Some(text("checkbox")),
            notice: Some(notice.reference()),
            page: Some(text("https://shop.example/")),
            ip: Some(text("203.0.113.7")),
            user_agent: Some(text("Browser/1.0")),
            fields: BTreeMap::from([(text("form"), text("é"))]),
        },
        attributes: BTreeMap::from([
            (text("city"), Some("\"Porto\"".into())),
            (text("gone"), None),
        ]),
        salt: [0x5a; 32],
    };
    let bare = |address| Sealed {
        address,
        evidence: Evidence::default(),
        attributes: BTreeMap::new(),
        salt: [0; 32],
    };
    let email = Address::Email(Email::parse("ana@shop.example").unwrap());
    let id = Address::ChannelId(OpaqueId::parse("US.1234567890").unwrap());
    [
        ("everything", full),
        ("an email alone", bare(Some(email))),
        ("a channel's id alone", bare(Some(id))),
    ]
}

/// The ids that requests get.
fn ids() -> [(&'static str, RequestIdentity, u32); 4] {
    let secret = AddressKeySecret::from_bytes([7; 32]);
    let key = RequestHash::of_key("order-4711", &secret);
    let mut fields = Writer::default();
    fields.text("sms");
    fields.number(300);
    fields.instant(Timestamp::from_micros(1_795_255_200_123_456));
    fields.option(None::<u8>, Writer::byte);
    let hash = RequestHash::of(&fields, &secret);
    let received = Timestamp::from_micros(1_795_255_200_000_000);
    [
        ("a keyed request", RequestIdentity::Key(key), 0),
        ("its second event", RequestIdentity::Key(key), 1),
        ("a dated request", RequestIdentity::Dated(hash), 0),
        ("an undated request", RequestIdentity::Undated(hash, received), 0),
    ]
}

/// What the file should hold.
fn written() -> String {
    let mut file = HEADER.to_owned();
    let [(_, sealed), ..] = sealed_parts();
    for (name, event) in events() {
        let facts = event.facts();
        let leaf = event.leaf_hash(WORKSPACE, &facts, &sealed);
        write!(
            file,
            "\nevent: {name}\nid {}\nfacts {}\nleaf {}\n",
            event.id,
            hex(&facts),
            hex(&leaf)
        )
        .unwrap();
    }
    for (name, sealed) in sealed_parts() {
        write!(file, "\nsealed: {name}\n{}\n", hex(&sealed.to_bytes())).unwrap();
    }
    for (name, identity, part) in ids() {
        let id = event_id(WORKSPACE, identity, part);
        write!(file, "\nevent id: {name}\n{id}\n").unwrap();
    }
    let registers = history();
    write!(file, "\nregisters: all of these events\n{}\n", hex(&registers.to_bytes())).unwrap();
    file
}

fn history() -> Registers {
    let history: Vec<ConsentEvent> = events().into_iter().map(|(_, event)| event).collect();
    fold(&history)
}

#[test]
fn canonical_bytes_never_change() {
    let written = written();
    let differing: Vec<String> = written
        .lines()
        .zip(GOLDEN.lines().chain(std::iter::repeat("")))
        .filter(|(now, then)| now != then)
        .map(|(now, then)| format!("- {then}\n+ {now}"))
        .collect();
    assert!(
        written == GOLDEN,
        "canonical bytes changed:\n{}\n\n\
         What is stored was written by the old bytes, and people hold receipts over them. Unless \
         this format was never released, undo the change, or add a new version beside the old one \
         and keep reading both. If a vector was added or format 1 is not released yet, put this \
         into tests/data/canonical.txt:\n\n{written}",
        differing.join("\n"),
    );
}

#[test]
fn golden_bytes_are_read_back() {
    for (name, event) in events() {
        let read = ConsentEvent::from_facts(event.id, event.key, event.recorded_at, &event.facts());
        assert_eq!(read.as_ref(), Ok(&event), "{name}");
    }
    for (name, sealed) in sealed_parts() {
        assert!(Sealed::from_bytes(&sealed.to_bytes()) == Ok(sealed), "{name}");
    }
    let registers = history();
    assert_eq!(Registers::from_bytes(&registers.to_bytes()), Ok(registers));
}

#[test]
fn the_leaf_is_laid_out_as_the_page_says() {
    use sha2::{Digest as _, Sha256};

    let [(_, sealed), ..] = sealed_parts();
    let event = out(1);
    let facts = event.facts();
    let with_salt = sealed.to_bytes();
    let (saltless, salt) = with_salt.split_at(with_salt.len() - 32);
    let key: AddressKey = event.key;
    let mut bytes = salt.to_vec();
    bytes.extend_from_slice(b"sayso event 1\n");
    bytes.extend_from_slice(WORKSPACE.as_bytes());
    bytes.extend_from_slice(event.id.as_bytes());
    bytes.extend_from_slice(key.as_bytes());
    bytes.extend_from_slice(&event.recorded_at.as_micros().to_be_bytes());
    bytes.extend_from_slice(&facts);
    bytes.extend_from_slice(saltless);
    let mut leaf = vec![0];
    leaf.extend_from_slice(&Sha256::digest(&bytes));
    let expected: [u8; 32] = Sha256::digest(&leaf).into();
    assert_eq!(event.leaf_hash(WORKSPACE, &facts, &sealed), expected);
}
