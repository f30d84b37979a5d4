//! What may be left out afterwards, and by whom (rule 9).

use thiserror::Error;

use crate::state::suppression::Switched;
use crate::words::event::{ConsentEvent, Fact};
use crate::words::source::{Actor, is_passed_on};
use crate::words::statement::Statement;

/// Why an event may not be retracted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RetractionFault {
    /// A refusal that reached us from the person.
    #[error("is a refusal that came from the person, which nobody can retract")]
    FromThePerson,
    /// It was passed on from another address of the account.
    #[error(
        "was passed on from another address of the same account: retract it there, or the event that named the two as one"
    )]
    PassedOn,
    /// A retraction or an erasure.
    #[error("is a retraction or an erasure, which nobody can retract")]
    Final,
    /// A refusal recorded by a caller or read in a sentence, a block, or what brought refusals of another
    /// address, and the caller is not of the compliance role.
    #[error("is a refusal or a block, or brought some: only the compliance role may retract it")]
    NeedsCompliance,
}

/// Who asks for the retraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May retract refusals that a caller recorded.
    Compliance,
    /// May retract what is no refusal.
    Other,
}

/// Whether it is a refusal that reached us from the person: no retraction leaves it out. A hold is
/// none yet; whoever reads it may retract it (rule 19). Nor is one that we read in a sentence of
/// theirs ([`Road::Sentence`](crate::words::source::Road::Sentence)): compliance may find that we misread it.
pub fn is_refusal_of_the_person(event: &ConsentEvent) -> bool {
    event.actor == Actor::Subject
        && event.source.road.is_from_the_person()
        && matches!(event.fact, Fact::Consent(_, Statement::OptOut | Statement::No))
}

/// Whether `event` may be retracted by somebody of this role.
///
/// # Errors
/// [`RetractionFault`] says why not.
pub fn may_retract(event: &ConsentEvent, role: Role) -> Result<(), RetractionFault> {
    if is_passed_on(&event.source) && !matches!(event.fact, Fact::Retraction(_)) {
        return Err(RetractionFault::PassedOn);
    }
    match event.fact {
        Fact::Retraction(_) | Fact::Erasure => Err(RetractionFault::Final),
        Fact::Consent(_, statement) if statement.is_refusal() => {
            if is_refusal_of_the_person(event) {
                Err(RetractionFault::FromThePerson)
            } else if role == Role::Compliance {
                Ok(())
            } else {
                Err(RetractionFault::NeedsCompliance)
            }
        }
        // A block that is left out lets messages go again, as one that is cleared.
        Fact::SameAccount(..) | Fact::MovedFrom(_) | Fact::Suppression(_, _, Switched::On) => {
            match role {
                Role::Compliance => Ok(()),
                Role::Other => Err(RetractionFault::NeedsCompliance),
            }
        }
        Fact::Consent(..)
        | Fact::Suppression(_, _, Switched::Off)
        | Fact::Activity(_)
        | Fact::Link(_)
        | Fact::Attributes(_) => Ok(()),
    }
}
