//! All that is known about one address: its registers, processing, suppressions, activity.
//!
//! A function of the set of its events (rule 7). Taking in an event is a join, except for the two
//! kinds that leave others out, retractions and erasures: those need the address's history, and
//! [`Registers::join`] says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::AddressKey;
use crate::id::{EventId, ImportId, ProfileId, SenderId};
use crate::state::register::{Mark, Register};
use crate::state::retraction::is_refusal_of_the_person;
use crate::state::suppression::Switched;
use crate::state::suppression::{Cover, Suppression, Suppressions};
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission, Scope};
use crate::words::event::{ConsentEvent, Fact, Retracted};
use crate::words::source::{Road, SourceName};
use crate::words::statement::{Slot, Statement};

/// All that is known about one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registers {
    pub(crate) consents: BTreeMap<(Channel, Scope), Register>,
    pub(crate) processing: Register,
    pub(crate) suppressions: Suppressions,
    pub(crate) activity: BTreeMap<SenderId, Mark>,
    pub(crate) links: BTreeMap<ProfileId, Mark>,
    pub(crate) retracted: BTreeSet<EventId>,
    pub(crate) erased: Option<Mark>,
    pub(crate) accounts: BTreeMap<(Channel, AddressKey), Mark>,
}

/// What taking in an event came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Joined {
    /// The registers are right.
    Done,
    /// The event leaves others out: fold the address's history anew.
    NeedsHistory,
}

impl Registers {
    /// Folds the events of one address, in any order, with repetitions, leaving out what a
    /// retraction or an undone import names.
    pub fn fold<'a>(
        history: impl IntoIterator<Item = &'a ConsentEvent> + Clone,
        undone: &BTreeSet<ImportId>,
    ) -> Self {
        let mut registers = Self::default();
        for event in history.clone() {
            registers.join_exclusion(event);
        }
        for event in history {
            if !event.import.is_some_and(|import| undone.contains(&import)) {
                registers.join_statement(event);
            }
        }
        registers
    }

    /// Takes in one event that no undone import brought.
    pub fn join(&mut self, event: &ConsentEvent) -> Joined {
        match event.fact {
            Fact::Retraction(Retracted::Event(id)) if self.retracted.contains(&id) => Joined::Done,
            Fact::Retraction(_) | Fact::Erasure => {
                self.join_exclusion(event);
                Joined::NeedsHistory
            }
            Fact::Consent(..)
            | Fact::Suppression(..)
            | Fact::Activity(_)
            | Fact::Link(_)
            | Fact::SameAccount(..)
            | Fact::MovedFrom(_)
            | Fact::Attributes(_) => {
                self.join_statement(event);
                Joined::Done
            }
        }
    }

    /// Takes in the registers of the same address from another store.
    pub fn merge(&mut self, other: &Self) -> Joined {
        let same_exclusions = self.retracted == other.retracted && self.erased == other.erased;
        for (place, register) in &other.consents {
            self.consents.entry(*place).or_default().merge(register);
        }
        self.processing.merge(&other.processing);
        self.suppressions.merge(&other.suppressions);
        for (sender, mark) in &other.activity {
            self.join_activity(*sender, *mark);
        }
        for (profile, mark) in &other.links {
            self.links
                .entry(*profile)
                .and_modify(|held| *held = (*held).max(*mark))
                .or_insert(*mark);
        }
        for (account, mark) in &other.accounts {
            self.join_account(*account, *mark);
        }
        self.retracted.extend(&other.retracted);
        self.erased = self.erased.max(other.erased);
        if same_exclusions { Joined::Done } else { Joined::NeedsHistory }
    }

    /// First pass: what leaves other events out.
    fn join_exclusion(&mut self, event: &ConsentEvent) {
        let mark = Mark { ends_at: None, at: event.occurred_at, event: event.id };
        match event.fact {
            Fact::Retraction(Retracted::Event(id)) => {
                self.retracted.insert(id);
            }
            Fact::Erasure => {
                self.erased = self.erased.max(Some(mark));
                self.suppressions.join(Suppression::Erased, Cover::default(), Switched::On, mark);
            }
            Fact::Retraction(Retracted::Import(_))
            | Fact::Consent(..)
            | Fact::Suppression(..)
            | Fact::Activity(_)
            | Fact::Link(_)
            | Fact::SameAccount(..)
            | Fact::MovedFrom(_)
            | Fact::Attributes(_) => {}
        }
    }

    /// Second pass: what the rest says.
    fn join_statement(&mut self, event: &ConsentEvent) {
        if self.leaves_out(event) {
            return;
        }
        let at = event.occurred_at;
        let mark = Mark { ends_at: None, at, event: event.id };
        match event.fact {
            Fact::Consent(permission, statement) => {
                if !self.is_destroyed(statement, at) {
                    let register = match permission {
                        Permission::Messages(channel, scope) => {
                            self.consents.entry((channel, scope)).or_default()
                        }
                        Permission::Processing => &mut self.processing,
                    };
                    register.join(statement, &event.source, at, event.id);
                }
            }
            Fact::Suppression(suppression, cover, switched) => {
                self.suppressions.join(suppression, cover, switched, mark);
            }
            Fact::Activity(sender) => self.join_activity(sender, mark),
            Fact::Link(profile) => {
                if self.erased.is_none_or(|erased| erased.at < at) {
                    self.links
                        .entry(profile)
                        .and_modify(|held| *held = (*held).max(mark))
                        .or_insert(mark);
                }
            }
            // It outlives an erasure: what the other address refuses, this one refuses.
            Fact::SameAccount(channel, other) => self.join_account((channel, other), mark),
            Fact::MovedFrom(_) | Fact::Attributes(_) | Fact::Retraction(_) | Fact::Erasure => {}
        }
    }

    fn join_account(&mut self, account: (Channel, AddressKey), mark: Mark) {
        self.accounts.entry(account).and_modify(|held| *held = (*held).max(mark)).or_insert(mark);
    }

    fn join_activity(&mut self, sender: SenderId, mark: Mark) {
        self.activity.entry(sender).and_modify(|held| *held = (*held).max(mark)).or_insert(mark);
    }

    /// Whether a retraction names that event.
    pub fn is_retracted(&self, event: &EventId) -> bool {
        self.retracted.contains(event)
    }

    /// Whether a retraction names the event or the one it follows from. A refusal of the person
    /// stays whatever names it (rule 9).
    pub fn leaves_out(&self, event: &ConsentEvent) -> bool {
        let named = |id| self.retracted.contains(id);
        (named(&event.id) || event.basis.as_ref().is_some_and(named))
            && !is_refusal_of_the_person(event)
    }

    /// Whether an erasure destroyed it: everything but refusals, up to the erasure (rule 17).
    fn is_destroyed(&self, statement: Statement, at: Timestamp) -> bool {
        !statement.is_refusal() && self.erased.is_some_and(|erased| at <= erased.at)
    }

    /// The register of a channel and scope.
    pub fn register(&self, channel: Channel, scope: Scope) -> Option<&Register> {
        self.consents.get(&(channel, scope))
    }

    /// The register of a permission.
    pub fn of(&self, permission: Permission) -> Option<&Register> {
        match permission {
            Permission::Messages(channel, scope) => self.register(channel, scope),
            Permission::Processing => Some(&self.processing),
        }
    }

    /// All registers of a channel.
    pub fn on_channel(&self, channel: Channel) -> impl Iterator<Item = (Scope, &Register)> {
        self.consents
            .range((channel, Scope::All)..)
            .take_while(move |((at, _), _)| *at == channel)
            .map(|((_, scope), register)| (*scope, register))
    }

    /// All registers: of every channel and scope, and of processing.
    pub fn all(&self) -> impl Iterator<Item = &Register> {
        self.consents.values().chain([&self.processing])
    }

    /// The channels on which anything was recorded.
    pub fn channels(&self) -> BTreeSet<Channel> {
        self.consents.keys().map(|(channel, _)| *channel).collect()
    }

    /// The register of processing.
    pub const fn processing(&self) -> &Register {
        &self.processing
    }

    /// The suppressions.
    pub const fn suppressions(&self) -> &Suppressions {
        &self.suppressions
    }

    /// When the person last wrote to this sender.
    pub fn wrote_to_at(&self, sender: SenderId) -> Option<Timestamp> {
        self.activity.get(&sender).map(|mark| mark.at)
    }

    /// When the person last wrote to any sender.
    pub fn last_message_at(&self) -> Option<Timestamp> {
        self.activity.values().map(|mark| mark.at).max()
    }

    /// The profiles the address belongs to, each with the link's mark.
    pub fn links(&self) -> impl Iterator<Item = (ProfileId, &Mark)> {
        self.links.iter().map(|(profile, mark)| (*profile, mark))
    }

    /// The addresses that a provider named as one account with this one, by channel, each with the
    /// mark of the naming.
    pub fn accounts(&self) -> impl Iterator<Item = (Channel, AddressKey, &Mark)> {
        self.accounts.iter().map(|((channel, other), mark)| (*channel, *other, mark))
    }

    /// The naming of that address as one account with this one on the channel.
    pub fn same_account(&self, channel: Channel, other: AddressKey) -> Option<&Mark> {
        self.accounts.get(&(channel, other))
    }

    /// Whether the person was erased.
    pub const fn is_erased(&self) -> bool {
        self.erased.is_some()
    }

    /// Whether the person said something through the address, or a caller says that they did: an act, or a
    /// message. What is `pending` anybody may have typed, and a report is somebody's belief.
    pub fn was_heard(&self) -> bool {
        let acts = self.all().flat_map(Register::acts);
        !self.activity.is_empty() || acts.into_iter().any(|(slot, _)| slot != Slot::Pending)
    }

    /// Whether nothing is known but what this source reported, whomever it spoke of: no act, no message, no
    /// other source, nobody whose address it is.
    pub fn is_known_from(&self, road: Road, name: &SourceName) -> bool {
        let is_reported = |register: &Register| {
            let mut reports = register.reports();
            let is_its_own = reports.all(|(source, _)| source.road == road && source.name == *name);
            is_its_own && register.acts().next().is_none()
        };
        let is_nobodys = self.links.is_empty() && self.accounts.is_empty() && self.erased.is_none();
        let is_silent = self.activity.is_empty() && self.suppressions == Suppressions::default();
        is_nobodys && is_silent && self.all().all(is_reported)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
