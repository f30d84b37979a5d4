//! From a form in which nothing is wrong to events, and the profile of somebody new.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::capture::permissions_of;
use sayso_core::channel::Permission;
use sayso_core::event::Fact;
use sayso_core::event_id::{RequestHash, RequestIdentity, event_id};
use sayso_core::notice::Notice;
use sayso_core::policy::Way;
use sayso_core::source::{Actor, Evidence, EvidenceText, Road, Source};
use sayso_core::statement::Statement;
use sayso_store::configuration::{Configuration, FormBox};
use sayso_store::store::{Dating, Draft, ProfileDraft, StoreError, Subject};

use super::challenge::Challenge;
use super::typed::Submission;
use super::visit::Visit;
use crate::app::App;
use crate::capture::ticked;

/// How a form is named in evidence.
const METHOD: &str = "web form";
/// The evidence that says which form it was.
const FORM_FIELD: &str = "sayso:form";
/// The evidence that says which version of it was shown.
const VERSION_FIELD: &str = "sayso:form_version";
/// The evidence that says what was ticked together.
const TICKED_FIELD: &str = "sayso:ticked";

/// What is to be recorded of a submission.
#[derive(Debug)]
pub(super) struct Plan {
    /// The events.
    pub(super) drafts: Vec<Draft>,
    addresses: Vec<Address>,
    attributes: BTreeMap<EvidenceText, Option<Box<str>>>,
    source: Source,
}

impl Plan {
    /// An act for each box, and one for processing with each address if the words name it.
    pub(super) fn of(
        visit: &Visit,
        submission: &Submission,
        challenge: &Challenge,
        notice: &Notice,
    ) -> Self {
        let name = visit.published.form.name.clone();
        let source = Source { road: Road::Form, name, spoke_of: None };
        let evidence = evidence(visit, &submission.ticked, notice);
        let mut drafts = Vec::new();
        let mut processing = BTreeSet::new();
        for it in &submission.ticked {
            let Some(address) = submission.address_on(it.channel) else { continue };
            let mut basis = None;
            for permission in permissions_of(it.permission(), Statement::Single, Some(notice)) {
                if permission == Permission::Processing && !processing.insert(address.clone()) {
                    continue;
                }
                let request = request(visit, challenge, &address, permission);
                let identity = RequestIdentity::Dated(request);
                let draft = Draft {
                    subject: Subject::Address(address.clone()),
                    id: event_id(visit.configuration.workspace, identity, 0),
                    request,
                    fact: Fact::Consent(permission, Statement::Single),
                    source: source.clone(),
                    actor: Actor::Subject,
                    occurred_at: visit.received,
                    dating: Dating::Dated,
                    import: None,
                    basis,
                    evidence: evidence.clone(),
                    attributes: BTreeMap::new(),
                };
                basis = basis.or(Some(draft.id));
                drafts.push(draft);
            }
        }
        ticked::judge(&visit.configuration, Way::Form, visit.received, &mut drafts);
        let addresses = submission.addresses();
        Self { drafts, addresses, attributes: submission.attributes.clone(), source }
    }

    /// Whose addresses they are.
    pub(super) fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where they come from.
    pub(super) const fn source(&self) -> &Source {
        &self.source
    }

    /// Records it, all or nothing, and then keeps the answers of somebody who is not known yet.
    /// Doing it twice does it once.
    pub(super) async fn record(
        self,
        app: &App,
        configuration: &Configuration,
    ) -> Result<(), StoreError> {
        let workspace = configuration.workspace;
        let Self { mut drafts, addresses, attributes, source } = self;
        ticked::lift_nothing(app, configuration, &mut drafts).await?;
        for event in app.store().record(workspace, drafts).await? {
            app.metrics().count_consent(event.outcome);
        }
        if attributes.is_empty() {
            return Ok(());
        }
        for address in &addresses {
            let subject = Subject::Address(address.clone());
            if app.store().find_profile(workspace, &subject).await?.is_some() {
                return Ok(());
            }
        }
        // The first alone: that both are one person's is nothing but a claim (rule 5).
        let addresses = addresses.into_iter().take(1).collect();
        let draft =
            ProfileDraft { profile: None, addresses, attributes, source, actor: Actor::Subject };
        app.store().upsert_profile(workspace, draft).await.map(|_| ())
    }
}

/// What makes a submission the same one: the page it was sent from, and what it says of whom.
fn request(
    visit: &Visit,
    challenge: &Challenge,
    address: &Address,
    permission: Permission,
) -> RequestHash {
    let secret = &visit.configuration.secret;
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
        (FORM_FIELD, visit.id.to_string()),
        (VERSION_FIELD, visit.published.version.to_string()),
        (TICKED_FIELD, ticked.join(", ")),
    ];
    Evidence {
        method: text(METHOD),
        notice: Some(notice.reference()),
        page: visit.page.clone().or_else(|| text(&visit.here)),
        ip: text(&visit.ip.to_string()),
        user_agent: visit.user_agent.clone(),
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| text(name).zip(text(&value)))
            .collect(),
    }
}
