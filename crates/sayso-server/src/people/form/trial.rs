//! A form that is tried out. What was ticked is recorded of a test person, never of the address that was
//! typed, and shown as the events that it made.
//!
//! The test person is one of each workspace: a number and an address that nobody can have, blocked for
//! everything, so that no message ever goes there.

use axum::http::StatusCode;
use axum::response::Response;
use sayso_core::address::Address;
use sayso_core::address::email::Email;
use sayso_core::address::phone::Phone;
use sayso_core::canonical::Writer;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::Actor;
use sayso_pages::form::Remark;
use sayso_plan::draft::{Draft, Drafter};

use super::record::Plan;
use super::typed::{Judged, Submission, Typed};
use super::visit::Visit;
use crate::app::App;
use crate::observe::FormEnd;

/// The digits of the number of the test person. *Source*: numbers with 555-01 are kept for fiction by the
/// North American Numbering Plan; 555 is no area code besides.
const TEST_PHONE: u64 = 15_550_100_199;
/// The address of the test person. *Source*: RFC 2606, section 2: `.invalid` is no domain.
const TEST_EMAIL: &str = "test-person@example.invalid";

impl Submission {
    /// The same of the test person.
    pub(super) fn of_test_person(self) -> Self {
        Self {
            phone: self.phone.and_then(|_| Phone::from_digits(TEST_PHONE)),
            email: self.email.and_then(|_| Email::parse(TEST_EMAIL).ok()),
            ..self
        }
    }
}

/// Records what is planned of the test person, and shows it.
pub(super) async fn try_out(app: &App, visit: &Visit, mut plan: Plan) -> (FormEnd, Response) {
    let shown = visit.tried(&plan);
    let blocks: Vec<Draft> =
        plan.addresses().iter().map(|address| block(visit, &plan, address)).collect();
    plan.drafts.splice(0..0, blocks);
    plan.ask_nobody();
    let events = app.rates().take_events(visit.workspace.id, plan.drafts.len());
    if events.is_ok() && plan.record(app, visit).await.is_ok() {
        return (FormEnd::Tried, shown);
    }
    let nothing = (&Typed::default(), &Judged::default());
    let busy = (StatusCode::SERVICE_UNAVAILABLE, Some(Remark::Unavailable));
    (FormEnd::Failed, visit.form(app, nothing, busy))
}

/// That nothing is sent to the test person; the same event however often it is said.
fn block(visit: &Visit, plan: &Plan, address: &Address) -> Draft {
    let workspace = &visit.workspace;
    let mut fields = Writer::default();
    fields.text("test person");
    fields.raw(address.key(&workspace.secret).as_bytes());
    let request = RequestHash::of(&fields, &workspace.secret);
    let identity = (workspace.id, RequestIdentity::Dated(request));
    let fact = Fact::Suppression(Suppression::Operator, Cover::default(), Switched::On);
    Drafter::new(identity, plan.source().clone(), Actor::System, visit.received)
        .draft(address, fact, 0)
}
