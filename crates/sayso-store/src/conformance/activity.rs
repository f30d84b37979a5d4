//! Activity: a person who wrote is active on that sender for a day (rule 18).

use sayso_core::address::Address;
use sayso_core::gate::decision::{Circumstances, Requirement, SenderState, check};
use sayso_core::gate::reason::Reason;
use sayso_core::id::{SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Content, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::statement::Statement;

use super::build::{SMS, known, marketing, of_fact, phone, reason, record, said, workspace};
use crate::Store;
use sayso_plan::draft::Draft;

const OURS: SenderId = SenderId::from_bytes([1; 16]);
const ANOTHER: SenderId = SenderId::from_bytes([2; 16]);
const SERVICE: Message = Message::ordinary(Channel::Sms, Category::Service);

fn from(sender: SenderId, message: Message) -> Message {
    Message { sender: Some(sender), ..message }
}

/// People who write to senders in the day before the store's own now.
struct Day<'a> {
    store: &'a dyn Store,
    workspace: WorkspaceId,
    now: Timestamp,
}

impl<'a> Day<'a> {
    async fn of(store: &'a dyn Store) -> Self {
        let workspace = workspace(store).await;
        let first = said(workspace, &phone(99), SMS, Statement::OptOut, 0);
        let now = record(store, workspace, first).await.recorded_at;
        Self { store, workspace, now }
    }

    async fn learns(&self, address: &Address, fact: Fact, minutes_ago: i64) {
        let occurred_at = self.now.minus(Span::minutes(minutes_ago));
        let draft = of_fact(self.workspace, address, fact, -minutes_ago);
        record(self.store, self.workspace, Draft { occurred_at, ..draft }).await;
    }

    async fn wrote(&self, address: &Address, sender: SenderId, minutes_ago: i64) {
        self.learns(address, Fact::Activity(sender), minutes_ago).await;
    }

    async fn reason(&self, address: &Address, message: Message) -> Option<Reason> {
        reason(self.store, self.workspace, address, message).await
    }
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Rule 18: a message makes its person active for 24 hours on the sender they wrote to, and
/// nothing else: it is no opt-in.
pub async fn a_message_makes_its_person_active_for_a_day_on_that_sender_alone(store: &dyn Store) {
    let day = Day::of(store).await;
    day.wrote(&phone(1), OURS, DAY - HOUR).await;
    day.wrote(&phone(2), OURS, DAY + 1).await;
    let utility = Message { category: Category::Utility, ..marketing() };
    let no_opt_in = Some(Reason::NoOptIn);
    for (person, message, expected) in [
        (1, from(OURS, SERVICE), None),
        (1, from(ANOTHER, SERVICE), no_opt_in),
        (1, from(OURS, utility), no_opt_in),
        (1, from(OURS, marketing()), no_opt_in),
        (2, from(OURS, SERVICE), no_opt_in),
        (3, from(OURS, SERVICE), no_opt_in),
    ] {
        assert_eq!(day.reason(&phone(person), message).await, expected, "{person}: {message:?}");
    }
    let registers = known(store, day.workspace, &phone(1)).await;
    let wrote_at = day.now.minus(Span::minutes(DAY - HOUR));
    assert_eq!(registers.wrote_to_at(OURS), Some(wrote_at));
    assert_eq!(registers.wrote_to_at(ANOTHER), None);
    let settings = Settings::default();
    let over = wrote_at.plus(limits::ACTIVITY_WINDOW);
    for (now, is_active) in [(over.minus(Span::micros(1)), true), (over, false)] {
        let circumstances = Circumstances {
            now,
            settings: &settings,
            requirement: Requirement::OptIn,
            quiet_until: None,
            capped_until: None,
            sender: SenderState::Sending,
        };
        let decision = check(&registers, &from(OURS, SERVICE), &circumstances);
        assert_eq!(decision.is_allow(), is_active, "at {now:?}");
    }
}

/// The latest message counts, whenever it becomes known.
pub async fn the_latest_message_keeps_its_person_active(store: &dyn Store) {
    let day = Day::of(store).await;
    day.wrote(&phone(1), OURS, 3 * DAY).await;
    assert_eq!(day.reason(&phone(1), from(OURS, SERVICE)).await, Some(Reason::NoOptIn));
    day.wrote(&phone(1), OURS, HOUR).await;
    day.wrote(&phone(1), OURS, 2 * DAY).await;
    assert_eq!(day.reason(&phone(1), from(OURS, SERVICE)).await, None);
    let wrote_at = day.now.minus(Span::minutes(HOUR));
    let registers = known(store, day.workspace, &phone(1)).await;
    assert_eq!(registers.wrote_to_at(OURS), Some(wrote_at));
}

/// Rule 26: who writes after they refused gets an answer; who refuses after they wrote does not.
pub async fn an_answer_goes_to_who_wrote_after_they_refused(store: &dyn Store) {
    let day = Day::of(store).await;
    let out = Fact::Consent(SMS, Statement::OptOut);
    for (person, refused, wrote) in [(1, 2 * HOUR, HOUR), (2, HOUR, 2 * HOUR)] {
        day.learns(&phone(person), out, refused).await;
        day.wrote(&phone(person), OURS, wrote).await;
    }
    let refused = Some(Reason::OptedOut);
    assert_eq!(day.reason(&phone(1), from(OURS, SERVICE)).await, None);
    assert_eq!(day.reason(&phone(1), from(ANOTHER, SERVICE)).await, refused);
    assert_eq!(day.reason(&phone(1), from(OURS, marketing())).await, refused);
    assert_eq!(day.reason(&phone(2), from(OURS, SERVICE)).await, refused);
}

/// On WhatsApp free words go within the 24 hours, by that sender alone.
pub async fn free_words_on_whatsapp_go_to_who_is_active_on_that_sender(store: &dyn Store) {
    let day = Day::of(store).await;
    let single =
        Fact::Consent(Permission::Messages(Channel::WhatsApp, Scope::All), Statement::Single);
    let utility = Message::ordinary(Channel::WhatsApp, Category::Utility);
    let free = Message { content: Content::FreeForm, ..utility };
    for (person, minutes_ago) in [(1, DAY - HOUR), (2, DAY + 1)] {
        day.learns(&phone(person), single, 3 * DAY).await;
        day.wrote(&phone(person), OURS, minutes_ago).await;
    }
    let outside = Some(Reason::OutsideWindow);
    assert_eq!(day.reason(&phone(1), from(OURS, free)).await, None);
    assert_eq!(day.reason(&phone(1), from(ANOTHER, free)).await, outside);
    assert_eq!(day.reason(&phone(2), from(OURS, free)).await, outside);
    assert_eq!(day.reason(&phone(2), from(OURS, utility)).await, None);
}
