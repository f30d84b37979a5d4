//! Messages through claim, decision, hand-over and state, beside consents recorded one by one.
//!
//! The hand-over costs nothing here, as that to a simulated phone: what is measured is what Sayso does
//! before and after it. Queueing is shown apart.

use std::sync::Arc;

use anyhow::{Context, Result};
use futures_util::StreamExt;
use futures_util::stream;
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKeySecret};
use sayso_core::gate::decision::RequireOptIn;
use sayso_core::gate::message::MessageState;
use sayso_core::id::{MessageId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::words::source::{Actor, Evidence, Road, Source, SourceName};
use sayso_core::words::statement::Statement;
use sayso_plan::draft::{Dating, Draft, Subject};
use sayso_store::Store;
use sayso_store::environment::Environment;
use sayso_store::message::{
    HandOver, HandOverEnd, MessageDraft, MessageName, MessageReport, Payload,
};
use sayso_store::sqlite::SqliteStore;
use tokio::time::Instant;

use crate::data;
use crate::measure::{Goal, Samples, count};
use crate::people::digits;
use crate::report::{Line, Outcome};
use crate::rig::Rig;

/// Messages of one measurement.
const MESSAGES: u64 = 10_000;
/// Requests that wait for the store at the same time.
const AT_ONCE: usize = 256;
/// What listmonk 6.2 sent on such a machine, without any claim.
const LISTMONK: f64 = 5_409.0;
/// Every so many people refuse, where some do.
const REFUSED_EVERY: u64 = 5;

/// A store with its workspace and one sender.
struct Bench {
    store: Arc<SqliteStore>,
    workspace: WorkspaceId,
    sender: SenderId,
    /// The next person, who said nothing yet.
    next: u64,
}

/// The values.
#[derive(Default)]
struct Figures {
    queued: Samples,
    sent: Samples,
    sent_some_refused: Samples,
    recorded: Samples,
}

/// Measures the row.
pub(crate) async fn measure(rig: &mut Rig) -> Result<Outcome> {
    let directory = rig.scratch.directory("messages")?;
    let data = data::furnish(directory, rig.people.detail).await?;
    let store = data::open(&data.directory)?;
    let sender = SenderId::from_bytes([0x51; 16]);
    let mut bench = Bench { store, workspace: data.workspace, sender, next: 0 };
    let mut figures = Figures::default();
    for _ in rig.rounds("messages") {
        figures.recorded.push(bench.record().await?);
        let (queued, sent) = bench.send(0).await?;
        figures.queued.push(queued);
        figures.sent.push(sent);
        figures.sent_some_refused.push(bench.send(REFUSED_EVERY).await?.1);
    }
    bench.store.close().await?;
    Ok(outcome(figures))
}

fn outcome(figures: Figures) -> Outcome {
    let Figures { queued, sent, sent_some_refused, recorded } = figures;
    let line = |job: &str, ours: Samples, rival: &str, theirs: Samples, goal| Line {
        job: job.to_owned(),
        unit: "messages/s",
        ours,
        rival: rival.to_owned(),
        theirs,
        goal,
    };
    let consents = format!("consents/s, {AT_ONCE} callers, one event each, same engine");
    let listmonk = "listmonk 6.2 on such a machine, without any claim (a constant)";
    let known = || Samples::once(LISTMONK);
    Outcome {
        lines: vec![
            line("one sender, none refused", sent.clone(), &consents, recorded.clone(), Goal::AtLeast(0.4)),
            line("one sender, 20 % refused", sent_some_refused.clone(), &consents, recorded.clone(), Goal::AtLeast(0.4)),
            line("one sender, none refused", sent, listmonk, known(), Goal::AtLeast(2.5)),
            line("one sender, 20 % refused", sent_some_refused, listmonk, known(), Goal::AtLeast(2.5)),
            line("queued, durable", queued, &consents, recorded, Goal::Shown),
        ],
        notes: vec![
            "claim, decision, beginning, end and two reports of each message; claims of 256, durable before the hand-over, which itself costs nothing".to_owned(),
        ],
        left_out: vec![
            "webhooks and HTTP before the store: another row".to_owned(),
        ],
    }
}

impl Bench {
    fn address(n: u64) -> Result<Address> {
        Ok(Address::Phone(Phone::from_digits(digits(n)).context("a phone of the benchmark")?))
    }

    fn says(&self, n: u64, statement: Statement, at: Timestamp) -> Result<Draft> {
        let mut fields = sayso_core::canonical::Writer::default();
        fields.number(n);
        fields.byte(statement.slot().code());
        let request = RequestHash::of(&fields, &AddressKeySecret::from_bytes([7; 32]));
        Ok(Draft {
            subject: Subject::Address(Self::address(n)?),
            id: event_id(self.workspace, RequestIdentity::Dated(request), 0),
            request,
            fact: Fact::Consent(Permission::Messages(Channel::Sms, Scope::All), statement),
            source: Source { road: Road::Api, name: SourceName::parse("bench")?, spoke_of: None },
            actor: Actor::Subject,
            occurred_at: at,
            dating: Dating::Dated,
            import: None,
            basis: None,
            evidence: Evidence::default(),
            attributes: std::collections::BTreeMap::new(),
            guard: sayso_core::state::guard::Guard::None,
        })
    }

    /// Records a yes of people who said nothing before, one by one; gives the rate.
    async fn record(&mut self) -> Result<f64> {
        let now = Environment::system().clock.now();
        let people = self.next..self.next + MESSAGES;
        self.next = people.end;
        let drafts: Vec<Draft> =
            people.map(|n| self.says(n, Statement::Single, now)).collect::<Result<_>>()?;
        let total = drafts.len();
        let started = Instant::now();
        let mut recording = stream::iter(drafts)
            .map(|draft| self.store.record(self.workspace, vec![draft]))
            .buffer_unordered(AT_ONCE);
        while let Some(recorded) = recording.next().await {
            recorded?;
        }
        Ok(count(total) / started.elapsed().as_secs_f64())
    }

    /// Queues a message for everybody who agreed last, and sends them; gives both rates.
    async fn send(&mut self, refused_every: u64) -> Result<(f64, f64)> {
        let people = self.next - MESSAGES..self.next;
        let now = Environment::system().clock.now();
        let drafts: Vec<MessageDraft> =
            people.clone().map(|n| self.draft(n)).collect::<Result<_>>()?;
        let total = drafts.len();
        let started = Instant::now();
        let mut queueing = stream::iter(drafts)
            .map(|draft| self.store.queue_message(self.workspace, draft))
            .buffer_unordered(AT_ONCE);
        while let Some(queued) = queueing.next().await {
            queued?;
        }
        drop(queueing);
        let queued = count(total) / started.elapsed().as_secs_f64();
        if refused_every > 0 {
            for n in people.filter(|n| n.is_multiple_of(refused_every)) {
                let refusal = self.says(n, Statement::OptOut, now)?;
                self.store.record(self.workspace, vec![refusal]).await?;
            }
        }
        let started = Instant::now();
        while self.send_window().await? {}
        Ok((queued, count(total) / started.elapsed().as_secs_f64()))
    }

    fn draft(&self, n: u64) -> Result<MessageDraft> {
        let ordinary = Message::ordinary(Channel::Sms, Category::Marketing);
        Ok(MessageDraft {
            id: MessageId::from_bytes(Environment::system().time_sortable_id()),
            key: None,
            request: RequestHash([0; 32]),
            to: Self::address(n)?,
            routes: vec![Message { sender: Some(self.sender), ..ordinary }],
            require_opt_in: RequireOptIn::AsSettings,
            payload: Payload::Text("A new book has come. Reply STOP to leave.".into()),
            expires_at: Timestamp::DISTANT_FUTURE,
            zone: None,
            held: None,
        })
    }

    /// Claims, hands over, settles and reports one window; whether there was any.
    async fn send_window(&self) -> Result<bool> {
        let items = limits::CLAIM_MESSAGES_MAX;
        let claiming = self.store.claim_messages(self.workspace, self.sender, items).await?;
        let clock = Environment::system().clock;
        let (mut ended, mut reports) = (Vec::new(), Vec::new());
        for claimed in claiming.claimed {
            let began_at = self.store.begin_hand_over(claimed.id);
            let at = clock.now();
            let provider_id: Box<str> = format!("bench-{}", claimed.id).into();
            let report = |state| MessageReport {
                message: MessageName::Provider(provider_id.clone()),
                state,
                at,
                failure: None,
            };
            let end = if began_at.is_some() {
                reports.extend([report(MessageState::Sent), report(MessageState::Delivered)]);
                HandOverEnd::Accepted { provider_id: Some(provider_id.clone()) }
            } else {
                HandOverEnd::Requeued { due_at: at }
            };
            ended.push(HandOver { id: claimed.id, began_at, at, end });
        }
        if !ended.is_empty() {
            self.store.settle_messages(self.workspace, ended).await?;
            self.store.report_messages(self.workspace, reports).await?;
        }
        Ok(claiming.more)
    }
}
