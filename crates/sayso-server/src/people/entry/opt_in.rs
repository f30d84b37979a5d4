//! What was ticked on an opt-in page: the events of the number that was typed, and the reference that waits
//! for its message.

use std::net::IpAddr;

use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::proof::double_opt_in::AnswerBy;
use sayso_core::proof::reference::Reference;
use sayso_core::state::capture::{covered_by, permissions_of};
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::doubt::Doubt;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::form::Theme;
use sayso_core::words::notice::Notice;
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source};
use sayso_core::words::statement::Statement;
use sayso_pages::entry::EntryFault;
use sayso_pages::form::FormLook;
use sayso_pages::language::Language;
use sayso_pages::page::Frame;
use sayso_plan::draft::{Draft, Drafter};
use sayso_plan::evidence;
use sayso_store::reference::{Keeping, ReferenceDraft};

use super::{Door, Form};
use crate::app::App;
use crate::body::Faults;
use crate::body::address::{Care, Place, Reading};
use crate::double_opt_in::Asks;
use crate::problem::{Code, Problem};
use crate::rate::Network;

/// How the act was done.
const METHOD: &str = "entry point page";
/// References that are tried before none is found that is free: two pages meet in one of 40 bits once in a
/// lifetime.
const TRIES: u32 = 4;

/// What a person ticked.
#[derive(Debug)]
pub(super) struct OptIn {
    permissions: Vec<Permission>,
    /// What they typed, if they did.
    address: Option<Address>,
    request: RequestHash,
}

/// The evidence of the page.
pub(super) fn evidence(
    door: &Door,
    notice: &Notice,
    (page, ip, user_agent): (&str, IpAddr, Option<&str>),
) -> Evidence {
    let text = |text: &str| EvidenceText::parse(text).ok();
    let (id, version) = (door.id.to_string(), door.entry.version.to_string());
    let told = [(evidence::ENTRY_POINT, id), (evidence::ENTRY_POINT_VERSION, version)];
    let fields = evidence::fields(told);
    Evidence {
        method: text(METHOD),
        notice: Some(notice.reference()),
        page: text(page),
        ip: text(&ip.to_string()),
        user_agent: user_agent.and_then(text),
        fields: fields.collect(),
    }
}

impl OptIn {
    /// What a form says, or what is to be put right in it.
    pub(super) fn read(app: &App, door: &Door, form: &Form) -> Result<Self, Vec<EntryFault>> {
        let mut faults = Vec::new();
        let offered = door.offered().into_iter();
        let ticked = offered.filter(|(value, _)| form.choices.contains(value));
        let permissions: Vec<Permission> = ticked.map(|(_, permission)| permission).collect();
        if permissions.is_empty() {
            faults.push(EntryFault::NothingTicked);
        }
        let address = match form.address.as_str() {
            // No message of ours comes in by email, so none would tell it.
            "" if door.channel() == Channel::Email => Err(EntryFault::NoAddress),
            "" => Ok(None),
            typed => address(app, door, typed).map(Some),
        };
        match address {
            Ok(address) if faults.is_empty() => {
                let request = request(door, form, &permissions, address.as_ref());
                Ok(Self { permissions, address, request })
            }
            Ok(_) => Err(faults),
            Err(fault) => {
                faults.push(fault);
                Err(faults)
            }
        }
    }

    /// Records it as pending for the address, if one was typed, and keeps it for the message that proves the
    /// address.
    pub(super) async fn record(
        self,
        app: &App,
        door: &Door,
        evidence: Evidence,
        (notice, language, network): (&Notice, Language, Network),
    ) -> Result<Reference, Problem> {
        let workspace = door.workspace.id;
        let key = self.address.as_ref().map(|address| address.key(&door.workspace.secret));
        if let Some((address, key)) = self.address.as_ref().zip(key) {
            let drafts = self.drafts(app, door, address, (&evidence, notice));
            app.rates().take_address(key)?;
            app.rates().take_events(workspace, drafts.len())?;
            let recorded = app.store().record(workspace, drafts.clone()).await?;
            recorded.iter().for_each(|event| app.metrics().count_consent(event.outcome));
            if door.channel() == Channel::Email {
                let asks = asks(app, door, (address, &drafts), (language, network));
                asks.put(app).await?;
            }
        }
        self.keep(app, door, key, evidence).await
    }

    /// One event for each permission, and one for processing where the words name it. Anybody may have typed
    /// the address, so they are pending (rule 23).
    fn drafts(
        &self,
        app: &App,
        door: &Door,
        address: &Address,
        (evidence, notice): (&Evidence, &Notice),
    ) -> Vec<Draft> {
        let workspace = door.workspace.id;
        let mut permissions: Vec<Permission> = Vec::new();
        for ticked in self.permissions.iter().flat_map(|ticked| covered_by(*ticked)) {
            for permission in permissions_of(ticked, Statement::Single, Some(notice)) {
                if !permissions.contains(&permission) {
                    permissions.push(permission);
                }
            }
        }
        let identity = RequestIdentity::Dated(self.request);
        let occurred_at = app.now();
        let mut evidence = evidence.clone();
        Doubt::Unproven.keep_in(&mut evidence);
        let drafter =
            Drafter::new((workspace, identity), source(door), Actor::Subject, occurred_at)
                .with_evidence(evidence);
        let draft = |(part, permission): (u32, Permission)| {
            let basis = (permission == Permission::Processing).then(|| drafter.id(0));
            let fact = Fact::Consent(permission, Statement::Pending);
            drafter.draft(address, fact, part).resting_on(basis)
        };
        (0..).zip(permissions).map(draft).collect()
    }

    /// Keeps what was ticked under a reference. The same form sent twice has the same one.
    async fn keep(
        self,
        app: &App,
        door: &Door,
        address: Option<AddressKey>,
        evidence: Evidence,
    ) -> Result<Reference, Problem> {
        let workspace = door.workspace.id;
        for attempt in 0..TRIES {
            let draft = ReferenceDraft {
                reference: reference(door, self.request, attempt),
                request: self.request,
                entry_point: door.id,
                address,
                permissions: self.permissions.clone(),
                evidence: evidence.clone(),
            };
            let reference = draft.reference;
            if app.store().keep_reference(workspace, draft).await? == Keeping::Done {
                return Ok(reference);
            }
        }
        Err(Problem::new(Code::Internal))
    }
}

/// The question to an email address: no message of ours comes in from there, so it answers by a link.
fn asks<'a>(
    app: &App,
    door: &'a Door,
    (address, drafts): (&'a Address, &[Draft]),
    (language, network): (Language, Network),
) -> Asks<'a> {
    let pending = drafts.iter().filter_map(|draft| {
        let Fact::Consent(permission, _) = draft.fact else { return None };
        Some((draft.id, permission))
    });
    let look = FormLook {
        language,
        business: &door.entry.business,
        theme: Theme::default(),
        frame: Frame::Window,
    };
    Asks {
        workspace: &door.workspace,
        address,
        channels: vec![door.channel()],
        sender: Some(door.entry.sender),
        by: AnswerBy::Link,
        look,
        template: None,
        network: Some(network),
        home: door.workspace.settings.at(app.now()).region.into_iter().collect(),
        pending: pending.collect(),
        pending_at: app.now(),
        evidence: drafts.first().map(|draft| draft.evidence.clone()).unwrap_or_default(),
        source: source(door),
        form: None,
    }
}

fn source(door: &Door) -> Source {
    Source { road: Road::EntryPoint, name: door.entry.source.clone(), spoke_of: None }
}

/// The address that was typed, if it can be opted in: messages go to mobile phones alone.
fn address(app: &App, door: &Door, typed: &str) -> Result<Address, EntryFault> {
    let region = door.workspace.settings.at(app.now()).region;
    let reading = Reading { phones: app.phones(), region, care: Care::Valid, place: Place::Body };
    let faults = &mut Faults::default();
    if door.channel() == Channel::Email {
        let email = reading.email(typed, "", faults);
        return email.map(Address::Email).ok_or(EntryFault::BadAddress);
    }
    match reading.phone(typed, "", faults) {
        Some(phone) if phone.may_be_mobile(app.phones()) => Ok(Address::Phone(phone)),
        Some(_) => Err(EntryFault::NotMobile),
        None => Err(EntryFault::BadAddress),
    }
}

/// What makes the same form sent twice one request.
fn request(
    door: &Door,
    form: &Form,
    permissions: &[Permission],
    address: Option<&Address>,
) -> RequestHash {
    let mut fields = Writer::default();
    fields.text("entry point page");
    fields.raw(door.id.as_bytes());
    fields.number(u64::from(door.entry.version));
    fields.text(&form.visit);
    fields.option(form.language, |fields, language| fields.text(language.tag()));
    fields.length(permissions.len());
    permissions.iter().for_each(|permission| permission.write(&mut fields));
    fields.option(address, |fields, address| address.write(fields));
    RequestHash::of(&fields, &door.workspace.secret)
}

/// The reference of a request: nobody without the workspace's secret can tell it.
fn reference(door: &Door, request: RequestHash, attempt: u32) -> Reference {
    let mut fields = Writer::default();
    fields.text("reference");
    fields.raw(&request.0);
    fields.number(u64::from(attempt));
    let RequestHash(hash) = RequestHash::of(&fields, &door.workspace.secret);
    Reference::from_bytes(hash.first_chunk().copied().unwrap_or_default())
}
