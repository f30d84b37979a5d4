//! A file that keeps room on the disk, so that a refusal is taken even when the disk is full.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use sayso_core::limits;

/// The reserve of one store.
#[derive(Debug)]
pub(super) struct Reserve {
    path: Option<PathBuf>,
    held: AtomicBool,
}

impl Reserve {
    /// A store without a disk needs none.
    pub(super) const fn none() -> Self {
        Self { path: None, held: AtomicBool::new(false) }
    }

    /// Makes the reserve if there is room for it; a store without one works all the same.
    pub(super) fn make(path: PathBuf) -> Self {
        let size = u64::try_from(limits::REFUSAL_RESERVE_BYTES).unwrap_or(0);
        let held =
            fs::metadata(&path).is_ok_and(|file| file.len() == size) || Self::write(&path).is_ok();
        if !held {
            tracing::warn!(
                "there is no room for the reserve that keeps refusals going when the disk is full"
            );
        }
        Self { path: Some(path), held: AtomicBool::new(held) }
    }

    /// Writes zeros rather than a hole, so that the room is really taken.
    fn write(path: &PathBuf) -> std::io::Result<()> {
        let mut file = fs::File::create(path)?;
        let zeros = vec![0_u8; 65_536];
        let written = (0..limits::REFUSAL_RESERVE_BYTES / zeros.len())
            .try_for_each(|_| file.write_all(&zeros));
        written.and_then(|()| file.sync_all()).inspect_err(|_| {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(error = %error, "a reserve that found no room could not be removed");
            }
        })
    }

    /// Gives the room to refusals; whether there was any to give.
    pub(super) fn release(&self) -> bool {
        let Some(path) = self.path.as_ref().filter(|_| self.held.swap(false, Ordering::SeqCst))
        else {
            return false;
        };
        tracing::error!(
            "the disk is full: the reserve is opened for refusals, nothing else is taken"
        );
        fs::remove_file(path).is_ok()
    }
}
