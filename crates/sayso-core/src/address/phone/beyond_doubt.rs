//! Which numbers have no other reading than themselves, told by their first digits and their length.
//!
//! Reading a number asks the data of forms and the plan of its country. For nearly every number the answer is
//! the number itself, and for nearly every number its first five digits prove that: so the proof is kept, and
//! a list of a hundred thousand is read in the time of a few. *Where there is no proof, the number is read.*

use std::sync::atomic::{AtomicU32, Ordering};

/// The first digits by which it is told.
const HEAD_DIGITS: u32 = 5;
const HEADS: usize = 100_000;

/// The bit that says that a head was looked at: no number has 31 digits.
const LOOKED_AT: u32 = 1 << 31;

/// For each first digits, the lengths at which a number is beyond doubt, as far as anybody asked.
pub(super) struct BeyondDoubt(Box<[AtomicU32]>);

impl Default for BeyondDoubt {
    fn default() -> Self {
        Self((0..HEADS).map(|_| AtomicU32::new(0)).collect())
    }
}

impl BeyondDoubt {
    /// Whether a number is beyond doubt. `look` says at which lengths those are that begin with these digits:
    /// bit n for n digits.
    pub(super) fn holds(&self, number: u64, look: impl FnOnce(u64) -> u32) -> bool {
        let Some(digits) = number.checked_ilog10().map(|power| power + 1) else { return false };
        let Some(below) = digits.checked_sub(HEAD_DIGITS) else { return false };
        let head = number / 10_u64.pow(below);
        let place = usize::try_from(head).ok().and_then(|head| self.0.get(head));
        let Some(place) = place else { return false };
        let mut lengths = place.load(Ordering::Relaxed);
        if lengths == 0 {
            // Whoever looks at the same time sees the same.
            lengths = look(head) | LOOKED_AT;
            place.store(lengths, Ordering::Relaxed);
        }
        lengths & !LOOKED_AT & 1_u32.checked_shl(digits).unwrap_or(0) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_looked_once_for_all_numbers_that_begin_alike() {
        let beyond = BeyondDoubt::default();
        let mut looks = 0;
        for (number, holds) in
            [(14_155_552_671, true), (14_155_999_999, true), (1_415_555_267, false), (1_415, false)]
        {
            let look = |head| {
                looks += 1;
                assert_eq!(head, 14_155);
                1 << 11
            };
            assert_eq!(beyond.holds(number, look), holds, "{number}");
        }
        assert_eq!(looks, 1);
        assert!(!beyond.holds(0, |_| u32::MAX));
    }
}
