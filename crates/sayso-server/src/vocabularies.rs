//! The vocabulary of each workspace, made ready once for each state of it.
//!
//! Reading names costs more than reading the text that may hold them. What is kept is known by the very
//! configuration that it was made of, which it keeps alive: no other can take its place unnoticed. The
//! patterns of rules, which cost most, outlive changes of all else. What is costly about them is done on
//! threads where nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::workspace::Workspace;
use sayso_plan::understanding::vocabulary::{Searched, Vocabulary};
use tokio::sync::Semaphore;

/// The vocabulary of each workspace, as its configuration last was.
#[derive(Debug)]
pub(crate) struct Vocabularies {
    made: RwLock<HashMap<WorkspaceId, Made>>,
    /// For what costs more than others should wait for.
    costly: Semaphore,
}

/// A vocabulary, and what it was made of.
type Made = (Arc<Workspace>, Arc<Vocabulary>);

impl Default for Vocabularies {
    fn default() -> Self {
        let costly = Semaphore::new(limits::PATTERN_SEARCHES_MAX);
        Self { made: RwLock::default(), costly }
    }
}

impl Vocabularies {
    /// The vocabulary of this state.
    pub(crate) fn of(&self, workspace: &Arc<Workspace>) -> Arc<Vocabulary> {
        let workspace_id = workspace.id;
        let known = self.made.read().unwrap_or_else(PoisonError::into_inner);
        let before = match known.get(&workspace_id) {
            Some((of, vocabulary)) if Arc::ptr_eq(of, workspace) => {
                return Arc::clone(vocabulary);
            }
            before => before.map(|(_, vocabulary)| Arc::clone(vocabulary)),
        };
        drop(known);
        let vocabulary = Arc::new(Vocabulary::of(workspace, before.as_deref()));
        let made = (Arc::clone(workspace), Arc::clone(&vocabulary));
        self.made.write().unwrap_or_else(PoisonError::into_inner).insert(workspace_id, made);
        vocabulary
    }

    /// The vocabulary of this state, with its patterns ready to be searched for.
    pub(crate) async fn ready(&self, workspace: &Arc<Workspace>) -> Arc<Vocabulary> {
        let vocabulary = self.of(workspace);
        if !vocabulary.patterns.is_ready() {
            let patterns = Arc::clone(&vocabulary.patterns);
            self.aside(move || patterns.make_ready()).await;
        }
        vocabulary
    }

    /// Searches a text for patterns beforehand, if that costs more than others should wait for.
    pub(crate) async fn search(&self, vocabulary: &Vocabulary, text: &str) -> Option<Searched> {
        let length = text.len().min(limits::READ_BYTES_MAX);
        if vocabulary.patterns.len().saturating_mul(length) <= limits::PATTERN_STEPS_AT_ONCE {
            return None;
        }
        let (patterns, searched) = (Arc::clone(&vocabulary.patterns), text.to_owned());
        self.aside(move || patterns.search(&searched)).await.map(Searched)
    }

    /// Does something costly on a thread of its own; nothing if it panics.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let _permit = self.costly.acquire().await.ok()?;
        tokio::task::spawn_blocking(work).await.ok()
    }
}
