//! What a client hears about each row of a list.

use sayso_core::state::lifting::Lifted;
use sayso_core::words::channel::Permission;
use sayso_core::words::statement::Standing;
use serde::Serialize;
use utoipa::ToSchema;

use super::row::{PlannedRow, RejectedRow};
use crate::api::consents::answer::DoubtAnswer;
use crate::problem::{FieldError, is_none_left_out};

/// What became of one row.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowAnswer {
    /// The line of the list; absent if the row did not name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 12)]
    pub(crate) line: Option<u32>,
    /// `appended`; `retried` if the same row was stored before; `repeated` if it says nothing that would be kept; `would_append` in a preview; `held` if it would lift a refusal, and was not stored; `rejected` if something is wrong with it.
    #[schema(example = "appended")]
    pub(crate) outcome: &'static str,
    /// `act` or `report`; absent if the row was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "report")]
    pub(crate) standing: Option<&'static str>,
    /// The number that was understood; absent unless the row names a phone that is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    pub(crate) phone: Option<String>,
    /// In a preview, the country of the number, where its first digits tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "US")]
    pub(crate) region: Option<String>,
    /// The event; absent unless the row is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    pub(crate) event: Option<String>,
    /// Where the person stands then, absent for processing; for a row that is held, where they stand without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "opted_in")]
    pub(crate) status: Option<&'static str>,
    /// Every refusal that the row lifts, or would lift.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) lifts_refusals: Vec<LiftedRefusal>,
    /// What was in doubt, and how it was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) remarks: Vec<String>,
    /// Why an opt-in is `pending`, which grants nothing; absent where it was not in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) doubt: Option<DoubtAnswer>,
    /// What is wrong with the row, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<FieldError>,
    /// How much more is wrong than `errors` names; absent where it names all.
    #[serde(skip_serializing_if = "is_none_left_out")]
    #[schema(value_type = Option<u64>)]
    pub(crate) errors_left_out: u64,
}

/// A refusal that a row lifts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LiftedRefusal {
    /// `opt_out`: the person said no. `hold`: they wrote something unclear. `report`: a source reported a no. `suppression`: a block that an opt-in lifts.
    #[schema(example = "opt_out")]
    refusal: &'static str,
    /// What it refuses: a scope, or `processing`.
    #[schema(example = "all")]
    covers: String,
    /// When it was said.
    #[schema(example = "2026-11-21T10:00:00.000000Z")]
    at: String,
    /// The event that said it.
    #[schema(example = "evt_01jd6m9k3te5b8r5v3x5y6z7w8")]
    event: String,
}

impl RowAnswer {
    /// A row with this outcome, and where the person stands then.
    pub(crate) fn of(
        row: &PlannedRow,
        outcome: &'static str,
        status: Option<&'static str>,
        lifted: &[Lifted],
    ) -> Self {
        let standing = match row.standing {
            Standing::Act => "act",
            Standing::Report => "report",
        };
        Self {
            line: Some(row.line),
            outcome,
            standing: Some(standing),
            phone: row.number.map(|number| number.phone.to_string()),
            region: None,
            event: None,
            status,
            lifts_refusals: lifted.iter().map(LiftedRefusal::of).collect(),
            remarks: row.plan.remarks.clone(),
            doubt: row.plan.doubt.map(DoubtAnswer::of),
            errors: Vec::new(),
            errors_left_out: 0,
        }
    }

    /// A row that says neither yes nor no.
    pub(crate) fn silent(line: Option<u32>) -> Self {
        let row = RejectedRow { line, errors: Vec::new(), left_out: 0 };
        Self { outcome: "repeated", ..Self::rejected(row) }
    }

    /// A row that something is wrong with.
    pub(crate) fn rejected(row: RejectedRow) -> Self {
        Self {
            line: row.line,
            outcome: "rejected",
            standing: None,
            phone: None,
            region: None,
            event: None,
            status: None,
            lifts_refusals: Vec::new(),
            remarks: Vec::new(),
            doubt: None,
            errors: row.errors,
            errors_left_out: row.left_out,
        }
    }
}

impl LiftedRefusal {
    fn of(lifted: &Lifted) -> Self {
        Self {
            refusal: lifted.refusal.as_str(),
            covers: match lifted.permission {
                Permission::Messages(_, scope) => scope.to_string(),
                Permission::Processing => "processing".to_owned(),
            },
            at: lifted.mark.at.to_string(),
            event: lifted.mark.event.to_string(),
        }
    }
}
