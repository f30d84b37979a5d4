//! Claims that are open: what stands between a decision and the beginning of a hand-over.
//!
//! A claim is entered *before* the gate is asked, and a refusal revokes *after* it is visible to the
//! gate. So whoever decided on what was known before the refusal finds the claim revoked:
//!
//! ```text
//! claim:    enter ─────── ask the gate ─────── commit ─── begin?
//! refusal:           commit ─── publish ─── revoke ─── answer
//! ```
//!
//! If the gate was asked before the publishing, the claim was entered before the revoking. Beginning
//! and revoking exclude each other, so a hand-over that began, began before the answer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_core::id::{MessageId, SenderId};
use sayso_core::limits;
use sayso_core::time::Timestamp;

use super::tail::{Place, WorkspaceNo};
use crate::environment::Clock;

/// The open claims of a store.
#[derive(Debug, Default)]
pub(super) struct Claims(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    claims: HashMap<MessageId, Claim>,
    of_places: HashMap<Place, Vec<MessageId>>,
}

#[derive(Debug)]
struct Claim {
    /// The address, and the other forms of its number: a refusal of each revokes the claim.
    places: Vec<Place>,
    sender: SenderId,
    entered_at: Timestamp,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Revoked,
    Begun,
}

impl Claim {
    fn is_of(&self, workspace: WorkspaceNo) -> bool {
        self.places.iter().any(|(of, _)| *of == workspace)
    }
}

impl Claims {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters claims of a sender's messages, before they are decided.
    pub(super) fn enter(
        &self,
        sender: SenderId,
        messages: impl Iterator<Item = (MessageId, Vec<Place>)>,
        entered_at: Timestamp,
    ) {
        let mut open = self.open();
        for (message, places) in messages {
            for place in &places {
                open.of_places.entry(*place).or_default().push(message);
            }
            open.claims.insert(message, Claim { places, sender, entered_at, state: State::Open });
        }
    }

    /// Revokes the claims of addresses whose hand-over has not begun.
    pub(super) fn revoke(&self, places: impl Iterator<Item = Place>) {
        let mut open = self.open();
        if open.claims.is_empty() {
            return;
        }
        let Open { claims, of_places } = &mut *open;
        for place in places {
            for message in of_places.get(&place).into_iter().flatten() {
                if let Some(claim) = claims.get_mut(message)
                    && claim.state == State::Open
                {
                    claim.state = State::Revoked;
                }
            }
        }
    }

    /// Revokes the claims of a sender whose hand-over has not begun. It looks through all that are
    /// open, for a signal about a sender is rare.
    pub(super) fn revoke_of_sender(&self, workspace: WorkspaceNo, sender: SenderId) {
        for claim in self.open().claims.values_mut() {
            let is_meant = claim.is_of(workspace) && claim.sender == sender;
            if is_meant && claim.state == State::Open {
                claim.state = State::Revoked;
            }
        }
    }

    /// Revokes the claims of a workspace whose hand-over has not begun, whose settings changed.
    pub(super) fn revoke_of_workspace(&self, workspace: WorkspaceNo) {
        for claim in self.open().claims.values_mut() {
            if claim.is_of(workspace) && claim.state == State::Open {
                claim.state = State::Revoked;
            }
        }
    }

    /// Begins the hand-over, and says when; not if the claim was revoked, is too old (rule 28), or is
    /// none. The clock is read while nobody can revoke.
    pub(super) fn begin(&self, message: MessageId, clock: &dyn Clock) -> Option<Timestamp> {
        let mut open = self.open();
        let now = clock.now();
        let claim = open.claims.get_mut(&message)?;
        let is_fresh = now.minus(limits::CLAIM_HOLDS) <= claim.entered_at;
        if claim.state != State::Open || !is_fresh {
            return None;
        }
        claim.state = State::Begun;
        Some(now)
    }

    /// Forgets claims that came to nothing or to an end.
    pub(super) fn leave(&self, messages: impl Iterator<Item = MessageId>) {
        let mut open = self.open();
        for message in messages {
            let Some(claim) = open.claims.remove(&message) else { continue };
            for place in claim.places {
                if let Some(of_place) = open.of_places.get_mut(&place) {
                    of_place.retain(|other| *other != message);
                    if of_place.is_empty() {
                        open.of_places.remove(&place);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sayso_core::address::AddressKey;
    use sayso_core::time::Span;

    use super::*;

    #[derive(Debug)]
    struct At(Timestamp);

    impl Clock for At {
        fn now(&self) -> Timestamp {
            self.0
        }
    }

    const START: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    const SENDER: SenderId = SenderId::from_bytes([0x51; 16]);

    fn place(n: u8) -> Place {
        (1, AddressKey::from_bytes([n; 16]))
    }

    fn message(n: u8) -> MessageId {
        MessageId::from_bytes([n; 16])
    }

    fn begins(claims: &Claims, n: u8, after: Span) -> bool {
        claims.begin(message(n), &At(START.plus(after))).is_some()
    }

    #[test]
    fn a_revoked_claim_does_not_begin_and_those_of_others_do() {
        let claims = Claims::default();
        claims.enter(
            SENDER,
            [(message(1), vec![place(1)]), (message(2), vec![place(2)])].into_iter(),
            START,
        );
        claims.revoke([place(1)].into_iter());
        assert!(!begins(&claims, 1, Span::seconds(0)));
        assert!(begins(&claims, 2, Span::seconds(0)));
        assert!(!begins(&claims, 2, Span::seconds(0)), "it begins once");
        claims.leave([message(1), message(2)].into_iter());
        claims.enter(SENDER, [(message(1), vec![place(1)])].into_iter(), START);
        assert!(begins(&claims, 1, Span::seconds(0)), "entered anew, it is decided anew");
    }

    #[test]
    fn a_refusal_of_another_form_of_the_number_revokes_the_claim() {
        let claims = Claims::default();
        let both = || [(message(1), vec![place(1), place(2)])].into_iter();
        claims.enter(SENDER, both(), START);
        claims.revoke([place(2)].into_iter());
        assert!(!begins(&claims, 1, Span::seconds(0)));
        claims.leave([message(1)].into_iter());
        claims.enter(SENDER, both(), START);
        assert!(begins(&claims, 1, Span::seconds(0)), "entered anew, it is decided anew");
    }

    #[test]
    fn a_claim_holds_two_seconds() {
        let claims = Claims::default();
        claims.enter(
            SENDER,
            [(message(1), vec![place(1)]), (message(2), vec![place(1)])].into_iter(),
            START,
        );
        assert!(begins(&claims, 1, limits::CLAIM_HOLDS));
        assert!(!begins(&claims, 2, Span::micros(limits::CLAIM_HOLDS.as_micros() + 1)));
        assert!(!begins(&claims, 3, Span::seconds(0)), "nobody claimed it");
    }

    #[test]
    fn the_claims_of_a_paused_sender_do_not_begin_and_those_of_others_do() {
        let claims = Claims::default();
        let other = SenderId::from_bytes([0x52; 16]);
        claims.enter(
            SENDER,
            [(message(1), vec![place(1)]), (message(2), vec![place(2)])].into_iter(),
            START,
        );
        claims.enter(other, [(message(3), vec![place(1)])].into_iter(), START);
        assert!(begins(&claims, 2, Span::seconds(0)));
        claims.revoke_of_sender(1, SENDER);
        assert!(!begins(&claims, 1, Span::seconds(0)));
        assert!(begins(&claims, 3, Span::seconds(0)), "another sender's");
        claims.enter(SENDER, [(message(4), vec![place(1)])].into_iter(), START);
        claims.revoke_of_sender(2, SENDER);
        assert!(begins(&claims, 4, Span::seconds(0)), "another workspace's");
    }

    #[test]
    fn the_claims_of_a_workspace_with_other_settings_do_not_begin_and_those_of_others_do() {
        let claims = Claims::default();
        let elsewhere = (2, AddressKey::from_bytes([1; 16]));
        claims.enter(
            SENDER,
            [(message(1), vec![place(1)]), (message(2), vec![elsewhere])].into_iter(),
            START,
        );
        claims.revoke_of_workspace(1);
        assert!(!begins(&claims, 1, Span::seconds(0)));
        assert!(begins(&claims, 2, Span::seconds(0)), "another workspace's");
    }
}
