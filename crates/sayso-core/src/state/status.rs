//! Rule 8: the status of a message's permission, the first line of the table that holds.
//!
//! | | Condition over the applicable scopes | Status |
//! |---|---|---|
//! | 1 | a scope holds `opt_out` or a counting `no`, and no express or `start` is later in that scope or in an applicable scope inside it | `opted_out` |
//! | 2 | marketing, a scope holds `hold`, and no express in any applicable scope is later | `under_review` |
//! | 3 | an opt-in by act, not ended, later than every `opt_out` of its scope, or revived by a `start` later than that `opt_out`, in its scope or in an applicable scope inside it | `opted_in` at the highest level |
//! | 4 | no opt-in or `opt_out` by act, and a source's `yes` is later than its `no` | `opted_in`, level `single` |
//! | 5 | opt-ins by act, all ended | `expired` |
//! | 6 | a `pending` younger than 7 days | `pending` |
//! | 7 | something recorded / nothing ever recorded | `never` / the dated default |
//!
//! One reading is fixed here, the one that refuses: "every `opt_out` of its scope" (line 3) means every
//! one that covers the scope, so a confirmation on a topic does not outlive a later STOP to everything.

use crate::limits;
use crate::state::register::{Claims, Mark, Register, lifts};
use crate::state::registers::Registers;
use crate::time::Timestamp;
use crate::words::channel::{Category, Message, Scope, words};
use crate::words::statement::{Level, Slot};

words! {
    /// Where a person stands towards a kind of message.
    Status {
        /// Said nothing that counts.
        Never = "never", 1;
        /// Asked, not answered; or agreed with less evidence than the policy asks.
        Pending = "pending", 2;
        /// Agreed.
        OptedIn = "opted_in", 3;
        /// Refused.
        OptedOut = "opted_out", 4;
        /// Wrote something that a person must read first.
        UnderReview = "under_review", 5;
        /// Agreed, and the agreement has ended.
        Expired = "expired", 6;
    }
}

/// The state folded from events, for one message's permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The status.
    pub status: Status,
    /// How well an opt-in is evidenced.
    pub level: Option<Level>,
    /// What the answer rests on, where it rests on something said.
    pub basis: Option<Mark>,
}

impl Consent {
    const fn of(status: Status, basis: Option<Mark>) -> Self {
        Self { status, level: None, basis }
    }

    /// Said nothing that counts.
    pub const NEVER: Self = Self::of(Status::Never, None);

    /// Where an opt-in is below the least level that the channel's policy asks, it is pending.
    #[must_use]
    pub fn at_least(self, least: Level) -> Self {
        match self.level {
            Some(level) if level < least => Self { status: Status::Pending, ..self },
            Some(_) | None => self,
        }
    }
}

/// The consent for `message` at `now`, before policy and default; `None` where nothing at all was
/// ever recorded on the channel.
pub fn consent(registers: &Registers, message: &Message, now: Timestamp) -> Option<Consent> {
    registers.on_channel(message.channel).next()?;
    let applicable = Applicable::of(registers, message);
    let line_1 = || applicable.refusal(now).map(|mark| Consent::of(Status::OptedOut, Some(mark)));
    let line_2 =
        || applicable.hold(message, now).map(|mark| Consent::of(Status::UnderReview, Some(mark)));
    let opted_in =
        |(level, mark)| Consent { level: Some(level), ..Consent::of(Status::OptedIn, Some(mark)) };
    let line_3 = || applicable.opt_in_by_act(now).map(opted_in);
    let line_4 = || applicable.opt_in_by_report().map(opted_in);
    let line_5 = || applicable.ended(now).map(|mark| Consent::of(Status::Expired, Some(mark)));
    let line_6 = || applicable.pending(now).map(|mark| Consent::of(Status::Pending, Some(mark)));
    let consent =
        line_1().or_else(line_2).or_else(line_3).or_else(line_4).or_else(line_5).or_else(line_6);
    Some(consent.unwrap_or(Consent::NEVER))
}

/// The registers whose scopes apply to one message: at most four.
struct Applicable<'a>(Vec<(Scope, &'a Register)>);

impl<'a> Applicable<'a> {
    fn of(registers: &'a Registers, message: &Message) -> Self {
        Self(
            message
                .scopes()
                .filter_map(|scope| Some((scope, registers.register(message.channel, scope)?)))
                .collect(),
        )
    }

    fn all(&self) -> impl Iterator<Item = (Scope, &'a Register)> {
        self.0.iter().copied()
    }

    /// The registers of `scope` and of the applicable scopes inside it.
    fn inside(&self, scope: Scope) -> impl Iterator<Item = &'a Register> {
        self.all().filter(move |(inner, _)| scope.covers(*inner)).map(|(_, register)| register)
    }

    /// The registers of `scope` and of the applicable scopes around it.
    fn around(&self, scope: Scope) -> impl Iterator<Item = (Scope, &'a Register)> {
        self.all().filter(move |(outer, _)| outer.covers(scope))
    }

    /// The express opt-ins of every applicable scope.
    fn express(&self, now: Timestamp) -> impl Iterator<Item = &'a Mark> {
        self.all().flat_map(move |(_, register)| register.express(now))
    }

    /// Line 1: the latest refusal that nothing lifts.
    fn refusal(&self, now: Timestamp) -> Option<Mark> {
        self.all()
            .flat_map(|(scope, register)| register.refusals().map(move |refusal| (scope, refusal)))
            .filter(|(scope, refusal)| {
                !self
                    .inside(*scope)
                    .flat_map(|register| register.express(now).chain(register.act(Slot::Start)))
                    .any(|mark| lifts(mark, refusal))
            })
            .map(|(_, refusal)| *refusal)
            .max()
    }

    /// Line 2: the latest hold without a later express opt-in.
    fn hold(&self, message: &Message, now: Timestamp) -> Option<Mark> {
        if message.category != Category::Marketing {
            return None;
        }
        self.all()
            .filter_map(|(_, register)| register.act(Slot::Hold))
            .filter(|hold| !self.express(now).any(|express| lifts(express, hold)))
            .max()
            .copied()
    }

    /// Line 3: the opt-in by act with the highest level, the latest of those.
    fn opt_in_by_act(&self, now: Timestamp) -> Option<(Level, Mark)> {
        self.all()
            .flat_map(|(scope, register)| {
                register.opt_ins().map(move |(level, mark)| (scope, level, mark))
            })
            .filter(|(_, _, mark)| mark.counts_at(now))
            .filter(|(scope, _, mark)| {
                self.around(*scope).all(|(outer, register)| match register.act(Slot::OptOut) {
                    None => true,
                    Some(out) => {
                        let mut starts = self.inside(outer).filter_map(|it| it.act(Slot::Start));
                        lifts(mark, out) || starts.any(|start| lifts(start, out))
                    }
                })
            })
            .map(|(_, level, mark)| (level, *mark))
            .max_by_key(|(level, mark)| (*level, mark.at, mark.event))
    }

    /// Line 4: the latest yes of a source, where nobody acted.
    fn opt_in_by_report(&self) -> Option<(Level, Mark)> {
        let acted = |register: &Register| {
            register.act(Slot::OptOut).is_some() || register.opt_ins().next().is_some()
        };
        if self.all().any(|(_, register)| acted(register)) {
            return None;
        }
        self.all()
            .flat_map(|(_, register)| {
                register.reports().filter_map(|(_, claims)| Claims::counting_yes(claims))
            })
            .max()
            .map(|yes| (Level::Single, *yes))
    }

    /// Line 5: the opt-in that ended last, where all have ended.
    fn ended(&self, now: Timestamp) -> Option<Mark> {
        let opt_ins =
            || self.all().flat_map(|(_, register)| register.opt_ins().map(|(_, mark)| mark));
        if opt_ins().any(|mark| mark.counts_at(now)) {
            return None;
        }
        opt_ins().max().copied()
    }

    /// Line 6: the latest pending that has not lapsed.
    fn pending(&self, now: Timestamp) -> Option<Mark> {
        self.all()
            .filter_map(|(_, register)| register.act(Slot::Pending))
            .filter(|mark| now < mark.at.plus(limits::LAPSE_OF_PENDING))
            .max()
            .copied()
    }
}
