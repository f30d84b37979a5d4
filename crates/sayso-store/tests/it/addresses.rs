//! The list of addresses, and what is read by it, joins the views and the tail.

use sayso_core::state::status::Status;
use sayso_core::words::channel::{Channel, Scope};
use sayso_core::words::statement::{Slot, Statement};
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{SMS, at, marketing, phone, record, said};
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{AudienceCursor, AudienceQuery, HistoryQuery, Moment};

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

#[tokio::test]
async fn the_past_is_read_from_the_views_and_the_tail_alike() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = sayso_store::conformance::workspace(&store).await;
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    store.close().await.unwrap();
    drop(store);
    let store = open(directory.path());
    record(&store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 3)).await;
    record(&store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 2)).await;
    for (minute, people, events) in [(1, vec![1], 1), (2, vec![1, 2], 1), (3, vec![2], 2)] {
        let moment = Moment::EffectiveAt(at(minute));
        let query = AudienceQuery {
            channel: Channel::Sms,
            scope: Scope::All,
            status: Status::OptedIn,
            message: marketing(),
            moment,
        };
        let page = store.audience(workspace, &query, AudienceCursor::default());
        let page = page.await.unwrap();
        assert_eq!(page.next, None);
        let mut found: Vec<_> = page.members.into_iter().map(|member| member.address).collect();
        found.sort();
        assert_eq!(found, people.into_iter().map(phone).collect::<Vec<_>>(), "minute {minute}");
        let subject = Subject::Address(phone(1));
        let history = store
            .history(workspace, &subject, &HistoryQuery { moment, ..HistoryQuery::newest(10) })
            .await
            .unwrap();
        assert_eq!(history.entries.len(), events, "minute {minute}");
    }
}
