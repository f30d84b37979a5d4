//! A clock that is behind the ledger (rule 2).

use std::sync::Arc;

use sayso_core::time::{Span, Timestamp};
use sayso_core::words::statement::Statement;
use sayso_store::Store;
use sayso_store::conformance::{SMS, ZERO, phone, record, said, workspace};
use sayso_store::environment::{Clock, Environment};
use sayso_store::sqlite::{Options, SqliteStore};

use crate::warnings::warnings_of;

/// A clock that shows one time.
#[derive(Debug)]
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// Case A12 at the store: a start says how far the clock is behind, and the store's time is later than
/// all that was recorded.
#[tokio::test]
async fn a_start_with_a_clock_that_is_behind_says_so_and_its_time_is_later_than_the_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let at = |time| {
        let environment = Environment { clock: Arc::new(At(time)), ..Environment::system() };
        SqliteStore::open(directory.path(), Options::default(), environment).unwrap()
    };
    let store = at(ZERO);
    let workspace = workspace(&store).await;
    let first = record(&store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1));
    let first = first.await.recorded_at;
    store.close().await.unwrap();
    drop(store);
    for (behind, is_said) in
        [(Span::hours(1), true), (Span::days(9_000), true), (Span::micros(900_000), false)]
    {
        let mut store = None;
        let warnings = warnings_of(|| store = Some(at(ZERO.minus(behind))));
        let seconds = format!("behind_s={}", behind.as_micros() / 1_000_000);
        assert_eq!(warnings.iter().any(|line| line.contains(&seconds)), is_said, "{warnings:?}");
        let store = store.unwrap();
        assert!(store.health().clock_held_back_us >= behind.as_micros().unsigned_abs());
        assert!(store.clock().now() > first);
        store.close().await.unwrap();
    }
    assert_eq!(warnings_of(|| drop(at(ZERO.plus(Span::seconds(1))))), Vec::<String>::new());
}
