//! The list of addresses joins the views and the tail.

use sayso_core::channel::{Channel, Scope};
use sayso_core::statement::{Slot, Statement};
use sayso_store::Store;
use sayso_store::conformance::{SMS, phone, record, said};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};

fn open(directory: &std::path::Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default(), Environment::system()).unwrap()
}

#[tokio::test]
async fn addresses_of_the_tail_and_of_the_views_are_one_list_and_the_newer_state_wins() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = sayso_store::conformance::workspace(&store).await;
    for n in 0..20 {
        record(&store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    // Closing writes all of them into the views.
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    for n in 10..30 {
        record(&store, workspace, said(workspace, &phone(n), SMS, Statement::OptOut, 2)).await;
    }
    let mut listed = store.addresses(workspace, None, 7).await.unwrap();
    while let Some(last) = listed.last().map(|known| known.key) {
        let page = store.addresses(workspace, Some(last), 7).await.unwrap();
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    assert_eq!(listed.len(), 30);
    assert!(listed.is_sorted_by(|one, other| one.key < other.key));
    for known in listed {
        let address = known.address.unwrap();
        let register = known.registers.register(Channel::Sms, Scope::All).unwrap();
        let refused = (10..30).any(|n| phone(n) == address);
        assert_eq!(register.act(Slot::OptOut).is_some(), refused, "{address:?}");
    }
}
