//! Rows 47 to 54 and 58: a yes on every general scope that its words cover, START, a guard, a retry.

use sayso_core::state::capture::{covered_by, still_refused};
use sayso_core::state::guard::{Guard, Guarded};

use super::*;

const MARKETING: Scope = Scope::Category(Category::Marketing);

/// A yes to a box without a topic: on every general scope that its words cover.
fn box_without_topic(statement: Statement, n: i64) -> Vec<ConsentEvent> {
    covered_by(Permission::Messages(Channel::Sms, Scope::All))
        .map(|permission| event(Fact::Consent(permission, statement), n))
        .collect()
}

/// START, written to s after this history, as the writer takes it.
pub(super) fn start_to_s(history: &[ConsentEvent], n: i64) -> Vec<ConsentEvent> {
    let mut all = history.to_vec();
    for (permission, statement, guard) in start_says(Channel::Sms, Some(SENDER_S)) {
        let said = event(Fact::Consent(permission, statement), n);
        if guard.judge(&said, &fold(&all), said.occurred_at) == Guarded::Stands {
            all.push(said);
        }
    }
    all
}

/// What a guard makes of a tick after this history: written as it is, or weaker.
fn ticked(history: &[ConsentEvent], n: i64) -> Vec<ConsentEvent> {
    let mut all = history.to_vec();
    for said in box_without_topic(Statement::Single, n) {
        let message = Message::ordinary(Channel::Sms, Category::Marketing);
        let judged = Guard::LiftsNothing(message).judge(&said, &fold(&all), said.occurred_at);
        let Fact::Consent(permission, _) = said.fact else { continue };
        all.push(match judged {
            Guarded::Stands => said,
            Guarded::Doubted(_) => event(Fact::Consent(permission, Statement::Pending), n),
            Guarded::Withheld => continue,
        });
    }
    all
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn rows() -> Vec<Row> {
    let left_marketing = [out(1).on(MARKETING)];
    let back = |statement| [&left_marketing[..], &box_without_topic(statement, 2)].concat();
    let of_all_alone = [out(1).on(MARKETING), single(2)];
    let channel = Channel::Sms;
    let from_another = Message { sender: Some(SENDER_R), ..about_t() };
    let to_s = |history: &[ConsentEvent]| start_to_s(history, 2);
    let said = single(1);
    vec![
        case(
            47,
            "hold@1 on Topic(t) · single@2 on All",
            [after([hold(1).on(topic(TOPIC_T)), single(2)]).opted_in()],
        ),
        case(48, "single@1 on Sender(s) · out@2 · start@3 on Sender(s)", {
            let on_s = Scope::Sender(SENDER_S);
            let asked = after([single(1).on(on_s), out(2), start(3).on(on_s)]);
            [asked.clone().opted_in(), asked.of(from_another).opted_out()]
        }),
        case(
            49,
            "out@1 on Category(marketing) · ticks a box without a topic, or enters the right code",
            [
                after(back(Statement::Single)).opted_in(),
                after(back(Statement::Confirmed)).of(of(Category::Marketing)).is(
                    Status::OptedIn,
                    Some(Level::Confirmed),
                    &[],
                ),
            ],
        ),
        case(
            50,
            "out@1 on Category(marketing) · a caller records single@2 on All alone",
            [
                after(&of_all_alone).opted_out(),
                after(&of_all_alone).of(of(Category::Utility)).opted_in(),
                that(
                    "the answer names the scope",
                    still_refused(&fold(&of_all_alone), channel, day(3)).eq([Category::Marketing]),
                ),
            ],
        ),
        case(
            51,
            "single@0 · out@1 on Sender(s) · START written to s@2",
            [after(to_s(&[single(0), out(1).on(Scope::Sender(SENDER_S))])).opted_in()],
        ),
        case(
            52,
            "single@0 · out@1 on Category(marketing) · START@2; out@1 on Topic(t) instead",
            [
                after(to_s(&[single(0), out(1).on(MARKETING)])).opted_in(),
                after(to_s(&[single(0), out(1).on(topic(TOPIC_T))])).opted_out(),
            ],
        ),
        case(
            54,
            "the same dated single in two batches at different places · retraction of the one",
            [
                that("one event", said.clone().named().id == said.id),
                after([said.clone(), said.clone(), retraction_of(&said, 3)]).never(),
            ],
        ),
        case(
            58,
            "out and a tick that would lift it, at the same moment on two connections",
            [
                after(ticked(&[out(2)], 2)).opted_out(),
                after(ticked(&[out(1)], 2)).opted_out(),
                after([ticked(&[], 2), vec![out(2)]].concat()).opted_out(),
            ],
        ),
    ]
}
