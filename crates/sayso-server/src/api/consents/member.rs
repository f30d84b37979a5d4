//! One person of an audience: since when they have the status, and which event that rests on.
//!
//! "Who had said no by the end of March, when, and how do we know?" is one question, so it has one
//! answer: `GET /v1/consents?channel=sms&status=opted_out&as_of=2026-04-01T00:00:00Z&explain=true`.

use std::sync::Arc;

use sayso_core::address::Address;
use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, check};
use sayso_core::policy::settings::Settings;
use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::store::{AudienceQuery, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::exports::row::Basis;
use crate::body::texts::StatusText;
use crate::views::address::ShownAddress;

/// One person of an audience. Of `phone`, `email`, `external_id` and `channel_id` one is present.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MemberLine {
    /// A telephone number in E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "+14155550123")]
    phone: Option<String>,
    /// An email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Your own id of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// A channel's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<String>,
    /// The status that was asked for; said where `explain` was sent, as is what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<StatusText>)]
    status: Option<&'static str>,
    /// Since when they have it: when it was said. Absent where nobody knows, or nothing was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-03-11T18:20:00.999999Z")]
    since: Option<String>,
    /// The event that it rests on: who said it, how, by which road, and when it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    basis: Option<Basis>,
}

/// What the lines of an audience are made of.
#[derive(Clone)]
pub(super) struct Explaining {
    store: Arc<dyn Store>,
    workspace: Arc<Workspace>,
    settings: Settings,
    now: Timestamp,
}

impl Explaining {
    /// Explaining an audience asked for at `now`.
    pub(super) fn new(
        store: Arc<dyn Store>,
        workspace: Arc<Workspace>,
        query: &AudienceQuery,
        now: Timestamp,
    ) -> Self {
        let now = query.moment.time(now);
        let settings = workspace.settings.at(now);
        Self { store, workspace, settings, now }
    }

    /// The line of one person.
    pub(super) async fn line(
        &self,
        query: &AudienceQuery,
        address: &Address,
    ) -> Result<MemberLine, StoreError> {
        let workspace = self.workspace.id;
        let subject = Subject::Address(address.clone());
        let registers = self.store.registers(workspace, &subject, query.moment).await?;
        let circumstances = Circumstances::of_consent(&self.settings, Requirement::OptIn, self.now);
        let consent = check(&registers, &query.message, &circumstances).consent;
        let since = consent.basis.map(|mark| mark.at).filter(|at| *at != Timestamp::DISTANT_PAST);
        let basis = match consent.basis {
            Some(mark) => {
                let key = address.key(&self.workspace.secret);
                self.store.find_event(workspace, key, mark.event).await?.map(Basis::of)
            }
            None => None,
        };
        Ok(MemberLine::of(address, query.status, since, basis))
    }
}

impl MemberLine {
    fn of(
        address: &Address,
        status: Status,
        since: Option<Timestamp>,
        basis: Option<Basis>,
    ) -> Self {
        let ShownAddress { phone, email, external_id, channel_id } = ShownAddress::of(address);
        let (status, since) = (Some(status.as_str()), since.map(|at| at.to_string()));
        Self { phone, email, external_id, channel_id, status, since, basis }
    }
}
