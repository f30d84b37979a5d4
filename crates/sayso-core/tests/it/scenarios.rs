//! Every row of the scenarios, over the pure rules: what happened, and what the gate says.
//!
//! Channel SMS, sender s, topic t in category marketing, message = marketing about t from s,
//! default `opted_out`, least level `single`, unless the row says otherwise; `@n` is day n. Asked
//! an hour after the last event, unless the row says when.

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressHash, AddressKeySecret, AddressKind};
use sayso_core::gate::decision::{Decision, Requirement, check};
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, NoticeId};
use sayso_core::policy::settings::{ChannelDefault, DatedSettings, Settings};
use sayso_core::state::capture::{
    answer, as_report, permissions_of, repeats, settle_time, start as start_says, undated_row_at,
};
use sayso_core::state::link::carried;
use sayso_core::state::register::Register;
use sayso_core::state::registers::Registers;
use sayso_core::state::retraction::{RetractionFault, Role, may_retract};
use sayso_core::state::status::Status;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{ClaimedTime, Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Occasion, Permission, Scope};
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::notice::{Language, Notice};
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::{Level, Statement};

use crate::support::language::*;

mod general_scopes;
mod persons_and_clocks;

/// One row: its number, its words, and what is expected of it.
struct Row {
    number: u32,
    words: &'static str,
    expected: Vec<(String, bool)>,
}

fn case(number: u32, words: &'static str, expected: impl IntoIterator<Item = Expected>) -> Row {
    Row { number, words, expected: expected.into_iter().map(|it| (it.words, it.holds)).collect() }
}

/// Something expected, and whether it holds.
struct Expected {
    words: String,
    holds: bool,
}

/// A fact about capture.
#[expect(clippy::fn_params_excessive_bools, reason = "an assertion is a bool")]
fn that(words: &str, holds: bool) -> Expected {
    Expected { words: words.to_owned(), holds }
}

/// What the gate is asked, over which events.
#[derive(Clone)]
struct Asked {
    registers: Registers,
    message: Message,
    now: Timestamp,
    settings: Settings,
    requirement: Requirement,
}

/// A message after these events.
fn after(history: impl AsRef<[ConsentEvent]>) -> Asked {
    let history = history.as_ref();
    let last = history.iter().map(|event| event.occurred_at).max();
    Asked {
        registers: fold(history),
        message: about_t(),
        now: last.unwrap_or(day(1)).plus(Span::hours(1)),
        settings: settings_with_least(Level::Single),
        requirement: Requirement::OptIn,
    }
}

impl Asked {
    fn of(self, message: Message) -> Self {
        Self { message, ..self }
    }

    /// Asked on day `n`.
    fn on(self, n: i64) -> Self {
        self.at(day(n))
    }

    fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    fn under(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// With `require_opt_in: false`; of a category that may have it.
    fn waived(self) -> Self {
        let requirement = Requirement::waived(self.message.category).unwrap();
        Self { requirement, ..self }
    }

    fn decision(&self) -> Decision {
        let plain = plain(self.now, &self.settings);
        let circumstances =
            sayso_core::gate::decision::Circumstances { requirement: self.requirement, ..plain };
        check(&self.registers, &self.message, &circumstances)
    }

    fn is(self, status: Status, level: Option<Level>, reasons: &[Reason]) -> Expected {
        let decision = self.decision();
        let got: Vec<Reason> = decision.reasons.iter().collect();
        let consent = decision.consent;
        let holds = consent.status == status && consent.level == level && got == reasons;
        Expected {
            words: format!(
                "{:?} at {}: {status} {level:?} {reasons:?}, got {} {:?} {got:?}",
                self.message, self.now, consent.status, consent.level
            ),
            holds,
        }
    }

    fn opted_in(self) -> Expected {
        self.opted_in_at(Level::Single)
    }

    fn opted_in_at(self, level: Level) -> Expected {
        self.is(Status::OptedIn, Some(level), &[])
    }

    fn opted_out(self) -> Expected {
        self.is(Status::OptedOut, None, &[Reason::OptedOut])
    }

    /// Nothing counts, on the whole channel.
    fn never(self) -> Expected {
        self.is(Status::Never, None, &[Reason::NoOptIn])
    }

    /// Nothing counts here, but there is an opt-in elsewhere on the channel.
    fn never_here(self) -> Expected {
        self.is(Status::Never, None, &[Reason::CategoryNotCovered])
    }

    fn pending(self) -> Expected {
        self.is(Status::Pending, None, &[Reason::Pending])
    }

    /// The message goes although the status alone would not let it.
    fn allow_despite(self, status: Status) -> Expected {
        self.is(status, None, &[])
    }
}

/// The register of everything by SMS.
fn everything(history: &[ConsentEvent]) -> Register {
    let registers = fold(history);
    registers.register(Channel::Sms, Scope::All).cloned().unwrap_or_default()
}

/// Whether the claim of this event's source is kept, to be shown.
fn shows_claim_of(history: &[ConsentEvent], claim: &ConsentEvent) -> Expected {
    let register = everything(history);
    that(
        "the claim is shown",
        register
            .report_of(&claim.source)
            .is_some_and(|claims| claims.yes.is_some() || claims.no.is_some()),
    )
}

/// The event with the time that capture settles, claimed thus and received then.
fn settled(event: ConsentEvent, claimed: ClaimedTime, received: Timestamp) -> ConsentEvent {
    let Fact::Consent(_, statement) = event.fact else {
        panic!("only consent has a claimed time");
    };
    event.at(settle_time(statement, Some(claimed), received).unwrap().min(received))
}

fn in_by_default() -> Settings {
    let mut settings = settings_with_least(Level::Single);
    for channel in [Channel::Sms, Channel::WhatsApp] {
        settings.defaults.insert(channel, ChannelDefault::OptedIn);
    }
    settings
}

const UTILITY: Message = of(Category::Utility);

/// Rows 1 to 5: reports and questions against acts.
fn reports_and_questions() -> Vec<Row> {
    let claimed = [out(1), yes("site", 2)];
    let asked = [out(1), pending(2)];
    let asked_after = [single(1), pending(2)];
    let imported = [pending(1), yes("import", 2)];
    let strict = settings_with_least(Level::Confirmed);
    vec![
        case(
            1,
            "out@1 · yes(site)@2",
            [after(&claimed).opted_out(), shows_claim_of(&claimed, &claimed[1])],
        ),
        case(
            2,
            "out@1 · yes(site)@2 on Topic(t)",
            [after([out(1), yes("site", 2).on(topic(TOPIC_T))]).opted_out()],
        ),
        case(
            3,
            "out@1 · pending@2, unanswered, asked 8 days later",
            [
                after(&asked).on(10).opted_out(),
                after(&asked).on(10).of(UTILITY).waived().opted_out(),
            ],
        ),
        case(
            4,
            "single@1 · pending@2, unanswered, 8 days later",
            [after(&asked_after).opted_in(), after(&asked_after).on(10).opted_in()],
        ),
        case(
            5,
            "pending@1 · yes(import)@2",
            [
                after(&imported).opted_in(),
                after(&imported).under(strict).is(
                    Status::Pending,
                    Some(Level::Single),
                    &[Reason::Pending],
                ),
            ],
        ),
    ]
}

/// Rows 6 to 10: START, and later opt-ins.
fn starts_and_returns() -> Vec<Row> {
    let on_topic = [single(1).on(topic(TOPIC_T)), out(2), start(3)];
    let returned = [single(1), out(2), single(3).on(topic(TOPIC_T))];
    vec![
        case(
            6,
            "out@1 on Topic(t) · start@2",
            [after([out(1).on(topic(TOPIC_T)), start(2)]).opted_out()],
        ),
        case(
            7,
            "single@1 on Topic(t) · out@2 · start@3",
            [after(&on_topic).opted_in(), after(&on_topic).of(about_u()).never_here()],
        ),
        case(8, "single@1 · out@2 · start@3", [after([single(1), out(2), start(3)]).opted_in()]),
        case(
            9,
            "single@1 · out@2 · single@3 on Topic(t)",
            [after(&returned).opted_in(), after(&returned).of(about_u()).opted_out()],
        ),
        case(
            10,
            "out@5 · single@3 recorded later (paper form)",
            [after([out(5), single(3).recorded(6)]).opted_out()],
        ),
    ]
}

/// Rows 11 to 15: imports, retractions and sites.
fn reports_of_sources() -> Vec<Row> {
    let row = as_report(Statement::Single).map(|report| said(report, 6).in_import(IMPORT));
    let imported: Vec<ConsentEvent> = [out(1)].into_iter().chain(row).collect();
    let wrong = single(2);
    let corrected = [out(1), wrong.clone(), retraction_of(&wrong, 4)];
    let known_then: Vec<ConsentEvent> =
        corrected.iter().filter(|event| event.recorded_at <= day(3)).cloned().collect();
    let claimed = [no("site", 1), single(2)];
    let again = no("site", 3);
    let repeated = repeats(Some(&everything(&claimed)), &again.source, Statement::No);
    vec![
        case(
            11,
            "out@1 · import row dated @6, evidence \"crm\", no notice",
            [
                that("the row is a report", as_report(Statement::Single) == Some(Statement::Yes)),
                after(&imported).opted_out(),
            ],
        ),
        case(
            12,
            "out@1 · single@2 · retraction of single@2",
            [
                after(&corrected).opted_out(),
                after(&known_then).on(3).opted_in(),
                after(&corrected).on(3).opted_out(),
            ],
        ),
        case(
            13,
            "no(site)@1 · single@2 · no(site) again, undated, @3",
            [
                that("the repeat is dropped", repeated),
                after(&claimed).opted_in(),
                shows_claim_of(&claimed, &again),
            ],
        ),
        case(
            14,
            "no(site/A)@1 · yes(site/B)@2, one phone, two profiles",
            [after([no("site", 1).speaking_of(0xa), yes("site", 2).speaking_of(0xb)]).opted_out()],
        ),
        case(
            15,
            "single@1 · no(crm)@2 · yes(crm)@3",
            [after([single(1), no("crm", 2), yes("crm", 3)]).opted_in()],
        ),
    ]
}

/// Rows 16 to 20: scopes inside and beside one another.
fn scopes() -> Vec<Row> {
    let topic_again = [out(1), single(2).on(topic(TOPIC_T))];
    let all_again = [out(1).on(topic(TOPIC_T)), single(2)];
    let one_click = [single(0), out(1).on(Scope::Category(Category::Marketing))];
    vec![
        case(
            16,
            "single@1 on Topic(t) · out@2 on Sender(s)",
            [after([single(1).on(topic(TOPIC_T)), out(2).on(Scope::Sender(SENDER_S))]).opted_out()],
        ),
        case(
            17,
            "out@1 on Sender(s) · single@2 on Topic(t)",
            [after([out(1).on(Scope::Sender(SENDER_S)), single(2).on(topic(TOPIC_T))]).opted_out()],
        ),
        case(
            18,
            "out@1 · single@2 on Topic(t)",
            [after(&topic_again).opted_in(), after(&topic_again).of(about_u()).opted_out()],
        ),
        case(
            19,
            "out@1 on Topic(t) · single@2",
            [after(&all_again).opted_out(), after(&all_again).of(about_u()).opted_in()],
        ),
        case(
            20,
            "out@1 on Category(marketing) (one-click) · utility message with single@0 on All",
            [after(&one_click).opted_out(), after(&one_click).of(UTILITY).opted_in()],
        ),
    ]
}

/// Rows 21 to 23: what holds where nothing was recorded.
fn defaults() -> Vec<Row> {
    let erased = || after([erasure(1)]).under(in_by_default());
    let lapsed = after([pending(1)]).on(9).of(UTILITY).under(in_by_default());
    let mut dated = DatedSettings::default();
    dated.put(day(0), settings_with_least(Level::Single));
    dated.put(day(10), in_by_default());
    let nobody = |n| after([]).on(n).under(dated.at(day(n)));
    vec![
        case(
            21,
            "default opted_in · erased address",
            [
                erased().of(UTILITY).is(
                    Status::OptedIn,
                    Some(Level::Implied),
                    &[Reason::Suppressed],
                ),
                erased().is(Status::Never, None, &[Reason::Suppressed, Reason::NoOptIn]),
            ],
        ),
        case(22, "default opted_in, utility message · pending@1 lapsed", [lapsed.never()]),
        case(
            23,
            "default out until day 10, in from then, no event",
            [
                nobody(5).of(UTILITY).never(),
                nobody(11).of(UTILITY).opted_in_at(Level::Implied),
                nobody(11).never(),
            ],
        ),
    ]
}

/// The events that linking carries from an address to another.
fn carried_from(history: &[ConsentEvent]) -> Vec<ConsentEvent> {
    carried(&fold(history))
        .into_iter()
        .map(|it| {
            event(it.fact, 0)
                .from(source(Road::Link, "link"))
                .by(Actor::System)
                .at(it.at)
                .following(it.from)
        })
        .collect()
}

/// What a form with this notice records of an opt-in on day `n`.
fn opted_in_under(notice: &Notice, n: i64) -> Vec<ConsentEvent> {
    let asked = Permission::Messages(Channel::Sms, Scope::All);
    permissions_of(asked, Statement::Single, Some(notice))
        .map(|permission| event(Fact::Consent(permission, Statement::Single), n))
        .collect()
}

fn notice(names: Vec<Permission>) -> Notice {
    Notice {
        id: NoticeId::from_bytes([0x9c; 16]),
        version: 1,
        language: Language::parse("en").unwrap(),
        text: Notice::parse_text("Yes, send me offers.").unwrap(),
        names,
    }
}

/// Rows 24 to 26: addresses that are linked, and processing.
fn links_and_processing() -> Vec<Row> {
    let linked = |own: ConsentEvent| {
        let mut history = carried_from(&[out(5)]);
        history.push(own);
        after(history)
    };
    let refused = [
        no("site", 1).speaking_of(0xa).about_processing(),
        yes("site", 2).speaking_of(0xb).about_processing(),
        single(2),
    ];
    let messages = Permission::Messages(Channel::Sms, Scope::All);
    let plain_words = opted_in_under(&notice(vec![messages]), 3);
    let named = opted_in_under(&notice(vec![messages, Permission::Processing]), 3);
    let processing_refused =
        |asked: Asked| asked.is(Status::OptedIn, Some(Level::Single), &[Reason::ProcessingRefused]);
    let out_of_processing = [out(1).about_processing()];
    vec![
        case(
            24,
            "A: out@5, linked to B: single@7 · the same with B: single@3",
            [
                linked(single(7)).opted_in(),
                linked(single(3)).opted_out(),
                that(
                    "an opt-in is never carried",
                    carried_from(&[single(1), yes("site", 1)]).is_empty(),
                ),
            ],
        ),
        case(
            25,
            "A refuses processing, phone shared with B, site says true for B",
            [
                processing_refused(after(&refused)),
                after([refused.as_slice(), named.as_slice()].concat()).opted_in(),
            ],
        ),
        case(
            26,
            "processing refused · form act whose notice does not name processing",
            [
                that("one event", plain_words.len() == 1),
                processing_refused(after([out_of_processing.to_vec(), plain_words].concat())),
                after([out_of_processing.to_vec(), named].concat()).opted_in(),
            ],
        ),
    ]
}

/// Rows 27 to 30: blocks and ends.
fn blocks_and_ends() -> Vec<Row> {
    let stop = Cover {
        channel: Some(Channel::WhatsApp),
        category: Some(Category::Marketing),
        ..Cover::default()
    };
    let between = vec![set(Suppression::Provider, stop, 1), single(2).via(Channel::WhatsApp)];
    let resumed = [between.clone(), vec![clear(Suppression::Provider, stop, 3)]].concat();
    let marketing = sent_by(Channel::WhatsApp, about_t());
    let utility = sent_by(Channel::WhatsApp, UTILITY);
    let implied_besides = [single(1), implied(2, 182)];
    let implied_after = [out(1), implied(2, 732)];
    let until_9 = [out(1), term(2, 9)];
    vec![
        case(
            27,
            "WhatsApp: provider stop@1 · form single@2 · provider resume@3",
            [
                after(&between).of(marketing).is(
                    Status::OptedIn,
                    Some(Level::Single),
                    &[Reason::Suppressed],
                ),
                after(&between).of(utility).opted_in(),
                after(&resumed).of(marketing).opted_in(),
            ],
        ),
        case(
            28,
            "single@1 without end · implied@2 for 6 months, asked 7 months later",
            [after(&implied_besides).on(212).opted_in()],
        ),
        case(
            29,
            "out@1 · implied@2 for 2 years",
            [after(&implied_after).on(300).opted_out(), after(&implied_after).on(800).opted_out()],
        ),
        case(
            30,
            "out@1 · single@2 ending @9, asked @10",
            [after(&until_9).on(8).opted_in(), after(&until_9).on(10).opted_out()],
        ),
    ]
}

/// Row 31: an unclear text, and what becomes of it.
fn holds() -> Vec<Row> {
    let ruled = out(1).from(source(Road::Operator, "queue"));
    let read = out(1).from(source(Road::Sentence, "sms"));
    vec![case(
        31,
        "hold@1 · then single@2 · or then ruled out@1",
        [
            after([hold(1)]).is(Status::UnderReview, None, &[Reason::UnderReview]),
            after([hold(1)]).of(UTILITY).never(),
            after([hold(1), single(0)]).of(UTILITY).opted_in(),
            after([hold(1), single(2)]).opted_in(),
            after([hold(1), ruled]).opted_out(),
            that(
                "what was no refusal after all may be retracted (rule 19)",
                may_retract(&hold(1), Role::Compliance).is_ok(),
            ),
            that(
                "a refusal of the person may not (rule 9)",
                may_retract(&out(1), Role::Compliance) == Err(RetractionFault::FromThePerson),
            ),
            that(
                "one that was read in a sentence may be, by compliance (row 59)",
                may_retract(&read, Role::Compliance).is_ok()
                    && may_retract(&read, Role::Other) == Err(RetractionFault::NeedsCompliance),
            ),
        ],
    )]
}

/// Rows 32 to 34: other names of an address, and lists.
fn names_and_lists() -> Vec<Row> {
    let by_account = [out(1).via(Channel::WhatsApp)];
    let phone = [single(0).via(Channel::WhatsApp), single(0)];
    let together = fold(&one_account(&phone, &by_account, Channel::WhatsApp));
    let asked_together = Asked { registers: together, ..after([single(0)]).on(3) };
    let back = one_account(&by_account, &phone, Channel::WhatsApp);
    let listed =
        said(Statement::No, 1).in_import(IMPORT).at(undated_row_at(Statement::No).min(day(2)));
    let undone = [single(1), listed.clone(), undoing_of(IMPORT, 3)];
    let secret = AddressKeySecret::from_bytes([9; 32]);
    let number = Address::Phone(Phone::from_digits(15_550_100_001).unwrap());
    let hash = AddressHash { kind: AddressKind::Phone, sha256: sha256(b"15550100001") };
    vec![
        case(
            32,
            "WhatsApp: out by BSUID, later named as the same account as a phone",
            [
                asked_together.clone().of(sent_by(Channel::WhatsApp, about_t())).opted_out(),
                asked_together.opted_in(),
                that("the account takes no opt-in over", back == by_account),
            ],
        ),
        case(
            33,
            "single@1 · undated import no today · import undone",
            [after([single(1), listed.clone()]).opted_out(), after(undone).opted_in()],
        ),
        case(
            34,
            "SHA-256 refusal imported · later the address comes with yes(site)",
            [
                that("hash and number are one address", hash.key(&secret) == number.key(&secret)),
                after([listed, yes("site", 5)]).opted_out(),
            ],
        ),
    ]
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

/// Rows 35 to 38: what comes late.
fn latecomers() -> Vec<Row> {
    let stop = Cover {
        channel: Some(Channel::WhatsApp),
        category: Some(Category::Marketing),
        ..Cover::default()
    };
    let late_failure = [
        single(1).via(Channel::WhatsApp),
        clear(Suppression::Provider, stop, 6),
        set(Suppression::Provider, stop, 5).recorded(7),
    ];
    let new_holder = [single(1), set(Suppression::Reassigned, Cover::default(), 5), single(6)];
    let asked = everything(&[pending(1)]);
    let question = asked.act(sayso_core::words::statement::Slot::Pending).unwrap();
    let in_time = answer(question, day(3)).map(|statement| said(statement, 3));
    let answered: Vec<ConsentEvent> = [pending(1), out(2)].into_iter().chain(in_time).collect();
    vec![
        case(
            35,
            "start@2 arrives before out@1; single@0",
            [after([start(2), out(1).recorded(3), single(0)]).opted_in()],
        ),
        case(
            36,
            "WhatsApp: failure 131050 dated @5 arrives after resume@6",
            [after(late_failure).of(sent_by(Channel::WhatsApp, about_t())).opted_in()],
        ),
        case(
            37,
            "reassigned@5 · single@6 by the new holder",
            [
                after(&new_holder[..2]).is(
                    Status::OptedIn,
                    Some(Level::Single),
                    &[Reason::Suppressed],
                ),
                after(&new_holder).opted_in(),
            ],
        ),
        case(
            38,
            "pending@1 · out@2 · link answered by POST@3 · answered only after 8 days",
            [
                after(&answered).opted_in_at(Level::Confirmed),
                that(
                    "the page asks again",
                    answer(question, day(9)).is_none() && answer(question, day(8)).is_none(),
                ),
                after([pending(1), out(2)]).on(9).opted_out(),
            ],
        ),
    ]
}

/// Rows 39 to 41: times.
fn times() -> Vec<Row> {
    let minute = |n: i64| day(1).plus(Span::minutes(n));
    let ahead = settled(single(1), ClaimedTime::exact(minute(4)), minute(0));
    let received = settled(out(1), ClaimedTime::exact(minute(1)), minute(1));
    let noon = "2026-11-21T12:00:00";
    let form = Timestamp::parse(&format!("{noon}.5Z")).unwrap();
    let stamped = ClaimedTime::parse(&format!("{noon}Z")).unwrap();
    let receipt = form.plus(Span::seconds(3));
    let word = settled(out(1), stamped, receipt);
    vec![
        case(
            39,
            "single and no(crm) at the same instant",
            [after([single(1), no("crm", 1)]).opted_out()],
        ),
        case(
            40,
            "opt-in dated now + 4 min · out received now + 1 min",
            [
                that("the opt-in counts at its receipt", ahead.occurred_at == minute(0)),
                after([ahead, received]).opted_out(),
                that(
                    "beyond 5 minutes it is refused",
                    settle_time(Statement::Single, Some(ClaimedTime::exact(minute(6))), minute(0))
                        .is_err(),
                ),
            ],
        ),
        case(
            41,
            "form single at 12:00:00.5 · WhatsApp STOP stamped 12:00:00 (whole seconds)",
            [after([single(1).at(form), word]).opted_out()],
        ),
    ]
}

/// Rows 42 and 43: a retry, and a first word.
fn retries_and_first_words() -> Vec<Row> {
    let key = RequestHash::of_key("opt-in-1", &SECRET);
    let keyed = || event_id(WORKSPACE, RequestIdentity::Key(key), 0);
    let first = ConsentEvent { id: keyed(), ..single(1) };
    let retried = ConsentEvent { id: keyed(), ..first.clone() };
    let begun = general_scopes::start_to_s(&[], 1);
    let returned = general_scopes::start_to_s(&[single(1)], 2);
    vec![
        case(
            42,
            "the opt-in request times out · out · the same request is retried with its key",
            [
                that("the retry is the first event", first.id == retried.id),
                after([first, out(2), retried]).opted_out(),
            ],
        ),
        case(
            43,
            "start by someone with nothing recorded",
            [
                after(&begun).pending(),
                that(
                    "with an opt-in it is a start alone",
                    !returned.contains(&pending(2)) && begun.contains(&pending(1)),
                ),
            ],
        ),
    ]
}

/// Rows 44 to 46: what may go despite a refusal, and what may never.
fn exemptions() -> Vec<Row> {
    let requested = |minutes: i64| {
        let asked_at = day(4).minus(Span::minutes(minutes));
        after([out(1)])
            .on(4)
            .of(Message { occasion: Occasion::Requested(asked_at), ..of(Category::Authentication) })
    };
    let wrote = [out(1), wrote_to(SENDER_S, 5)];
    let reply = of(Category::Service);
    vec![
        case(
            44,
            "out@1 · message category authentication the person asked for 3 min ago · 20 min later",
            [requested(3).allow_despite(Status::OptedOut), requested(20).opted_out()],
        ),
        case(
            45,
            "out@1 · person writes a question@5 · service reply",
            [
                after(&wrote).of(reply).allow_despite(Status::OptedOut),
                after(&wrote).on(6).of(reply).opted_out(),
                after(&wrote).opted_out(),
                after([out(5), wrote_to(SENDER_S, 5)]).of(reply).opted_out(),
            ],
        ),
        case(
            46,
            "`require_opt_in: false`, marketing, key without `send:exempt`",
            [
                that(
                    "marketing cannot be waived",
                    Requirement::waived(Category::Marketing).is_none(),
                ),
                that(
                    "all else can",
                    Category::ALL
                        .iter()
                        .filter(|category| **category != Category::Marketing)
                        .all(|category| Requirement::waived(*category).is_some()),
                ),
            ],
        ),
    ]
}

fn rows() -> Vec<Row> {
    [
        reports_and_questions(),
        starts_and_returns(),
        reports_of_sources(),
        scopes(),
        defaults(),
        links_and_processing(),
        blocks_and_ends(),
        holds(),
        names_and_lists(),
        latecomers(),
        times(),
        retries_and_first_words(),
        exemptions(),
        general_scopes::rows(),
        persons_and_clocks::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_scenario_gives_what_its_row_says() {
    let failures: Vec<String> = rows()
        .iter()
        .flat_map(|row| {
            row.expected
                .iter()
                .filter(|(_, holds)| !holds)
                .map(move |(words, _)| format!("{}: {}\n    {words}", row.number, row.words))
        })
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_table_has_every_row_once() {
    let mut numbers: Vec<u32> = rows().iter().map(|row| row.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=60).collect::<Vec<u32>>());
}

#[test]
fn an_event_is_named_after_what_it_says() {
    let ids: std::collections::BTreeSet<EventId> =
        [out(1), out(2), single(1), out(1).via(Channel::WhatsApp)].map(|event| event.id).into();
    assert_eq!(ids.len(), 4);
}
