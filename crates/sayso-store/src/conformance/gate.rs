//! The gate: always what the rules say, at once.

use sayso_core::address::Address;
use sayso_core::address::email::Email;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{ImportId, SenderId, TopicId, WorkspaceId};
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::state::retraction::Role;
use sayso_core::state::status::Status;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::{Level, Statement};

use super::build::{
    SMS, ZERO, at, marketing, of_fact, phone, reason, record, reported, said, source, workspace,
};
use crate::Store;
use crate::configure::configure_now;
use crate::erasure::ErasureReach;
use crate::store::{AudienceCursor, AudienceQuery, Moment, RetractDraft};
use sayso_core::workspace::Change;
use sayso_plan::draft::{Draft, Subject};

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

async fn everybody_is_in_for_utility(store: &dyn Store, workspace: WorkspaceId) {
    let defaults = [(Channel::Sms, ChannelDefault::OptedIn)].into();
    let settings = Settings { defaults, ..Settings::default() };
    configure_now(store, workspace, Change::Settings(settings)).await.unwrap();
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

/// Everybody with the status for marketing on a channel at a moment, sorted.
async fn audience(
    store: &dyn Store,
    workspace: WorkspaceId,
    (channel, status): (Channel, Status),
    moment: Moment,
) -> Vec<Address> {
    let message = Message::ordinary(channel, Category::Marketing);
    let query = AudienceQuery { channel, scope: Scope::All, status, message, moment };
    let (mut found, mut after) = (Vec::new(), Some(AudienceCursor::default()));
    while let Some(cursor) = after {
        let page = store.audience(workspace, &query, cursor).await.unwrap();
        found.extend(page.members.into_iter().map(|member| member.address));
        after = page.next;
    }
    found.sort();
    found
}

/// An audience has everybody with the status, once, phones and other addresses alike; so has that
/// of an earlier moment.
pub async fn an_audience_holds_each_person_once(store: &dyn Store) {
    let workspace = workspace(store).await;
    let on_email = Permission::Messages(Channel::Email, Scope::All);
    let (mut expected, mut last) = (Vec::new(), ZERO);
    for n in 0..300 {
        let out = n % 3 == 0;
        let statement = if out { Statement::OptOut } else { Statement::Single };
        let address = if n % 2 == 0 {
            phone(n)
        } else {
            Address::Email(Email::parse(&format!("p{n}@example.org")).unwrap())
        };
        let permission = if n % 2 == 0 { SMS } else { on_email };
        let draft = said(workspace, &address, permission, statement, 1);
        last = record(store, workspace, draft).await.recorded_at;
        if !out {
            expected.push(address);
        }
    }
    expected.sort();
    for moment in [Moment::Now, Moment::AsOf(last), Moment::EffectiveAt(at(1))] {
        let mut found = Vec::new();
        for channel in [Channel::Sms, Channel::Email] {
            let opted_in = (channel, Status::OptedIn);
            found.extend(audience(store, workspace, opted_in, moment).await);
        }
        found.sort();
        assert_eq!(found, expected, "{moment:?}");
    }
}

/// An audience as of a time is that of what was known then; one effective at a time is that of what
/// was true then by all we know now.
pub async fn a_past_audience_is_who_was_in_it(store: &dyn Store) {
    let workspace = workspace(store).await;
    let say = async |n, statement, minute| {
        record(store, workspace, said(workspace, &phone(n), SMS, statement, minute)).await
    };
    say(1, Statement::Single, 1).await;
    say(2, Statement::Single, 3).await;
    let wrong = say(3, Statement::Single, 1).await;
    let import = ImportId::from_bytes([6; 16]);
    let brought = said(workspace, &phone(4), SMS, Statement::Single, 1);
    record(store, workspace, Draft { import: Some(import), ..brought }).await;
    let erased = say(5, Statement::Single, 1).await;
    let mut hashed = said(workspace, &phone(6), SMS, Statement::OptOut, 1);
    hashed.subject = Subject::Hash(phone(6).hash());
    let before = record(store, workspace, hashed).await.recorded_at;
    // What happens later: a refusal, a retraction, an undoing, an erasure, and late news.
    say(1, Statement::OptOut, 4).await;
    let retraction = RetractDraft {
        subject: Subject::Address(phone(3)),
        event: wrong.id,
        role: Role::Other,
        source: source(Road::Operator, "compliance"),
        actor: Actor::Operator,
        reason: None,
    };
    store.retract(workspace, retraction).await.unwrap();
    store.undo_import(workspace, import).await.unwrap();
    let erasure = of_fact(workspace, &phone(5), Fact::Erasure, 5);
    assert!(erased.recorded_at < before);
    store
        .erase(workspace, &Subject::Address(phone(5)), ErasureReach::Person, erasure)
        .await
        .unwrap();
    let after = say(7, Statement::Single, 2).await.recorded_at;
    let expected: [(Moment, Status, &[u64]); 8] = [
        (Moment::Now, Status::OptedIn, &[2, 7]),
        (Moment::Now, Status::OptedOut, &[1]),
        (Moment::AsOf(before), Status::OptedIn, &[1, 2, 3, 4]),
        (Moment::AsOf(before), Status::OptedOut, &[]),
        (Moment::AsOf(after), Status::OptedIn, &[2, 7]),
        (Moment::EffectiveAt(at(2)), Status::OptedIn, &[1, 7]),
        (Moment::EffectiveAt(at(3)), Status::OptedIn, &[1, 2, 7]),
        (Moment::EffectiveAt(at(4)), Status::OptedOut, &[1]),
    ];
    for (moment, status, people) in expected {
        let found = audience(store, workspace, (Channel::Sms, status), moment).await;
        let people: Vec<Address> = people.iter().map(|n| phone(*n)).collect();
        assert_eq!(found, people, "{moment:?}, {status}");
    }
    let elsewhere = super::build::workspace(store).await;
    let moment = Moment::EffectiveAt(at(9));
    let found = audience(store, elsewhere, (Channel::Sms, Status::OptedIn), moment).await;
    assert_eq!(found, [], "another workspace has people of its own");
}

/// A past audience goes by the clock and the settings of then.
pub async fn a_past_audience_goes_by_the_clock_and_the_settings_of_then(store: &dyn Store) {
    let workspace = workspace(store).await;
    record(store, workspace, said(workspace, &phone(1), SMS, Statement::Term(at(10)), 1)).await;
    let single = said(workspace, &phone(2), SMS, Statement::Single, 1);
    let before = record(store, workspace, single).await.recorded_at;
    let least_levels = [(Channel::Sms, Level::Confirmed)].into();
    let strict = Settings { least_levels, ..Settings::default() };
    let after = configure_now(store, workspace, Change::Settings(strict)).await.unwrap();
    let after = after.settings.iter().last().unwrap().0;
    assert!(before < after);
    let expected: [(Moment, Status, &[u64]); 6] = [
        (Moment::EffectiveAt(at(9)), Status::OptedIn, &[1, 2]),
        (Moment::EffectiveAt(at(10)), Status::OptedIn, &[2]),
        (Moment::EffectiveAt(at(10)), Status::Expired, &[1]),
        (Moment::AsOf(before), Status::OptedIn, &[2]),
        (Moment::AsOf(after), Status::OptedIn, &[]),
        (Moment::AsOf(after), Status::Pending, &[2]),
    ];
    for (moment, status, people) in expected {
        let found = audience(store, workspace, (Channel::Sms, status), moment).await;
        let people: Vec<Address> = people.iter().map(|n| phone(*n)).collect();
        assert_eq!(found, people, "{moment:?}, {status}");
    }
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
