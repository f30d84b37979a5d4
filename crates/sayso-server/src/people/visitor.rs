//! Somebody who came by a link of theirs: who they are, and what they say there (rules 22 and 29).
//!
//! A link is proven by its token alone: there is no login and no table of links. Any link leaves; what else it
//! may do, and what is said of it in the evidence, is by how it was made. What a person refuses is
//! recorded whatever the limits say (rule 5), also where their address is not known any more. The token
//! is a secret of the person and is kept nowhere.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use sayso_core::address::{Address, AddressKind};
use sayso_core::canonical::Writer;
use sayso_core::limits;
use sayso_core::proof::personal_link::{LinkPurpose, PersonalLink, UnverifiedLink};
use sayso_core::state::capture::{refuses_already, said_now};
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::notice::NoticeRef;
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Workspace;
use sayso_pages::language::Language;
use sayso_pages::personal::LANGUAGE;
use sayso_pages::personal::preferences::ANSWERED;
use sayso_pages::trouble::Trouble;
use sayso_plan::draft::{Draft, Drafter, Subject};
use sayso_plan::evidence::{LINK, LINK_KEY, LINK_MADE_ON, fields};
use sayso_store::store::{Moment, Recorded};
use tokio::time::Instant;

use super::pages::{fault, reader_language};
use crate::app::{App, Peer};
use crate::body::read_bytes;
use crate::problem::{Code, Problem};
use crate::reach::Leaving;
use crate::views::permission::about;

/// Somebody who came by a link of theirs.
#[derive(Debug)]
pub(super) struct Visitor {
    /// The workspace whose link it is.
    pub(super) workspace: Arc<Workspace>,
    /// What the link says.
    pub(super) link: PersonalLink,
    /// Their address, if it is known.
    pub(super) address: Option<Address>,
    /// When they came.
    pub(super) received: Timestamp,
    /// Where they came from.
    pub(super) ip: IpAddr,
    /// The word that another address of theirs answered, as the link carries it.
    pub(super) answered: Option<String>,
    user_agent: Option<EvidenceText>,
}

/// The fields of a form, in order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields of a body. What cannot be read has none.
    pub(super) async fn read(body: Body) -> Self {
        let bytes = read_bytes(body, limits::PERSONAL_FORM_BYTES_MAX).await.unwrap_or_default();
        let pairs = form_urlencoded::parse(&bytes);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first field of this name.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every field of this name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

/// Whether a request was counted against its network before its link was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It was.
    Yes,
    /// It is not, since nobody leaves too often; a token that is none of ours is.
    NotYet,
}

impl Visitor {
    /// Who came by this token, if a workspace here made it for this.
    ///
    /// # Errors
    /// [`Code::NotFound`] for any other token, [`Code::RateLimited`] for too many of those, and the
    /// store's.
    pub(super) async fn find(
        app: &App,
        (token, purpose): (&str, LinkPurpose),
        parts: &Parts,
        counted: Counted,
    ) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>().copied();
        let ip = app.client_ip(peer, &parts.headers);
        let Some((workspace, link)) = verify(app, token, purpose) else {
            // Nobody was looked up: this tells nothing but that the token is none of ours.
            if counted == Counted::NotYet {
                app.take_network(parts)?;
            }
            return Err(Problem::new(Code::NotFound));
        };
        let address = app.store().find_address(link.workspace, link.address).await?;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
        let user_agent = user_agent.and_then(|text| EvidenceText::parse(text).ok());
        let (received, answered) = (app.now(), parameter(parts, ANSWERED));
        Ok(Self { workspace, link, address, received, ip, answered, user_agent })
    }

    /// Whether the link may do more than leave.
    pub(super) fn may_do_more(&self) -> bool {
        self.link.may_do_more(self.received)
    }

    /// Whom events are about.
    pub(super) fn subject(&self) -> Subject {
        match &self.address {
            Some(address) => Subject::Address(address.clone()),
            None => Subject::Key(self.link.address),
        }
    }

    /// Who sends the messages, as people know it.
    pub(super) fn business(&self) -> &str {
        let workspace = &self.workspace;
        let sender = self.link.sender.or_else(|| workspace.only_sender(self.link.channel));
        let sender = sender.and_then(|id| workspace.senders.get(&id));
        sender.map_or(&workspace.name, |sender| &sender.name)
    }

    /// What is known of the address.
    pub(super) async fn registers(&self, app: &App) -> Result<Arc<Registers>, Problem> {
        let workspace = self.link.workspace;
        Ok(app.store().registers(workspace, &self.subject(), Moment::Now).await?)
    }

    /// Every channel that reaches the address, and every other on which something was recorded.
    pub(super) fn channels(&self, registers: &Registers) -> Vec<Channel> {
        let kind = self.address.as_ref().map_or(AddressKind::on(self.link.channel), Address::kind);
        let recorded = registers.channels();
        let reaches = |channel: &Channel| {
            AddressKind::on(*channel) == kind
                || recorded.contains(channel)
                || *channel == self.link.channel
        };
        Channel::ALL.iter().copied().filter(reaches).collect()
    }

    /// Records what the person refuses, durably, before it returns. Somebody who refuses the same over
    /// and over is not recorded each time.
    pub(super) async fn refuse(
        &self,
        app: &App,
        road: Road,
        permissions: &[Permission],
    ) -> Result<(), Problem> {
        let started = Instant::now();
        let is_flood = app.rates().take_visitor(self.link.address).is_err();
        let registers = if is_flood { Some(self.registers(app).await?) } else { None };
        let is_new = |permission: &Permission| match (permission, &registers) {
            (Permission::Messages(channel, scope), Some(registers)) => {
                !refuses_already(registers, *channel, *scope, self.received)
            }
            (Permission::Processing, Some(registers)) => {
                registers.processing().standing_refusal(self.received).is_none()
            }
            (Permission::Messages(..) | Permission::Processing, None) => true,
        };
        let refusal = |permission| self.draft(road, (permission, Statement::OptOut), None);
        let drafts = permissions.iter().copied().filter(is_new).map(refusal);
        let drafts = drafts.collect::<Result<Vec<Draft>, Problem>>()?;
        if !drafts.is_empty() {
            // They are counted, and recorded whatever the count says.
            drop(app.rates().take_events(self.link.workspace, drafts.len()));
            let leaving = Leaving::of(app, &self.workspace, &drafts).await;
            let recorded = self.record(app, drafts).await?;
            leaving.count(app, self.link.workspace, &recorded);
            app.metrics().time_refusal(started.elapsed());
        }
        Ok(())
    }

    /// Records events, all or none.
    pub(super) async fn record(
        &self,
        app: &App,
        drafts: Vec<Draft>,
    ) -> Result<Vec<Recorded>, Problem> {
        let recorded = app.store().record(self.link.workspace, drafts).await?;
        for event in &recorded {
            app.metrics().count_consent(event.outcome);
        }
        Ok(recorded)
    }

    /// What the person says.
    pub(super) fn draft(
        &self,
        road: Road,
        (permission, statement): (Permission, Statement),
        notice: Option<NoticeRef>,
    ) -> Result<Draft, Problem> {
        let what = format!("{} {}", about(permission), statement.slot());
        let fact = Fact::Consent(permission, statement);
        let mut draft = self.draft_of(road, fact, &what)?;
        draft.occurred_at = said_now(statement, self.received);
        draft.evidence.notice = notice;
        Ok(draft)
    }

    /// What the person does; `what` tells it from all else that they may do at the same moment.
    pub(super) fn draft_of(&self, road: Road, fact: Fact, what: &str) -> Result<Draft, Problem> {
        let mut fields = Writer::default();
        fields.text("personal link");
        fields.text(road.as_str());
        fields.raw(self.link.address.as_bytes());
        fields.text(what);
        let request = RequestHash::of(&fields, &self.workspace.secret);
        let identity = RequestIdentity::Undated(request, self.received);
        let text = |text: &str| EvidenceText::parse(text).ok();
        let name = SourceName::parse(road.as_str()).map_err(|_| Problem::new(Code::Internal))?;
        let source = Source { road, name, spoke_of: None };
        let evidence = Evidence {
            method: text(road.as_str()),
            ip: text(&self.ip.to_string()),
            user_agent: self.user_agent.clone(),
            fields: self.link_fields(),
            ..Evidence::default()
        };
        let identity = (self.link.workspace, identity);
        Ok(Drafter::new(identity, source, Actor::Subject, self.received)
            .with_evidence(evidence)
            .draft(self.subject(), fact, 0))
    }
}

impl Visitor {
    /// How the link was made, and the key that it was handed to: for the evidence.
    fn link_fields(&self) -> BTreeMap<EvidenceText, EvidenceText> {
        let making = self.link.making;
        let told = [
            (LINK, Some(making.as_str().to_owned())),
            (LINK_MADE_ON, making.day().map(|day| day.to_string())),
            (LINK_KEY, making.handed_to().map(|key| key.to_string())),
        ];
        fields(told.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
    }
}

fn verify(app: &App, token: &str, purpose: LinkPurpose) -> Option<(Arc<Workspace>, PersonalLink)> {
    let unverified = UnverifiedLink::parse(token)?;
    let workspaces = app.store().workspaces();
    let workspace = workspaces.get(&unverified.workspace())?;
    let link = unverified.verify(&workspace.secret)?;
    (link.purpose == purpose).then(|| (Arc::clone(workspace), link))
}

/// The channel and scope of everything on these channels.
pub(super) fn everything_on(channels: &[Channel]) -> Vec<Permission> {
    channels.iter().map(|channel| Permission::Messages(*channel, Scope::All)).collect()
}

/// A parameter of the link.
fn parameter(parts: &Parts, named: &str) -> Option<String> {
    let query = parts.uri.query().unwrap_or_default();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == named);
    found.map(|(_, value)| value.into_owned())
}

/// The language that the reader asked for on the page, or else by the browser.
pub(super) fn language_of(parts: &Parts) -> Language {
    let asked = parameter(parts, LANGUAGE).and_then(|tag| Language::find(&tag));
    asked.unwrap_or_else(|| reader_language(&parts.headers, &Language::ALL))
}

/// The answer, or the page that says why there is none.
pub(super) fn answer(answered: Result<Response, Problem>, headers: &HeaderMap) -> Response {
    answered.unwrap_or_else(|problem| {
        let code = problem.code();
        let trouble = if code == Code::NotFound {
            Trouble::NotFound
        } else if code == Code::RateLimited {
            Trouble::TooMany
        } else {
            Trouble::Unavailable
        };
        fault(trouble, headers, &[])
    })
}
