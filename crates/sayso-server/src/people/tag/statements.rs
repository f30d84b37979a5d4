//! From the keys of a `user` object to reports of the site.

use sayso_core::address::{Address, AddressKey, OpaqueId};
use sayso_core::canonical::Writer;
use sayso_core::state::capture::said_now;
use sayso_core::state::guard::Guard;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source};
use sayso_core::words::statement::Statement;
use sayso_plan::draft::{Draft, Drafter, Subject};
use serde_json::Value;
use tokio::time::Instant;

use super::profile::Attributes;
use super::said::{digits_or_text, flag, text};
use super::vouching::{Hash, Vouched};
use super::{TagAnswer, TagRequest, UserRequest, Visit};
use crate::app::App;
use crate::body::Faults;
use crate::body::address::{Care, Place, Reading};
use crate::problem::{Code, Problem};
use crate::unproven;
use sayso_plan::judging::message_for;

/// What a page said, as far as it was good.
#[derive(Debug)]
pub(super) struct Statements {
    /// The reports.
    drafts: Vec<Draft>,
    /// The keys that were taken.
    accepted: Vec<&'static str>,
    /// What was wrong.
    faults: Faults,
    /// What the page said of processing, if that was taken.
    processing: Option<Statement>,
    /// The identifier that the customer's server vouches for.
    anchor: Option<Address>,
    /// The attributes and identifiers, where the customer's server vouches for one.
    profile: Option<(Vec<Address>, Attributes)>,
}

/// The identifiers that a page gave, as far as they were good.
#[derive(Debug, Default)]
struct Identifiers {
    uuid: Option<OpaqueId>,
    email: Option<Address>,
    /// A number that may be opted in.
    valid_phone: Option<Address>,
    /// A number that may be refused.
    possible_phone: Option<Address>,
}

/// Which identifier a `user_hash` is made of.
#[derive(Clone, Copy, Debug)]
enum Hashed {
    Uuid,
    Phone,
    Email,
}

/// The four flags, where they said something.
#[derive(Debug)]
struct Flags {
    gdpr: Option<Statement>,
    whatsapp: Option<Statement>,
    sms: Option<Statement>,
    email: Option<Statement>,
}

/// Reports under making.
struct Making<'a> {
    visit: &'a Visit,
    source: Source,
    evidence: Evidence,
    received: Timestamp,
    drafts: Vec<Draft>,
    accepted: Vec<&'static str>,
}

impl Statements {
    /// Hears what a page said. A refusal is heard however much was said before (rule 5); what came
    /// with it is not, once the limits are reached.
    pub(super) fn hear(
        (sent, mut faults): (TagRequest, Faults),
        mut counted: Result<(), Problem>,
        app: &App,
        visit: &Visit,
    ) -> Result<Self, Problem> {
        let mut user = sent.user.unwrap_or_default();
        let received = app.now();
        let hashed = hashed(&user);
        let identifiers = Identifiers::read(&mut user, app, visit, received, &mut faults);
        let mut flags = Flags::read(&mut user, &mut faults);
        for address in identifiers.all() {
            counted = counted.and(app.rates().take_address(visit.key_of(address)));
        }
        let workspace = visit.workspace.id;
        let counted = counted.and_then(|()| app.rates().take_events(workspace, flags.count()));
        let is_welcome = counted.is_ok();
        if let Err(limit) = counted {
            flags = flags.refusals_alone().ok_or(limit)?;
        }
        let hash = Hash::judge(
            sent.user_hash.as_deref(),
            hashed.as_ref().map(|(_, text)| &**text),
            visit,
            &mut faults,
        );
        if visit.site.requires_user_hash && hash != Hash::Right {
            return Ok(Self::untaken(hash, faults));
        }
        let spoke_of = identifiers.uuid.clone().map(|id| visit.key_of(&Address::ExternalId(id)));
        let mut making = Making {
            visit,
            source: Source { road: Road::Tag, name: visit.site.name.clone(), spoke_of },
            evidence: evidence(sent.page.as_deref(), visit),
            received,
            drafts: Vec::new(),
            accepted: Vec::new(),
        };
        making.channels(&identifiers, &flags, &mut faults);
        let processing = making.processing(&identifiers, &flags, &mut faults);
        let is_vouched = hash == Hash::Right;
        let profile = (is_vouched && is_welcome).then(|| {
            let attributes = Attributes::read(&mut user, &mut faults);
            let person = identifiers.uuid.clone().map(Address::ExternalId);
            (identifiers.all().cloned().chain(person).collect(), attributes)
        });
        let anchor = hashed.filter(|_| is_vouched).and_then(|(which, _)| identifiers.find(which));
        let Making { drafts, accepted, .. } = making;
        Ok(Self { drafts, accepted, faults, processing, anchor, profile })
    }

    /// Nothing is taken, for nobody vouches for it and the site wants somebody to.
    fn untaken(hash: Hash, mut faults: Faults) -> Self {
        if hash == Hash::Absent {
            let fault = "is missing: this site takes only what your server vouches for";
            faults.note("/user_hash", Code::MissingField, fault);
        }
        Self {
            drafts: Vec::new(),
            accepted: Vec::new(),
            faults,
            processing: None,
            anchor: None,
            profile: None,
        }
    }

    /// Records it all, and answers.
    pub(super) async fn record(mut self, app: &App, visit: &Visit) -> Result<TagAnswer, Problem> {
        let workspace_id = visit.workspace.id;
        let vouched = Vouched::find(app, visit, self.anchor.take()).await?;
        self.drafts.iter_mut().for_each(|draft| vouch(draft, &vouched, visit));
        // Before what this page says is recorded, which is no reason not to link.
        let profile = match self.profile.take() {
            Some((addresses, attributes)) => {
                Some((vouched.linkable(app, visit, addresses).await?, attributes))
            }
            None => None,
        };
        if !self.drafts.is_empty() {
            let refuses = self.drafts.iter().any(|draft| draft.fact.is_refusal());
            let started = Instant::now();
            let (workspace, site) = (&visit.workspace, &visit.key);
            let recorded = unproven::record(app, workspace, site, self.drafts).await?;
            for event in &recorded {
                app.metrics().count_consent(event.outcome);
            }
            if refuses {
                app.metrics().time_refusal(started.elapsed());
            }
        }
        let mut accepted = self.accepted;
        let mut collect = self.processing != Some(Statement::No);
        if let Some((addresses, attributes)) = profile
            && collect
            && !addresses.is_empty()
        {
            let source = Source { road: Road::Tag, name: visit.site.name.clone(), spoke_of: None };
            let (kept, still) = attributes.keep(app, workspace_id, addresses, source).await?;
            accepted.extend(kept);
            collect = still;
        }
        Ok(TagAnswer { accepted, rejected: self.faults.into_errors(), collect })
    }
}

/// The identifier that `user_hash` is made of: the uuid, or else the phone number, or else the email; which it
/// is, and its text.
fn hashed(user: &UserRequest) -> Option<(Hashed, String)> {
    let given = [
        (Hashed::Uuid, &user.uuid),
        (Hashed::Phone, &user.phone_number),
        (Hashed::Email, &user.email),
    ];
    given.into_iter().find_map(|(which, value)| match value {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            Some((which, text.trim().to_owned()))
        }
        Some(_) | None => None,
    })
}

/// Says of a draft whether the customer's server vouches for it. Where it could, a yes that nobody vouches
/// for lifts nothing: a stranger would lift what the person said.
fn vouch(draft: &mut Draft, vouched: &Vouched, visit: &Visit) {
    let Subject::Address(address) = &draft.subject else { return };
    if vouched.covers(address) {
        return;
    }
    draft.actor = Actor::Visitor;
    if let (Fact::Consent(about, Statement::Yes), Some(_)) =
        (draft.fact, &visit.site.user_hash_secret)
    {
        draft.guard = Guard::LiftsUnproven(message_for(about, &visit.workspace));
    }
}

fn evidence(page: Option<&str>, visit: &Visit) -> Evidence {
    let text = |text: &str| EvidenceText::parse(text).ok();
    // The query and the fragment may hold secrets of the page.
    let page = page.and_then(|page| page.split(['?', '#']).next());
    Evidence {
        method: text("tag"),
        page: page.and_then(text),
        ip: text(&visit.ip.to_string()),
        user_agent: visit.user_agent.as_deref().and_then(text),
        ..Evidence::default()
    }
}

impl Identifiers {
    fn read(
        user: &mut UserRequest,
        app: &App,
        visit: &Visit,
        now: Timestamp,
        faults: &mut Faults,
    ) -> Self {
        let uuid = digits_or_text(user.uuid.take(), ("/user/uuid", "u-1001"), faults);
        let uuid = uuid.and_then(|text| {
            OpaqueId::parse(&text)
                .map_err(|fault| {
                    faults.note_with_example("/user/uuid", Code::InvalidId, fault, "u-1001");
                })
                .ok()
        });
        let region = visit.workspace.settings.at(now).region;
        let reading =
            Reading { phones: app.phones(), region, care: Care::Possible, place: Place::Body };
        let email = text(user.email.take(), ("/user/email", "ada@example.org"), faults);
        let email = email.and_then(|text| reading.email(&text, "/user/email", faults));
        let of = ("/user/phone_number", "+14155550123");
        let phone = digits_or_text(user.phone_number.take(), of, faults);
        let (valid_phone, possible_phone) = match phone {
            None => (None, None),
            Some(text) => {
                let careful = Reading { care: Care::Valid, ..reading };
                let valid = careful.phone(&text, "/user/phone_number", faults).map(Address::Phone);
                let possible = reading.phone(&text, "", &mut Faults::default()).map(Address::Phone);
                (valid.clone(), valid.or(possible))
            }
        };
        Self { uuid, email: email.map(Address::Email), valid_phone, possible_phone }
    }

    /// The phone that a flag may speak of.
    fn phone_for(&self, statement: Statement) -> Option<&Address> {
        if statement.is_refusal() {
            self.possible_phone.as_ref()
        } else {
            self.valid_phone.as_ref()
        }
    }

    /// One of them.
    fn find(&self, which: Hashed) -> Option<Address> {
        match which {
            Hashed::Uuid => self.uuid.clone().map(Address::ExternalId),
            Hashed::Phone => self.possible_phone.clone(),
            Hashed::Email => self.email.clone(),
        }
    }

    /// The addresses.
    fn all(&self) -> impl Iterator<Item = &Address> {
        self.possible_phone.iter().chain(&self.email)
    }
}

impl Flags {
    fn read(user: &mut UserRequest, faults: &mut Faults) -> Self {
        Self {
            gdpr: flag(user.gdpr_optin.take(), "/user/gdpr_optin", faults),
            whatsapp: flag(user.whatsapp_optin.take(), "/user/whatsapp_optin", faults),
            sms: flag(user.sms_optin.take(), "/user/sms_optin", faults),
            email: flag(user.email_optin.take(), "/user/email_optin", faults),
        }
    }
}

impl Flags {
    /// How many said something.
    fn count(&self) -> usize {
        [self.gdpr, self.whatsapp, self.sms, self.email].into_iter().flatten().count()
    }

    /// The refusals among them, if there are any.
    fn refusals_alone(self) -> Option<Self> {
        let refusal = |flag: Option<Statement>| flag.filter(|flag| flag.is_refusal());
        let (gdpr, whatsapp) = (refusal(self.gdpr), refusal(self.whatsapp));
        let (sms, email) = (refusal(self.sms), refusal(self.email));
        let any = gdpr.or(whatsapp).or(sms).or(email);
        any.map(|_| Self { gdpr, whatsapp, sms, email })
    }
}

impl Visit {
    fn key_of(&self, address: &Address) -> AddressKey {
        address.key(&self.workspace.secret)
    }
}

impl Making<'_> {
    /// The three flags of channels, each about the address that its channel reaches.
    fn channels(&mut self, identifiers: &Identifiers, flags: &Flags, faults: &mut Faults) {
        let phone = |flag: Option<Statement>| flag.and_then(|flag| identifiers.phone_for(flag));
        let email = identifiers.email.as_ref();
        for (name, channel, flag, address, needed) in [
            (
                "whatsapp_optin",
                Channel::WhatsApp,
                flags.whatsapp,
                phone(flags.whatsapp),
                "phone_number",
            ),
            ("sms_optin", Channel::Sms, flags.sms, phone(flags.sms), "phone_number"),
            ("email_optin", Channel::Email, flags.email, email, "email"),
        ] {
            match (flag, address) {
                (None, _) => {}
                (Some(flag), Some(address)) => {
                    self.report(Permission::Messages(channel, Scope::All), flag, address);
                    self.accepted.push(name);
                }
                (Some(_), None) => {
                    let fault = format!("needs a good {needed} beside it");
                    faults.note(format!("/user/{name}"), Code::MissingField, fault);
                }
            }
        }
    }

    /// The flag of processing, about every address and the person as a whole (rule 11).
    fn processing(
        &mut self,
        identifiers: &Identifiers,
        flags: &Flags,
        faults: &mut Faults,
    ) -> Option<Statement> {
        let flag = flags.gdpr?;
        let person = identifiers.uuid.clone().map(Address::ExternalId);
        let phone = identifiers.phone_for(flag);
        let about: Vec<&Address> =
            phone.into_iter().chain(&identifiers.email).chain(&person).collect();
        if about.is_empty() {
            let fault = "needs a good uuid, email or phone_number beside it";
            faults.note("/user/gdpr_optin", Code::MissingField, fault);
            return None;
        }
        for address in about {
            self.report(Permission::Processing, flag, address);
        }
        self.accepted.push("gdpr_optin");
        Some(flag)
    }

    fn report(&mut self, permission: Permission, statement: Statement, address: &Address) {
        let request = self.hash(permission, statement, address);
        let identity = RequestIdentity::Undated(request, self.received);
        let said_at = said_now(statement, self.received);
        let identity = (self.visit.workspace.id, identity);
        let drafter = Drafter::new(identity, self.source.clone(), Actor::Operator, said_at)
            .with_evidence(self.evidence.clone());
        self.drafts.push(drafter.draft(address, Fact::Consent(permission, statement), 0));
    }

    fn hash(&self, permission: Permission, statement: Statement, address: &Address) -> RequestHash {
        let mut fields = Writer::default();
        fields.text("tag");
        fields.text(self.source.name.as_str());
        fields.raw(self.source.spoke_of.map_or([0; 16], |key| *key.as_bytes()).as_slice());
        fields.raw(self.visit.key_of(address).as_bytes());
        fields.text(&crate::views::permission::about(permission));
        fields.byte(statement.slot().code());
        RequestHash::of(&fields, &self.visit.workspace.secret)
    }
}
