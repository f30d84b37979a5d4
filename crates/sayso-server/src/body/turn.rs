//! Long work in pieces, between which others have their turn.

use sayso_core::limits;

/// What was done since others had their turn.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    lines: usize,
    bytes: usize,
}

impl Turn {
    /// A line of so many bytes was done. Gives others their turn when it is time.
    pub(crate) async fn line(&mut self, bytes: usize) {
        self.lines += 1;
        self.bytes += bytes;
        if self.lines >= limits::BATCH_LINES_A_TURN || self.bytes >= limits::BATCH_BYTES_A_TURN {
            self.others().await;
        }
    }

    /// Bytes were done that cost little each; whether it is time for [`Turn::others`]. A batch of numbers
    /// asks a hundred thousand times.
    #[inline]
    pub(crate) const fn is_over(&mut self, bytes: usize) -> bool {
        self.bytes += bytes;
        self.bytes >= limits::BATCH_BYTES_A_TURN
    }

    /// Gives others their turn.
    pub(crate) async fn others(&mut self) {
        *self = Self::default();
        tokio::task::yield_now().await;
    }
}
