//! What waits for an answer of its address, and the questions that go there.

use sayso_core::address::Address;
use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::id::{DoubleOptInId, EventId, FormId, MessageId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::proof::double_opt_in::{Answer, AnswerBy, Code, CountedBy, Counters};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Evidence, EvidenceText, Road};

use super::build::{SMS, of_fact, phone, source, workspace};
use crate::Store;
use crate::double_opt_in::{Answering, Asking, AskingEnd, DoubleOptInDraft, Waiting};
use crate::erasure::ErasureReach;
use crate::message::{MessageDraft, MessageQuery, Payload};
use sayso_plan::draft::Subject;

/// The clock of a store under test is the machine's: what is long ago is made so by the draft.
async fn now(store: &dyn Store) -> Timestamp {
    let of = super::workspace(store).await;
    let draft = super::build::said(
        of,
        &phone(900),
        SMS,
        sayso_core::words::statement::Statement::OptOut,
        0,
    );
    store.record(of, vec![draft]).await.unwrap()[0].recorded_at
}

/// A sign-up of this person, the `n`-th of the test, to be answered by `048213`.
pub async fn by_code(
    store: &dyn Store,
    workspace: WorkspaceId,
    person: &Address,
    n: u8,
) -> DoubleOptInDraft {
    let secret = store.workspaces()[&workspace].secret.clone();
    let address = person.key(&secret);
    DoubleOptInDraft {
        id: DoubleOptInId::from_bytes([n; 16]),
        request: RequestHash([n; 32]),
        counters: Counters::default(),
        code: Code::parse("048213").map(|code| code.hash(address, &secret)),
        message: None,
        waiting: Waiting {
            address,
            by: AnswerBy::Code,
            channel: Channel::Sms,
            pending: vec![(EventId::from_bytes([n; 16]), SMS)],
            pending_at: now(store).await,
            evidence: Evidence { ip: EvidenceText::parse("192.0.2.1").ok(), ..Evidence::default() },
            source: source(Road::Form, "Footer"),
            form: Some(FormId::from_bytes([4; 16])),
        },
    }
}

async fn by_link(
    store: &dyn Store,
    workspace: WorkspaceId,
    person: &Address,
    n: u8,
) -> DoubleOptInDraft {
    let draft = by_code(store, workspace, person, n).await;
    DoubleOptInDraft {
        code: None,
        waiting: Waiting { by: AnswerBy::Link, ..draft.waiting },
        ..draft
    }
}

async fn ask(store: &dyn Store, workspace: WorkspaceId, draft: &DoubleOptInDraft) -> AskingEnd {
    let asking = store.ask_double_opt_in(workspace, draft.clone()).await.unwrap();
    assert_eq!(asking.id, draft.id);
    asking.end
}

/// An answer of six digits to the `n`-th sign-up.
async fn answer(store: &dyn Store, workspace: WorkspaceId, n: u8, code: &str) -> Answering {
    let id = DoubleOptInId::from_bytes([n; 16]);
    let secret = store.workspaces()[&workspace].secret.clone();
    let Some(stored) = store.double_opt_in(workspace, id).await.unwrap() else {
        return Answering::Unknown;
    };
    let code = Code::parse(code).unwrap().hash(stored.waiting.address, &secret);
    store.answer_double_opt_in(workspace, id, Answer::Code(code)).await.unwrap()
}

fn is_right(answering: &Answering) -> bool {
    matches!(answering, Answering::Right(..))
}

/// What waits is read as it was kept, and its right answer, also given twice, has the time of the first.
pub async fn a_right_answer_is_the_same_however_often_it_is_given(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = by_code(store, workspace, &phone(1), 1).await;
    assert_eq!(ask(store, workspace, &draft).await, AskingEnd::Asked);
    let kept = store.double_opt_in(workspace, draft.id).await.unwrap().unwrap();
    assert_eq!((&kept.waiting, kept.answered_at), (&draft.waiting, None));
    assert!(kept.asked_at.is_some());
    let Answering::Right(stored, at) = answer(store, workspace, 1, "048213").await else {
        panic!()
    };
    assert_eq!(stored.waiting, draft.waiting);
    let Answering::Right(_, again) = answer(store, workspace, 1, "048213").await else { panic!() };
    assert_eq!(at, again);
    let link = by_link(store, workspace, &phone(2), 2).await;
    assert_eq!(ask(store, workspace, &link).await, AskingEnd::Asked);
    let press =
        async || store.answer_double_opt_in(workspace, link.id, Answer::Link).await.unwrap();
    let (Answering::Right(_, at), Answering::Right(_, again)) = (press().await, press().await)
    else {
        panic!()
    };
    assert_eq!(at, again);
}

/// A wrong code counts against its code, and after five of them the right one is wrong too.
pub async fn a_code_is_dead_after_five_wrong_ones(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = by_code(store, workspace, &phone(1), 1).await;
    ask(store, workspace, &draft).await;
    for left in (0..limits::DOUBLE_OPT_IN_TRIES).rev() {
        let wrong = answer(store, workspace, 1, "000000").await;
        assert_eq!(wrong, Answering::Wrong { tries_left: left });
    }
    let dead = answer(store, workspace, 1, "048213").await;
    assert_eq!(dead, Answering::Wrong { tries_left: 0 });
    // A further sign-up has no code of its own, and none to try.
    let again = by_code(store, workspace, &phone(1), 2).await;
    assert_eq!(ask(store, workspace, &again).await, AskingEnd::TooSoon);
    assert_eq!(answer(store, workspace, 2, "048213").await, Answering::Wrong { tries_left: 0 });
}

/// Nobody is asked twice in three days: what they sign up for meanwhile is confirmed by the older code, for
/// itself alone.
pub async fn an_address_is_asked_once_and_its_code_is_good_for_what_came_after(store: &dyn Store) {
    let workspace = workspace(store).await;
    let first = by_code(store, workspace, &phone(1), 1).await;
    assert_eq!(ask(store, workspace, &first).await, AskingEnd::Asked);
    assert_eq!(ask(store, workspace, &first).await, AskingEnd::Retried);
    let secret = store.workspaces()[&workspace].secret.clone();
    let other = Code::parse("111111").map(|code| code.hash(phone(1).key(&secret), &secret));
    let second = DoubleOptInDraft { code: other, ..by_code(store, workspace, &phone(1), 2).await };
    assert_eq!(ask(store, workspace, &second).await, AskingEnd::TooSoon);
    assert!(!is_right(&answer(store, workspace, 2, "111111").await), "that one was never sent");
    let Answering::Right(stored, _) = answer(store, workspace, 2, "048213").await else { panic!() };
    assert_eq!(stored.waiting, second.waiting);
    let kept = store.double_opt_in(workspace, first.id).await.unwrap().unwrap();
    assert_eq!(kept.answered_at, None, "each waits for an answer of its own");
    let old = by_code(store, workspace, &phone(2), 3).await;
    let long_ago = old.waiting.pending_at.minus(limits::DOUBLE_OPT_IN_ASKED_WITHIN);
    let old = DoubleOptInDraft {
        waiting: Waiting { pending_at: long_ago.minus(Span::seconds(1)), ..old.waiting },
        ..old
    };
    assert_eq!(ask(store, workspace, &old).await, AskingEnd::TooSoon, "pending for ten days");
}

/// An answer to what is pending for seven days comes too late; what was answered in time may be opened again.
pub async fn an_answer_after_seven_days_is_too_late(store: &dyn Store) {
    let workspace = workspace(store).await;
    let long_ago = |draft: DoubleOptInDraft| {
        let pending_at = draft.waiting.pending_at.minus(limits::LAPSE_OF_PENDING);
        let waiting = Waiting { pending_at: pending_at.minus(Span::seconds(1)), ..draft.waiting };
        DoubleOptInDraft { waiting, ..draft }
    };
    let draft = long_ago(by_code(store, workspace, &phone(1), 1).await);
    ask(store, workspace, &draft).await;
    assert_eq!(answer(store, workspace, 1, "048213").await, Answering::Lapsed);
    let link = long_ago(by_link(store, workspace, &phone(2), 2).await);
    ask(store, workspace, &link).await;
    let pressed = store.answer_double_opt_in(workspace, link.id, Answer::Link).await.unwrap();
    assert_eq!(pressed, Answering::Lapsed);
}

/// As many questions go in a day as may, counted by each of what they have in common; who is past a limit
/// waits like everybody.
pub async fn questions_are_counted_by_what_they_have_in_common(store: &dyn Store) {
    let workspace = workspace(store).await;
    let most = limits::DOUBLE_OPT_INS_PER_NUMBER_BLOCK;
    let one = [1; 16];
    for n in 0..=most {
        let person = phone(u64::from(n));
        let draft = by_code(store, workspace, &person, u8::try_from(n).unwrap()).await;
        let counters = Counters { number_block: Some(one), ..Counters::default() };
        let end = ask(store, workspace, &DoubleOptInDraft { counters, ..draft }).await;
        let limited = AskingEnd::Limited(CountedBy::NumberBlock);
        assert_eq!(end, if n < most { AskingEnd::Asked } else { limited }, "{n}");
    }
    let waits = answer(store, workspace, u8::try_from(most).unwrap(), "048213").await;
    assert_eq!(waits, Answering::Wrong { tries_left: 0 });
    let elsewhere =
        Counters { number_block: Some([2; 16]), network: Some(one), country: Some(one) };
    let draft = by_code(store, workspace, &phone(500), 200).await;
    let draft = DoubleOptInDraft { counters: elsewhere, ..draft };
    assert_eq!(ask(store, workspace, &draft).await, AskingEnd::Asked);
}

/// The message of a question is queued with it, and none with a question that does not go.
pub async fn a_question_is_queued_with_what_waits_for_it(store: &dyn Store) {
    let workspace = workspace(store).await;
    let sender = Some(SenderId::from_bytes([8; 16]));
    let message = |n: u8, at: Timestamp| MessageDraft {
        id: MessageId::from_bytes([n; 16]),
        key: None,
        request: RequestHash([0; 32]),
        to: phone(1),
        routes: vec![Message {
            sender,
            content: Content::FreeForm,
            occasion: Occasion::OptInQuestion(None),
            ..Message::ordinary(Channel::Sms, Category::Authentication)
        }],
        require_opt_in: RequireOptIn::Said(Requirement::OptIn),
        payload: Payload::Text("048213".into()),
        expires_at: at.plus(Span::hours(1)),
        zone: None,
        held: None,
    };
    for n in [1, 2] {
        let draft = by_code(store, workspace, &phone(1), n).await;
        let message = Some(message(n, draft.waiting.pending_at));
        ask(store, workspace, &DoubleOptInDraft { message, ..draft }).await;
    }
    let queued = store.messages(workspace, &MessageQuery::default(), 10).await.unwrap().messages;
    let ids: Vec<MessageId> = queued.iter().map(|message| message.id).collect();
    assert_eq!(ids, [MessageId::from_bytes([1; 16])]);
}

/// A double opt-in belongs to its workspace, and to nobody once the person is erased.
pub async fn a_double_opt_in_is_of_its_workspace_and_gone_with_its_person(store: &dyn Store) {
    let (ours, theirs) = (workspace(store).await, workspace(store).await);
    let draft = by_code(store, ours, &phone(1), 1).await;
    let Asking { id, .. } = store.ask_double_opt_in(ours, draft).await.unwrap();
    assert_eq!(store.double_opt_in(theirs, id).await.unwrap(), None);
    let pressed = store.answer_double_opt_in(theirs, id, Answer::Link).await.unwrap();
    assert_eq!(pressed, Answering::Unknown);
    let erasure = of_fact(ours, &phone(1), Fact::Erasure, 1);
    store.erase(ours, &Subject::Address(phone(1)), ErasureReach::Person, erasure).await.unwrap();
    assert_eq!(store.double_opt_in(ours, id).await.unwrap(), None);
    assert_eq!(answer(store, ours, 1, "048213").await, Answering::Unknown);
}
