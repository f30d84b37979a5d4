//! The health of numbers and accounts, and changes of templates.

use sayso_core::gate::sender_health::{HealthCause, HealthLevel};
use sayso_core::time::ClaimedTime;
use sayso_core::words::channel::Category;

use super::change::Change;
use crate::inbound::{ProviderEvent, SenderHealth, TemplateChange, TemplateChanged, claimed};
use crate::json::{Item, Object};

/// Reads a change of the account; `None` for fields and events that say nothing we can use.
pub(super) fn read(change: &Change<'_>) -> Option<ProviderEvent> {
    match change.field.as_str() {
        "phone_number_quality_update" => read_number(change),
        "business_capability_update" => read_capability(change),
        "account_update" => read_account(change),
        "message_template_status_update" => {
            let value = &change.value;
            let status = TemplateChange::Status {
                status: value.word("event")?,
                category: category(value, "message_template_category"),
                reason: value.word("reason").filter(|reason| reason != "NONE"),
            };
            Some(template(change, status))
        }
        "message_template_quality_update" => {
            let quality = TemplateChange::Quality {
                old: change.value.word("previous_quality_score"),
                new: change.value.word("new_quality_score")?,
            };
            Some(template(change, quality))
        }
        "template_category_update" => {
            // Before the change Meta says which would be right, and `new_category` is the present.
            let now = category(&change.value, "new_category");
            let category = match category(&change.value, "correct_category") {
                Some(then) => TemplateChange::CategoryAnnounced { now, then },
                None => TemplateChange::Category {
                    old: category(&change.value, "previous_category"),
                    new: now?,
                },
            };
            Some(template(change, category))
        }
        _ => None,
    }
}

fn template(change: &Change<'_>, what: TemplateChange) -> ProviderEvent {
    ProviderEvent::TemplateChanged(TemplateChanged {
        account: change.account.clone(),
        template_id: change.value.word("message_template_id"),
        name: change.value.word("message_template_name"),
        language: change.value.word("message_template_language"),
        change: what,
        occurred_at: change.time,
    })
}

fn category(value: &Object<'_>, name: &str) -> Option<Category> {
    let word = value.text(name)?.to_ascii_lowercase();
    Category::parse(&word).ok()
}

/// The largest audience of a day; where it is a number in one place, it is a word in another.
fn limit(value: &Object<'_>) -> Option<String> {
    ["max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit"]
        .iter()
        .find_map(|name| value.word(name))
}

fn health(
    change: &Change<'_>,
    (cause, health): (HealthCause, Option<HealthLevel>),
    words: Vec<String>,
    until: Option<ClaimedTime>,
) -> ProviderEvent {
    let value = &change.value;
    ProviderEvent::SenderHealth(SenderHealth {
        account: change.account.clone(),
        number: value.word("display_phone_number").or_else(|| value.word("phone_number")),
        cause,
        health,
        limit: limit(value),
        words,
        until,
        occurred_at: change.time,
    })
}

/// The event is documented for changes of throughput and limits now; `FLAGGED` and its kin are of
/// an older documentation (unconfirmed whether they are still sent).
fn read_number(change: &Change<'_>) -> Option<ProviderEvent> {
    let event = change.value.word("event")?;
    let color = match event.as_str() {
        "FLAGGED" => Some(HealthLevel::Red),
        "DOWNGRADE" => Some(HealthLevel::Yellow),
        "UNFLAGGED" => Some(HealthLevel::Green),
        _ => None,
    };
    Some(health(change, (HealthCause::Quality, color), vec![event], None))
}

fn read_capability(change: &Change<'_>) -> Option<ProviderEvent> {
    limit(&change.value).map(|_| health(change, (HealthCause::Quality, None), Vec::new(), None))
}

fn read_account(change: &Change<'_>) -> Option<ProviderEvent> {
    let event = change.value.word("event")?;
    match event.as_str() {
        "ACCOUNT_RESTRICTION" => Some(read_restrictions(change, event)),
        "ACCOUNT_VIOLATION" => {
            let violation = change.value.object("violation_info");
            let kind = violation.and_then(|violation| violation.word("violation_type"));
            let words = [Some(event), kind].into_iter().flatten().collect();
            Some(health(change, (HealthCause::Violation, Some(HealthLevel::Yellow)), words, None))
        }
        "DISABLED_UPDATE" => {
            let state = change.value.object("ban_info")?.word("waba_ban_state")?;
            let color = match state.as_str() {
                "DISABLE" => HealthLevel::Blocked,
                "SCHEDULE_FOR_DISABLE" => HealthLevel::Red,
                "REINSTATE" => HealthLevel::Green,
                _ => return None,
            };
            Some(health(change, (HealthCause::Account, Some(color)), vec![event, state], None))
        }
        "ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED" => Some(health(
            change,
            (HealthCause::Account, Some(HealthLevel::Blocked)),
            vec![event],
            None,
        )),
        "ACCOUNT_RECONNECTED" => Some(health(
            change,
            (HealthCause::Account, Some(HealthLevel::Green)),
            vec![event],
            None,
        )),
        _ => None,
    }
}

/// The worst of the restrictions counts, until the last of them ends.
fn read_restrictions(change: &Change<'_>, event: String) -> ProviderEvent {
    let items = change.value.items("restriction_info").unwrap_or_default();
    let restrictions: Vec<_> = items.into_iter().filter_map(Item::object).collect();
    let kinds: Vec<_> =
        restrictions.iter().filter_map(|item| item.word("restriction_type")).collect();
    let worst = kinds.iter().filter_map(|kind| color_of_restriction(kind)).max();
    let ends = restrictions.iter().filter_map(|item| claimed(item.integer("expiration")?));
    let until = ends.max_by_key(|end| end.last());
    let words = std::iter::once(event).chain(kinds).collect();
    health(change, (HealthCause::Restriction, worst), words, until)
}

fn color_of_restriction(kind: &str) -> Option<HealthLevel> {
    match kind {
        // Not even an answer goes.
        "RESTRICTED_CUSTOMER_INITIATED_MESSAGING" => Some(HealthLevel::Blocked),
        // Answers go, and nothing else.
        "RESTRICTED_BIZ_INITIATED_MESSAGING" => Some(HealthLevel::Red),
        "RESTRICTED_UTILITY_TEMPLATES" => Some(HealthLevel::Yellow),
        // Calls and new numbers: nothing for messages.
        _ => None,
    }
}
