//! All addresses of a workspace, page by page, and single events of them.

use sayso_core::address::AddressKey;
use sayso_core::gate::reason::Reason;
use sayso_core::id::EventId;
use sayso_core::proof::link_key::LinkKey;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::{Slot, Statement};

use super::build::{SMS, at, known, marketing, of_fact, phone, reason, record, said, workspace};
use crate::Store;
use crate::configure::configure_now;
use crate::erasure::ErasureReach;
use crate::store::KnownAddress;
use sayso_core::workspace::Change;
use sayso_plan::draft::Subject;

/// Every page holds the addresses with the next keys: those known by hash and the erased among
/// them, without their address.
pub async fn every_address_is_listed_once_in_the_order_of_the_keys(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    for n in 0..23 {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    let mut hashed = said(workspace, &phone(23), SMS, Statement::No, 1);
    hashed.subject = Subject::Hash(phone(23).hash());
    record(store, workspace, hashed).await;
    let erasure = of_fact(workspace, &phone(7), Fact::Erasure, 2);
    store
        .erase(workspace, &Subject::Address(phone(7)), ErasureReach::Person, erasure)
        .await
        .unwrap();

    let mut listed: Vec<KnownAddress> = Vec::new();
    loop {
        let after = listed.last().map(|known| known.key);
        let page = store.addresses(workspace, after, 5).await.unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.len() == 5 || listed.len() + page.len() == 24, "only the last page is short");
        listed.extend(page);
    }
    let mut keys: Vec<AddressKey> = (0..24).map(|n| phone(n).key(&secret)).collect();
    keys.sort_unstable();
    assert_eq!(listed.iter().map(|known| known.key).collect::<Vec<_>>(), keys);
    let without: Vec<AddressKey> =
        listed.iter().filter(|known| known.address.is_none()).map(|known| known.key).collect();
    let mut expected = vec![phone(7).key(&secret), phone(23).key(&secret)];
    expected.sort_unstable();
    assert_eq!(without, expected);
    for known in &listed {
        assert!(known.address.as_ref().is_none_or(|address| address.key(&secret) == known.key));
        assert!(!known.registers.is_empty());
    }
}

/// An event is found by its id under its own address, and under no other.
pub async fn an_event_is_found_by_its_address_and_id(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let recorded =
        record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let key = phone(1).key(&secret);
    let found = store.find_event(workspace, key, recorded.id).await.unwrap().unwrap();
    assert_eq!(found.event.id, recorded.id);
    assert_eq!(found.event.occurred_at, recorded.occurred_at);
    assert_eq!(found.address, Some(phone(1)));
    let other = phone(2).key(&secret);
    assert!(store.find_event(workspace, other, recorded.id).await.unwrap().is_none());
    let unknown = EventId::from_bytes([9; 16]);
    assert!(store.find_event(workspace, key, unknown).await.unwrap().is_none());
}

/// Who is named by the key alone is heard: whether the address is known, was erased, or comes later.
pub async fn a_refusal_by_the_key_alone_is_heard_and_forgets_no_address(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let key = |n| phone(n).key(&secret);
    for n in [1, 2] {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    let erasure = of_fact(workspace, &phone(2), Fact::Erasure, 2);
    store.erase(workspace, &Subject::Key(key(2)), ErasureReach::Person, erasure).await.unwrap();
    assert_eq!(store.find_address(workspace, key(1)).await.unwrap(), Some(phone(1)));
    for n in [2, 3] {
        assert_eq!(store.find_address(workspace, key(n)).await.unwrap(), None);
    }
    for n in [1, 2, 3] {
        let mut refusal = said(workspace, &phone(n), SMS, Statement::OptOut, 5);
        refusal.subject = Subject::Key(key(n));
        record(store, workspace, refusal).await;
    }
    assert_eq!(store.find_address(workspace, key(1)).await.unwrap(), Some(phone(1)));
    record(store, workspace, said(workspace, &phone(3), SMS, Statement::Single, 4)).await;
    // To the gate the one who was erased is a stranger, and a stranger is refused too.
    for (n, expected) in [(1, Reason::OptedOut), (2, Reason::NoOptIn), (3, Reason::OptedOut)] {
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, Some(expected), "{n}");
        let known = known(store, workspace, &phone(n)).await;
        let refused = known.of(SMS).and_then(|register| register.act(Slot::OptOut));
        assert_eq!(refused.map(|mark| mark.at), Some(at(5)), "{n}");
    }
}

/// The first key needs no change; each later one is taken into use once, and for good.
pub async fn links_are_made_with_the_newest_key(store: &dyn Store) {
    let workspace = workspace(store).await;
    assert_eq!(store.workspaces()[&workspace].link_key(), LinkKey::default());
    let second = LinkKey::default().next();
    let once = configure_now(store, workspace, Change::LinkKey(second)).await.unwrap();
    assert_eq!(once.link_key(), second);
    let again = configure_now(store, workspace, Change::LinkKey(second)).await.unwrap();
    assert_eq!(again.link_keys, once.link_keys);
}
