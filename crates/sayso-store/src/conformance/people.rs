//! Profiles, links, processing, erasure.

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::gate::reason::Reason;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::words::channel::Permission;
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, EvidenceText, Road};
use sayso_core::words::statement::Statement;

use super::build::{
    SMS, external, known, marketing, of_fact, phone, reason, record, reported, said, source,
    workspace,
};
use crate::Store;
use crate::erasure::ErasureReach;
use crate::store::{HistoryQuery, Profile, ProfileDraft, Retracting, Upserted};
use sayso_plan::draft::Subject;

/// Minutes far beyond every receipt, to which the store cuts them.
const LATER: i64 = 60 * 24 * 365 * 50;

fn draft(addresses: &[Address], attributes: &[(&str, &str)]) -> ProfileDraft {
    ProfileDraft {
        profile: None,
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
        other @ (Upserted::Ambiguous(_) | Upserted::Full(_) | Upserted::NoProfile) => {
            panic!("not stored: {other:?}")
        }
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

/// Rule 13: an opt-out goes to addresses of the same kind; an operator's block too; processing, which
/// is the person's, to every one.
pub async fn linking_carries_by_the_kind_of_the_address(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let block = Fact::Suppression(
        sayso_core::state::suppression::Suppression::Operator,
        sayso_core::state::suppression::Cover::default(),
        sayso_core::state::suppression::Switched::On,
    );
    record(store, workspace, of_fact(workspace, &phone(1), block, 1)).await;
    record(store, workspace, refused(workspace, &external("u-1"), 1)).await;
    let email =
        Address::Email(sayso_core::address::email::Email::parse("ada@example.org").unwrap());
    upsert(store, workspace, &[external("u-1"), phone(2), email.clone()]).await;
    let (same, other) =
        (known(store, workspace, &phone(2)).await, known(store, workspace, &email).await);
    assert_eq!((same.channels().len(), other.channels().len()), (1, 0));
    assert_eq!((same.suppressions().iter().count(), other.suppressions().iter().count()), (1, 0));
    for registers in [same, other] {
        assert!(registers.processing().standing_refusal(super::build::at(9)).is_some());
    }
}

/// Rule 11: processing is the person's: a refusal by one address reaches the others, whichever was
/// linked first.
pub async fn a_processing_refusal_made_before_the_link_reaches_the_person(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    let refusal = record(store, workspace, refused(workspace, &external("u-1"), 2)).await.id;
    upsert(store, workspace, &[phone(1), external("u-1")]).await;
    let found = reason(store, workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::ProcessingRefused));
    // Rule 9: what was carried goes with what it was carried from.
    let target = crate::store::RetractDraft {
        subject: Subject::Address(external("u-1")),
        event: refusal,
        role: sayso_core::state::retraction::Role::Compliance,
        source: source(Road::Api, "conformance"),
        actor: Actor::Operator,
        reason: None,
    };
    assert!(matches!(store.retract(workspace, target).await.unwrap(), Retracting::Done(_)));
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
}

/// Unlinking takes back what the person's other addresses were told.
pub async fn unlinking_takes_back_a_processing_refusal_from_the_others(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    record(store, workspace, refused(workspace, &phone(2), 2)).await;
    let profile = upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    let found = reason(store, workspace, &phone(1), marketing()).await;
    assert_eq!(found, Some(Reason::ProcessingRefused));
    store.unlink(workspace, profile.id, &phone(2)).await.unwrap();
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
    assert!(
        known(store, workspace, &phone(2))
            .await
            .processing()
            .standing_refusal(super::build::at(9))
            .is_some()
    );
}

/// Rules 9 and 13: a refusal that is retracted is taken back where linking had carried it.
pub async fn retracting_a_refusal_takes_back_what_was_carried_from_it(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    let refusal = said(workspace, &phone(1), SMS, Statement::OptOut, 5);
    let refusal = record(store, workspace, refusal).await.id;
    record(store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 3)).await;
    upsert(store, workspace, &[external("u-1"), phone(2)]).await;
    assert_eq!(reason(store, workspace, &phone(2), marketing()).await, Some(Reason::OptedOut));
    let target = crate::store::RetractDraft {
        subject: Subject::Address(phone(1)),
        event: refusal,
        role: sayso_core::state::retraction::Role::Compliance,
        source: source(Road::Api, "conformance"),
        actor: Actor::Operator,
        reason: None,
    };
    assert!(matches!(store.retract(workspace, target).await.unwrap(), Retracting::Done(_)));
    assert_eq!(reason(store, workspace, &phone(2), marketing()).await, None);
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

/// The attributes of the profile of this address.
async fn attributes(store: &dyn Store, workspace: WorkspaceId, of: &Address) -> Vec<String> {
    let found = store.find_profile(workspace, &Subject::Address(of.clone())).await.unwrap();
    found.unwrap().attributes.values().map(ToString::to_string).collect()
}

/// How many events of this address hold attributes, and how many of those still have their personal
/// part.
async fn attribute_events(
    store: &dyn Store,
    workspace: WorkspaceId,
    of: &Address,
) -> (usize, usize) {
    let subject = Subject::Address(of.clone());
    let entries =
        store.history(workspace, &subject, &HistoryQuery::newest(50)).await.unwrap().entries;
    let of_attributes =
        || entries.iter().filter(|entry| matches!(entry.event.fact, Fact::Attributes(_)));
    (of_attributes().count(), of_attributes().filter(|entry| entry.evidence.is_some()).count())
}

async fn name_the_person(store: &dyn Store, workspace: WorkspaceId, addresses: &[Address]) {
    let named = draft(addresses, &[("name", "\"Ada\"")]);
    let answer = store.upsert_profile(workspace, named).await.unwrap();
    assert!(matches!(answer, Upserted::Profile(_)), "{answer:?}");
}

/// A refusal of processing, by an act, at this minute.
fn refused(workspace: WorkspaceId, address: &Address, minutes: i64) -> sayso_plan::draft::Draft {
    said(workspace, address, Permission::Processing, Statement::OptOut, minutes)
}

/// Rule 11: what was kept before the refusal is discarded, whether it was said before or after the
/// day of the refusal; a lift brings none back, and what is said after it is kept again.
pub async fn a_refusal_of_processing_destroys_the_attributes_that_were_kept(store: &dyn Store) {
    let workspace = workspace(store).await;
    for (n, minutes) in [(1, -1_000_000), (2, LATER)] {
        let person = [external(&format!("u-{n}")), phone(n)];
        name_the_person(store, workspace, &person).await;
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::Single, 1)).await;
        record(store, workspace, refused(workspace, &phone(n), minutes)).await;
        assert!(attributes(store, workspace, &phone(n)).await.is_empty());
        assert_eq!(attribute_events(store, workspace, &person[0]).await, (1, 0));
        let subject = Subject::Address(phone(n));
        let entries =
            store.history(workspace, &subject, &HistoryQuery::newest(50)).await.unwrap().entries;
        assert!(entries.iter().all(|entry| entry.address.is_some()), "the consent facts stay");
        let lift = said(workspace, &phone(n), Permission::Processing, Statement::Confirmed, LATER);
        record(store, workspace, lift).await;
        assert!(attributes(store, workspace, &phone(n)).await.is_empty());
        name_the_person(store, workspace, &person).await;
        assert_eq!(attributes(store, workspace, &phone(n)).await, ["\"Ada\""]);
    }
}

/// Rules 7 and 11: a refusal older than the act that lifts it refuses nothing, whenever it comes.
pub async fn a_refusal_that_was_lifted_before_it_came_discards_nothing(store: &dyn Store) {
    let workspace = workspace(store).await;
    name_the_person(store, workspace, &[external("u-1"), phone(1)]).await;
    let lift = said(workspace, &phone(1), Permission::Processing, Statement::Single, 5);
    record(store, workspace, lift).await;
    record(store, workspace, refused(workspace, &phone(1), 3)).await;
    assert_eq!(attributes(store, workspace, &phone(1)).await, ["\"Ada\""]);
}

/// Rules 9 and 11: once the act that lifted a refusal is retracted, the refusal stands again.
pub async fn a_refusal_that_stands_again_destroys_what_was_kept_meanwhile(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    record(store, workspace, refused(workspace, &phone(1), 1)).await;
    let lift = said(workspace, &phone(1), Permission::Processing, Statement::Single, 2);
    let lift = record(store, workspace, lift).await.id;
    name_the_person(store, workspace, &[external("u-1")]).await;
    let retraction = Fact::Retraction(sayso_core::words::event::Retracted::Event(lift));
    record(store, workspace, of_fact(workspace, &phone(1), retraction, 3)).await;
    assert!(attributes(store, workspace, &phone(1)).await.is_empty());
    assert_eq!(attribute_events(store, workspace, &external("u-1")).await, (1, 0));
}

/// Rules 11 and 13: who is known by an address that refuses processing has no attributes kept.
pub async fn linking_an_address_that_refuses_processing_discards_attributes(store: &dyn Store) {
    let workspace = workspace(store).await;
    name_the_person(store, workspace, &[external("u-1"), phone(1)]).await;
    record(store, workspace, refused(workspace, &phone(2), 1)).await;
    let answer = store
        .upsert_profile(workspace, draft(&[external("u-1"), phone(2)], &[("name", "\"Eve\"")]));
    let answer = answer.await.unwrap();
    assert!(matches!(answer, Upserted::ProcessingRefused(ref of) if of.attributes.is_empty()));
    assert_eq!(attribute_events(store, workspace, &external("u-1")).await, (1, 0));
}

/// Rule 11: attributes that came with an address are kept when it leaves, and destroyed with the
/// others when processing is refused, wherever they were said.
pub async fn attributes_that_came_with_an_address_that_left_are_destroyed_too(store: &dyn Store) {
    let workspace = workspace(store).await;
    name_the_person(store, workspace, &[phone(1), phone(2)]).await;
    let before = store.find_profile(workspace, &Subject::Address(phone(2))).await.unwrap().unwrap();
    store.unlink(workspace, before.id, &phone(1)).await.unwrap();
    assert_eq!(attributes(store, workspace, &phone(2)).await, ["\"Ada\""]);
    assert_eq!(attribute_events(store, workspace, &phone(1)).await, (1, 0));
    record(store, workspace, refused(workspace, &phone(2), 1)).await;
    assert!(attributes(store, workspace, &phone(2)).await.is_empty());
    assert_eq!(attribute_events(store, workspace, &phone(2)).await, (1, 0));
}

/// Rule 17: what was said of a person through an address that others share goes with the person;
/// the address stays with the others.
pub async fn erasure_destroys_attributes_under_an_address_that_others_share(store: &dyn Store) {
    let workspace = workspace(store).await;
    name_the_person(store, workspace, &[phone(1), external("u-1")]).await;
    let other = upsert(store, workspace, &[external("u-2"), phone(1)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let subject = Subject::Address(external("u-1"));
    store
        .erase(
            workspace,
            &subject,
            ErasureReach::Person,
            of_fact(workspace, &external("u-1"), Fact::Erasure, 2),
        )
        .await
        .unwrap();
    assert_eq!(attribute_events(store, workspace, &phone(1)).await, (1, 0));
    let kept = store.find_profile(workspace, &Subject::Address(phone(1))).await.unwrap().unwrap();
    assert_eq!(kept.id, other.id);
    assert!(kept.addresses.contains(&phone(1)));
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
}

/// Rules 17 and 22: an erasure that reaches no further than its address leaves what is linked with it.
pub async fn erasure_of_an_address_leaves_the_others_of_the_person(store: &dyn Store) {
    let workspace = workspace(store).await;
    let profile = upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    for n in [1, 2] {
        record(store, workspace, said(workspace, &phone(n), SMS, Statement::OptOut, 1)).await;
    }
    let erasure = of_fact(workspace, &phone(1), Fact::Erasure, 2);
    let subject = Subject::Address(phone(1));
    let erased = store.erase(workspace, &subject, ErasureReach::Address, erasure).await.unwrap();
    assert_eq!((erased.counts.addresses, erased.counts.unlinked), (1, 0));
    let kept = store.profile(workspace, profile.id).await.unwrap().unwrap();
    assert!(!kept.addresses.contains(&phone(1)) && kept.addresses.contains(&phone(2)));
    let (second, newest) = (Subject::Address(phone(2)), HistoryQuery::newest(50));
    let events = store.history(workspace, &second, &newest).await.unwrap().entries;
    assert!(events.iter().all(|entry| entry.event.fact != Fact::Erasure), "{events:?}");
    let denied = async |n| reason(store, workspace, &phone(n), marketing()).await;
    assert_eq!(denied(1).await, Some(Reason::NoOptIn), "forgotten, and nobody writes");
    assert_eq!(denied(2).await, Some(Reason::OptedOut), "what was said there is kept");
}

/// What one link or opt-out touches is bounded: a profile has so many addresses and no more.
pub async fn a_profile_has_a_bounded_number_of_addresses(store: &dyn Store) {
    let workspace = workspace(store).await;
    let most = u64::try_from(limits::ADDRESSES_PER_PROFILE_MAX).unwrap();
    let id = upsert(store, workspace, &[external("u-1")]).await.id;
    for n in 1..most {
        upsert(store, workspace, &[external("u-1"), phone(n)]).await;
    }
    let more = store.upsert_profile(workspace, draft(&[external("u-1"), phone(most)], &[])).await;
    assert_eq!(more.unwrap(), Upserted::Full(id));
    assert!(known(store, workspace, &phone(most)).await.is_empty(), "nothing was changed");
    // What is known already may be said again.
    let kept = upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    assert_eq!(kept.addresses.len(), limits::ADDRESSES_PER_PROFILE_MAX);
}

/// Rule 13: an address is linked to the profile that is named, and never taken from another.
pub async fn an_address_of_another_profile_is_not_linked_by_the_way(store: &dyn Store) {
    let workspace = workspace(store).await;
    let one = upsert(store, workspace, &[external("u-1"), phone(1)]).await;
    let two = upsert(store, workspace, &[external("u-2"), phone(2)]).await;
    let named =
        |profile, address| ProfileDraft { profile: Some(profile), ..draft(&[address], &[]) };
    for taken in [phone(2), external("u-2")] {
        let answer = store.upsert_profile(workspace, named(one.id, taken)).await.unwrap();
        assert_eq!(answer, Upserted::Ambiguous(vec![two.id]));
    }
    assert_eq!(store.profile(workspace, two.id).await.unwrap(), Some(two));
    // Shared already, it may be said again; and a shared address does not keep others away.
    upsert(store, workspace, &[external("u-1"), phone(2)]).await;
    for address in [phone(2), phone(3)] {
        let answer = store.upsert_profile(workspace, named(one.id, address)).await.unwrap();
        assert!(matches!(answer, Upserted::Profile(profile) if profile.id == one.id));
    }
    let nobody = sayso_core::id::ProfileId::from_bytes([9; 16]);
    let answer = store.upsert_profile(workspace, named(nobody, phone(4))).await.unwrap();
    assert_eq!(answer, Upserted::NoProfile);
    assert!(known(store, workspace, &phone(4)).await.is_empty());
}

/// Erasure (rule 17).
pub async fn erasure_destroys_what_is_personal_and_keeps_the_refusal(store: &dyn Store) {
    let workspace = workspace(store).await;
    let profile = upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    record(store, workspace, said(workspace, &phone(2), SMS, Statement::Single, 1)).await;
    let subject = Subject::Address(phone(1));
    store
        .erase(
            workspace,
            &subject,
            ErasureReach::Person,
            of_fact(workspace, &phone(1), Fact::Erasure, 2),
        )
        .await
        .unwrap();
    for n in [1, 2] {
        let page = store
            .history(workspace, &Subject::Address(phone(n)), &HistoryQuery::newest(50))
            .await
            .unwrap();
        assert!(!page.entries.is_empty());
        assert!(
            page.entries.iter().all(|entry| entry.address.is_none() && entry.evidence.is_none())
        );
        assert_eq!(reason(store, workspace, &phone(n), marketing()).await, Some(Reason::NoOptIn));
    }
    assert_eq!(store.profile(workspace, profile.id).await.unwrap(), None);
    let kept = known(store, workspace, &phone(1)).await;
    assert!(
        kept.register(
            sayso_core::words::channel::Channel::Sms,
            sayso_core::words::channel::Scope::All
        )
        .is_some()
    );
}

/// Erasure (rule 17) keeps the reason that it was given, says how much it destroyed, and is listed.
pub async fn an_erasure_keeps_its_reason_and_says_how_much_it_destroyed(store: &dyn Store) {
    let workspace = workspace(store).await;
    upsert(store, workspace, &[external("u-1"), phone(1), phone(2)]).await;
    upsert(store, workspace, &[external("u-2"), phone(2)]).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    let rejects = ["+1 (555) 010-0001", "{\"phone\": 15550100009}"];
    let rejects = rejects.map(|body| super::work::refused("shop", "not-json", body));
    store.keep_rejects(workspace, rejects.to_vec());
    let before = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(50))
        .await
        .unwrap();
    let mut draft = of_fact(workspace, &phone(1), Fact::Erasure, 2);
    draft.evidence.method = Some(EvidenceText::parse("ticket 7").unwrap());
    draft.evidence.ip = Some(EvidenceText::parse("203.0.113.77").unwrap());
    let erased = store
        .erase(workspace, &Subject::Address(phone(1)), ErasureReach::Person, draft.clone())
        .await
        .unwrap();
    // The phone, the id and what stands in between; the other phone is somebody else's too.
    assert_eq!((erased.counts.addresses, erased.counts.unlinked), (2, 1));
    assert_eq!((erased.counts.rejects, erased.counts.messages), (1, 0));
    assert!(erased.counts.events >= u64::try_from(before.entries.len()).unwrap());
    let page = store
        .history(workspace, &Subject::Address(phone(1)), &HistoryQuery::newest(50))
        .await
        .unwrap();
    assert!(page.entries.iter().all(|entry| entry.address.is_none()));
    let kept: Vec<_> = page.entries.iter().filter_map(|entry| entry.evidence.as_ref()).collect();
    assert_eq!(kept.len(), 1, "the reason alone");
    assert_eq!((&kept[0].method, &kept[0].ip), (&draft.evidence.method, &None));
    // Erased again, there is nothing more; the first reason stays.
    let mut again = of_fact(workspace, &phone(1), Fact::Erasure, 3);
    again.evidence.method = Some(EvidenceText::parse("ticket 8").unwrap());
    let repeated = store
        .erase(workspace, &Subject::Address(phone(1)), ErasureReach::Person, again)
        .await
        .unwrap();
    assert_eq!((repeated.counts.events, repeated.counts.rejects), (0, 0));
    let list = store.erasures(workspace, None, 50).await.unwrap();
    let reasons: Vec<String> =
        list.erasures.iter().map(|one| one.reason.as_ref().unwrap().as_str().to_owned()).collect();
    assert_eq!(reasons, ["ticket 8", "ticket 7"]);
    assert_eq!(list.erasures[1].counts, erased.counts);
    assert_eq!(list.erasures[1].event, erased.recorded.id);
    let first = store.erasures(workspace, None, 1).await.unwrap();
    assert_eq!(first.erasures[0].event, list.erasures[0].event);
    let second = store.erasures(workspace, first.next, 1).await.unwrap();
    assert_eq!(second.erasures[0].event, list.erasures[1].event);
    assert_eq!(second.next, None);
    let other = super::build::workspace(store).await;
    assert!(store.erasures(other, None, 50).await.unwrap().erasures.is_empty());
}

/// An old list imported again reaches nobody; the person may come back by an act of their own.
pub async fn an_erased_person_is_reached_by_nobody_and_may_come_back(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    let subject = Subject::Address(phone(1));
    store
        .erase(
            workspace,
            &subject,
            ErasureReach::Person,
            of_fact(workspace, &phone(1), Fact::Erasure, 2),
        )
        .await
        .unwrap();
    record(store, workspace, reported(workspace, &phone(1), Statement::Yes, LATER)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::Suppressed));
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, LATER)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
}
