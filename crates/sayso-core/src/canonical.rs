//! The bytes that are hashed, sealed and stored, written by hand and frozen by version.
//!
//! Format 1. A number is unsigned LEB128; an instant is 8 bytes, big-endian two's complement of
//! its microseconds; a text or byte string is its length as a number, then its bytes; a word is its
//! code, one byte; something that may be absent is a byte 0, or a byte 1 and the thing.
//!
//! ```text
//! facts      = 1 ‖ fact ‖ source ‖ actor ‖ occurred_at ‖ import? ‖ basis?
//! sealed     = 1 ‖ address? ‖ evidence ‖ attributes ‖ salt
//! event      = "sayso event 1\n" ‖ workspace ‖ event id ‖ address key ‖ recorded_at ‖ facts
//!              ‖ sealed without its salt
//! commitment = SHA-256(salt ‖ event)
//! leaf       = SHA-256(0x00 ‖ commitment)          (RFC 6962 section 2.1)
//! ```
//!
//! Golden vectors stand in `tests/data/canonical.txt`: a changed byte there is a broken promise.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::address::email::Email;
use crate::address::phone::Phone;
use crate::address::{Address, AddressKey, AddressKind, OpaqueId};
use crate::id::{
    ConnectionId, EntryPointId, EventId, FormId, ImportId, KeyId, NoticeId, ProfileId, RuleId,
    SenderId, TopicId, WorkspaceId,
};
use crate::state::register::{Claims, Mark, Register};
use crate::state::registers::Registers;
use crate::state::suppression::Switched;
use crate::state::suppression::{Cover, Suppression};
use crate::time::Timestamp;
use crate::words::channel::{Category, Channel, Permission, Scope};
use crate::words::event::{ConsentEvent, Fact, Retracted, Sealed};
use crate::words::notice::{Language, NoticeRef};
use crate::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use crate::words::statement::{Slot, Statement};

/// The version byte of everything written here.
pub const VERSION: u8 = 1;

/// Stored bytes that are not what this version wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("stored bytes are not in canonical format 1")]
pub struct Malformed;

/// Writes canonical bytes.
#[derive(Clone, Debug, Default)]
pub struct Writer(Vec<u8>);

/// Reads canonical bytes.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl Writer {
    /// The bytes so far.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Bytes of known length, as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// A number.
    pub fn number(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number >>= 7;
            if number == 0 {
                return self.byte(low);
            }
            self.byte(low | 0x80);
        }
    }

    /// A length.
    pub fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.length(text.len());
        self.raw(text.as_bytes());
    }

    /// An instant.
    pub fn instant(&mut self, at: Timestamp) {
        self.raw(&at.as_micros().to_be_bytes());
    }

    /// Something that may be absent.
    pub fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            None => self.byte(0),
            Some(value) => {
                self.byte(1);
                write(self, value);
            }
        }
    }
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read yet must be nothing.
    ///
    /// # Errors
    /// [`Malformed`] when bytes are left over.
    pub fn end(self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// Bytes of known length.
    pub fn raw<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Malformed> {
        self.raw::<1>().map(|[byte]| byte)
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let overlong = shift > 0 && byte == 0;
            let overflows = shift == 63 && byte > 1;
            if overlong || overflows {
                return Err(Malformed);
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    /// A length.
    pub fn length(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.number()?).map_err(|_| Malformed)
    }

    /// A text.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.length()?;
        let (head, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        std::str::from_utf8(head).map_err(|_| Malformed)
    }

    /// A text that is spelled as its reading spells it.
    fn exact_text<T, E>(
        &mut self,
        parse: impl FnOnce(&str) -> Result<T, E>,
        spelled: impl FnOnce(&T) -> &str,
    ) -> Result<T, Malformed> {
        let text = self.text()?;
        let parsed = parse(text).map_err(|_| Malformed)?;
        if spelled(&parsed) == text { Ok(parsed) } else { Err(Malformed) }
    }

    /// An instant.
    pub fn instant(&mut self) -> Result<Timestamp, Malformed> {
        self.raw().map(|bytes| Timestamp::from_micros(i64::from_be_bytes(bytes)))
    }

    /// Something that may be absent.
    pub fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(Malformed),
        }
    }

    fn word<T>(&mut self, from_code: impl FnOnce(u8) -> Option<T>) -> Result<T, Malformed> {
        from_code(self.byte()?).ok_or(Malformed)
    }
}

/// A thing with canonical bytes.
pub trait Canonical: Sized {
    /// Writes it.
    fn write(&self, to: &mut Writer);

    /// Reads it.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes are not what [`Canonical::write`] writes.
    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.into_bytes()
    }

    /// The thing whose bytes these are, all of them.
    ///
    /// # Errors
    /// [`Malformed`].
    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

macro_rules! canonical_words {
    ($($name:ty),+) => {$(
        impl Canonical for $name {
            fn write(&self, to: &mut Writer) {
                to.byte(self.code());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                from.word(Self::from_code)
            }
        }
    )+};
}

macro_rules! canonical_ids {
    ($($name:ty),+) => {$(
        impl Canonical for $name {
            fn write(&self, to: &mut Writer) {
                to.raw(self.as_bytes());
            }

            fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
                from.raw().map(Self::from_bytes)
            }
        }
    )+};
}

canonical_words!(Channel, Category, Actor, Road, Slot, Suppression, AddressKind);
canonical_ids!(
    ConnectionId,
    EntryPointId,
    RuleId,
    EventId,
    FormId,
    ImportId,
    KeyId,
    NoticeId,
    ProfileId,
    SenderId,
    TopicId,
    AddressKey
);

impl Canonical for Timestamp {
    fn write(&self, to: &mut Writer) {
        to.instant(*self);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.instant()
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn write(&self, to: &mut Writer) {
        to.option(self.as_ref(), |to, value| value.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.option(T::read)
    }
}

impl Canonical for Scope {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::All => to.byte(0),
            Self::Sender(id) => {
                to.byte(1);
                id.write(to);
            }
            Self::Category(category) => {
                to.byte(2);
                category.write(to);
            }
            Self::Topic(id) => {
                to.byte(3);
                id.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(Self::All),
            1 => SenderId::read(from).map(Self::Sender),
            2 => Category::read(from).map(Self::Category),
            3 => TopicId::read(from).map(Self::Topic),
            _ => Err(Malformed),
        }
    }
}

impl Canonical for Permission {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Processing => to.byte(0),
            Self::Messages(channel, scope) => {
                channel.write(to);
                scope.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            0 => Ok(Self::Processing),
            code => {
                let channel = Channel::from_code(code).ok_or(Malformed)?;
                Ok(Self::Messages(channel, Scope::read(from)?))
            }
        }
    }
}

impl Canonical for Statement {
    fn write(&self, to: &mut Writer) {
        self.slot().write(to);
        self.ends_at().write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let slot = Slot::read(from)?;
        Self::from_slot(slot, Option::read(from)?).ok_or(Malformed)
    }
}

impl Canonical for Cover {
    fn write(&self, to: &mut Writer) {
        self.channel.write(to);
        self.sender.write(to);
        self.category.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            channel: Option::read(from)?,
            sender: Option::read(from)?,
            category: Option::read(from)?,
        })
    }
}

impl Canonical for Fact {
    fn write(&self, to: &mut Writer) {
        match self {
            Self::Consent(permission, statement) => {
                to.byte(1);
                permission.write(to);
                statement.write(to);
            }
            Self::Suppression(suppression, cover, switched) => {
                to.byte(match switched {
                    Switched::On => 2,
                    Switched::Off => 3,
                });
                suppression.write(to);
                cover.write(to);
            }
            Self::Activity(sender) => {
                to.byte(4);
                sender.write(to);
            }
            Self::Retraction(Retracted::Event(id)) => {
                to.byte(5);
                id.write(to);
            }
            Self::Retraction(Retracted::Import(id)) => {
                to.byte(6);
                id.write(to);
            }
            Self::Link(profile) => {
                to.byte(7);
                profile.write(to);
            }
            Self::Attributes(profile) => {
                to.byte(8);
                profile.write(to);
            }
            Self::Erasure => to.byte(9),
            Self::SameAccount(channel, other) => {
                to.byte(10);
                channel.write(to);
                other.write(to);
            }
            Self::MovedFrom(other) => {
                to.byte(11);
                other.write(to);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.byte()? {
            1 => Ok(Self::Consent(Permission::read(from)?, Statement::read(from)?)),
            2 => Ok(Self::Suppression(Suppression::read(from)?, Cover::read(from)?, Switched::On)),
            3 => Ok(Self::Suppression(Suppression::read(from)?, Cover::read(from)?, Switched::Off)),
            4 => SenderId::read(from).map(Self::Activity),
            5 => EventId::read(from).map(Retracted::Event).map(Self::Retraction),
            6 => ImportId::read(from).map(Retracted::Import).map(Self::Retraction),
            7 => ProfileId::read(from).map(Self::Link),
            8 => ProfileId::read(from).map(Self::Attributes),
            9 => Ok(Self::Erasure),
            10 => Ok(Self::SameAccount(Channel::read(from)?, AddressKey::read(from)?)),
            11 => AddressKey::read(from).map(Self::MovedFrom),
            _ => Err(Malformed),
        }
    }
}

impl Canonical for Source {
    fn write(&self, to: &mut Writer) {
        self.road.write(to);
        to.text(self.name.as_str());
        self.spoke_of.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            road: Road::read(from)?,
            name: from.exact_text(SourceName::parse, SourceName::as_str)?,
            spoke_of: Option::read(from)?,
        })
    }
}

impl Canonical for EvidenceText {
    fn write(&self, to: &mut Writer) {
        to.text(self.as_str());
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.exact_text(Self::parse, Self::as_str)
    }
}

impl Canonical for NoticeRef {
    fn write(&self, to: &mut Writer) {
        self.id.write(to);
        to.number(u64::from(self.version));
        to.text(self.language.as_str());
        to.raw(&self.text_sha256);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            id: NoticeId::read(from)?,
            version: u32::try_from(from.number()?).map_err(|_| Malformed)?,
            language: from.exact_text(Language::parse, Language::as_str)?,
            text_sha256: from.raw()?,
        })
    }
}

/// Writes a map as its length and its entries in order.
fn write_map<K: Canonical, V>(
    to: &mut Writer,
    map: &BTreeMap<K, V>,
    write: impl Fn(&mut Writer, &V),
) {
    to.length(map.len());
    for (key, value) in map {
        key.write(to);
        write(to, value);
    }
}

fn read_map<K: Canonical + Ord, V>(
    from: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<V, Malformed>,
) -> Result<BTreeMap<K, V>, Malformed> {
    let mut map = BTreeMap::new();
    for _ in 0..from.length()? {
        let key = K::read(from)?;
        in_order(map.last_key_value().map(|(last, _)| last), &key)?;
        map.insert(key, read(from)?);
    }
    Ok(map)
}

/// Keys are written in order, each once.
fn in_order<K: Ord>(last: Option<&K>, next: &K) -> Result<(), Malformed> {
    if last.is_none_or(|last| last < next) { Ok(()) } else { Err(Malformed) }
}

impl Canonical for Evidence {
    fn write(&self, to: &mut Writer) {
        self.method.write(to);
        self.notice.write(to);
        self.page.write(to);
        self.ip.write(to);
        self.user_agent.write(to);
        write_map(to, &self.fields, |to, text| text.write(to));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            method: Option::read(from)?,
            notice: Option::read(from)?,
            page: Option::read(from)?,
            ip: Option::read(from)?,
            user_agent: Option::read(from)?,
            fields: read_map(from, EvidenceText::read)?,
        })
    }
}

impl Canonical for Address {
    fn write(&self, to: &mut Writer) {
        self.kind().write(to);
        match self {
            Self::Phone(phone) => to.number(phone.digits()),
            Self::Email(email) => to.text(email.as_str()),
            Self::ChannelId(id) | Self::ExternalId(id) => to.text(id.as_str()),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = |from: &mut Reader<'_>| from.exact_text(OpaqueId::parse, OpaqueId::as_str);
        match AddressKind::read(from)? {
            AddressKind::Phone => {
                Phone::from_digits(from.number()?).map(Self::Phone).ok_or(Malformed)
            }
            AddressKind::Email => from.exact_text(Email::parse, Email::as_str).map(Self::Email),
            AddressKind::ChannelId => id(from).map(Self::ChannelId),
            AddressKind::ExternalId => id(from).map(Self::ExternalId),
        }
    }
}

impl Sealed {
    /// What is hashed with the salt: everything but the salt.
    fn write_saltless(&self, to: &mut Writer) {
        to.byte(VERSION);
        self.address.write(to);
        self.evidence.write(to);
        write_map(to, &self.attributes, |to, value| {
            to.option(value.as_deref(), Writer::text);
        });
    }
}

impl Canonical for Sealed {
    fn write(&self, to: &mut Writer) {
        self.write_saltless(to);
        to.raw(&self.salt);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        Ok(Self {
            address: Option::read(from)?,
            evidence: Evidence::read(from)?,
            attributes: read_map(from, |from| from.option(|from| from.text().map(Box::from)))?,
            salt: from.raw()?,
        })
    }
}

impl ConsentEvent {
    /// The clear facts but for those that have columns of their own.
    pub fn facts(&self) -> Vec<u8> {
        let mut to = Writer(Vec::with_capacity(64));
        to.byte(VERSION);
        self.fact.write(&mut to);
        self.source.write(&mut to);
        self.actor.write(&mut to);
        self.occurred_at.write(&mut to);
        self.import.write(&mut to);
        self.basis.write(&mut to);
        to.into_bytes()
    }

    /// The event with these facts.
    ///
    /// # Errors
    /// [`Malformed`] when `facts` are not what [`ConsentEvent::facts`] wrote.
    pub fn from_facts(
        id: EventId,
        key: AddressKey,
        recorded_at: Timestamp,
        facts: &[u8],
    ) -> Result<Self, Malformed> {
        let mut from = Reader::new(facts);
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let event = Self {
            id,
            key,
            fact: Fact::read(&mut from)?,
            source: Source::read(&mut from)?,
            actor: Actor::read(&mut from)?,
            occurred_at: from.instant()?,
            recorded_at,
            import: Option::read(&mut from)?,
            basis: Option::read(&mut from)?,
        };
        from.end()?;
        Ok(event)
    }

    /// The leaf of the transparency log: SHA-256(0x00 ‖ SHA-256(salt ‖ event)).
    pub fn leaf_hash(&self, workspace: WorkspaceId, facts: &[u8], sealed: &Sealed) -> [u8; 32] {
        let mut event = Writer(Vec::with_capacity(256));
        event.raw(&sealed.salt);
        event.raw(b"sayso event 1\n");
        event.raw(workspace.as_bytes());
        self.id.write(&mut event);
        self.key.write(&mut event);
        self.recorded_at.write(&mut event);
        event.raw(facts);
        sealed.write_saltless(&mut event);
        let commitment = Sha256::digest(event.bytes());
        let mut leaf = Sha256::new();
        leaf.update([0]);
        leaf.update(commitment);
        leaf.finalize().into()
    }
}

impl Canonical for Mark {
    fn write(&self, to: &mut Writer) {
        self.ends_at.write(to);
        self.at.write(to);
        self.event.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { ends_at: Option::read(from)?, at: from.instant()?, event: EventId::read(from)? })
    }
}

impl Canonical for Register {
    fn write(&self, to: &mut Writer) {
        to.length(self.acts().count());
        for (slot, mark) in self.acts() {
            slot.write(to);
            mark.write(to);
        }
        to.length(self.reports().count());
        for (source, claims) in self.reports() {
            source.write(to);
            claims.yes.write(to);
            claims.no.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let acts = read_map(from, Mark::read)?;
        let reports = read_map(from, |from| {
            Ok(Claims { yes: Option::read(from)?, no: Option::read(from)? })
        })?;
        Ok(Self::from_slots(acts, reports))
    }
}

impl Canonical for Registers {
    fn write(&self, to: &mut Writer) {
        to.byte(VERSION);
        to.length(self.consents.len());
        for ((channel, scope), register) in &self.consents {
            channel.write(to);
            scope.write(to);
            register.write(to);
        }
        self.processing.write(to);
        to.length(self.suppressions.iter().count());
        for (suppression, cover, switch) in self.suppressions.iter() {
            suppression.write(to);
            cover.write(to);
            switch.on.write(to);
            switch.off.write(to);
        }
        write_map(to, &self.activity, |to, mark| mark.write(to));
        write_map(to, &self.links, |to, mark| mark.write(to));
        to.length(self.retracted.len());
        self.retracted.iter().for_each(|id| id.write(to));
        self.erased.write(to);
        to.length(self.accounts.len());
        for ((channel, other), mark) in &self.accounts {
            channel.write(to);
            other.write(to);
            mark.write(to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.byte()? != VERSION {
            return Err(Malformed);
        }
        let mut registers = Self::default();
        for _ in 0..from.length()? {
            let place = (Channel::read(from)?, Scope::read(from)?);
            let last = registers.consents.last_key_value();
            in_order(last.map(|(last, _)| last), &place)?;
            registers.consents.insert(place, Register::read(from)?);
        }
        registers.processing = Register::read(from)?;
        let mut last = None;
        for _ in 0..from.length()? {
            let (suppression, cover) = (Suppression::read(from)?, Cover::read(from)?);
            in_order(last.as_ref(), &(suppression, cover))?;
            last = Some((suppression, cover));
            let marks: [Option<Mark>; 2] = [Option::read(from)?, Option::read(from)?];
            if marks == [None, None] {
                return Err(Malformed);
            }
            for (switched, mark) in [Switched::On, Switched::Off].into_iter().zip(marks) {
                if let Some(mark) = mark {
                    registers.suppressions.join(suppression, cover, switched, mark);
                }
            }
        }
        registers.activity = read_map(from, Mark::read)?;
        registers.links = read_map(from, Mark::read)?;
        for _ in 0..from.length()? {
            let id = EventId::read(from)?;
            in_order(registers.retracted.last(), &id)?;
            registers.retracted.insert(id);
        }
        registers.erased = Option::read(from)?;
        for _ in 0..from.length()? {
            let account = (Channel::read(from)?, AddressKey::read(from)?);
            in_order(registers.accounts.last_key_value().map(|(last, _)| last), &account)?;
            registers.accounts.insert(account, Mark::read(from)?);
        }
        Ok(registers)
    }
}
