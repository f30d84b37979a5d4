//! What the gate is asked about a message: itself, and what its template makes of it where the provider
//! says that the template needs more consent (rule 25). Both must be allowed.

use sayso_core::channel::Message;
use sayso_core::decision::Requirement;
use sayso_core::sender_health::Known;
use sayso_store::configuration::Configuration;
use sayso_store::message::Payload;
use sayso_store::store::Question;

/// The questions about a message on one route, its own first.
pub(super) fn questions(
    configuration: &Configuration,
    (route, requirement): (&Message, Requirement),
    payload: &Payload,
    known: Known,
) -> Vec<Question> {
    let own = Question { message: *route, requirement };
    let as_template = configuration.as_template(route, payload, known).map(|message| {
        let waived = Requirement::waived(message.category);
        let is_waived = requirement != Requirement::OptIn;
        let requirement = waived.filter(|_| is_waived).unwrap_or(Requirement::OptIn);
        Question { message, requirement }
    });
    std::iter::once(own).chain(as_template).collect()
}
