//! The history of several addresses as one, the newest first.
//!
//! Each address has a history and a position of its own. A page takes the newest events of all, and
//! its cursor holds for each address how far it was read.

use std::collections::BTreeMap;

use sayso_store::Store;
use sayso_store::configuration::Configuration;
use sayso_store::store::{HistoryEntry, Subject};

use crate::body::Faults;
use crate::problem::{Code, Problem};

/// How far each address was read, by the beginning of its key.
#[derive(Debug, Default)]
pub(crate) struct Cursor(BTreeMap<String, Position>);

/// How far one address was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    After(u64),
    End,
}

/// A page of several histories.
#[derive(Debug)]
pub(crate) struct Page {
    /// The events, the newest first.
    pub(crate) entries: Vec<HistoryEntry>,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
}

impl Cursor {
    /// Reads a cursor; notes if it is none of ours.
    pub(crate) fn parse(text: Option<&str>, faults: &mut Faults) -> Option<Self> {
        let Some(text) = text else { return Some(Self::default()) };
        let parts: Option<BTreeMap<String, Position>> = text
            .split('.')
            .map(|part| {
                let (key, position) = part.split_once('-')?;
                let position = match position {
                    "end" => Position::End,
                    digits => Position::After(digits.parse().ok()?),
                };
                Some((key.to_owned(), position))
            })
            .collect();
        if parts.is_none() {
            faults.note(
                "?cursor",
                Code::InvalidValue,
                "is no cursor of ours; use `next` as it was given",
            );
        }
        parts.map(Self)
    }

    fn render(&self) -> Option<String> {
        let unread = self.0.values().any(|position| *position != Position::End);
        let parts = self.0.iter().map(|(key, position)| match position {
            Position::After(position) => format!("{key}-{position}"),
            Position::End => format!("{key}-end"),
        });
        unread.then(|| parts.collect::<Vec<_>>().join("."))
    }
}

/// Reads a page of the histories of these addresses.
pub(crate) async fn read_history(
    store: &dyn Store,
    configuration: &Configuration,
    subjects: &[Subject],
    mut cursor: Cursor,
    items: usize,
) -> Result<Page, Problem> {
    let workspace = configuration.workspace;
    let mut merged: Vec<(usize, HistoryEntry)> = Vec::new();
    let mut ends = Vec::new();
    for (place, subject) in subjects.iter().enumerate() {
        let name: String = subject.key(&configuration.secret).to_string().chars().take(8).collect();
        let after = match cursor.0.get(&name) {
            Some(Position::End) => {
                ends.push((name, None, None, 0));
                continue;
            }
            Some(Position::After(after)) => Some(*after),
            None => None,
        };
        let page = store.history(workspace, subject, after, items).await?;
        ends.push((name, after, page.next, page.entries.len()));
        merged.extend(page.entries.into_iter().map(|entry| (place, entry)));
    }
    merged.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.event.recorded_at));
    merged.truncate(items);
    for (place, (name, after, next, found)) in ends.into_iter().enumerate() {
        let taken = merged.iter().filter(|(of, _)| *of == place).count();
        let position = match (taken, subjects.get(place)) {
            (taken, _) if taken == found => next,
            (0, _) => after,
            (taken, Some(subject)) => store.history(workspace, subject, after, taken).await?.next,
            (_, None) => None,
        };
        match position {
            Some(position) => cursor.0.insert(name, Position::After(position)),
            None if taken == found => cursor.0.insert(name, Position::End),
            None => cursor.0.remove(&name),
        };
    }
    let unread_from_start = subjects.iter().any(|subject| {
        let name: String = subject.key(&configuration.secret).to_string().chars().take(8).collect();
        !cursor.0.contains_key(&name)
    });
    let entries = merged.into_iter().map(|(_, entry)| entry).collect();
    let next = cursor.render().or_else(|| unread_from_start.then(|| "0-0".to_owned()));
    Ok(Page { entries, next })
}
