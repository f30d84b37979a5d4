//! The patterns of many rules, searched for at once.
//!
//! A workspace may have a thousand rules, and anybody may write to it. Each pattern alone takes time in
//! proportion to the text; all of them together are one automaton, whose states are made as texts need
//! them and kept for the next text. Where a text needs too many, each pattern is searched for alone, as
//! [`Found::one_by_one`] does always: what is found is the same.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::pool::Pool;
use regex_automata::{Input, MatchKind};

use super::{Matching, Pattern, Rule, read_part, syntax};
use crate::id::RuleId;
use crate::limits;
use crate::text::wording::{exact_text, fold, plain_text};

/// The patterns of a workspace's rules.
pub struct Patterns {
    of: Vec<(RuleId, Pattern)>,
    machine: OnceLock<Option<Machine>>,
}

/// The rules whose patterns are in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found(BTreeSet<RuleId>);

/// One automaton for all patterns, in their order.
struct Machine {
    automaton: DFA,
    /// States that were made for earlier texts, a set of them for each search under way.
    states: Pool<Cache, Box<dyn Fn() -> Cache + Send + Sync>>,
}

impl Found {
    /// Whether the pattern of this rule is in the text.
    pub fn has(&self, rule: RuleId) -> bool {
        self.0.contains(&rule)
    }

    /// Searches for the pattern of each rule by itself.
    pub fn one_by_one<'a>(rules: impl IntoIterator<Item = &'a Rule>, text: &str) -> Self {
        let text = fold(read_part(text));
        let found = rules.into_iter().filter(|rule| match &rule.0.matching {
            Matching::Matches(pattern) => pattern.matches(&text),
            Matching::Begins(_) | Matching::Is(_) => false,
        });
        Self(found.map(|rule| rule.0.id).collect())
    }
}

impl Patterns {
    /// The patterns of these rules. The automaton is made when it is first needed, or by
    /// [`Patterns::make_ready`].
    pub fn of<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Self {
        let of = patterns_of(rules).map(|(id, pattern)| (id, pattern.clone())).collect();
        Self { of, machine: OnceLock::new() }
    }

    /// Whether they are the patterns of these rules.
    pub fn are_of<'a>(&self, rules: impl IntoIterator<Item = &'a Rule>) -> bool {
        let mut theirs = patterns_of(rules);
        let is_next = |(id, pattern): &(RuleId, Pattern)| {
            theirs.next().is_some_and(|(theirs, written)| theirs == *id && written == pattern)
        };
        self.of.iter().all(is_next) && theirs.next().is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Whether the automaton is made, or need not be.
    pub fn is_ready(&self) -> bool {
        self.of.is_empty() || self.machine.get().is_some()
    }

    /// Makes the automaton, which takes a tenth of a millisecond for each pattern.
    pub fn make_ready(&self) {
        if !self.of.is_empty() {
            self.machine.get_or_init(|| Machine::of(&self.of));
        }
    }

    /// The rules whose patterns are in a text.
    pub fn search(&self, text: &str) -> Found {
        if self.of.is_empty() {
            return Found::default();
        }
        let tokens = fold(read_part(text));
        let (exact, plain) = (exact_text(&tokens), plain_text(&tokens));
        let texts: &[&str] = if exact == plain { &[&exact] } else { &[&exact, &plain] };
        let machine = self.machine.get_or_init(|| Machine::of(&self.of));
        let mut found = vec![false; self.of.len()];
        for text in texts {
            let is_through = machine.as_ref().is_some_and(|it| it.search(text, &mut found));
            if !is_through {
                for (found, (_, pattern)) in found.iter_mut().zip(&self.of) {
                    *found = *found || pattern.is_found(text);
                }
            }
        }
        let found = self.of.iter().zip(found).filter(|(_, found)| *found);
        Found(found.map(|((id, _), _)| *id).collect())
    }
}

fn patterns_of<'a>(
    rules: impl IntoIterator<Item = &'a Rule>,
) -> impl Iterator<Item = (RuleId, &'a Pattern)> {
    rules.into_iter().filter_map(|rule| match &rule.0.matching {
        Matching::Matches(pattern) => Some((rule.0.id, pattern)),
        Matching::Begins(_) | Matching::Is(_) => None,
    })
}

impl Machine {
    /// The automaton of these patterns, if there can be one.
    fn of(patterns: &[(RuleId, Pattern)]) -> Option<Self> {
        let written: Vec<&str> = patterns.iter().map(|(_, pattern)| pattern.as_str()).collect();
        let nfa = thompson::Compiler::new().syntax(syntax()).build_many(&written).ok()?;
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(limits::PATTERN_STATES_BYTES_MAX)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(1));
        let automaton = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let of = automaton.clone();
        Some(Self { automaton, states: Pool::new(Box::new(move || of.create_cache())) })
    }

    /// Notes which patterns are in the text; whether it came to the end of it.
    fn search(&self, text: &str, found: &mut [bool]) -> bool {
        let mut states = self.states.get();
        // Room for this text, whatever the ones before it took.
        if states.clear_count() > 0 {
            states.reset(&self.automaton);
        }
        self.walk(&mut states, text, found).is_some()
    }

    fn walk(&self, states: &mut Cache, text: &str, found: &mut [bool]) -> Option<()> {
        let automaton = &self.automaton;
        // A text stays in few states that mean something, and each means the same every time.
        let (mut seen, mut clears) = (BTreeSet::new(), states.clear_count());
        let mut state = automaton.start_state_forward(states, &Input::new(text)).ok()?;
        let steps = text.bytes().map(Some).chain(std::iter::once(None));
        for step in steps {
            state = match step {
                Some(byte) => automaton.next_state(states, state, byte),
                None => automaton.next_eoi_state(states, state),
            }
            .ok()?;
            if state.is_quit() {
                return None;
            }
            if state.is_dead() {
                return Some(());
            }
            if states.clear_count() != clears {
                clears = states.clear_count();
                seen.clear();
            }
            if state.is_match() && seen.insert(state) {
                for place in 0..automaton.match_len(states, state) {
                    let pattern = automaton.match_pattern(states, state, place);
                    if let Some(found) = found.get_mut(pattern.as_usize()) {
                        *found = true;
                    }
                }
            }
        }
        Some(())
    }
}

impl fmt::Debug for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patterns").field("len", &self.of.len()).finish_non_exhaustive()
    }
}
