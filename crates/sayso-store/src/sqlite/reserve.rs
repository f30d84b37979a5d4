//! A file that keeps room on the disk, so that a refusal is taken even when the disk is full.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use sayso_core::limits;

use super::database::make_private_file;

/// The size of the reserve, as files count.
#[expect(clippy::as_conversions, reason = "TryFrom is not const, and the limit is 64 MiB")]
const RESERVE_BYTES: u64 = limits::REFUSAL_RESERVE_BYTES as u64;

/// The reserve of one store.
#[derive(Debug)]
pub(super) struct Reserve {
    path: Option<PathBuf>,
    state: State,
}

/// Where the reserved room is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the file.
    Held,
    /// Given to refusals.
    Open,
    /// Nowhere: a store without a disk needs none.
    None,
}

impl Reserve {
    /// A store without a disk needs none.
    pub(super) const fn none() -> Self {
        Self { path: None, state: State::None }
    }

    /// The reserve as a start finds it, or made where there is room for it. Where there is none, it
    /// counts as given to refusals, for what is left of the disk is theirs: also at the start after
    /// the one that gave it, until there is room again.
    pub(super) fn at_start(path: PathBuf) -> Self {
        let held = lies_there(&path)
            || (has_free(&path, RESERVE_BYTES + START_ROOM) && Self::write(&path).is_ok());
        if !held {
            tracing::error!(
                "the disk has no room for the reserve that keeps refusals going when it is full: \
                 nothing but refusals is taken until it has"
            );
        }
        Self { path: Some(path), state: if held { State::Held } else { State::Open } }
    }

    /// Gives the reserve up where the disk is so full that a start could not even read the store.
    pub(super) fn give_to_start(path: &Path) {
        if lies_there(path) && !has_free(path, START_ROOM) {
            tracing::error!("the disk is full: the reserve is opened for refusals at this start");
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(error = %error, "the reserve could not be opened");
            }
        }
    }

    /// Writes zeros rather than a hole, so that the room is really taken.
    fn write(path: &Path) -> std::io::Result<()> {
        make_private_file(path)?;
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

    /// Whether the room was given away: then nothing but refusals is taken.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Gives the room to refusals; whether there was any to give.
    pub(super) fn release(&mut self) -> bool {
        let Some(path) = self.path.as_ref().filter(|_| self.state == State::Held) else {
            return false;
        };
        tracing::error!(
            "the disk is full: the reserve is opened for refusals, nothing else is taken"
        );
        self.state = State::Open;
        fs::remove_file(path).is_ok()
    }

    /// Takes the room back once the disk has more than enough again.
    pub(super) fn take_back(&mut self) {
        let Some(path) = self.path.as_ref().filter(|_| self.state == State::Open) else { return };
        if free_bytes(path).is_some_and(|free| free >= ENOUGH) && Self::write(path).is_ok() {
            tracing::info!("the disk has room again: everything is taken");
            self.state = State::Held;
        }
    }
}

/// Room that a start needs itself: what SQLite puts beside its files, and views that are flushed.
const START_ROOM: u64 = 8 * 1_048_576;
/// Room that lets the reserve be taken back: the reserve itself, and as much again to work with.
const ENOUGH: u64 = 2 * RESERVE_BYTES;

/// Whether what is no refusal may be written: the reserve lies there, or there is room for it.
pub(super) fn has_room(reserve: &Path) -> bool {
    reserve.exists() || free_bytes(reserve).is_some_and(|free| free >= ENOUGH)
}

/// Whether the whole reserve lies there.
fn lies_there(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.len() == RESERVE_BYTES)
}

/// Whether the disk has so much room, as far as it tells.
fn has_free(path: &Path, bytes: u64) -> bool {
    free_bytes(path).is_none_or(|free| free >= bytes)
}

/// Bytes that this process may still write to the disk that holds `path`.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path.parent()?).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_disk_that_is_full_at_the_start_is_for_refusals() {
        // The kernel's own files have no room.
        let reserve = Reserve::at_start(PathBuf::from("/proc/reserve"));
        assert!(reserve.is_open());
    }

    #[test]
    fn a_reserve_is_held_where_there_is_room_also_by_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let reserve = Reserve::at_start(directory.path().join("reserve"));
            assert!(!reserve.is_open());
            assert!(has_room(&directory.path().join("reserve")));
        }
    }
}
