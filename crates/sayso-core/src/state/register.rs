//! One register: what was said about one permission, the latest statement of each kind in a slot
//! of its own (rule 7).
//!
//! A register is a join: merging takes the greater of each slot, so order, repetition and batching
//! cannot matter, and a refusal, a pending and each basis of opt-in never overwrite one another.

use std::collections::BTreeMap;

use crate::id::EventId;
use crate::time::Timestamp;
use crate::words::source::Source;
use crate::words::statement::{Level, Slot, Statement};

/// What a slot holds: when it was said, by which event, and until when it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// When it ends; only in the slots `term` and `implied`, where the later end wins.
    pub ends_at: Option<Timestamp>,
    /// When it was said.
    pub at: Timestamp,
    /// The event that said it.
    pub event: EventId,
}

/// What one reporting source believes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Its latest yes.
    pub yes: Option<Mark>,
    /// Its latest no.
    pub no: Option<Mark>,
}

/// What was said about one permission of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    acts: BTreeMap<Slot, Mark>,
    reports: BTreeMap<Source, Claims>,
}

/// Keeps the greater of the two in `slot`. The order of the fields of [`Mark`] is the order of
/// rule 7: the later end first, then the later time, then the event id.
fn keep_greater(slot: &mut Option<Mark>, mark: Mark) {
    if slot.is_none_or(|held| held < mark) {
        *slot = Some(mark);
    }
}

/// Whether `mark` is later than the refusal `refusal`; on equal times the refusal wins.
pub(crate) fn lifts(mark: &Mark, refusal: &Mark) -> bool {
    mark.at > refusal.at
}

impl Mark {
    /// Whether it counts at `now`.
    pub fn counts_at(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

impl Claims {
    /// The source's no, while it is not older than its yes.
    pub fn counting_no(&self) -> Option<&Mark> {
        self.no.as_ref().filter(|no| self.yes.is_none_or(|yes| !lifts(&yes, no)))
    }

    /// The source's yes, if it is later than its no.
    pub fn counting_yes(&self) -> Option<&Mark> {
        self.yes.as_ref().filter(|yes| self.no.is_none_or(|no| lifts(yes, &no)))
    }
}

impl Register {
    /// The register with these slots, as stored.
    pub(crate) fn from_slots(
        acts: BTreeMap<Slot, Mark>,
        reports: BTreeMap<Source, Claims>,
    ) -> Self {
        Self { acts, reports }
    }

    /// Takes in one statement.
    pub fn join(&mut self, statement: Statement, source: &Source, at: Timestamp, event: EventId) {
        let mark = Mark { ends_at: statement.ends_at(), at, event };
        match statement {
            Statement::Yes => keep_greater(&mut self.claims_of(source).yes, mark),
            Statement::No => keep_greater(&mut self.claims_of(source).no, mark),
            Statement::OptOut
            | Statement::Hold
            | Statement::Pending
            | Statement::Start
            | Statement::Single
            | Statement::Confirmed
            | Statement::Term(_)
            | Statement::Implied(_) => self.join_act(statement.slot(), mark),
        }
    }

    /// Takes in all that another register of the same permission holds.
    pub fn merge(&mut self, other: &Self) {
        for (slot, mark) in &other.acts {
            self.join_act(*slot, *mark);
        }
        for (source, theirs) in &other.reports {
            let ours = self.claims_of(source);
            theirs.yes.into_iter().for_each(|yes| keep_greater(&mut ours.yes, yes));
            theirs.no.into_iter().for_each(|no| keep_greater(&mut ours.no, no));
        }
    }

    fn join_act(&mut self, slot: Slot, mark: Mark) {
        self.acts.entry(slot).and_modify(|held| *held = (*held).max(mark)).or_insert(mark);
    }

    fn claims_of(&mut self, source: &Source) -> &mut Claims {
        if !self.reports.contains_key(source) {
            self.reports.insert(source.clone(), Claims::default());
        }
        self.reports.entry(source.clone()).or_default()
    }

    /// What the slot of acts holds.
    pub fn act(&self, slot: Slot) -> Option<&Mark> {
        self.acts.get(&slot)
    }

    /// All acts, by slot.
    pub fn acts(&self) -> impl Iterator<Item = (Slot, &Mark)> {
        self.acts.iter().map(|(slot, mark)| (*slot, mark))
    }

    /// What each source believes.
    pub fn reports(&self) -> impl Iterator<Item = (&Source, &Claims)> {
        self.reports.iter()
    }

    /// What one source believes.
    pub fn report_of(&self, source: &Source) -> Option<&Claims> {
        self.reports.get(source)
    }

    /// The refusals of line 1: `opt_out`, and every source's counting `no`.
    pub fn refusals(&self) -> impl Iterator<Item = &Mark> {
        let reports = self.reports.values().filter_map(Claims::counting_no);
        self.act(Slot::OptOut).into_iter().chain(reports)
    }

    /// Express opt-ins at `now`: `single`, `confirmed`, or a `term` not yet ended.
    pub fn express(&self, now: Timestamp) -> impl Iterator<Item = &Mark> {
        [Slot::Single, Slot::Confirmed, Slot::Term]
            .into_iter()
            .filter_map(|slot| self.act(slot))
            .filter(move |mark| mark.counts_at(now))
    }

    /// Opt-ins by act, ended or not, with the level each gives.
    pub fn opt_ins(&self) -> impl Iterator<Item = (Level, &Mark)> {
        [
            (Slot::Confirmed, Level::Confirmed),
            (Slot::Single, Level::Single),
            (Slot::Term, Level::Single),
            (Slot::Implied, Level::Implied),
        ]
        .into_iter()
        .filter_map(|(slot, level)| self.act(slot).map(|mark| (level, mark)))
    }

    /// The latest refusal that nothing in this register lifts: no express opt-in and no `start` is
    /// later. With one register this is the whole of line 1; so processing is judged (rule 11).
    pub fn standing_refusal(&self, now: Timestamp) -> Option<&Mark> {
        self.standing_refusals(now).max()
    }

    /// Every refusal that nothing in this register lifts, by whomever it was said.
    pub fn standing_refusals(&self, now: Timestamp) -> impl Iterator<Item = &Mark> {
        self.refusals().filter(move |refusal| !self.lifts_at(refusal, now))
    }

    /// Whether an express opt-in without an end or a `start` in this register is later.
    pub(crate) fn lifts_for_good(&self, refusal: &Mark) -> bool {
        self.lifts_at(refusal, Timestamp::DISTANT_FUTURE)
    }

    fn lifts_at(&self, refusal: &Mark, now: Timestamp) -> bool {
        self.express(now).chain(self.act(Slot::Start)).any(|mark| lifts(mark, refusal))
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.acts.is_empty() && self.reports.is_empty()
    }

    /// Every mark in the register, for refolding and for what an answer rests on.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        let reports = self.reports.values().flat_map(|claims| claims.yes.iter().chain(&claims.no));
        self.acts.values().chain(reports)
    }
}
