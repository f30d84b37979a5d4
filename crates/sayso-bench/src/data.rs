//! The store that is measured: its workspace, and everybody in it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use sayso_core::id::WorkspaceId;
use sayso_core::words::channel::{Category, Channel, Permission, Scope};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::workspace::{Change, Mode, Sender, Topic};
use sayso_plan::draft::Draft;
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::environment::Environment;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{Recorded, StoreError};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::people::{Detail, NOTICE, People, SENDERS, TOPICS, sender, topic};

/// People of one batch: about 1,200 events.
const PEOPLE_AT_ONCE: u64 = 512;
/// Batches under way.
const BATCHES: usize = 4;
/// How often a store that is busy is asked again: for two minutes.
const TRIES: u32 = 60_000;

/// A directory with a store.
#[derive(Clone, Debug)]
pub(crate) struct Data {
    /// Where.
    pub(crate) directory: PathBuf,
    /// The one workspace in it.
    pub(crate) workspace: WorkspaceId,
}

/// What an event takes in the ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowBytes {
    /// The clear facts.
    pub(crate) facts: usize,
    /// The sealed part.
    pub(crate) sealed: usize,
}

impl RowBytes {
    /// All columns together: keys, ids, hashes and times besides.
    pub(crate) const fn total(self) -> usize {
        8 + 8 + 16 + 16 + 8 + 32 + 32 + self.facts + self.sealed
    }
}

/// Opens the store of a directory in this process.
pub(crate) fn open(directory: &Path) -> Result<Arc<SqliteStore>> {
    Ok(Arc::new(SqliteStore::open(directory, Options::default(), Environment::system())?))
}

/// Makes a store with a workspace, and nobody in it.
pub(crate) async fn furnish(directory: PathBuf, detail: Detail) -> Result<Data> {
    let store = open(&directory)?;
    let workspace = store.create_workspace("Benchmark", Mode::Test).await?.id;
    for change in changes(detail)? {
        configure_now(&*store, workspace, change).await?;
    }
    store.close().await?;
    Ok(Data { directory, workspace })
}

fn changes(detail: Detail) -> Result<Vec<Change>> {
    let everything = |channel| Permission::Messages(channel, Scope::All);
    let mut changes = vec![
        Change::NoticeName(NOTICE, "Messages from the shop".into()),
        Change::Notice(Notice {
            id: NOTICE,
            version: 1,
            language: Language::parse("en")?,
            text: "Yes, the shop may send me news. I can stop at any time.".into(),
            names: vec![everything(Channel::Sms), everything(Channel::WhatsApp)],
        }),
    ];
    if detail == Detail::Plain {
        return Ok(changes);
    }
    for channel in [Channel::Sms, Channel::WhatsApp] {
        changes.extend((0..SENDERS).map(|number| {
            let name = format!("{channel} {number}").into();
            let address = format!("+1555010010{number}").into();
            Change::Sender(
                sender(channel, number),
                Sender {
                    channel,
                    name,
                    address,
                    deleted_at: None,
                    connection: None,
                    question: None,
                },
            )
        }));
    }
    changes.extend((0..TOPICS).map(|number| {
        let name = format!("Topic {number}").into();
        Change::Topic(
            topic(number),
            Topic { name, category: Category::Marketing, code: None, deleted_at: None },
        )
    }));
    Ok(changes)
}

/// Puts everybody into a store; gives the number of events.
pub(crate) fn fill(data: &Data, people: &People) -> Result<u64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = open(&data.directory)?;
        let mut batches: JoinSet<Result<()>> = JoinSet::new();
        for from in (0..people.contacts).step_by(usize::try_from(PEOPLE_AT_ONCE)?) {
            if batches.len() >= BATCHES
                && let Some(done) = batches.join_next().await
            {
                done??;
            }
            let range = from..(from + PEOPLE_AT_ONCE).min(people.contacts);
            if from / 1_000_000 != range.end / 1_000_000 {
                eprintln!("  {} of {} people are loaded", range.end, people.contacts);
            }
            batches.spawn(put(Arc::clone(&store), people.clone(), data.workspace, range));
        }
        while let Some(done) = batches.join_next().await {
            done??;
        }
        let events = store.health().events;
        store.close().await?;
        Ok(events)
    })
}

async fn put(
    store: Arc<SqliteStore>,
    people: People,
    workspace: WorkspaceId,
    range: Range<u64>,
) -> Result<()> {
    let drafts = people.drafts(range, workspace)?;
    record(&store, workspace, &drafts).await.map(|_| ())
}

/// Records drafts, coming back while the store says that it is busy; gives how often it said so.
pub(crate) async fn record(
    store: &SqliteStore,
    workspace: WorkspaceId,
    drafts: &[Draft],
) -> Result<(Vec<Recorded>, u32)> {
    for times in 0..TRIES {
        match store.record(workspace, drafts.to_vec()).await {
            Err(StoreError::Busy) => sleep(Duration::from_millis(2)).await,
            recorded => return Ok((recorded?, times)),
        }
    }
    Err(StoreError::Busy).context("the store stayed busy")
}

/// What the events of a store take on average, from the first 10,000 of them.
pub(crate) fn row_bytes(directory: &Path) -> Result<RowBytes> {
    let ledger = open_file(&directory.join("events.db"))?;
    let (facts, sealed): (Option<f64>, Option<f64>) = ledger.query_row(
        "SELECT avg(length(facts)), avg(length(sealed)) FROM event WHERE row <= 10000",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let whole = |average: Option<f64>| -> Result<usize> {
        let text = format!("{:.0}", average.context("the ledger is empty")?);
        Ok(text.parse()?)
    };
    let bytes = RowBytes { facts: whole(facts)?, sealed: whole(sealed)? };
    ensure!(bytes.sealed > 100, "events of {} sealed bytes hold no evidence", bytes.sealed);
    Ok(bytes)
}

/// Opens one of the store's files for reading.
pub(crate) fn open_file(path: &Path) -> Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| path.display().to_string())
}
