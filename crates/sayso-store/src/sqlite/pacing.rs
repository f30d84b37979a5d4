//! Quiet hours and caps of one person: where they may be, and what they got.
//!
//! Both are a person's own, so nothing of them is in the gate index. Nobody is asked about unless the
//! settings have quiet hours or caps for the message. Of somebody nobody ever heard of, nothing is read
//! but what they got.

use std::collections::HashMap;

use rusqlite::Connection;
use sayso_core::address::Address;
use sayso_core::channel::Message;
use sayso_core::id::WorkspaceId;
use sayso_core::pacing::Pacing;
use sayso_core::phone::{PhoneBook, Region};
use sayso_core::quiet::QuietHours;
use sayso_core::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::zone::{Whereabouts, Zone};

use super::{Shared, Workspace, messages};
use crate::message::Held;
use crate::store::{Moment, Question, Recipient, StoreError};

/// The attribute of a profile that names the person's time zone.
const TIME_ZONE: &str = "time_zone";

/// Looks at one person after the other, at one time.
pub(super) struct Pacer<'a> {
    shared: &'a Shared,
    workspace: &'a Workspace,
    settings: &'a Settings,
    now: Timestamp,
    /// From when on it is not quiet, for those who may be in the same places.
    open: HashMap<(QuietHours, Whereabouts), Option<Timestamp>>,
}

impl Shared {
    /// What quiet hours and caps say to a message to one person.
    pub(super) fn pacing(
        &self,
        workspace: WorkspaceId,
        question: &Question,
        recipient: Recipient,
        moment: Moment,
    ) -> Result<Pacing, StoreError> {
        let workspace = self.workspace(workspace)?;
        let at = match moment {
            Moment::Now => self.environment.clock.now(),
            Moment::AsOf(at) | Moment::EffectiveAt(at) => at,
        };
        let settings = self.configuration(workspace.id)?.settings.at(at);
        let mut pacer = Pacer::new(self, &workspace, &settings, at);
        match moment {
            Moment::Now => pacer.pacing(question, recipient),
            Moment::AsOf(_) | Moment::EffectiveAt(_) => pacer.at(question, recipient, None),
        }
    }
}

impl<'a> Pacer<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        workspace: &'a Workspace,
        settings: &'a Settings,
        now: Timestamp,
    ) -> Self {
        Self { shared, workspace, settings, now, open: HashMap::new() }
    }

    /// The settings by which it looks.
    pub(super) const fn settings(&self) -> &'a Settings {
        self.settings
    }

    /// What quiet hours and caps say to a message to a person, by what is committed.
    pub(super) fn pacing(
        &mut self,
        question: &Question,
        recipient: Recipient,
    ) -> Result<Pacing, StoreError> {
        let caps_over = if self.is_capped(&question.message) {
            let shared = self.shared;
            shared.work.read(|work| self.caps_over(work, &question.message, recipient))?
        } else {
            None
        };
        self.at(question, recipient, caps_over)
    }

    /// What holds a message to a person back, by what this connection sees, and until when; with no end
    /// in sight until [`Timestamp::DISTANT_FUTURE`].
    pub(super) fn held(
        &mut self,
        work: &Connection,
        question: &Question,
        recipient: Recipient,
    ) -> Result<Option<Held>, StoreError> {
        let caps_over = self.caps_over(work, &question.message, recipient)?;
        let pacing = self.at(question, recipient, caps_over)?;
        let reasons = pacing.reasons(self.now);
        let until = pacing.retry_at(self.now).unwrap_or(Timestamp::DISTANT_FUTURE);
        Ok((!reasons.is_empty()).then_some(Held { reasons, until }))
    }

    /// Whether nothing but quiet hours and caps stands against a message to a person.
    pub(super) fn allows(
        &self,
        question: &Question,
        recipient: Recipient,
    ) -> Result<bool, StoreError> {
        let asked = (self.settings, self.now);
        let reasons = self.shared.screen_consent(self.workspace, question, &[recipient], asked)?;
        // No answer is not an allow.
        Ok(reasons.first().is_some_and(|reasons| reasons.is_empty()))
    }

    /// What quiet hours say, and caps that are over at that time.
    fn at(
        &mut self,
        question: &Question,
        recipient: Recipient,
        caps_over: Option<Timestamp>,
    ) -> Result<Pacing, StoreError> {
        let now = self.now;
        let Some(hours) = self.settings.quiet_hours_for(&question.message, now) else {
            return Ok(Pacing::at(now, Some, caps_over));
        };
        let whereabouts = self.whereabouts(question.zone, recipient)?;
        let open_from = |at| hours.open_from(&whereabouts.zones(), at);
        let place = (hours.clone(), whereabouts.clone());
        let open = *self.open.entry(place).or_insert_with(|| open_from(now));
        Ok(Pacing::at(now, |at| if at == now { open } else { open_from(at) }, caps_over))
    }

    /// Where a person may be.
    fn whereabouts(
        &self,
        named: Option<Zone>,
        recipient: Recipient,
    ) -> Result<Whereabouts, StoreError> {
        let told = if named.is_some() { Vec::new() } else { self.told(recipient)? };
        let of_number: Vec<Region> = match recipient {
            Recipient::Phone(phone) => phone.regions(&PhoneBook::builtin()),
            Recipient::Key(_) | Recipient::Hashed(_) => Vec::new(),
        };
        Ok(Whereabouts::of(named, told, of_number, self.settings.region))
    }

    /// The zones that the person's profiles name; what is no zone names none.
    fn told(&self, recipient: Recipient) -> Result<Vec<Zone>, StoreError> {
        let key = recipient.key(self.workspace);
        let is_stranger = match recipient {
            Recipient::Phone(phone) => {
                let gate = self.shared.gate(self.workspace.no);
                !gate.may_know(&Address::Phone(phone), &key)
            }
            Recipient::Key(_) | Recipient::Hashed(_) => false,
        };
        if is_stranger {
            return Ok(Vec::new());
        }
        let registers = self.shared.registers_now(&(self.workspace.no, key))?;
        let mut told = Vec::new();
        for (profile, _) in registers.links() {
            let Some(profile) = self.shared.find_profile(self.workspace, profile)? else {
                continue;
            };
            let named = profile.attributes.iter().find(|(name, _)| name.as_str() == TIME_ZONE);
            let text = named.and_then(|(_, (_, value))| value.as_deref());
            // A JSON text; no name of a zone has anything to escape.
            let name = text.and_then(|text| text.strip_prefix('"')?.strip_suffix('"'));
            told.extend(name.and_then(|name| Zone::parse(name).ok()));
        }
        Ok(told)
    }

    fn is_capped(&self, message: &Message) -> bool {
        self.settings.frequency_caps_for(message, self.now).next().is_some()
    }

    /// When the last cap that is full is over.
    fn caps_over(
        &self,
        work: &Connection,
        message: &Message,
        recipient: Recipient,
    ) -> Result<Option<Timestamp>, StoreError> {
        if !self.is_capped(message) {
            return Ok(None);
        }
        let key = recipient.key(self.workspace);
        let mut over = None;
        for cap in self.settings.frequency_caps_for(message, self.now) {
            let counted = (cap, cap.counts_after(self.now));
            let filling = messages::filling(work, self.workspace.id, &key, counted)?;
            over = over.max(filling.map(|at| cap.until(at)));
        }
        Ok(over)
    }
}
