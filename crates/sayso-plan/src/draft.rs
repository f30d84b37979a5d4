//! An event before it is stored, and the one way to make one.
//!
//! A request makes one event or several. What they share (who spoke, by which road, when, with which
//! evidence) is said once, in a [`Drafter`]; each draft adds whom it is about and what happened. To add a road
//! in, make a `Drafter` for its requests: nothing else needs to know how an id is derived or what a draft
//! without evidence looks like.

use std::collections::BTreeMap;

use sayso_core::address::{Address, AddressHash, AddressKey, AddressKeySecret};
use sayso_core::id::{EventId, ImportId, WorkspaceId};
use sayso_core::state::guard::Guard;
use sayso_core::time::Timestamp;
use sayso_core::words::doubt::Doubt;
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Source};
use sayso_core::words::statement::Statement;

/// Whom a row is about: an address, or the hash of one that is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An address.
    Address(Address),
    /// The hash of an address (rule 16).
    Hash(AddressHash),
    /// The key alone: a link of ours names whom it is about, and maybe nothing more is known (rule 22).
    Key(AddressKey),
}

/// Whether the caller named a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dating {
    /// It did.
    Dated,
    /// It did not: the time is that of our receipt.
    Undated,
}

/// An event before it is stored.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whom it is about.
    pub subject: Subject,
    /// Its id, derived from the request.
    pub id: EventId,
    /// What the caller sent, hashed; tells a retry from a reused key.
    pub request: RequestHash,
    /// What happened.
    pub fact: Fact,
    /// Where it came from.
    pub source: Source,
    /// Who acted.
    pub actor: Actor,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Whether the caller named a time; an undated report that repeats its source's last one is
    /// dropped (rule 4).
    pub dating: Dating,
    /// The import that brings it.
    pub import: Option<ImportId>,
    /// The event it follows from.
    pub basis: Option<EventId>,
    /// The evidence.
    pub evidence: Evidence,
    /// Attributes, in events that carry them.
    pub attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    /// What must hold when it is written; judged where nothing can come between.
    pub guard: Guard,
}

/// Makes the drafts of one request: what they have in common.
#[derive(Clone, Debug)]
pub struct Drafter {
    workspace: WorkspaceId,
    identity: RequestIdentity,
    request: RequestHash,
    source: Source,
    actor: Actor,
    occurred_at: Timestamp,
    dating: Dating,
    import: Option<ImportId>,
    evidence: Evidence,
}

impl Subject {
    /// The key of its rows.
    pub fn key(&self, secret: &AddressKeySecret) -> AddressKey {
        match self {
            Self::Address(address) => address.key(secret),
            Self::Hash(hash) => hash.key(secret),
            Self::Key(key) => *key,
        }
    }
}

impl From<&Address> for Subject {
    fn from(address: &Address) -> Self {
        Self::Address(address.clone())
    }
}

impl Drafter {
    /// Drafts of a request of this identity: by whom, in whose name, when. They carry no evidence yet, and are
    /// dated where the identity is not that of our receipt.
    pub fn new(
        (workspace, identity): (WorkspaceId, RequestIdentity),
        source: Source,
        actor: Actor,
        occurred_at: Timestamp,
    ) -> Self {
        let (request, dating) = match identity {
            RequestIdentity::Key(hash) | RequestIdentity::Dated(hash) => (hash, Dating::Dated),
            RequestIdentity::Undated(hash, _) => (hash, Dating::Undated),
        };
        let evidence = Evidence::default();
        Self {
            workspace,
            identity,
            request,
            source,
            actor,
            occurred_at,
            dating,
            import: None,
            evidence,
        }
    }

    /// Names what was sent, where the identity is an idempotency key.
    #[must_use]
    pub const fn of_request(mut self, request: RequestHash) -> Self {
        self.request = request;
        self
    }

    /// Says whether the caller named a time, where the identity does not tell.
    #[must_use]
    pub const fn with_dating(mut self, dating: Dating) -> Self {
        self.dating = dating;
        self
    }

    /// Adds evidence.
    #[must_use]
    pub fn with_evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }

    /// Names the import that brings it.
    #[must_use]
    pub const fn of_import(mut self, import: Option<ImportId>) -> Self {
        self.import = import;
        self
    }

    /// The id of the `part`-th event of the request.
    pub fn id(&self, part: u32) -> EventId {
        event_id(self.workspace, self.identity, part)
    }

    /// The `part`-th event of the request: of whom, and what happened.
    pub fn draft(&self, subject: impl Into<Subject>, fact: Fact, part: u32) -> Draft {
        Draft {
            subject: subject.into(),
            id: self.id(part),
            request: self.request,
            fact,
            source: self.source.clone(),
            actor: self.actor,
            occurred_at: self.occurred_at,
            dating: self.dating,
            import: self.import,
            basis: None,
            evidence: self.evidence.clone(),
            attributes: BTreeMap::new(),
            guard: Guard::None,
        }
    }
}

impl Draft {
    /// What follows from another event: without evidence, under an id of its own.
    pub fn following(
        (id, request): (EventId, RequestHash),
        subject: Subject,
        fact: Fact,
        (source, actor, occurred_at): (Source, Actor, Timestamp),
    ) -> Self {
        Self {
            subject,
            id,
            request,
            fact,
            source,
            actor,
            occurred_at,
            dating: Dating::Dated,
            import: None,
            basis: None,
            evidence: Evidence::default(),
            attributes: BTreeMap::new(),
            guard: Guard::None,
        }
    }

    /// The same, as one that follows from another event.
    #[must_use]
    pub const fn resting_on(mut self, basis: Option<EventId>) -> Self {
        self.basis = basis;
        self
    }

    /// The same, under a condition.
    #[must_use]
    pub const fn guarded(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// The same, as `pending` for this reason.
    #[must_use]
    pub fn doubted(mut self, doubt: Doubt) -> Self {
        if let Fact::Consent(permission, _) = self.fact {
            self.fact = Fact::Consent(permission, Statement::Pending);
        }
        doubt.keep_in(&mut self.evidence);
        self
    }

    /// The event that it becomes.
    pub fn event(&self, key: AddressKey, recorded_at: Timestamp) -> ConsentEvent {
        ConsentEvent {
            id: self.id,
            key,
            fact: self.fact,
            source: self.source.clone(),
            actor: self.actor,
            occurred_at: self.occurred_at.min(recorded_at),
            recorded_at,
            import: self.import,
            basis: self.basis,
        }
    }
}

#[cfg(test)]
mod tests {
    use sayso_core::words::channel::{Channel, Permission, Scope};
    use sayso_core::words::source::{Road, SourceName};

    use super::*;

    const AT: Timestamp = Timestamp::from_micros(7);
    const HASH: RequestHash = RequestHash([3; 32]);

    fn drafter(identity: RequestIdentity) -> Drafter {
        let name = SourceName::parse("shop").unwrap();
        let source = Source { road: Road::Api, name, spoke_of: None };
        Drafter::new((WorkspaceId::from_bytes([1; 16]), identity), source, Actor::Subject, AT)
    }

    fn yes() -> Fact {
        Fact::Consent(Permission::Messages(Channel::Sms, Scope::All), Statement::Single)
    }

    #[test]
    fn drafts_of_one_request_differ_by_their_part_alone() {
        let drafter = drafter(RequestIdentity::Dated(HASH));
        let subject = Subject::Key(AddressKey::from_bytes([2; 16]));
        let one = drafter.draft(subject.clone(), yes(), 0);
        let other = drafter.draft(subject.clone(), yes(), 1);
        assert_ne!(one.id, other.id);
        assert_eq!((one.id, one.request), (drafter.id(0), HASH));
        assert_eq!((one.subject, one.occurred_at, one.basis), (subject, AT, None));
    }

    #[test]
    fn what_is_known_by_our_receipt_is_undated_and_a_key_does_not_tell() {
        let subject = || Subject::Key(AddressKey::from_bytes([2; 16]));
        let dating = |identity| drafter(identity).draft(subject(), yes(), 0).dating;
        assert_eq!(dating(RequestIdentity::Dated(HASH)), Dating::Dated);
        assert_eq!(dating(RequestIdentity::Undated(HASH, AT)), Dating::Undated);
        let keyed = drafter(RequestIdentity::Key(HASH)).with_dating(Dating::Undated);
        assert_eq!(keyed.draft(subject(), yes(), 0).dating, Dating::Undated);
    }

    #[test]
    fn a_doubt_makes_a_yes_pending_and_says_why() {
        let drafter = drafter(RequestIdentity::Dated(HASH));
        let subject = Subject::Key(AddressKey::from_bytes([2; 16]));
        let doubted = drafter.draft(subject, yes(), 0).doubted(Doubt::Unproven);
        assert!(matches!(doubted.fact, Fact::Consent(_, Statement::Pending)));
        assert_eq!(doubted.evidence.fields.len(), 1);
    }
}
