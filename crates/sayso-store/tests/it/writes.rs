//! Every use case that writes, met by every fault: what is acknowledged is there, what failed is
//! not, what is unknown is whole or absent, and the store opens again.
//!
//! What a store holds is told by a [`Picture`], which is the same in every store to which the same
//! was done; so there is one of before a write and one of after it, and nothing in between.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use sayso_core::address::Address;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, ImportId, ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::retraction::Role;
use sayso_core::words::channel::{Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, EvidenceText, Road};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{Change, Mode};
use sayso_plan::draft::{Draft, Subject};
use sayso_store::Store;
use sayso_store::configure::configure_now;
use sayso_store::conformance::{
    SMS, external, marketing, of_fact, phone, reason, record, said, source, workspace,
};
use sayso_store::environment::Environment;
use sayso_store::erasure::ErasureReach;
use sayso_store::sqlite::{Options, SqliteStore};
use sayso_store::store::{HistoryQuery, ProfileDraft, RetractDraft, Retraction, StoreError};

use crate::faults::{Fault, Faults};
use crate::gate::{agrees, surroundings};

const IMPORT: ImportId = ImportId::from_bytes([6; 16]);
const WHATSAPP: Permission = Permission::Messages(Channel::WhatsApp, Scope::All);

/// The use cases of a store that write events or configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    CreateWorkspace,
    Configure,
    Record,
    RecordRefusal,
    Retract,
    UpsertProfile,
    Unlink,
    Erase,
    UndoImport,
}

impl Write {
    const ALL: [Self; 9] = [
        Self::CreateWorkspace,
        Self::Configure,
        Self::Record,
        Self::RecordRefusal,
        Self::Retract,
        Self::UpsertProfile,
        Self::Unlink,
        Self::Erase,
        Self::UndoImport,
    ];

    /// Whether a full disk's reserve is there for it.
    fn takes_something_away(self) -> bool {
        matches!(self, Self::RecordRefusal | Self::Erase)
    }

    async fn run(self, store: &SqliteStore, given: &Given) -> Result<(), StoreError> {
        let workspace = given.workspace;
        match self {
            Self::CreateWorkspace => store.create_workspace("Second", Mode::Test).await.map(drop),
            Self::Configure => {
                configure_now(store, workspace, Change::Settings(Settings::default()))
                    .await
                    .map(drop)
            }
            Self::Record => {
                let drafts = [(0, SMS), (1, WHATSAPP), (2, WHATSAPP)].map(|(n, permission)| {
                    said(workspace, &phone(n), permission, Statement::Single, 5)
                });
                store.record(workspace, drafts.to_vec()).await.map(drop)
            }
            Self::RecordRefusal => {
                let drafts = [0, 1].map(|n| said(workspace, &phone(n), SMS, Statement::OptOut, 5));
                store.record(workspace, drafts.to_vec()).await.map(drop)
            }
            Self::Retract => {
                let target = RetractDraft {
                    subject: Subject::Address(phone(1)),
                    event: given.event,
                    role: Role::Other,
                    source: source(Road::Operator, "compliance"),
                    actor: Actor::Operator,
                    reason: None,
                };
                store.retract(workspace, target).await.map(drop)
            }
            Self::UpsertProfile => {
                let draft = person(&[external("u-1"), phone(1)], "city");
                store.upsert_profile(workspace, draft).await.map(drop)
            }
            Self::Unlink => store.unlink(workspace, given.profile, &phone(2)).await.map(drop),
            Self::Erase => {
                let draft = of_fact(workspace, &phone(2), Fact::Erasure, 5);
                store
                    .erase(workspace, &draft.subject.clone(), ErasureReach::Person, draft)
                    .await
                    .map(drop)
            }
            Self::UndoImport => store.undo_import(workspace, IMPORT).await.map(drop),
        }
    }
}

/// One person with an attribute.
fn person(addresses: &[Address], attribute: &str) -> ProfileDraft {
    let name = EvidenceText::parse(attribute).unwrap();
    ProfileDraft {
        profile: None,
        addresses: addresses.to_vec(),
        attributes: BTreeMap::from([(name, Some("\"Ada\"".into()))]),
        source: source(Road::Api, "test"),
        actor: Actor::Operator,
    }
}

/// What a write finds: an opt-in that an import brought, one to retract, and a person who refused.
#[derive(Clone, Copy, Debug)]
struct Given {
    workspace: WorkspaceId,
    event: EventId,
    profile: ProfileId,
}

impl Given {
    async fn to(store: &SqliteStore) -> Self {
        let workspace = workspace(store).await;
        let brought = said(workspace, &phone(0), WHATSAPP, Statement::Single, 1);
        record(store, workspace, Draft { import: Some(IMPORT), ..brought }).await;
        let single = said(workspace, &phone(1), SMS, Statement::Single, 1);
        let event = record(store, workspace, single).await.id;
        let draft = person(&[phone(2), external("u-1")], "name");
        store.upsert_profile(workspace, draft).await.unwrap();
        let made = store.find_profile(workspace, &Subject::Address(phone(2))).await.unwrap();
        record(store, workspace, said(workspace, &phone(2), SMS, Statement::OptOut, 2)).await;
        Self { workspace, event, profile: made.unwrap().id }
    }
}

/// What a store holds, in words that no random id is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Picture {
    workspaces: usize,
    settings: usize,
    undone_imports: usize,
    known_in_clear: usize,
    people: Vec<Person>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Person {
    reasons: [Option<Reason>; 2],
    events: usize,
    retracted: usize,
    with_evidence: usize,
    profile: Option<(Vec<Address>, Vec<Box<str>>)>,
}

impl Picture {
    async fn of(store: &SqliteStore, workspace_id: WorkspaceId) -> Self {
        let workspaces = store.workspaces();
        let workspace = &workspaces[&workspace_id];
        let known = store.addresses(workspace_id, None, 10).await.unwrap();
        let mut people = Vec::new();
        for address in [phone(0), phone(1), phone(2), external("u-1")] {
            people.push(Person::of(store, workspace_id, &address).await);
        }
        Self {
            workspaces: workspaces.len(),
            settings: workspace.settings.iter().count(),
            undone_imports: workspace.runtime.undone_imports.len(),
            known_in_clear: known.iter().filter(|known| known.address.is_some()).count(),
            people,
        }
    }
}

impl Person {
    async fn of(store: &SqliteStore, workspace: WorkspaceId, address: &Address) -> Self {
        let by_whatsapp = Message { channel: Channel::WhatsApp, ..marketing() };
        let reasons = [
            reason(store, workspace, address, marketing()).await,
            reason(store, workspace, address, by_whatsapp).await,
        ];
        let subject = Subject::Address(address.clone());
        let query = HistoryQuery::newest(50);
        let entries = store.history(workspace, &subject, &query).await.unwrap().entries;
        let retracted = entries.iter().filter(|entry| entry.retracted == Retraction::Retracted);
        let with_evidence = entries.iter().filter(|entry| entry.evidence.is_some());
        let profile = store.find_profile(workspace, &subject).await.unwrap().map(|profile| {
            let mut addresses = profile.addresses;
            addresses.sort();
            (addresses, profile.attributes.into_values().collect())
        });
        Self {
            reasons,
            events: entries.len(),
            retracted: retracted.count(),
            with_evidence: with_evidence.count(),
            profile,
        }
    }
}

/// Where the state stands that a write finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// In the tail, with the index in memory.
    InTheTail,
    /// In the views, with the index from its file.
    InTheViews,
}

/// A store before a write, and what becomes of it.
struct Trial {
    directory: tempfile::TempDir,
    environment: Environment,
    faults: Faults,
    words: Arc<Mutex<Vec<String>>>,
    store: Option<SqliteStore>,
    given: Given,
    name: String,
}

impl Trial {
    async fn of(write: Write, found: Found) -> Self {
        let directory = tempfile::tempdir().unwrap();
        // As large as the reserve and without taking its room: there are many stores here.
        let reserve = std::fs::File::create(directory.path().join("reserve")).unwrap();
        reserve.set_len(u64::try_from(limits::REFUSAL_RESERVE_BYTES).unwrap()).unwrap();
        let (_, environment) = surroundings();
        let (faults, words) = (Faults::default(), Arc::default());
        let store = open(&directory, &environment, &faults, &words);
        let given = Given::to(&store).await;
        let name = format!("{write:?}, found {found:?}");
        let store = Some(store);
        let mut trial = Self { directory, environment, faults, words, store, given, name };
        if found == Found::InTheViews {
            trial.close_and_open().await;
        }
        trial
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    async fn run(&self, write: Write) -> Result<(), StoreError> {
        write.run(self.store(), &self.given).await
    }

    async fn picture(&self) -> Picture {
        Picture::of(self.store(), self.given.workspace).await
    }

    /// The store holds this, and the gate index agrees with the registers.
    async fn shows(&self, expected: &Picture, when: &str) {
        assert_eq!(self.picture().await, *expected, "{}: {when}", self.name);
        agrees(self.store(), self.given.workspace, &self.environment).await;
    }

    /// The process is gone, as far as the files can tell, and another one starts.
    fn drop_and_open(&mut self) {
        drop(self.store.take());
        self.store = Some(open(&self.directory, &self.environment, &self.faults, &self.words));
    }

    async fn close_and_open(&mut self) {
        self.store().close().await.unwrap();
        self.drop_and_open();
    }

    /// The store holds this after the end of its process, and for good.
    async fn shows_after_the_end(&mut self, expected: &Picture) {
        self.drop_and_open();
        self.shows(expected, "after the process was gone").await;
        self.close_and_open().await;
        self.shows(expected, "after a clean stop").await;
        self.store().close().await.unwrap();
        drop(self.store.take());
        std::fs::remove_file(self.directory.path().join("views.db")).unwrap();
        self.drop_and_open();
        self.shows(expected, "after a rebuild").await;
    }
}

fn open(
    directory: &tempfile::TempDir,
    environment: &Environment,
    faults: &Faults,
    words: &Arc<Mutex<Vec<String>>>,
) -> SqliteStore {
    let words = Arc::clone(words);
    let options = Options {
        on_unknown_outcome: Arc::new(move |word| words.lock().unwrap().push(word.to_owned())),
        ..Options::default()
    };
    let commit = Box::new(faults.clone());
    SqliteStore::open_with(directory.path(), options, environment.clone(), commit).unwrap()
}

/// A trial of every write, on state in the tail and in the views, with the pictures of before and
/// after the write.
async fn of_every_write(check: impl AsyncFn(Write, Trial, Picture, Picture)) {
    for found in [Found::InTheTail, Found::InTheViews] {
        for write in Write::ALL {
            let model = Trial::of(write, found).await;
            let before = model.picture().await;
            model.run(write).await.unwrap();
            let after = model.picture().await;
            assert_ne!(before, after, "{write:?} changes nothing");
            check(write, Trial::of(write, found).await, before, after).await;
        }
    }
}

#[tokio::test]
async fn an_acknowledged_write_is_there_at_once_and_after_the_process_was_gone() {
    of_every_write(async |write, mut trial, before, after| {
        trial.shows(&before, "before").await;
        trial.run(write).await.unwrap();
        trial.shows(&after, "once it is answered").await;
        trial.shows_after_the_end(&after).await;
    })
    .await;
}

#[tokio::test]
async fn a_write_on_a_full_disk_leaves_nothing_unless_it_takes_something_away() {
    of_every_write(async |write, mut trial, before, after| {
        trial.faults.next(Fault::Full);
        let answer = trial.run(write).await;
        if write.takes_something_away() {
            answer.unwrap();
            trial.shows(&after, "once the reserve took it").await;
        } else {
            assert!(matches!(answer, Err(StoreError::Unwritable(_))), "{write:?}: {answer:?}");
            trial.shows(&before, "once it was refused").await;
            trial.drop_and_open();
            trial.shows(&before, "refused, after the process was gone").await;
            trial.run(write).await.unwrap();
            trial.shows(&after, "once it was said again").await;
        }
        trial.shows_after_the_end(&after).await;
    })
    .await;
}

#[tokio::test]
async fn a_write_that_was_lost_at_the_flush_is_unknown_and_leaves_nothing() {
    of_every_write(async |write, mut trial, before, after| {
        ends_as_unknown(write, &mut trial, Fault::LostAtFlush).await;
        trial.shows_after_the_end(&before).await;
        trial.run(write).await.unwrap();
        trial.shows(&after, "once it was said again").await;
        trial.shows_after_the_end(&after).await;
    })
    .await;
}

#[tokio::test]
async fn a_write_that_was_kept_at_the_flush_is_unknown_and_whole() {
    of_every_write(async |write, mut trial, _, after| {
        ends_as_unknown(write, &mut trial, Fault::KeptAtFlush).await;
        trial.shows_after_the_end(&after).await;
    })
    .await;
}

/// The write is answered as unknown, and nothing is taken after it.
async fn ends_as_unknown(write: Write, trial: &mut Trial, fault: Fault) {
    trial.faults.next(fault);
    let answer = trial.run(write).await;
    assert!(matches!(answer, Err(StoreError::Unknown)), "{write:?}: {answer:?}");
    for other in Write::ALL {
        let answer = trial.run(other).await;
        assert!(matches!(answer, Err(StoreError::Closed)), "{other:?}: {answer:?}");
    }
    trial.drop_and_open();
    assert_eq!(*trial.words.lock().unwrap(), ["the flush failed"]);
}

/// The retraction is durable before anything is folded: whatever becomes of the folding, the undoing
/// is not lost, and saying it again or starting again finishes it.
#[tokio::test]
async fn an_undoing_that_was_cut_short_is_finished_when_it_is_repeated_or_at_the_next_start() {
    for found in [Found::InTheTail, Found::InTheViews] {
        let write = Write::UndoImport;
        let model = Trial::of(write, found).await;
        model.run(write).await.unwrap();
        let after = model.picture().await;
        for fault in [Fault::Full, Fault::LostAtFlush, Fault::KeptAtFlush] {
            let mut trial = Trial::of(write, found).await;
            trial.faults.next(fault);
            trial.faults.next(Fault::Later);
            assert!(trial.run(write).await.is_err(), "{fault:?}");
            trial.shows_after_the_end(&after).await;
        }
        let mut trial = Trial::of(write, found).await;
        trial.faults.next(Fault::Full);
        trial.faults.next(Fault::Later);
        assert!(trial.run(write).await.is_err());
        trial.run(write).await.unwrap();
        trial.shows(&after, "once it was repeated").await;
        trial.shows_after_the_end(&after).await;
    }
}
