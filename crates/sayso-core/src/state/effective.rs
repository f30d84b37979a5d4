//! What is left of an address's registers when time is taken out: the verdict for every message.
//!
//! Millions of people share a few hundred effective states, so an index can name a person's state
//! by a small number. A state answers exactly what [`crate::gate::decision::findings`] answers, or
//! "ask": where the answer depends on the person's last message or the address has too many
//! scopes. What ends by itself turns one state into another at a known time ([`turning_points`]);
//! between two of them nothing changes without an event.

use std::collections::BTreeSet;

use crate::canonical::{Canonical, Writer};

use crate::gate::decision::{Findings, findings};
use crate::gate::reason::Reasons;
use crate::id::{SenderId, TopicId};
use crate::limits;
use crate::state::register::{Mark, Register};
use crate::state::registers::Registers;
use crate::state::status::{Consent, Status};
use crate::state::suppression::Cover;
use crate::time::Timestamp;
use crate::words::channel::{Category, Channel, Content, Message, Scope};
use crate::words::statement::{Level, Slot};

/// When what holds for an address changes by itself: terms and implied opt-ins end, a pending
/// lapses.
pub fn turning_points(registers: &Registers) -> BTreeSet<Timestamp> {
    let ends = |register: &Register| {
        [Slot::Term, Slot::Implied].map(|slot| register.act(slot).and_then(|mark| mark.ends_at))
    };
    let lapse = |register: &Register| {
        register.act(Slot::Pending).map(|mark| mark.at.plus(limits::LAPSE_OF_PENDING))
    };
    registers
        .all()
        .flat_map(|register| ends(register).into_iter().chain([lapse(register)]))
        .flatten()
        .collect()
}

/// The effective state of an address from one turning point to the next. Equal states answer
/// equally.
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
    /// The effective state of these registers at `now`, and until their next turning point.
    pub fn of(registers: &Registers, now: Timestamp) -> Self {
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
        let narrow = covers()
            .filter(|cover| cover.channel.is_none())
            .any(|cover| cover.sender.is_some() || cover.category.is_some());
        let elsewhere = match Channel::ALL.iter().find(|channel| !channels.contains(channel)) {
            _ if narrow => Verdict::Ask,
            None => Verdict::Unrecorded,
            Some(other) => {
                Verdict::of(registers, &Message::ordinary(*other, Category::Utility), now)
            }
        };
        let table = |channel| Table::of(registers, channel, now);
        Self { tables: channels.into_iter().map(table).collect(), elsewhere, conversation }
    }

    /// What the registers say about `message`; `None` where the store must be asked.
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
    fn of(registers: &Registers, channel: Channel, now: Timestamp) -> Self {
        let ask = Self {
            channel,
            senders: vec![],
            senderless: Senderless::Ask,
            topics: vec![],
            cells: vec![Verdict::Ask; Category::ALL.len()],
        };
        let (senders, topics) = scopes_in_use(registers, channel);
        let cells = (senders.len() + 1) * (topics.len() + 1) * Category::ALL.len();
        if cells > limits::EFFECTIVE_CELLS_MAX {
            return ask;
        }
        let row = |sender| row(registers, channel, sender, &topics, now);
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
    now: Timestamp,
) -> Vec<Verdict> {
    let of = |topic: Option<TopicId>, category: Category| {
        let message = Message { sender, topic, ..Message::ordinary(channel, category) };
        Verdict::of(registers, &message, now)
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

impl Verdict {
    fn of(registers: &Registers, message: &Message, now: Timestamp) -> Self {
        let found = findings(registers, message, now);
        match (found.consent, found.standing) {
            (None, Reasons::NONE) => Self::Unrecorded,
            (None, standing) => Self::UnrecordedBut(standing),
            (Some(consent), standing) => Self::Known(consent.status, consent.level, standing),
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

/// Registers with their times replaced by their order, and without what no verdict depends on:
/// event ids, the names of sources, links. Registers of equal shape have equal effective states at
/// every time, so that a state is computed once for all who share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape(Box<[u8]>);

impl Shape {
    /// The shape of registers without turning points; `None` where there are some.
    pub fn of(registers: &Registers) -> Option<Self> {
        if registers.all().any(has_turning_point) {
            return None;
        }
        let mut to = Writer::default();
        let blocks = || {
            let switches = registers.suppressions().iter().map(|(_, _, switch)| switch);
            switches.flat_map(|switch| switch.on.iter().chain(&switch.off)).map(|mark| mark.at)
        };
        let times = Order::of(blocks().chain(registers.last_message_at()));
        for (suppression, cover, switch) in registers.suppressions().iter() {
            to.byte(suppression.code());
            Cover::write(&cover, &mut to);
            times.write(switch.on.as_ref(), &mut to);
            times.write(switch.off.as_ref(), &mut to);
        }
        to.byte(END);
        to.option(registers.last_message_at().map(|at| times.place(at)).as_ref(), |to, place| {
            to.length(*place);
        });
        let processing = registers.processing();
        write_shape(processing, &Order::of(processing.marks().map(|mark| mark.at)), &mut to);
        for channel in registers.channels() {
            let marks = registers.on_channel(channel).flat_map(|(_, register)| register.marks());
            let times = Order::of(blocks().chain(marks.map(|mark| mark.at)));
            to.byte(channel.code());
            for (_, _, switch) in registers.suppressions().iter() {
                times.write(switch.on.as_ref(), &mut to);
            }
            for (scope, register) in registers.on_channel(channel) {
                scope.write(&mut to);
                write_shape(register, &times, &mut to);
            }
            to.byte(END);
        }
        Some(Self(to.into_bytes().into_boxed_slice()))
    }
}

/// Ends a list in a shape; no code of a word.
const END: u8 = 0xff;

fn has_turning_point(register: &Register) -> bool {
    [Slot::Term, Slot::Implied, Slot::Pending].iter().any(|slot| register.act(*slot).is_some())
}

fn write_shape(register: &Register, times: &Order, to: &mut Writer) {
    for (slot, mark) in register.acts() {
        to.byte(slot.code());
        times.write(Some(mark), to);
    }
    to.byte(END);
    let place = |mark: Option<&Mark>| mark.map_or(0, |mark| times.place(mark.at) + 1);
    let mut claims: Vec<(usize, usize)> = register
        .reports()
        .map(|(_, claims)| (place(claims.yes.as_ref()), place(claims.no.as_ref())))
        .collect();
    claims.sort_unstable();
    to.length(claims.len());
    for (yes, no) in claims {
        to.length(yes);
        to.length(no);
    }
}

/// The order of some times.
struct Order(Vec<Timestamp>);

impl Order {
    fn of(times: impl Iterator<Item = Timestamp>) -> Self {
        let mut times: Vec<Timestamp> = times.collect();
        times.sort_unstable();
        times.dedup();
        Self(times)
    }

    fn place(&self, at: Timestamp) -> usize {
        self.0.partition_point(|earlier| *earlier < at)
    }

    fn write(&self, mark: Option<&Mark>, to: &mut Writer) {
        to.length(mark.map_or(0, |mark| self.place(mark.at) + 1));
    }
}
