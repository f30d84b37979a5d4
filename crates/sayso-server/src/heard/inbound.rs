//! What people write, and what is recorded of it (rules 18 to 20).
//!
//! Everything that a call tells is recorded before this returns, so the provider's 2xx comes after the
//! refusal is durable and obeyed. A reply is queued afterwards; nobody waits until it is
//! sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};
use sayso_channels::inbound::{Choice, KeywordKind, Place, Prefers, ProviderEvent, Wrote};
use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, check};
use sayso_core::id::{ConnectionId, EntryPointId, MessageId, RuleId, SenderId};
use sayso_core::limits;
use sayso_core::policy::{Judgment, Way};
use sayso_core::state::capture::{settle_time, start};
use sayso_core::state::guard::Guard;
use sayso_core::state::status::Status;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::text::wording::{Heard, Reading};
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::{Category, Channel, Message, Permission, Provider, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::{Dating, Draft, Drafter, Subject};
use sayso_plan::evidence;
use sayso_store::store::{Outcome, Recorded};
use sayso_store::tally::Tally;
use tokio::time::Instant;

use super::accounts::{self, OneAccount, Telling};
use super::hearing::{shown, text_of, understand};
use super::question::Questioning;
use super::reference::Carrier;
use super::reply::Replying;
use super::said::Said;
use super::sender::sender_named;
use super::{health, reported, templates};
use crate::app::App;
use crate::problem::{Code, Problem};
use crate::reach;
use crate::rejecting::Rejecting;
use sayso_plan::judging;
use sayso_plan::understanding::{Line, Understanding};

/// How the words of a person were understood.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Understood {
    /// How they were read; absent where there were none.
    pub(crate) heard: Option<Heard>,
    /// The rule that they follow.
    pub(crate) rule: Option<RuleId>,
    /// The reply that was queued.
    pub(crate) reply: Option<MessageId>,
}

/// Takes in what a connection's provider told: people first, and whatever fails holds up nobody else in
/// the call. What one person did is taken in its order, and several people side by side, so that they
/// share a flush to disk. A failure is the answer, so that the provider tells it again.
pub(crate) async fn take(
    app: &App,
    workspace: &Arc<Workspace>,
    connection: ConnectionId,
    events: Vec<ProviderEvent>,
) -> Result<(), Problem> {
    let listening =
        Listening { app, workspace, connection, received: app.now(), began: Instant::now() };
    let mut unknown = Rejecting::of_connection(app, workspace, connection);
    let (mut people, mut others, mut reports) = (Did::default(), Vec::new(), Vec::new());
    for event in events {
        match event {
            ProviderEvent::Wrote(wrote) => people.add(Doing::Wrote(wrote)),
            ProviderEvent::Prefers(prefers) => people.add(Doing::Prefers(prefers)),
            ProviderEvent::Reported(report) => reports.push(report),
            ProviderEvent::Unknown { kind, raw } => {
                app.metrics().count_unknown_event();
                let detail = format!("an event of the kind {kind}");
                unknown.add(&Problem::new(Code::HookEventUnknown).detail(detail), None, &raw);
            }
            other @ (ProviderEvent::SenderHealth(_)
            | ProviderEvent::TemplateChanged(_)
            | ProviderEvent::NumberChanged(_)
            | ProviderEvent::Named(_)) => others.push(other),
        }
    }
    unknown.keep();
    let mut first = listening.attend(people).await;
    for other in others {
        first = first.and(take_other(app, workspace, connection, other).await);
    }
    for report in reports {
        first = first.and(reported::take(app, workspace, connection, &report).await);
    }
    first
}

/// Takes in what a provider told of a sender, of a template, or of an account.
async fn take_other(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    event: ProviderEvent,
) -> Result<(), Problem> {
    match event {
        ProviderEvent::SenderHealth(told) => health::take(app, workspace, connection, &told).await,
        ProviderEvent::TemplateChanged(changed) => {
            templates::take(app, workspace, connection, &changed).await
        }
        ProviderEvent::NumberChanged(changed) => {
            accounts::take_over(app, workspace, connection, &changed).await
        }
        ProviderEvent::Named(named) => {
            Ok(accounts::take_named(app, workspace, connection, &named).await?)
        }
        // These are taken elsewhere.
        ProviderEvent::Wrote(_)
        | ProviderEvent::Prefers(_)
        | ProviderEvent::Reported(_)
        | ProviderEvent::Unknown { .. } => Ok(()),
    }
}

/// Takes in what one person wrote, and says how it was understood.
pub(crate) async fn take_words(
    app: &App,
    workspace: &Arc<Workspace>,
    connection: ConnectionId,
    wrote: &Wrote,
) -> Result<Understood, Problem> {
    Listening { app, workspace, connection, received: app.now(), began: Instant::now() }
        .hear(wrote)
        .await
}

/// Something that a person did.
enum Doing {
    Wrote(Wrote),
    Prefers(Prefers),
}

impl Doing {
    /// Who did it, by the address that comes first.
    fn who(&self) -> Option<Address> {
        match self {
            Self::Wrote(wrote) => wrote.from.addresses().next(),
            Self::Prefers(prefers) => prefers.who.addresses().next(),
        }
    }
}

/// What each person in a call did, in its order.
#[derive(Default)]
struct Did(BTreeMap<Option<Address>, Vec<Doing>>);

impl Did {
    fn add(&mut self, doing: Doing) {
        self.0.entry(doing.who()).or_default().push(doing);
    }
}

/// One call that is taken in.
struct Listening<'a> {
    app: &'a App,
    workspace: &'a Arc<Workspace>,
    connection: ConnectionId,
    received: Timestamp,
    /// The same by a clock that measures.
    began: Instant,
}

/// What something in a call is recorded as.
struct Saying<'a> {
    source: Source,
    actor: Actor,
    identity: RequestIdentity,
    request: RequestHash,
    occurred_at: Option<ClaimedTime>,
    evidence: Evidence,
    channel: Channel,
    addresses: &'a [Address],
    /// What naming the person says besides.
    account: Option<OneAccount>,
    /// What the policies of their channels said of opt-ins among it.
    judged: Vec<(Permission, Judgment)>,
    /// Whether it is START, of which each part has a condition of its own.
    starts: bool,
}

impl Saying<'_> {
    /// What makes the events of the message, which happened then.
    fn drafter(&self, workspace: sayso_core::id::WorkspaceId, occurred_at: Timestamp) -> Drafter {
        Drafter::new((workspace, self.identity), self.source.clone(), self.actor, occurred_at)
            .of_request(self.request)
            .with_dating(Dating::Dated)
    }
}

/// What was recorded of something in a call, in the order of its drafts.
struct Told(Vec<Recorded>);

impl Told {
    /// Whether all of it was known.
    fn was_said_before(&self) -> bool {
        self.0.iter().all(|recorded| recorded.outcome == Outcome::Retried)
    }

    /// Whether it left an opt-in `pending`.
    fn left_pending(&self) -> bool {
        let is_pending = |fact| matches!(fact, Fact::Consent(_, Statement::Pending));
        self.0.iter().any(|it| it.outcome == Outcome::Appended && is_pending(it.fact))
    }

    /// Where START left the person towards marketing from the sender that they wrote to; nothing where it
    /// was no START.
    fn came_to(
        &self,
        line: &Line<'_>,
        understood: Option<&Understanding<'_>>,
        now: Timestamp,
    ) -> Option<Status> {
        understood.filter(|it| it.heard.reading == Reading::Start)?;
        let last = self.0.last()?;
        let message = Message::ordinary(line.channel, Category::Marketing);
        let message = Message { sender: line.sender, ..message };
        let settings = line.workspace.settings.at(now);
        let circumstances =
            Circumstances::of_consent(&settings, Requirement::OptIn, now.max(last.recorded_at));
        let decision = check(&last.registers, &message, &circumstances);
        let status = decision.consent.status;
        // Where something else stands in the way, nobody is welcomed.
        (decision.is_allow() || status != Status::OptedIn).then_some(status)
    }
}

impl Saying<'_> {
    /// The evidence of one fact, with what its policy said.
    fn evidence_of(&self, fact: &Fact) -> Evidence {
        let mut evidence = self.evidence.clone();
        if let Fact::Consent(about, statement) = fact {
            let is_it =
                |it: &&(Permission, Judgment)| it.0 == *about && it.1.statement == *statement;
            if let Some((_, judgment)) = self.judged.iter().find(is_it) {
                judging::keep(judgment.judged_by.as_deref(), judgment.doubt, &mut evidence);
            }
        }
        evidence
    }
}

impl Listening<'_> {
    /// Takes in what people did, several of them side by side.
    async fn attend(&self, people: Did) -> Result<(), Problem> {
        let each = people.0.into_values().map(|did| async move {
            let mut first = Ok(());
            for doing in did {
                first = first.and(match doing {
                    Doing::Wrote(wrote) => self.hear(&wrote).await.map(|_| ()),
                    Doing::Prefers(prefers) => self.obey(&prefers).await,
                });
            }
            first
        });
        let all = stream::iter(each).buffer_unordered(limits::PEOPLE_AT_ONCE);
        all.fold(Ok(()), async |first, next| first.and(next)).await
    }

    /// A person wrote: they are active, and their words are obeyed.
    async fn hear(&self, wrote: &Wrote) -> Result<Understood, Problem> {
        let sender = self.sender(wrote.channel, wrote.sender.as_deref());
        let addresses: Vec<Address> = wrote.from.addresses().collect();
        let questioning = self.questioning((wrote.channel, sender), addresses.first()).await?;
        let open = questioning.as_ref().filter(|it| it.is_open(wrote.occurred_at, self.received));
        let vocabularies = self.app.vocabularies();
        let vocabulary = vocabularies.ready(self.workspace).await;
        let searched = vocabularies.search(&vocabulary, text_of(wrote).unwrap_or_default()).await;
        let line = Line {
            workspace: self.workspace,
            vocabulary: &vocabulary,
            channel: wrote.channel,
            sender,
            open: open.map(|questioning| questioning.question),
        };
        let (_, identity) = self.requested(wrote);
        let (app, received) = (self.app, self.received);
        let message = event_id(self.workspace.id, identity, 0);
        let carrier = Carrier { app, line: &line, wrote, addresses: &addresses, message, received };
        let (understood, good) =
            carrier.understand(understand(&line, wrote, searched.as_ref())).await?;
        let said = understood.as_ref().map(|understood| statements(&line, understood));
        let said = said.unwrap_or_default();
        let settings = self.workspace.settings.at(self.received);
        let judged = line.judged(understood.as_ref(), said, &settings.policies);
        let statements: Vec<_> = judged.iter().map(|(about, it)| (*about, it.statement)).collect();
        let is_chat = wrote.place == Place::Chat;
        let mut facts: Vec<Fact> =
            sender.filter(|_| is_chat).map(Fact::Activity).into_iter().collect();
        facts.extend(statements.iter().map(|said| Fact::Consent(said.0, said.1)));
        let heard = understood.map(|understood| understood.heard);
        facts.extend(self.unblocked(wrote, heard, sender));
        let saying = self.saying_of(wrote, &line, understood.as_ref())?;
        let account = OneAccount::of(wrote.channel, &wrote.from);
        let saying = Saying { addresses: &addresses, account, judged, ..saying };
        let refused = refused(&statements, wrote.channel);
        let origin = match addresses.first().filter(|_| refused.is_some()) {
            Some(address) => {
                let subject = Subject::Address(address.clone());
                reach::origin(app, self.workspace, wrote.channel, &subject).await
            }
            None => None,
        };
        let good = good.filter(|_| refused.is_none() && is_chat);
        let confirmed = carrier.take(good.as_ref()).await?;
        let good = good.filter(|_| !confirmed.is_empty());
        let recorded = self.record(&saying, &facts, confirmed).await?;
        let said_before = recorded.was_said_before();
        if !said_before {
            self.count((sender, refused), origin);
            good.iter().for_each(|good| carrier.count(good));
        }
        let said = Said {
            understood: understood.as_ref(),
            refused,
            left_pending: recorded.left_pending(),
            start: recorded.came_to(&line, understood.as_ref(), self.received),
            at: wrote.occurred_at.map_or(self.received, |at| at.last().min(self.received)),
        };
        let is_answered = wrote.handled_by_provider.is_some() || said_before || !is_chat;
        // Who opted in on the page is not asked again.
        let questioning = questioning.as_ref().filter(|_| good.is_none());
        let reply = match (sender, addresses.first()) {
            (Some(sender), Some(to)) if !is_answered => {
                self.reply((wrote.channel, sender), to, &said, questioning).await
            }
            _ => None,
        };
        let rule = understood.and_then(|understood| understood.rule);
        Ok(Understood { heard, rule: rule.map(|rule| rule.says().id), reply })
    }

    /// Answers what was said. It is recorded: that nothing is answered is no reason to hear it again.
    async fn reply(
        &self,
        (channel, sender): (Channel, SenderId),
        to: &Address,
        said: &Said<'_>,
        questioning: Option<&Questioning<'_>>,
    ) -> Option<MessageId> {
        let (app, workspace, received) = (self.app, self.workspace, self.received);
        let replying = Replying { app, workspace, received, channel, sender, to };
        replying.answer(said, questioning).await.unwrap_or_else(|problem| {
            let code = problem.code().as_str();
            tracing::error!(problem.code = code, "a reply could not be queued");
            None
        })
    }

    /// Counts a refusal: of the sender, and of the entry point that the person came from.
    fn count(
        &self,
        (sender, refused): (Option<SenderId>, Option<Scope>),
        origin: Option<EntryPointId>,
    ) {
        if let Some(sender) = sender.filter(|_| refused.is_some()) {
            self.app.counting().note_refusal(self.workspace.id, sender);
        }
        if let Some(entry) = origin {
            self.app.reach().count(self.workspace.id, entry, Tally::Refused);
        }
    }

    /// What the sender asks of people who write to it, if it asks.
    async fn questioning(
        &self,
        (channel, sender): (Channel, Option<SenderId>),
        to: Option<&Address>,
    ) -> Result<Option<Questioning<'_>>, Problem> {
        let Some((sender, to)) = sender.zip(to) else { return Ok(None) };
        let place = (channel, sender);
        Questioning::of(self.app, self.workspace, place, to, self.received).await
    }

    /// The end of the provider's own block, where the provider ends it by itself at a start word: of ours,
    /// or of its own, which is no START to us.
    fn unblocked(
        &self,
        wrote: &Wrote,
        heard: Option<Heard>,
        sender: Option<SenderId>,
    ) -> Option<Fact> {
        let connection = self.workspace.connections.get(&self.connection)?;
        let is_start = heard.is_some_and(|heard| heard.reading == Reading::Start);
        let unblocks = wrote.handled_by_provider == Some(KeywordKind::Start)
            || (is_start && connection.provider == Provider::Twilio);
        let cover = Cover { channel: Some(wrote.channel), sender: Some(sender?), category: None };
        let off = Fact::Suppression(Suppression::Provider, cover, Switched::Off);
        unblocks.then_some(off)
    }

    /// A person used a switch of the platform, which says so.
    async fn obey(&self, prefers: &Prefers) -> Result<(), Problem> {
        let addresses: Vec<Address> = prefers.who.addresses().collect();
        let sender = self.sender(prefers.channel, prefers.sender.as_deref());
        let all = Permission::Messages(prefers.channel, Scope::All);
        let cover = Cover { channel: Some(prefers.channel), sender, category: prefers.category };
        let block = |switched| Fact::Suppression(Suppression::Provider, cover, switched);
        let fact = match &prefers.choice {
            Choice::Stop => block(Switched::On),
            Choice::Resume => block(Switched::Off),
            Choice::OptOut => Fact::Consent(all, Statement::OptOut),
            // What a provider registered is what it believes: our notice was not shown there.
            Choice::OptIn | Choice::SignUp { .. } => Fact::Consent(all, Statement::Yes),
        };
        let (fact, judged) = self.judged(fact);
        let mut fields = self.fields("provider's switch");
        addresses.iter().for_each(|address| address.write(&mut fields));
        fields.text(&format!("{fact:?}"));
        let request = self.dated(fields, prefers.occurred_at);
        let saying = Saying {
            source: self.source(Road::Provider)?,
            actor: Actor::Provider,
            identity: self.identity(request, None, prefers.occurred_at),
            request,
            occurred_at: prefers.occurred_at,
            evidence: evidence_of("provider", &[]),
            channel: prefers.channel,
            addresses: &addresses,
            account: OneAccount::of(prefers.channel, &prefers.who),
            judged,
            starts: false,
        };
        let said_before = self.record(&saying, &[fact], Vec::new()).await?.was_said_before();
        let refuses = matches!(prefers.choice, Choice::Stop | Choice::OptOut);
        if let Some(sender) = sender.filter(|_| refuses && !said_before) {
            self.app.counting().note_refusal(self.workspace.id, sender);
        }
        Ok(())
    }

    /// What a platform says, as the policy of its channel admits it (rule 6).
    fn judged(&self, fact: Fact) -> (Fact, Vec<(Permission, Judgment)>) {
        let Fact::Consent(about, statement) = fact else { return (fact, Vec::new()) };
        let settings = self.workspace.settings.at(self.received);
        let judgment = settings.policies.judge(about, statement, Way::Platform);
        (Fact::Consent(about, judgment.statement), vec![(about, judgment)])
    }

    /// Records facts about every address of a person, and what goes with them, in one transaction.
    async fn record(
        &self,
        saying: &Saying<'_>,
        facts: &[Fact],
        besides: Vec<Draft>,
    ) -> Result<Told, Problem> {
        let workspace = self.workspace.id;
        let mut drafts = Vec::with_capacity(facts.len() * saying.addresses.len());
        let is_hold = |fact: &Fact| matches!(fact, Fact::Consent(_, Statement::Hold));
        let told = self.telling(saying);
        let is_reviewed_once = match &saying.account {
            Some(account) if facts.iter().any(is_hold) => told.become_one(account).await?,
            Some(_) | None => false,
        };
        for (place, address) in saying.addresses.iter().enumerate() {
            let mut started = None;
            for fact in facts {
                // What holds one address of an account holds the other.
                let is_held = place > 0 && is_reviewed_once && is_hold(fact);
                if is_held || !concerns(*fact, address, saying.channel) {
                    continue;
                }
                // What is dated in the future is no yes (rule 2).
                let Some(occurred_at) = self.settled(*fact, saying.occurred_at) else { continue };
                let part = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
                let drafter = saying.drafter(workspace, occurred_at);
                let id = drafter.id(part);
                let guard = if saying.starts { guard_of_start(fact) } else { Guard::None };
                let is_start = matches!(fact, Fact::Consent(_, Statement::Start));
                started = started.or_else(|| is_start.then_some(id));
                let basis = started.filter(|_| guard != Guard::None);
                let drafter = drafter.with_evidence(saying.evidence_of(fact));
                let draft = drafter.draft(address, *fact, part);
                drafts.push(draft.resting_on(basis).guarded(guard));
            }
        }
        let own = drafts.len();
        if let Some(account) = &saying.account {
            drafts.extend(told.naming(account, saying.addresses.len() * facts.len()).await?);
        }
        drafts.extend(besides);
        if drafts.is_empty() {
            return Ok(Told(Vec::new()));
        }
        let mut recorded = self.app.store().record(workspace, drafts).await?;
        if facts.iter().any(refuses) {
            self.app.metrics().time_refusal(self.began.elapsed());
        }
        recorded.truncate(own);
        Ok(Told(recorded))
    }

    fn telling(&self, saying: &Saying<'_>) -> Telling<'_> {
        Telling {
            app: self.app,
            workspace: self.workspace,
            connection: self.connection,
            identity: saying.identity,
            request: saying.request,
            at: saying.occurred_at.map_or(self.received, |at| at.first().min(self.received)),
        }
    }

    /// When something happened (rule 2): nothing is later than our receipt.
    fn settled(&self, fact: Fact, claimed: Option<ClaimedTime>) -> Option<Timestamp> {
        if let Some((_, statement)) = fact.consent() {
            return settle_time(statement, claimed, self.app.receipt(self.received)).ok();
        }
        Some(if matches!(fact, Fact::Suppression(_, _, Switched::On)) {
            claimed.map_or(Timestamp::DISTANT_FUTURE, ClaimedTime::last)
        } else {
            claimed.map_or(self.received, |at| at.first().min(self.received))
        })
    }

    fn sender(&self, channel: Channel, named: Option<&str>) -> Option<SenderId> {
        sender_named(self.workspace, (self.connection, channel), named)
    }

    fn saying_of(
        &self,
        wrote: &Wrote,
        line: &Line<'_>,
        understood: Option<&Understanding<'_>>,
    ) -> Result<Saying<'static>, Problem> {
        let (request, identity) = self.requested(wrote);
        let heard = understood.map(|understood| understood.heard);
        let text = shown(wrote);
        let read = heard.is_some_and(|heard| heard.is_from_a_sentence());
        let rule = understood.and_then(|it| it.rule).map(|rule| rule.says().id.to_string());
        let notice = understood.and_then(|understood| line.notice(understood));
        let told = [
            (evidence::TEXT, &*text),
            (evidence::MESSAGE_ID, wrote.message_id.as_deref().unwrap_or_default()),
            (evidence::READING, heard.map_or("", |heard| heard.reading.as_str())),
            (evidence::BECAUSE, heard.map_or("", |heard| heard.because.as_str())),
            (evidence::RULE, rule.as_deref().unwrap_or_default()),
            (evidence::READ_FROM, if read { &*text } else { "" }),
        ];
        let road = if read { Road::Sentence } else { Road::Inbound };
        Ok(Saying {
            source: self.source(road)?,
            actor: Actor::Subject,
            identity,
            request,
            occurred_at: wrote.occurred_at,
            evidence: Evidence { notice: notice.cloned(), ..evidence_of("message", &told) },
            channel: wrote.channel,
            addresses: &[],
            account: None,
            judged: Vec::new(),
            starts: heard.is_some_and(|heard| heard.reading == Reading::Start),
        })
    }

    /// What makes a message told twice one message.
    fn requested(&self, wrote: &Wrote) -> (RequestHash, RequestIdentity) {
        let mut fields = self.fields("inbound");
        fields.option(wrote.message_id.as_deref(), Writer::text);
        wrote.from.addresses().for_each(|address| address.write(&mut fields));
        fields.option(wrote.sender.as_deref(), Writer::text);
        fields.text(wrote.channel.as_str());
        fields.option(text_of(wrote), Writer::text);
        fields.option(wrote.handled_by_provider, |fields, kind| fields.text(&format!("{kind:?}")));
        let request = self.dated(fields, wrote.occurred_at);
        (request, self.identity(request, wrote.message_id.as_deref(), wrote.occurred_at))
    }

    fn fields(&self, what: &str) -> Writer {
        let mut fields = Writer::default();
        fields.text(what);
        fields.raw(self.connection.as_bytes());
        fields
    }

    fn dated(&self, mut fields: Writer, at: Option<ClaimedTime>) -> RequestHash {
        fields.option(at, |fields, at| {
            fields.instant(at.first());
            fields.instant(at.last());
        });
        RequestHash::of(&fields, &self.workspace.secret)
    }

    /// The same words with the provider's id or time are the same message. Without either they may have
    /// been said again: a refusal is not lost for looking like an older one.
    fn identity(
        &self,
        request: RequestHash,
        message_id: Option<&str>,
        at: Option<ClaimedTime>,
    ) -> RequestIdentity {
        if message_id.is_some() || at.is_some() {
            RequestIdentity::Dated(request)
        } else {
            RequestIdentity::Undated(request, self.received)
        }
    }

    fn source(&self, road: Road) -> Result<Source, Problem> {
        let name = SourceName::parse(&self.connection.to_string());
        let name = name.map_err(|_| Problem::new(Code::Internal))?;
        Ok(Source { road, name, spoke_of: None })
    }
}

/// What words say, as statements about permissions: START in all its parts, each of which is written
/// where its condition holds.
fn statements(line: &Line<'_>, understood: &Understanding<'_>) -> Vec<(Permission, Statement)> {
    if understood.heard.reading == Reading::Start {
        let parts = start(line.channel, line.sender);
        return parts.map(|(about, statement, _)| (about, statement)).collect();
    }
    line.statements(understood)
}

/// The condition of a part of START.
const fn guard_of_start(fact: &Fact) -> Guard {
    match fact.consent() {
        Some((Permission::Messages(_, Scope::Category(_)), Statement::Start)) => {
            Guard::WhereRefused
        }
        Some((_, Statement::Pending)) => Guard::WithoutOptIn,
        Some(_) | None => Guard::None,
    }
}

/// The widest of what was refused on the channel.
fn refused(statements: &[(Permission, Statement)], channel: Channel) -> Option<Scope> {
    let scopes = statements.iter().filter_map(|said| match said {
        (Permission::Messages(on, scope), Statement::OptOut) if *on == channel => Some(*scope),
        (Permission::Messages(..) | Permission::Processing, _) => None,
    });
    scopes.min()
}

/// Whether a fact is about this address: an id of one channel says nothing of another.
fn concerns(fact: Fact, address: &Address, channel: Channel) -> bool {
    match (fact, address) {
        (Fact::Consent(Permission::Messages(on, _), _), Address::ChannelId(_)) => on == channel,
        (_, _) => true,
    }
}

/// Whether something recorded keeps messages from a person who got them before.
const fn refuses(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Consent(_, Statement::OptOut | Statement::Hold)
            | Fact::Suppression(_, _, Switched::On)
    )
}

/// Evidence of a message: what it said and how it was read.
fn evidence_of(method: &str, told: &[(evidence::Name, &str)]) -> Evidence {
    let fields = told.iter().filter_map(|(name, text)| {
        let plain: String =
            text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let end = plain.floor_char_boundary(limits::EVIDENCE_TEXT_BYTES_MAX);
        let text = EvidenceText::parse(plain.get(..end).unwrap_or_default()).ok()?;
        Some((EvidenceText::parse(name.as_str()).ok()?, text))
    });
    Evidence {
        method: EvidenceText::parse(method).ok(),
        fields: fields.collect(),
        ..Evidence::default()
    }
}
