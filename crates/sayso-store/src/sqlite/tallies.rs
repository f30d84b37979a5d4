//! Counts in `work.db`, by the hour since 1970.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use sayso_core::gate::sender_health::Traffic;
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};

use super::{unreadable, unwritable};
use crate::store::StoreError;
use crate::tally::{Counted, Reach, Tallied, Tally, UnprovenRefusals};

/// Messages that were handed over; the other kinds are those of [`Tally`].
const HANDED_OVER: u8 = 1;

const fn kind(tally: Tally) -> u8 {
    match tally {
        Tally::Refused => 2,
        Tally::Complained => 3,
        Tally::Inferred => 4,
        Tally::Held => 5,
        Tally::Shown => 6,
        Tally::Started => 7,
        Tally::OptedIn => 8,
        Tally::Confirmed => 9,
        Tally::Unproven => 10,
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(Span::hours(1).as_micros())
}

/// In which hour it is counted: an entry point has only sums.
fn hour_of(counted: &Counted, at: Timestamp) -> i64 {
    match counted {
        Counted::Sender(_) | Counted::Group(_) | Counted::Site(_) => hour(at),
        Counted::EntryPoint(_) => 0,
    }
}

const fn bytes(counted: &Counted) -> &[u8; 16] {
    match counted {
        Counted::Sender(id) => id.as_bytes(),
        Counted::Group(id) => id.as_bytes(),
        Counted::EntryPoint(id) => id.as_bytes(),
        Counted::Site(hash) => hash,
    }
}

/// Adds to the counts of this hour.
pub(super) fn add(
    work: &Connection,
    workspace: WorkspaceId,
    counted: &Counted,
    tallies: &[Tally],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut times: BTreeMap<u8, u64> = BTreeMap::new();
    tallies.iter().for_each(|tally| *times.entry(kind(*tally)).or_default() += 1);
    times.into_iter().try_for_each(|added| put(work, workspace, counted, added, now))?;
    let oldest = match counted {
        Counted::Sender(_) => hour(now.minus(limits::HEALTH_WINDOW)) - DAY_HOURS,
        Counted::Site(_) => hour(now.minus(limits::UNPROVEN_USUAL_WINDOW)),
        Counted::Group(_) | Counted::EntryPoint(_) => return Ok(()),
    };
    work.prepare_cached("DELETE FROM tally WHERE workspace = ?1 AND counted = ?2 AND hour < ?3")
        .and_then(|mut statement| {
            statement.execute(params![workspace.as_bytes(), bytes(counted), oldest])
        })
        .map(|_| ())
        .map_err(|error| unwritable(&error))
}

/// Counts messages of a sender that were handed over.
pub(super) fn handed_over(
    work: &Connection,
    workspace: WorkspaceId,
    counted: &Counted,
    times: u64,
    now: Timestamp,
) -> Result<(), StoreError> {
    put(work, workspace, counted, (HANDED_OVER, times), now)
}

fn put(
    work: &Connection,
    workspace: WorkspaceId,
    counted: &Counted,
    (kind, times): (u8, u64),
    now: Timestamp,
) -> Result<(), StoreError> {
    let times = i64::try_from(times).unwrap_or(i64::MAX);
    work.prepare_cached(
        "INSERT INTO tally (workspace, counted, kind, hour, times) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET times = times + excluded.times",
    )
    .and_then(|mut statement| {
        let hour = hour_of(counted, now);
        statement.execute(params![workspace.as_bytes(), bytes(counted), kind, hour, times])
    })
    .map(|_| ())
    .map_err(|error| unwritable(&error))
}

/// What the counts come to.
pub(super) fn tallied(
    work: &Connection,
    workspace: WorkspaceId,
    counted: &Counted,
    now: Timestamp,
) -> Result<Tallied, StoreError> {
    let today = hour(now).div_euclid(DAY_HOURS) * DAY_HOURS;
    let sum = |kind: u8, after: i64| -> Result<u64, StoreError> {
        let sum: i64 = work
            .prepare_cached(
                "SELECT coalesce(sum(times), 0) FROM tally
                 WHERE workspace = ?1 AND counted = ?2 AND kind = ?3 AND hour > ?4",
            )
            .and_then(|mut statement| {
                let asked = params![workspace.as_bytes(), bytes(counted), kind, after];
                statement.query_row(asked, |row| row.get(0))
            })
            .map_err(unreadable)?;
        Ok(u64::try_from(sum).unwrap_or(0))
    };
    if let Counted::EntryPoint(_) = counted {
        let ever = |tally| sum(kind(tally), i64::MIN);
        let reach = Reach {
            shown: ever(Tally::Shown)?,
            started: ever(Tally::Started)?,
            opted_in: ever(Tally::OptedIn)?,
            confirmed: ever(Tally::Confirmed)?,
            refused: ever(Tally::Refused)?,
        };
        return Ok(Tallied { reach, ..Tallied::default() });
    }
    if let Counted::Site(_) = counted {
        let unproven = kind(Tally::Unproven);
        let this_hour = sum(unproven, hour(now) - 1)?;
        let week = sum(unproven, hour(now.minus(limits::UNPROVEN_USUAL_WINDOW)))?;
        let unproven = UnprovenRefusals { this_hour, before: week.saturating_sub(this_hour) };
        return Ok(Tallied { unproven, ..Tallied::default() });
    }
    let window = hour(now.minus(limits::HEALTH_WINDOW));
    Ok(Tallied {
        traffic: Traffic {
            handed_over: sum(HANDED_OVER, window)?,
            refused: sum(kind(Tally::Refused), window)?,
            complained: sum(kind(Tally::Complained), window)?,
        },
        inferred_today: sum(kind(Tally::Inferred), today - 1)?,
        held: sum(kind(Tally::Held), i64::MIN)?,
        reach: Reach::default(),
        unproven: UnprovenRefusals::default(),
    })
}

const DAY_HOURS: i64 = 24;
