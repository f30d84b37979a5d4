//! How senders and templates stand, now or as it was known then; and refusals that are held together.
//!
//! The rules are in `sayso-core`; here is what a workspace knows.

use sayso_core::channel::Message;
use sayso_core::decision::SenderState;
use sayso_core::id::{ImportId, SenderId};
use sayso_core::limits;
use sayso_core::sender_health::{Health, Known};
use sayso_core::source::SourceName;
use sayso_core::template::{Template, TemplateWord};
use sayso_core::time::Timestamp;

use super::{Configuration, TemplateName};
use crate::message::Payload;

/// Whose refusals are held together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldOf {
    /// Those of a sender and day, inferred from providers' errors.
    Sender(SenderId),
    /// Those of a site and hour that nobody vouches for. It is named by its public key.
    Site(SourceName),
}

/// Refusals that are held together (rule 15): more of one sender and day, or of one site and hour, than
/// people make. They deny as any refusal does; as events of one import they are left out together.
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

impl Configuration {
    /// How a sender stands.
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

    /// What the sender's provider said of the template of a message.
    pub fn template(&self, sender: Option<SenderId>, payload: &Payload, known: Known) -> Template {
        let Payload::Template { name, language, .. } = payload else { return Template::default() };
        if self.templates.is_empty() {
            return Template::default();
        }
        let sender = sender.and_then(|sender| self.senders.get(&sender));
        let named = sender.and_then(|sender| sender.connection);
        let named = named.map(|connection| TemplateName { connection, name: name.clone() });
        let words = named.and_then(|named| self.templates.get(&named));
        words.map(|words| words.template(language.as_deref(), known)).unwrap_or_default()
    }

    /// The message as its template makes it, where that needs more consent than the message says
    /// (rule 25): it must be allowed as both. A topic's opt-in is for another category.
    pub fn as_template(
        &self,
        message: &Message,
        payload: &Payload,
        known: Known,
    ) -> Option<Message> {
        let told = self.template(message.sender, payload, known).category?;
        let category = message.category.stricter(told);
        (category != message.category).then_some(Message { category, topic: None, ..*message })
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

    /// Takes in a word about a template; one template too many is not kept.
    pub(super) fn put_template(&mut self, name: TemplateName, word: TemplateWord, at: Timestamp) {
        let has_room = self.templates.len() < limits::TEMPLATES_PER_WORKSPACE_MAX;
        if has_room || self.templates.contains_key(&name) {
            self.templates.entry(name).or_default().put(at, word);
        }
    }
}
