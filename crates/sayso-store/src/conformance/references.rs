//! References in prefilled texts, and what is counted of entry points.

use sayso_core::address::Address;
use sayso_core::id::{EntryPointId, EventId, TopicId, WorkspaceId};
use sayso_core::proof::reference::Reference;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Evidence, EvidenceText};

use super::build::{of_fact, phone, workspace};
use crate::Store;
use crate::erasure::ErasureReach;
use crate::reference::{Keeping, ReferenceDraft};
use crate::tally::{Counted, Reach, Tally};
use sayso_plan::draft::Subject;

const REFERENCE: Reference = Reference::from_bytes([1, 2, 3, 4, 5]);

/// What a person ticked before they opened a chat.
pub fn ticked(
    store: &dyn Store,
    workspace: WorkspaceId,
    typed: Option<&Address>,
) -> ReferenceDraft {
    let secret = store.workspaces()[&workspace].secret.clone();
    let topic = Scope::Topic(TopicId::from_bytes([3; 16]));
    ReferenceDraft {
        reference: REFERENCE,
        request: RequestHash([9; 32]),
        entry_point: EntryPointId::from_bytes([4; 16]),
        address: typed.map(|address| address.key(&secret)),
        permissions: vec![Permission::Messages(Channel::WhatsApp, topic)],
        evidence: Evidence { ip: EvidenceText::parse("192.0.2.1").ok(), ..Evidence::default() },
    }
}

const fn message(n: u8) -> EventId {
    EventId::from_bytes([n; 16])
}

/// A reference is read as it was kept; the same request keeps it once, another does not take its place.
pub async fn a_reference_is_kept_as_it_was_ticked_and_once(store: &dyn Store) {
    let workspace = workspace(store).await;
    let draft = ticked(store, workspace, Some(&phone(1)));
    assert_eq!(store.reference(workspace, REFERENCE).await.unwrap(), None);
    for _ in 0..2 {
        let kept = store.keep_reference(workspace, draft.clone()).await.unwrap();
        assert_eq!(kept, Keeping::Done);
    }
    let other = ReferenceDraft { request: RequestHash([8; 32]), ..draft.clone() };
    assert_eq!(store.keep_reference(workspace, other).await.unwrap(), Keeping::Another);
    let found = store.reference(workspace, REFERENCE).await.unwrap().unwrap();
    assert_eq!((found.draft, found.taken_by), (draft, None));
}

/// One message uses a reference up, however often it is told; no other message does.
pub async fn a_reference_is_used_up_by_one_message_that_may_be_told_twice(store: &dyn Store) {
    let workspace = workspace(store).await;
    let key = phone(1).key(&store.workspaces()[&workspace].secret);
    let take = async |n| store.take_reference(workspace, REFERENCE, message(n), key).await.unwrap();
    assert_eq!(take(1).await, Keeping::Another, "there is none");
    store.keep_reference(workspace, ticked(store, workspace, None)).await.unwrap();
    assert_eq!(take(1).await, Keeping::Done);
    assert_eq!(take(1).await, Keeping::Done);
    assert_eq!(take(2).await, Keeping::Another);
    let found = store.reference(workspace, REFERENCE).await.unwrap().unwrap();
    assert_eq!(found.taken_by, Some(message(1)));
    assert_eq!(found.draft.address, Some(key), "it belongs to who took it");
}

/// Where an address was typed, it is good for a message from it alone.
pub async fn a_reference_is_good_for_who_typed_no_address_or_this_one(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let [one, two] = [1, 2].map(|n| phone(n).key(&secret));
    for (typed, good) in [(None, [true, true]), (Some(phone(1)), [true, false])] {
        let draft = ReferenceDraft {
            reference: Reference::from_bytes([u8::from(typed.is_some()); 5]),
            ..ticked(store, workspace, typed.as_ref())
        };
        let reference = draft.reference;
        store.keep_reference(workspace, draft).await.unwrap();
        let found = store.reference(workspace, reference).await.unwrap().unwrap();
        assert_eq!([one, two].map(|key| found.is_good_for(&[key], message(1))), good);
    }
}

/// References belong to their workspace.
pub async fn references_of_another_workspace_are_not_seen(store: &dyn Store) {
    let (ours, theirs) = (workspace(store).await, workspace(store).await);
    let key = phone(1).key(&store.workspaces()[&theirs].secret);
    store.keep_reference(ours, ticked(store, ours, None)).await.unwrap();
    assert_eq!(store.reference(theirs, REFERENCE).await.unwrap(), None);
    let taken = store.take_reference(theirs, REFERENCE, message(1), key).await.unwrap();
    assert_eq!(taken, Keeping::Another);
    store.keep_reference(theirs, ticked(store, theirs, None)).await.unwrap();
    assert!(store.reference(theirs, REFERENCE).await.unwrap().is_some());
}

/// What an erased person ticked is gone, whether they typed the address or wrote from it.
pub async fn an_erased_person_leaves_no_reference(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let written = Reference::from_bytes([7; 5]);
    store.keep_reference(workspace, ticked(store, workspace, Some(&phone(1)))).await.unwrap();
    let draft = ReferenceDraft { reference: written, ..ticked(store, workspace, None) };
    store.keep_reference(workspace, draft).await.unwrap();
    let key = phone(1).key(&secret);
    store.take_reference(workspace, written, message(1), key).await.unwrap();
    let erasure = of_fact(workspace, &phone(1), Fact::Erasure, 1);
    store
        .erase(workspace, &Subject::Address(phone(1)), ErasureReach::Person, erasure)
        .await
        .unwrap();
    for reference in [REFERENCE, written] {
        assert_eq!(store.reference(workspace, reference).await.unwrap(), None);
    }
}

/// What is counted of an entry point comes to sums that stay.
pub async fn counts_of_an_entry_point_are_sums_for_good(store: &dyn Store) {
    let (ours, theirs) = (workspace(store).await, workspace(store).await);
    let of = Counted::EntryPoint(EntryPointId::from_bytes([4; 16]));
    let first = [Tally::Shown, Tally::Shown, Tally::Started, Tally::OptedIn];
    store.tally(ours, of, &first).await.unwrap();
    let second = [Tally::Shown, Tally::Confirmed, Tally::Refused];
    let counted = store.tally(ours, of, &second).await.unwrap().reach;
    let reach = Reach { shown: 3, started: 1, opted_in: 1, confirmed: 1, refused: 1 };
    assert_eq!(counted, reach);
    assert_eq!(store.tally(theirs, of, &[]).await.unwrap().reach, Reach::default());
}
