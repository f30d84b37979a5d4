//! What holds for every history: state is a function of the set of events, refusals stand, the
//! effective state decides as the registers do, canonical bytes and event ids are exact.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, OpaqueId};
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::gate::decision::{Circumstances, Decision, Requirement, check, decide};
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::id::{EventId, ImportId, NoticeId, WorkspaceId};
use sayso_core::state::capture::read_in_doubt;
use sayso_core::state::effective::{Effective, Shape, turning_points};
use sayso_core::state::link::carried;
use sayso_core::state::registers::{Joined, Registers};
use sayso_core::state::status::Status;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Message, Occasion, Permission, Scope};
use sayso_core::words::event::{ConsentEvent, Fact, Sealed};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::notice::{Language, NoticeRef};
use sayso_core::words::source::{Evidence, EvidenceText, Source};
use sayso_core::words::statement::{Level, Standing, Statement};

use crate::support::generate::{anytime, consent, fact, history, question};
use crate::support::language::{
    SECRET, SENDER_S, TOPIC_T, Telling, WORKSPACE, about_t, day, fold, one_account, plain, set,
    settings_with_least, single, undone_by,
};

/// Random cases of each property.
const CASES: u32 = if cfg!(debug_assertions) { 5_000 } else { 50_000 };

fn hold_for<S: Strategy>(inputs: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        max_global_rejects: CASES * 20,
        ..Config::default()
    });
    let ran = runner.run(inputs, property);
    ran.unwrap_or_else(|fault| panic!("{fault}"));
}

/// Asserts that a property was not vacuous.
fn assert_tried(times: &Cell<u32>, least: u32) {
    assert!(times.get() >= least, "tried only {} times", times.get());
}

fn count(times: &Cell<u32>) {
    times.set(times.get() + 1);
}

// State is a function of the set of events (rule 7).

#[test]
fn order_and_repetition_cannot_matter() {
    let told_twice = history().prop_flat_map(|history| {
        let again = vec(any::<Index>(), 0..4);
        (Just(history), again).prop_flat_map(|(history, again)| {
            let mut told = history.clone();
            if !history.is_empty() {
                told.extend(again.iter().map(|at| at.get(&history).clone()));
            }
            (Just(history), Just(told).prop_shuffle())
        })
    });
    hold_for(&told_twice, |(history, told)| {
        prop_assert_eq!(fold(&told), fold(&history));
        Ok(())
    });
}

/// Two stores: each event came to the first, the second, or both.
fn two_stores() -> impl Strategy<Value = (Vec<ConsentEvent>, Vec<ConsentEvent>)> {
    history().prop_flat_map(|history| {
        vec(0_u8..3, history.len()).prop_map(move |places| {
            let kept = |elsewhere: u8| {
                let here = history.iter().zip(&places);
                here.filter(|(_, place)| **place != elsewhere)
                    .map(|(event, _)| event.clone())
                    .collect()
            };
            (kept(0), kept(1))
        })
    })
}

#[test]
fn batching_and_the_union_of_stores_cannot_matter() {
    let merged_alone = Cell::new(0);
    hold_for(&two_stores(), |(here, there)| {
        let all = [here.as_slice(), there.as_slice()].concat();
        let mut registers = fold(&here);
        // That another store undid an import is not in the registers: its caller knows.
        let same_undone = undone_by(&here) == undone_by(&there);
        match registers.merge(&fold(&there)) {
            Joined::Done if same_undone => count(&merged_alone),
            Joined::Done | Joined::NeedsHistory => registers = fold(&all),
        }
        prop_assert_eq!(registers, fold(&all));
        Ok(())
    });
    assert_tried(&merged_alone, CASES / 3);
}

#[test]
fn merging_is_commutative_associative_and_idempotent() {
    let three = (two_stores(), vec(consent(), 0..4));
    hold_for(&three, |((first, second), third)| {
        let [first, second, third] = [fold(&first), fold(&second), fold(&third)];
        let merged = |parts: &[&Registers]| {
            parts.iter().fold(Registers::default(), |mut all, part| {
                let _needs_history = all.merge(part);
                all
            })
        };
        let straight = merged(&[&first, &second, &third]);
        prop_assert_eq!(&straight, &merged(&[&third, &second, &first]));
        prop_assert_eq!(&straight, &merged(&[&first, &merged(&[&second, &third])]));
        let mut again = straight.clone();
        prop_assert_eq!(again.merge(&straight), Joined::Done);
        prop_assert_eq!(again, straight);
        Ok(())
    });
}

/// A store that takes in event after event, refolding when it is told to.
fn taken_in_one_by_one(history: &[ConsentEvent]) -> Registers {
    let mut registers = Registers::default();
    for (at, event) in history.iter().enumerate() {
        let undone = undone_by(&history[..=at]);
        if event.import.is_some_and(|import| undone.contains(&import)) {
            continue;
        }
        if registers.join(event) == Joined::NeedsHistory {
            registers = Registers::fold(&history[..=at], &undone);
        }
    }
    registers
}

#[test]
fn taking_in_event_after_event_is_folding_them_all() {
    hold_for(&history(), |history| {
        prop_assert_eq!(taken_in_one_by_one(&history), fold(&history));
        Ok(())
    });
}

// A refusal stands until the person, or its own source, lifts it (rule 8).

/// What cannot lift a refusal: what is not later than it, implied consent, a question, and the
/// reports of other sources.
fn cannot_lift(said: ConsentEvent, refusal: &ConsentEvent) -> ConsentEvent {
    let Fact::Consent(_, statement) = said.fact else {
        panic!("only consent is added");
    };
    let by_act = matches!(refusal.fact, Fact::Consent(_, by) if by.standing() == Standing::Act);
    let of_another_source = by_act || said.source != refusal.source;
    let harmless = match statement {
        Statement::Implied(_) | Statement::Pending => true,
        Statement::Yes | Statement::No => of_another_source,
        Statement::OptOut
        | Statement::Hold
        | Statement::Start
        | Statement::Single
        | Statement::Confirmed
        | Statement::Term(_) => false,
    };
    if harmless {
        said
    } else {
        let at = said.occurred_at.min(refusal.occurred_at);
        said.at(at)
    }
}

#[test]
fn a_refusal_never_becomes_less_effective_by_what_cannot_lift_it() {
    let refused = Cell::new(0);
    let inputs = (history(), question(), vec(consent(), 1..6));
    hold_for(&inputs, |(history, question, more)| {
        let circumstances = question.circumstances();
        let opted_out = Reasons::of(&[Reason::OptedOut]);
        let decision = check(&fold(&history), &question.message, &circumstances);
        if decision.reasons.and(opted_out) != opted_out {
            return Ok(());
        }
        count(&refused);
        let rests_on = decision.consent.basis.unwrap().event;
        let refusal = history.iter().find(|event| event.id == rests_on).unwrap();
        let more = more.into_iter().map(|said| cannot_lift(said, refusal));
        let longer: Vec<_> = history.iter().cloned().chain(more).collect();
        let decision = check(&fold(&longer), &question.message, &circumstances);
        prop_assert_eq!(decision.reasons.and(opted_out), opted_out);
        Ok(())
    });
    assert_tried(&refused, CASES / 10);
}

#[test]
fn a_pending_grants_refuses_and_hides_nothing() {
    let (answered, open) = (Cell::new(0), Cell::new(0));
    let inputs = (history(), question(), consent());
    hold_for(&inputs, |(history, question, said)| {
        // What is in doubt is told on a channel where something was told before: the dated default
        // is for those of whom nothing is recorded (rule 10).
        let Fact::Consent(Permission::Messages(channel, scope), statement) = said.fact else {
            return Ok(());
        };
        let before = fold(&history);
        if statement.is_refusal() || before.on_channel(channel).next().is_none() {
            return Ok(());
        }
        let (pending, named) = read_in_doubt(statement, scope);
        prop_assert_eq!((pending, named), (Statement::Pending, scope));
        let fact = Fact::Consent(Permission::Messages(channel, named), pending);
        let doubtful = ConsentEvent { fact, ..said }.named();
        let longer: Vec<_> = history.iter().cloned().chain([doubtful]).collect();
        let circumstances = question.circumstances();
        let old = check(&before, &question.message, &circumstances);
        let new = check(&fold(&longer), &question.message, &circumstances);
        if matches!(old.consent.status, Status::Never | Status::Pending) {
            count(&open);
            prop_assert!(matches!(new.consent.status, Status::Never | Status::Pending));
        } else {
            count(&answered);
            prop_assert_eq!(told(&new), told(&old));
        }
        prop_assert_eq!(new.is_allow(), old.is_allow());
        Ok(())
    });
    assert_tried(&answered, CASES / 10);
    assert_tried(&open, CASES / 20);
}

#[test]
fn a_refusal_in_doubt_refuses_everything_on_its_channel() {
    for statement in [Statement::OptOut, Statement::Hold, Statement::No] {
        assert_eq!(read_in_doubt(statement, Scope::Sender(SENDER_S)), (statement, Scope::All));
        assert_eq!(read_in_doubt(statement, Scope::Topic(TOPIC_T)), (statement, Scope::All));
    }
}

/// Only what is set, never what is cleared.
fn nothing_cleared(history: &[ConsentEvent]) -> bool {
    !history.iter().any(|event| matches!(event.fact, Fact::Suppression(_, _, Switched::Off)))
}

#[test]
fn another_name_of_the_account_never_opts_anybody_in() {
    let denied = Cell::new(0);
    let inputs = (history(), history(), question())
        .prop_filter("a block cleared", |it| nothing_cleared(&it.0) && nothing_cleared(&it.1));
    hold_for(&inputs, |(own, other, question)| {
        let message = Message { occasion: Occasion::Ordinary, ..question.message };
        // Where no opt-in is needed, one elsewhere on the channel denies (`category_not_covered`)
        // and none at all does not: there a further refusal may allow.
        let circumstances =
            Circumstances { requirement: Requirement::OptIn, ..question.circumstances() };
        if check(&fold(&own), &message, &circumstances).is_allow() {
            return Ok(());
        }
        count(&denied);
        let both = fold(&one_account(&own, &other, message.channel));
        prop_assert!(!check(&both, &message, &circumstances).is_allow());
        Ok(())
    });
    assert_tried(&denied, CASES / 4);
}

#[test]
fn linking_carries_refusals_and_blocks_and_nothing_else() {
    hold_for(&history(), |history| {
        for it in carried(&fold(&history)) {
            let fits = matches!(
                it.fact,
                Fact::Consent(_, Statement::No)
                    | Fact::Suppression(Suppression::Operator, _, Switched::On)
            );
            let from = history.iter().find(|event| event.id == it.from);
            prop_assert!(fits && from.is_some_and(|from| from.occurred_at == it.at));
        }
        Ok(())
    });
}

// The effective state decides as the registers do.

/// All of a decision but what it rests on, which an effective state does not keep.
fn told(decision: &Decision) -> (Reasons, Reasons, Status, Option<Level>, Option<Timestamp>) {
    let consent = decision.consent;
    (decision.reasons, decision.waived, consent.status, consent.level, decision.retry_at)
}

#[test]
fn the_effective_state_decides_as_the_registers_do_at_every_time() {
    let answered = Cell::new(0);
    let inputs = (history(), question(), vec(anytime(), 3));
    hold_for(&inputs, |(history, question, times)| {
        let registers = fold(&history);
        for now in times {
            let Some(found) = Effective::of(&registers, now).findings(&question.message) else {
                return Ok(());
            };
            count(&answered);
            let circumstances = Circumstances { now, ..question.circumstances() };
            let by_state = decide(&found, &question.message, &circumstances);
            let by_registers = check(&registers, &question.message, &circumstances);
            prop_assert_eq!(told(&by_state), told(&by_registers));
        }
        Ok(())
    });
    assert_tried(&answered, CASES / 4);
}

#[test]
fn a_message_without_a_sender_is_blocked_by_every_senders_complaint() {
    let cover = Cover { sender: Some(SENDER_S), ..Cover::default() };
    let registers = fold(&[
        single(1),
        set(Suppression::Complaint, cover, 5),
        single(6).on(Scope::Sender(SENDER_S)),
    ]);
    let message = Message { sender: None, ..about_t() };
    let settings = settings_with_least(Level::Single);
    let circumstances = plain(day(7), &settings);
    let decision = check(&registers, &message, &circumstances);
    assert_suppressed(&decision);
    let by_state = Effective::of(&registers, day(7)).findings(&message);
    if let Some(found) = by_state {
        assert_suppressed(&decide(&found, &message, &circumstances));
    }
}

fn assert_suppressed(decision: &Decision) {
    assert_eq!(decision.reasons.first(), Some(Reason::Suppressed));
}

#[test]
fn an_effective_state_holds_until_the_next_turning_point() {
    let turned = Cell::new(0);
    hold_for(&(history(), anytime(), anytime()), |(history, one, other)| {
        let registers = fold(&history);
        let (from, to) = (one.min(other), one.max(other));
        let points = turning_points(&registers);
        if points.range((Bound::Excluded(from), Bound::Included(to))).next().is_none() {
            prop_assert_eq!(Effective::of(&registers, from), Effective::of(&registers, to));
        } else {
            count(&turned);
        }
        Ok(())
    });
    assert_tried(&turned, CASES / 50);
}

#[test]
fn equal_shapes_have_equal_effective_states() {
    let seen = RefCell::new(HashMap::<Shape, Effective>::new());
    let met_again = Cell::new(0);
    hold_for(&(history(), anytime()), |(history, now)| {
        let registers = fold(&history);
        let has_turning_points = !turning_points(&registers).is_empty();
        prop_assert_eq!(Shape::of(&registers).is_none(), has_turning_points);
        if let Some(shape) = Shape::of(&registers) {
            let state = Effective::of(&registers, now);
            let mut seen = seen.borrow_mut();
            if let Some(other) = seen.insert(shape, state.clone()) {
                count(&met_again);
                prop_assert_eq!(state, other);
            }
        }
        Ok(())
    });
    assert_tried(&met_again, CASES / 20);
}

#[test]
fn equal_effective_states_answer_equally() {
    let seen = RefCell::new(HashMap::<Effective, Registers>::new());
    let met_again = Cell::new(0);
    let inputs = (history(), vec(question(), 4));
    hold_for(&inputs, |(history, questions)| {
        let registers = fold(&history);
        // At the end of time, where nothing that ends still stands.
        let now = Timestamp::DISTANT_FUTURE;
        let state = Effective::of(&registers, now);
        let mut seen = seen.borrow_mut();
        let Some(other) = seen.get(&state) else {
            seen.insert(state, registers);
            return Ok(());
        };
        count(&met_again);
        for question in questions {
            let circumstances = Circumstances { now, ..question.circumstances() };
            if state.findings(&question.message).is_some() {
                prop_assert_eq!(
                    told(&check(&registers, &question.message, &circumstances)),
                    told(&check(other, &question.message, &circumstances))
                );
            }
        }
        Ok(())
    });
    assert_tried(&met_again, CASES / 10);
}

#[test]
fn the_effective_state_never_depends_on_the_order_of_events() {
    let shuffled = (history(), anytime()).prop_flat_map(|(history, now)| {
        let other = Just(history.clone()).prop_shuffle();
        (Just(history), other, Just(now))
    });
    hold_for(&shuffled, |(history, other, now)| {
        prop_assert_eq!(Effective::of(&fold(&history), now), Effective::of(&fold(&other), now));
        Ok(())
    });
}

#[test]
fn what_was_said_by_one_channel_says_nothing_about_others() {
    hold_for(&(history(), question()), |(history, question)| {
        let message = Message { channel: Channel::Viber, ..question.message };
        let decision = check(&fold(&history), &message, &question.circumstances());
        prop_assert_eq!(decision.consent.basis, None);
        prop_assert!(decision.consent.status == Status::Never);
        Ok(())
    });
}

// Canonical bytes.

fn text() -> impl Strategy<Value = EvidenceText> + Clone {
    select(vec!["checkbox", "https://shop.example/a?b", "é", "203.0.113.7"])
        .prop_map(|text| EvidenceText::parse(text).unwrap())
}

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        (15_550_100_000_u64..15_550_100_999)
            .prop_map(|digits| Address::Phone(Phone::from_digits(digits).unwrap())),
        any::<u64>()
            .prop_map(|id| Address::ChannelId(OpaqueId::parse(&format!("US.{id}")).unwrap())),
        any::<u64>()
            .prop_map(|id| Address::ExternalId(OpaqueId::parse(&format!("crm {id}")).unwrap())),
    ]
}

fn notice() -> impl Strategy<Value = NoticeRef> {
    let language = select(vec!["en", "pt-BR", "zh-Hant"]);
    (any::<[u8; 16]>(), any::<u32>(), language, any::<[u8; 32]>()).prop_map(
        |(id, version, language, text_sha256)| NoticeRef {
            id: NoticeId::from_bytes(id),
            version,
            language: Language::parse(language).unwrap(),
            text_sha256,
        },
    )
}

fn sealed() -> impl Strategy<Value = Sealed> {
    let texts = (option::of(text()), option::of(text()), option::of(text()), option::of(text()));
    let fields = proptest::collection::btree_map(text(), text(), 0..3);
    let value = option::of(select(vec!["true", "\"a\"", ""])).prop_map(|it| it.map(Box::from));
    let attributes = proptest::collection::btree_map(text(), value, 0..3);
    let rest = (fields, attributes, any::<[u8; 32]>());
    (option::of(address()), texts, option::of(notice()), rest).prop_map(
        |(address, (method, page, ip, user_agent), notice, (fields, attributes, salt))| Sealed {
            address,
            evidence: Evidence { method, notice, page, ip, user_agent, fields },
            attributes,
            salt,
        },
    )
}

fn read_back(event: &ConsentEvent, facts: &[u8]) -> Option<ConsentEvent> {
    ConsentEvent::from_facts(event.id, event.key, event.recorded_at, facts).ok()
}

#[test]
fn what_was_written_is_read_back() {
    let inputs = (fact(), sealed(), history());
    hold_for(&inputs, |(event, sealed, history)| {
        prop_assert_eq!(read_back(&event, &event.facts()), Some(event.clone()));
        prop_assert!(Sealed::from_bytes(&sealed.to_bytes()) == Ok(sealed));
        let registers = fold(&history);
        prop_assert_eq!(Registers::from_bytes(&registers.to_bytes()), Ok(registers));
        Ok(())
    });
}

/// Bytes are refused, or are what their reading writes again.
fn assert_exact<T: Canonical>(bytes: &[u8]) -> TestCaseResult {
    if let Ok(read) = T::from_bytes(bytes) {
        prop_assert_eq!(read.to_bytes(), bytes);
    }
    Ok(())
}

/// Bytes with some of them changed, and cut or prolonged at the end.
fn damaged(mut bytes: Vec<u8>, changes: &[(Index, u8)], end: i8) -> Vec<u8> {
    for (at, byte) in changes {
        let at = at.index(bytes.len().max(1));
        if let Some(old) = bytes.get_mut(at) {
            *old = *byte;
        }
    }
    let cut = usize::from(end.unsigned_abs());
    if end < 0 {
        bytes.truncate(bytes.len().saturating_sub(cut));
    } else {
        bytes.extend(std::iter::repeat_n(0, cut));
    }
    bytes
}

#[test]
fn damaged_bytes_are_refused_or_mean_something_else_exactly() {
    let damage = (vec((any::<Index>(), any::<u8>()), 1..3), -3_i8..3);
    let inputs = (fact(), sealed(), history(), damage);
    hold_for(&inputs, |(event, sealed, history, (changes, end))| {
        let damage = |bytes| damaged(bytes, &changes, end);
        assert_exact::<Registers>(&damage(fold(&history).to_bytes()))?;
        assert_exact::<Sealed>(&damage(sealed.to_bytes()))?;
        let facts = damage(event.facts());
        if let Some(read) = read_back(&event, &facts) {
            prop_assert_eq!(read.facts(), facts);
        }
        Ok(())
    });
}

#[test]
fn random_bytes_are_no_panic() {
    hold_for(&vec(any::<u8>(), 0..128), |mut bytes| {
        if let Some(version) = bytes.first_mut() {
            *version = 1;
        }
        assert_exact::<Registers>(&bytes)?;
        assert_exact::<Sealed>(&bytes)?;
        assert_exact::<Evidence>(&bytes)?;
        assert_exact::<Source>(&bytes)?;
        let id = EventId::from_bytes([0; 16]);
        let key = crate::support::language::KEY;
        if let Ok(read) = ConsentEvent::from_facts(id, key, Timestamp::DISTANT_PAST, &bytes) {
            prop_assert_eq!(read.facts(), bytes);
        }
        Ok(())
    });
}

#[test]
fn every_flipped_byte_of_an_event_changes_its_leaf_and_its_meaning() {
    let inputs = (fact(), sealed(), 1_u8..=255);
    hold_for(&inputs, |(event, sealed, flip)| {
        let facts = event.facts();
        let leaf = event.leaf_hash(WORKSPACE, &facts, &sealed);
        for at in 0..facts.len() {
            let mut flipped = facts.clone();
            flipped[at] ^= flip;
            prop_assert_ne!(event.leaf_hash(WORKSPACE, &flipped, &sealed), leaf);
            prop_assert_ne!(read_back(&event, &flipped), Some(event.clone()));
        }
        Ok(())
    });
}

#[test]
fn everything_an_event_holds_is_in_its_leaf() {
    hold_for(&(fact(), sealed(), sealed()), |(event, sealed, other)| {
        let leaf = |event: &ConsentEvent, workspace, sealed: &Sealed| {
            event.leaf_hash(workspace, &event.facts(), sealed)
        };
        let elsewhere = WorkspaceId::from_bytes([1; 16]);
        let mut leaves = BTreeSet::from([
            leaf(&event, WORKSPACE, &sealed),
            leaf(&event, elsewhere, &sealed),
            leaf(&event.clone().recorded(900), WORKSPACE, &sealed),
        ]);
        let mut renamed = event.clone();
        renamed.id = EventId::from_bytes([2; 16]);
        leaves.insert(leaf(&renamed, WORKSPACE, &sealed));
        let mut rekeyed = event.clone();
        rekeyed.key = sayso_core::address::AddressKey::from_bytes([3; 16]);
        leaves.insert(leaf(&rekeyed, WORKSPACE, &sealed));
        prop_assert_eq!(leaves.len(), 5);
        if sealed != other {
            prop_assert!(!leaves.contains(&leaf(&event, WORKSPACE, &other)));
        }
        Ok(())
    });
}

// Event ids (rule 3).

fn hashed(fields: &[String]) -> RequestHash {
    let mut writer = Writer::default();
    for field in fields {
        writer.text(field);
    }
    RequestHash::of(&writer, &SECRET)
}

fn fields() -> impl Strategy<Value = Vec<String>> {
    let field = select(vec!["", "a", "ab", "b", "sms", "2026-11-21"]).prop_map(str::to_owned);
    vec(field, 0..5)
}

#[test]
fn the_same_request_is_the_same_event_and_any_other_field_makes_another() {
    let ids = RefCell::new(BTreeMap::<EventId, (u8, Vec<String>, i64, u32)>::new());
    let inputs = (0_u8..2, fields(), 0_i64..3, 0_u32..3);
    hold_for(&inputs, |(kind, fields, received, part)| {
        let hash = hashed(&fields);
        let (identity, received) = if kind == 0 {
            (RequestIdentity::Dated(hash), 0)
        } else {
            let at = Timestamp::from_micros(received);
            (RequestIdentity::Undated(hash, at), received)
        };
        let id = event_id(WORKSPACE, identity, part);
        prop_assert_eq!(id, event_id(WORKSPACE, identity, part));
        let elsewhere = WorkspaceId::from_bytes([1; 16]);
        prop_assert_ne!(id, event_id(elsewhere, identity, part));
        let request = (kind, fields, received, part);
        let mut ids = ids.borrow_mut();
        let first = ids.entry(id).or_insert_with(|| request.clone());
        prop_assert_eq!(&*first, &request, "two requests, one id");
        Ok(())
    });
}

#[test]
fn a_keyed_request_is_named_by_its_key_alone() {
    hold_for(&(fields(), fields(), 0_u32..3), |(key, other, part)| {
        let [key, other] = [key.join("/"), other.join("/")];
        let id = |key: &str| {
            event_id(WORKSPACE, RequestIdentity::Key(RequestHash::of_key(key, &SECRET)), part)
        };
        prop_assert_eq!(id(&key) == id(&other), key == other);
        let hash = RequestIdentity::Dated(hashed(std::slice::from_ref(&key)));
        prop_assert_ne!(id(&key), event_id(WORKSPACE, hash, part));
        Ok(())
    });
}

#[test]
fn an_import_undone_is_as_if_it_had_never_been() {
    hold_for(&vec(fact(), 0..9), |history| {
        let undone: BTreeSet<ImportId> = [crate::support::language::IMPORT].into();
        let without: Vec<ConsentEvent> =
            history.iter().filter(|event| event.import.is_none()).cloned().collect();
        prop_assert_eq!(
            Registers::fold(&history, &undone),
            Registers::fold(&without, &BTreeSet::new())
        );
        Ok(())
    });
}
