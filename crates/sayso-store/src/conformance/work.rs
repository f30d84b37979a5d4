//! What is neither event nor derived: rejects and look-ups.

use sayso_core::id::{KeyId, ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::words::source::Road;

use super::build::{phone, workspace};
use crate::Store;
use crate::look_up::{LookUp, LookUpDraft, LookUpQuery, LookedUp};
use crate::reject::{Extent, Reject, RejectBody, RejectDraft, RejectFault, RejectQuery};
use crate::store::StoreError;

/// A statement that `source` sent and that was refused with `code`.
pub fn refused(source: &str, code: &str, body: &str) -> RejectDraft {
    RejectDraft {
        road: Road::Api,
        source: source.into(),
        line: None,
        code: code.into(),
        faults: vec![RejectFault::new("/phone", code, "is too short", Some("+15550100001"))],
        body: RejectBody::of(body.as_bytes()),
    }
}

/// The key `n` looks up an address and a profile.
pub fn looked_up(key: u8, asked: &[LookedUp]) -> LookUpDraft {
    LookUpDraft {
        api_key: Some(KeyId::from_bytes([key; 16])),
        route: "GET /v1/profiles".into(),
        request: format!("req_{key}").into(),
        asked: asked.to_vec(),
    }
}

async fn every_reject(
    store: &dyn Store,
    workspace: WorkspaceId,
    query: &RejectQuery,
    items: usize,
) -> Vec<Reject> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let page = store.rejects(workspace, &query, items).await.unwrap();
        assert!(page.rejects.len() == items || page.next.is_none(), "only the last page is short");
        found.extend(page.rejects);
        query.after = Some(match page.next {
            Some(next) => next,
            None => return found,
        });
    }
}

fn bodies(rejects: &[Reject]) -> Vec<&str> {
    rejects.iter().map(|reject| reject.draft.body.text()).collect()
}

async fn every_look_up(
    store: &dyn Store,
    workspace: WorkspaceId,
    asked: Option<LookedUp>,
    items: usize,
) -> Vec<LookUp> {
    let (mut query, mut found) = (LookUpQuery { asked, after: None }, Vec::new());
    loop {
        let page = store.look_ups(workspace, &query, items).await.unwrap();
        assert!(page.look_ups.len() == items || page.next.is_none(), "only the last page is short");
        found.extend(page.look_ups);
        query.after = Some(match page.next {
            Some(next) => next,
            None => return found,
        });
    }
}

/// A reject is read as it was kept: with its source, line, faults and the beginning of what was sent.
pub async fn a_reject_is_kept_as_it_was_sent(store: &dyn Store) {
    let workspace = workspace(store).await;
    let long = "ü".repeat(limits::REJECT_BODY_BYTES_MAX);
    let mut draft = refused("imp_1", "invalid-phone", &long);
    draft.road = Road::Import;
    draft.line = Some(7);
    store.keep_rejects(workspace, vec![draft.clone()]);
    let found = every_reject(store, workspace, &RejectQuery::default(), 10).await;
    assert_eq!(found.iter().map(|reject| &reject.draft).collect::<Vec<_>>(), [&draft]);
    assert_eq!(found[0].draft.body.extent(), Extent::Beginning);
    assert!(long.starts_with(found[0].draft.body.text()));
}

/// Rejects come the newest first, each on one page, by source and by code if that is asked for.
pub async fn rejects_are_read_newest_first_by_source_and_code(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 0..7 {
        let (source, code) = (["shop", "crm"][n % 2], ["not-json", "invalid-phone"][n / 4]);
        store.keep_rejects(workspace, vec![refused(source, code, &n.to_string())]);
    }
    let found = async |source: Option<&str>, code: Option<&str>| {
        let query =
            RejectQuery { source: source.map(Box::from), code: code.map(Box::from), after: None };
        let found = every_reject(store, workspace, &query, 2).await;
        let ids: std::collections::BTreeSet<_> = found.iter().map(|reject| reject.id).collect();
        assert_eq!(ids.len(), found.len());
        bodies(&found).join("")
    };
    assert_eq!(found(None, None).await, "6543210");
    assert_eq!(found(Some("shop"), None).await, "6420");
    assert_eq!(found(None, Some("not-json")).await, "3210");
    assert_eq!(found(Some("crm"), Some("invalid-phone")).await, "5");
    assert_eq!(found(Some("nobody"), None).await, "");
}

/// A workspace has so many rejects and no more; another's are not counted, and not seen.
pub async fn the_oldest_rejects_of_a_workspace_go_first(store: &dyn Store) {
    let (one, two) = (workspace(store).await, workspace(store).await);
    store.keep_rejects(two, vec![refused("shop", "not-json", "theirs")]);
    let more = 3;
    let drafts = (0..limits::REJECTS_PER_WORKSPACE_MAX + more)
        .map(|n| refused("shop", "not-json", &n.to_string()));
    store.keep_rejects(one, drafts.collect());
    let found = every_reject(store, one, &RejectQuery::default(), 500).await;
    assert_eq!(found.len(), limits::REJECTS_PER_WORKSPACE_MAX);
    assert_eq!(found.last().unwrap().draft.body.text(), more.to_string());
    let theirs = every_reject(store, two, &RejectQuery::default(), 500).await;
    assert_eq!(bodies(&theirs), ["theirs"]);
}

/// A look-up is found once it is noted, by each of those it was about, the newest first.
pub async fn a_look_up_is_found_by_everybody_it_was_about(store: &dyn Store) {
    let workspace = workspace(store).await;
    let secret = store.workspaces()[&workspace].secret.clone();
    let ada = LookedUp::Address(phone(1).key(&secret));
    let bob = LookedUp::Address(phone(2).key(&secret));
    // The same 16 bytes as the address key, and another thing.
    let profile = LookedUp::Profile(ProfileId::from_bytes(*phone(1).key(&secret).as_bytes()));
    store.note_look_up(workspace, looked_up(1, &[ada])).await.unwrap();
    store.note_look_up(workspace, looked_up(2, &[bob, profile])).await.unwrap();
    let mut operator = looked_up(3, &[ada]);
    operator.api_key = None;
    store.note_look_up(workspace, operator).await.unwrap();
    store.note_look_up(workspace, looked_up(4, &[LookedUp::Many])).await.unwrap();

    let found = every_look_up(store, workspace, None, 1).await;
    let asked: Vec<LookedUp> = found.iter().map(|look_up| look_up.asked).collect();
    assert_eq!(asked, [LookedUp::Many, ada, profile, bob, ada]);
    let keys = async |asked| {
        let found = every_look_up(store, workspace, Some(asked), 1).await;
        assert!(found.iter().all(|look_up| look_up.asked == asked));
        found.iter().map(|look_up| look_up.api_key).collect::<Vec<_>>()
    };
    let key = |n| Some(KeyId::from_bytes([n; 16]));
    assert_eq!(keys(ada).await, [None, key(1)]);
    assert_eq!(keys(bob).await, [key(2)]);
    assert_eq!(keys(profile).await, [key(2)]);
    assert_eq!(keys(LookedUp::Many).await, [key(4)]);
    assert_eq!((&*found[1].route, &*found[1].request), ("GET /v1/profiles", "req_3"));
    assert!(found[0].looked_up_at >= found[4].looked_up_at);
}

/// Look-ups belong to their workspace.
pub async fn look_ups_of_another_workspace_are_not_seen(store: &dyn Store) {
    let (one, two) = (workspace(store).await, workspace(store).await);
    let asked = LookedUp::Profile(ProfileId::from_bytes([1; 16]));
    store.note_look_up(one, looked_up(1, &[asked])).await.unwrap();
    assert_eq!(every_look_up(store, one, Some(asked), 5).await.len(), 1);
    assert!(every_look_up(store, two, Some(asked), 5).await.is_empty());
    assert!(every_look_up(store, two, None, 5).await.is_empty());
    let nobody = WorkspaceId::from_bytes([1; 16]);
    let noted = store.note_look_up(nobody, looked_up(1, &[asked])).await;
    assert!(matches!(noted, Err(StoreError::NoWorkspace)));
}

/// After a close no look-up can be noted, so nobody can be shown; a reject is lost without a word.
pub async fn a_closed_store_notes_no_look_up(store: &dyn Store) {
    let workspace = workspace(store).await;
    store.close().await.unwrap();
    let asked = LookedUp::Profile(ProfileId::from_bytes([1; 16]));
    let noted = store.note_look_up(workspace, looked_up(1, &[asked])).await;
    assert!(matches!(noted, Err(StoreError::Closed)));
    store.keep_rejects(workspace, vec![refused("shop", "not-json", "{")]);
    let read = store.rejects(workspace, &RejectQuery::default(), 1).await;
    assert!(matches!(read, Err(StoreError::Closed)));
}
