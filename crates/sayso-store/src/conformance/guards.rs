//! What must hold when an event is written is judged where nothing can come between.
//!
//! Each case has two calls begin before either is answered, so that both may wait for one commit.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use sayso_core::address::AddressKey;
use sayso_core::gate::reason::Reason;
use sayso_core::id::{EventId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::state::capture::start;
use sayso_core::state::guard::Guard;
use sayso_core::words::channel::{Category, Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::source::Actor;
use sayso_core::words::statement::Statement;

use super::build::{SMS, at, known, marketing, phone, reason, record, said, workspace};
use crate::Store;
use crate::store::{HistoryQuery, Outcome, Recorded};
use sayso_plan::draft::{Dating, Draft, Subject};

const MARKETING: Permission =
    Permission::Messages(Channel::Sms, Scope::Category(Category::Marketing));

/// Two calls, of which both have begun before either is answered.
async fn both<A, B>(one: impl Future<Output = A>, other: impl Future<Output = B>) -> (A, B) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(answer) = one.as_mut().poll(context)
        {
            first = Some(answer);
        }
        if second.is_none()
            && let Poll::Ready(answer) = other.as_mut().poll(context)
        {
            second = Some(answer);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Records two drafts at once, the first of them first.
async fn at_once(
    store: &dyn Store,
    workspace: WorkspaceId,
    one: Draft,
    other: Draft,
) -> (Recorded, Recorded) {
    both(record(store, workspace, one), record(store, workspace, other)).await
}

fn guarded(draft: Draft, guard: Guard) -> Draft {
    Draft { guard, ..draft }
}

fn statement_of(recorded: &Recorded) -> Option<Statement> {
    let Fact::Consent(_, statement) = recorded.fact else { return None };
    Some(statement)
}

/// START, written to a sender, as every road drafts it.
fn started(workspace: WorkspaceId, n: u64, sender: SenderId, minutes: i64) -> Vec<Draft> {
    let mut first: Option<EventId> = None;
    let parts = start(Channel::Sms, Some(sender));
    let draft = |(about, statement, guard): (Permission, Statement, Guard)| {
        let draft = said(workspace, &phone(n), about, statement, minutes);
        let basis = first.filter(|_| guard != Guard::None);
        first = first.or(Some(draft.id));
        Draft { basis, guard, ..draft }
    };
    parts.map(draft).collect()
}

/// A refusal beside a tick that would lift it leaves nothing lifted, whichever is written first.
pub async fn a_tick_beside_a_refusal_lifts_nothing(store: &dyn Store) {
    let workspace = workspace(store).await;
    for n in 0..32 {
        let to = phone(n);
        let out = said(workspace, &to, SMS, Statement::OptOut, 5);
        let tick = said(workspace, &to, SMS, Statement::Single, 5);
        let later = said(workspace, &to, SMS, Statement::Single, 6);
        let tick = if n % 2 == 0 { later } else { tick };
        let tick = guarded(tick, Guard::LiftsNothing(marketing()));
        if n % 4 < 2 {
            let (_, tick) = at_once(store, workspace, out, tick).await;
            let lifting = n % 2 == 0;
            let expected = if lifting { Statement::Pending } else { Statement::Single };
            assert_eq!(statement_of(&tick), Some(expected), "{n}");
        } else {
            at_once(store, workspace, tick, out).await;
            continue;
        }
        assert!(reason(store, workspace, &to, marketing()).await.is_some(), "{n}");
    }
}

/// A weaker statement says why it is weaker, in its evidence.
pub async fn what_a_guard_weakens_says_why(store: &dyn Store) {
    let workspace = workspace(store).await;
    let to = phone(1);
    record(store, workspace, said(workspace, &to, SMS, Statement::OptOut, 1)).await;
    let tick = said(workspace, &to, SMS, Statement::Single, 2);
    let tick = guarded(tick, Guard::LiftsNothing(marketing()));
    let first = record(store, workspace, tick.clone()).await;
    assert_eq!(first.outcome, Outcome::Appended);
    let key = to.key(&store.workspaces()[&workspace].secret);
    let stored = store.find_event(workspace, key, first.id).await.unwrap().unwrap();
    let evidence = stored.evidence.unwrap();
    assert!(evidence.fields.values().any(|text| text.as_str() == "unproven"), "{evidence:?}");
    // A retry is the first event, whatever would be made of it now.
    let again = record(store, workspace, tick).await;
    assert_eq!((again.outcome, again.fact), (Outcome::Retried, first.fact));
}

/// A page may invent whom it speaks of: past so many sources its no is the site's own, which is kept once.
pub async fn an_unproven_no_of_one_source_too_many_is_the_sites_own(store: &dyn Store) {
    let workspace = workspace(store).await;
    let to = phone(1);
    let more = 10;
    for n in 0..limits::SOURCES_PER_REGISTER_MAX + more {
        let minutes = i64::try_from(n).unwrap();
        let mut no = said(workspace, &to, SMS, Statement::No, minutes);
        let mut person = [0; 16];
        person[..8].copy_from_slice(&n.to_be_bytes());
        no.source.spoke_of = Some(AddressKey::from_bytes(person));
        (no.actor, no.dating) = (Actor::Visitor, Dating::Undated);
        record(store, workspace, no).await;
    }
    let registers = known(store, workspace, &to).await;
    let sources = registers.of(SMS).unwrap().reports().count();
    assert_eq!(sources, limits::SOURCES_PER_REGISTER_MAX + 1, "and the site's own");
    assert_eq!(reason(store, workspace, &to, marketing()).await, Some(Reason::OptedOut));
    let newest = HistoryQuery::newest(limits::SOURCES_PER_REGISTER_MAX + more);
    let page = store.history(workspace, &Subject::Address(to), &newest).await.unwrap();
    assert_eq!(page.entries.len(), sources, "what says nothing new is not written");
}

/// A row that nobody approved lifts no refusal that came after the preview.
pub async fn a_row_beside_a_refusal_is_held(store: &dyn Store) {
    let workspace = workspace(store).await;
    let to = phone(1);
    let out = said(workspace, &to, SMS, Statement::OptOut, 5);
    let row = said(workspace, &to, SMS, Statement::Single, 6);
    let row = guarded(row, Guard::HeldIfLifting(marketing()));
    let (_, row) = at_once(store, workspace, out, row).await;
    assert_eq!(row.outcome, Outcome::Withheld);
    assert!(reason(store, workspace, &to, marketing()).await.is_some());
    let newest = HistoryQuery::newest(10);
    let history = store.history(workspace, &Subject::Address(to), &newest).await.unwrap();
    assert_eq!(history.entries.len(), 1, "nothing was stored of it");
}

/// A yes from a page does not outlive a refusal that came after the page was made.
pub async fn a_yes_from_an_older_page_is_not_written_over_a_refusal(store: &dyn Store) {
    let workspace = workspace(store).await;
    let to = phone(1);
    let out = said(workspace, &to, SMS, Statement::OptOut, 5);
    let yes = said(workspace, &to, SMS, Statement::Confirmed, 6);
    let yes = guarded(yes, Guard::NotRefusedSince(marketing(), at(4)));
    let (_, yes) = at_once(store, workspace, out, yes).await;
    assert_eq!(yes.outcome, Outcome::Withheld);
    assert!(reason(store, workspace, &to, marketing()).await.is_some());
}

/// START lifts what is refused in the moment that it is written, and asks only those without an opt-in.
pub async fn start_says_what_it_says_when_it_is_written(store: &dyn Store) {
    let workspace = workspace(store).await;
    let sender = SenderId::from_bytes([7; 16]);
    let to = phone(1);
    record(store, workspace, said(workspace, &to, SMS, Statement::Single, 1)).await;
    let out = said(workspace, &to, MARKETING, Statement::OptOut, 5);
    let start = store.record(workspace, started(workspace, 1, sender, 6));
    let (_, recorded) = both(record(store, workspace, out), start).await;
    let recorded = recorded.unwrap();
    let kept = |outcome| recorded.iter().filter(|it| it.outcome == outcome).count();
    assert_eq!((kept(Outcome::Appended), kept(Outcome::Withheld)), (3, 4), "{recorded:?}");
    assert_eq!(reason(store, workspace, &to, marketing()).await, None);

    // A retry of it appends nothing, whatever was refused since.
    let later = said(workspace, &to, MARKETING, Statement::OptOut, 7);
    record(store, workspace, later).await;
    let again = store.record(workspace, started(workspace, 1, sender, 6)).await.unwrap();
    assert!(again.iter().all(|it| it.outcome == Outcome::Retried), "{again:?}");
    assert!(reason(store, workspace, &to, marketing()).await.is_some());

    // Who never opted in is asked.
    let begun = store.record(workspace, started(workspace, 2, sender, 6)).await.unwrap();
    let last = begun.last().unwrap();
    assert_eq!((statement_of(last), last.outcome), (Some(Statement::Pending), Outcome::Appended));
}
