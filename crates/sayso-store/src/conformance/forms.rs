//! Old and second forms of one number are one line for refusals (rules 1 and 13).

use sayso_core::address::Address;
use sayso_core::address::phone::Phone;
use sayso_core::gate::reason::Reason;
use sayso_core::state::guard::Guard;
use sayso_core::state::status::Status;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::words::channel::{Channel, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;

use super::build::{SMS, known, marketing, of_fact, phone, reason, record, said, workspace};
use crate::Store;
use crate::erasure::ErasureReach;
use crate::store::{AudienceCursor, AudienceQuery, Moment};
use sayso_plan::draft::Subject;

const OPTED_OUT: Option<Reason> = Some(Reason::OptedOut);

fn number(digits: u64) -> Address {
    Address::Phone(Phone::from_digits(digits).unwrap())
}

/// Today's number, and a form of it under which a store may hold a refusal: Brazil without the ninth
/// digit, Argentina without its 9, Benin with eight digits, Gabon with seven.
fn lines() -> [(Address, Address); 4] {
    let pair = |today, other| (number(today), number(other));
    [
        pair(5_531_988_887_777, 553_188_887_777),
        pair(5_491_123_456_789, 541_123_456_789),
        pair(2_290_197_123_456, 22_997_123_456),
        pair(24_177_123_456, 2_417_123_456),
    ]
}

/// A refusal that is stored under another form denies, alone and among many, in whatever order it and
/// the opt-in came; and today's opt-in is none of the other form's.
pub async fn a_refusal_under_another_form_of_the_number_denies(store: &dyn Store) {
    for (today, other) in lines() {
        for refusal_first in [true, false] {
            let workspace = workspace(store).await;
            let mut both = [
                said(workspace, &today, SMS, Statement::Single, 1),
                said(workspace, &other, SMS, Statement::OptOut, 2),
            ];
            if refusal_first {
                both.reverse();
            }
            let [first, second] = both;
            record(store, workspace, first).await;
            record(store, workspace, second).await;
            assert_eq!(reason(store, workspace, &today, marketing()).await, OPTED_OUT, "{today:?}");
            assert_eq!(reason(store, workspace, &other, marketing()).await, OPTED_OUT);
            let registers = known(store, workspace, &today).await;
            assert!(!registers.is_empty());
            let audience = AudienceQuery {
                channel: Channel::Sms,
                scope: Scope::All,
                status: Status::OptedIn,
                message: marketing(),
                moment: Moment::Now,
            };
            let mut after = Some(AudienceCursor::default());
            while let Some(cursor) = after {
                let page = store.audience(workspace, &audience, cursor).await.unwrap();
                assert!(page.members.is_empty(), "nobody may be written to");
                after = page.next;
            }
        }
    }
}

/// An opt-in, and what is no refusal of the person, stays with the form it was said of.
pub async fn an_opt_in_never_crosses_to_another_form(store: &dyn Store) {
    for (today, other) in lines() {
        let workspace = workspace(store).await;
        record(store, workspace, said(workspace, &other, SMS, Statement::Single, 1)).await;
        assert_eq!(
            reason(store, workspace, &today, marketing()).await,
            Some(Reason::NoOptIn),
            "{today:?}"
        );
        record(store, workspace, said(workspace, &today, SMS, Statement::Single, 2)).await;
        let blocked = |suppression| Fact::Suppression(suppression, Cover::default(), Switched::On);
        let invalid = of_fact(workspace, &other, blocked(Suppression::Invalid), 3);
        record(store, workspace, invalid).await;
        assert_eq!(
            reason(store, workspace, &today, marketing()).await,
            None,
            "invalid is the form"
        );
        let complaint = of_fact(workspace, &other, blocked(Suppression::Complaint), 4);
        record(store, workspace, complaint).await;
        assert_eq!(
            reason(store, workspace, &today, marketing()).await,
            Some(Reason::Suppressed),
            "{today:?}"
        );
    }
}

/// What is known of a form by its hash alone refuses for today's number; a later opt-in there lifts it
/// there alone; and numbers without other forms are answered as ever.
pub async fn a_hash_of_another_form_denies(store: &dyn Store) {
    for (today, other) in lines() {
        let workspace = workspace(store).await;
        record(store, workspace, said(workspace, &today, SMS, Statement::Single, 1)).await;
        record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
        let mut hashed = said(workspace, &other, SMS, Statement::OptOut, 2);
        hashed.subject = Subject::Hash(other.hash());
        record(store, workspace, hashed).await;
        assert_eq!(reason(store, workspace, &today, marketing()).await, OPTED_OUT, "{today:?}");
        assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
        record(store, workspace, said(workspace, &today, SMS, Statement::Single, 3)).await;
        assert_eq!(reason(store, workspace, &today, marketing()).await, None);
        assert_eq!(reason(store, workspace, &other, marketing()).await, OPTED_OUT);
    }
}

/// What a store holds of a person under an old form of their number goes with the person.
pub async fn an_erasure_takes_the_old_forms_along(store: &dyn Store) {
    let workspace = workspace(store).await;
    let [(today, old), (mobile, second), ..] = lines();
    for address in [&today, &old, &mobile, &second] {
        record(store, workspace, said(workspace, address, SMS, Statement::Single, 1)).await;
    }
    for address in [&today, &mobile] {
        let erasure = of_fact(workspace, address, Fact::Erasure, 2);
        store
            .erase(workspace, &Subject::Address(address.clone()), ErasureReach::Person, erasure)
            .await
            .unwrap();
    }
    let secret = store.workspaces()[&workspace].secret.clone();
    for (address, is_kept) in [(&today, false), (&old, false), (&mobile, false), (&second, true)] {
        let found = store.find_address(workspace, address.key(&secret)).await.unwrap();
        assert_eq!(found.is_some(), is_kept, "{address:?}");
    }
}

/// What is typed by nobody knows whom lifts no refusal of another form either.
pub async fn a_guard_sees_what_another_form_refuses(store: &dyn Store) {
    for (today, other) in lines() {
        let workspace = workspace(store).await;
        record(store, workspace, said(workspace, &other, SMS, Statement::OptOut, 1)).await;
        let mut typed = said(workspace, &today, SMS, Statement::Single, 2);
        typed.guard = Guard::LiftsNothing(marketing());
        let recorded = record(store, workspace, typed).await;
        assert_eq!(recorded.fact, Fact::Consent(SMS, Statement::Pending), "{today:?}");
        assert_eq!(reason(store, workspace, &today, marketing()).await, OPTED_OUT);
    }
}
