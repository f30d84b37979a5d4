//! The gate: always what the rules say, at once.

use sayso_core::address::Address;
use sayso_core::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::decision::Reason;
use sayso_core::email::Email;
use sayso_core::event::{Fact, Switched};
use sayso_core::id::{SenderId, TopicId};
use sayso_core::settings::{ChannelDefault, Settings};
use sayso_core::statement::Statement;
use sayso_core::status::Status;
use sayso_core::suppression::{Cover, Suppression};

use super::build::{SMS, marketing, of_fact, phone, reason, record, reported, said, workspace};
use crate::Store;
use crate::configuration::Change;
use crate::store::{AudienceCursor, AudienceQuery, Subject};

/// Scopes, processing and categories decide as rule 8 has it.
pub async fn the_gate_answers_as_the_rules_do(store: &dyn Store) {
    let workspace = workspace(store).await;
    let (topic, sender) = (TopicId::from_bytes([3; 16]), SenderId::from_bytes([4; 16]));
    let on = |scope| Permission::Messages(Channel::Sms, scope);
    let email = Address::Email(Email::parse("ada@example.org").unwrap());
    let facts = [
        (phone(1), on(Scope::All), Statement::OptOut, 1),
        (phone(1), on(Scope::Topic(topic)), Statement::Single, 2),
        (phone(2), on(Scope::Topic(topic)), Statement::Single, 1),
        (phone(2), on(Scope::Sender(sender)), Statement::OptOut, 2),
        (phone(3), on(Scope::All), Statement::Single, 1),
        (phone(3), Permission::Processing, Statement::OptOut, 2),
        (phone(4), on(Scope::Category(Category::Utility)), Statement::Single, 1),
        (email.clone(), Permission::Messages(Channel::Email, Scope::All), Statement::Single, 1),
    ];
    for (address, permission, statement, minute) in &facts {
        record(store, workspace, said(workspace, address, *permission, *statement, *minute)).await;
    }
    let about = |topic| Message { topic: Some(topic), sender: Some(sender), ..marketing() };
    let utility = Message { category: Category::Utility, ..marketing() };
    let by_email = Message::ordinary(Channel::Email, Category::Marketing);
    let cases = [
        (phone(1), about(topic), None),
        (phone(1), marketing(), Some(Reason::OptedOut)),
        (phone(2), about(topic), Some(Reason::OptedOut)),
        (phone(3), marketing(), Some(Reason::ProcessingRefused)),
        (phone(4), utility, None),
        (phone(4), marketing(), Some(Reason::CategoryNotCovered)),
        (phone(5), marketing(), Some(Reason::NoOptIn)),
        (email, by_email, None),
    ];
    for (address, message, expected) in cases {
        assert_eq!(reason(store, workspace, &address, message).await, expected, "{address:?}");
    }
}

/// Who got an answer finds its effect at the gate.
pub async fn the_gate_follows_every_write_before_the_answer(store: &dyn Store) {
    let workspace = workspace(store).await;
    for round in 0..20 {
        let single = said(workspace, &phone(1), SMS, Statement::Single, round * 2);
        record(store, workspace, single).await;
        assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
        let out = said(workspace, &phone(1), SMS, Statement::OptOut, round * 2 + 1);
        record(store, workspace, out).await;
        assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
    }
}

async fn everybody_is_in_for_utility(store: &dyn Store, workspace: sayso_core::id::WorkspaceId) {
    let defaults = [(Channel::Sms, ChannelDefault::OptedIn)].into();
    let settings = Settings { defaults, ..Settings::default() };
    store.configure(workspace, Change::Settings(settings)).await.unwrap();
}

/// The dated default holds for people nobody ever heard of, and for them alone (rule 10).
pub async fn unknown_people_get_the_default(store: &dyn Store) {
    let workspace = workspace(store).await;
    let utility = Message { category: Category::Utility, ..marketing() };
    assert_eq!(reason(store, workspace, &phone(1), utility).await, Some(Reason::NoOptIn));
    everybody_is_in_for_utility(store, workspace).await;
    assert_eq!(reason(store, workspace, &phone(1), utility).await, None);
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::NoOptIn));
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::OptOut, 1)).await;
    assert_eq!(reason(store, workspace, &phone(1), utility).await, Some(Reason::OptedOut));
}

/// Scenario 34: a list of hashed refusals blocks the address whenever it turns up.
pub async fn a_hashed_refusal_meets_its_address_later(store: &dyn Store) {
    let workspace = workspace(store).await;
    everybody_is_in_for_utility(store, workspace).await;
    let utility = Message { category: Category::Utility, ..marketing() };
    let mut hashed = said(workspace, &phone(1), SMS, Statement::OptOut, 1);
    hashed.subject = Subject::Hash(phone(1).hash());
    record(store, workspace, hashed).await;
    assert_eq!(reason(store, workspace, &phone(1), utility).await, Some(Reason::OptedOut));
    assert_eq!(reason(store, workspace, &phone(2), utility).await, None);
    record(store, workspace, reported(workspace, &phone(1), Statement::Yes, 2)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::OptedOut));
    assert_eq!(reason(store, workspace, &phone(1), utility).await, Some(Reason::OptedOut));
}

/// An audience has everybody with the status, once, phones and other addresses alike.
pub async fn an_audience_holds_each_person_once(store: &dyn Store) {
    let workspace = workspace(store).await;
    let on_email = Permission::Messages(Channel::Email, Scope::All);
    let mut expected = Vec::new();
    for n in 0..300 {
        let out = n % 3 == 0;
        let statement = if out { Statement::OptOut } else { Statement::Single };
        let address = if n % 2 == 0 {
            phone(n)
        } else {
            Address::Email(Email::parse(&format!("p{n}@example.org")).unwrap())
        };
        let permission = if n % 2 == 0 { SMS } else { on_email };
        record(store, workspace, said(workspace, &address, permission, statement, 1)).await;
        if !out {
            expected.push(address);
        }
    }
    let mut found = Vec::new();
    for channel in [Channel::Sms, Channel::Email] {
        let message = Message::ordinary(channel, Category::Marketing);
        let query = AudienceQuery { channel, scope: Scope::All, status: Status::OptedIn, message };
        let mut after = Some(AudienceCursor::default());
        while let Some(cursor) = after {
            let page = store.audience(workspace, &query, cursor).await.unwrap();
            found.extend(page.members.into_iter().map(|member| member.address));
            after = page.next;
        }
    }
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

/// A suppression blocks what it covers, whatever the person agreed to (rule 12).
pub async fn a_suppression_outranks_an_opt_in_until_it_is_cleared(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Single, 1)).await;
    let cover = Cover { channel: Some(Channel::Sms), ..Cover::default() };
    let switch = |switched| Fact::Suppression(Suppression::Operator, cover, switched);
    record(store, workspace, of_fact(workspace, &phone(1), switch(Switched::On), 2)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::Suppressed));
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Confirmed, 3)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, Some(Reason::Suppressed));
    record(store, workspace, of_fact(workspace, &phone(1), switch(Switched::Off), 4)).await;
    assert_eq!(reason(store, workspace, &phone(1), marketing()).await, None);
}
