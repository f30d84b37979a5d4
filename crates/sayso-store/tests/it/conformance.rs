//! The conformance suite, on disk and in memory.

use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};

macro_rules! on_disk_and_in_memory {
    ($case:ident) => {
        mod $case {
            #[tokio::test]
            async fn in_memory() {
                let store = super::SqliteStore::in_memory(super::Environment::system()).unwrap();
                sayso_store::conformance::$case(&store).await;
            }

            #[tokio::test]
            async fn on_disk() {
                let directory = tempfile::tempdir().unwrap();
                let store = super::SqliteStore::open(
                    directory.path(),
                    super::Options::default(),
                    super::Environment::system(),
                )
                .unwrap();
                sayso_store::conformance::$case(&store).await;
            }
        }
    };
}

sayso_store::conformance_cases!(on_disk_and_in_memory);
