//! Leaving out what one source said in a span of time: a stranger at a page, an integration gone wrong
//! (rules 9 and 15).
//!
//! The ledger is in the order of time, so the span is found by halving, and no two events have the same
//! time. Each event is retracted for itself, in small steps, so that refusals are taken meanwhile; what is
//! left out already counts and stays as it is, so that a retraction that was cut off may be asked for again.

use std::sync::Arc;

use sayso_core::address::AddressKey;
use sayso_core::id::EventId;
use sayso_core::limits;
use sayso_core::state::retraction::may_retract;
use sayso_core::time::Timestamp;
use sayso_core::words::event::{ConsentEvent, Fact};

use super::group::Group;
use super::writer::WriterHandle;
use super::{Shared, Tenant, events};
use crate::store::{Doing, RetractDraft, Retracting, SpanDraft, SpanOf, SpanRetracted, StoreError};
use sayso_plan::draft::Subject;

/// What a span holds.
#[derive(Default)]
struct Span {
    retractable: Vec<(AddressKey, EventId)>,
    kept: u64,
    next_from: Option<Timestamp>,
}

/// Leaves out what a source said in a span, and says how much that was.
pub(super) fn retract(
    shared: &Shared,
    writer: &WriterHandle,
    workspace: &Arc<Tenant>,
    draft: &SpanDraft,
) -> Result<SpanRetracted, StoreError> {
    let span = find(shared, workspace, draft)?;
    let retracted = match draft.doing {
        Doing::Counted => u64::try_from(span.retractable.len()).unwrap_or(u64::MAX),
        Doing::Done => {
            let steps = span.retractable.chunks(limits::RETRACTION_STEP_EVENTS);
            let done = steps.map(|step| retract_step(shared, writer, workspace, (draft, step)));
            done.sum::<Result<u64, StoreError>>()?
        }
    };
    Ok(SpanRetracted { retracted, kept: span.kept, next_from: span.next_from })
}

fn find(shared: &Shared, workspace: &Tenant, draft: &SpanDraft) -> Result<Span, StoreError> {
    let mut span = Span::default();
    shared.ledger.read(|ledger| {
        let after = events::last_before(ledger, draft.from)?;
        events::for_each_fact(ledger, (after, i64::MAX), |_, no, event| {
            if event.recorded_at >= draft.until {
                return Ok(false);
            }
            if no != workspace.no || !is_of_source(&event, draft) {
                return Ok(true);
            }
            if may_retract(&event, draft.role).is_err() {
                span.kept += 1;
            } else if span.retractable.len() < draft.events_max {
                span.retractable.push((event.key, event.id));
            } else {
                span.next_from = Some(event.recorded_at);
            }
            Ok(span.next_from.is_none())
        })
    })?;
    Ok(span)
}

/// Whether it is a statement of the source. What follows from it at other addresses goes with it.
fn is_of_source(event: &ConsentEvent, draft: &SpanDraft) -> bool {
    let is_meant = match draft.of {
        SpanOf::All => true,
        SpanOf::Unproven => event.is_unproven(),
    };
    let is_its = event.source.road == draft.road && event.source.name == draft.name;
    is_meant && is_its && event.basis.is_none() && matches!(event.fact, Fact::Consent(..))
}

fn retract_step(
    shared: &Shared,
    writer: &WriterHandle,
    workspace: &Arc<Tenant>,
    (draft, step): (&SpanDraft, &[(AddressKey, EventId)]),
) -> Result<u64, StoreError> {
    let drafts: Arc<Vec<RetractDraft>> =
        Arc::new(step.iter().map(|it| of_event(draft, it)).collect());
    writer.submit_step(shared, workspace.no, || {
        let (of_step, drafts) = (Arc::clone(workspace), Arc::clone(&drafts));
        move |group: &mut Group<'_>| {
            let mut retracted = 0;
            for draft in drafts.iter() {
                let retracting = group.retract(&of_step, draft)?;
                retracted += u64::from(matches!(retracting, Retracting::Done(_)));
            }
            Ok(retracted)
        }
    })
}

fn of_event(draft: &SpanDraft, (key, event): &(AddressKey, EventId)) -> RetractDraft {
    RetractDraft {
        subject: Subject::Key(*key),
        event: *event,
        role: draft.role,
        source: draft.source.clone(),
        actor: draft.actor,
        reason: draft.reason.clone(),
    }
}
