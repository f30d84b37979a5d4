//! What a workspace configured: settings, senders, topics, notices, sites, API keys.
//!
//! Configuration is a fold of dated changes, kept beside the events and never edited, so an as-of
//! query sees the settings of then, and deleting a topic or a key deletes no fact (rule 17).

mod codec;
mod entry_point;
mod form;
mod key_scope;
mod revision;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use sayso_core::address::AddressKeySecret;
use sayso_core::channel::{Category, Channel, Permission, Provider, Scope};
use sayso_core::id::{
    ConnectionId, EntryPointId, FormId, ImportId, KeyId, NoticeId, RuleId, SenderId, TopicId,
    WorkspaceId,
};
use sayso_core::notice::{Language, Notice, NoticeRef};
use sayso_core::personal_link::LinkKey;
use sayso_core::rule;
use sayso_core::sender_health::{Signal, Signals};
use sayso_core::settings::{DatedSettings, Settings};
use sayso_core::source::SourceName;
use sayso_core::statement::Standing;
use sayso_core::template::{TemplateWord, TemplateWords};
use sayso_core::time::Timestamp;

pub use self::entry_point::{Corner, EntryPoint, Widget};
pub use self::form::{
    Asks, Field, Form, FormBox, FormPurpose, FormTexts, Need, PublishedForm, QuestionTemplate,
    Showing,
};
pub use self::key_scope::{KeyRole, KeyScope};
pub use self::revision::{Configured, Plan, Revision, configure_now, revise};
pub use self::standing::{HeldOf, HeldRefusals};

/// Whether a workspace's sends are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Live,
    /// They are for trying out.
    Test,
}

/// Everything a workspace configured.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: Box<str>,
    /// Live or test.
    pub mode: Mode,
    /// Which state of it this is.
    pub revision: Revision,
    /// The secret of its address keys.
    pub secret: AddressKeySecret,
    /// Its settings, dated.
    pub settings: DatedSettings,
    /// Its senders, deleted ones included.
    pub senders: BTreeMap<SenderId, Sender>,
    /// Its accounts at providers, deleted ones included.
    pub connections: BTreeMap<ConnectionId, Connection>,
    /// Its topics, deleted ones included.
    pub topics: BTreeMap<TopicId, Topic>,
    /// Its notices, every published version and language.
    pub notices: BTreeMap<NoticeId, PublishedNotice>,
    /// What texts do beside the words of every workspace, deleted rules included.
    pub rules: BTreeMap<RuleId, Rule>,
    /// Its sites, by the public key that stands in the tag.
    pub sites: BTreeMap<SourceName, Site>,
    /// Its entry points, deleted ones included.
    pub entry_points: BTreeMap<EntryPointId, EntryPoint>,
    /// Its web opt-in forms, deleted ones included.
    pub forms: BTreeMap<FormId, Arc<PublishedForm>>,
    /// Its API keys, revoked ones included.
    pub keys: BTreeMap<KeyId, ApiKey>,
    /// Imports that were undone as a whole.
    pub undone_imports: BTreeSet<ImportId>,
    /// What was said of how its senders stand.
    pub signals: BTreeMap<SenderId, Signals>,
    /// What providers said of templates.
    pub templates: BTreeMap<TemplateName, TemplateWords>,
    /// Inferred refusals that are held together, by the import that they are undone as.
    pub held_refusals: BTreeMap<ImportId, HeldRefusals>,
    /// The keys of its links that were taken into use after the first, each since when.
    pub link_keys: BTreeMap<LinkKey, Timestamp>,
}

/// A template at a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateName {
    /// The account.
    pub connection: ConnectionId,
    /// What a message calls it: its name at Meta, its id at Gupshup and Twilio.
    pub name: Box<str>,
}

/// The business side on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The channel.
    pub channel: Channel,
    /// How operators call it.
    pub name: Box<str>,
    /// The number, short code or mail domain people see.
    pub address: Box<str>,
    /// The account its messages go by; without one it sends none.
    pub connection: Option<ConnectionId>,
    /// What it asks of a person who writes to it for the first time, if it asks.
    pub question: Option<OptInQuestion>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// What a sender asks of a person who writes to it for the first time (rule 18). A yes gives what the
/// notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptInQuestion {
    /// The words, which show the notice.
    pub text: Box<str>,
    /// The words of a yes: on a button where the channel has them.
    pub yes: Box<str>,
    /// The words of a no.
    pub no: Box<str>,
    /// What is answered to a yes; absent means nothing.
    pub thanks: Option<Box<str>>,
    /// What the person agrees to.
    pub notice: NoticeRef,
}

/// An account at a provider. `Debug` shows none of its credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// How operators call it.
    pub name: Box<str>,
    /// The provider.
    pub provider: Provider,
    /// What is needed to speak with the provider, by name: keys, tokens, where its API is.
    pub credentials: BTreeMap<Box<str>, Box<str>>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A kind of message promised to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// How it is called.
    pub name: Box<str>,
    /// The category, fixed for good.
    pub category: Category,
    /// What people write after STOP to leave it; absent where its name is the code.
    pub code: Option<Box<str>>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// What a text does beside the words of every workspace (rule 20).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it says.
    pub says: rule::Rule,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A notice with all its published versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedNotice {
    /// How operators call it.
    pub name: Box<str>,
    /// Every version in every language.
    pub versions: BTreeMap<(u32, Language), Notice>,
}

/// A web site that may send what its pages know, by the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The name, which is also the name of the reporting source.
    pub name: SourceName,
    /// The origins whose pages may use it: `https://shop.example`.
    pub origins: Vec<Box<str>>,
    /// The secret with which the customer's server signs `user_hash`, if it does.
    pub user_hash_secret: Option<Box<str>>,
    /// Whether what its pages say is taken only where `user_hash` vouches for it, refusals included.
    pub requires_user_hash: bool,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// One API key. The key itself is shown once and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// How operators call it; also the name of the source of what it records.
    pub name: SourceName,
    /// SHA-256 of the key.
    pub sha256: [u8; 32],
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The highest standing it may record (rule 4).
    pub highest: Standing,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// One change of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// New settings, in force from the time of the change on.
    Settings(Settings),
    /// A sender.
    Sender(SenderId, Sender),
    /// An account at a provider.
    Connection(ConnectionId, Connection),
    /// A topic. Its category never changes.
    Topic(TopicId, Topic),
    /// A rule.
    Rule(RuleId, Rule),
    /// A notice's name, given with its first version.
    NoticeName(NoticeId, Box<str>),
    /// A version of a notice. A published version never changes.
    Notice(Notice),
    /// A site, by its public key.
    Site(SourceName, Site),
    /// An entry point, made, changed or deleted.
    EntryPoint(EntryPointId, Box<EntryPoint>),
    /// A key, made or revoked.
    Key(KeyId, ApiKey),
    /// An import is left out as a whole (rules 9 and 16).
    UndoImport(ImportId),
    /// A signal of how a sender stands.
    SenderSignal(SenderId, Signal),
    /// What a provider says of a template.
    Template(TemplateName, TemplateWord),
    /// Inferred refusals that are held together.
    HeldRefusals(ImportId, HeldRefusals),
    /// The key that links are made with from now on. Those before it stay valid.
    LinkKey(LinkKey),
    /// A form: its next version.
    Form(FormId, Form),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .field("credentials", &self.credentials.keys())
            .field("deleted_at", &self.deleted_at)
            .finish()
    }
}

impl ApiKey {
    /// Whether it works.
    pub fn is_live(&self) -> bool {
        self.revoked_at.is_none()
    }
}

impl Configuration {
    /// An empty configuration.
    pub fn new(workspace: WorkspaceId, name: &str, mode: Mode, secret: AddressKeySecret) -> Self {
        Self {
            workspace,
            name: name.into(),
            mode,
            revision: Revision::default(),
            secret,
            settings: DatedSettings::default(),
            senders: BTreeMap::new(),
            connections: BTreeMap::new(),
            topics: BTreeMap::new(),
            rules: BTreeMap::new(),
            notices: BTreeMap::new(),
            sites: BTreeMap::new(),
            entry_points: BTreeMap::new(),
            forms: BTreeMap::new(),
            keys: BTreeMap::new(),
            undone_imports: BTreeSet::new(),
            signals: BTreeMap::new(),
            templates: BTreeMap::new(),
            held_refusals: BTreeMap::new(),
            link_keys: BTreeMap::new(),
        }
    }

    /// Takes in one change made at `at`.
    pub fn apply(&mut self, change: Change, at: Timestamp) {
        if change.is_planned() {
            self.revision = self.revision.next();
        }
        match change {
            Change::Settings(settings) => self.settings.put(at, settings),
            Change::Sender(id, sender) => {
                self.senders.insert(id, sender);
            }
            Change::Connection(id, connection) => {
                self.connections.insert(id, connection);
            }
            Change::Topic(id, topic) => {
                self.topics
                    .entry(id)
                    .and_modify(|known| {
                        known.name.clone_from(&topic.name);
                        known.code.clone_from(&topic.code);
                        known.deleted_at = topic.deleted_at;
                    })
                    .or_insert(topic);
            }
            Change::Rule(id, rule) => {
                self.rules.insert(id, rule);
            }
            Change::NoticeName(id, name) => self.notices.entry(id).or_default().name = name,
            Change::Notice(notice) => {
                let versions = &mut self.notices.entry(notice.id).or_default().versions;
                versions.entry((notice.version, notice.language.clone())).or_insert(notice);
            }
            Change::Site(key, site) => {
                self.sites.insert(key, site);
            }
            Change::EntryPoint(id, entry) => {
                self.entry_points.insert(id, *entry);
            }
            Change::Key(id, key) => {
                self.keys.insert(id, key);
            }
            Change::UndoImport(id) => {
                self.undone_imports.insert(id);
            }
            Change::SenderSignal(id, signal) => self.signals.entry(id).or_default().put(at, signal),
            Change::Template(name, word) => self.put_template(name, word, at),
            Change::HeldRefusals(id, held) => {
                self.held_refusals.insert(id, held);
            }
            Change::LinkKey(key) => {
                self.link_keys.entry(key).or_insert(at);
            }
            Change::Form(id, form) => self.put_form(id, form),
        }
    }

    /// The key that links are made with.
    pub fn link_key(&self) -> LinkKey {
        self.link_keys.last_key_value().map(|(key, _)| *key).unwrap_or_default()
    }

    /// The version of a notice that a reference names.
    pub fn notice(&self, reference: &NoticeRef) -> Option<&Notice> {
        let versions = &self.notices.get(&reference.id)?.versions;
        versions.get(&(reference.version, reference.language.clone()))
    }

    /// Whether the sender or topic of a scope lives.
    pub fn is_living(&self, scope: Scope) -> bool {
        match scope {
            Scope::All | Scope::Category(_) => true,
            Scope::Sender(id) => {
                self.senders.get(&id).is_some_and(|sender| sender.deleted_at.is_none())
            }
            Scope::Topic(id) => self.topics.get(&id).is_some_and(|it| it.deleted_at.is_none()),
        }
    }

    /// The one living sender on a channel, where there is exactly one.
    pub fn only_sender(&self, channel: Channel) -> Option<SenderId> {
        let mut living = self.living_senders(channel);
        living.next().filter(|_| living.next().is_none())
    }

    /// Who sends what names no sender: the default one of the settings while it lives, else the only one.
    pub fn usual_sender(&self, channel: Channel) -> Option<SenderId> {
        let named = self.settings.latest().and_then(|it| it.default_senders.get(&channel));
        let living = named.filter(|named| self.living_senders(channel).any(|id| id == **named));
        living.copied().or_else(|| self.only_sender(channel))
    }

    /// The living senders on a channel.
    pub fn living_senders(&self, channel: Channel) -> impl Iterator<Item = SenderId> {
        self.senders
            .iter()
            .filter(move |(_, sender)| sender.channel == channel && sender.deleted_at.is_none())
            .map(|(id, _)| *id)
    }

    /// The living senders on a channel that have a living connection.
    pub fn connected_senders(&self, channel: Channel) -> impl Iterator<Item = SenderId> {
        self.living_senders(channel).filter(|id| {
            let sender = self.senders.get(id);
            let connection = sender.and_then(|sender| sender.connection);
            let connection = connection.and_then(|id| self.connections.get(&id));
            connection.is_some_and(|connection| connection.deleted_at.is_none())
        })
    }

    /// Whether the words of a notice name a permission, or one that contains it.
    pub fn is_named(&self, notice: &Notice, permission: Permission) -> bool {
        notice.names.iter().any(|named| match (*named, permission) {
            (Permission::Processing, Permission::Processing) => true,
            (Permission::Messages(channel, outer), Permission::Messages(on, inner)) => {
                channel == on
                    && match (outer, inner) {
                        (Scope::All, _) => true,
                        (Scope::Category(category), Scope::Topic(id)) => {
                            self.topics.get(&id).is_some_and(|topic| topic.category == category)
                        }
                        (Scope::Sender(_) | Scope::Category(_) | Scope::Topic(_), _) => {
                            outer == inner
                        }
                    }
            }
            (Permission::Processing, Permission::Messages(..))
            | (Permission::Messages(..), Permission::Processing) => false,
        })
    }
}
