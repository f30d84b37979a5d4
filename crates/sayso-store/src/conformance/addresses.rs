//! All addresses of a workspace, page by page, and single events of them.

use sayso_core::address::AddressKey;
use sayso_core::event::Fact;
use sayso_core::id::EventId;
use sayso_core::statement::Statement;

use super::build::{SMS, of_fact, phone, record, said, workspace};
use crate::Store;
use crate::store::{KnownAddress, Subject};

/// Every page holds the addresses with the next keys: those known by hash and the erased among
/// them, without their address.
pub async fn every_address_is_listed_once_in_the_order_of_the_keys(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.configurations()[&workspace].secret.clone();
    for n in 0..23 {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    let mut hashed = said(workspace, &phone(23), SMS, Statement::No, 1);
    hashed.subject = Subject::Hash(phone(23).hash());
    record(store, workspace, hashed).await;
    let erasure = of_fact(workspace, &phone(7), Fact::Erasure, 2);
    store.erase(workspace, &Subject::Address(phone(7)), erasure).await.unwrap();

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
    let secret = store.configurations()[&workspace].secret.clone();
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
