//! Of which numbers another form may be known: old and second forms of one line (rule 1).
//!
//! Of two forms of a line at least one is such that it [may be a form](Phone::may_be_form), and nearly nobody
//! is known by one. So it is noted, for each that comes, how its other forms begin: whoever is asked about and
//! begins otherwise is known by one form at the most, which costs a look at one bit.

use std::sync::atomic::{AtomicU64, Ordering};

use sayso_core::address::phone::{PHONE_HEADS, Phone};

/// The bits of a word.
const BITS: usize = 64;

/// The first digits that the other forms of known numbers have. It never shrinks: in doubt the store is asked.
#[derive(Debug)]
pub(super) struct KnownForms([AtomicU64; PHONE_HEADS.div_ceil(BITS)]);

impl Default for KnownForms {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

impl KnownForms {
    /// Notes a number, before it is known.
    pub(super) fn note(&self, phone: Phone) {
        if !phone.may_be_form() {
            return;
        }
        for other in phone.other_forms() {
            let head = other.head();
            if let Some(word) = self.0.get(head / BITS) {
                word.fetch_or(1 << (head % BITS), Ordering::SeqCst);
            }
        }
    }

    /// Whether another form of a number may be known: false is certain.
    pub(super) fn may_hold_other_of(&self, phone: Phone) -> bool {
        let head = phone.head();
        let word = self.0.get(head / BITS).map_or(u64::MAX, |word| word.load(Ordering::SeqCst));
        word >> (head % BITS) & 1 == 1 || phone.may_be_form()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(digits: u64) -> Phone {
        Phone::from_digits(digits).unwrap()
    }

    #[test]
    fn only_numbers_that_begin_as_another_form_of_a_known_one_are_in_doubt() {
        let known = KnownForms::default();
        let (mobile, before) = (phone(5_511_987_654_321), phone(551_187_654_321));
        known.note(mobile);
        known.note(phone(14_155_552_671));
        assert!(!known.may_hold_other_of(mobile), "nobody is known by the old form");
        assert!(known.may_hold_other_of(before), "which is in doubt itself");
        known.note(before);
        assert!(known.may_hold_other_of(mobile));
        assert!(!known.may_hold_other_of(phone(14_155_552_671)));
    }
}
