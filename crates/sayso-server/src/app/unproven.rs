//! The slow lane of refusals that nobody vouches for, and how many a site had in this hour. Counts are in memory,
//! written every half minute, and no facts about people: what a crash loses of them makes a group begin later.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_core::id::{ImportId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::source::SourceName;
use sayso_store::Store;
use sayso_store::store::StoreError;
use sayso_store::tally::{Counted, Tally};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::body::duration;
use crate::problem::{Code, Problem};

const HOUR: Span = Span::hours(1);
/// Seconds after which a page is asked to say it again.
const COME_BACK_SECONDS: u64 = 30;

/// The slow lane, and what was counted of each site.
#[derive(Debug)]
pub(crate) struct Unproven {
    lane: Semaphore,
    waiting: AtomicUsize,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    sites: BTreeMap<(WorkspaceId, SourceName), SiteHour>,
    /// Refusals of groups that are not written yet.
    held: BTreeMap<(WorkspaceId, ImportId), usize>,
}

/// What a site said in an hour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteHour {
    pub(crate) began: Timestamp,
    /// How many people it refused for, in this hour.
    pub(crate) refused: u64,
    /// How many of them are not written yet.
    unwritten: usize,
    /// How many an hour may have.
    pub(crate) most: u64,
}

/// Somebody's place among those who wait for the lane.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Unproven {
    fn default() -> Self {
        Self {
            lane: Semaphore::new(limits::UNPROVEN_AT_ONCE),
            waiting: AtomicUsize::new(0),
            counts: Mutex::default(),
        }
    }
}

/// How many refusals an hour may have, of a site that had so many in the week before.
fn most(before: u64) -> u64 {
    let hours = limits::UNPROVEN_USUAL_WINDOW.as_micros() / HOUR.as_micros();
    let usual = before.div_ceil(u64::try_from(hours).unwrap_or(1));
    usual
        .saturating_mul(limits::UNPROVEN_REFUSALS_TIMES_USUAL)
        .max(limits::UNPROVEN_REFUSALS_PER_HOUR)
}

impl Unproven {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lane.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait, or for too long.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Problem> {
        let busy = || Problem::new(Code::Busy).retry_after_seconds(COME_BACK_SECONDS);
        let waits = Waits(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= limits::UNPROVEN_WAITING_MAX {
            return Err(busy());
        }
        let patience = duration(limits::UNPROVEN_LANE_WAIT);
        let entered = tokio::time::timeout(patience, self.lane.acquire()).await;
        drop(waits);
        entered.map_err(|_| busy())?.map_err(|_| busy())
    }

    /// Counts people that a site refused for.
    pub(crate) fn count(&self, place: &(WorkspaceId, SourceName), group: Option<ImportId>) {
        let mut counts = self.counts();
        if let Some(hour) = counts.sites.get_mut(place) {
            hour.refused += 1;
            hour.unwritten += 1;
        }
        if let Some(group) = group {
            *counts.held.entry((place.0, group)).or_default() += 1;
        }
    }

    /// Writes what was counted so far. What cannot be written goes on waiting.
    pub(crate) async fn write(&self, store: &dyn Store) -> Result<(), StoreError> {
        let (sites, held) = {
            let mut counts = self.counts();
            let sites: Vec<((WorkspaceId, SourceName), usize)> = counts
                .sites
                .iter_mut()
                .filter(|(_, hour)| hour.unwritten > 0)
                .map(|(place, hour)| (place.clone(), std::mem::take(&mut hour.unwritten)))
                .collect();
            (sites, std::mem::take(&mut counts.held))
        };
        let mut failed = Ok(());
        for (place, times) in sites {
            let counted = Counted::site(&place.1);
            if let Err(error) = write(store, place.0, counted, (Tally::Unproven, times)).await {
                let mut counts = self.counts();
                counts.sites.entry(place).and_modify(|hour| hour.unwritten += times);
                failed = Err(error);
            }
        }
        for ((workspace, group), times) in held {
            let counted = Counted::Group(group);
            if let Err(error) = write(store, workspace, counted, (Tally::Held, times)).await {
                *self.counts().held.entry((workspace, group)).or_default() += times;
                failed = Err(error);
            }
        }
        failed
    }

    /// What a site said in this hour so far.
    pub(crate) async fn this_hour(
        &self,
        store: &dyn Store,
        place: &(WorkspaceId, SourceName),
        now: Timestamp,
    ) -> Result<SiteHour, StoreError> {
        let began = now.start_of(HOUR);
        let known = self.counts().sites.get(place).copied();
        if let Some(hour) = known.filter(|hour| hour.began == began) {
            return Ok(hour);
        }
        // First what is known, so that the hour before counts as usual.
        self.write(store).await?;
        let tallied = store.tally(place.0, Counted::site(&place.1), &[]).await?;
        let told = tallied.unproven;
        let hour =
            SiteHour { began, refused: told.this_hour, unwritten: 0, most: most(told.before) };
        let mut counts = self.counts();
        let kept = counts.sites.entry(place.clone()).or_insert(hour);
        if kept.began != began {
            *kept = SiteHour { unwritten: kept.unwritten, ..hour };
        }
        Ok(*kept)
    }
}

async fn write(
    store: &dyn Store,
    workspace: WorkspaceId,
    counted: Counted,
    (tally, times): (Tally, usize),
) -> Result<(), StoreError> {
    let mut rest = times;
    while rest > 0 {
        let some = rest.min(limits::TALLIES_AT_ONCE);
        store.tally(workspace, counted, &vec![tally; some]).await?;
        rest -= some;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls once: whether it is done.
    fn is_done<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        future.as_mut().poll(&mut context).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_that_nobody_vouches_for_wait_for_each_other_and_one_too_many_is_told_so() {
        let unproven = Unproven::default();
        let mut within = Vec::new();
        for _ in 0..limits::UNPROVEN_AT_ONCE {
            within.push(unproven.enter().await.unwrap());
        }
        let mut waiting: Vec<_> =
            (0..limits::UNPROVEN_WAITING_MAX).map(|_| Box::pin(unproven.enter())).collect();
        assert!(!waiting.iter_mut().any(is_done));
        assert_eq!(unproven.enter().await.unwrap_err().code(), Code::Busy);
        drop(within.pop());
        assert!(is_done(waiting.first_mut().unwrap()), "the first that waits comes next");
        drop(waiting);
        assert_eq!(unproven.waiting.load(Ordering::Relaxed), 0, "who gives up waits no more");
    }

    #[test]
    fn an_hour_may_have_two_hundred_refusals_or_three_times_what_the_site_usually_has() {
        assert_eq!(most(0), 200);
        assert_eq!(most(168 * 66), 200);
        assert_eq!(most(168 * 100), 300);
        assert_eq!(most(168 * 100 + 1), 303);
    }
}
