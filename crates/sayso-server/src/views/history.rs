//! The history of several addresses as one, the newest first.
//!
//! Each address has a history and a position of its own. A page takes the newest events of all, and
//! its cursor holds for each address how far it was read.

use std::collections::BTreeMap;

use sayso_core::limits;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::store::{HistoryEntry, HistoryQuery, Moment};

use super::event::EventView;
use crate::app::App;
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

/// Whose histories are told, and of when.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    /// The workspace.
    pub(crate) workspace: &'a Workspace,
    /// The addresses.
    pub(crate) subjects: &'a [Subject],
    /// Of when.
    pub(crate) moment: Moment,
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

    /// The cursor after which these addresses have events left; an address it does not hold is to be
    /// read from its newest event.
    fn render(&self, names: &[String]) -> Option<String> {
        let unread = names.iter().any(|name| self.0.get(name) != Some(&Position::End));
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
    told: &Told<'_>,
    mut cursor: Cursor,
    items: usize,
) -> Result<Page, Problem> {
    let Told { workspace, subjects, moment } = *told;
    let workspace_id = workspace.id;
    let name_of = |subject: &Subject| -> String {
        subject.key(&workspace.secret).to_string().chars().take(8).collect()
    };
    let names: Vec<String> = subjects.iter().map(name_of).collect();
    let mut merged: Vec<(usize, HistoryEntry)> = Vec::new();
    let mut ends = Vec::new();
    for (place, (subject, name)) in subjects.iter().zip(&names).enumerate() {
        let after = match cursor.0.get(name) {
            Some(Position::End) => {
                ends.push((None, None, 0));
                continue;
            }
            Some(Position::After(after)) => Some(*after),
            None => None,
        };
        let query = HistoryQuery { moment, after, items };
        let page = store.history(workspace_id, subject, &query).await?;
        ends.push((after, page.next, page.entries.len()));
        merged.extend(page.entries.into_iter().map(|entry| (place, entry)));
    }
    merged.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.event.recorded_at));
    merged.truncate(items);
    let read = subjects.iter().zip(&names).zip(ends);
    for (place, ((subject, name), (after, next, found))) in read.enumerate() {
        let taken = merged.iter().filter(|(of, _)| *of == place).count();
        let position = match taken {
            taken if taken == found => next,
            0 => after,
            taken => {
                let query = HistoryQuery { moment, after, items: taken };
                store.history(workspace_id, subject, &query).await?.next
            }
        };
        match position {
            Some(position) => cursor.0.insert(name.clone(), Position::After(position)),
            None if taken == found => cursor.0.insert(name.clone(), Position::End),
            None => cursor.0.remove(name),
        };
    }
    let entries = merged.into_iter().map(|(_, entry)| entry).collect();
    Ok(Page { entries, next: cursor.render(&names) })
}

/// The newest events of these addresses, at most [`limits::PREFERENCE_EVENTS_MAX`].
pub(crate) async fn newest_of(
    app: &App,
    workspace: &Workspace,
    subjects: &[Subject],
) -> Result<Vec<EventView>, Problem> {
    let (mut events, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(after) = cursor.take() {
        let told = Told { workspace, subjects, moment: Moment::Now };
        let page = read_history(app.store(), &told, after, limits::PAGE_ITEMS_MAX).await?;
        events.extend(page.entries.iter().map(EventView::of));
        let has_room = events.len() < limits::PREFERENCE_EVENTS_MAX;
        let next = page.next.filter(|_| has_room);
        cursor = next.and_then(|text| Cursor::parse(Some(&text), &mut Faults::default()));
    }
    Ok(events)
}
