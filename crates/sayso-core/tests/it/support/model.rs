//! The rules of consent once more: slow, over the plain list of events, without registers.
//!
//! Written from the texts of rules 7 to 13, 24 and 26, each function naming its sentence. Nothing
//! here may call the state of `sayso-core`: only its words (events, messages, settings).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a rule speaks of some words and means none of the others"
)]

use std::collections::BTreeSet;

use sayso_core::gate::decision::{Circumstances, Requirement, SenderState};
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, ImportId};
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::state::status::Status;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{
    Category, Channel, Content, Message, Occasion, Permission, Scope,
};
use sayso_core::words::event::{ConsentEvent, Fact, Retracted};
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::{Level, Statement};

/// What the model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) reasons: Vec<Reason>,
    pub(crate) waived: Vec<Reason>,
    pub(crate) status: Status,
    pub(crate) level: Option<Level>,
    pub(crate) retry_at: Option<Timestamp>,
}

/// The events of one address that count.
pub(crate) struct Model<'a> {
    events: Vec<&'a ConsentEvent>,
}

impl<'a> Model<'a> {
    /// Rule 9: what a retraction or an undone import names is left out, and so is what follows
    /// from it (unlinking is a retraction, rule 13), but for what is final. Rule 17: an erasure destroys what was said up to it, but no refusal.
    pub(crate) fn of(history: &'a [ConsentEvent], undone: &BTreeSet<ImportId>) -> Self {
        let retracted: BTreeSet<EventId> = history
            .iter()
            .filter_map(|event| match event.fact {
                Fact::Retraction(Retracted::Event(id)) => Some(id),
                _ => None,
            })
            .collect();
        let erased_at = history
            .iter()
            .filter(|event| event.fact == Fact::Erasure)
            .map(|event| event.occurred_at)
            .max();
        let is_named = |event: &ConsentEvent| {
            retracted.contains(&event.id)
                || event.basis.is_some_and(|basis| retracted.contains(&basis))
                || event.import.is_some_and(|import| undone.contains(&import))
        };
        let is_destroyed = |event: &ConsentEvent| match event.fact {
            Fact::Consent(_, statement) => {
                !refuses(statement) && erased_at.is_some_and(|at| event.occurred_at <= at)
            }
            _ => false,
        };
        let events = history
            .iter()
            .filter(|event| !is_named(event) || is_final(event))
            .filter(|event| !is_destroyed(event))
            .collect();
        Self { events }
    }

    /// Rules 24 and 26: the decision.
    pub(crate) fn check(&self, message: &Message, circumstances: &Circumstances<'_>) -> Answer {
        let now = circumstances.now;
        let (status, level, refused_at) = self.status(message, circumstances.settings, now);
        let elsewhere = self.has_opt_in_somewhere(message.channel, now);
        let lacks = match status {
            Status::OptedIn => vec![],
            Status::OptedOut => vec![Reason::OptedOut],
            Status::UnderReview => vec![Reason::UnderReview],
            Status::Expired => vec![Reason::Expired],
            // An open question hides nothing (rule 14).
            Status::Pending if level.is_none() && elsewhere => {
                vec![Reason::Pending, Reason::CategoryNotCovered]
            }
            Status::Pending => vec![Reason::Pending],
            Status::Never if elsewhere => vec![Reason::CategoryNotCovered],
            Status::Never => vec![Reason::NoOptIn],
        };
        let waives = |lack: &Reason| self.waives(*lack, refused_at, message, circumstances);
        let (waived, lacking): (Vec<Reason>, Vec<Reason>) = lacks.into_iter().partition(waives);

        let mut reasons = vec![];
        if self.is_suppressed(message, now) {
            reasons.push(Reason::Suppressed);
        }
        if self.refuses_processing(now) {
            reasons.push(Reason::ProcessingRefused);
        }
        reasons.extend(lacking);
        if message.channel == Channel::WhatsApp
            && message.content == Content::FreeForm
            && self.active_since(message, now).is_none()
        {
            reasons.push(Reason::OutsideWindow);
        }
        let mut retry_at = None;
        for (reason, until) in [
            (Reason::QuietHours, circumstances.quiet_until),
            (Reason::FrequencyCap, circumstances.capped_until),
        ] {
            if let Some(until) = until.filter(|until| *until > now) {
                reasons.push(reason);
                retry_at = retry_at.max(Some(until));
            }
        }
        if let SenderState::Paused(until) = circumstances.sender {
            reasons.push(Reason::SenderPaused);
            let end = until.unwrap_or(Timestamp::DISTANT_FUTURE);
            retry_at = retry_at.max(Some(end).filter(|end| *end > now));
        }
        // Where no end is in sight there is no time to name.
        let retry_at = retry_at.filter(|until| *until != Timestamp::DISTANT_FUTURE);
        Answer { reasons, waived, status, level, retry_at }
    }

    /// Rule 8: the first line that holds, then the least level, and when the person refused.
    fn status(
        &self,
        message: &Message,
        settings: &Settings,
        now: Timestamp,
    ) -> (Status, Option<Level>, Option<Timestamp>) {
        if let Some(at) = self.refused_at(message, now) {
            return (Status::OptedOut, None, Some(at));
        }
        if message.category == Category::Marketing && self.is_held(message, now) {
            return (Status::UnderReview, None, None);
        }
        let level = self.level_by_act(message, now).or_else(|| self.level_by_report(message));
        if let Some(level) = level {
            let named = settings.least_levels.get(&message.channel).copied();
            let least = named.unwrap_or(Level::Single);
            // The rules of WhatsApp, which hold where nothing is set, know no implied opt-in (rule 6).
            let enough =
                level >= least && (message.channel != Channel::WhatsApp || level >= Level::Single);
            let status = if enough { Status::OptedIn } else { Status::Pending };
            return (status, Some(level), None);
        }
        if self.has_ended(message, now) {
            return (Status::Expired, None, None);
        }
        if self.is_pending(message, now) {
            return (Status::Pending, None, None);
        }
        if self.is_recorded(message.channel) || !is_in_by_default(message, settings) {
            return (Status::Never, None, None);
        }
        (Status::OptedIn, Some(Level::Implied), None)
    }

    /// What was said about one scope of a channel.
    fn said(
        &self,
        channel: Channel,
        scope: Scope,
    ) -> impl Iterator<Item = (Statement, &'a ConsentEvent)> {
        self.about(Permission::Messages(channel, scope))
    }

    fn about(&self, permission: Permission) -> impl Iterator<Item = (Statement, &'a ConsentEvent)> {
        self.events.iter().filter_map(move |event| match event.fact {
            Fact::Consent(about, statement) if about == permission => Some((statement, *event)),
            _ => None,
        })
    }

    /// Rule 7: of the opt-ins with an end, the one that ends last counts, then the latest.
    fn with_end(&self, permission: Permission, kind: Ending) -> Option<(Timestamp, Timestamp)> {
        self.about(permission)
            .filter_map(|(statement, event)| match (kind, statement) {
                (Ending::Term, Statement::Term(end))
                | (Ending::Implied, Statement::Implied(end)) => Some((end, event.occurred_at)),
                _ => None,
            })
            .max()
    }

    /// The times of express opt-ins: `single`, `confirmed`, or a `term` not yet ended.
    fn express(&self, permission: Permission, now: Timestamp) -> Vec<Timestamp> {
        let lasting = self
            .about(permission)
            .filter(|(statement, _)| matches!(statement, Statement::Single | Statement::Confirmed))
            .map(|(_, event)| event.occurred_at);
        let term =
            self.with_end(permission, Ending::Term).filter(|(end, _)| *end > now).map(|(_, at)| at);
        lasting.chain(term).collect()
    }

    /// All opt-ins by act: level, time, end.
    fn opt_ins(&self, permission: Permission) -> Vec<(Level, Timestamp, Option<Timestamp>)> {
        let lasting = self.about(permission).filter_map(|(statement, event)| match statement {
            Statement::Single => Some((Level::Single, event.occurred_at, None)),
            Statement::Confirmed => Some((Level::Confirmed, event.occurred_at, None)),
            _ => None,
        });
        let term = self.with_end(permission, Ending::Term);
        let implied = self.with_end(permission, Ending::Implied);
        lasting
            .chain(term.map(|(end, at)| (Level::Single, at, Some(end))))
            .chain(implied.map(|(end, at)| (Level::Implied, at, Some(end))))
            .collect()
    }

    fn starts(&self, permission: Permission) -> impl Iterator<Item = Timestamp> {
        self.about(permission)
            .filter(|(statement, _)| *statement == Statement::Start)
            .map(|(_, event)| event.occurred_at)
    }

    fn opt_outs(&self, permission: Permission) -> impl Iterator<Item = Timestamp> {
        self.about(permission)
            .filter(|(statement, _)| *statement == Statement::OptOut)
            .map(|(_, event)| event.occurred_at)
    }

    /// "A source's `no` counts while it is not older than its `yes`."
    fn counting_nos(&self, permission: Permission) -> impl Iterator<Item = Timestamp> {
        self.about(permission)
            .filter(|(statement, _)| *statement == Statement::No)
            .filter(move |(_, no)| {
                !self.about(permission).any(|(statement, yes)| {
                    statement == Statement::Yes
                        && yes.source == no.source
                        && yes.occurred_at > no.occurred_at
                })
            })
            .map(|(_, event)| event.occurred_at)
    }

    /// "A source's `yes` is later than its `no`."
    fn has_counting_yes(&self, permission: Permission) -> bool {
        self.about(permission).filter(|(statement, _)| *statement == Statement::Yes).any(
            |(_, yes)| {
                self.about(permission).all(|(statement, no)| {
                    statement != Statement::No
                        || no.source != yes.source
                        || yes.occurred_at > no.occurred_at
                })
            },
        )
    }

    /// Line 1: a scope holds `opt_out` or a counting `no`, and no express or `start` is later than
    /// it in that scope or in an applicable scope inside it.
    fn refused_at(&self, message: &Message, now: Timestamp) -> Option<Timestamp> {
        let mut standing = vec![];
        for scope in applicable(message) {
            let held = Permission::Messages(message.channel, scope);
            for refused_at in self.opt_outs(held).chain(self.counting_nos(held)) {
                let lifted = inside(message, scope).into_iter().any(|inner| {
                    let inner = Permission::Messages(message.channel, inner);
                    self.express(inner, now)
                        .into_iter()
                        .chain(self.starts(inner))
                        .any(|at| at > refused_at)
                });
                if !lifted {
                    standing.push(refused_at);
                }
            }
        }
        standing.into_iter().max()
    }

    /// Line 2: a scope holds `hold`, and no later express in any applicable scope.
    fn is_held(&self, message: &Message, now: Timestamp) -> bool {
        applicable(message).into_iter().any(|scope| {
            self.said(message.channel, scope)
                .filter(|(statement, _)| *statement == Statement::Hold)
                .any(|(_, hold)| {
                    !applicable(message).into_iter().any(|other| {
                        self.express(Permission::Messages(message.channel, other), now)
                            .into_iter()
                            .any(|at| at > hold.occurred_at)
                    })
                })
        })
    }

    /// Line 3: an opt-in by act, not ended, later than every `opt_out` of its scope (that is: every
    /// one that covers the scope), or revived by a `start` later than that `opt_out`, in the
    /// refusal's own scope or in an applicable scope inside it.
    fn level_by_act(&self, message: &Message, now: Timestamp) -> Option<Level> {
        let mut levels = vec![];
        for scope in applicable(message) {
            for (level, at, end) in self.opt_ins(Permission::Messages(message.channel, scope)) {
                let ended = end.is_some_and(|end| end <= now);
                let outlived = applicable(message)
                    .into_iter()
                    .filter(|outer| contains(*outer, scope))
                    .all(|outer| {
                        let revived = |out| {
                            inside(message, outer).into_iter().any(|inner| {
                                let inner = Permission::Messages(message.channel, inner);
                                self.starts(inner).any(|start| start > out)
                            })
                        };
                        let outer = Permission::Messages(message.channel, outer);
                        self.opt_outs(outer).all(|out| at > out || revived(out))
                    });
                if !ended && outlived {
                    levels.push(level);
                }
            }
        }
        levels.into_iter().max()
    }

    /// Line 4: no opt-in or `opt_out` by act, and a source's `yes` is later than its `no`.
    fn level_by_report(&self, message: &Message) -> Option<Level> {
        let held = || {
            applicable(message)
                .into_iter()
                .map(|scope| Permission::Messages(message.channel, scope))
        };
        let acted = held()
            .any(|scope| !self.opt_ins(scope).is_empty() || self.opt_outs(scope).next().is_some());
        (!acted && held().any(|scope| self.has_counting_yes(scope))).then_some(Level::Single)
    }

    /// Line 5: opt-ins by act, all ended.
    fn has_ended(&self, message: &Message, now: Timestamp) -> bool {
        let opt_ins: Vec<_> = applicable(message)
            .into_iter()
            .flat_map(|scope| self.opt_ins(Permission::Messages(message.channel, scope)))
            .collect();
        !opt_ins.is_empty()
            && opt_ins.into_iter().all(|(_, _, end)| end.is_some_and(|end| end <= now))
    }

    /// Line 6: a `pending` younger than 7 days.
    fn is_pending(&self, message: &Message, now: Timestamp) -> bool {
        applicable(message).into_iter().any(|scope| {
            self.said(message.channel, scope).any(|(statement, event)| {
                statement == Statement::Pending && now < event.occurred_at.plus(Span::days(7))
            })
        })
    }

    /// Rule 10: whether anything at all was recorded on the channel.
    fn is_recorded(&self, channel: Channel) -> bool {
        self.events.iter().any(|event| {
            matches!(event.fact, Fact::Consent(Permission::Messages(on, _), _) if on == channel)
        })
    }

    /// Rule 24, `category_not_covered`: an opt-in exists on the channel.
    fn has_opt_in_somewhere(&self, channel: Channel, now: Timestamp) -> bool {
        let permissions: BTreeSet<Permission> = self
            .events
            .iter()
            .filter_map(|event| match event.fact {
                Fact::Consent(permission @ Permission::Messages(on, _), _) if on == channel => {
                    Some(permission)
                }
                _ => None,
            })
            .collect();
        permissions.into_iter().any(|permission| {
            self.has_counting_yes(permission)
                || self
                    .opt_ins(permission)
                    .into_iter()
                    .any(|(_, _, end)| end.is_none_or(|end| end > now))
        })
    }

    /// Rule 11: refused, and no act and no report of the same source lifted it.
    fn refuses_processing(&self, now: Timestamp) -> bool {
        let held = Permission::Processing;
        self.opt_outs(held).chain(self.counting_nos(held)).any(|refused_at| {
            !self.express(held, now).into_iter().chain(self.starts(held)).any(|at| at > refused_at)
        })
    }

    /// Rule 12: set and not cleared later, and not lifted in the way of its kind.
    fn is_suppressed(&self, message: &Message, now: Timestamp) -> bool {
        let erasures = self
            .events
            .iter()
            .filter(|event| event.fact == Fact::Erasure)
            .map(|event| (Suppression::Erased, Cover::default(), event.occurred_at));
        let set = self.events.iter().filter_map(|event| match event.fact {
            Fact::Suppression(kind, cover, Switched::On) => Some((kind, cover, event.occurred_at)),
            _ => None,
        });
        set.chain(erasures).any(|(kind, cover, set_at)| {
            let cleared = self.events.iter().any(|event| {
                event.fact == Fact::Suppression(kind, cover, Switched::Off)
                    && event.occurred_at > set_at
            });
            falls_under(message, cover) && !cleared && !self.lifts(kind, set_at, message, now)
        })
    }

    /// Rule 12: `complaint`, `erased`, `reassigned` by a later act through the address (an express
    /// opt-in that applies to the message), `invalid` by a message from it.
    fn lifts(
        &self,
        kind: Suppression,
        set_at: Timestamp,
        message: &Message,
        now: Timestamp,
    ) -> bool {
        match kind {
            Suppression::Complaint | Suppression::Erased | Suppression::Reassigned => {
                applicable(message).into_iter().any(|scope| {
                    self.express(Permission::Messages(message.channel, scope), now)
                        .into_iter()
                        .any(|at| at > set_at)
                })
            }
            Suppression::Invalid => self
                .events
                .iter()
                .any(|event| matches!(event.fact, Fact::Activity(_)) && event.occurred_at > set_at),
            Suppression::Operator | Suppression::Provider => false,
        }
    }

    /// Rule 18: the person's last message to the sender, while it keeps them active.
    fn active_since(&self, message: &Message, now: Timestamp) -> Option<Timestamp> {
        self.events
            .iter()
            .filter(|event| match (event.fact, message.sender) {
                (Fact::Activity(to), Some(sender)) => to == sender,
                (Fact::Activity(_), None) => true,
                _ => false,
            })
            .map(|event| event.occurred_at)
            .max()
            .filter(|at| now < at.plus(Span::hours(24)))
    }

    /// Rule 26: whether this lack does not matter.
    fn waives(
        &self,
        lack: Reason,
        refused_at: Option<Timestamp>,
        message: &Message,
        circumstances: &Circumstances<'_>,
    ) -> bool {
        let now = circumstances.now;
        let waivable = matches!(lack, Reason::NoOptIn | Reason::Pending | Reason::Expired);
        let not_given = waivable || lack == Reason::CategoryNotCovered;
        let exempt = match message.occasion {
            Occasion::Ordinary => false,
            // "the one confirmation", within 5 minutes, without marketing (rule 21)
            Occasion::RefusalConfirmation(refused_at) => {
                message.category != Category::Marketing
                    && refused_at <= now
                    && now <= refused_at.plus(Span::minutes(5))
            }
            // "a help reply"
            Occasion::HelpReply => true,
            // "an `authentication` message the person asked for within 10 min"
            Occasion::Requested(asked_at) => {
                message.category == Category::Authentication
                    && asked_at <= now
                    && now <= asked_at.plus(Span::minutes(10))
            }
            // "one double opt-in question per address and day"
            Occasion::OptInQuestion(last) => {
                last.is_none_or(|last| last.plus(Span::days(1)) <= now)
            }
        };
        if exempt {
            return not_given || lack == Reason::OptedOut;
        }
        let wrote_at =
            self.active_since(message, now).filter(|_| message.category == Category::Service);
        if let Some(wrote_at) = wrote_at {
            // "a `service` reply to a message written after the refusal"; "inside the 24-hour
            // window a `service` reply needs no opt-in"
            let after = refused_at.is_some_and(|refused_at| wrote_at > refused_at);
            return not_given || (lack == Reason::OptedOut && after);
        }
        waivable && circumstances.requirement != Requirement::OptIn
    }
}

#[derive(Clone, Copy)]
enum Ending {
    Term,
    Implied,
}

fn refuses(statement: Statement) -> bool {
    matches!(statement, Statement::OptOut | Statement::Hold | Statement::No)
}

/// Rule 9: an erasure, and a refusal that reached us from the person; a hold is none yet (rule 19).
fn is_final(event: &ConsentEvent) -> bool {
    let from_the_person = matches!(
        event.source.road,
        Road::Form
            | Road::EntryPoint
            | Road::Inbound
            | Road::PreferenceCentre
            | Road::OneClick
            | Road::Provider
    );
    let refusal = matches!(event.fact, Fact::Consent(_, Statement::OptOut | Statement::No));
    event.fact == Fact::Erasure || (from_the_person && event.actor == Actor::Subject && refusal)
}

/// "For a message with sender s, topic t and its category c, all four kinds apply."
fn applicable(message: &Message) -> Vec<Scope> {
    let mut scopes = vec![Scope::All, Scope::Category(message.category)];
    scopes.extend(message.sender.map(Scope::Sender));
    scopes.extend(message.topic.map(Scope::Topic));
    scopes
}

/// "`All` ⊃ `Sender(s)`; `All` ⊃ `Category(c)` ⊃ `Topic(t)`", each containing itself; both apply
/// to one message.
fn contains(outer: Scope, inner: Scope) -> bool {
    outer == inner
        || outer == Scope::All
        || matches!((outer, inner), (Scope::Category(_), Scope::Topic(_)))
}

fn inside(message: &Message, scope: Scope) -> Vec<Scope> {
    applicable(message).into_iter().filter(|inner| contains(scope, *inner)).collect()
}

/// Rule 12: an absent part means all; a message without a sender falls under every sender's.
fn falls_under(message: &Message, cover: Cover) -> bool {
    cover.channel.is_none_or(|channel| channel == message.channel)
        && cover.category.is_none_or(|category| category == message.category)
        && (cover.sender.is_none() || message.sender.is_none() || cover.sender == message.sender)
}

/// Rule 10: `opted_in` covers non-marketing; for marketing it needs an acknowledgement, and SMS is
/// never in by default for marketing.
fn is_in_by_default(message: &Message, settings: &Settings) -> bool {
    let marketing = message.category == Category::Marketing;
    match settings.defaults.get(&message.channel) {
        None | Some(ChannelDefault::OptedOut) => false,
        Some(ChannelDefault::OptedIn) => !marketing,
        Some(ChannelDefault::OptedInAcknowledged) => {
            !(marketing && message.channel == Channel::Sms)
        }
    }
}
