//! What became known while a workspace runs: how its senders are doing, what providers said of templates,
//! which refusals are held together, and which imports were undone.
//!
//! These facts are a log of their own. They rest on no plan, move no revision and wait for none. Where one
//! of them excludes another, that is judged here ([`Runtime::admits`]). The fold is pure: the same facts in
//! the same order give the same state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::gate::decision::SenderState;
use crate::gate::sender_health::{Health, Known, Signal, Signals};
use crate::gate::template::{Template, TemplateWord, TemplateWords};
use crate::id::{ConnectionId, ImportId, SenderId};
use crate::limits;
use crate::time::Timestamp;
use crate::words::channel::Message;
use crate::words::source::SourceName;

use super::Workspace;

/// One fact of running a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuntimeFact {
    /// A signal of how a sender is doing.
    Signal(SenderId, Signal),
    /// What a provider says of a template.
    Template(TemplateName, TemplateWord),
    /// Refusals that are held together.
    HeldRefusals(ImportId, HeldRefusals),
    /// An import is left out as a whole (rules 9 and 16).
    UndoneImport(ImportId),
}

/// What is known from those facts.
#[derive(Clone, Debug, Default)]
pub struct Runtime {
    /// What was said of how senders are doing.
    pub signals: Arc<BTreeMap<SenderId, Signals>>,
    /// What providers said of templates.
    pub templates: Arc<BTreeMap<TemplateName, TemplateWords>>,
    /// Refusals that are held together, by the import that they are undone as.
    pub held_refusals: Arc<BTreeMap<ImportId, HeldRefusals>>,
    /// Imports that were undone as a whole.
    pub undone_imports: Arc<BTreeSet<ImportId>>,
}

/// A template at a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateName {
    /// The account.
    pub connection: ConnectionId,
    /// What a message calls it: its name at Meta, its id at Gupshup and Twilio.
    pub name: Box<str>,
}

/// The template that a message uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateUse<'a> {
    /// Its name at the provider.
    pub name: &'a str,
    /// Its language in the provider's spelling, if the provider asks for one.
    pub language: Option<&'a str>,
}

/// Whose refusals are held together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldOf {
    /// Those of a sender and day, inferred from providers' errors.
    Sender(SenderId),
    /// Those of a site and hour that nobody vouches for. The site is named by its public key.
    Site(SourceName),
}

/// Refusals that are held together (rule 15): more of one sender and day, or of one site and hour, than
/// people make. Each denies as any refusal does; as events of one import they are left out together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRefusals {
    /// Whose they are.
    pub of: HeldOf,
    /// When that day or hour began, in UTC.
    pub since: Timestamp,
    /// When the first was held.
    pub opened_at: Timestamp,
    /// When somebody decided that they are refusals.
    pub confirmed_at: Option<Timestamp>,
}

impl Runtime {
    /// Takes in a fact recorded at `at`. A template beyond
    /// [`limits::TEMPLATES_PER_WORKSPACE_MAX`] is not kept.
    pub fn apply(&mut self, fact: RuntimeFact, at: Timestamp) {
        match fact {
            RuntimeFact::Signal(id, signal) => {
                Arc::make_mut(&mut self.signals).entry(id).or_default().put(at, signal);
            }
            RuntimeFact::Template(name, word) => {
                let has_room = self.templates.len() < limits::TEMPLATES_PER_WORKSPACE_MAX;
                if has_room || self.templates.contains_key(&name) {
                    Arc::make_mut(&mut self.templates).entry(name).or_default().put(at, word);
                }
            }
            RuntimeFact::HeldRefusals(id, held) => {
                Arc::make_mut(&mut self.held_refusals).insert(id, held);
            }
            RuntimeFact::UndoneImport(id) => {
                Arc::make_mut(&mut self.undone_imports).insert(id);
            }
        }
    }

    /// Whether a fact may be taken in: a group of held refusals is decided once, and of one sender and
    /// day, or one site and hour, one group is open.
    pub fn admits(&self, fact: &RuntimeFact) -> bool {
        match fact {
            RuntimeFact::UndoneImport(id) => !self.is_confirmed(*id),
            RuntimeFact::HeldRefusals(id, _) if self.held_refusals.contains_key(id) => {
                !self.is_decided(*id)
            }
            RuntimeFact::HeldRefusals(_, held) => {
                held.confirmed_at.is_some() || self.open_group(&held.of, held.since).is_none()
            }
            RuntimeFact::Signal(..) | RuntimeFact::Template(..) => true,
        }
    }

    /// Whether somebody decided what the refusals of this group are. It takes in no more of them.
    pub fn is_decided(&self, group: ImportId) -> bool {
        let is_group = self.held_refusals.contains_key(&group);
        is_group && (self.undone_imports.contains(&group) || self.is_confirmed(group))
    }

    fn is_confirmed(&self, group: ImportId) -> bool {
        self.held_refusals.get(&group).is_some_and(|held| held.confirmed_at.is_some())
    }

    /// The group that takes in what is held of a sender and day, or of a site and hour: one that nobody
    /// decided yet.
    pub fn open_group(&self, of: &HeldOf, since: Timestamp) -> Option<ImportId> {
        let is_open = |(id, held): &(&ImportId, &HeldRefusals)| {
            held.of == *of
                && held.since == since
                && held.confirmed_at.is_none()
                && !self.undone_imports.contains(id)
        };
        self.held_refusals.iter().find(is_open).map(|(id, _)| *id)
    }

    /// How a sender is doing.
    pub fn health(&self, sender: SenderId, known: Known) -> Health {
        self.signals.get(&sender).map_or(Health::GREEN, |signals| signals.health(known))
    }

    /// Whether the sender of a message sends it.
    pub fn sender_state(&self, message: &Message, known: Known) -> SenderState {
        let signals = message.sender.and_then(|sender| self.signals.get(&sender));
        signals.map_or(SenderState::Sending, |signals| signals.health(known).state_for(message))
    }

    /// When the newest signal of a sender was recorded.
    pub fn signaled_at(&self, sender: SenderId) -> Option<Timestamp> {
        self.signals.get(&sender)?.newest().next().map(|(recorded_at, _)| recorded_at)
    }
}

impl Workspace {
    /// What the sender's provider said of a template.
    pub fn template(
        &self,
        sender: Option<SenderId>,
        used: Option<TemplateUse<'_>>,
        known: Known,
    ) -> Template {
        let Some(used) = used.filter(|_| !self.runtime.templates.is_empty()) else {
            return Template::default();
        };
        let sender = sender.and_then(|sender| self.senders.get(&sender));
        let named = sender.and_then(|sender| sender.connection);
        let named = named.map(|connection| TemplateName { connection, name: used.name.into() });
        let words = named.and_then(|named| self.runtime.templates.get(&named));
        words.map(|words| words.template(used.language, known)).unwrap_or_default()
    }

    /// The message as its template makes it, where that needs more consent than the message says
    /// (rule 25): it must be allowed as both. A topic's opt-in is for another category.
    pub fn as_template(
        &self,
        message: &Message,
        used: Option<TemplateUse<'_>>,
        known: Known,
    ) -> Option<Message> {
        let told = self.template(message.sender, used, known).category?;
        let category = message.category.stricter(told);
        (category != message.category).then_some(Message { category, topic: None, ..*message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: ImportId = ImportId::from_bytes([1; 16]);
    const OTHER: ImportId = ImportId::from_bytes([2; 16]);

    fn held(confirmed_at: Option<Timestamp>) -> HeldRefusals {
        let since = Timestamp::from_micros(0);
        let of = HeldOf::Sender(SenderId::from_bytes([3; 16]));
        HeldRefusals { of, since, opened_at: since, confirmed_at }
    }

    fn after(facts: impl IntoIterator<Item = RuntimeFact>) -> Runtime {
        let mut runtime = Runtime::default();
        for fact in facts {
            assert!(runtime.admits(&fact), "{fact:?}");
            runtime.apply(fact, Timestamp::from_micros(9));
        }
        runtime
    }

    #[test]
    fn of_one_sender_and_day_one_group_is_open() {
        let open = after([RuntimeFact::HeldRefusals(GROUP, held(None))]);
        assert!(!open.admits(&RuntimeFact::HeldRefusals(OTHER, held(None))));
        assert_eq!(open.open_group(&held(None).of, held(None).since), Some(GROUP));
        let undone =
            after([RuntimeFact::HeldRefusals(GROUP, held(None)), RuntimeFact::UndoneImport(GROUP)]);
        assert!(undone.admits(&RuntimeFact::HeldRefusals(OTHER, held(None))));
    }

    #[test]
    fn a_group_is_decided_once_whichever_way() {
        let confirmed = Some(Timestamp::from_micros(5));
        let kept = after([
            RuntimeFact::HeldRefusals(GROUP, held(None)),
            RuntimeFact::HeldRefusals(GROUP, held(confirmed)),
        ]);
        let undone =
            after([RuntimeFact::HeldRefusals(GROUP, held(None)), RuntimeFact::UndoneImport(GROUP)]);
        assert!(!kept.admits(&RuntimeFact::UndoneImport(GROUP)));
        assert!(!undone.admits(&RuntimeFact::HeldRefusals(GROUP, held(confirmed))));
        assert!(kept.is_decided(GROUP) && undone.is_decided(GROUP));
    }
}
