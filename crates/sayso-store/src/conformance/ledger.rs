//! Events: appended once, never edited, found again.

use sayso_core::gate::reason::Reason;
use sayso_core::id::ImportId;
use sayso_core::state::retraction::{RetractionFault, Role};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::{Slot, Statement};

use super::build::{
    SMS, at, keyed_id, known, marketing, phone, reason, record, reported, said, source, workspace,
};
use crate::Store;
use crate::store::{
    Doing, HistoryQuery, Moment, Outcome, RetractDraft, Retracting, Retraction, SpanDraft, SpanOf,
    SpanRetracted,
};
use sayso_plan::draft::Subject;

/// An event is in the registers and in the history once it is acknowledged.
pub async fn an_appended_event_is_in_the_registers_and_the_history(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = said(workspace, &phone(1), SMS, Statement::Single, 1);
    let recorded = record(store, workspace, draft.clone()).await;
    assert_eq!(recorded.outcome, Outcome::Appended);
    assert_eq!(recorded.occurred_at, at(1));
    let registers = known(store, workspace, &phone(1)).await;
    assert_eq!(registers, recorded.registers);
    let mark = registers.register(Channel::Sms, Scope::All).unwrap().act(Slot::Single).unwrap();
    assert_eq!((mark.event, mark.at), (recorded.id, at(1)));
    let history = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(10))
        .await
        .unwrap()
        .entries;
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].event.id, draft.id);
    assert_eq!(history[0].address, Some(phone(1)));
    assert_eq!(history[0].retracted, Retraction::Counts);
}

/// A retry gets the stored event and its times, and adds nothing.
pub async fn a_repeated_request_is_the_first_event(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
    let first = record(store, workspace, draft.clone()).await;
    let second = record(store, workspace, draft.clone()).await;
    assert_eq!(second.outcome, Outcome::Retried);
    assert_eq!((second.id, second.recorded_at), (first.id, first.recorded_at));
    let both = store.record(workspace, vec![draft.clone(), draft]).await.unwrap();
    assert!(both.iter().all(|recorded| recorded.outcome == Outcome::Retried));
    let page = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(10))
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 1);
}

/// The same event id with other content stores nothing.
pub async fn a_key_with_other_content_is_a_conflict_and_stores_nothing(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
    record(store, workspace, draft.clone()).await;
    let mut other = said(workspace, &phone(1), SMS, Statement::Single, 2);
    other.id = draft.id;
    let recorded = record(store, workspace, other).await;
    assert_eq!(recorded.outcome, Outcome::KeyReused);
    let register = recorded.registers.register(Channel::Sms, Scope::All).cloned().unwrap();
    assert!(register.act(Slot::Single).is_none());
}

/// A key stands for one request, whomever it is about (rule 3).
pub async fn a_key_used_for_another_person_is_a_conflict(store: &dyn Store) {
    let workspace = workspace(store).await;
    let keyed = |n| {
        let mut draft = said(workspace, &phone(n), SMS, Statement::OptOut, 1);
        draft.id = keyed_id(workspace, "order-17");
        draft
    };
    assert_eq!(record(store, workspace, keyed(1)).await.outcome, Outcome::Appended);
    assert_eq!(record(store, workspace, keyed(2)).await.outcome, Outcome::KeyReused);
    assert_eq!(record(store, workspace, keyed(1)).await.outcome, Outcome::Retried);
    assert!(known(store, workspace, &phone(2)).await.is_empty());
}

/// A site that says the same on every page view says nothing new (rule 4).
pub async fn an_undated_report_that_repeats_its_source_is_dropped(store: &dyn Store) {
    let workspace = workspace(store).await;
    let first = record(store, workspace, reported(workspace, &phone(1), Statement::Yes, 1)).await;
    assert_eq!(first.outcome, Outcome::Appended);
    for view in 2..6 {
        let again =
            record(store, workspace, reported(workspace, &phone(1), Statement::Yes, view)).await;
        assert_eq!(again.outcome, Outcome::Repeated);
    }
    let page = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(10))
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 1);
}

/// Yes, no, yes are three facts.
pub async fn a_source_that_changes_its_mind_is_heard(store: &dyn Store) {
    let workspace = workspace(store).await;
    for (view, statement) in [(1, Statement::Yes), (2, Statement::No), (3, Statement::Yes)] {
        let recorded =
            record(store, workspace, reported(workspace, &phone(1), statement, view)).await;
        assert_eq!(recorded.outcome, Outcome::Appended);
    }
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
}

/// Every event is recorded later than the one before it (rule 2).
pub async fn recorded_times_never_run_backwards(store: &dyn Store) {
    let workspace = workspace(store).await;
    let mut last = Timestamp::DISTANT_PAST;
    for n in 0..50 {
        let recorded =
            record(store, workspace, said(workspace, &phone(n), SMS, Statement::OptOut, 1)).await;
        assert!(recorded.recorded_at > last);
        last = recorded.recorded_at;
    }
}

/// What is dated later than our receipt counts at our receipt (rule 2).
pub async fn no_event_occurs_after_its_receipt(store: &dyn Store) {
    let workspace = workspace(store).await;
    let far = 60 * 24 * 365 * 50;
    let recorded =
        record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, far)).await;
    assert_eq!(recorded.occurred_at, recorded.recorded_at);
}

fn retraction(draft_id: sayso_core::id::EventId, role: Role) -> RetractDraft {
    RetractDraft {
        subject: Subject::Address(phone(1)),
        event: draft_id,
        role,
        source: source(Road::Operator, "compliance"),
        actor: Actor::Operator,
        reason: None,
    }
}

/// A retraction leaves an event out for good: not even the same event comes back (rule 9).
pub async fn a_retraction_leaves_an_event_out_and_cannot_be_undone(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let wrong = said(workspace, &phone(1), SMS, Statement::Single, 2);
    record(store, workspace, wrong.clone()).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
    let done = store.retract(workspace, retraction(wrong.id, Role::Other)).await.unwrap();
    assert!(matches!(done, Retracting::Done(_)));
    let refused = Some(Reason::OptedOut);
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, refused);
    record(store, workspace, wrong.clone()).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, refused);
    let page = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(10))
        .await
        .unwrap();
    let of_wrong = page.entries.iter().find(|entry| entry.event.id == wrong.id).unwrap();
    assert_eq!(of_wrong.retracted, Retraction::Retracted);
    let its_retraction = page.entries[0].event.id;
    let again =
        store.retract(workspace, retraction(its_retraction, Role::Compliance)).await.unwrap();
    assert!(matches!(again, Retracting::Refused(RetractionFault::Final)));
}

/// A refusal that the person sent stands; one that a caller recorded needs compliance (rule 9).
pub async fn a_refusal_from_the_person_is_never_retracted(store: &dyn Store) {
    let workspace = workspace(store).await;
    let mut stop = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
    stop.source = source(Road::Inbound, "whatsapp");
    record(store, workspace, stop.clone()).await;
    let answer = store.retract(workspace, retraction(stop.id, Role::Compliance)).await.unwrap();
    assert!(matches!(answer, Retracting::Refused(RetractionFault::FromThePerson)));
    let noted = said(workspace, &phone(1), SMS, Statement::OptOut, 2);
    record(store, workspace, noted.clone()).await;
    let answer = store.retract(workspace, retraction(noted.id, Role::Other)).await.unwrap();
    assert!(matches!(answer, Retracting::Refused(RetractionFault::NeedsCompliance)));
    let answer = store.retract(workspace, retraction(noted.id, Role::Compliance)).await.unwrap();
    assert!(matches!(answer, Retracting::Done(_)));
    let answer =
        store.retract(workspace, retraction(workspace_event(), Role::Other)).await.unwrap();
    assert!(matches!(answer, Retracting::NoEvent));
}

fn workspace_event() -> sayso_core::id::EventId {
    sayso_core::id::EventId::from_bytes([9; 16])
}

/// Scenario 12: what we knew then, and what was true then by all we know now.
pub async fn as_of_knows_what_was_known_and_effective_at_what_was_true(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let single =
        record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 2)).await;
    store.retract(workspace, retraction(single.id, Role::Other)).await.unwrap();
    let subject = Subject::Address(phone(1));
    let slot = |registers: &sayso_core::state::registers::Registers| {
        registers.register(Channel::Sms, Scope::All).unwrap().act(Slot::Single).copied()
    };
    let then =
        store.registers(workspace, &subject, Moment::AsOf(single.recorded_at)).await.unwrap();
    assert!(slot(&then).is_some());
    let truth = store.registers(workspace, &subject, Moment::EffectiveAt(at(3))).await.unwrap();
    assert!(slot(&truth).is_none());
    let before = store.registers(workspace, &subject, Moment::EffectiveAt(at(0))).await.unwrap();
    assert!(before.register(Channel::Sms, Scope::All).is_none());
}

/// A past history holds what was known or true then, and marks what was left out: as of a time by
/// what was known, effective at a time by all we know now.
pub async fn a_past_history_holds_and_marks_what_it_did_then(store: &dyn Store) {
    let workspace = workspace(store).await;
    let say = async |statement, minute| {
        record(store, workspace, said(workspace, &phone(1), SMS, statement, minute)).await
    };
    let out = say(Statement::OptOut, 1).await;
    let single = say(Statement::Single, 3).await;
    store.retract(workspace, retraction(single.id, Role::Other)).await.unwrap();
    let late = say(Statement::Confirmed, 2).await;
    let import = ImportId::from_bytes([6; 16]);
    let mut brought = said(workspace, &phone(1), SMS, Statement::No, 4);
    brought.import = Some(import);
    let brought = record(store, workspace, brought).await;
    store.undo_import(workspace, import).await.unwrap();

    let subject = Subject::Address(phone(1));
    let whole =
        store.history(workspace, &subject, &HistoryQuery::newest(10)).await.unwrap().entries;
    let retraction = whole.iter().find(|e| matches!(e.event.fact, Fact::Retraction(_))).unwrap();
    let (its_id, its_time) = (retraction.event.id, retraction.event.recorded_at);
    let (counts, left_out) = (Retraction::Counts, Retraction::Retracted);
    let [out_id, single_id, late_id] = [out.id, single.id, late.id];
    let told = [
        (Moment::AsOf(at(0)), vec![]),
        (Moment::AsOf(single.recorded_at), vec![(single_id, counts), (out_id, counts)]),
        (Moment::AsOf(its_time), vec![(its_id, counts), (single_id, left_out), (out_id, counts)]),
        (
            Moment::AsOf(brought.recorded_at),
            vec![
                (brought.id, counts),
                (late_id, counts),
                (its_id, counts),
                (single_id, left_out),
                (out_id, counts),
            ],
        ),
        (Moment::EffectiveAt(at(0)), vec![]),
        (Moment::EffectiveAt(at(2)), vec![(late_id, counts), (out_id, counts)]),
        (
            Moment::EffectiveAt(at(4)),
            vec![
                (brought.id, left_out),
                (late_id, counts),
                (single_id, left_out),
                (out_id, counts),
            ],
        ),
    ];
    for (moment, expected) in told {
        for items in [1, 10] {
            let (mut seen, mut after) = (Vec::new(), None);
            loop {
                let page = store
                    .history(workspace, &subject, &HistoryQuery { moment, after, items })
                    .await
                    .unwrap();
                seen.extend(
                    page.entries.into_iter().map(|entry| (entry.event.id, entry.retracted)),
                );
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{moment:?}, {items} a page");
        }
    }
}

/// Pages leave nothing out and give nothing twice.
pub async fn history_pages_are_complete_and_newest_first(store: &dyn Store) {
    let workspace = workspace(store).await;
    for minute in 0..7 {
        record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, minute)).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .history(
                workspace,
                &Subject::Address(phone(1)),
                &HistoryQuery { after, ..HistoryQuery::newest(3) },
            )
            .await
            .unwrap();
        assert!(page.entries.len() <= 3);
        seen.extend(page.entries.into_iter().map(|entry| entry.event.occurred_at));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..7).rev().map(at).collect::<Vec<_>>());
}

/// A batch is answered in order.
pub async fn a_batch_is_all_or_nothing_and_in_order(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = |n| {
        said(
            workspace,
            &phone(n),
            Permission::Messages(Channel::WhatsApp, Scope::All),
            Statement::Single,
            1,
        )
    };
    let drafts: Vec<_> = (0..200).map(draft).collect();
    let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
    let recorded = store.record(workspace, drafts).await.unwrap();
    assert_eq!(recorded.iter().map(|recorded| recorded.id).collect::<Vec<_>>(), ids);
    for n in 0..200 {
        assert!(!known(store, workspace, &phone(n)).await.is_empty());
    }
}

/// Scenario 33: an import is undone as a whole, for good, and what else was said stands (rule 16).
pub async fn an_undone_import_leaves_out_everything_it_brought(store: &dyn Store) {
    let workspace = workspace(store).await;
    let import = ImportId::from_bytes([6; 16]);
    let brought = |n, statement, minute| {
        let mut draft = said(workspace, &phone(n), SMS, statement, minute);
        draft.source = source(Road::Import, "old list");
        draft.import = Some(import);
        draft
    };
    for n in 0..30 {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
        record(store, workspace, brought(n, Statement::No, 2)).await;
    }
    let refused = Some(Reason::OptedOut);
    assert_eq!(reason(store, workspace, &phone(7), marketing()).await, refused);
    assert_eq!(store.undo_import(workspace, import).await.unwrap(), 30);
    for n in 0..30 {
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, None, "phone {n}");
    }
    let page = store
        .history(workspace, &Subject::Address(phone(7)), &HistoryQuery::newest(10))
        .await
        .unwrap();
    let states: Vec<_> = page.entries.iter().map(|entry| entry.retracted).collect();
    assert_eq!(states, [Retraction::Retracted, Retraction::Counts]);
    record(store, workspace, brought(7, Statement::No, 3)).await;
    assert_eq!(reason(store, workspace, &phone(7), marketing()).await, None, "it stays undone");
    assert_eq!(store.undo_import(workspace, import).await.unwrap(), 30, "it may be repeated");
}

/// A span is left out as far as the draft says, goes on from where that ended, and may be asked for again;
/// another source, what came before or after, and what people said themselves stay (rule 9).
pub async fn a_span_of_a_source_is_left_out_in_parts_that_go_on_where_one_ended(store: &dyn Store) {
    let workspace = workspace(store).await;
    let by = |road, name, n| {
        let mut draft = said(workspace, &phone(n), SMS, Statement::No, 1);
        draft.source = source(road, name);
        draft
    };
    let of_shop = |n| by(Road::Tag, "shop", n);
    record(store, workspace, of_shop(1)).await;
    let from = record(store, workspace, of_shop(2)).await.recorded_at;
    record(store, workspace, by(Road::Tag, "another shop", 9)).await;
    for n in 3..=6 {
        record(store, workspace, of_shop(n)).await;
    }
    record(store, workspace, by(Road::Api, "shop", 10)).await;
    let mut own = by(Road::Tag, "shop", 11);
    own.fact = Fact::Consent(SMS, Statement::OptOut);
    own.source = source(Road::Inbound, "shop");
    record(store, workspace, own).await;
    let until = record(store, workspace, of_shop(7)).await.recorded_at;
    let span = |from, doing| SpanDraft {
        road: Road::Tag,
        name: source(Road::Tag, "shop").name,
        from,
        until,
        of: SpanOf::All,
        doing,
        events_max: 2,
        role: Role::Compliance,
        source: source(Road::Api, "key"),
        actor: Actor::Operator,
        reason: None,
    };
    let parts = async |doing| {
        let (mut next, mut parts) = (Some(from), Vec::new());
        while let Some(from) = next {
            let part = store.retract_span(workspace, span(from, doing)).await.unwrap();
            parts.push((part.retracted, part.kept));
            next = part.next_from;
        }
        parts
    };
    let refuses =
        async |n| reason(store, workspace, &phone(n), marketing()).await == Some(Reason::OptedOut);
    let expected = [(2, 0), (2, 0), (1, 0)];
    assert_eq!(parts(Doing::Counted).await, expected);
    assert!(refuses(2).await && refuses(6).await, "only counted");
    assert_eq!(parts(Doing::Done).await, expected);
    for n in 2..=6 {
        assert!(!refuses(n).await, "phone {n}");
    }
    for n in [1, 7, 9, 10, 11] {
        assert!(refuses(n).await, "phone {n}");
    }
    assert_eq!(parts(Doing::Done).await, expected, "it may be repeated");
    let nothing = SpanDraft { until: from, ..span(at(0), Doing::Done) };
    let left = SpanRetracted { retracted: 1, kept: 0, next_from: None };
    assert_eq!(store.retract_span(workspace, nothing).await.unwrap(), left, "what came before");
    assert!(!refuses(1).await && refuses(7).await);
}
