//! Rows of a list of disconnected numbers, as carriers and providers give them: each number is
//! somebody else's from its date on (rule 12).
//!
//! A row says who and when, and nothing else. A date that it lacks, or that cannot be read, is the
//! list's: as late as it may be, so that no opt-in of the former holder outlives it. What lifts such a
//! block is a later act of the new holder alone.

use sayso_core::address::AddressKind;
use sayso_core::canonical::Writer;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Source};
use sayso_core::words::statement::Standing;
use sayso_plan::draft::{Drafter, Subject};

use super::doubt;
use super::number::{self, Spelled, Understood};
use super::{ImportRow, PlannedRow, Planner, RejectedRow, errors_of};
use crate::api::consents::plan::Plan;
use crate::body::Faults;
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::texts::{ClaimedTimeText, KindText, NoteText, RegionText};
use crate::problem::Code;

/// Plans the block of one row; `date` is the list's.
pub(super) fn plan(
    planner: &Planner<'_>,
    mut row: ImportRow,
    mut faults: Faults,
    date: Timestamp,
) -> Result<PlannedRow, RejectedRow> {
    let line = row.line;
    doubt::note_lost_bytes(&row, &mut faults);
    let request = hash(planner, &row, date);
    let number = faults.require("/line", line, "12");
    let mut remarks = doubt::leave_out(&row, &mut faults);
    let spelled = planner.spelled(&row);
    let says_more = row.statement.is_some() || row.channel.is_some() || row.scope.is_some();
    if says_more || row.topic.is_some() || row.permission.is_some() {
        remarks.push(
            "a disconnected number is blocked on every channel: the rest is left out".to_owned(),
        );
    }
    let subject = subject(planner, &mut row, &mut faults);
    let settled = faults.settle(subject.zip(number));
    let (subject, line) = settled.map_err(|problem| {
        let mut errors = errors_of(&problem);
        if spelled == Spelled::Unplaced {
            number::name_region(&mut errors);
        }
        RejectedRow { line, errors, left_out: problem.left_out() }
    })?;
    let context = &planner.context;
    let at = row.occurred_at.as_ref().map_or(date, |ClaimedTimeText(at)| at.last());
    let identity = (context.workspace.id, RequestIdentity::Dated(request));
    let source = Source { spoke_of: None, ..context.source.clone() };
    let fact = Fact::Suppression(Suppression::Reassigned, Cover::default(), Switched::On);
    let draft = Drafter::new(identity, source, Actor::Operator, at.min(context.received))
        .of_import(Some(planner.import))
        .with_evidence(evidence(row))
        .draft(subject, fact, 0);
    let plan = Plan {
        drafts: vec![draft],
        permission: Permission::Messages(Channel::Sms, Scope::All),
        message: Message::ordinary(Channel::Sms, Category::Marketing),
        remarks,
        doubt: None,
    };
    let number = Understood::of(plan.drafts.first(), spelled);
    Ok(PlannedRow { line, standing: Standing::Report, number, plan })
}

/// The number, or the hash of one.
fn subject(planner: &Planner<'_>, row: &mut ImportRow, faults: &mut Faults) -> Option<Subject> {
    for (pointer, is_there) in [
        ("/email", row.email.is_some()),
        ("/external_id", row.external_id.is_some()),
        ("/channel_id", row.channel_id.is_some()),
    ] {
        if is_there {
            let fault = "is no number; a list of disconnected numbers has phone, or hash and kind";
            faults.note_with_example(pointer, Code::InvalidValue, fault, "+14155550123");
        }
    }
    if row.kind.as_ref().is_some_and(|KindText(kind)| *kind != AddressKind::Phone) {
        faults.note_with_example("/kind", Code::InvalidValue, "is no phone", "phone");
    }
    let region = row.region.as_ref().map(|RegionText(region)| *region);
    let settings = planner.context.settings.region;
    let reading = Reading {
        phones: planner.context.phones,
        region: region.or(planner.region).or(settings),
        care: Care::Possible,
        place: Place::Body,
    };
    let fields = AddressFields {
        phone: row.phone.take(),
        hash: row.hash.take(),
        kind: row.kind.take(),
        ..AddressFields::default()
    };
    fields.settle(&reading, faults)
}

fn evidence(row: ImportRow) -> Evidence {
    let named = |name: &str, text: Option<NoteText>| {
        let NoteText(text) = text?;
        Some((EvidenceText::parse(name).ok()?, text))
    };
    let fields = [named("evidence", row.evidence), named("source", row.source)];
    let method = row.method.map(|NoteText(method)| method);
    Evidence {
        method: method.or(EvidenceText::parse("disconnected").ok()),
        fields: fields.into_iter().flatten().collect(),
        ..Evidence::default()
    }
}

/// What was sent: the same row of the same import is the same event.
fn hash(planner: &Planner<'_>, row: &ImportRow, date: Timestamp) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("disconnected row");
    fields.raw(planner.import.as_bytes());
    fields.text(planner.context.source.name.as_str());
    fields.instant(date);
    row.write(&mut fields, planner.region);
    RequestHash::of(&fields, &planner.context.workspace.secret)
}
