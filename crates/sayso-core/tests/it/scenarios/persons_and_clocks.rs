//! Rows 53, 55 to 57, 59 and 60: days without a zone, spellings of one number, clocks, readings, accounts.

use sayso_core::address::phone::PhoneBook;
use sayso_core::state::capture::said_now;

use super::*;

fn number(text: &str) -> String {
    let read = Phone::parse_possible(text, None, &PhoneBook::builtin());
    read.map_or_else(|fault| fault.to_string(), |phone| phone.to_string())
}

/// Rows 53 and 57: a day, and a clock that was set back.
fn times() -> Vec<Row> {
    let instant = |text: &str| Timestamp::parse(text).unwrap();
    let evening = single(1).at(instant("2026-11-21T04:00:00Z"));
    let day_of = ClaimedTime::parse("2026-11-20").unwrap();
    let receipt = instant("2026-12-01T00:00:00Z");
    let on_the_day = settled(out(1), day_of, receipt);
    // The server's time is later than everything recorded, whatever its clock says.
    let recorded_at = day(5).plus(Span::micros(1));
    let undated = out(3).at(said_now(Statement::OptOut, day(3)).min(recorded_at));
    vec![
        case(
            53,
            "single at 20 Nov 20:00−08:00 · out dated 2026-11-20 (a day, no zone)",
            [after([evening, on_the_day]).opted_out()],
        ),
        case(
            57,
            "single@5 · the clock is set back to @3 · out without a time",
            [after([single(5), undated]).opted_out()],
        ),
    ]
}

/// Rows 55, 56 and 60: one person under several spellings.
fn persons() -> Vec<Row> {
    let on_whatsapp =
        |events: &[ConsentEvent]| after(events).of(sent_by(Channel::WhatsApp, about_t()));
    let agreed = single(0).via(Channel::WhatsApp);
    let marketing = Cover {
        channel: Some(Channel::WhatsApp),
        sender: None,
        category: Some(Category::Marketing),
    };
    let failed = set(Suppression::Provider, marketing, 1);
    let written_to = vec![agreed.clone(), failed];
    let named = one_account(&[agreed], &written_to, Channel::WhatsApp);
    vec![
        case(
            55,
            "single at +5531987650002 · STOP by WhatsApp from 553187650002",
            [
                that("one number", number("553187650002") == number("+5531987650002")),
                after([single(1), out(2)]).opted_out(),
            ],
        ),
        case(
            56,
            "out for +4407911123456 · check and check/batch of that text and of +447911123456",
            [that("one number", number("+4407911123456") == number("+447911123456"))],
        ),
        case(
            60,
            "our message to one address fails with 131050, the report names another of the account",
            [
                on_whatsapp(&written_to).is(
                    Status::OptedIn,
                    Some(Level::Single),
                    &[Reason::Suppressed],
                ),
                on_whatsapp(&named).is(Status::OptedIn, Some(Level::Single), &[Reason::Suppressed]),
            ],
        ),
    ]
}

/// Row 59: a reading of ours that was wrong.
fn readings() -> Vec<Row> {
    let read = out(2).from(source(Road::Sentence, "con_x"));
    let typed = out(2).from(source(Road::Inbound, "con_x"));
    let corrected = [single(1), read.clone(), retraction_of(&read, 3)];
    vec![case(
        59,
        "quero cancelar meu pedido, read wrongly as a refusal · compliance retracts the reading",
        [
            after([single(1), read.clone()]).opted_out(),
            after(corrected).opted_in(),
            that("by compliance", may_retract(&read, Role::Compliance).is_ok()),
            that("a STOP cannot be", may_retract(&typed, Role::Compliance).is_err()),
        ],
    )]
}

pub(super) fn rows() -> Vec<Row> {
    [times(), persons(), readings()].into_iter().flatten().collect()
}
