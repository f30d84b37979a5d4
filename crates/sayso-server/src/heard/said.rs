//! What somebody said, as far as it is answered.

use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Scope;

use sayso_plan::understanding::Understanding;

/// What somebody said, as far as it is answered.
pub(super) struct Said<'a> {
    /// How it was understood; absent where there were no words.
    pub(super) understood: Option<&'a Understanding<'a>>,
    /// The widest of what it refused on the channel.
    pub(super) refused: Option<Scope>,
    /// Whether it left an opt-in `pending`.
    pub(super) left_pending: bool,
    /// Where START left the person; absent where it was no START.
    pub(super) start: Option<Status>,
    /// When it was said.
    pub(super) at: Timestamp,
}
