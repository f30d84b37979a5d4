//! Changes of a workspace, and the revision that each is planned on.
//!
//! A handler reads a workspace, plans a change on it and hands both to the store, which applies the change
//! only if the workspace is still at that revision. So nobody's work is overwritten unseen: two texts never
//! share a version, and what was deleted stays deleted.

use std::sync::Arc;

use crate::id::{ConnectionId, EntryPointId, FormId, KeyId, NoticeId, RuleId, SenderId, TopicId};
use crate::policy::settings::Settings;
use crate::proof::link_key::LinkKey;
use crate::time::Timestamp;
use crate::words::notice::Notice;
use crate::words::source::SourceName;

use super::{
    ApiKey, Connection, EntryPoint, Form, PublishedForm, Rule, Sender, Site, Topic, Workspace,
};

/// A state of a workspace: how many planned changes it took in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(u64);

impl Revision {
    /// The state after one more planned change.
    const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// One change that somebody planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// New settings, in force from the time of the change on.
    Settings(Settings),
    /// A sender, made, changed or deleted.
    Sender(SenderId, Sender),
    /// An account at a provider, made, changed or deleted.
    Connection(ConnectionId, Connection),
    /// A topic. Its category never changes.
    Topic(TopicId, Topic),
    /// A keyword rule.
    Rule(RuleId, Rule),
    /// A notice's name, given with its first version.
    NoticeName(NoticeId, Box<str>),
    /// A version of a notice. A published version never changes.
    Notice(Notice),
    /// A site, by its public key.
    Site(SourceName, Site),
    /// An entry point, made, changed or deleted.
    EntryPoint(EntryPointId, Box<EntryPoint>),
    /// A form: its next version.
    Form(FormId, Form),
    /// A key, made or revoked.
    Key(KeyId, ApiKey),
    /// The key that links are made with from now on. Earlier ones stay valid.
    LinkKey(LinkKey),
}

impl Workspace {
    /// Takes in a change made at `at`. A section that other copies of the workspace share is copied; the
    /// other sections stay shared.
    pub fn apply(&mut self, change: Change, at: Timestamp) {
        self.revision = self.revision.next();
        match change {
            Change::Settings(settings) => Arc::make_mut(&mut self.settings).put(at, settings),
            Change::Sender(id, sender) => {
                Arc::make_mut(&mut self.senders).insert(id, sender);
            }
            Change::Connection(id, connection) => {
                Arc::make_mut(&mut self.connections).insert(id, connection);
            }
            Change::Topic(id, topic) => self.put_topic(id, topic),
            Change::Rule(id, rule) => {
                Arc::make_mut(&mut self.rules).insert(id, rule);
            }
            Change::NoticeName(id, name) => {
                Arc::make_mut(&mut self.notices).entry(id).or_default().name = name;
            }
            Change::Notice(notice) => self.publish(notice),
            Change::Site(key, site) => {
                Arc::make_mut(&mut self.sites).insert(key, site);
            }
            Change::EntryPoint(id, entry) => {
                Arc::make_mut(&mut self.entry_points).insert(id, *entry);
            }
            Change::Form(id, form) => self.put_form(id, form),
            Change::Key(id, key) => {
                Arc::make_mut(&mut self.keys).insert(id, key);
            }
            Change::LinkKey(key) => {
                Arc::make_mut(&mut self.link_keys).entry(key).or_insert(at);
            }
        }
    }

    /// Keeps the category that the topic was made with: opt-ins were given for it.
    fn put_topic(&mut self, id: TopicId, topic: Topic) {
        let topics = Arc::make_mut(&mut self.topics);
        let category = topics.get(&id).map_or(topic.category, |known| known.category);
        topics.insert(id, Topic { category, ..topic });
    }

    /// Keeps the words of a version that was published before: people agreed to them.
    fn publish(&mut self, notice: Notice) {
        let published = Arc::make_mut(&mut self.notices).entry(notice.id).or_default();
        let version = (notice.version, notice.language.clone());
        published.versions.entry(version).or_insert(notice);
    }

    /// Counts the version of a form on.
    fn put_form(&mut self, id: FormId, form: Form) {
        let forms = Arc::make_mut(&mut self.forms);
        let version = forms.get(&id).map_or(0, |known| known.version).saturating_add(1);
        forms.insert(id, Arc::new(PublishedForm { version, form }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::AddressKeySecret;
    use crate::id::WorkspaceId;
    use crate::words::channel::Category;
    use crate::words::notice::Language;
    use crate::workspace::Mode;

    fn workspace() -> Workspace {
        let secret = AddressKeySecret::from_bytes([7; 32]);
        Workspace::new(WorkspaceId::from_bytes([1; 16]), "Harbour Books", Mode::Test, secret)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn a_change_copies_the_section_that_it_touches_and_no_other() {
        let before = workspace();
        let mut after = before.clone();
        let topic = Topic {
            name: "News".into(),
            category: Category::Marketing,
            code: None,
            deleted_at: None,
        };
        after.apply(Change::Topic(TopicId::from_bytes([2; 16]), topic), at(1));
        assert!(before.topics.is_empty());
        assert_eq!(after.topics.len(), 1);
        assert!(!Arc::ptr_eq(&before.topics, &after.topics));
        assert!(Arc::ptr_eq(&before.senders, &after.senders));
        assert!(Arc::ptr_eq(&before.settings, &after.settings));
        assert!(before.revision < after.revision);
    }

    #[test]
    fn a_topic_keeps_its_category_and_a_published_notice_its_words() {
        let mut workspace = workspace();
        let (topic, notice) = (TopicId::from_bytes([2; 16]), NoticeId::from_bytes([3; 16]));
        for (name, category) in [("News", Category::Marketing), ("Alerts", Category::Utility)] {
            let of = Topic { name: name.into(), category, code: None, deleted_at: None };
            workspace.apply(Change::Topic(topic, of), at(1));
        }
        let kept = &workspace.topics[&topic];
        assert_eq!((&*kept.name, kept.category), ("Alerts", Category::Marketing));
        for text in ["I agree.", "I agree to everything."] {
            let language = Language::parse("en").unwrap();
            let version =
                Notice { id: notice, version: 1, language, text: text.into(), names: Vec::new() };
            workspace.apply(Change::Notice(version), at(2));
        }
        let published = workspace.notices[&notice].versions.values();
        assert_eq!(published.map(|it| &*it.text).collect::<Vec<_>>(), ["I agree."]);
    }
}
