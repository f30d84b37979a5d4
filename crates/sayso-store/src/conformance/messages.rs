//! Messages: queued once, decided when claimed, never begun after a refusal (rule 28).

use std::sync::Arc;

use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::id::{MessageId, SenderId, WorkspaceId};
use sayso_core::policy::settings::Settings;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::statement::Statement;

use super::build::{SMS, of_fact, phone, record, said, workspace};
use crate::Store;
use crate::configure::configure_now;
use crate::erasure::ErasureReach;
use crate::message::{
    Claiming, HandOver, HandOverEnd, MessageDraft, MessageName, MessageQuery, MessageReport,
    Payload, Queueing, StoredMessage,
};
use sayso_core::workspace::Change;
use sayso_plan::draft::Subject;

/// The sender of the suite's messages.
pub const SENDER: SenderId = SenderId::from_bytes([0x51; 16]);
const OTHER_SENDER: SenderId = SenderId::from_bytes([0x52; 16]);

/// The id of the `n`-th message.
pub fn message_id(n: u64) -> MessageId {
    MessageId::from_bytes(u128::from(n).to_be_bytes())
}

/// A marketing message by SMS to the `n`-th person, which is the `n`-th message.
pub fn message_to(n: u64) -> MessageDraft {
    let route =
        Message { sender: Some(SENDER), ..Message::ordinary(Channel::Sms, Category::Marketing) };
    MessageDraft {
        id: message_id(n),
        key: None,
        request: RequestHash([0; 32]),
        to: phone(n),
        routes: vec![route],
        require_opt_in: RequireOptIn::AsSettings,
        payload: Payload::Text("Hello".into()),
        expires_at: Timestamp::DISTANT_FUTURE,
        zone: None,
        held: None,
    }
}

async fn queued(store: &dyn Store, workspace: WorkspaceId, draft: MessageDraft) -> StoredMessage {
    match store.queue_message(workspace, draft).await.unwrap() {
        Queueing::Queued(message) => *message,
        other @ (Queueing::Retried(_) | Queueing::KeyReused) => panic!("{other:?}"),
    }
}

async fn claim(store: &dyn Store, workspace: WorkspaceId) -> Claiming {
    store.claim_messages(workspace, SENDER, 10).await.unwrap()
}

async fn stored(store: &dyn Store, workspace: WorkspaceId, n: u64) -> StoredMessage {
    store.message(workspace, message_id(n)).await.unwrap().unwrap()
}

async fn says(store: &dyn Store, workspace: WorkspaceId, n: u64, statement: Statement, at: i64) {
    record(store, workspace, said(workspace, &phone(n), SMS, statement, at)).await;
}

fn ended(n: u64, end: HandOverEnd) -> HandOver {
    HandOver { id: message_id(n), began_at: Some(super::build::ZERO), at: super::build::ZERO, end }
}

/// A message to somebody who agreed is claimed, handed over, and reported on.
pub async fn a_message_goes_its_way_from_the_queue_to_the_person(store: &dyn Store) {
    let workspace = workspace(store).await;
    says(store, workspace, 1, Statement::Single, 1).await;
    let draft = message_to(1);
    let (to, payload) = (draft.to.clone(), draft.payload.clone());
    let message = queued(store, workspace, draft).await;
    assert_eq!(message.state, MessageState::Queued);
    assert_eq!(message.personal, Some((to, payload)));
    assert_eq!(store.waiting_senders().await.unwrap(), [(workspace, SENDER)]);
    let claimed = claim(store, workspace).await.claimed;
    assert_eq!(claimed.iter().map(|claimed| claimed.id).collect::<Vec<_>>(), [message_id(1)]);
    assert_eq!(stored(store, workspace, 1).await.state, MessageState::Claimed);
    assert!(claim(store, workspace).await.claimed.is_empty(), "nobody claims it twice");
    assert!(store.begin_hand_over(message_id(1)).is_some());
    assert!(store.begin_hand_over(message_id(1)).is_none(), "it begins once");
    let report = |state, message: MessageName| {
        let at = super::build::at(1);
        MessageReport { message, state, at, failure: None }
    };
    let provider = |name: &str| MessageName::Provider(name.into());
    let ours = || MessageName::Ours(message_id(1));
    let early = vec![report(MessageState::Delivered, ours())];
    assert_eq!(store.report_messages(workspace, early).await.unwrap(), [false], "too early");
    let accepted = HandOverEnd::Accepted { provider_id: Some("p-1".into()) };
    store.settle_messages(workspace, vec![ended(1, accepted)]).await.unwrap();
    let reports = vec![
        report(MessageState::Delivered, ours()),
        report(MessageState::Sent, provider("p-1")),
        report(MessageState::Sent, provider("p-2")),
        report(MessageState::Sent, MessageName::Ours(message_id(2))),
    ];
    let known = store.report_messages(workspace, reports).await.unwrap();
    assert_eq!(known, [true, true, false, false]);
    let message = stored(store, workspace, 1).await;
    for name in [ours(), provider("p-1")] {
        let named = store.message_named(workspace, &name).await.unwrap();
        assert_eq!(named.as_ref(), Some(&message), "{name:?}");
    }
    assert_eq!(store.message_named(workspace, &provider("p-2")).await.unwrap(), None);
    assert_eq!(message.state, MessageState::Delivered);
    assert!(message.times.sent_at.is_some() && message.times.delivered_at.is_some());
    assert!(store.waiting_senders().await.unwrap().is_empty());
}

/// What a message says is read and claimed as it was said, whatever kind of words it is.
pub async fn what_a_message_says_is_kept_as_it_was_said(store: &dyn Store) {
    let workspace = workspace(store).await;
    let payloads = [
        Payload::Text("Grüße".into()),
        Payload::Email { subject: "Sale".into(), text: "Come by.\nToday.".into() },
        Payload::Template {
            name: "offer".into(),
            language: Some("en_US".into()),
            variables: vec!["Ada".into(), "".into()],
        },
        Payload::Question { text: "May we?".into(), yes: "Yes".into(), no: "No".into() },
    ];
    for (n, payload) in (1..).zip(&payloads) {
        says(store, workspace, n, Statement::Single, 1).await;
        let draft = MessageDraft { payload: payload.clone(), ..message_to(n) };
        queued(store, workspace, draft).await;
        let personal = stored(store, workspace, n).await.personal;
        assert_eq!(personal, Some((phone(n), payload.clone())));
    }
    let claimed = claim(store, workspace).await.claimed;
    let said: Vec<Payload> = claimed.into_iter().map(|claimed| claimed.payload).collect();
    assert_eq!(said, payloads);
}

/// What was recorded between the queueing and the claim decides.
pub async fn a_refusal_in_the_queue_is_obeyed_by_the_claim(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 1..=3 {
        says(store, workspace, n, Statement::Single, 1).await;
        queued(store, workspace, message_to(n)).await;
    }
    says(store, workspace, 2, Statement::OptOut, 2).await;
    let claimed = claim(store, workspace).await.claimed;
    let ids: Vec<MessageId> = claimed.iter().map(|claimed| claimed.id).collect();
    assert_eq!(ids, [message_id(1), message_id(3)]);
    let refused = stored(store, workspace, 2).await;
    assert_eq!(refused.state, MessageState::Refused);
    assert_eq!(refused.reasons, Reasons::of(&[Reason::OptedOut]));
    assert!(refused.times.decided_at.is_some());
}

/// A refusal that is acknowledged before the hand-over begins revokes the claim, and the message is
/// decided anew.
pub async fn a_refusal_after_the_claim_keeps_the_hand_over_from_beginning(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 1..=2 {
        says(store, workspace, n, Statement::Single, 1).await;
        queued(store, workspace, message_to(n)).await;
    }
    assert_eq!(claim(store, workspace).await.claimed.len(), 2);
    says(store, workspace, 1, Statement::OptOut, 2).await;
    assert!(store.begin_hand_over(message_id(1)).is_none());
    assert!(store.begin_hand_over(message_id(2)).is_some(), "another person's goes");
    let now = super::build::ZERO;
    let requeued = HandOver { began_at: None, ..ended(1, HandOverEnd::Requeued { due_at: now }) };
    store.settle_messages(workspace, vec![requeued]).await.unwrap();
    assert_eq!(stored(store, workspace, 1).await.state, MessageState::Queued);
    assert!(claim(store, workspace).await.claimed.is_empty());
    let refused = stored(store, workspace, 1).await;
    assert_eq!((refused.state, refused.times.began_at), (MessageState::Refused, None));
}

/// A claim that was revoked by something that refuses nothing is decided anew, and goes.
pub async fn a_revoked_claim_of_somebody_who_still_agrees_goes_the_second_time(store: &dyn Store) {
    let workspace = workspace(store).await;
    says(store, workspace, 1, Statement::Single, 1).await;
    queued(store, workspace, message_to(1)).await;
    claim(store, workspace).await;
    says(store, workspace, 1, Statement::Confirmed, 2).await;
    assert!(store.begin_hand_over(message_id(1)).is_none());
    let requeued = HandOverEnd::Requeued { due_at: super::build::ZERO };
    store
        .settle_messages(workspace, vec![HandOver { began_at: None, ..ended(1, requeued) }])
        .await
        .unwrap();
    assert_eq!(claim(store, workspace).await.claimed.len(), 1);
    assert!(store.begin_hand_over(message_id(1)).is_some());
}

/// A message that waits follows the settings of when it is decided, also where they change between the
/// claim and the hand-over.
pub async fn a_message_that_waits_follows_the_settings_of_its_turn(store: &dyn Store) {
    let workspace = workspace(store).await;
    let set = async |require_opt_in: bool| {
        let settings = Settings { require_opt_in, ..Settings::default() };
        configure_now(store, workspace, Change::Settings(settings)).await.unwrap();
    };
    let receipt = |n: u64, require_opt_in: RequireOptIn| {
        let mut draft = MessageDraft { require_opt_in, ..message_to(n) };
        draft.routes[0].category = Category::Utility;
        draft
    };
    let waived = RequireOptIn::Said(Requirement::waived(Category::Utility).unwrap());
    queued(store, workspace, receipt(1, RequireOptIn::AsSettings)).await;
    queued(store, workspace, receipt(2, waived)).await;
    set(false).await;
    assert_eq!(claim(store, workspace).await.claimed.len(), 2);
    set(true).await;
    for n in 1..=2 {
        assert!(store.begin_hand_over(message_id(n)).is_none(), "decided by other settings");
        let again = HandOverEnd::Requeued { due_at: super::build::ZERO };
        let ended = HandOver { began_at: None, ..ended(n, again) };
        store.settle_messages(workspace, vec![ended]).await.unwrap();
    }
    let claimed = claim(store, workspace).await.claimed;
    assert_eq!(claimed.iter().map(|claimed| claimed.id).collect::<Vec<_>>(), [message_id(2)]);
    let refused = stored(store, workspace, 1).await;
    assert_eq!(refused.reasons, Reasons::of(&[Reason::NoOptIn]));
}

/// A report may name a message by the provider's id before that id is written: it is heard then.
pub async fn a_report_that_comes_before_the_providers_id_is_heard_when_that_is_written(
    store: &dyn Store,
) {
    let workspace = workspace(store).await;
    for n in 1..=2 {
        says(store, workspace, n, Statement::Single, 1).await;
        queued(store, workspace, message_to(n)).await;
    }
    claim(store, workspace).await;
    let report = |id: &str, state: MessageState| MessageReport {
        message: MessageName::Provider(id.into()),
        state,
        at: super::build::ZERO,
        failure: None,
    };
    let early = vec![
        report("gs-1", MessageState::Delivered),
        report("gs-1", MessageState::Sent),
        report("somebody else's", MessageState::Failed),
    ];
    assert_eq!(store.report_messages(workspace, early).await.unwrap(), [false; 3]);
    let accepted = |id: &str| HandOverEnd::Accepted { provider_id: Some(id.into()) };
    let ends = vec![ended(1, accepted("gs-1")), ended(2, accepted("gs-2"))];
    store.settle_messages(workspace, ends).await.unwrap();
    let message = stored(store, workspace, 1).await;
    assert_eq!(message.state, MessageState::Delivered);
    assert!(message.times.sent_at.is_some() && message.times.delivered_at.is_some());
    assert_eq!(stored(store, workspace, 2).await.state, MessageState::HandedOver);
}

/// The same request queues one message; the key with another request is a conflict.
pub async fn a_retried_request_queues_one_message(store: &dyn Store) {
    let workspace = workspace(store).await;
    let keyed = |n: u64, request: u8| MessageDraft {
        key: Some(RequestHash([7; 32])),
        request: RequestHash([request; 32]),
        ..message_to(n)
    };
    let first = queued(store, workspace, keyed(1, 1)).await;
    match store.queue_message(workspace, keyed(2, 1)).await.unwrap() {
        Queueing::Retried(again) => assert_eq!(*again, first),
        other @ (Queueing::Queued(_) | Queueing::KeyReused) => panic!("{other:?}"),
    }
    let reused = store.queue_message(workspace, keyed(3, 2)).await.unwrap();
    assert!(matches!(reused, Queueing::KeyReused));
    let all = store.messages(workspace, &MessageQuery::default(), 10).await.unwrap();
    assert_eq!(all.messages, [first]);
}

/// The messages of a person are found by the keys of their addresses, the newest first and in pages; what
/// was said to somebody who was erased is nobody's.
pub async fn messages_of_a_person_are_found_by_address(store: &dyn Store) {
    let workspace_id = workspace(store).await;
    let workspace = Arc::clone(&store.workspaces()[&workspace_id]);
    let key = |n: u64| phone(n).key(&workspace.secret);
    let message = |id: u64, to: u64| MessageDraft { id: message_id(id), ..message_to(to) };
    for (id, to) in [(1, 1), (2, 2), (3, 1), (4, 3), (5, 1), (6, 2)] {
        queued(store, workspace_id, message(id, to)).await;
    }
    let found = async |people: &[u64], after: Option<u64>| {
        let addresses = Some(people.iter().map(|person| key(*person)).collect());
        let query = MessageQuery { addresses, after, ..MessageQuery::default() };
        let page = store.messages(workspace_id, &query, 2).await.unwrap();
        let ids: Vec<MessageId> = page.messages.iter().map(|message| message.id).collect();
        (ids, page.next)
    };
    let ids = |ids: &[u64]| ids.iter().map(|id| message_id(*id)).collect::<Vec<_>>();
    let (first, next) = found(&[1], None).await;
    assert_eq!(first, ids(&[5, 3]));
    let (rest, next) = found(&[1], next).await;
    assert_eq!((rest, next), (ids(&[1]), None));
    let (both, next) = found(&[1, 2], None).await;
    assert_eq!(both, ids(&[6, 5]));
    assert_eq!(found(&[1, 2], next).await.0, ids(&[3, 2]));
    assert_eq!(found(&[], None).await, (Vec::new(), None), "nobody has no messages");
    assert_eq!(found(&[9], None).await, (Vec::new(), None));
    let other = MessageQuery {
        addresses: Some(vec![key(1)]),
        state: Some(MessageState::Failed),
        ..MessageQuery::default()
    };
    assert!(store.messages(workspace_id, &other, 2).await.unwrap().messages.is_empty());

    let erasure = of_fact(workspace_id, &phone(1), Fact::Erasure, 1);
    store
        .erase(workspace_id, &Subject::Address(phone(1)), ErasureReach::Person, erasure)
        .await
        .unwrap();
    assert_eq!(found(&[1], None).await, (Vec::new(), None));
    queued(store, workspace_id, message(7, 1)).await;
    assert_eq!(found(&[1], None).await.0, ids(&[7]), "what is said to them later is theirs");
}

/// A message refused on one channel tries the next, and is refused where none is left.
pub async fn a_refused_message_goes_by_the_next_channel_that_allows_it(store: &dyn Store) {
    let workspace = workspace(store).await;
    let whatsapp = Message {
        sender: Some(OTHER_SENDER),
        ..Message::ordinary(Channel::WhatsApp, Category::Marketing)
    };
    for n in 1..=2 {
        let mut draft = message_to(n);
        draft.routes.insert(0, whatsapp);
        queued(store, workspace, draft).await;
    }
    says(store, workspace, 1, Statement::Single, 1).await;
    let first = store.claim_messages(workspace, OTHER_SENDER, 10).await.unwrap();
    assert!(first.claimed.is_empty());
    assert_eq!(first.rerouted, [SENDER, SENDER]);
    let second = claim(store, workspace).await.claimed;
    assert_eq!(second.len(), 1);
    assert_eq!((second[0].id, second[0].route.channel), (message_id(1), Channel::Sms));
    assert_eq!(stored(store, workspace, 2).await.state, MessageState::Refused);
}

/// A message that is of no use any more fails, whatever the person agreed to.
pub async fn a_message_past_its_time_fails(store: &dyn Store) {
    let workspace = workspace(store).await;
    says(store, workspace, 1, Statement::Single, 1).await;
    let late = MessageDraft { expires_at: Timestamp::DISTANT_PAST, ..message_to(1) };
    queued(store, workspace, late).await;
    assert!(claim(store, workspace).await.claimed.is_empty());
    let message = stored(store, workspace, 1).await;
    assert_eq!(
        (message.state, message.failure.as_deref()),
        (MessageState::Failed, Some("expired"))
    );
}

/// A failure, an unknown end and a later try are told apart, and only the last is claimed again.
pub async fn each_end_of_a_hand_over_is_kept(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 1..=3 {
        says(store, workspace, n, Statement::Single, 1).await;
        queued(store, workspace, message_to(n)).await;
    }
    claim(store, workspace).await;
    let later = super::build::at(60 * 24 * 365);
    let ends = [
        HandOverEnd::Failed { why: "21614".into() },
        HandOverEnd::Unknown { why: "no_answer".into() },
        HandOverEnd::Requeued { due_at: later },
    ];
    let ended: Vec<HandOver> = (1..).zip(ends).map(|(n, end)| ended(n, end)).collect();
    store.settle_messages(workspace, ended).await.unwrap();
    let states = async |n| stored(store, workspace, n).await.state;
    assert_eq!(states(1).await, MessageState::Failed);
    assert_eq!(states(2).await, MessageState::Unknown);
    assert_eq!(states(3).await, MessageState::Queued);
    let claiming = claim(store, workspace).await;
    assert!(claiming.claimed.is_empty());
    assert_eq!(claiming.next_due_at, Some(later));
}
