//! What a workspace calls itself and its topics, made ready once for each state of its configuration.
//!
//! Reading names costs more than reading the text that may hold them. What is kept is known by the very
//! configuration that it was made of, which it keeps alive: no other can take its place unnoticed. The
//! patterns of rules, which cost most, outlive changes of all else. What is costly about them is done on
//! threads where nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::rule::{Found, Patterns, Rule};
use sayso_core::wording::{Code, Codes, Names, Offered};
use sayso_core::workspace::Workspace;
use tokio::sync::Semaphore;

/// What a workspace calls itself and its topics.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Its own name, and those of its living senders.
    pub(crate) names: Names,
    /// The codes of its living topics.
    pub(crate) codes: Codes,
    /// The words by which its notices, questions and replies say that one can leave.
    pub(crate) offered: Offered,
    /// The patterns of its living rules.
    pub(crate) patterns: Arc<Patterns>,
}

/// The rules whose patterns are in a text that was searched beforehand.
#[derive(Debug)]
pub(crate) struct Searched(pub(crate) Found);

/// The vocabulary of each workspace, as its configuration last was.
#[derive(Debug)]
pub(crate) struct Vocabularies {
    made: RwLock<HashMap<WorkspaceId, Made>>,
    /// For what costs more than others should wait for.
    costly: Semaphore,
}

/// A vocabulary, and what it was made of.
type Made = (Arc<Workspace>, Arc<Vocabulary>);

/// The rules of a workspace that a text may follow.
pub(crate) fn living_rules(workspace: &Workspace) -> impl Iterator<Item = &Rule> {
    let rules = workspace.rules.values();
    rules.filter(|rule| rule.deleted_at.is_none()).map(|rule| &rule.says)
}

impl Default for Vocabularies {
    fn default() -> Self {
        let costly = Semaphore::new(limits::PATTERN_SEARCHES_MAX);
        Self { made: RwLock::default(), costly }
    }
}

impl Vocabulary {
    fn of(workspace: &Workspace, before: Option<&Self>) -> Self {
        let rules = || living_rules(workspace);
        let patterns = before.map(|before| &before.patterns);
        let patterns = match patterns.filter(|patterns| patterns.are_of(rules())) {
            Some(same) => Arc::clone(same),
            None => Arc::new(Patterns::of(rules())),
        };
        let senders = workspace.senders.values();
        let living = senders.filter(|sender| sender.deleted_at.is_none());
        let names = living.map(|sender| sender.name.as_ref());
        let names = Names::of([workspace.name.as_ref()].into_iter().chain(names));
        let living = workspace.topics.iter().filter(|(_, topic)| topic.deleted_at.is_none());
        let codes: Vec<(Code, _)> = living
            .filter_map(|(id, topic)| {
                let code = topic.code.as_ref().unwrap_or(&topic.name);
                Some((Code::parse(code).ok()?, *id))
            })
            .collect();
        let codes = Codes::of(codes.iter().map(|(code, id)| (code, *id)));
        Self { names, codes, offered: offered(workspace), patterns }
    }
}

/// What the words of a workspace offer as a way out.
fn offered(workspace: &Workspace) -> Offered {
    let notices = workspace.notices.values().flat_map(|notice| notice.versions.values());
    let notices = notices.map(|notice| notice.text.as_ref());
    let questions = workspace.senders.values().filter_map(|sender| sender.question.as_ref());
    let questions = questions.map(|question| question.text.as_ref());
    let replies = workspace.rules.values().filter_map(|rule| rule.says.says().reply.as_deref());
    Offered::of(notices.chain(questions).chain(replies))
}

impl Vocabularies {
    /// The vocabulary of this configuration.
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

    /// The vocabulary of this configuration, with its patterns ready to be searched for.
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
