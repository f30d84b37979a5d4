//! The grammar of refusals: what a clause says, from the slots of its words. The first line that fits
//! is the reading.
//!
//! | | A clause with | says |
//! |---|---|---|
//! | 1 | an idiom that refuses: *leave me alone*, *lose my number* | stop |
//! | 2 | *just kidding*; an unsubscribing *by mistake*; *if I …* before an act | in doubt |
//! | 3 | a negation that governs stop, leave, end or remove | go on: nothing; with *forget to*, with *why won't you*, *if you don't*, or *I can't* before leave: stop |
//! | 4 | *why* or *did you* before stop, stopped; a negation of what is received or was sent | a complaint that nothing comes: nothing |
//! | | *when* beside the end of an offer | a question about it: nothing; of messages, or with stop or leave, in doubt |
//! | 5 | an act whose nearest object is none of ours: an order, an appointment, a payment | nothing; with a word that only leaves lists, or writes to people, in doubt |
//! | 6 | an act of calls or mails alone, where they are not this channel | aside: nothing where this channel is welcome or asked for, else in doubt |
//! | 7 | revoke and consent · leave · remove and me, a list · stop and write, reach, messages, receive · end and messages | stop |
//! | 8 | a negation before send, write, reach, as a command | stop; with *forget to* between, nothing; with an object that nobody knows, or such a verb between, in doubt |
//! | 9 | a negation of wanting, with messages, receive, send by you | stop |
//! | 10 | no more messages; messages that are forbidden | stop |
//! | 11 | *I said*, *I asked* before a stop word; *still* after it | stop: the wish stands |
//! | 12 | a negation near messages, or beside signing up; *why do I get*; a wrong number; anger; end and a subscription; remove and an account | in doubt |
//!
//! A negation governs an act that follows it within [`NEG_REACH`] pieces with no other act between, or
//! that it is one word with, or that it follows where the language has it so. Of the objects in a clause
//! the nearest to the act decides; *this* and *it* are objects only where there is no other.
//!
//! One clause that stops makes the text stop, unless the writer takes it back, or wants something of the
//! kind to go on: then it is in doubt. A language of which nobody is sure is in doubt where others stop.
//! A text that says nothing is read once more with unknown words as the known ones that begin alike
//! (`kindred`): what would refuse then is in doubt.

use crate::words::channel::Channel;

use super::clause::{Piece, Words, clauses, pieces, words};
use super::fold::Token;
use super::lexicon::unsure;
use super::slot::{Slot, Slots};

/// Pieces from a negation to what it governs.
const NEG_REACH: usize = 5;

/// Pieces from a negation to the verb before it.
const AFTER_REACH: usize = 3;

/// Pieces of a clause that may be a refusal of which we lack the verb.
const HALF_KNOWN_MAX: usize = 6;

/// Pieces of a clause that asks when something ends, without a question mark and with the *when* inside.
const ASKED_MAX: usize = 4;

/// Pieces between "stop" and the "this" that it stops.
const OBJECT_REACH: usize = 3;

const STOPS: Slots = Slots::of(&[Slot::Leave, Slot::Cease, Slot::End, Slot::Remove]);
const TO_ME: Slots = Slots::of(&[Slot::Write, Slot::Reach]);
const SENDS: Slots = Slots::of(&[Slot::Send, Slot::Write, Slot::Reach]);
const OURS: Slots = Slots::of(&[Slot::Msg, Slot::Topic, Slot::List]);
const MESSAGES: Slots = Slots::of(&[Slot::Msg, Slot::Topic]);
const GETS: Slots = Slots::of(&[Slot::Get, Slot::Got]);
const NEGS: Slots = Slots::of(&[Slot::Neg, Slot::No]);
const BY_VOICE: Slots = Slots::of(&[Slot::Call]);
const BY_MAIL: Slots = Slots::of(&[Slot::Mail]);

/// One slot.
const fn one(slot: Slot) -> Slots {
    Slots::of(&[slot])
}

/// What a clause, or a text, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Nothing that concerns messages.
    Nothing,
    /// An act is named, and plainly none is wanted here.
    Turned,
    /// Another channel is refused.
    Aside,
    /// Perhaps a refusal.
    Doubt,
    /// A refusal.
    Stop,
}

/// What a text says, and what it says it with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    /// What it says.
    pub(crate) verdict: Verdict,
    /// Whether what refuses names a topic, and no other messages.
    pub(crate) topic: bool,
    /// Whether each stop word in it stands where another thing is meant.
    pub(crate) turned: bool,
    /// Whether an idiom turns a part of it round.
    pub(crate) idiom: bool,
    /// Words that some language knows.
    pub(crate) known: usize,
}

/// What a text says. One that says nothing may still be in doubt by words that are like known ones.
pub(crate) fn said(tokens: &[Token], channel: Channel) -> Said {
    let mut words = words(tokens);
    let said = by_words(tokens, &words, channel);
    if said.verdict == Verdict::Nothing && words.guess(tokens) {
        let guessed = by_words(tokens, &words, channel).verdict;
        if matches!(guessed, Verdict::Doubt | Verdict::Stop) {
            return Said { verdict: Verdict::Doubt, ..said };
        }
    }
    said
}

fn by_words(tokens: &[Token], words: &Words, channel: Channel) -> Said {
    let pieces = pieces(tokens, words);
    let all = clauses(&pieces.all);
    let verdicts: Vec<_> = all
        .iter()
        .map(|all| (Clause { all, channel }, Clause { all, channel }.verdict()))
        .collect();
    let verdict = together(&verdicts);
    let is_sure = pieces.languages & !unsure() != 0;
    let verdict = if verdict == Verdict::Stop && !is_sure { Verdict::Doubt } else { verdict };
    let is_topic = |(clause, it): &&(Clause<'_>, Verdict)| {
        *it == Verdict::Stop && clause.has(one(Slot::Topic)) && !clause.has(one(Slot::Msg))
    };
    let stops = verdicts.iter().filter(|it| it.1 == Verdict::Stop).count();
    let topic = stops > 0 && stops == verdicts.iter().filter(is_topic).count();
    let bare = |it: &&(Clause<'_>, Verdict)| it.1 == Verdict::Nothing && it.0.has(one(Slot::Key));
    let turned = verdict == Verdict::Turned && verdicts.iter().find(bare).is_none();
    let is_idiom =
        |it: &(Clause<'_>, Verdict)| it.1 == Verdict::Turned && it.0.has(one(Slot::Idiom));
    let idiom = verdicts.iter().any(is_idiom);
    Said { verdict, topic, turned, idiom, known: pieces.known }
}

/// What the clauses of a text say together.
fn together(clauses: &[(Clause<'_>, Verdict)]) -> Verdict {
    let any = |of: Verdict| clauses.iter().any(|it| it.1 == of);
    let goes_on = |it: &(Clause<'_>, Verdict)| it.1 < Verdict::Aside && it.0.welcomes();
    let takes_back = |it: &(Clause<'_>, Verdict)| it.0.has(one(Slot::Joke));
    if any(Verdict::Stop) {
        // "No offers. Only chat."
        let plain = |it: &(Clause<'_>, Verdict)| {
            it.1 != Verdict::Stop
                || !it.0.has(
                    STOPS.and(SENDS).and(one(Slot::Neg)).and(one(Slot::More)).and(one(Slot::Final)),
                )
        };
        let apart = |it: &(Clause<'_>, Verdict)| it.1 < Verdict::Doubt && it.0.has(one(Slot::But));
        let only = clauses.iter().all(plain) && clauses.iter().any(apart);
        // "don't call, a message is enough"
        let suffices = |it: &(Clause<'_>, Verdict)| it.1 != Verdict::Stop || it.0.suffices();
        let only = only || (any(Verdict::Aside) && clauses.iter().all(suffices));
        let goes_on = |it| goes_on(it) && it.0.has(one(Slot::But));
        let in_doubt = only || clauses.iter().any(|it| takes_back(it) || goes_on(it));
        return if in_doubt { Verdict::Doubt } else { Verdict::Stop };
    }
    let told = |it: &(Clause<'_>, Verdict)| it.1 == Verdict::Nothing && it.0.has(MESSAGES);
    if clauses.iter().any(|it| it.0.wants_none_of_them()) && clauses.iter().any(told) {
        return Verdict::Stop;
    }
    if any(Verdict::Doubt) {
        return Verdict::Doubt;
    }
    if any(Verdict::Aside) {
        return if clauses.iter().any(goes_on) { Verdict::Turned } else { Verdict::Doubt };
    }
    if any(Verdict::Turned) { Verdict::Turned } else { Verdict::Nothing }
}

/// A part of a text that says one thing.
#[derive(Clone, Copy, Debug)]
struct Clause<'a> {
    all: &'a [Piece],
    channel: Channel,
}

impl Clause<'_> {
    fn has(&self, slots: Slots) -> bool {
        self.all.iter().any(|piece| piece.is(slots))
    }

    fn places(&self, slots: Slots) -> impl Iterator<Item = usize> {
        self.all.iter().enumerate().filter(move |(_, it)| it.is(slots)).map(|(at, _)| at)
    }

    fn asks(&self) -> bool {
        self.all.iter().any(|piece| piece.asks)
    }

    fn between(&self, from: usize, end: usize) -> &[Piece] {
        self.all.get(from..end).unwrap_or_default()
    }

    fn is(&self, at: usize, slots: Slots) -> bool {
        self.all.get(at).is_some_and(|piece| piece.is(slots))
    }

    /// The negation that governs a place: its own, one before it, or one after it.
    fn negation(&self, at: usize) -> Option<usize> {
        let neg = one(Slot::Neg);
        if self.is(at, neg) {
            return Some(at);
        }
        let taken = SENDS.and(GETS).and(MESSAGES);
        let calls = BY_VOICE.and(BY_MAIL);
        let before = (at.saturating_sub(NEG_REACH)..at).rev().find(|from| {
            let between = self.between(from + 1, at);
            let said = |slots: Slots| between.iter().any(|it| it.is(slots));
            // "call mat karo, msg karo": the negation is of what stands before it.
            let is_spent =
                self.is(*from, one(Slot::After)) && *from > 0 && self.is(*from - 1, calls);
            // "I don't live there, so stop": the "so" begins another thing.
            let joined = between.iter().position(|it| it.is(one(Slot::And)));
            let denied = between.get(..joined.unwrap_or_default()).unwrap_or_default();
            let acts = SENDS.and(STOPS).and(calls).and(one(Slot::Want));
            let is_over = !denied.is_empty() && !denied.iter().any(|it| it.is(acts));
            self.is(*from, neg)
                && !is_spent
                && !is_over
                && !self.is(
                    *from,
                    taken.and(calls.without(self.here())).and(one(Slot::Want)).and(STOPS),
                )
                && !said(taken)
                && (!said(calls) || said(one(Slot::And)))
        });
        before.or_else(|| {
            (at + 1..=at + AFTER_REACH).find(|it| {
                self.is(*it, neg)
                    && self.is(*it, one(Slot::After))
                    && !self.between(at + 1, *it).iter().any(|it| it.is(SENDS.and(STOPS)))
            })
        })
    }

    /// Pieces from a place to the nearest of these.
    fn nearest(&self, at: usize, slots: Slots) -> Option<usize> {
        self.places(slots).map(|other| other.abs_diff(at)).min()
    }

    /// Whether what a place is about is a thing of another kind.
    fn is_about_other(&self, at: usize) -> bool {
        let Some(other) = self.nearest(at, one(Slot::Other)) else { return false };
        self.nearest(at, OURS).is_none_or(|ours| other < ours)
    }

    /// Whether the object of a verb is a word that nobody knows.
    fn is_about_unknown(&self, at: usize) -> bool {
        if self.has(MESSAGES) {
            return false;
        }
        let light = Slots::of(&[
            Slot::Me,
            Slot::Common,
            Slot::Polite,
            Slot::More,
            Slot::No,
            Slot::Neg,
            Slot::And,
            Slot::You,
        ]);
        let next = self.all.iter().skip(at + 1).find(|it| !it.is(light));
        next.is_some_and(|it| it.slots.is_none())
    }

    fn verdict(&self) -> Verdict {
        self.idiom()
            .or_else(|| self.doubtful())
            .or_else(|| self.negated())
            .or_else(|| self.ends_when())
            .or_else(|| self.complaint())
            .or_else(|| self.aside())
            .or_else(|| self.leaving())
            .or_else(|| self.unwanted().map(|verdict| self.or_forbidden(verdict)))
            .or_else(|| self.forbidden())
            .or_else(|| self.standing())
            .unwrap_or_else(|| self.remains())
    }

    /// Line 1.
    fn idiom(&self) -> Option<Verdict> {
        let at = self.places(one(Slot::Final)).next()?;
        let governed = !self.is(at, one(Slot::Neg)) && self.negation(at).is_some();
        Some(if governed { Verdict::Doubt } else { Verdict::Stop })
    }

    /// Line 2.
    fn doubtful(&self) -> Option<Verdict> {
        let acts = STOPS.and(one(Slot::Key)).and(one(Slot::Ceased));
        if !self.has(acts) {
            return None;
        }
        let mistaken = self.has(one(Slot::Mistake));
        let first = self.places(one(Slot::If)).next();
        let supposed = first.is_some_and(|first| {
            (self.asks() || self.places(one(Slot::I)).any(|it| it + 1 >= first))
                && !self.has(one(Slot::Neg))
                && self.places(acts).any(|it| it > first)
        });
        (mistaken || supposed).then_some(Verdict::Doubt)
    }

    /// Line 3.
    fn negated(&self) -> Option<Verdict> {
        let (at, neg) = self
            .places(STOPS)
            .filter(|at| !self.is(*at, SENDS))
            .find_map(|at| Some((at, self.negation(at)?)))?;
        let leaves = self.is(at, one(Slot::Leave)) || self.has(one(Slot::Me).and(OURS));
        if self.is_about_other(at) {
            return Some(Verdict::Turned);
        }
        // "not buying stop texting": what the negation denies may be the word between.
        let after = one(Slot::After);
        let denies = |it: &Piece| it.slots.is_none() || it.is(one(Slot::Other));
        let names = |it: usize| it > at && self.is(it, SENDS.and(MESSAGES));
        if neg < at
            && !self.is(neg, after)
            && self.between(neg + 1, at).iter().any(denies)
            && self.places(SENDS.and(MESSAGES)).any(names)
        {
            return Some(Verdict::Doubt);
        }
        if self.has(one(Slot::Forget)) {
            return Some(if leaves || self.has(SENDS) { Verdict::Stop } else { Verdict::Turned });
        }
        let fails = self.is(neg, one(Slot::Can))
            || self.between(neg.min(at), neg.max(at)).iter().any(|it| it.is(one(Slot::Can)));
        if fails && (self.is(at, one(Slot::Leave)) || self.has(OURS)) {
            return Some(Verdict::Stop);
        }
        let urged = self.has(one(Slot::Why)) || self.has(one(Slot::If));
        let is_yours = self.places(one(Slot::You)).any(|it| it < at);
        if urged && (is_yours || self.has(MESSAGES.and(SENDS))) {
            return Some(Verdict::Stop);
        }
        let will = self.is(neg, one(Slot::Will));
        if will && self.has(MESSAGES.and(SENDS).and(one(Slot::You))) {
            return Some(Verdict::Doubt);
        }
        if self.has(one(Slot::Past)) && self.has(one(Slot::Still)) {
            return Some(Verdict::Doubt);
        }
        Some(Verdict::Turned)
    }

    /// Line 4, of the end of an offer: "when does the sale end?"
    fn ends_when(&self) -> Option<Verdict> {
        let when = self.places(one(Slot::When)).next()?;
        let ends = Slots::of(&[Slot::Ends, Slot::End, Slot::Ceased, Slot::No]);
        let acts = one(Slot::Cease).and(one(Slot::Leave));
        let wish = SENDS.and(GETS).and(Slots::of(&[
            Slot::Want,
            Slot::Neg,
            Slot::Me,
            Slot::You,
            Slot::I,
            Slot::More,
            Slot::Remove,
        ]));
        let strange = self.all.iter().any(|it| it.slots.is_none());
        let most = if when == 0 || when + 1 == self.all.len() { HALF_KNOWN_MAX } else { ASKED_MAX };
        let is_short = self.all.len() <= most && !strange && !self.has(acts);
        if !(self.asks() || is_short) || self.has(wish) || !self.has(ends.and(acts)) {
            return None;
        }
        if self.has(one(Slot::Deal)) && self.is_of_offers() && !self.has(acts) {
            return Some(Verdict::Turned);
        }
        self.has(MESSAGES).then_some(Verdict::Doubt)
    }

    /// Whether each message that it speaks of is an offer.
    fn is_of_offers(&self) -> bool {
        self.places(MESSAGES).all(|at| self.is(at, one(Slot::Deal)))
    }

    /// Line 4.
    fn complaint(&self) -> Option<Verdict> {
        let asked = self.has(one(Slot::Past));
        let wished = asked || self.has(one(Slot::Want));
        let angry = self.has(one(Slot::Angry));
        let why = Slots::of(&[Slot::Why, Slot::Did]);
        if self.has(one(Slot::Ceased)) && !wished && !self.has(one(Slot::Leave)) {
            let about =
                MESSAGES.and(SENDS).and(GETS).and(why).and(one(Slot::Me)).and(one(Slot::Sent));
            return Some(if self.has(about) { Verdict::Turned } else { Verdict::Nothing });
        }
        let ceases = self.places(one(Slot::Cease).and(one(Slot::Leave)).and(one(Slot::End))).next();
        if let Some(at) = ceases
            && self.places(why).any(|it| it < at)
            && !asked
            && !self.has(one(Slot::Neg).and(one(Slot::Keep)))
        {
            return Some(if angry { Verdict::Doubt } else { Verdict::Turned });
        }
        let governed = |slots: Slots| {
            self.places(slots).any(|at| self.negation(at).is_some() || self.has(one(Slot::No)))
        };
        if wished || angry || self.has(STOPS.and(one(Slot::Keep))) {
            return None;
        }
        let got = Slots::of(&[Slot::Got, Slot::Sent]);
        if governed(got.without(one(Slot::Get))) && !self.has_plain(one(Slot::Get)) {
            return Some(Verdict::Turned);
        }
        let did = self.places(one(Slot::Neg)).any(|at| self.is(at, one(Slot::Did)));
        // "I'd like it if you didn't write any more"
        let begged = self.has(one(Slot::More)) && self.has(Slots::of(&[Slot::Can, Slot::If]));
        if did && self.has(SENDS.and(GETS)) && !begged {
            return Some(Verdict::Turned);
        }
        if self.has(one(Slot::Why)) && governed(SENDS.and(GETS)) {
            return Some(Verdict::Turned);
        }
        // "you don't send me", said of what happens.
        let told = self.places(one(Slot::Neg)).any(|at| {
            at > 0
                && self.is(at - 1, one(Slot::You))
                && !self.is(at, one(Slot::Will))
                && self.places(SENDS).any(|it| it >= at)
        });
        (told && !self.has(one(Slot::Can))).then_some(Verdict::Turned)
    }

    /// Whether a piece does this, and does not say that it happens.
    fn has_plain(&self, slots: Slots) -> bool {
        self.all.iter().any(|it| it.is(slots) && !it.is(one(Slot::Got)))
    }

    /// What is said of this channel by its own verb.
    const fn here(&self) -> Slots {
        match self.channel {
            Channel::Voice => BY_VOICE,
            Channel::Email => BY_MAIL,
            Channel::WhatsApp
            | Channel::Sms
            | Channel::Rcs
            | Channel::Push
            | Channel::Viber
            | Channel::Telegram
            | Channel::Messenger
            | Channel::Line => Slots::NONE,
        }
    }

    /// Line 6.
    fn aside(&self) -> Option<Verdict> {
        let refuses = self.has(NEGS.and(one(Slot::Cease)).and(one(Slot::End)));
        let here = self.here();
        let others = BY_VOICE.and(BY_MAIL).without(here);
        let ours = SENDS.and(MESSAGES).and(here);
        let alone = self.has(others)
            && !self.all.iter().any(|it| it.is(ours) && !it.is(others))
            && !self.has(STOPS.without(one(Slot::Cease)).without(one(Slot::End)));
        if !(refuses && alone) {
            return self.rather(others, ours).then_some(Verdict::Turned);
        }
        if self.has(Slots::of(&[Slot::Why, Slot::Other])) {
            return Some(Verdict::Turned);
        }
        let fine = self.has(one(Slot::Fine)) && self.has(one(Slot::But));
        Some(if fine { Verdict::Turned } else { Verdict::Aside })
    }

    /// "don't call, send a message", "quit calling, text me instead": the others are refused, and ours are
    /// asked for after them.
    fn rather(&self, others: Slots, ours: Slots) -> bool {
        let ceases =
            |at: usize| at > 0 && self.is(at - 1, one(Slot::Cease)) && !self.is(at + 1, ours);
        let mut calls = self.places(others);
        let Some(call) = calls.find(|at| self.negation(*at).is_some() || ceases(*at)) else {
            return false;
        };
        let mut after = self.places(ours).filter(|at| *at > call).peekable();
        after.peek().is_some()
            && after.all(|at| self.negation(at).is_none_or(|neg| neg <= call))
            && !self.places(ours).any(|at| at < call)
            && !self.places(STOPS).any(|at| at + 1 != call)
            && !self.has(GETS.and(one(Slot::Want)).and(one(Slot::And)))
    }

    /// Lines 5 and 7.
    fn leaving(&self) -> Option<Verdict> {
        if self.has(one(Slot::Revoke)) && self.has(one(Slot::Consent)) {
            return Some(Verdict::Stop);
        }
        let mut turned = None;
        for at in self.places(STOPS) {
            let verdict = self.leaves(at);
            match verdict {
                Verdict::Stop => return Some(Verdict::Stop),
                Verdict::Nothing => {}
                Verdict::Turned | Verdict::Aside | Verdict::Doubt => {
                    turned = turned.max(Some(verdict));
                }
            }
        }
        turned
    }

    /// What an act that stops something says of it.
    fn leaves(&self, at: usize) -> Verdict {
        let other = self.is_about_other(at);
        let is = |slot: Slot| self.is(at, one(slot));
        if is(Slot::Leave) {
            return if other { Verdict::Doubt } else { Verdict::Stop };
        }
        let writes = self.has(TO_ME);
        if other {
            return if writes && is(Slot::Cease) { Verdict::Doubt } else { Verdict::Turned };
        }
        if is(Slot::Remove) && self.has(one(Slot::Account)) {
            return Verdict::Doubt;
        }
        if is(Slot::Remove) && self.has(Slots::of(&[Slot::Me, Slot::List])) {
            return Verdict::Stop;
        }
        let strange = self.all.iter().filter(|it| it.slots.is_none()).count();
        let weak = self.has(one(Slot::Weak)) && strange == 0;
        if is(Slot::Remove) && self.has(one(Slot::Wrong)) && weak {
            return Verdict::Stop;
        }
        if is(Slot::End) && self.has(one(Slot::Want)) && weak {
            return Verdict::Stop;
        }
        if is(Slot::Remove) && self.has(MESSAGES) {
            return Verdict::Doubt;
        }
        if (is(Slot::Cease) || is(Slot::End)) && self.has(MESSAGES) {
            return Verdict::Stop;
        }
        if is(Slot::Cease) {
            return self.ceases(at);
        }
        if is(Slot::End) && self.has(one(Slot::Service)) {
            return Verdict::Doubt;
        }
        if self.is_bare() { Verdict::Doubt } else { Verdict::Nothing }
    }

    /// An act that stops something, of which nobody says what: "please delete", "turn these off".
    fn is_bare(&self) -> bool {
        let beside = Slots::of(&[
            Slot::Weak,
            Slot::You,
            Slot::Polite,
            Slot::Me,
            Slot::I,
            Slot::Can,
            Slot::More,
            Slot::Key,
        ]);
        self.all.iter().all(|it| it.is(beside.and(STOPS)) && !it.is(one(Slot::Idiom)))
    }

    /// What a "stop" says.
    fn ceases(&self, at: usize) -> Verdict {
        if self.has(TO_ME.and(self.here())) {
            return Verdict::Stop;
        }
        let send = self.places(one(Slot::Send)).next();
        if let Some(send) = send {
            return if self.is_about_unknown(send) { Verdict::Doubt } else { Verdict::Stop };
        }
        if self.has(GETS) {
            let get = self.places(GETS).next().unwrap_or(at);
            return if self.is_about_unknown(get) { Verdict::Doubt } else { Verdict::Stop };
        }
        if self.has(one(Slot::Service)) {
            return Verdict::Doubt;
        }
        let wished = self.has(Slots::of(&[Slot::Past, Slot::Want, Slot::Angry]))
            || (self.has(one(Slot::Can)) && self.has(one(Slot::You)));
        let strange = self.all.iter().filter(|it| it.slots.is_none()).count();
        let company = Slots::of(&[Slot::Weak, Slot::You, Slot::Polite, Slot::Me]);
        let mine = self.has(one(Slot::I)) && !self.has(one(Slot::You));
        if wished && strange == 0 && self.has(company) && !mine {
            return Verdict::Stop;
        }
        if strange == 0 && self.has_near(at, one(Slot::Weak)) && !self.has(one(Slot::Idiom)) {
            return Verdict::Stop;
        }
        if self.is_bare() { Verdict::Doubt } else { Verdict::Nothing }
    }

    /// Whether one of these stands beside a place, and no "and" between.
    fn has_near(&self, at: usize, slots: Slots) -> bool {
        self.places(slots).any(|it| {
            let between = self.between(it.min(at) + 1, it.max(at));
            it != at
                && between.len() < OBJECT_REACH
                && !between.iter().any(|it| it.is(one(Slot::And)))
        })
    }

    /// Line 9.
    fn unwanted(&self) -> Option<Verdict> {
        let acts = GETS.and(SENDS);
        // "I don't want to get", "I want to not get".
        let wants = self.places(one(Slot::Want)).find(|at| {
            let governs = |act: usize| self.negation(act).is_some_and(|neg| neg > *at);
            self.negation(*at).is_some()
                || self.has(one(Slot::No))
                || self.places(acts).any(|act| act > *at && governs(act))
        })?;
        if self.has(one(Slot::Forget)) {
            return Some(Verdict::Turned);
        }
        if self.is_about_other(wants) {
            return Some(Verdict::Turned);
        }
        let by_you =
            self.has(SENDS) && self.has(Slots::of(&[Slot::Me, Slot::You, Slot::More, Slot::Msg]));
        if self.has(MESSAGES) || by_you {
            return Some(Verdict::Stop);
        }
        let get = self.places(GETS).next();
        if let Some(get) = get {
            let strange = self.is_about_unknown(get);
            return Some(if strange { Verdict::Doubt } else { Verdict::Stop });
        }
        let strange = self.all.iter().filter(|it| it.slots.is_none()).count();
        let plain =
            self.has(one(Slot::Weak)) && self.has(Slots::of(&[Slot::More, Slot::Reach, Slot::You]));
        if plain && strange == 0 {
            return Some(Verdict::Stop);
        }
        let yours = self.has(Slots::of(&[Slot::More, Slot::You, Slot::Weak]));
        (strange == 0 || yours || self.has(SENDS)).then_some(Verdict::Doubt)
    }

    /// "I'm not interested, so don't send": a doubt about the first half, where the second is plain.
    fn or_forbidden(&self, verdict: Verdict) -> Verdict {
        let plain = one(Slot::Forbid);
        let forbids = |at: usize| {
            self.negation(at)
                .is_some_and(|neg| self.is(neg, plain) || (neg == at && self.is(at, SENDS)))
        };
        let wants = self.places(one(Slot::Want)).next().unwrap_or_default();
        if verdict == Verdict::Doubt && self.places(SENDS).any(|at| at > wants && forbids(at)) {
            return self.forbidden().unwrap_or(verdict);
        }
        verdict
    }

    /// Whether an act is what somebody shall not forget: "don't forget to text me".
    fn is_remembered(&self, at: usize, neg: usize) -> bool {
        let forget = one(Slot::Forget);
        // "n'oubliez pas de m'envoyer" has it before its negation.
        let (from, end) = (neg.min(at).saturating_sub(1), neg.max(at));
        self.between(from, end + 1).iter().any(|it| it.is(forget))
            || (neg == at && self.places(forget).any(|it| it > at))
    }

    /// Lines 8 and 10.
    fn forbidden(&self) -> Option<Verdict> {
        let mut sends = self.places(SENDS.and(self.here()));
        let sends = sends.find_map(|at| Some((at, self.negation(at)?)));
        if let Some((at, neg)) = sends {
            if self.is_remembered(at, neg) {
                return Some(Verdict::Turned);
            }
            if self.is_about_other(at) {
                let writes = self.is(at, TO_ME) && self.has(one(Slot::More));
                return Some(if writes { Verdict::Doubt } else { Verdict::Turned });
            }
            let strange =
                self.is(at, one(Slot::Send)) && !self.is(at, TO_ME) && self.is_about_unknown(at);
            let is_mine =
                self.has(one(Slot::I)) && !self.has(one(Slot::Me)) && !self.has(one(Slot::Forbid));
            // "ne cessez pas d'envoyer" in a language whose "cessez" we lack.
            let governs_unknown = self.between(neg + 1, at).iter().any(|it| it.slots.is_none());
            let doubtful = strange
                || governs_unknown
                || is_mine
                || (self.asks() && !self.has(Slots::of(&[Slot::Can, Slot::More, Slot::Polite])));
            return Some(if doubtful { Verdict::Doubt } else { Verdict::Stop });
        }
        let forbids = self.places(one(Slot::Forbid)).next();
        let calls = |at: usize| self.places(BY_VOICE.and(BY_MAIL)).any(|it| it >= at);
        if let Some(at) = forbids.filter(|at| self.has(MESSAGES) && !calls(*at)) {
            let forgotten = self.is(at + 1, one(Slot::Forget));
            let turned = forgotten || self.is_about_other(at);
            return Some(if turned { Verdict::Turned } else { Verdict::Stop });
        }
        let no = self.places(NEGS).find(|at| {
            let is_act =
                self.is(*at, SENDS.and(GETS).and(BY_VOICE).and(BY_MAIL).and(one(Slot::Want)));
            !is_act
                && (self.is(*at, one(Slot::No)) || self.is(*at + 1, one(Slot::More).and(MESSAGES)))
        })?;
        let message = self.places(MESSAGES).find(|at| at.abs_diff(no) <= NEG_REACH)?;
        if self.is_about_other(message)
            || self.nearest(no, one(Slot::Other)).is_some_and(|it| it < message.abs_diff(no))
        {
            return Some(Verdict::Turned);
        }
        if self.has(one(Slot::Got)) || self.asks() {
            return None;
        }
        let strange = self.all.iter().filter(|it| it.slots.is_none()).count();
        if self.has(one(Slot::More)) {
            return Some(if strange > 3 { Verdict::Doubt } else { Verdict::Stop });
        }
        Some(if strange == 0 { Verdict::Stop } else { Verdict::Doubt })
    }

    /// Line 11.
    fn standing(&self) -> Option<Verdict> {
        let key = self.places(one(Slot::Key)).next()?;
        let asked = self.places(one(Slot::Past)).any(|it| it < key) && !self.asks();
        let still = self.has(one(Slot::Still))
            && self.has(SENDS.and(GETS).and(MESSAGES).and(one(Slot::Sent)));
        (asked || still).then_some(Verdict::Stop)
    }

    /// Line 12.
    fn remains(&self) -> Verdict {
        if self.has(one(Slot::Idiom)) && !self.has(Slots::of(&[Slot::Angry, Slot::Wrong])) {
            return Verdict::Turned;
        }
        if self.has(one(Slot::Other)) {
            return if self.has(one(Slot::Angry)) { Verdict::Doubt } else { Verdict::Nothing };
        }
        let turned = self
            .places(one(Slot::Angry).and(one(Slot::Wrong)))
            .all(|at| self.negation(at).is_some());
        if self.has(Slots::of(&[Slot::Angry, Slot::Wrong])) {
            return if turned { Verdict::Turned } else { Verdict::Doubt };
        }
        let why = self.has(one(Slot::Why));
        let told = MESSAGES.and(SENDS).and(GETS).and(one(Slot::Sent));
        if why && self.has(told) && !self.has(NEGS) {
            return Verdict::Doubt;
        }
        if why && self.has(told) {
            return Verdict::Turned;
        }
        let told = MESSAGES.and(TO_ME);
        let near =
            self.places(NEGS).any(|no| self.nearest(no, told).is_some_and(|it| it <= NEG_REACH));
        if near && !self.has(one(Slot::Got)) && !self.has(one(Slot::Keep)) {
            let not_forgotten = |no: usize| {
                let beside = self.between(no.saturating_sub(1), no + 2);
                beside.iter().any(|it| it.is(one(Slot::Forget)))
            };
            if self.places(NEGS).all(not_forgotten) {
                return Verdict::Turned;
            }
            return Verdict::Doubt;
        }
        // "I did not join this list", "may these messages end".
        let joined = self.has(one(Slot::Join)) && self.has(NEGS.and(one(Slot::Why)));
        let over = self.has(one(Slot::Ends)) && !self.is_of_offers();
        let ends = self.has(Slots::of(&[Slot::End, Slot::Cease, Slot::Revoke]))
            && self.has(Slots::of(&[Slot::Service, Slot::Account]));
        if joined || over || ends || self.is_half_known() {
            Verdict::Doubt
        } else {
            Verdict::Nothing
        }
    }

    /// Words that we lack, where what stands beside them is of messages and of little else: "take me off
    /// the list" in a dialect, "msg" and a verb in letters that it is not written in.
    fn is_half_known(&self) -> bool {
        let strange = self.all.iter().filter(|it| it.slots.is_none()).count();
        let begs = Slots::of(&[Slot::Me, Slot::Want, Slot::I, Slot::Account, Slot::Join]);
        let welcome = Slots::of(&[Slot::Keep, Slot::Fine, Slot::Got, Slot::Other]);
        if strange == 0 || self.has(welcome) || self.asks() {
            return false;
        }
        let listed = self.has(one(Slot::List)) && self.has(begs) && !self.has(STOPS);
        let light = Slots::of(&[Slot::Me, Slot::Polite, Slot::More, Slot::Weak]).and(SENDS);
        // A rule of the workspace may take "offers hats".
        let told = one(Slot::Write);
        let only = self.all.len() <= HALF_KNOWN_MAX
            && self
                .all
                .windows(2)
                .any(|two| matches!(two, [a, b] if a.is(told) && b.slots.is_none()))
            && self.all.iter().all(|it| it.slots.is_none() || it.is(light.and(MESSAGES)));
        (listed || only) && strange <= HALF_KNOWN_MAX
    }

    /// "I don't want them", of what another clause names.
    fn wants_none_of_them(&self) -> bool {
        let wants = self.places(one(Slot::Want)).any(|at| self.negation(at).is_some());
        let strange = self.all.iter().any(|it| it.slots.is_none());
        wants
            && !strange
            && self.has(one(Slot::Weak))
            && !self.has(Slots::of(&[Slot::Other, Slot::Forget]))
    }

    /// Whether the only stop in it is an "enough", which may also say that something suffices.
    fn suffices(&self) -> bool {
        self.has(one(Slot::Cease))
            && self.places(STOPS).all(|at| self.is(at, one(Slot::Fine)))
            && !self.has(SENDS.and(one(Slot::Neg)).and(one(Slot::More)))
    }

    /// Whether this channel is welcome here.
    fn welcomes(&self) -> bool {
        let ours = SENDS.and(MESSAGES).and(one(Slot::Sent));
        self.has(Slots::of(&[Slot::Keep, Slot::Fine])) && !self.has(NEGS)
            || (self.has(ours) && !self.has(NEGS) && !self.has(STOPS))
    }
}
