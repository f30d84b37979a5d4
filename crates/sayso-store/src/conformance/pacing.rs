//! Pacing: quiet hours by where people are, and caps by what they got (rule 24).

use std::collections::BTreeMap;

use sayso_core::address::Address;
use sayso_core::address::email::Email;
use sayso_core::address::phone::{Phone, Region};
use sayso_core::gate::cap::FrequencyCap;
use sayso_core::gate::decision::Requirement;
use sayso_core::gate::message::MessageState;
use sayso_core::gate::pacing::Pacing;
use sayso_core::gate::quiet::QuietHours;
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::gate::time_of_day::TimeOfDay;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::policy::settings::Settings;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::source::{Actor, EvidenceText, Road};
use sayso_core::words::statement::Statement;

use super::build::{SMS, marketing, phone, record, said, source, workspace};
use super::messages::{SENDER, message_id, message_to};
use crate::Store;
use crate::configure::configure_now;
use crate::message::{HandOver, HandOverEnd, MessageDraft, Queueing, StoredMessage};
use crate::store::{Moment, ProfileDraft, Question, Recipient};
use sayso_core::workspace::Change;

const OTHER_SENDER: SenderId = SenderId::from_bytes([0x52; 16]);

async fn agrees(store: &dyn Store, workspace: WorkspaceId, address: &Address) -> Timestamp {
    record(store, workspace, said(workspace, address, SMS, Statement::Single, 1)).await.recorded_at
}

async fn set(store: &dyn Store, workspace: WorkspaceId, settings: Settings) {
    configure_now(store, workspace, Change::Settings(settings)).await.unwrap();
}

/// Hours of marketing by SMS that begin an hour before `now` and end an hour after it, in UTC.
fn hour_around(now: Timestamp) -> BTreeMap<Channel, QuietHours> {
    let time = |minutes: i64| {
        let at = now.plus(Span::minutes(minutes)).as_micros().div_euclid(60_000_000);
        TimeOfDay::from_minutes(u16::try_from(at.rem_euclid(24 * 60)).unwrap()).unwrap()
    };
    let categories = [Category::Marketing].into();
    [(Channel::Sms, QuietHours::new(time(-60), time(60), categories).unwrap())].into()
}

fn cap(channel: Option<Channel>, messages: u32) -> FrequencyCap {
    FrequencyCap::new(channel, Category::Marketing, messages, 24).unwrap()
}

fn capped(messages: u32) -> Settings {
    let frequency_caps = vec![cap(Some(Channel::Sms), messages)];
    Settings { frequency_caps, ..Settings::default() }
}

fn of_phone(n: u64) -> Recipient {
    let Address::Phone(phone) = phone(n) else { panic!("no phone") };
    Recipient::Phone(phone)
}

async fn pacing(
    store: &dyn Store,
    workspace: WorkspaceId,
    recipient: Recipient,
    zone: Option<&str>,
) -> Pacing {
    let zone = zone.map(|name| Zone::parse(name).unwrap());
    let question = Question { message: marketing(), requirement: Requirement::OptIn, zone };
    let reasons = store.screen(workspace, &question, &[recipient]).await.unwrap()[0];
    let pacing = store.pacing(workspace, &question, recipient, Moment::Now).await.unwrap();
    let is_quiet = reasons.iter().any(|reason| reason == Reason::QuietHours);
    assert_eq!(is_quiet, pacing.quiet_until.is_some(), "both say the same");
    let is_capped = reasons.iter().any(|reason| reason == Reason::FrequencyCap);
    assert_eq!(is_capped, pacing.capped_until.is_some(), "both say the same");
    pacing
}

async fn queue(store: &dyn Store, workspace: WorkspaceId, draft: MessageDraft) -> StoredMessage {
    match store.queue_message(workspace, draft).await.unwrap() {
        Queueing::Queued(message) => *message,
        other @ (Queueing::Retried(_) | Queueing::KeyReused) => panic!("{other:?}"),
    }
}

async fn stored(store: &dyn Store, workspace: WorkspaceId, n: u64) -> StoredMessage {
    store.message(workspace, message_id(n)).await.unwrap().unwrap()
}

async fn claim(store: &dyn Store, workspace: WorkspaceId, sender: SenderId) -> Vec<u64> {
    let claimed = store.claim_messages(workspace, sender, 10).await.unwrap().claimed;
    let number = |id: &[u8; 16]| u64::try_from(u128::from_be_bytes(*id)).unwrap();
    claimed.iter().map(|claimed| number(claimed.id.as_bytes())).collect()
}

async fn ends(store: &dyn Store, workspace: WorkspaceId, n: u64, end: HandOverEnd) {
    assert!(store.begin_hand_over(message_id(n)).is_some());
    let at = stored(store, workspace, n).await.times.queued_at;
    let ended = HandOver { id: message_id(n), began_at: Some(at), at, end };
    store.settle_messages(workspace, vec![ended]).await.unwrap();
}

fn accepted() -> HandOverEnd {
    HandOverEnd::Accepted { provider_id: None }
}

/// The `n`-th message, to the first person.
fn to_one(n: u64) -> MessageDraft {
    MessageDraft { to: phone(1), ..message_to(n) }
}

/// A zone that the caller names outweighs the profile's, that the number's, that the workspace's.
pub async fn quiet_hours_go_by_the_zone_that_is_known_best(store: &dyn Store) {
    let workspace = workspace(store).await;
    let london = Address::Phone(Phone::from_digits(442_071_838_750).unwrap());
    let dhaka = Address::Phone(Phone::from_digits(8_801_812_345_678).unwrap());
    let now = agrees(store, workspace, &dhaka).await;
    agrees(store, workspace, &london).await;
    let settings = Settings { quiet_hours: hour_around(now), ..Settings::default() };
    set(store, workspace, settings.clone()).await;
    let recipient = |address: &Address| match address {
        Address::Phone(phone) => Recipient::Phone(*phone),
        address @ (Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_)) => {
            Recipient::Key(address.key(&store.workspaces()[&workspace].secret))
        }
    };
    let is_quiet = async |address: &Address, zone| {
        pacing(store, workspace, recipient(address), zone).await.quiet_until.is_some()
    };
    assert!(is_quiet(&dhaka, Some("UTC")).await && !is_quiet(&dhaka, Some("Asia/Dhaka")).await);
    assert!(!is_quiet(&dhaka, None).await, "six hours on");
    assert!(is_quiet(&phone(1), Some("UTC")).await, "a stranger");
    let attributes = [(EvidenceText::parse("time_zone").unwrap(), Some("\"Etc/UTC\"".into()))];
    let draft = ProfileDraft {
        profile: None,
        addresses: vec![dhaka.clone()],
        attributes: attributes.into(),
        source: source(Road::Api, "conformance"),
        actor: Actor::Subject,
    };
    store.upsert_profile(workspace, draft).await.unwrap();
    assert!(is_quiet(&dhaka, None).await, "the profile says so");
    assert!(!is_quiet(&dhaka, Some("Asia/Dhaka")).await, "the caller knows better");
    let mail = Address::Email(Email::parse("ada@example.com").unwrap());
    assert!(is_quiet(&mail, None).await, "somewhere on earth it is");
    let region = Some(Region::parse("BD").unwrap());
    set(store, workspace, Settings { region, ..settings }).await;
    assert!(!is_quiet(&mail, None).await, "the workspace is at home where it is not");
    assert!(is_quiet(&dhaka, None).await);
    let past = Moment::AsOf(now);
    let question = Question { message: marketing(), requirement: Requirement::OptIn, zone: None };
    let then = store.pacing(workspace, &question, recipient(&dhaka), past).await.unwrap();
    assert_eq!(then, Pacing::NONE, "there were no quiet hours then");
}

/// A message in quiet hours waits for their end, or for its own.
pub async fn a_message_in_quiet_hours_waits_for_their_end(store: &dyn Store) {
    let workspace = workspace(store).await;
    let now = agrees(store, workspace, &phone(1)).await;
    set(store, workspace, Settings { quiet_hours: hour_around(now), ..Settings::default() }).await;
    let zone = Zone::parse("UTC").ok();
    queue(store, workspace, MessageDraft { zone, ..to_one(1) }).await;
    let soon = now.plus(Span::minutes(5));
    queue(store, workspace, MessageDraft { zone, expires_at: soon, ..to_one(2) }).await;
    queue(store, workspace, MessageDraft { zone: Zone::parse("Asia/Dhaka").ok(), ..to_one(3) })
        .await;
    assert_eq!(claim(store, workspace, SENDER).await, [3]);
    let waits = stored(store, workspace, 1).await;
    let end = pacing(store, workspace, of_phone(1), Some("UTC")).await.quiet_until.unwrap();
    assert_eq!((waits.state, waits.times.due_at), (MessageState::Queued, end));
    assert_eq!(waits.reasons, Reasons::of(&[Reason::QuietHours]));
    assert_eq!((waits.zone, waits.times.decided_at.is_some()), (zone, true));
    assert_eq!(stored(store, workspace, 2).await.times.due_at, soon, "and is of no use then");
    let next = store.claim_messages(workspace, SENDER, 10).await.unwrap();
    assert_eq!((next.claimed.len(), next.next_due_at), (0, Some(soon)));
}

/// What was handed over counts, and what is claimed, by whichever sender of the channel.
pub async fn a_cap_counts_what_was_handed_over_and_what_is_claimed(store: &dyn Store) {
    let workspace = workspace(store).await;
    agrees(store, workspace, &phone(1)).await;
    agrees(store, workspace, &phone(2)).await;
    set(store, workspace, capped(2)).await;
    queue(store, workspace, to_one(1)).await;
    assert_eq!(pacing(store, workspace, of_phone(1), None).await, Pacing::NONE, "it only waits");
    assert_eq!(claim(store, workspace, SENDER).await, [1]);
    ends(store, workspace, 1, accepted()).await;
    assert_eq!(pacing(store, workspace, of_phone(1), None).await, Pacing::NONE, "one is free");
    let other = Message { sender: Some(OTHER_SENDER), ..marketing() };
    queue(store, workspace, MessageDraft { routes: vec![other], ..to_one(2) }).await;
    assert_eq!(claim(store, workspace, OTHER_SENDER).await, [2]);
    let first = stored(store, workspace, 1).await.times.decided_at.unwrap();
    let full = Pacing { quiet_until: None, capped_until: Some(first.plus(Span::hours(24))) };
    assert_eq!(pacing(store, workspace, of_phone(1), None).await, full);
    assert_eq!(pacing(store, workspace, of_phone(2), None).await, Pacing::NONE, "another person");
    set(store, workspace, capped(1)).await;
    let second = stored(store, workspace, 2).await.times.decided_at.unwrap();
    let until = pacing(store, workspace, of_phone(1), None).await.capped_until;
    assert_eq!(until, Some(second.plus(Span::hours(24))), "one too many leaves before");
    let elsewhere = vec![cap(Some(Channel::WhatsApp), 1)];
    set(store, workspace, Settings { frequency_caps: elsewhere, ..Settings::default() }).await;
    assert_eq!(pacing(store, workspace, of_phone(1), None).await, Pacing::NONE);
    let together = vec![cap(None, 2)];
    set(store, workspace, Settings { frequency_caps: together, ..Settings::default() }).await;
    assert_eq!(pacing(store, workspace, of_phone(1), None).await, full, "all channels together");
}

/// Messages that are decided together do not pass a cap together.
pub async fn two_messages_claimed_at_once_do_not_both_pass_a_cap_of_one(store: &dyn Store) {
    let workspace = workspace(store).await;
    agrees(store, workspace, &phone(1)).await;
    agrees(store, workspace, &phone(4)).await;
    set(store, workspace, capped(1)).await;
    for n in 1..=3 {
        queue(store, workspace, to_one(n)).await;
    }
    queue(store, workspace, message_to(4)).await;
    assert_eq!(claim(store, workspace, SENDER).await, [1, 4]);
    let over = stored(store, workspace, 1).await.times.decided_at.unwrap().plus(Span::hours(24));
    for n in 2..=3 {
        let waits = stored(store, workspace, n).await;
        assert_eq!((waits.state, waits.times.due_at), (MessageState::Queued, over));
        assert_eq!(waits.reasons, Reasons::of(&[Reason::FrequencyCap]));
    }
}

/// What no provider got does not count; what one may have got does.
pub async fn what_failed_before_its_hand_over_does_not_count(store: &dyn Store) {
    let workspace = workspace(store).await;
    agrees(store, workspace, &phone(1)).await;
    set(store, workspace, capped(1)).await;
    let is_full = async || pacing(store, workspace, of_phone(1), None).await != Pacing::NONE;
    let later = Timestamp::DISTANT_FUTURE;
    for (n, end, counts) in [
        (1, HandOverEnd::Failed { why: "21614".into() }, false),
        (2, HandOverEnd::Requeued { due_at: later }, false),
        (3, HandOverEnd::Unknown { why: "no_answer".into() }, true),
    ] {
        queue(store, workspace, to_one(n)).await;
        assert_eq!(claim(store, workspace, SENDER).await, [n]);
        assert!(is_full().await, "while it is claimed");
        ends(store, workspace, n, end).await;
        assert_eq!(is_full().await, counts, "{n}");
    }
}

/// A message that time holds back goes by the next channel by which it may go now, else waits for the
/// one by which it may go first.
pub async fn a_held_message_goes_by_the_channel_that_is_free_first(store: &dyn Store) {
    let workspace = workspace(store).await;
    let now = agrees(store, workspace, &phone(1)).await;
    let by = |channel| Message::ordinary(channel, Category::Marketing);
    let on = |channel| Permission::Messages(channel, Scope::All);
    record(store, workspace, said(workspace, &phone(1), on(Channel::Rcs), Statement::Single, 1))
        .await;
    let quiet_hours = hour_around(now);
    let zone = Zone::parse("UTC").ok();
    let sms = Message { sender: Some(SENDER), ..by(Channel::Sms) };
    let rcs = Message { sender: Some(OTHER_SENDER), ..by(Channel::Rcs) };
    let whatsapp = Message { sender: Some(OTHER_SENDER), ..by(Channel::WhatsApp) };
    set(store, workspace, Settings { quiet_hours: quiet_hours.clone(), ..Settings::default() })
        .await;
    let several = |n| MessageDraft { zone, routes: vec![sms, whatsapp, rcs], ..to_one(n) };
    queue(store, workspace, several(1)).await;
    assert_eq!(claim(store, workspace, SENDER).await, [0; 0]);
    let goes = store.claim_messages(workspace, OTHER_SENDER, 10).await.unwrap().claimed;
    assert_eq!(goes[0].route, rcs, "WhatsApp was never agreed to");
    ends(store, workspace, 1, accepted()).await;
    // SMS is quiet for an hour, RCS is full for a day: it waits for SMS.
    let frequency_caps = vec![cap(Some(Channel::Rcs), 1), cap(Some(Channel::Sms), 1)];
    set(store, workspace, Settings { quiet_hours, frequency_caps, ..Settings::default() }).await;
    queue(store, workspace, several(2)).await;
    assert_eq!(claim(store, workspace, SENDER).await, [0; 0]);
    let waits = stored(store, workspace, 2).await;
    assert_eq!((waits.route, waits.times.due_at > now), (0, true));
    assert_eq!(waits.reasons, Reasons::of(&[Reason::QuietHours]));
    // The other way round, it waits for the other.
    let back = MessageDraft { routes: vec![rcs, sms], ..several(3) };
    queue(store, workspace, back).await;
    let claiming = store.claim_messages(workspace, OTHER_SENDER, 10).await.unwrap();
    assert_eq!((claiming.claimed.len(), claiming.rerouted), (0, vec![SENDER]));
    let waits = stored(store, workspace, 3).await;
    assert_eq!((waits.route, waits.state), (1, MessageState::Queued));
    assert_eq!(waits.reasons, Reasons::of(&[Reason::QuietHours]));
}
