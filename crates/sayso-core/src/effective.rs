//! What is left of an address's registers when time is taken out: the verdict for every message.
//!
//! Millions of people share a few hundred effective states, so an index can name a person's state
//! by a small number. A state answers exactly what [`crate::decision::findings`] answers, or
//! "ask": where the answer depends on time (ends, pendings, the person's last message) or the
//! address has too many scopes.

use std::collections::BTreeSet;

use crate::channel::{Category, Channel, Content, Message, Scope};
use crate::decision::{Findings, Reasons, findings};
use crate::id::{SenderId, TopicId};
use crate::limits;
use crate::register::Register;
use crate::registers::Registers;
use crate::statement::{Level, Slot};
use crate::status::{Consent, Status};
use crate::time::Timestamp;

/// The effective state of an address. Equal states answer equally.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Effective {
    tables: Vec<Table>,
    elsewhere: Verdict,
    conversation: Conversation,
}

/// Whether the person ever wrote, on which some answers depend in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Conversation {
    #[default]
    None,
    Some,
}

/// The verdicts of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Table {
    channel: Channel,
    senders: Vec<SenderId>,
    senderless: Senderless,
    topics: Vec<TopicId>,
    /// A row for each sender and one for all others; in it a group of four categories for each
    /// topic and one for all others.
    cells: Vec<Verdict>,
}

/// How a message without a sender is judged: every sender's block falls on it, and no sender's
/// opt-in lifts one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Senderless {
    /// As that of a sender nobody spoke of.
    AsOfOthers,
    /// By the store.
    Ask,
}

/// What holds for one kind of message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Verdict {
    /// The store must be asked.
    Ask,
    /// Nothing was recorded and nothing stands in the way.
    #[default]
    Unrecorded,
    /// Nothing was recorded on the channel; these reasons stand all the same.
    UnrecordedBut(Reasons),
    /// This.
    Known(Status, Option<Level>, Reasons),
}

impl Effective {
    /// The effective state of these registers.
    pub fn of(registers: &Registers) -> Self {
        let covers = || registers.suppressions().iter().map(|(_, cover, _)| cover);
        let channels: BTreeSet<Channel> = registers
            .channels()
            .into_iter()
            .chain(covers().filter_map(|cover| cover.channel))
            .collect();
        let conversation = if registers.last_message_at().is_some() {
            Conversation::Some
        } else {
            Conversation::None
        };
        let everywhere = |cover: &crate::suppression::Cover| cover.channel.is_none();
        let narrow = covers()
            .filter(|cover| everywhere(cover))
            .any(|c| c.sender.is_some() || c.category.is_some());
        let elsewhere = match Channel::ALL.iter().find(|channel| !channels.contains(channel)) {
            _ if narrow => Verdict::Ask,
            None => Verdict::Unrecorded,
            Some(other) => Verdict::of(registers, &Message::ordinary(*other, Category::Utility)),
        };
        let tables = channels.into_iter().map(|channel| Table::of(registers, channel)).collect();
        Self { tables, elsewhere, conversation }
    }

    /// What the registers say about `message`, at any time; `None` where the store must be asked.
    pub fn findings(&self, message: &Message) -> Option<Findings> {
        let depends_on_last_message =
            message.category == Category::Service || message.content == Content::FreeForm;
        if self.conversation == Conversation::Some && depends_on_last_message {
            return None;
        }
        match self.tables.iter().find(|table| table.channel == message.channel) {
            Some(table) => table.verdict(message),
            None => self.elsewhere,
        }
        .findings()
    }
}

impl Table {
    fn of(registers: &Registers, channel: Channel) -> Self {
        let ask = Self {
            channel,
            senders: vec![],
            senderless: Senderless::Ask,
            topics: vec![],
            cells: vec![Verdict::Ask; Category::ALL.len()],
        };
        let (senders, topics) = scopes_in_use(registers, channel);
        let cells = (senders.len() + 1) * (topics.len() + 1) * Category::ALL.len();
        if cells > limits::EFFECTIVE_CELLS_MAX || has_ends(registers, channel) {
            return ask;
        }
        let row = |sender| row(registers, channel, sender, &topics);
        let others = row(Some(NOBODY));
        let senderless = if row(None) == others { Senderless::AsOfOthers } else { Senderless::Ask };
        let mut rows: Vec<(SenderId, Vec<Verdict>)> =
            senders.into_iter().map(|sender| (sender, row(Some(sender)))).collect();
        rows.retain(|(_, row)| *row != others);
        let senders = rows.iter().map(|(sender, _)| *sender).collect();
        let mut rows: Vec<Vec<Verdict>> = rows.into_iter().map(|(_, row)| row).collect();
        rows.push(others);
        let (topics, cells) = without_idle_topics(&topics, &rows);
        Self { channel, senders, senderless, topics, cells }
    }

    fn verdict(&self, message: &Message) -> Verdict {
        let row = match (message.sender, self.senderless) {
            (None, Senderless::Ask) => return Verdict::Ask,
            (None, Senderless::AsOfOthers) => None,
            (Some(sender), _) => self.senders.iter().position(|id| *id == sender),
        };
        let topic = message.topic.and_then(|topic| self.topics.iter().position(|id| *id == topic));
        let group = row.unwrap_or(self.senders.len()) * (self.topics.len() + 1)
            + topic.unwrap_or(self.topics.len());
        let category = Category::ALL.iter().position(|category| *category == message.category);
        let cell = group * Category::ALL.len() + category.unwrap_or_default();
        self.cells.get(cell).copied().unwrap_or(Verdict::Ask)
    }
}

/// Drops the topics whose verdicts are those of all other topics in every row.
fn without_idle_topics(topics: &[TopicId], rows: &[Vec<Verdict>]) -> (Vec<TopicId>, Vec<Verdict>) {
    let width = Category::ALL.len();
    let group = |row: &[Verdict], at: usize| row.chunks(width).nth(at).map(<[Verdict]>::to_vec);
    let others = topics.len();
    let tells = |at: &usize| rows.iter().any(|row| group(row, *at) != group(row, others));
    let telling: Vec<usize> = (0..others).filter(tells).collect();
    let kept = telling.iter().filter_map(|at| topics.get(*at).copied()).collect();
    let groups = || telling.iter().copied().chain([others]);
    let cells =
        rows.iter().flat_map(|row| groups().filter_map(|at| group(row, at))).flatten().collect();
    (kept, cells)
}

/// Some sender that nobody spoke of: the nil id, which no sender has.
const NOBODY: SenderId = SenderId::from_bytes([0; 16]);

/// The verdicts for one sender, or for none: a group for each topic, then for all others.
fn row(
    registers: &Registers,
    channel: Channel,
    sender: Option<SenderId>,
    topics: &[TopicId],
) -> Vec<Verdict> {
    let of = |topic: Option<TopicId>, category: Category| {
        Verdict::of(registers, &Message { sender, topic, ..Message::ordinary(channel, category) })
    };
    let groups = topics.iter().copied().map(Some).chain([None]);
    groups
        .flat_map(|topic| Category::ALL.iter().map(move |category| of(topic, *category)))
        .collect()
}

/// The senders and topics that the registers and suppressions of a channel speak of.
fn scopes_in_use(registers: &Registers, channel: Channel) -> (Vec<SenderId>, Vec<TopicId>) {
    let mut senders = BTreeSet::new();
    let mut topics = BTreeSet::new();
    for (scope, _) in registers.on_channel(channel) {
        match scope {
            Scope::Sender(id) => {
                senders.insert(id);
            }
            Scope::Topic(id) => {
                topics.insert(id);
            }
            Scope::All | Scope::Category(_) => {}
        }
    }
    senders.extend(registers.suppressions().iter().filter_map(|(_, cover, _)| cover.sender));
    (senders.into_iter().collect(), topics.into_iter().collect())
}

/// Whether anything on the channel ends by itself; a pending is seen by [`Verdict::of`].
fn has_ends(registers: &Registers, channel: Channel) -> bool {
    let ends =
        |slot| registers.on_channel(channel).any(|(_, register)| register.act(slot).is_some());
    ends(Slot::Term) || ends(Slot::Implied) || registers.processing().act(Slot::Term).is_some()
}

/// Whether anything that bears on the channel is pending or ends.
fn changes_by_itself(registers: &Registers, channel: Channel) -> bool {
    let pending = |(_, register): (Scope, &Register)| register.act(Slot::Pending).is_some();
    has_ends(registers, channel) || registers.on_channel(channel).any(pending)
}

impl Verdict {
    /// What holds at every time, given that nothing ends: where it differs between the beginning
    /// and the end of time, a pending is open, and the store must be asked.
    fn of(registers: &Registers, message: &Message) -> Self {
        let first = findings(registers, message, Timestamp::DISTANT_PAST);
        let last = if changes_by_itself(registers, message.channel) {
            findings(registers, message, Timestamp::DISTANT_FUTURE)
        } else {
            first
        };
        let kind = |found: &Findings| {
            (found.consent.map(|consent| (consent.status, consent.level)), found.standing)
        };
        match kind(&first) {
            told if told != kind(&last) => Self::Ask,
            (None, Reasons::NONE) => Self::Unrecorded,
            (None, standing) => Self::UnrecordedBut(standing),
            (Some((status, level)), standing) => Self::Known(status, level, standing),
        }
    }

    fn findings(self) -> Option<Findings> {
        let found = |consent, standing| Some(Findings { consent, standing, wrote_at: None });
        match self {
            Self::Ask => None,
            Self::Unrecorded => found(None, Reasons::NONE),
            Self::UnrecordedBut(standing) => found(None, standing),
            Self::Known(status, level, standing) => {
                found(Some(Consent { status, level, basis: None }), standing)
            }
        }
    }
}
