//! The use cases that concern more than one address: processing, retraction, linking, erasure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::Writer;
use sayso_core::id::{EventId, ImportId, ProfileId};
use sayso_core::limits;
use sayso_core::state::guard::Guard;
use sayso_core::state::link::{Carried, carried};
use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::state::retraction::may_retract;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Permission;
use sayso_core::words::event::{ConsentEvent, Fact, Retracted};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, EvidenceText, Road, Source, SourceName};

use super::erasing::ErasedAddress;
use super::events::LedgerRow;
use super::group::Storing;
use super::group::{Group, Prepared};
use super::views::ProfileState;
use super::{Shared, Tenant, events, unwritable, views};
use crate::erasure::{ErasureCounts, ErasureReach};
use crate::store::{
    Outcome, Profile, ProfileDraft, Recorded, RetractDraft, Retracting, StoreError, Upserted,
};
use sayso_plan::draft::{Draft, Subject};

/// What an upsert did, before the profile is read back.
#[derive(Debug)]
pub(super) enum Upserting {
    Stored(ProfileId),
    ProcessingRefused(ProfileId),
    Full(ProfileId),
    Ambiguous(Vec<ProfileId>),
    NoProfile,
}

/// The id of an event that follows from others: the same for the same cause, so a retry and a
/// retraction find it.
pub(super) fn derived_id(
    workspace: &Tenant,
    purpose: &str,
    causes: &[&[u8]],
) -> (EventId, RequestHash) {
    let mut fields = Writer::default();
    fields.text(purpose);
    causes.iter().for_each(|cause| fields.raw(cause));
    let request = RequestHash::of(&fields, &workspace.secrets.address_keys);
    (event_id(workspace.id, RequestIdentity::Dated(request), 0), request)
}

/// The id of a refusal that the link of another address carried to `member`.
fn carried_back_id(
    workspace: &Tenant,
    link: EventId,
    refusal: EventId,
    member: AddressKey,
) -> (EventId, RequestHash) {
    let causes = [link.as_bytes().as_slice(), refusal.as_bytes(), member.as_bytes()];
    derived_id(workspace, "carry back", &causes)
}

/// A draft without evidence, for what follows from another event.
pub(super) struct Following<'a> {
    pub(super) subject: Subject,
    pub(super) fact: Fact,
    pub(super) source: &'a Source,
    pub(super) actor: Actor,
    pub(super) at: Timestamp,
    pub(super) basis: Option<EventId>,
    /// The import that it is left out with.
    pub(super) import: Option<ImportId>,
}

impl Following<'_> {
    pub(super) fn draft(self, (id, request): (EventId, RequestHash)) -> Draft {
        let by = (self.source.clone(), self.actor, self.at);
        let draft = Draft::following((id, request), self.subject, self.fact, by);
        Draft { import: self.import, ..draft }.resting_on(self.basis)
    }
}

/// The source of what linking carries over (rule 13).
pub(super) fn link_source() -> Result<Source, StoreError> {
    let name = SourceName::parse("link").map_err(|_| StoreError::Closed)?;
    Ok(Source { road: Road::Link, name, spoke_of: None })
}

impl Group<'_> {
    /// Records the events of one call in their order. What START says besides is written with it or never,
    /// so that a retry of it says nothing of what was refused since; so is what a held row says besides.
    pub(super) fn record_all(
        &mut self,
        workspace: &Tenant,
        drafts: &[Prepared],
    ) -> Result<Vec<Recorded>, StoreError> {
        let mut recorded: Vec<Recorded> = Vec::with_capacity(drafts.len());
        for prepared in drafts {
            let besides = match prepared.draft.guard {
                Guard::WhereRefused | Guard::WithoutOptIn | Guard::HeldIfLifting(_) => {
                    prepared.draft.basis
                }
                Guard::None
                | Guard::LiftsNothing(_)
                | Guard::LiftsUnproven(_)
                | Guard::NotRefusedSince(..) => None,
            };
            let first = besides.and_then(|first| recorded.iter().find(|it| it.id == first));
            let outcome = first.map(|first| first.outcome);
            recorded.push(match outcome.filter(|outcome| *outcome != Outcome::Appended) {
                Some(outcome) => self.leave_out(workspace, prepared, outcome)?,
                None => self.record(workspace, prepared)?,
            });
        }
        Ok(recorded)
    }

    /// Records one event; what is said of processing is said of every address of the person.
    fn record(&mut self, workspace: &Tenant, prepared: &Prepared) -> Result<Recorded, StoreError> {
        let recorded = self.append(workspace, prepared)?;
        let draft = &prepared.draft;
        if let (Fact::Consent(Permission::Processing, _), Outcome::Appended) =
            (recorded.fact, recorded.outcome)
        {
            for sibling in self.siblings(workspace, &recorded.registers, prepared.key)? {
                let Some(address) = self.address(workspace, sibling)? else {
                    continue;
                };
                let copy = Following {
                    subject: Subject::Address(address),
                    fact: recorded.fact,
                    source: &draft.source,
                    actor: draft.actor,
                    at: recorded.occurred_at,
                    basis: Some(recorded.id),
                    import: draft.import,
                };
                let id =
                    derived_id(workspace, "copy", &[recorded.id.as_bytes(), sibling.as_bytes()]);
                self.append_following(workspace, copy.draft(id))?;
            }
        }
        Ok(recorded)
    }

    pub(super) fn append_following(
        &mut self,
        workspace: &Tenant,
        draft: Draft,
    ) -> Result<Recorded, StoreError> {
        let key = draft.subject.key(&workspace.secrets.address_keys);
        let prepared = draft.prepare(workspace, self.shared(), key, None);
        self.append(workspace, &prepared)
    }

    /// The other addresses of the profiles an address belongs to.
    fn siblings(
        &mut self,
        workspace: &Tenant,
        registers: &Registers,
        key: AddressKey,
    ) -> Result<BTreeSet<AddressKey>, StoreError> {
        let mut siblings = BTreeSet::new();
        for (profile, _) in registers.links() {
            siblings.extend(self.profile(workspace, profile)?.addresses.iter().copied());
        }
        siblings.remove(&key);
        Ok(siblings)
    }

    /// Leaves an event out, and what linking carried from it (rules 9 and 13).
    pub(super) fn retract(
        &mut self,
        workspace: &Tenant,
        target: &RetractDraft,
    ) -> Result<Retracting, StoreError> {
        let key = target.subject.key(&workspace.secrets.address_keys);
        let Some(LedgerRow { event, .. }) = self.find_event(workspace, key, target.event, None)?
        else {
            return Ok(Retracting::NoEvent);
        };
        if event.key != key {
            return Ok(Retracting::NoEvent);
        }
        if let Err(fault) = may_retract(&event, target.role) {
            return Ok(Retracting::Refused(fault));
        }
        if let Fact::Link(profile) = event.fact {
            self.move_attributes(workspace, profile, key)?;
            self.take_back(workspace, profile, key, target)?;
        }
        let registers = self.registers(workspace, key)?;
        let own: Vec<EventId> = registers.links().map(|(_, link)| link.event).collect();
        for sibling in self.siblings(workspace, &registers, key)? {
            for link in &own {
                let (id, _) = carried_back_id(workspace, *link, target.event, sibling);
                if self.find_event(workspace, sibling, id, None)?.is_some() {
                    self.append_retraction(workspace, sibling, id, target)?;
                }
            }
            for (_, link) in self.registers(workspace, sibling)?.links() {
                let (copy, _) = derived_id(
                    workspace,
                    "carry",
                    &[link.event.as_bytes(), target.event.as_bytes()],
                );
                let (spoken, _) =
                    derived_id(workspace, "copy", &[target.event.as_bytes(), sibling.as_bytes()]);
                for id in [copy, spoken] {
                    if self.find_event(workspace, sibling, id, None)?.is_some() {
                        self.append_retraction(workspace, sibling, id, target)?;
                    }
                }
            }
        }
        let recorded = self.append_retraction(workspace, key, target.event, target)?;
        Ok(Retracting::Done(recorded.registers))
    }

    pub(super) fn append_retraction(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        event: EventId,
        target: &RetractDraft,
    ) -> Result<Recorded, StoreError> {
        let subject = match self.address(workspace, key)? {
            Some(address) => Subject::Address(address),
            None => target.subject.clone(),
        };
        let following = Following {
            subject,
            fact: Fact::Retraction(Retracted::Event(event)),
            source: &target.source,
            actor: target.actor,
            at: self.tick(),
            basis: None,
            import: None,
        };
        let mut draft =
            following.draft(derived_id(workspace, "retract", &[event.as_bytes(), key.as_bytes()]));
        draft.evidence.method.clone_from(&target.reason);
        self.append_following(workspace, draft)
    }

    /// Unlinks an address from a profile.
    pub(super) fn unlink(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        address: &Address,
    ) -> Result<Retracting, StoreError> {
        let key = address.key(&workspace.secrets.address_keys);
        let registers = self.registers(workspace, key)?;
        let Some((_, link)) = registers.links().find(|(linked, _)| *linked == profile) else {
            return Ok(Retracting::NoEvent);
        };
        let link = *link;
        self.move_attributes(workspace, profile, key)?;
        let target = RetractDraft {
            subject: Subject::Address(address.clone()),
            event: link.event,
            role: sayso_core::state::retraction::Role::Other,
            source: link_source()?,
            actor: Actor::Operator,
            reason: None,
        };
        self.take_back(workspace, profile, key, &target)?;
        let recorded = self.append_retraction(workspace, key, link.event, &target)?;
        Ok(Retracting::Done(recorded.registers))
    }

    /// Makes or extends a profile.
    pub(super) fn upsert_profile(
        &mut self,
        workspace: &Tenant,
        draft: &ProfileDraft,
    ) -> Result<Upserting, StoreError> {
        let chosen = match draft.profile {
            Some(named) => self.named_profile(workspace, named, &draft.addresses)?,
            None => self.choose_profile(workspace, &draft.addresses)?,
        };
        let profile = match chosen {
            Chosen::Known(profile) => profile,
            Chosen::New => ProfileId::from_bytes(self.shared().environment.time_sortable_id()),
            Chosen::Several(profiles) => return Ok(Upserting::Ambiguous(profiles)),
            Chosen::None => return Ok(Upserting::NoProfile),
        };
        let known = self.profile(workspace, profile)?.addresses.len();
        let members = self.members_after(workspace, profile, &draft.addresses)?;
        if members > known && members > limits::ADDRESSES_PER_PROFILE_MAX {
            return Ok(Upserting::Full(profile));
        }
        for address in &draft.addresses {
            self.link(workspace, profile, address, draft)?;
        }
        let now = self.tick();
        let members = self.profile(workspace, profile)?.addresses.clone();
        for key in members {
            let registers = self.registers(workspace, key)?;
            if registers.processing().standing_refusal(now).is_some() {
                // Kept from a time when an opt-in with an end allowed it, or hidden.
                if self.refusal_destroys(workspace, key, &registers, now)? {
                    self.discard_attributes(workspace, profile)?;
                }
                return Ok(Upserting::ProcessingRefused(profile));
            }
        }
        if let (Some(first), false) = (draft.addresses.first(), draft.attributes.is_empty()) {
            let following = Following {
                subject: Subject::Address(first.clone()),
                fact: Fact::Attributes(profile),
                source: &draft.source,
                actor: draft.actor,
                at: now,
                basis: None,
                import: None,
            };
            let moment = now.as_micros().to_be_bytes();
            let mut event = following.draft(derived_id(
                workspace,
                "attributes",
                &[profile.as_bytes(), &moment],
            ));
            event.attributes.clone_from(&draft.attributes);
            self.append_following(workspace, event)?;
        }
        Ok(Upserting::Stored(profile))
    }

    /// How many addresses a profile would have with these.
    fn members_after(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        addresses: &[Address],
    ) -> Result<usize, StoreError> {
        let secret = &workspace.secrets.address_keys;
        let mut members = self.profile(workspace, profile)?.addresses.clone();
        members.extend(addresses.iter().map(|address| address.key(secret)));
        Ok(members.len())
    }

    /// The profile that the caller named, unless one of the addresses belongs to another. That an
    /// address is shared is said with an external id, never by the way.
    fn named_profile(
        &mut self,
        workspace: &Tenant,
        named: ProfileId,
        addresses: &[Address],
    ) -> Result<Chosen, StoreError> {
        if self.profile(workspace, named)?.addresses.is_empty() {
            return Ok(Chosen::None);
        }
        let mut others = BTreeSet::new();
        for address in addresses {
            let key = address.key(&workspace.secrets.address_keys);
            let registers = self.registers(workspace, key)?;
            let linked: BTreeSet<ProfileId> =
                registers.links().map(|(profile, _)| profile).collect();
            if !linked.contains(&named) {
                others.extend(linked);
            }
        }
        Ok(if others.is_empty() {
            Chosen::Known(named)
        } else {
            Chosen::Several(others.into_iter().collect())
        })
    }

    /// Which profile these identifiers belong to. An external id decides alone: a phone may be
    /// shared by a family. Without one, the addresses must agree.
    fn choose_profile(
        &mut self,
        workspace: &Tenant,
        addresses: &[Address],
    ) -> Result<Chosen, StoreError> {
        let mut by_address = BTreeSet::new();
        for address in addresses {
            let registers =
                self.registers(workspace, address.key(&workspace.secrets.address_keys))?;
            let linked: Vec<ProfileId> = registers.links().map(|(profile, _)| profile).collect();
            match address {
                Address::ExternalId(_) if !linked.is_empty() => {
                    return Ok(linked
                        .first()
                        .map_or(Chosen::New, |profile| Chosen::Known(*profile)));
                }
                Address::ExternalId(_)
                | Address::Phone(_)
                | Address::Email(_)
                | Address::ChannelId(_) => {
                    by_address.extend(linked);
                }
            }
        }
        let has_external_id = |address: &Address| matches!(address, Address::ExternalId(_));
        if addresses.iter().any(has_external_id) {
            // Another person's profile is not taken over: only one without an external id fits.
            let mut free = Vec::new();
            for profile in by_address {
                if !self.has_external_id(workspace, profile)? {
                    free.push(profile);
                }
            }
            return Ok(match free.as_slice() {
                [only] => Chosen::Known(*only),
                [] | [..] => Chosen::New,
            });
        }
        let profiles: Vec<ProfileId> = by_address.into_iter().collect();
        Ok(match profiles.as_slice() {
            [] => Chosen::New,
            [only] => Chosen::Known(*only),
            [..] => Chosen::Several(profiles),
        })
    }

    fn has_external_id(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
    ) -> Result<bool, StoreError> {
        for key in self.profile(workspace, profile)?.addresses.clone() {
            if let Some(Address::ExternalId(_)) = self.address(workspace, key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Links an address to a profile and carries the profile's refusals to it, before anything can
    /// be sent to it: all of this is one transaction.
    fn link(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        address: &Address,
        draft: &ProfileDraft,
    ) -> Result<(), StoreError> {
        let key = address.key(&workspace.secrets.address_keys);
        if self.registers(workspace, key)?.links().any(|(linked, _)| linked == profile) {
            return Ok(());
        }
        let members = self.profile(workspace, profile)?.addresses.clone();
        let at = self.tick();
        let subject = Subject::Address(address.clone());
        let following = Following {
            subject: subject.clone(),
            fact: Fact::Link(profile),
            source: &draft.source,
            actor: draft.actor,
            at,
            basis: None,
            import: None,
        };
        let moment = at.as_micros().to_be_bytes();
        let id = derived_id(workspace, "link", &[profile.as_bytes(), key.as_bytes(), &moment]);
        let link = self.append_following(workspace, following.draft(id))?;
        self.carry_back(workspace, key, &members, link.id)?;
        let source = link_source()?;
        for member in members {
            let registers = self.registers(workspace, member)?;
            let same_kind = self
                .address(workspace, member)?
                .is_some_and(|known| known.kind() == address.kind());
            let passes = |carried: &Carried| {
                same_kind || matches!(carried.fact, Fact::Consent(Permission::Processing, _))
            };
            for carried in carried(&registers).into_iter().filter(passes) {
                let (actor, import) = self.carried_on(workspace, member, carried.from)?;
                let following = Following {
                    subject: subject.clone(),
                    fact: carried.fact,
                    source: &source,
                    actor,
                    at: carried.at,
                    basis: Some(link.id),
                    import,
                };
                let id =
                    derived_id(workspace, "carry", &[link.id.as_bytes(), carried.from.as_bytes()]);
                self.append_following(workspace, following.draft(id))?;
            }
        }
        Ok(())
    }

    /// Who acts where linking carries an event, and the import that the carried is left out with: what
    /// nobody vouches for is no better proven at another address, and goes with its group.
    pub(super) fn carried_on(
        &self,
        workspace: &Tenant,
        key: AddressKey,
        from: EventId,
    ) -> Result<(Actor, Option<ImportId>), StoreError> {
        let origin = self.find_event(workspace, key, from, None)?.map(|row| row.event);
        let is_unproven = origin.as_ref().is_some_and(ConsentEvent::is_unproven);
        let actor = if is_unproven { Actor::Visitor } else { Actor::System };
        let model = self.model(workspace)?;
        let import = origin.and_then(|origin| origin.import);
        // A group that was decided takes in no more, and what it holds stands.
        Ok((actor, import.filter(|import| !model.runtime.is_decided(*import))))
    }

    /// Carries a refusal of processing from a new address to those the person had: it is the
    /// person's, whichever address it was said by (rule 11).
    fn carry_back(
        &mut self,
        workspace: &Tenant,
        from: AddressKey,
        members: &BTreeSet<AddressKey>,
        link: EventId,
    ) -> Result<(), StoreError> {
        let of_processing = |carried: &Carried| carried.fact.refuses_processing();
        let registers = self.registers(workspace, from)?;
        let source = link_source()?;
        for carried in carried(&registers).into_iter().filter(of_processing) {
            let (actor, import) = self.carried_on(workspace, from, carried.from)?;
            for member in members.iter().filter(|member| **member != from) {
                let Some(address) = self.address(workspace, *member)? else {
                    continue;
                };
                let following = Following {
                    subject: Subject::Address(address),
                    fact: carried.fact,
                    source: &source,
                    actor,
                    at: carried.at,
                    basis: Some(carried.from),
                    import,
                };
                let id = carried_back_id(workspace, link, carried.from, *member);
                self.append_following(workspace, following.draft(id))?;
            }
        }
        Ok(())
    }

    /// Takes back what [`Self::carry_back`] carried, before the link is retracted.
    fn take_back(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        from: AddressKey,
        target: &RetractDraft,
    ) -> Result<(), StoreError> {
        let members = self.profile(workspace, profile)?.addresses.clone();
        let rows = self.rows(workspace, from)?.into_iter();
        let refusals = rows.filter(|row| row.event.fact.refuses_processing());
        for refusal in refusals {
            for member in &members {
                let (id, _) = carried_back_id(workspace, target.event, refusal.event.id, *member);
                if self.find_event(workspace, *member, id, None)?.is_some() {
                    self.append_retraction(workspace, *member, id, target)?;
                }
            }
        }
        Ok(())
    }

    /// Keeps to rule 11 after an event: where processing is refused, what was kept of the person is
    /// discarded, whenever it was said, and no later opt-in brings it back. What a refusal that nobody
    /// vouches for hides, it destroys after [`limits::UNPROVEN_REFUSAL_HIDES`].
    pub(super) fn discard_where_refused(
        &mut self,
        workspace: &Tenant,
        event: &ConsentEvent,
    ) -> Result<(), StoreError> {
        if event.fact.bears_on_processing() {
            self.discard_if_refused(workspace, event.key, event.recorded_at)?;
        }
        Ok(())
    }

    /// Discards the attributes of the profiles of an address by which processing is refused.
    pub(super) fn discard_if_refused(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let registers = self.registers(workspace, key)?;
        if self.refusal_destroys(workspace, key, &registers, now)? {
            for (profile, _) in registers.links() {
                self.discard_attributes(workspace, profile)?;
            }
        }
        Ok(())
    }

    /// Whether processing is refused by somebody who may have it: the person, a caller, a page that a
    /// server vouches for, or one of whom nobody said for a month that it was a stranger.
    fn refusal_destroys(
        &self,
        workspace: &Tenant,
        key: AddressKey,
        registers: &Registers,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        for refusal in registers.processing().standing_refusals(now) {
            let found = self.find_event(workspace, key, refusal.event, None)?;
            let hides = found.is_some_and(|LedgerRow { event, .. }| {
                let destroys_at = event.recorded_at.plus(limits::UNPROVEN_REFUSAL_HIDES);
                event.is_unproven() && now < destroys_at
            });
            if !hides {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Destroys the attributes of a profile, as it has them and in the events that brought them.
    fn discard_attributes(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
    ) -> Result<(), StoreError> {
        if self.profile(workspace, profile)?.attributes.is_empty() {
            return Ok(());
        }
        let members = self.profile(workspace, profile)?.addresses.clone();
        for row in self.attribute_rows(workspace, profile, &members)? {
            events::destroy_sealed(self.ledger(), row.row).map_err(|error| unwritable(&error))?;
        }
        self.profile(workspace, profile)?.attributes.clear();
        Ok(())
    }

    /// The rows under these addresses that hold attributes of the profile, unless they were
    /// destroyed. Every such row stands under an address of the profile.
    fn attribute_rows(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        keys: &BTreeSet<AddressKey>,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let mut found = Vec::new();
        for key in keys {
            let rows = self.rows(workspace, *key)?.into_iter();
            found.extend(
                rows.filter(|row| {
                    row.event.fact == Fact::Attributes(profile) && row.sealed.is_some()
                }),
            );
        }
        Ok(found)
    }

    /// Moves what an address holds of a profile's attributes to another address of the profile,
    /// before it leaves the profile: what a refusal has to destroy is found under its addresses.
    fn move_attributes(
        &mut self,
        workspace: &Tenant,
        profile: ProfileId,
        from: AddressKey,
    ) -> Result<(), StoreError> {
        let rows = self.attribute_rows(workspace, profile, &BTreeSet::from([from]))?;
        let Some(last) = rows.last().map(|row| row.event.clone()) else {
            return Ok(());
        };
        let moved: BTreeSet<EventId> = rows.iter().map(|row| row.event.id).collect();
        for row in rows {
            events::destroy_sealed(self.ledger(), row.row).map_err(|error| unwritable(&error))?;
        }
        let state = self.profile(workspace, profile)?;
        let (leaving, staying) = std::mem::take(&mut state.attributes)
            .into_iter()
            .partition(|(_, (mark, _))| moved.contains(&mark.event));
        let leaving: BTreeMap<EvidenceText, (Mark, Option<Box<str>>)> = leaving;
        state.attributes = staying;
        let members = state.addresses.clone();
        for member in members.into_iter().filter(|member| *member != from) {
            let Some(address) = self.address(workspace, member)? else {
                continue;
            };
            let following = Following {
                subject: Subject::Address(address),
                fact: Fact::Attributes(profile),
                source: &last.source,
                actor: last.actor,
                at: self.tick(),
                basis: None,
                import: None,
            };
            let id =
                derived_id(workspace, "move attributes", &[last.id.as_bytes(), member.as_bytes()]);
            let mut event = following.draft(id);
            event.attributes =
                leaving.into_iter().map(|(name, (_, value))| (name, value)).collect();
            self.append_following(workspace, event)?;
            break;
        }
        Ok(())
    }

    /// Takes in a row of the ledger as the commit that appended it left it: attributes that it
    /// destroyed are not in the ledger any more, but may still be in the views.
    pub(super) fn replay_destruction(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        before: Vec<ProfileId>,
    ) -> Result<(), StoreError> {
        let registers = self.registers(workspace, key)?;
        let after = registers.links().map(|(profile, _)| profile);
        for profile in after.chain(before).collect::<BTreeSet<_>>() {
            if self.profile(workspace, profile)?.attributes.is_empty() {
                continue;
            }
            let mut keys = self.profile(workspace, profile)?.addresses.clone();
            keys.insert(key);
            let kept = self.attribute_rows(workspace, profile, &keys)?;
            let kept: BTreeSet<EventId> = kept.into_iter().map(|row| row.event.id).collect();
            let state = self.profile(workspace, profile)?;
            state.attributes.retain(|_, (mark, _)| kept.contains(&mark.event));
        }
        Ok(())
    }

    /// Erases an address, or the person by it (rule 17): every address that is theirs alone. An address
    /// shared with another profile is unlinked and keeps its refusals.
    pub(super) fn erase(
        &mut self,
        workspace: &Tenant,
        subject: &Subject,
        reach: ErasureReach,
        draft: &Draft,
    ) -> Result<(Recorded, Vec<ErasedAddress>, ErasureCounts), StoreError> {
        let key = subject.key(&workspace.secrets.address_keys);
        let mut erased = vec![self.named_address(workspace, subject)?];
        let mut counts = ErasureCounts::default();
        let own: Vec<ProfileId> =
            self.registers(workspace, key)?.links().map(|(profile, _)| profile).collect();
        // First: some may stand under an address that another profile keeps.
        for profile in &own {
            self.discard_attributes(workspace, *profile)?;
        }
        let registers = self.registers(workspace, key)?;
        for sibling in self.goes_along(workspace, subject, reach, &registers)? {
            let links: Vec<(ProfileId, EventId)> = self
                .registers(workspace, sibling)?
                .links()
                .map(|(profile, link)| (profile, link.event))
                .collect();
            let Some(address) = self.address(workspace, sibling)? else {
                continue;
            };
            if links.iter().all(|(profile, _)| own.contains(profile)) {
                let id = derived_id(workspace, "erase", &[draft.id.as_bytes(), sibling.as_bytes()]);
                let mut of_sibling = draft.clone();
                (of_sibling.id, of_sibling.request) = id;
                of_sibling.subject = Subject::Address(address.clone());
                erased.push((sibling, Some(address)));
                counts.events += self.erase_address(workspace, sibling, of_sibling)?.1;
            } else {
                for (profile, _) in links.iter().filter(|(profile, _)| own.contains(profile)) {
                    self.unlink(workspace, *profile, &address)?;
                }
                counts.unlinked += 1;
            }
        }
        let (recorded, events) = self.erase_address(workspace, key, draft.clone())?;
        counts.events += events;
        counts.addresses = u64::try_from(erased.len()).unwrap_or(u64::MAX);
        Ok((recorded, erased, counts))
    }

    /// Whom an erasure of this subject erases, as of now; nothing is changed.
    pub(super) fn erased_by(
        &mut self,
        workspace: &Tenant,
        subject: &Subject,
        reach: ErasureReach,
    ) -> Result<Vec<ErasedAddress>, StoreError> {
        let key = subject.key(&workspace.secrets.address_keys);
        let mut erased = vec![self.named_address(workspace, subject)?];
        let registers = self.registers(workspace, key)?;
        let own: Vec<ProfileId> = registers.links().map(|(profile, _)| profile).collect();
        for sibling in self.goes_along(workspace, subject, reach, &registers)? {
            let is_own = self
                .registers(workspace, sibling)?
                .links()
                .all(|(profile, _)| own.contains(&profile));
            if let (true, Some(address)) = (is_own, self.address(workspace, sibling)?) {
                erased.push((sibling, Some(address)));
            }
        }
        Ok(erased)
    }

    fn named_address(
        &mut self,
        workspace: &Tenant,
        subject: &Subject,
    ) -> Result<ErasedAddress, StoreError> {
        let key = subject.key(&workspace.secrets.address_keys);
        Ok(match subject {
            Subject::Address(address) => (key, Some(address.clone())),
            Subject::Hash(_) | Subject::Key(_) => (key, self.address(workspace, key)?),
        })
    }

    /// The other addresses of a person who is erased, and old forms of their number under which
    /// something is stored.
    fn goes_along(
        &mut self,
        workspace: &Tenant,
        subject: &Subject,
        reach: ErasureReach,
        registers: &Registers,
    ) -> Result<BTreeSet<AddressKey>, StoreError> {
        let secret = &workspace.secrets.address_keys;
        let mut along = match reach {
            ErasureReach::Person => self.siblings(workspace, registers, subject.key(secret))?,
            ErasureReach::Address => BTreeSet::new(),
        };
        let Subject::Address(Address::Phone(phone)) = subject else { return Ok(along) };
        for form in phone.old_forms() {
            let key = Address::Phone(form).key(secret);
            if self.address(workspace, key)?.is_some() {
                along.insert(key);
            }
        }
        Ok(along)
    }

    /// Erases one address; with how many events lost their personal part.
    fn erase_address(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        draft: Draft,
    ) -> Result<(Recorded, u64), StoreError> {
        let links: Vec<ProfileId> =
            self.registers(workspace, key)?.links().map(|(profile, _)| profile).collect();
        // An erasure is never dated back: what was said until now goes with it.
        let recorded = self.append_following(
            workspace,
            Draft { occurred_at: Timestamp::DISTANT_FUTURE, ..draft },
        )?;
        for profile in links {
            let state = self.profile(workspace, profile)?;
            state.addresses.remove(&key);
            state.attributes.clear();
        }
        let events = self.destroy_personal(workspace, key)?;
        Ok((recorded, events))
    }
}

/// Which profile an upsert means.
enum Chosen {
    Known(ProfileId),
    New,
    Several(Vec<ProfileId>),
    None,
}

impl Upserting {
    /// Reads the profile back once it is durable.
    pub(super) fn read_back(
        self,
        shared: &Shared,
        workspace: &Tenant,
    ) -> Result<Upserted, StoreError> {
        let read = |id| {
            let found = shared.profile(workspace, id)?;
            found.ok_or_else(|| StoreError::Corrupt { table: "profile", id: id.to_string() })
        };
        match self {
            Self::Stored(id) => read(id).map(Upserted::Profile),
            Self::ProcessingRefused(id) => read(id).map(Upserted::ProcessingRefused),
            Self::Full(id) => Ok(Upserted::Full(id)),
            Self::Ambiguous(profiles) => Ok(Upserted::Ambiguous(profiles)),
            Self::NoProfile => Ok(Upserted::NoProfile),
        }
    }
}

impl Shared {
    /// A profile with its addresses in clear.
    pub(super) fn profile(
        &self,
        workspace: &Tenant,
        id: ProfileId,
    ) -> Result<Option<Profile>, StoreError> {
        let Some(state) = self.find_profile(workspace, id)? else {
            return Ok(None);
        };
        let mut addresses = Vec::with_capacity(state.addresses.len());
        for key in &state.addresses {
            addresses.extend(self.address_of(workspace, *key)?);
        }
        if addresses.is_empty() {
            return Ok(None);
        }
        if self.hides_attributes(workspace, &state)? {
            return Ok(Some(Profile { id, addresses, attributes: BTreeMap::new() }));
        }
        let attributes = state.attributes.iter();
        let attributes = attributes
            .filter_map(|(name, (_, value))| Some((name.clone(), value.clone()?)))
            .collect();
        Ok(Some(Profile { id, addresses, attributes }))
    }

    /// Whether what is kept of a person is shown to nobody: processing is refused by one of their
    /// addresses (rule 11).
    fn hides_attributes(
        &self,
        workspace: &Tenant,
        state: &ProfileState,
    ) -> Result<bool, StoreError> {
        if state.attributes.is_empty() {
            return Ok(false);
        }
        let now = self.environment.clock.now();
        for key in &state.addresses {
            let known = self.registers_now(&(workspace.no, *key))?;
            if known.processing().standing_refusal(now).is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The address of a key, if it is known.
    pub(super) fn address_of(
        &self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<Option<Address>, StoreError> {
        let place = (workspace.no, key);
        let sealed: Option<Arc<[u8]>> = match self.tail.sealed_address(&place) {
            Some(super::tail::SealedAddress::Known(sealed)) => Some(sealed),
            Some(super::tail::SealedAddress::Forgotten) => None,
            Some(super::tail::SealedAddress::Unchanged) | None => {
                let row = self.read_views(|views| views::find_address(views, &place))?;
                row.and_then(|row| row.sealed).map(Arc::from)
            }
        };
        sealed
            .map(|sealed| views::open_address(&workspace.secrets.vault, &key, &sealed))
            .transpose()
            .inspect_err(|error| self.note_damage(error))
    }
}
