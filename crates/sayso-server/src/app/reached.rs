//! How far people come from an entry point: counted in memory, and written every half minute and before
//! anybody reads it. Counts are no facts about people, so what a crash loses of them is not missed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sayso_core::id::{EntryPointId, WorkspaceId};
use sayso_store::Store;
use sayso_store::store::StoreError;
use sayso_store::tally::{Counted, Tally};

/// Counts that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Reached(Mutex<BTreeMap<(WorkspaceId, EntryPointId), Vec<Tally>>>);

/// Counts of one entry point that wait, at most: a flood within half a minute is not counted to its end.
const WAITING_MAX: usize = 65_536;

impl Reached {
    /// Counts something.
    pub(crate) fn count(&self, workspace: WorkspaceId, entry: EntryPointId, tally: Tally) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tallies = waiting.entry((workspace, entry)).or_default();
        if tallies.len() < WAITING_MAX {
            tallies.push(tally);
        }
    }

    /// Writes what was counted so far. What cannot be written goes on waiting.
    pub(crate) async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let mut waiting = {
            let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *held)
        };
        while let Some(((workspace, entry), tallies)) = waiting.pop_first() {
            let written = store.tally(workspace, Counted::EntryPoint(entry), &tallies).await;
            if let Err(error) = written {
                waiting.insert((workspace, entry), tallies);
                for ((workspace, entry), tallies) in waiting {
                    tallies.into_iter().for_each(|tally| self.count(workspace, entry, tally));
                }
                return Err(error);
            }
        }
        Ok(())
    }
}
