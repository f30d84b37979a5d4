//! How senders stand, what they send meanwhile, and what is counted of them.

use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::sender_health::{HealthCause, HealthLevel, Known, Says, Signal, Traffic};
use sayso_core::gate::template::{TemplateSays, TemplateWord};
use sayso_core::id::{ConnectionId, ImportId, SenderId, WorkspaceId};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::statement::Statement;

use super::build::{SMS, ZERO, at, marketing, phone, reason, record, said, workspace};
use super::messages::{SENDER, message_id, message_to};
use crate::Store;
use crate::configure::configure_now;
use crate::message::{
    FailureQuery, HandOver, HandOverEnd, MessageDraft, MessageName, MessageReport, Payload,
    StoredMessage,
};
use crate::tally::{Counted, Tally};
use sayso_core::workspace::{Change, RuntimeFact, Sender, TemplateName};

async fn signal(store: &dyn Store, workspace: WorkspaceId, signal: Signal) {
    store.note(workspace, RuntimeFact::Signal(SENDER, signal)).await.unwrap();
}

fn operator(says: Says, minutes: i64) -> Signal {
    Signal::new(HealthCause::Operator, says, at(minutes), "a wrong list")
}

fn red(minutes: i64) -> Signal {
    let says = Says::Level(HealthLevel::Red);
    Signal::new(HealthCause::Quality, says, at(minutes), "FLAGGED")
}

async fn agreed(store: &dyn Store, workspace: WorkspaceId, n: u64, draft: MessageDraft) {
    record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    store.queue_message(workspace, draft).await.unwrap();
}

async fn claim(store: &dyn Store, workspace: WorkspaceId) -> usize {
    store.claim_messages(workspace, SENDER, 10).await.unwrap().claimed.len()
}

async fn stored(store: &dyn Store, workspace: WorkspaceId, n: u64) -> StoredMessage {
    store.message(workspace, message_id(n)).await.unwrap().unwrap()
}

async fn settle(store: &dyn Store, workspace: WorkspaceId, n: u64, end: HandOverEnd) {
    let ended = HandOver { id: message_id(n), began_at: Some(ZERO), at: ZERO, end };
    store.settle_messages(workspace, vec![ended]).await.unwrap();
}

/// Messages of a paused sender wait, and say for what; once it is resumed they go.
pub async fn messages_of_a_paused_sender_wait_and_go_when_it_is_resumed(store: &dyn Store) {
    let workspace = workspace(store).await;
    agreed(store, workspace, 1, message_to(1)).await;
    signal(store, workspace, operator(Says::Paused, 1)).await;
    let asked = Message { sender: Some(SENDER), ..marketing() };
    assert_eq!(reason(store, workspace, &phone(1), asked).await, Some(Reason::SenderPaused));
    let other = Message { sender: Some(SenderId::from_bytes([0x52; 16])), ..asked };
    assert_eq!(reason(store, workspace, &phone(1), other).await, None, "another sender");
    for _ in 0..2 {
        assert_eq!(claim(store, workspace).await, 0);
        let waiting = stored(store, workspace, 1).await;
        assert_eq!(waiting.state, MessageState::Queued);
        assert_eq!(waiting.reasons, Reasons::of(&[Reason::SenderPaused]));
    }
    signal(store, workspace, operator(Says::Resumed, 2)).await;
    assert_eq!(claim(store, workspace).await, 1, "it does not wait for the time it was put off to");
    assert_eq!(stored(store, workspace, 1).await.reasons, Reasons::NONE);
}

/// A person's refusal ends a message that waits for its sender.
pub async fn a_refusal_during_a_pause_is_obeyed(store: &dyn Store) {
    let workspace = workspace(store).await;
    agreed(store, workspace, 1, message_to(1)).await;
    signal(store, workspace, red(1)).await;
    assert_eq!(claim(store, workspace).await, 0);
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 2)).await;
    signal(store, workspace, operator(Says::Resumed, 3)).await;
    assert_eq!(claim(store, workspace).await, 0);
    let refused = stored(store, workspace, 1).await;
    assert_eq!(refused.state, MessageState::Refused);
    assert_eq!(refused.reasons, Reasons::of(&[Reason::OptedOut]));
}

/// A signal between the claim and the hand-over revokes the claims of that sender.
pub async fn a_pause_after_the_claim_keeps_the_hand_over_from_beginning(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 1..=2 {
        agreed(store, workspace, n, message_to(n)).await;
    }
    assert_eq!(claim(store, workspace).await, 2);
    assert!(store.begin_hand_over(message_id(1)).is_some());
    signal(store, workspace, operator(Says::Paused, 1)).await;
    assert!(store.begin_hand_over(message_id(2)).is_none());
    let requeued = HandOverEnd::Requeued { due_at: ZERO };
    settle(store, workspace, 2, requeued).await;
    assert_eq!(claim(store, workspace).await, 0);
    assert_eq!(stored(store, workspace, 2).await.state, MessageState::Queued);
}

/// Signals that come late fold as if they had come in time, and what was known then stays so.
pub async fn late_signals_fold_right_and_the_past_is_as_it_was_known(store: &dyn Store) {
    let workspace = workspace(store).await;
    let green = Signal { says: Says::Level(HealthLevel::Green), ..red(5) };
    signal(store, workspace, green).await;
    let before = store.workspaces()[&workspace].runtime.signaled_at(SENDER).unwrap();
    signal(store, workspace, red(1)).await;
    let workspaces = store.workspaces();
    let level = |known: Known| workspaces[&workspace].runtime.health(SENDER, known).level;
    assert_eq!(level(Known::all(at(6))), HealthLevel::Green);
    assert_eq!(level(Known::all(at(2))), HealthLevel::Red);
    assert_eq!(level(Known { by: before, at: at(2) }), HealthLevel::Green);
}

/// A message whose template the provider calls marketing needs the consent of marketing too.
pub async fn a_message_is_decided_as_its_template_too(store: &dyn Store) {
    let workspace = workspace(store).await;
    let connection = ConnectionId::from_bytes([0xc0; 16]);
    let sender = Sender {
        channel: Channel::Sms,
        name: "Shop".into(),
        address: "12345".into(),
        connection: Some(connection),
        question: None,
        deleted_at: None,
    };
    configure_now(store, workspace, Change::Sender(SENDER, sender)).await.unwrap();
    let utility = Permission::Messages(Channel::Sms, Scope::Category(Category::Utility));
    let draft = |n: u64| {
        let route =
            Message { sender: Some(SENDER), ..Message::ordinary(Channel::Sms, Category::Utility) };
        let payload =
            Payload::Template { name: "offer".into(), language: None, variables: Vec::new() };
        MessageDraft { routes: vec![route], payload, ..message_to(n) }
    };
    for n in 1..=2 {
        let yes = said(workspace, &phone(n), utility, Statement::Single, 1);
        record(store, workspace, yes).await;
        store.queue_message(workspace, draft(n)).await.unwrap();
        let told = |says| TemplateWord { at: at(2), language: Some("en".into()), says };
        let name = TemplateName { connection, name: "offer".into() };
        assert_eq!(claim(store, workspace).await, usize::from(n == 1), "message {n}");
        let word = told(TemplateSays::Category(Category::Marketing));
        store.note(workspace, RuntimeFact::Template(name, word)).await.unwrap();
        if n == 1 {
            settle(store, workspace, n, HandOverEnd::Accepted { provider_id: None }).await;
        }
    }
    let refused = stored(store, workspace, 2).await;
    assert_eq!(refused.reasons, Reasons::of(&[Reason::CategoryNotCovered]));
}

/// What is counted of a sender comes to its own sums, and what went is counted by the store.
pub async fn counts_are_kept_by_sender_and_workspace(store: &dyn Store) {
    let ours = workspace(store).await;
    let theirs = workspace(store).await;
    let of = Counted::Sender(SENDER);
    agreed(store, ours, 1, message_to(1)).await;
    claim(store, ours).await;
    settle(store, ours, 1, HandOverEnd::Accepted { provider_id: None }).await;
    settle(store, ours, 1, HandOverEnd::Accepted { provider_id: None }).await;
    store.tally(ours, of, &[Tally::Refused, Tally::Inferred]).await.unwrap();
    let tallied = store.tally(ours, of, &[Tally::Inferred, Tally::Complained]).await.unwrap();
    let traffic = Traffic { handed_over: 1, refused: 1, complained: 1 };
    assert_eq!((tallied.traffic, tallied.inferred_today), (traffic, 2));
    let group = Counted::Group(ImportId::from_bytes([7; 16]));
    let held = store.tally(ours, group, &[Tally::Held, Tally::Held]).await.unwrap();
    assert_eq!((held.held, held.inferred_today), (2, 0));
    assert_eq!(store.tally(theirs, of, &[]).await.unwrap().traffic, Traffic::default());
}

/// Failures with one code are counted since the last message arrived, and without the one in hand.
pub async fn failures_of_an_address_are_counted_since_a_message_arrived(store: &dyn Store) {
    let workspace = workspace(store).await;
    let key = phone(1).key(&store.workspaces()[&workspace].secret);
    let fails = async |n: u64, why: &str| {
        agreed(store, workspace, 1, MessageDraft { to: phone(1), ..message_to(n) }).await;
        claim(store, workspace).await;
        settle(store, workspace, n, HandOverEnd::Failed { why: why.into() }).await;
    };
    let query = |besides: Option<MessageName>| FailureQuery {
        key,
        failure: "30005".into(),
        since: Timestamp::DISTANT_PAST,
        besides,
    };
    let count = async |query: FailureQuery| store.failed_messages(workspace, &query).await.unwrap();
    for (n, why) in [(1, "30005"), (2, "30003"), (3, "30005")] {
        fails(n, why).await;
    }
    assert_eq!(count(query(None)).await, 2);
    assert_eq!(count(query(Some(MessageName::Ours(message_id(3))))).await, 1);
    assert_eq!(count(query(Some(MessageName::Provider("p".into())))).await, 2);
    assert_eq!(count(FailureQuery { since: at(0), ..query(None) }).await, 0, "they ended before");
    agreed(store, workspace, 1, MessageDraft { to: phone(1), ..message_to(4) }).await;
    claim(store, workspace).await;
    let accepted = HandOverEnd::Accepted { provider_id: Some("p-4".into()) };
    settle(store, workspace, 4, accepted).await;
    let message = MessageName::Ours(message_id(4));
    let state = MessageState::Delivered;
    let arrived = MessageReport { message, state, at: at(1), failure: None };
    store.report_messages(workspace, vec![arrived]).await.unwrap();
    assert_eq!(count(query(None)).await, 0);
}
