//! Changes that were planned on what is no longer so.

use std::sync::Arc;

use futures_util::future::join_all;
use sayso_core::gate::sender_health::{HealthCause, HealthLevel, Says, Signal};
use sayso_core::id::{ImportId, NoticeId, SenderId, TopicId, WorkspaceId};
use sayso_core::words::channel::Category;
use sayso_core::words::notice::{Language, Notice};
use sayso_core::words::statement::Statement;

use super::build::{SMS, at, known, phone, record, said, workspace};
use crate::Store;
use crate::configure::{Configured, Plan, configure_now, revise};
use crate::store::StoreError;
use sayso_core::workspace::{Change, HeldOf, HeldRefusals, RuntimeFact, Topic, Workspace};

const GROUP: ImportId = ImportId::from_bytes([7; 16]);
const SENDER: SenderId = SenderId::from_bytes([8; 16]);

fn now(store: &dyn Store, workspace: WorkspaceId) -> Arc<Workspace> {
    Arc::clone(&store.workspaces()[&workspace])
}

fn topic(n: u8, name: &str) -> Change {
    let topic =
        Topic { name: name.into(), category: Category::Marketing, code: None, deleted_at: None };
    Change::Topic(TopicId::from_bytes([n; 16]), topic)
}

fn notice(text: &str) -> Change {
    Change::Notice(Notice {
        id: NoticeId::from_bytes([1; 16]),
        version: 1,
        language: Language::parse("en").unwrap(),
        text: text.into(),
        names: vec![SMS],
    })
}

/// Nothing is written over the work of somebody who was faster.
pub async fn a_change_planned_on_what_has_moved_is_not_applied(store: &dyn Store) {
    let workspace = workspace(store).await;
    let read = now(store, workspace).revision;
    let first = store.configure(workspace, read, topic(1, "first")).await.unwrap();
    let first = first.changed().unwrap();
    assert!(first.revision > read);
    let late = store.configure(workspace, read, topic(1, "late")).await.unwrap();
    let Configured::Moved(moved) = late else { panic!("{late:?}") };
    assert_eq!(moved.revision, first.revision);
    assert_eq!(&*moved.topics[&TopicId::from_bytes([1; 16])].name, "first");
    assert_eq!(now(store, workspace).revision, first.revision);
    let again = store.configure(workspace, moved.revision, topic(1, "late")).await.unwrap();
    assert_eq!(&*again.changed().unwrap().topics[&TopicId::from_bytes([1; 16])].name, "late");
}

/// Of changes that wait in one queue, planned on one state, the first alone is applied: two texts never
/// share a version.
pub async fn of_changes_queued_together_on_one_revision_one_is_applied(store: &dyn Store) {
    let workspace = workspace(store).await;
    let read = now(store, workspace).revision;
    let texts: Vec<String> = (0..16).map(|n| format!("Text {n}")).collect();
    let asked = texts.iter().map(|text| store.configure(workspace, read, notice(text)));
    let mut applied = Vec::new();
    for (text, answer) in texts.iter().zip(join_all(asked).await) {
        match answer.unwrap() {
            Configured::Changed(_) => applied.push(text.as_str()),
            Configured::Moved(moved) => assert!(moved.revision > read),
        }
    }
    let kept = now(store, workspace);
    let kept = kept.notices[&NoticeId::from_bytes([1; 16])].versions.values();
    assert_eq!(kept.map(|notice| &*notice.text).collect::<Vec<_>>(), applied);
    assert_eq!(applied.len(), 1);
}

/// Whoever plans again on what has become of it gets through, and nobody's change is lost.
pub async fn changes_that_are_planned_again_are_all_applied(store: &dyn Store) {
    let workspace = workspace(store).await;
    let id = TopicId::from_bytes([1; 16]);
    configure_now(store, workspace, topic(1, "")).await.unwrap();
    let add = |letter: u8| {
        revise(store, workspace, move |known| {
            let name = format!("{}{}", known.topics[&id].name, char::from(letter));
            Ok::<_, StoreError>(Plan::Changes(topic(1, &name), ()))
        })
    };
    for answer in join_all((b'a'..=b'p').map(add)).await {
        answer.unwrap();
    }
    let mut letters: Vec<u8> = now(store, workspace).topics[&id].name.bytes().collect();
    letters.sort_unstable();
    assert_eq!(letters, (b'a'..=b'p').collect::<Vec<_>>());
}

/// What providers tell rests on no plan: it is never refused, and refuses no plan.
pub async fn what_is_told_moves_no_revision_and_waits_for_none(store: &dyn Store) {
    let workspace = workspace(store).await;
    let read = now(store, workspace).revision;
    let signal = |minutes| {
        let says = Says::Level(HealthLevel::Red);
        let signal = Signal::new(HealthCause::Quality, says, at(minutes), "FLAGGED");
        RuntimeFact::Signal(SENDER, signal)
    };
    let told = store.note(workspace, signal(1)).await.unwrap().changed().unwrap();
    assert_eq!(told.revision, read);
    let planned = store.configure(workspace, read, topic(1, "t")).await.unwrap();
    assert!(planned.changed().is_some(), "a signal is in nobody's way");
    let late = store.note(workspace, signal(2)).await.unwrap();
    assert_eq!(late.changed().unwrap().runtime.signals[&SENDER].newest().count(), 2);
}

#[expect(clippy::fn_params_excessive_bools, reason = "it is confirmed or it isn't")]
fn held(confirmed: bool) -> RuntimeFact {
    let confirmed_at = confirmed.then_some(at(9));
    let held =
        HeldRefusals { of: HeldOf::Sender(SENDER), since: at(0), opened_at: at(1), confirmed_at };
    RuntimeFact::HeldRefusals(GROUP, held)
}

/// Held refusals are decided once: whoever comes second hears so.
pub async fn a_group_of_held_refusals_is_decided_once(store: &dyn Store) {
    for confirms in [true, false] {
        let workspace = workspace(store).await;
        store.note(workspace, held(false)).await.unwrap();
        if confirms {
            assert!(store.note(workspace, held(true)).await.unwrap().changed().is_some());
            let undone = store.undo_import(workspace, GROUP).await;
            assert!(matches!(undone, Err(StoreError::Decided)), "{undone:?}");
            assert!(!now(store, workspace).runtime.undone_imports.contains(&GROUP));
        } else {
            store.undo_import(workspace, GROUP).await.unwrap();
            let late = store.note(workspace, held(true)).await.unwrap();
            assert!(late.changed().is_none());
            store.undo_import(workspace, GROUP).await.unwrap();
        }
    }
}

/// A refusal joins no group that somebody decided: it would be left out, or confirmed, unseen.
pub async fn no_refusal_joins_a_group_that_was_decided(store: &dyn Store) {
    for confirms in [true, false] {
        let workspace = workspace(store).await;
        store.note(workspace, held(false)).await.unwrap();
        let joins = |n| {
            let mut draft = said(workspace, &phone(n), SMS, Statement::OptOut, 1);
            draft.import = Some(GROUP);
            draft
        };
        record(store, workspace, joins(1)).await;
        if confirms {
            store.note(workspace, held(true)).await.unwrap();
        } else {
            store.undo_import(workspace, GROUP).await.unwrap();
        }
        let late = store.record(workspace, vec![joins(2)]).await;
        assert!(matches!(late, Err(StoreError::Decided)), "{late:?}");
        assert!(known(store, workspace, &phone(2)).await.is_empty());
        assert_eq!(known(store, workspace, &phone(1)).await.is_empty(), !confirms);
        // The same event again is the first one, whatever became of its group.
        store.record(workspace, vec![joins(1)]).await.unwrap();
    }
}

/// Of one sender and day one group is open, however many open it.
pub async fn one_group_of_a_sender_and_day_is_open(store: &dyn Store) {
    let workspace = workspace(store).await;
    let open = |n: u8| {
        let held = HeldRefusals {
            of: HeldOf::Sender(SENDER),
            since: at(0),
            opened_at: at(1),
            confirmed_at: None,
        };
        store.note(workspace, RuntimeFact::HeldRefusals(ImportId::from_bytes([n; 16]), held))
    };
    let answers = join_all((1..=8).map(open)).await;
    let opened = answers.into_iter().filter_map(|answer| answer.unwrap().changed());
    assert_eq!(opened.count(), 1);
    assert_eq!(now(store, workspace).runtime.held_refusals.len(), 1);
}
