//! From a form in which nothing is wrong to events, and the profile of somebody new.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::policy::Way;
use sayso_core::proof::double_opt_in::{AnswerBy, is_required};
use sayso_core::state::capture::{covered_by, permissions_of};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::notice::Notice;
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{FormBox, Workspace};
use sayso_plan::draft::{Draft, Drafter, Subject};
use sayso_plan::evidence;
use sayso_store::store::{ProfileDraft, StoreError};

use super::challenge::Challenge;
use super::typed::Submission;
use super::visit::Visit;
use crate::app::App;
use crate::double_opt_in::{Asks, Put};
use sayso_plan::ticked;

/// How a form is named in evidence.
const METHOD: &str = "web form";

/// What is to be recorded of a submission.
#[derive(Debug)]
pub(super) struct Plan {
    /// The events.
    pub(super) drafts: Vec<Draft>,
    addresses: Vec<Address>,
    attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    source: Source,
    /// Which addresses are asked to confirm what was ticked, how, and on which channels.
    confirming: BTreeMap<Address, (AnswerBy, Vec<Channel>)>,
}

impl Plan {
    /// An act for each box, and one for processing with each address if the words name it.
    pub(super) fn of(
        app: &App,
        visit: &Visit,
        submission: &Submission,
        (challenge, notice): (&Challenge, &Notice),
    ) -> Self {
        let name = visit.published.form.name.clone();
        let source = Source { road: Road::Form, name, spoke_of: None };
        let evidence = evidence(visit, &submission.ticked, notice);
        let mut drafts = Vec::new();
        let mut processing = BTreeSet::new();
        for it in &submission.ticked {
            let Some(address) = submission.address_on(it.channel) else { continue };
            let mut basis = None;
            let covered = covered_by(it.permission());
            for permission in
                covered.flat_map(|about| permissions_of(about, Statement::Single, Some(notice)))
            {
                if permission == Permission::Processing && !processing.insert(address.clone()) {
                    continue;
                }
                let request = request(visit, challenge, &address, permission);
                let identity = RequestIdentity::Dated(request);
                let identity = (visit.workspace.id, identity);
                let draft = Drafter::new(identity, source.clone(), Actor::Subject, visit.received)
                    .with_evidence(evidence.clone())
                    .draft(&address, Fact::Consent(permission, Statement::Single), 0)
                    .resting_on(basis);
                basis = basis.or(Some(draft.id));
                drafts.push(draft);
            }
        }
        let confirming = confirming(app, visit, submission);
        drafts.iter_mut().for_each(|draft| leave_pending(draft, &confirming));
        ticked::judge(&visit.workspace, Way::Form, visit.received, &mut drafts);
        let addresses = submission.addresses();
        let attributes = submission.attributes.clone();
        Self { drafts, addresses, attributes, source, confirming }
    }

    /// Whose addresses they are.
    pub(super) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where they come from.
    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// Leaves what waits for an answer without a question: nobody could answer it.
    pub(super) fn ask_nobody(&mut self) {
        self.confirming.clear();
    }

    /// Records it, all or nothing, puts the questions to the addresses that are to confirm it, and keeps the
    /// answers of somebody who is not known yet. Doing it twice does it once.
    pub(super) async fn record(mut self, app: &App, visit: &Visit) -> Result<Vec<Put>, StoreError> {
        let workspace = &visit.workspace;
        ticked::lift_nothing(workspace, &mut self.drafts);
        let recorded = app.store().record(workspace.id, self.drafts.clone()).await?;
        for (draft, event) in self.drafts.iter_mut().zip(&recorded) {
            app.metrics().count_consent(event.outcome);
            draft.fact = event.fact;
        }
        let pending_at = recorded.iter().map(|event| event.occurred_at).min();
        let mut put = Vec::new();
        for asks in self.asks(visit, pending_at.unwrap_or(visit.received)) {
            put.push(asks.put(app).await?);
        }
        self.keep_answers(app, workspace).await?;
        Ok(put)
    }

    /// The questions to the addresses that are to confirm what was ticked.
    fn asks<'a>(
        &'a self,
        visit: &'a Visit,
        pending_at: Timestamp,
    ) -> impl Iterator<Item = Asks<'a>> {
        let form = &visit.published.form;
        self.confirming.iter().map(move |(address, (by, channels))| {
            let of_address = |draft: &&Draft| draft.subject == Subject::Address(address.clone());
            let drafts = || self.drafts.iter().filter(of_address);
            let pending = drafts().filter_map(|draft| {
                let Fact::Consent(permission, Statement::Pending) = draft.fact else { return None };
                waits(permission, channels).then_some((draft.id, permission))
            });
            Asks {
                workspace: &visit.workspace,
                address,
                channels: channels.clone(),
                sender: form.sender,
                by: *by,
                look: visit.look(form.theme),
                template: form.question_template.as_ref(),
                network: Some(visit.network),
                home: visit.home(),
                pending: pending.collect(),
                pending_at,
                evidence: drafts().next().map(|draft| draft.evidence.clone()).unwrap_or_default(),
                source: self.source.clone(),
                form: Some(visit.id),
            }
        })
    }

    /// Keeps what was filled in besides, of somebody who is not known yet.
    async fn keep_answers(self, app: &App, workspace: &Workspace) -> Result<(), StoreError> {
        let workspace_id = workspace.id;
        let Self { addresses, attributes, source, .. } = self;
        if attributes.is_empty() {
            return Ok(());
        }
        for address in &addresses {
            let subject = Subject::Address(address.clone());
            if app.store().find_profile(workspace_id, &subject).await?.is_some() {
                return Ok(());
            }
        }
        // The first alone: that both are one person's is nothing but a claim (rule 5).
        let addresses = addresses.into_iter().take(1).collect();
        let draft =
            ProfileDraft { profile: None, addresses, attributes, source, actor: Actor::Subject };
        app.store().upsert_profile(workspace_id, draft).await.map(|_| ())
    }
}

/// Which addresses are asked to confirm what was ticked: those that the form asks, and those whose country
/// demands it, by a code, which needs no URL of this server.
fn confirming(
    app: &App,
    visit: &Visit,
    submission: &Submission,
) -> BTreeMap<Address, (AnswerBy, Vec<Channel>)> {
    let settings = visit.workspace.settings.at(visit.received);
    let mut confirming: BTreeMap<Address, (AnswerBy, Vec<Channel>)> = BTreeMap::new();
    for it in &submission.ticked {
        let Some(address) = submission.address_on(it.channel) else { continue };
        let demanded =
            || is_required(&settings, it.channel, &address, app.phones()).then_some(AnswerBy::Code);
        let Some(by) = visit.published.form.double_opt_in.or_else(demanded) else { continue };
        let (_, channels) = confirming.entry(address).or_insert_with(|| (by, Vec::new()));
        if !channels.contains(&it.channel) {
            channels.push(it.channel);
        }
    }
    confirming
}

/// Makes `pending` what its address is asked to confirm; the processing of its data with it.
fn leave_pending(draft: &mut Draft, confirming: &BTreeMap<Address, (AnswerBy, Vec<Channel>)>) {
    let Subject::Address(address) = &draft.subject else { return };
    let Some((_, channels)) = confirming.get(address) else { return };
    let Fact::Consent(permission, _) = draft.fact else { return };
    if waits(permission, channels) {
        draft.fact = Fact::Consent(permission, Statement::Pending);
    }
}

/// Whether a permission waits for an answer about these channels.
fn waits(permission: Permission, channels: &[Channel]) -> bool {
    match permission {
        Permission::Messages(channel, _) => channels.contains(&channel),
        Permission::Processing => true,
    }
}

/// What makes a submission the same one: the page it was sent from, and what it says of whom.
fn request(
    visit: &Visit,
    challenge: &Challenge,
    address: &Address,
    permission: Permission,
) -> RequestHash {
    let secret = &visit.workspace.secret;
    let mut fields = Writer::default();
    fields.text("form");
    visit.id.write(&mut fields);
    fields.raw(&challenge.nonce);
    fields.raw(address.key(secret).as_bytes());
    permission.write(&mut fields);
    RequestHash::of(&fields, secret)
}

fn evidence(visit: &Visit, ticked: &[FormBox], notice: &Notice) -> Evidence {
    let text = |text: &str| EvidenceText::parse(text).ok();
    let ticked: Vec<String> =
        ticked.iter().map(|it| format!("{} {}", it.channel, it.scope)).collect();
    let fields = [
        (evidence::FORM, visit.id.to_string()),
        (evidence::FORM_VERSION, visit.published.version.to_string()),
        (evidence::TICKED, ticked.join(", ")),
    ];
    Evidence {
        method: text(METHOD),
        notice: Some(notice.reference()),
        page: visit.page.clone().or_else(|| text(&visit.here)),
        ip: text(&visit.ip.to_string()),
        user_agent: visit.user_agent.clone(),
        fields: evidence::fields(fields).collect(),
    }
}
