//! Quiet hours and caps of one person: where they may be, and what they got.
//!
//! Both are a person's own, so nothing of them is in the gate index. Nobody is asked about unless the
//! settings have quiet hours or caps for the message. Of somebody nobody ever heard of, nothing is read
//! but what they got.

use std::collections::{BTreeSet, HashMap};

use rusqlite::Connection;
use sayso_core::address::Address;
use sayso_core::address::phone::{PhoneBook, Region};
use sayso_core::gate::hours::open_from;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::zone::{Whereabouts, Zone};
use sayso_core::id::WorkspaceId;
use sayso_core::policy::pack::{Place, Subdivision};
use sayso_core::policy::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message};

use super::{Shared, Tenant, messages};
use crate::message::Held;
use crate::store::{Moment, Question, Recipient, StoreError};

/// The attribute of a profile that names the person's time zone.
const TIME_ZONE: &str = "time_zone";

/// The attribute of a profile that names the part of a country where the person is, as `US-TX`.
const REGION: &str = "region";

/// What profiles say of where a person is.
#[derive(Default)]
struct Told {
    zones: Vec<Zone>,
    parts: BTreeSet<Subdivision>,
}

/// Looks at one person after the other, at one time.
pub(super) struct Pacer<'a> {
    shared: &'a Shared,
    workspace: &'a Tenant,
    settings: &'a Settings,
    now: Timestamp,
    /// From when on it is not quiet, for those who may be in the same places.
    open: HashMap<(Channel, Category, Place), Option<Timestamp>>,
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
        let workspace = self.tenant(workspace)?;
        let at = match moment {
            Moment::Now => self.environment.clock.now(),
            Moment::AsOf(at) | Moment::EffectiveAt(at) => at,
        };
        let settings = self.model(workspace.id)?.settings.at(at);
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
        workspace: &'a Tenant,
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

    /// What hours say, and caps that are over at that time.
    fn at(
        &mut self,
        question: &Question,
        recipient: Recipient,
        caps_over: Option<Timestamp>,
    ) -> Result<Pacing, StoreError> {
        let now = self.now;
        let message = &question.message;
        if !self.settings.has_hours_for(message, now) {
            return Ok(Pacing::at(now, Some, caps_over));
        }
        let place = self.place(question.zone, recipient)?;
        let settings = self.settings;
        let hours = settings.hours_for(message, &place, now);
        let open_from = |at| open_from(hours.iter().copied(), at);
        let known = (message.channel, message.category, place);
        let open = *self.open.entry(known).or_insert_with(|| open_from(now));
        Ok(Pacing::at(now, |at| if at == now { open } else { open_from(at) }, caps_over))
    }

    /// Where a person may be.
    fn place(&self, named: Option<Zone>, recipient: Recipient) -> Result<Place, StoreError> {
        // Where the zone is named, profiles tell nothing more unless a pack has hours of its own for parts.
        let asks = named.is_none() || !self.settings.country_packs.is_empty();
        let told = if asks { self.told(recipient)? } else { Told::default() };
        let of_number: Vec<Region> = match recipient {
            Recipient::Phone(phone) => phone.regions(&PhoneBook::builtin()),
            Recipient::Key(_) | Recipient::Hashed(_) => Vec::new(),
        };
        let home = self.settings.region;
        Ok(Place {
            whereabouts: Whereabouts::of(named, told.zones, of_number.clone(), home),
            of_number,
            parts: told.parts,
        })
    }

    /// What the person's profiles name; what is no zone and no part of a country names none.
    fn told(&self, recipient: Recipient) -> Result<Told, StoreError> {
        let key = recipient.key(self.workspace);
        let is_stranger = match recipient {
            Recipient::Phone(phone) => {
                let gate = self.shared.gate(self.workspace.no);
                !gate.may_know(&Address::Phone(phone), &key)
            }
            Recipient::Key(_) | Recipient::Hashed(_) => false,
        };
        let mut told = Told::default();
        if is_stranger {
            return Ok(told);
        }
        let registers = self.shared.registers_now(&(self.workspace.no, key))?;
        for (profile, _) in registers.links() {
            let Some(profile) = self.shared.find_profile(self.workspace, profile)? else {
                continue;
            };
            let text = |wanted: &str| {
                let mut named = profile.attributes.iter();
                let (_, (_, value)) = named.find(|(name, _)| name.as_str() == wanted)?;
                // A JSON text; no name of a zone or region has anything to escape.
                value.as_deref()?.strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
            };
            told.zones.extend(text(TIME_ZONE).and_then(|name| Zone::parse(&name).ok()));
            told.parts.extend(text(REGION).and_then(|name| Subdivision::parse(&name)));
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
