//! Profiles, links, processing, erasure.

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::channel::Permission;
use sayso_core::decision::Reason;
use sayso_core::event::Fact;
use sayso_core::id::WorkspaceId;
use sayso_core::source::{Actor, EvidenceText, Road};
use sayso_core::statement::Statement;

use super::build::{
    SMS, external, known, marketing, of_fact, phone, reason, record, reported, said, source,
    workspace,
};
use crate::Store;
use crate::store::{Profile, ProfileDraft, Retracting, Subject, Upserted};

/// Minutes far beyond every receipt, to which the store cuts them.
const LATER: i64 = 60 * 24 * 365 * 50;

fn draft(addresses: &[Address], attributes: &[(&str, &str)]) -> ProfileDraft {
    ProfileDraft {
        addresses: addresses.to_vec(),
        attributes: attributes
            .iter()
            .map(|(name, value)| (EvidenceText::parse(name).unwrap(), Some((*value).into())))
            .collect(),
        source: source(Road::Api, "conformance"),
        actor: Actor::Operator,
    }
}

async fn upsert(store: &dyn Store, workspace: WorkspaceId, addresses: &[Address]) -> Profile {
    match store.upsert_profile(workspace, draft(addresses, &[])).await.unwrap() {
        Upserted::Profile(profile) | Upserted::ProcessingRefused(profile) => profile,
        Upserted::Ambiguous(profiles) => panic!("ambiguous: {profiles:?}"),
    }
}

/// A profile is one person by whichever address, and grows by upserts.
pub async fn a_profile_is_found_by_each_of_its_addresses(store: &dyn Store) {
    let workspace = workspace(store).await;
    let first = upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    let answer = store
        .upsert_profile(workspace, draft(&[external("u-1"), phone(2)], &[("name", "\"Ada\"")]));
    let Upserted::Profile(second) = answer.await.unwrap() else { panic!("not stored") };
    assert_eq!(first.id, second.id);
    assert_eq!(second.attributes.values().map(|value| &**value).collect::<Vec<_>>(), ["\"Ada\""]);
    for address in [external("u-1"), phone(1), phone(2)] {
        let found =
            store.find_profile(workspace, &Subject::Address(address.clone())).await.unwrap();
        assert_eq!(found.as_ref(), Some(&second), "{address:?}");
    }
    assert_eq!(store.profile(workspace, second.id).await.unwrap(), Some(second));
    assert_eq!(store.find_profile(workspace, &Subject::Address(phone(3))).await.unwrap(), None);
}

/// Without an external id, addresses of two people name nobody.
pub async fn several_profiles_for_one_set_of_addresses_are_ambiguous(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (a, b) =
        (upsert(store, workspace, &[phone(1)]).await, upsert(store, workspace, &[phone(2)]).await);
    assert_ne!(a.id, b.id);
    let answer = store.upsert_profile(workspace, draft(&[phone(1), phone(2)], &[])).await.unwrap();
    assert!(matches!(answer, Upserted::Ambiguous(profiles) if profiles.len() == 2));
}

/// Three profiles, one address: a refusal through one holds for all (the first of the real cases).
pub async fn an_address_of_three_profiles_refuses_for_all(store: &dyn Store) {
    let workspace = workspace(store).await;
    let mut ids = Vec::new();
    for id in ["u-1", "u-2", "u-3"] {
        ids.push(upsert(store, workspace, &[external(id), phone(1)]).await.id);
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 2)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
}

/// Scenario 24 (rule 13).
pub async fn linking_carries_refusals_and_never_an_opt_in(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 5)).await;
    record(store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 7)).await;
    record(store, workspace, said(workspace, &phone(3), SMS, Statement::Single, 3)).await;
    upsert(store, workspace, &[external("u-1"), phone(2), phone(3)]).await;
    assert_eq!(reason(store, workspace, &phone(2), marketing()).await, None);
    assert_eq!(reason(store, workspace, &phone(3), marketing()).await, Some(Reason::OptedOut));
    upsert(store, workspace, &[external("u-2"), phone(4)]).await;
    record(store, workspace, said(workspace, &phone(4), SMS, Statement::Confirmed, 1)).await;
    upsert(store, workspace, &[external("u-2"), phone(5)]).await;
    assert_eq!(reason(store, workspace, &phone(5), marketing()).await, Some(Reason::NoOptIn));
}

/// Unlinking is a retraction of the link and of what it carried.
pub async fn unlinking_takes_back_what_linking_carried(store: &dyn Store) {
    let workspace = workspace(store).await;
    let profile = upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 5)).await;
    record(store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 3)).await;
    upsert(store, workspace, &[external("u-1"), phone(2)]).await;
    assert_eq!(reason(store, workspace, &phone(2), marketing()).await, Some(Reason::OptedOut));
    let answer = store.unlink(workspace, profile.id, &phone(2)).await.unwrap();
    assert!(matches!(answer, Retracting::Done(_)));
    assert_eq!(reason(store, workspace, &phone(2), marketing()).await, None);
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
    let left = store.profile(workspace, profile.id).await.unwrap().unwrap();
    assert!(!left.addresses.contains(&phone(2)));
}

/// `gdpr_optin: false` denies every channel of every address, also of those linked later (rule 11).
pub async fn a_processing_refusal_reaches_every_address_of_the_person(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    for n in 1..4 {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
    }
    let refused = said(workspace, &external("u-1"), Permission::Processing, Statement::OptOut, 2);
    record(store, workspace, refused).await;
    upsert(store, workspace, &[external("u-1"), phone(3)]).await;
    for n in 1..4 {
        let found = reason(store, workspace, &phone(n), marketing()).await;
        assert_eq!(found, Some(Reason::ProcessingRefused), "phone {n}");
    }
    let allowed = said(workspace, &phone(1), Permission::Processing, Statement::Single, 3);
    record(store, workspace, allowed).await;
    for n in 1..4 {
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, None, "phone {n}");
    }
}

/// Refused processing stops collection: attributes are discarded (rule 11).
pub async fn attributes_are_not_kept_for_who_refused_processing(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1")]).await;
    let refused = said(workspace, &external("u-1"), Permission::Processing, Statement::OptOut, 1);
    record(store, workspace, refused).await;
    let answer = store.upsert_profile(workspace, draft(&[external("u-1")], &[("name", "\"Ada\"")]));
    let Upserted::ProcessingRefused(profile) = answer.await.unwrap() else {
        panic!("attributes kept")
    };
    assert_eq!(profile.attributes, BTreeMap::new());
}

/// Erasure (rule 17).
pub async fn erasure_destroys_what_is_personal_and_keeps_the_refusal(store: &dyn Store) {
    let workspace = workspace(store).await;
    let profile = upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    record(store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 1)).await;
    let subject = Subject::Address(phone(1));
    store
        .erase(workspace, &subject, of_fact(workspace, &phone(1), Fact::Erasure, 2))
        .await
        .unwrap();
    for n in [1, 2] {
        let page = store.history(workspace, &Subject::Address(phone(n)), None, 50).await.unwrap();
        assert!(!page.entries.is_empty());
        assert!(
            page.entries.iter().all(|entry| entry.address.is_none() && entry.evidence.is_none())
        );
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, Some(Reason::NoOptIn));
    }
    assert_eq!(store.profile(workspace, profile.id).await.unwrap(), None);
    let kept = known(store, workspace, &phone(1)).await;
    assert!(
        kept.register(sayso_core::channel::Channel::Sms, sayso_core::channel::Scope::All).is_some()
    );
}

/// An old list imported again reaches nobody; the person may come back by an act of their own.
pub async fn an_erased_person_is_reached_by_nobody_and_may_come_back(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    let subject = Subject::Address(phone(1));
    store
        .erase(workspace, &subject, of_fact(workspace, &phone(1), Fact::Erasure, 2))
        .await
        .unwrap();
    record(store, workspace, reported(workspace, &phone(1), Statement::Yes, LATER)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::Suppressed));
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, LATER)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
}
