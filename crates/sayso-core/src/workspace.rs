//! A workspace: what one business set up, and what became known while it runs.
//!
//! Two logs of dated entries make it, neither ever edited. *Changes* are what people configure: each is
//! planned on a [`Revision`] and applied only if nobody else changed the workspace in between. *Facts of
//! running it* ([`RuntimeFact`]) are told by providers and by people's messages; they rest on no plan. An
//! as-of query reads the settings of its day, and deleting a topic or a key deletes no consent (rule 17).
//!
//! Each noun has a file, and each section is shared: a change copies the section that it touches and no
//! other. To add a noun, write its file, a section here, a kind of [`Change`], and its codec in the store.

mod api_key;
mod change;
mod connection;
mod entry_point;
mod form;
mod key_scope;
mod notice;
mod rule;
mod runtime;
mod sender;
mod site;
mod topic;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::AddressKeySecret;
use crate::id::{
    ConnectionId, EntryPointId, FormId, KeyId, NoticeId, RuleId, SenderId, TopicId, WorkspaceId,
};
use crate::policy::settings::DatedSettings;
use crate::proof::link_key::LinkKey;
use crate::time::Timestamp;
use crate::words::channel::Scope;
use crate::words::source::SourceName;

pub use self::api_key::ApiKey;
pub use self::change::{Change, Revision};
pub use self::connection::Connection;
pub use self::entry_point::{Corner, EntryPoint, Widget};
pub use self::form::{
    Asks, Field, Form, FormBox, FormPurpose, FormTexts, Need, PublishedForm, QuestionTemplate,
    Showing,
};
pub use self::key_scope::{KeyRole, KeyScope};
pub use self::notice::PublishedNotice;
pub use self::rule::Rule;
pub use self::runtime::{HeldOf, HeldRefusals, Runtime, RuntimeFact, TemplateName, TemplateUse};
pub use self::sender::{OptInQuestion, Sender};
pub use self::site::Site;
pub use self::topic::Topic;

/// Whether a workspace's sends are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Live,
    /// They are for trying things out.
    Test,
}

/// All that a workspace holds but its people. Deleted things stay, marked, so that old events can name
/// them.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: Box<str>,
    /// Live or test.
    pub mode: Mode,
    /// How many planned changes it took in.
    pub revision: Revision,
    /// The secret of its address keys.
    pub secret: AddressKeySecret,
    /// Its settings, dated.
    pub settings: Arc<DatedSettings>,
    /// Its senders, deleted ones included.
    pub senders: Arc<BTreeMap<SenderId, Sender>>,
    /// Its accounts at providers, deleted ones included.
    pub connections: Arc<BTreeMap<ConnectionId, Connection>>,
    /// Its topics, deleted ones included.
    pub topics: Arc<BTreeMap<TopicId, Topic>>,
    /// Its notices, with every published version and language.
    pub notices: Arc<BTreeMap<NoticeId, PublishedNotice>>,
    /// Its keyword rules, deleted ones included.
    pub rules: Arc<BTreeMap<RuleId, Rule>>,
    /// Its sites, by the public key in the tag.
    pub sites: Arc<BTreeMap<SourceName, Site>>,
    /// Its entry points, deleted ones included.
    pub entry_points: Arc<BTreeMap<EntryPointId, EntryPoint>>,
    /// Its web opt-in forms, deleted ones included.
    pub forms: Arc<BTreeMap<FormId, Arc<PublishedForm>>>,
    /// Its API keys, revoked ones included.
    pub keys: Arc<BTreeMap<KeyId, ApiKey>>,
    /// The keys of its links that came into use after the first, each with the time since when.
    pub link_keys: Arc<BTreeMap<LinkKey, Timestamp>>,
    /// What became known while it runs.
    pub runtime: Runtime,
}

impl Workspace {
    /// A new one, with nothing in it.
    pub fn new(id: WorkspaceId, name: &str, mode: Mode, secret: AddressKeySecret) -> Self {
        Self {
            id,
            name: name.into(),
            mode,
            revision: Revision::default(),
            secret,
            settings: Arc::default(),
            senders: Arc::default(),
            connections: Arc::default(),
            topics: Arc::default(),
            notices: Arc::default(),
            rules: Arc::default(),
            sites: Arc::default(),
            entry_points: Arc::default(),
            forms: Arc::default(),
            keys: Arc::default(),
            link_keys: Arc::default(),
            runtime: Runtime::default(),
        }
    }

    /// The key that links are made with.
    pub fn link_key(&self) -> LinkKey {
        self.link_keys.last_key_value().map(|(key, _)| *key).unwrap_or_default()
    }

    /// Whether the sender or topic of a scope still exists.
    pub fn is_living(&self, scope: Scope) -> bool {
        match scope {
            Scope::All | Scope::Category(_) => true,
            Scope::Sender(id) => {
                self.senders.get(&id).is_some_and(|sender| sender.deleted_at.is_none())
            }
            Scope::Topic(id) => self.topics.get(&id).is_some_and(|it| it.deleted_at.is_none()),
        }
    }
}
