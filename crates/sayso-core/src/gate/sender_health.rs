//! How a sender stands: a fold of dated signals of its provider, of people and of operators.
//!
//! A signal tells of one thing ([`HealthCause`]) and says how bad that is, and until when if that is
//! known. Of each thing the latest signal counts, so late and repeated ones change nothing; the worst
//! that stands is the level. `red` stops marketing, an operator's pause all but the confirmation of a
//! refusal and the answer to a call for help, and `blocked` everything: nothing would be taken.
//! Absent on purpose: consent. What a sender may send says nothing about who agreed to it.

use std::collections::BTreeMap;

use crate::canonical::{Canonical, Malformed, Reader, Writer};
use crate::gate::decision::SenderState;
use crate::limits;
use crate::time::Timestamp;
use crate::words::channel::{Category, Message, Occasion, words};

words! {
    /// How a sender stands, from the best to the worst.
    HealthLevel {
        /// Nothing to do.
        Green = "green", 1;
        /// A warning.
        Yellow = "yellow", 2;
        /// Marketing rests.
        Red = "red", 3;
        /// Nothing can be sent.
        Blocked = "blocked", 4;
    }
}

words! {
    /// What a signal is about.
    HealthCause {
        /// The platform's rating of a number.
        Quality = "quality", 1;
        /// The platform restricts what may be sent.
        Restriction = "restriction", 2;
        /// The platform says that its policy was violated.
        Violation = "violation", 3;
        /// The platform disabled the account, or took that back.
        Account = "account", 4;
        /// A message was refused because too many before it were blocked or reported.
        SpamLimit = "spam_limit", 5;
        /// A message was refused because the account is locked.
        AccountRefused = "account_refused", 6;
        /// Of those written to within a day, too many blocked the sender.
        Complaints = "complaints", 7;
        /// Of those written to within a day, too many said no.
        Refusals = "refusals", 8;
        /// An operator paused or resumed the sender.
        Operator = "operator", 9;
    }
}

/// What a signal says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Says {
    /// How bad it is.
    Level(HealthLevel),
    /// An operator lets it go on: this ends their pause, and every earlier signal that has no end of
    /// its own.
    Resumed,
    /// An operator paused it.
    Paused,
}

/// One dated signal. Of two at the same time the worse counts, and then the one that holds longer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    /// When, by the clock of who says so, and not after our receipt.
    pub at: Timestamp,
    /// What it says.
    pub says: Says,
    /// Until when it counts; absent if nobody knows.
    pub until: Option<Timestamp>,
    /// What it is about.
    pub cause: HealthCause,
    /// Which of several such things: a number as the provider spells it. Empty where there is one.
    pub about: Box<str>,
    /// The words of the provider, or the operator's reason; at most
    /// [`limits::HEALTH_WORDS_BYTES_MAX`] bytes.
    pub words: Box<str>,
}

impl Signal {
    /// A signal about the one thing of its kind.
    pub fn new(cause: HealthCause, says: Says, at: Timestamp, words: &str) -> Self {
        let end = words.floor_char_boundary(limits::HEALTH_WORDS_BYTES_MAX);
        let words = words.get(..end).unwrap_or_default().into();
        Self { at, says, until: None, cause, about: Box::default(), words }
    }

    /// This signal, which counts until then.
    #[must_use]
    pub fn until(self, until: Timestamp) -> Self {
        Self { until: Some(until), ..self }
    }

    /// The level that the sender has by it alone.
    const fn level(&self) -> HealthLevel {
        match self.says {
            Says::Level(level) => level,
            Says::Resumed | Says::Paused => HealthLevel::Green,
        }
    }

    /// Of two signals about one thing the one with the greater weight counts.
    fn weight(&self) -> (Timestamp, Says, Timestamp, &str) {
        let until = self.until.unwrap_or(Timestamp::DISTANT_FUTURE);
        (self.at, self.says, until, &self.words)
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The signals of one sender, each with when it was recorded; at most
/// [`limits::SENDER_SIGNALS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals(Vec<(Timestamp, Signal)>);

/// What is known of a sender, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// By what was recorded until then.
    pub by: Timestamp,
    /// How it stood then.
    pub at: Timestamp,
}

impl Known {
    /// How it stands at this time by all that is known.
    pub const fn all(at: Timestamp) -> Self {
        Self { by: Timestamp::DISTANT_FUTURE, at }
    }
}

/// How a sender stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The worst of what stands.
    pub level: HealthLevel,
    /// The operator's pause, while it stands.
    pub pause: Option<Signal>,
    /// What stands and is not green, the worst first.
    pub because: Vec<Signal>,
    /// Since when it is at this level, or paused; absent if it always was.
    pub since: Option<Timestamp>,
}

impl Signals {
    /// Takes in a signal. Where there are too many, the oldest that no longer matters goes.
    pub fn put(&mut self, recorded_at: Timestamp, signal: Signal) {
        self.0.push((recorded_at, signal));
        if self.0.len() <= limits::SENDER_SIGNALS_MAX {
            return;
        }
        let latest = latest(self.0.iter().map(|(_, signal)| signal));
        let idle = self.0.iter().position(|(_, signal)| {
            !latest.get(&(signal.cause, &*signal.about)).is_some_and(|latest| *latest == signal)
        });
        self.0.remove(idle.unwrap_or(0));
    }

    /// The signals with when each was recorded, the newest first.
    pub fn newest(&self) -> impl Iterator<Item = (Timestamp, &Signal)> {
        self.0.iter().rev().map(|(recorded_at, signal)| (*recorded_at, signal))
    }

    /// How the sender stands.
    pub fn health(&self, known: Known) -> Health {
        let known_by = self.0.iter().filter(|(recorded_at, _)| *recorded_at <= known.by);
        let told: Vec<&Signal> =
            known_by.map(|(_, signal)| signal).filter(|signal| signal.at <= known.at).collect();
        let resumed = told.iter().filter(|signal| signal.says == Says::Resumed);
        let resumed_at = resumed.map(|signal| signal.at).max();
        let stands = |signal: &&Signal| {
            let is_lifted = signal.until.is_none() && resumed_at.is_some_and(|at| signal.at < at);
            !is_lifted && !signal.is_over(known.at)
        };
        let latest = latest(told.iter().copied());
        let standing: Vec<&Signal> = latest.into_values().filter(stands).collect();
        let pause = standing.iter().find(|signal| signal.says == Says::Paused);
        let pause = pause.map(|signal| Signal::clone(signal));
        let mut because: Vec<Signal> = standing
            .into_iter()
            .filter(|signal| signal.level() > HealthLevel::Green)
            .cloned()
            .collect();
        because.sort_by_key(|signal| (std::cmp::Reverse(signal.level()), signal.at));
        let level = because.first().map_or(HealthLevel::Green, Signal::level);
        let since = because.first().map(|signal| signal.at);
        let since = pause.as_ref().map(|pause| pause.at).or(since).or(resumed_at);
        Health { level, pause, because, since }
    }

    /// Whether a signal says something that is not known yet. One that says again what stands, for
    /// hardly longer, does not: a sender whose every message is refused writes no signal for each.
    pub fn is_news(&self, signal: &Signal) -> bool {
        let same = |known: &&Signal| known.cause == signal.cause && known.about == signal.about;
        let known = || self.0.iter().map(|(_, known)| known).filter(same);
        let says_as_much = |known: &Signal| {
            let is_covered = match (known.until, signal.until) {
                (Some(known), Some(until)) => until <= known.plus(limits::HEALTH_SIGNAL_GRAIN),
                (None, None) => known.at == signal.at,
                (None, Some(_)) | (Some(_), None) => false,
            };
            let stood_then = known.at <= signal.at && !known.is_over(signal.at);
            known.says == signal.says && is_covered && stood_then
        };
        let is_repeated = known().any(|known| known.at == signal.at && known == signal);
        let stands = known().max_by_key(|known| known.weight()).is_some_and(says_as_much);
        !is_repeated && !stands
    }
}

/// The latest signal about each thing. An operator's pause and resume are about the same thing.
fn latest<'a>(
    signals: impl Iterator<Item = &'a Signal>,
) -> BTreeMap<(HealthCause, &'a str), &'a Signal> {
    let mut latest: BTreeMap<(HealthCause, &str), &Signal> = BTreeMap::new();
    for signal in signals {
        let known = latest.entry((signal.cause, &*signal.about)).or_insert(signal);
        if signal.weight() > known.weight() {
            *known = signal;
        }
    }
    latest
}

impl Health {
    /// Of a sender nobody said anything about.
    pub const GREEN: Self =
        Self { level: HealthLevel::Green, pause: None, because: Vec::new(), since: None };

    /// Whether the sender sends this message.
    pub fn state_for(&self, message: &Message) -> SenderState {
        let stops = |signal: &&Signal| match signal.level() {
            HealthLevel::Green | HealthLevel::Yellow => false,
            HealthLevel::Red => message.category == Category::Marketing,
            HealthLevel::Blocked => true,
        };
        let pause = self.pause.iter().filter(|_| !is_owed_in_a_pause(message));
        let mut stopping = self.because.iter().filter(stops).chain(pause).peekable();
        if stopping.peek().is_none() {
            return SenderState::Sending;
        }
        let ends: Option<Vec<Timestamp>> = stopping.map(|signal| signal.until).collect();
        SenderState::Paused(ends.and_then(|ends| ends.into_iter().max()))
    }

    /// When marketing may go again; absent where it may now, or where nobody knows.
    pub fn retry_at(&self) -> Option<Timestamp> {
        let channel = crate::words::channel::Channel::WhatsApp;
        match self.state_for(&Message::ordinary(channel, Category::Marketing)) {
            SenderState::Sending => None,
            SenderState::Paused(until) => until,
        }
    }
}

/// What the person is owed even while an operator rests the sender: the confirmation of their refusal
/// (rule 21), and the answer to a call for help. A question is not.
const fn is_owed_in_a_pause(message: &Message) -> bool {
    match message.occasion {
        Occasion::RefusalConfirmation(_) | Occasion::HelpReply => {
            !matches!(message.category, Category::Marketing)
        }
        Occasion::Ordinary | Occasion::Requested(_) | Occasion::OptInQuestion(_) => false,
    }
}

/// What went out by a sender within [`limits::HEALTH_WINDOW`], and what came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages that the provider took.
    pub handed_over: u64,
    /// People who said no.
    pub refused: u64,
    /// People who blocked the sender.
    pub complained: u64,
}

/// What the rates of a day say at `at`: nothing where too little was sent to tell.
pub fn of_rates(traffic: &Traffic, at: Timestamp) -> Vec<Signal> {
    if traffic.handed_over < limits::HEALTH_SAMPLE_MIN {
        return Vec::new();
    }
    let judge = |cause, count: u64, (yellow, red): (u64, u64)| {
        // Of a thousand, rounded down.
        let rate = count.saturating_mul(1_000).checked_div(traffic.handed_over)?;
        let level = match rate {
            rate if rate >= red => HealthLevel::Red,
            rate if rate >= yellow => HealthLevel::Yellow,
            _ => return None,
        };
        let words = format!("{count} of {} in a day", traffic.handed_over);
        let signal = Signal::new(cause, Says::Level(level), at, &words);
        Some(signal.until(at.plus(limits::HEALTH_WINDOW)))
    };
    let complaints = (limits::COMPLAINTS_PER_MILLE_YELLOW, limits::COMPLAINTS_PER_MILLE_RED);
    let refusals = (limits::REFUSALS_PER_MILLE_YELLOW, limits::REFUSALS_PER_MILLE_RED);
    [
        judge(HealthCause::Complaints, traffic.complained, complaints),
        judge(HealthCause::Refusals, traffic.refused, refusals),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Canonical for Signal {
    fn write(&self, to: &mut Writer) {
        to.byte(self.cause.code());
        to.text(&self.about);
        match self.says {
            Says::Level(level) => to.byte(level.code()),
            Says::Resumed => to.byte(RESUMED),
            Says::Paused => to.byte(PAUSED),
        }
        to.instant(self.at);
        self.until.write(to);
        to.text(&self.words);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let cause = HealthCause::from_code(from.byte()?).ok_or(Malformed)?;
        let about = from.text()?.into();
        let says = match from.byte()? {
            RESUMED => Says::Resumed,
            PAUSED => Says::Paused,
            level => Says::Level(HealthLevel::from_code(level).ok_or(Malformed)?),
        };
        let (at, until) = (from.instant()?, Option::read(from)?);
        Ok(Self { at, says, until, cause, about, words: from.text()?.into() })
    }
}

/// The bytes of what operators say, beside those of levels.
const RESUMED: u8 = 64;
const PAUSED: u8 = 65;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Span;
    use crate::words::channel::Channel;

    const T: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    fn at(hours: i64) -> Timestamp {
        T.plus(Span::hours(hours))
    }

    fn level(cause: HealthCause, level: HealthLevel, hours: i64) -> Signal {
        Signal::new(cause, Says::Level(level), at(hours), "")
    }

    fn operator(says: Says, hours: i64) -> Signal {
        Signal::new(HealthCause::Operator, says, at(hours), "a wrong list")
    }

    fn signals(all: &[Signal]) -> Signals {
        let mut signals = Signals::default();
        all.iter().for_each(|signal| signals.put(signal.at, signal.clone()));
        signals
    }

    fn health(all: &[Signal], hours: i64) -> Health {
        signals(all).health(Known::all(at(hours)))
    }

    fn message(category: Category, occasion: Occasion) -> Message {
        Message { occasion, ..Message::ordinary(Channel::WhatsApp, category) }
    }

    fn state(all: &[Signal], hours: i64, message: &Message) -> SenderState {
        health(all, hours).state_for(message)
    }

    #[test]
    fn signals_in_any_order_and_told_twice_give_the_same_health() {
        let told = [
            level(HealthCause::Quality, HealthLevel::Red, 1),
            level(HealthCause::Quality, HealthLevel::Green, 2),
            level(HealthCause::SpamLimit, HealthLevel::Red, 1).until(at(25)),
            level(HealthCause::Account, HealthLevel::Blocked, 3),
            operator(Says::Resumed, 4),
            operator(Says::Paused, 5),
        ];
        for hours in 0..30 {
            let forth = health(&told, hours);
            let mut back = told.to_vec();
            back.reverse();
            back.extend(told.clone());
            assert_eq!(health(&back, hours), forth, "after {hours} hours");
        }
    }

    #[test]
    fn the_worst_that_stands_is_the_level_and_a_late_green_ends_only_what_it_is_about() {
        let told = [
            level(HealthCause::Quality, HealthLevel::Red, 1),
            level(HealthCause::Violation, HealthLevel::Yellow, 2),
        ];
        assert_eq!(health(&told, 0).level, HealthLevel::Green, "not yet");
        let red = health(&told, 3);
        assert_eq!((red.level, red.since, red.retry_at()), (HealthLevel::Red, Some(at(1)), None));
        let ended = [&told[..], &[level(HealthCause::Quality, HealthLevel::Green, 4)]].concat();
        assert_eq!(health(&ended, 5).level, HealthLevel::Yellow);
        let of_another =
            Signal { about: "155".into(), ..level(HealthCause::Quality, HealthLevel::Green, 4) };
        let still = [&told[..], &[of_another]].concat();
        assert_eq!(health(&still, 5).level, HealthLevel::Red, "another number's");
    }

    #[test]
    fn red_stops_marketing_until_its_end_and_nothing_else() {
        let told = [level(HealthCause::SpamLimit, HealthLevel::Red, 0).until(at(24))];
        let marketing = message(Category::Marketing, Occasion::Ordinary);
        let receipt = message(Category::Utility, Occasion::Ordinary);
        assert_eq!(state(&told, 23, &marketing), SenderState::Paused(Some(at(24))));
        assert_eq!(state(&told, 23, &receipt), SenderState::Sending);
        assert_eq!(state(&told, 24, &marketing), SenderState::Sending);
    }

    #[test]
    fn a_pause_stops_all_but_what_is_owed_and_a_block_stops_that_too() {
        let receipt = message(Category::Utility, Occasion::Ordinary);
        let code = message(Category::Authentication, Occasion::Requested(at(1)));
        let confirmation = message(Category::Service, Occasion::RefusalConfirmation(at(1)));
        let help = message(Category::Service, Occasion::HelpReply);
        let question = message(Category::Service, Occasion::OptInQuestion(None));
        let paused = [operator(Says::Paused, 0)];
        for stopped in [&receipt, &code, &question] {
            assert_eq!(state(&paused, 1, stopped), SenderState::Paused(None));
        }
        let blocked = [level(HealthCause::Account, HealthLevel::Blocked, 0)];
        for owed in [&confirmation, &help] {
            assert_eq!(state(&paused, 1, owed), SenderState::Sending);
            assert_eq!(state(&blocked, 1, owed), SenderState::Paused(None));
        }
    }

    #[test]
    fn a_resume_ends_the_pause_and_what_has_no_end_and_nothing_that_ends_by_itself() {
        let told = [
            operator(Says::Paused, 1),
            level(HealthCause::Quality, HealthLevel::Red, 1),
            level(HealthCause::SpamLimit, HealthLevel::Red, 1).until(at(25)),
            operator(Says::Resumed, 2),
        ];
        let resumed = health(&told, 3);
        assert!(resumed.pause.is_none());
        let causes: Vec<HealthCause> = resumed.because.iter().map(|signal| signal.cause).collect();
        assert_eq!(causes, [HealthCause::SpamLimit]);
        let tie = [operator(Says::Paused, 1), operator(Says::Resumed, 1)];
        assert!(health(&tie, 2).pause.is_some(), "at the same time the pause wins");
    }

    #[test]
    fn as_of_knows_what_was_recorded_by_then() {
        let mut late = Signals::default();
        late.put(at(5), level(HealthCause::Quality, HealthLevel::Red, 1));
        let level = |by, moment| late.health(Known { by: at(by), at: at(moment) }).level;
        assert_eq!(level(4, 4), HealthLevel::Green);
        assert_eq!(level(5, 5), HealthLevel::Red);
        assert_eq!(level(9, 2), HealthLevel::Red, "by all that is known now");
    }

    #[test]
    fn rates_say_nothing_of_few_messages_and_turn_at_their_bounds() {
        let of = |handed_over, refused, complained| {
            let signals = of_rates(&Traffic { handed_over, refused, complained }, T);
            signals.into_iter().map(|signal| (signal.cause, signal.level())).collect::<Vec<_>>()
        };
        let few = limits::HEALTH_SAMPLE_MIN - 1;
        assert!(of(few, few, few).is_empty());
        assert!(of(1_000, limits::REFUSALS_PER_MILLE_YELLOW - 1, 0).is_empty());
        let refusals = |level| vec![(HealthCause::Refusals, level)];
        assert_eq!(of(1_000, limits::REFUSALS_PER_MILLE_YELLOW, 0), refusals(HealthLevel::Yellow));
        assert_eq!(of(1_000, limits::REFUSALS_PER_MILLE_RED - 1, 0), refusals(HealthLevel::Yellow));
        assert_eq!(of(1_000, limits::REFUSALS_PER_MILLE_RED, 0), refusals(HealthLevel::Red));
        let complaints = [(HealthCause::Complaints, HealthLevel::Red)];
        assert_eq!(of(1_000, 0, limits::COMPLAINTS_PER_MILLE_RED), complaints);
    }

    #[test]
    fn what_is_said_again_is_no_news_until_it_holds_longer_or_is_worse() {
        let limit =
            |hours| level(HealthCause::SpamLimit, HealthLevel::Red, hours).until(at(hours + 24));
        let known = signals(&[limit(0)]);
        assert!(!known.is_news(&limit(0)));
        assert!(!known.is_news(&limit(1)), "within the grain");
        assert!(known.is_news(&limit(2)));
        assert!(known.is_news(&limit(30)), "the first is over");
        let worse = Signal { says: Says::Level(HealthLevel::Blocked), ..limit(0) };
        assert!(known.is_news(&worse));
        assert!(known.is_news(&level(HealthCause::Quality, HealthLevel::Red, 0)));
        assert!(known.is_news(&level(HealthCause::SpamLimit, HealthLevel::Green, 1)));
    }

    #[test]
    fn of_too_many_signals_the_oldest_that_no_longer_matters_goes() {
        let mut signals = signals(&[level(HealthCause::Account, HealthLevel::Blocked, 0)]);
        for hours in 0..1_000 {
            let color = if hours % 2 == 0 { HealthLevel::Red } else { HealthLevel::Green };
            signals.put(at(hours), level(HealthCause::Quality, color, hours));
        }
        assert_eq!(signals.newest().count(), limits::SENDER_SIGNALS_MAX);
        assert_eq!(signals.health(Known::all(at(2_000))).level, HealthLevel::Blocked);
    }

    #[test]
    fn a_signal_is_read_as_it_was_written() {
        let told = [
            level(HealthCause::Quality, HealthLevel::Red, 1),
            level(HealthCause::SpamLimit, HealthLevel::Red, 1).until(at(25)),
            operator(Says::Paused, 1),
            Signal { about: "15550100900".into(), ..operator(Says::Resumed, 2) },
        ];
        for signal in told {
            assert_eq!(Signal::from_bytes(&signal.to_bytes()).unwrap(), signal);
        }
    }
}
