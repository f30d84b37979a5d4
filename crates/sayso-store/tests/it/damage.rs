//! Damaged files: what is derived is rebuilt and never a reason not to start, a damaged personal part
//! costs that part alone, a damaged event is named, and nobody who refused is allowed meanwhile.

use std::path::Path;

use sayso_core::gate::decision::Requirement;
use sayso_core::gate::reason::Reason;
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::conformance::{
    SMS, known, marketing, of_fact, phone, reason, record, said, workspace,
};
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::{OpenError, SqliteStore};
use sayso_store::store::{HistoryQuery, Question, Recipient, StoreError};

use crate::life::{INDEX, LEDGER, Life, Moment, PEOPLE, VIEWS, open, told, try_open};
use crate::warnings::warnings_of;

/// What happens to the bytes of a file.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Emptied,
    Zeroed,
    Replaced,
    CutTo(u64),
    ZeroedFrom(u64),
    Flipped(u64),
}

impl Damage {
    /// Tenths of a file, and bits here and there.
    fn all(flips: u64) -> Vec<Self> {
        let tenths = (1..10).flat_map(|tenth| [Self::CutTo(tenth), Self::ZeroedFrom(tenth)]);
        let whole = [Self::Emptied, Self::Zeroed, Self::Replaced];
        whole.into_iter().chain(tenths).chain((0..flips).map(Self::Flipped)).collect()
    }

    fn befall(self, file: &Path) {
        let mut bytes = std::fs::read(file).unwrap();
        let tenth = |of: u64| bytes.len() * usize::try_from(of).unwrap() / 10;
        match self {
            Self::Emptied => bytes.clear(),
            Self::Zeroed => bytes.fill(0),
            Self::Replaced => bytes = b"this is not what was written".repeat(400),
            Self::CutTo(of) => bytes.truncate(tenth(of)),
            Self::ZeroedFrom(of) => {
                let from = tenth(of);
                let to = bytes.len().min(from + 512);
                bytes[from..to].fill(0);
            }
            Self::Flipped(seed) => {
                // Anywhere, the same in every run.
                let mixed = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let bits = u64::try_from(bytes.len() * 8).unwrap();
                let bit = usize::try_from((mixed ^ (mixed >> 29)) % bits.max(1)).unwrap();
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
            }
        }
        std::fs::write(file, bytes).unwrap();
    }
}

/// A store of a moment, one file of which was damaged.
fn damaged(life: &Life, moment: &str, file: &str, damage: Damage) -> Option<tempfile::TempDir> {
    let to = life.begun();
    for files in [&LEDGER[..], &VIEWS[..], &INDEX[..]] {
        life.moments[moment].put(files, to.path());
    }
    let file = to.path().join(file);
    file.exists().then(|| {
        damage.befall(&file);
        to
    })
}

/// Why marketing to a person is refused; an error where nobody can tell.
async fn asked(store: &SqliteStore, life: &Life, n: u64) -> Result<Option<Reason>, StoreError> {
    let sayso_core::address::Address::Phone(phone) = phone(n) else { panic!("no phone") };
    let question = Question { message: marketing(), requirement: Requirement::OptIn, zone: None };
    let recipients = [Recipient::Phone(phone)];
    let answers = store.screen(life.workspace, &question, &recipients).await?;
    Ok(answers[0].iter().next())
}

#[tokio::test]
async fn damage_to_what_is_derived_stops_no_start_and_allows_nobody_who_refused() {
    let life = Life::lived().await;
    for (moment, file, flips) in [
        ("late", "views.db", 40),
        ("late", "gate.index", 10),
        ("late, killed", "views.db", 20),
        ("late, killed", "views.db-wal", 40),
        ("middle, killed", "gate.index", 10),
    ] {
        let whole = life.begun();
        life.moments[moment].put(&LEDGER, whole.path());
        let truth = told(&open(whole.path()), life.workspace).await;
        for damage in Damage::all(flips) {
            let met = format!("{file} of {moment}: {damage:?}");
            let to = damaged(&life, moment, file, damage).expect("the moment has the file");
            let store = try_open(to.path()).unwrap_or_else(|error| panic!("{met}: {error}"));
            for n in 0..PEOPLE {
                // An error is an answer that sends nothing.
                if let Ok(found) = asked(&store, &life, n).await {
                    assert_eq!(found, truth[&n].0, "{met}, phone {n}");
                }
                let subject = Subject::Address(phone(n));
                let query = HistoryQuery::newest(50);
                if let Ok(page) = store.history(life.workspace, &subject, &query).await {
                    for entry in page.entries {
                        assert!(entry.address.is_none_or(|address| address == phone(n)), "{met}");
                    }
                }
            }
            drop(store);
            // What was met is mended by the next start.
            assert_eq!(told(&open(to.path()), life.workspace).await, truth, "{met}");
        }
    }
}

/// Everything derived is damaged at once.
#[tokio::test]
async fn damage_to_all_that_is_derived_costs_time_alone() {
    let life = Life::lived().await;
    for moment in ["late", "late, killed", "middle", "middle, killed"] {
        let whole = life.begun();
        life.moments[moment].put(&LEDGER, whole.path());
        let truth = told(&open(whole.path()), life.workspace).await;
        for damage in Damage::all(6) {
            let to = damaged(&life, moment, "views.db", damage).unwrap();
            for file in ["views.db-wal", "gate.index"] {
                if to.path().join(file).exists() {
                    damage.befall(&to.path().join(file));
                }
            }
            let store = try_open(to.path()).unwrap();
            assert_eq!(told(&store, life.workspace).await, truth, "{moment}: {damage:?}");
        }
    }
}

/// What is gone from the ledger cannot be known. What is in it counts, or the start is refused.
#[tokio::test]
async fn a_damaged_ledger_allows_nobody_whose_refusal_it_still_holds() {
    let life = Life::lived().await;
    for (moment, file) in
        [("late", "events.db"), ("late, killed", "events.db"), ("late, killed", "events.db-wal")]
    {
        let whole = life.begun();
        life.moments[moment].put(&LEDGER, whole.path());
        let truth = told(&open(whole.path()), life.workspace).await;
        for keeps in [true, false] {
            for damage in Damage::all(30) {
                let to = damaged(&life, moment, file, damage).unwrap();
                if !keeps {
                    for derived in ["views.db", "views.db-wal", "gate.index"] {
                        drop(std::fs::remove_file(to.path().join(derived)));
                    }
                }
                let Ok(store) = try_open(to.path()) else { continue };
                for n in 0..PEOPLE {
                    let subject = Subject::Address(phone(n));
                    let query = HistoryQuery::newest(50);
                    let held = store.history(life.workspace, &subject, &query).await;
                    let Ok(held) = held else { continue };
                    let is_all = held.entries.len() == truth[&n].1.len();
                    if let (true, Ok(found)) = (is_all, asked(&store, &life, n).await) {
                        assert_eq!(found, truth[&n].0, "{file} of {moment}, {damage:?}: {n}");
                    }
                }
            }
        }
    }
}

async fn one_store() -> (tempfile::TempDir, sayso_core::id::WorkspaceId) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    for n in 0..3 {
        record(&store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    for n in 0..2 {
        record(&store, workspace, said(workspace, &phone(n), SMS, Statement::OptOut, 2)).await;
    }
    store.close().await.unwrap();
    (directory, workspace)
}

fn in_file(directory: &Path, file: &str, statement: &str) {
    let file = rusqlite::Connection::open(directory.join(file)).unwrap();
    assert_eq!(file.execute(statement, []).unwrap(), 1, "{statement}");
}

fn without_derived(directory: &Path) {
    for file in ["views.db", "gate.index"] {
        std::fs::remove_file(directory.join(file)).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_personal_part_costs_that_part_alone_and_the_refusal_holds() {
    let (directory, workspace) = one_store().await;
    // The opt-out of the first person, by which alone that refusal is known.
    in_file(
        directory.path(),
        "events.db",
        "UPDATE event SET sealed = x'00ff00' WHERE row = 4 /* every workspace: damage */",
    );
    for is_rebuilt in [false, true] {
        if is_rebuilt {
            without_derived(directory.path());
        }
        let mut store = None;
        let warnings = warnings_of(|| store = Some(open(directory.path())));
        let named =
            warnings.iter().any(|line| line.contains("personal part") && line.contains('4'));
        assert_eq!(named, is_rebuilt, "{warnings:?}");
        let store = store.unwrap();
        for n in 0..3 {
            let expected = (n < 2).then_some(Reason::OptedOut);
            assert_eq!(reason(&store, workspace, &phone(n), marketing()).await, expected, "{n}");
        }
        let subject = Subject::Address(phone(0));
        let page = store.history(workspace, &subject, &HistoryQuery::newest(5)).await.unwrap();
        let has: Vec<bool> = page.entries.iter().map(|entry| entry.evidence.is_some()).collect();
        assert_eq!(has, [false, true]);
        store.close().await.unwrap();
    }
}

/// All that is personal of one person is damaged, so that nobody knows the address: the key refuses.
#[tokio::test]
async fn a_person_whose_every_personal_part_is_damaged_is_refused_by_key() {
    let (directory, workspace) = one_store().await;
    for row in [1, 4] {
        let damage = format!(
            "UPDATE event SET sealed = x'01' WHERE row = {row} /* every workspace: damage */"
        );
        in_file(directory.path(), "events.db", &damage);
    }
    without_derived(directory.path());
    let store = open(directory.path());
    // Nobody knows whose key it is, but whoever asks for the person is told of the refusal.
    assert!(reason(&store, workspace, &phone(0), marketing()).await.is_some());
    let registers = known(&store, workspace, &phone(0)).await;
    assert_eq!(registers.of(SMS).unwrap().opt_ins().count(), 1);
    let subject = Subject::Address(phone(0));
    let page = store.history(workspace, &subject, &HistoryQuery::newest(5)).await.unwrap();
    assert_eq!(page.entries.len(), 2);
    // And they may be erased.
    let draft = of_fact(workspace, &phone(0), Fact::Erasure, 3);
    store.erase(workspace, &Subject::Address(phone(0)), ErasureReach::Person, draft).await.unwrap();
}

#[tokio::test]
async fn a_damaged_event_is_named_when_the_views_are_rebuilt() {
    // The key of another person; the time; another leaf.
    for damage in [
        "UPDATE event SET address_key = (SELECT address_key FROM event WHERE row = 3) WHERE row = 4 /* every workspace: damage */",
        "UPDATE event SET recorded_at = recorded_at + 1 WHERE row = 4 /* every workspace: damage */",
        "UPDATE event SET facts = (SELECT facts FROM event WHERE row = 1) WHERE row = 4 /* every workspace: damage */",
        "UPDATE event SET leaf_hash = zeroblob(32) WHERE row = 4 /* every workspace: damage */",
        "UPDATE event SET facts = x'ff' WHERE row = 4 /* every workspace: damage */",
        "DELETE FROM event WHERE row = 4 /* every workspace: damage */",
    ] {
        let (directory, _) = one_store().await;
        in_file(directory.path(), "events.db", damage);
        without_derived(directory.path());
        match try_open(directory.path()) {
            Err(OpenError::Store(error)) => {
                assert_eq!(error.to_string(), "table event, row 4 is damaged", "{damage}");
            }
            other => panic!("{damage}: {other:?}"),
        }
    }
}

/// Views that say that another person's event is this one's show nothing and destroy nothing.
#[tokio::test]
async fn views_that_name_another_persons_event_are_damaged_views() {
    let (directory, workspace) = one_store().await;
    {
        let views = rusqlite::Connection::open(directory.path().join("views.db")).unwrap();
        let histories: Vec<(Vec<u8>, Vec<u8>)> = views
            .prepare("SELECT address_key, history FROM address /* every workspace: there is one */")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // Each one's history is the next one's.
        for (n, (key, _)) in histories.iter().enumerate() {
            let (_, history) = &histories[(n + 1) % histories.len()];
            views
                .execute(
                    "UPDATE address SET history = ?1 WHERE address_key = ?2 /* every workspace: damage */",
                    rusqlite::params![history, key],
                )
                .unwrap();
        }
    }
    let store = open(directory.path());
    for n in 0..3 {
        let subject = Subject::Address(phone(n));
        let shown = store.history(workspace, &subject, &HistoryQuery::newest(5)).await;
        assert!(matches!(shown, Err(StoreError::Corrupt { table: "address", .. })), "{shown:?}");
        let draft = of_fact(workspace, &phone(n), Fact::Erasure, 3);
        assert!(store.erase(workspace, &subject, ErasureReach::Person, draft).await.is_err());
    }
    drop(store);
    let store = open(directory.path());
    for n in 0..3 {
        let subject = Subject::Address(phone(n));
        let page = store.history(workspace, &subject, &HistoryQuery::newest(5)).await.unwrap();
        assert_eq!(page.entries.len(), if n < 2 { 2 } else { 1 });
        assert!(page.entries.iter().all(|entry| entry.evidence.is_some()), "phone {n}");
    }
}

/// A row that the views lost would make its refusal be forgotten by the next statement.
#[tokio::test]
async fn views_that_lost_a_row_take_nothing_more_about_its_person() {
    let (directory, workspace) = one_store().await;
    in_file(
        directory.path(),
        "views.db",
        "DELETE FROM address WHERE address_key = (SELECT min(address_key) FROM address) /* every workspace: damage */",
    );
    let store = open(directory.path());
    let mut failed = 0;
    for n in 0..3 {
        let draft = said(
            workspace,
            &phone(n),
            sayso_core::words::channel::Permission::Processing,
            Statement::Single,
            5,
        );
        match store.record(workspace, vec![draft]).await {
            Ok(_) => {}
            Err(StoreError::Corrupt { table: "address", .. }) => failed += 1,
            Err(error) => panic!("{error}"),
        }
        let expected = (n < 2).then_some(Reason::OptedOut);
        assert_eq!(reason(&store, workspace, &phone(n), marketing()).await, expected, "phone {n}");
    }
    assert_eq!(failed, 1);
    drop(store);
    let store = open(directory.path());
    for n in 0..3 {
        let expected = (n < 2).then_some(Reason::OptedOut);
        assert_eq!(reason(&store, workspace, &phone(n), marketing()).await, expected, "phone {n}");
        let draft = said(workspace, &phone(n), SMS, Statement::OptOut, 9);
        record(&store, workspace, draft).await;
    }
}

#[tokio::test]
async fn a_copy_of_a_running_store_is_read_as_its_ledger_is() {
    let (directory, copies) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let workspace = workspace(&store).await;
    for round in 0..6 {
        for n in 0..PEOPLE {
            let says = if (n + round) % 2 == 0 { Statement::OptOut } else { Statement::Single };
            let at = i64::try_from(round).unwrap();
            record(&store, workspace, said(workspace, &phone(n), SMS, says, at)).await;
        }
        let copy = Moment::of(directory.path(), copies.path(), &format!("copy {round}"));
        let to = tempfile::tempdir().unwrap();
        copy.put(&["master.key", "work.db", "work.db-wal"], to.path());
        copy.put(&LEDGER, to.path());
        let truth = told(&open(to.path()), workspace).await;
        drop(std::fs::remove_file(to.path().join("events.db")));
        for files in [&LEDGER[..], &VIEWS[..], &INDEX[..]] {
            copy.put(files, to.path());
        }
        assert_eq!(told(&open(to.path()), workspace).await, truth, "round {round}");
    }
}
