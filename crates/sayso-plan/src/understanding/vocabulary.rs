//! What a workspace calls itself and its topics, and the words that it offers as a way out.

use std::sync::Arc;

use sayso_core::text::rule::{Found, Patterns, Rule};
use sayso_core::text::wording::{Code, Codes, Names, Offered};
use sayso_core::workspace::Workspace;

/// What a workspace calls itself and its topics.
#[derive(Debug)]
pub struct Vocabulary {
    /// Its own name, and those of its living senders.
    pub names: Names,
    /// The codes of its living topics.
    pub codes: Codes,
    /// The words by which its notices, questions and replies say that one can leave.
    pub offered: Offered,
    /// The patterns of its living rules.
    pub patterns: Arc<Patterns>,
}

/// The rules whose patterns are in a text that was searched beforehand.
#[derive(Debug)]
pub struct Searched(
    /// Those found.
    pub Found,
);

/// The rules of a workspace that a text may follow.
pub fn living_rules(workspace: &Workspace) -> impl Iterator<Item = &Rule> {
    let rules = workspace.rules.values();
    rules.filter(|rule| rule.deleted_at.is_none()).map(|rule| &rule.says)
}

impl Vocabulary {
    /// That of a workspace. The patterns of rules cost most: those of `before` are kept where the rules are
    /// the same.
    pub fn of(workspace: &Workspace, before: Option<&Self>) -> Self {
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
