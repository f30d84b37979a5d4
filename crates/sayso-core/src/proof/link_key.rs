//! The ring of keys that links are made with.

/// A key of the ring, by its number. Links are made with the newest; all are valid, also those that are
/// still to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkKey(u32);

impl LinkKey {
    /// The key with this number; the first has 0.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The key after it; the last is its own.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}
