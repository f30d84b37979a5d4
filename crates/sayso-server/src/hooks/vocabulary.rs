//! What a workspace calls itself and its topics, made ready once for each state of its configuration.
//!
//! Reading names costs more than reading the text that may hold them. What is kept is known by the very
//! configuration that it was made of, which it keeps alive: no other can take its place unnoticed.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sayso_core::id::WorkspaceId;
use sayso_core::wording::{Code, Codes, Names, Offered};
use sayso_store::configuration::Configuration;

/// What a workspace calls itself and its topics.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    /// Its own name, and those of its living senders.
    pub(crate) names: Names,
    /// The codes of its living topics.
    pub(crate) codes: Codes,
    /// The words by which its notices, questions and replies say that one can leave.
    pub(crate) offered: Offered,
}

/// The vocabulary of each workspace, as its configuration last was.
#[derive(Debug, Default)]
pub(crate) struct Vocabularies(RwLock<HashMap<WorkspaceId, Made>>);

/// A vocabulary, and what it was made of.
type Made = (Arc<Configuration>, Arc<Vocabulary>);

impl Vocabulary {
    fn of(configuration: &Configuration) -> Self {
        let senders = configuration.senders.values();
        let living = senders.filter(|sender| sender.deleted_at.is_none());
        let names = living.map(|sender| sender.name.as_ref());
        let names = Names::of([configuration.name.as_ref()].into_iter().chain(names));
        let living = configuration.topics.iter().filter(|(_, topic)| topic.deleted_at.is_none());
        let codes: Vec<(Code, _)> = living
            .filter_map(|(id, topic)| {
                let code = topic.code.as_ref().unwrap_or(&topic.name);
                Some((Code::parse(code).ok()?, *id))
            })
            .collect();
        let codes = Codes::of(codes.iter().map(|(code, id)| (code, *id)));
        Self { names, codes, offered: offered(configuration) }
    }
}

/// What the words of a workspace offer as a way out.
fn offered(configuration: &Configuration) -> Offered {
    let notices = configuration.notices.values().flat_map(|notice| notice.versions.values());
    let notices = notices.map(|notice| notice.text.as_ref());
    let questions = configuration.senders.values().filter_map(|sender| sender.question.as_ref());
    let questions = questions.map(|question| question.text.as_ref());
    let replies = configuration.rules.values().filter_map(|rule| rule.says.says().reply.as_deref());
    Offered::of(notices.chain(questions).chain(replies))
}

impl Vocabularies {
    /// The vocabulary of this configuration.
    pub(crate) fn of(&self, configuration: &Arc<Configuration>) -> Arc<Vocabulary> {
        let workspace = configuration.workspace;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, vocabulary)) = known.get(&workspace)
            && Arc::ptr_eq(of, configuration)
        {
            return Arc::clone(vocabulary);
        }
        drop(known);
        let vocabulary = Arc::new(Vocabulary::of(configuration));
        let made = (Arc::clone(configuration), Arc::clone(&vocabulary));
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(workspace, made);
        vocabulary
    }
}
