//! Addresses that are one account, and addresses whose person has another one now (rule 13).
//!
//! A use case appends what it was told. What follows from that for the other addresses of the account
//! is settled at its end, in the same transaction: what one refuses by itself is passed on to the
//! others, and what it no longer refuses is taken back from them. What an address was passed on is
//! thus a function of what the others refuse, in whatever order all of it came.
//!
//! Two addresses are one while each has the fact that names the other; untying retracts both. An
//! erased address has no text to record under, so it is settled when it is heard of again.

use sayso_core::address::{Address, AddressKey};
use sayso_core::id::EventId;
use sayso_core::limits;
use sayso_core::state::account;
use sayso_core::state::link::{Carried, carried};
use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::state::retraction::Role;
use sayso_core::state::suppression::Switched;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event::{ConsentEvent, Fact, Retracted};
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Actor, Source, is_passed_on};
use sayso_core::words::statement::{Slot, Statement};

use super::Tenant;
use super::group::Group;
use super::people::{Following, derived_id, link_source};
use crate::store::{RetractDraft, StoreError};
use sayso_plan::draft::Subject;

/// An address that something happened to, for which its account is to be settled.
pub(super) struct Due {
    workspace: Tenant,
    key: AddressKey,
    /// What was appended; absent where the address was folded anew.
    event: Option<ConsentEvent>,
}

/// Something that an address refuses by itself.
#[derive(Clone, Copy, Debug)]
struct Refused {
    /// As it is told to the other address.
    fact: Fact,
    /// When, and by which event of the one that refuses.
    mark: Mark,
}

/// One address of an account, and another to which its refusals pass.
#[derive(Clone, Copy, Debug)]
struct Pair {
    channel: Channel,
    from: AddressKey,
    to: AddressKey,
}

/// Whether naming an account says nothing that would be kept: it is known, or there are too many.
pub(super) fn is_no_new_account(fact: Fact, registers: &Registers) -> bool {
    let Fact::SameAccount(channel, other) = fact else { return false };
    let is_known = registers.same_account(channel, other).is_some();
    let is_full = registers.accounts().count() >= limits::SAME_ACCOUNT_MAX;
    if is_full && !is_known {
        tracing::warn!(
            accounts = limits::SAME_ACCOUNT_MAX,
            "an address has as many other addresses as it may; a further one is not tied to it"
        );
    }
    is_known || is_full
}

/// Whether something of an address may change what others of its account refuse, or what it refuses
/// for them.
fn concerns_the_account(event: &ConsentEvent, registers: &Registers) -> bool {
    let is_tied = registers.accounts().next().is_some();
    match event.fact {
        Fact::MovedFrom(_) | Fact::Retraction(Retracted::Event(_)) => true,
        Fact::SameAccount(..) | Fact::Erasure => is_tied,
        Fact::Consent(..) | Fact::Suppression(..) => {
            is_tied && (!is_passed_on(&event.source) || registers.is_erased())
        }
        // An erased person is heard of again.
        Fact::Activity(_) | Fact::Link(_) | Fact::Attributes(_) => is_tied && registers.is_erased(),
        Fact::Retraction(Retracted::Import(_)) => false,
    }
}

impl Group<'_> {
    /// Notes that the account of an event's address is to be settled, if the event concerns it.
    pub(super) fn note_account(
        &mut self,
        workspace: &Tenant,
        event: &ConsentEvent,
        registers: &Registers,
    ) {
        if concerns_the_account(event, registers) {
            let (workspace, key) = (workspace.clone(), event.key);
            self.dues().push(Due { workspace, key, event: Some(event.clone()) });
        }
    }

    /// Notes that an address was folded anew.
    pub(super) fn note_refolded(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
    ) -> Result<(), StoreError> {
        if self.registers(workspace, key)?.accounts().next().is_some() {
            self.dues().push(Due { workspace: workspace.clone(), key, event: None });
        }
        Ok(())
    }

    /// Settles every account that something happened to. Ends, since what was passed on is not passed
    /// on again.
    pub(super) fn settle_accounts(&mut self) -> Result<(), StoreError> {
        // In the order in which things were told: what moves takes along what was passed on before.
        loop {
            let dues = std::mem::take(self.dues());
            if dues.is_empty() {
                return Ok(());
            }
            dues.iter().try_for_each(|due| self.settle(due))?;
        }
    }

    fn settle(&mut self, due: &Due) -> Result<(), StoreError> {
        let (workspace, key) = (&due.workspace, due.key);
        match due.event.as_ref().map(|event| (event.fact, event.id)) {
            Some((Fact::MovedFrom(old), moved)) => self.carry_over(workspace, (old, key), moved),
            Some((Fact::Retraction(Retracted::Event(id)), _)) => {
                self.untie_other(workspace, key, id)?;
                self.level(workspace, key)
            }
            Some((Fact::SameAccount(channel, other), _)) => {
                if let Some(tie) =
                    self.registers(workspace, key)?.same_account(channel, other).copied()
                {
                    self.join_spellings(workspace, Pair { channel, from: key, to: other }, tie)?;
                }
                self.level(workspace, key)
            }
            Some((
                Fact::Consent(..)
                | Fact::Suppression(..)
                | Fact::Erasure
                | Fact::Activity(_)
                | Fact::Link(_)
                | Fact::Attributes(_)
                | Fact::Retraction(Retracted::Import(_)),
                _,
            ))
            | None => self.level(workspace, key),
        }
    }

    /// Ties what is tied to one spelling of a number to its other spellings, now that two addresses were
    /// named as one.
    fn join_spellings(
        &mut self,
        workspace: &Tenant,
        named: Pair,
        tie: Mark,
    ) -> Result<(), StoreError> {
        let Pair { channel, from: key, to: other } = named;
        if !self.is_number(workspace, key)? {
            return Ok(());
        }
        let joins_spellings = self.is_number(workspace, other)?;
        for further in self.tied_to(workspace, key, channel)? {
            // A person's id is tied to all spellings of their number; the number of a new person is none.
            let is_spelling = joins_spellings || self.is_number(workspace, further)?;
            if further != other && is_spelling {
                self.tie(workspace, Pair { channel, from: further, to: other }, tie)?;
                self.tie(workspace, Pair { channel, from: other, to: further }, tie)?;
            }
        }
        Ok(())
    }

    fn is_number(&mut self, workspace: &Tenant, key: AddressKey) -> Result<bool, StoreError> {
        Ok(self.address(workspace, key)?.as_ref().is_some_and(account::is_number))
    }

    /// The other addresses of an address's account on a channel.
    fn tied_to(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        channel: Channel,
    ) -> Result<Vec<AddressKey>, StoreError> {
        let registers = self.registers(workspace, key)?;
        let others = registers.accounts().filter(|(on, _, _)| *on == channel);
        Ok(others.map(|(_, other, _)| other).collect())
    }

    /// Ties an address to another, because of a naming.
    fn tie(&mut self, workspace: &Tenant, pair: Pair, named: Mark) -> Result<(), StoreError> {
        let Pair { channel, from, to } = pair;
        let Some(address) = self.address(workspace, from)? else { return Ok(()) };
        let following = Following {
            subject: Subject::Address(address),
            fact: Fact::SameAccount(channel, to),
            source: &account::source(to),
            actor: Actor::System,
            at: named.at,
            basis: Some(named.event),
            import: None,
        };
        let causes = [named.event.as_bytes().as_slice(), from.as_bytes(), to.as_bytes()];
        let draft = following.draft(derived_id(workspace, "spelling", &causes));
        self.append_following(workspace, draft).map(|_| ())
    }

    /// Brings an address and the others of its accounts in line, both ways.
    fn level(&mut self, workspace: &Tenant, key: AddressKey) -> Result<(), StoreError> {
        let registers = self.registers(workspace, key)?;
        for (channel, other, _) in registers.accounts() {
            self.pass_on(workspace, Pair { channel, from: key, to: other })?;
            self.pass_on(workspace, Pair { channel, from: other, to: key })?;
        }
        Ok(())
    }

    /// Makes what one address was passed on from another what that one refuses by itself.
    fn pass_on(&mut self, workspace: &Tenant, pair: Pair) -> Result<(), StoreError> {
        let Some(address) = self.address(workspace, pair.to)? else { return Ok(()) };
        let tie =
            self.registers(workspace, pair.to)?.same_account(pair.channel, pair.from).copied();
        let Some(tie) = tie else { return Ok(()) };
        let back = self.registers(workspace, pair.from)?;
        let refused = match back.same_account(pair.channel, pair.to) {
            Some(_) => self.refused_by(workspace, pair.from, pair.channel)?,
            None => Vec::new(),
        };
        let source = account::source(pair.from);
        while let Some(stale) = self.stale(workspace, pair, &source, &refused)? {
            self.take_back_from(workspace, (pair.to, &address), stale, &source)?;
        }
        for one in refused {
            let registers = self.registers(workspace, pair.to)?;
            if says_already(&registers, &one, &source) {
                continue;
            }
            let (mut attempt, mut id) = (0_u32, passed_on_id(workspace, &tie, &one, 0));
            // Passed on before, and taken back.
            while registers.is_retracted(&id.0) {
                attempt += 1;
                id = passed_on_id(workspace, &tie, &one, attempt);
            }
            let (actor, _) = self.carried_on(workspace, pair.from, one.mark.event)?;
            let following = Following {
                subject: Subject::Address(address.clone()),
                fact: one.fact,
                source: &source,
                actor,
                at: one.mark.at,
                basis: Some(tie.event),
                // It is taken back when the other address is folded without it.
                import: None,
            };
            self.append_following(workspace, following.draft(id))?;
        }
        Ok(())
    }

    /// What an address refuses by itself on a channel.
    fn refused_by(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        channel: Channel,
    ) -> Result<Vec<Refused>, StoreError> {
        let mut registers = self.registers(workspace, key)?;
        let holds = account::holds(&registers, channel).into_iter().map(|(_, mark)| mark);
        let blocks = account::blocks(&registers, channel).into_iter().map(|(_, _, mark)| mark);
        let shared: Vec<Mark> = holds.chain(blocks).collect();
        for mark in shared {
            if self.source_of(workspace, key, &mark)?.is_some_and(|it| is_passed_on(&it)) {
                // Below what was passed on may lie what the address refused by itself.
                registers = self.fold_own(workspace, key)?.into();
                break;
            }
        }
        let refusals = account::own_refusals(&registers, channel).into_iter();
        let refusals = refusals.map(|(permission, mark)| Refused {
            fact: Fact::Consent(permission, Statement::No),
            mark,
        });
        let holds = account::holds(&registers, channel).into_iter();
        let holds = holds.map(|(permission, mark)| Refused {
            fact: Fact::Consent(permission, Statement::Hold),
            mark,
        });
        let blocks = account::blocks(&registers, channel).into_iter();
        let blocks = blocks.map(|(suppression, cover, mark)| Refused {
            fact: Fact::Suppression(suppression, cover, Switched::On),
            mark,
        });
        Ok(refusals.chain(holds).chain(blocks).collect())
    }

    /// What is known of an address without what was passed on to it.
    fn fold_own(&mut self, workspace: &Tenant, key: AddressKey) -> Result<Registers, StoreError> {
        let rows = self.rows(workspace, key)?.into_iter().map(|row| row.event);
        let own: Vec<ConsentEvent> = rows.filter(|event| !is_passed_on(&event.source)).collect();
        let model = self.model(workspace)?;
        Ok(Registers::fold(&own, &model.runtime.undone_imports))
    }

    fn source_of(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        mark: &Mark,
    ) -> Result<Option<Source>, StoreError> {
        let row = self.find_event(workspace, key, mark.event, None)?;
        Ok(row.map(|row| row.event.source))
    }

    /// Something that was passed on and that the other address does not refuse any more.
    fn stale(
        &mut self,
        workspace: &Tenant,
        pair: Pair,
        source: &Source,
        refused: &[Refused],
    ) -> Result<Option<EventId>, StoreError> {
        let registers = self.registers(workspace, pair.to)?;
        let still = |fact: Fact, mark: &Mark| {
            refused.iter().any(|one| one.fact == fact && one.mark.at >= mark.at)
        };
        for (permission, mark) in passed_on(&registers, pair.channel, source) {
            if !still(Fact::Consent(permission, Statement::No), &mark) {
                return Ok(Some(mark.event));
            }
        }
        let holds = account::holds(&registers, pair.channel).into_iter();
        let holds =
            holds.map(|(permission, mark)| (Fact::Consent(permission, Statement::Hold), mark));
        let blocks = account::blocks(&registers, pair.channel).into_iter();
        let blocks = blocks.map(|(suppression, cover, mark)| {
            (Fact::Suppression(suppression, cover, Switched::On), mark)
        });
        for (fact, mark) in holds.chain(blocks) {
            let is_theirs = self.source_of(workspace, pair.to, &mark)?.as_ref() == Some(source);
            if is_theirs && !still(fact, &mark) {
                return Ok(Some(mark.event));
            }
        }
        Ok(None)
    }

    fn take_back_from(
        &mut self,
        workspace: &Tenant,
        (key, address): (AddressKey, &Address),
        event: EventId,
        source: &Source,
    ) -> Result<(), StoreError> {
        let target = RetractDraft {
            subject: Subject::Address(address.clone()),
            event,
            role: Role::Compliance,
            source: source.clone(),
            actor: Actor::System,
            reason: None,
        };
        self.append_retraction(workspace, key, event, &target).map(|_| ())
    }

    /// Unties the other address too, where what was retracted named it.
    fn untie_other(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        retracted: EventId,
    ) -> Result<(), StoreError> {
        let row = self.find_event(workspace, key, retracted, None)?;
        let Some(Fact::SameAccount(channel, other)) = row.map(|row| row.event.fact) else {
            return Ok(());
        };
        self.untie_those_of(workspace, other, (channel, retracted))?;
        let tie = self.registers(workspace, other)?.same_account(channel, key).copied();
        if let (Some(tie), Some(address)) = (tie, self.address(workspace, other)?) {
            self.take_back_from(workspace, (other, &address), tie.event, &account::source(key))?;
        }
        while self.untie_unfounded(workspace, key, channel)? {}
        Ok(())
    }

    /// Unties one address that was tied to a number because of another spelling of it, now that none of its
    /// spellings is tied to that address; says whether there was one. Which of two namings came last, and
    /// so is the basis of such a tie, does not matter.
    fn untie_unfounded(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        channel: Channel,
    ) -> Result<bool, StoreError> {
        let all = self.tied_to(workspace, key, channel)?;
        for further in &all {
            let tie = self.registers(workspace, key)?.same_account(channel, *further).copied();
            let Some(tie) = tie else { continue };
            let named_by = self.source_of(workspace, key, &tie)?;
            if !named_by.is_some_and(|source| is_passed_on(&source)) {
                continue;
            }
            let mut is_founded = false;
            for spelling in all.iter().filter(|spelling| *spelling != further) {
                let known = self.registers(workspace, *spelling)?;
                let is_tied = known.same_account(channel, *further).is_some();
                is_founded |= is_tied && self.is_number(workspace, *spelling)?;
            }
            if is_founded {
                continue;
            }
            for (one, other) in [(key, *further), (*further, key)] {
                let tie = self.registers(workspace, one)?.same_account(channel, other).copied();
                if let (Some(tie), Some(address)) = (tie, self.address(workspace, one)?) {
                    let source = account::source(other);
                    self.take_back_from(workspace, (one, &address), tie.event, &source)?;
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Unties from an address what was tied to it because of a naming that is retracted.
    fn untie_those_of(
        &mut self,
        workspace: &Tenant,
        key: AddressKey,
        (channel, retracted): (Channel, EventId),
    ) -> Result<(), StoreError> {
        for further in self.tied_to(workspace, key, channel)? {
            let sides = [(key, further), (further, key)];
            for (one, other) in sides {
                let tie = self.registers(workspace, one)?.same_account(channel, other).copied();
                let Some(tie) = tie else { continue };
                let row = self.find_event(workspace, one, tie.event, None)?;
                let is_its = row.is_some_and(|row| row.event.basis == Some(retracted));
                if let (true, Some(address)) = (is_its, self.address(workspace, one)?) {
                    let source = account::source(other);
                    self.take_back_from(workspace, (one, &address), tie.event, &source)?;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Carries to a new address what rule 13 carries from the one that its person had.
    fn carry_over(
        &mut self,
        workspace: &Tenant,
        (old, new): (AddressKey, AddressKey),
        moved: EventId,
    ) -> Result<(), StoreError> {
        let Some(address) = self.address(workspace, new)? else { return Ok(()) };
        let known = self.address(workspace, old)?;
        let same_kind = known.is_none_or(|known| known.kind() == address.kind());
        let passes = |carried: &Carried| {
            same_kind || matches!(carried.fact, Fact::Consent(Permission::Processing, _))
        };
        let source = link_source()?;
        for one in carried(&*self.registers(workspace, old)?).into_iter().filter(passes) {
            let (actor, import) = self.carried_on(workspace, old, one.from)?;
            let following = Following {
                subject: Subject::Address(address.clone()),
                fact: one.fact,
                source: &source,
                actor,
                at: one.at,
                basis: Some(moved),
                import,
            };
            let causes = [moved.as_bytes().as_slice(), one.from.as_bytes()];
            self.append_following(
                workspace,
                following.draft(derived_id(workspace, "carry", &causes)),
            )?;
        }
        Ok(())
    }
}

/// The id of what was passed on by this naming; `attempt` counts how often it was taken back.
fn passed_on_id(
    workspace: &Tenant,
    tie: &Mark,
    one: &Refused,
    attempt: u32,
) -> (EventId, RequestHash) {
    let attempt = attempt.to_be_bytes();
    let causes = [tie.event.as_bytes().as_slice(), one.mark.event.as_bytes(), &attempt];
    derived_id(workspace, "account", &causes)
}

/// The refusals that an address was passed on from a source, on a channel and of processing.
fn passed_on(registers: &Registers, channel: Channel, source: &Source) -> Vec<(Permission, Mark)> {
    let messages = registers
        .on_channel(channel)
        .map(|(scope, register)| (Permission::Messages(channel, scope), register));
    let all = messages.chain([(Permission::Processing, registers.processing())]);
    all.filter_map(|(permission, register)| Some((permission, register.report_of(source)?.no?)))
        .collect()
}

/// Whether an address has been passed on a refusal, or says as much by itself.
fn says_already(registers: &Registers, one: &Refused, source: &Source) -> bool {
    let held = if let Fact::Suppression(suppression, cover, _) = one.fact {
        registers.suppressions().switch(suppression, cover).and_then(|switch| switch.on)
    } else {
        one.fact.consent().and_then(|(permission, statement)| {
            let register = registers.of(permission)?;
            if statement == Statement::Hold {
                register.act(Slot::Hold).copied()
            } else {
                register.report_of(source)?.no
            }
        })
    };
    held.is_some_and(|held| held.at >= one.mark.at)
}
