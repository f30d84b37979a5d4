//! From a form and what was typed into it to the pages that people see.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::address::AddressKind;
use sayso_core::address::phone::Region;
use sayso_core::limits;
use sayso_core::words::channel::{Channel, Scope};
use sayso_core::words::form::Theme;
use sayso_core::words::notice::Notice;
use sayso_core::workspace::{Asks, Field, FormBox, FormPurpose, FormTexts, Need};
use sayso_pages::form::{
    AsksFor, Country, FormField, FormLook, FormPage, Group, Needed, Remark, Sends, Tick, TickBox,
    Trial,
};
use sayso_pages::page::{Document, Frame};
use sayso_plan::draft::{Draft, Subject};

use super::challenge::Challenge;
use super::record::Plan;
use super::typed::{Judged, Typed, box_name, country, example_in, field_name};
use super::visit::Visit;
use crate::app::App;
use crate::double_opt_in::Put;
use crate::people::double_opt_in::after;
use crate::people::pages;
use crate::views::address::ShownAddress;
use crate::views::language::as_core;

impl Visit {
    /// The form, with what was typed and what was wrong.
    pub(super) fn form(
        &self,
        app: &App,
        (typed, judged): (&Typed, &Judged),
        (status, remark): (StatusCode, Option<Remark>),
    ) -> Response {
        let Some(notice) = self.notice() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let page = self.page.as_ref().map_or("", |page| page.as_str());
        let sends = self.sends(self.challenge(app, typed, notice), page);
        self.respond(status, self.page(app, (typed, judged), remark, sends))
    }

    /// Where the form goes, with this challenge, from within this page.
    pub(super) fn sends<'a>(&self, challenge: String, page: &'a str) -> Sends<'a> {
        Sends::Form {
            action: format!("/f/{}{}", self.id, self.query.same_page()),
            challenge,
            bits: limits::FORM_PROOF_BITS,
            page,
            trial: match self.published.form.purpose {
                FormPurpose::Live => Trial::Recorded,
                FormPurpose::Test => Trial::Tried,
            },
        }
    }

    /// The form as a page.
    pub(super) fn page<'a>(
        &'a self,
        app: &App,
        (typed, judged): (&'a Typed, &'a Judged),
        remark: Option<Remark>,
        sends: Sends<'a>,
    ) -> Document {
        let texts = self.texts();
        let notice = self.notice();
        let fields = self.published.form.fields.iter();
        let page = FormPage {
            look: self.look(self.published.form.theme),
            title: texts.and_then(|texts| texts.title.as_deref()),
            description: texts.and_then(|texts| texts.description.as_deref()),
            button: texts.and_then(|texts| texts.button.as_deref()),
            notice: notice.map_or(("", "en"), |it| (&it.text, it.language.as_str())),
            groups: self.groups(typed),
            boxes_fault: judged.boxes.clone(),
            fields: fields.map(|field| self.field(app, field, typed, judged)).collect(),
            remark,
            sends,
        };
        page.render()
    }

    /// The challenge that the page carries: the one that was sent, as long as it is good, so that
    /// sending it again is the same submission, and waiting goes on.
    pub(super) fn challenge(&self, app: &App, typed: &Typed, notice: &Notice) -> String {
        let sealing = self.sealing();
        let sent = typed.get("challenge");
        let is_good = Challenge::open(sent, &sealing, self.received).is_some_and(|challenge| {
            challenge.form_version == self.published.version
                && challenge.notice_version == notice.version
                && challenge.notice_language == notice.language
        });
        if is_good {
            return sent.to_owned();
        }
        let challenge = Challenge {
            issued_at: self.received,
            nonce: app.environment().random(),
            form_version: self.published.version,
            notice_version: notice.version,
            notice_language: notice.language.clone(),
        };
        challenge.seal(&sealing)
    }

    fn groups(&self, typed: &Typed) -> Vec<Group<'_>> {
        let channels = self.published.form.channels.iter();
        let groups = channels.map(|channel| self.group(*channel, typed));
        groups.filter(|group| !group.boxes.is_empty()).collect()
    }

    fn group(&self, channel: Channel, typed: &Typed) -> Group<'_> {
        let boxes = self.boxes.iter().filter(|it| it.channel == channel).map(|it| TickBox {
            name: box_name(*it),
            topic: match it.scope {
                Scope::Topic(id) => self.workspace.topics.get(&id).map(|topic| topic.name.as_ref()),
                Scope::All | Scope::Sender(_) | Scope::Category(_) => None,
            },
            tick: if typed.is_ticked(*it) { Tick::Ticked } else { Tick::Empty },
        });
        Group { channel, boxes: boxes.collect() }
    }

    fn field<'a>(
        &'a self,
        app: &App,
        field: &'a Field,
        typed: &'a Typed,
        judged: &Judged,
    ) -> FormField<'a> {
        let name = field_name(&field.asks);
        let asks = match &field.asks {
            Asks::Phone(countries) => {
                let chosen = country(self, countries, typed);
                let shape = |region: Region| region.shape(app.phones()).unwrap_or_default();
                let country = |region: &Region| {
                    let number = region.calling_code(app.phones())?;
                    Some(Country { letters: region.to_string(), number, shape: shape(*region) })
                };
                AsksFor::Phone {
                    countries: countries.iter().filter_map(country).collect(),
                    shape: chosen.map(shape).unwrap_or_default(),
                    chosen: chosen.map(|region| region.to_string()).unwrap_or_default(),
                    example: example_in(chosen, app.phones()),
                }
            }
            Asks::Email => AsksFor::Email,
            Asks::Name => AsksFor::Name,
            Asks::Text(own) => {
                let form = &self.published.form;
                let label = |texts: &'a FormTexts| texts.labels.get(own);
                let labels = self.texts().and_then(label);
                let labels = labels.or_else(|| form.texts.get(&form.language).and_then(label));
                AsksFor::Text(labels.map_or(own.as_str(), AsRef::as_ref))
            }
        };
        FormField {
            value: typed.get(&name),
            needed: self.needed(field),
            fault: judged.fields.get(&name).cloned(),
            asks,
            name,
        }
    }

    /// When a field must be filled in: an address where a box is ticked that needs it.
    fn needed(&self, field: &Field) -> Needed {
        let kind = match field.asks {
            Asks::Phone(_) => Some(AddressKind::Phone),
            Asks::Email => Some(AddressKind::Email),
            Asks::Name | Asks::Text(_) => None,
        };
        let needs_it = |it: &FormBox| kind == Some(AddressKind::on(it.channel));
        match field.need {
            Need::Required => Needed::Always,
            Need::Optional if self.boxes.iter().all(needs_it) => Needed::Always,
            Need::Optional if self.boxes.iter().any(needs_it) => Needed::ByTick,
            Need::Optional => Needed::Never,
        }
    }

    /// What the form says in the language of the page.
    fn texts(&self) -> Option<&FormTexts> {
        self.published.form.texts.get(&as_core(self.language))
    }

    pub(super) fn look(&self, theme: Theme) -> FormLook<'_> {
        let business = &self.published.form.business;
        FormLook { language: self.language, business, theme, frame: self.frame }
    }

    /// The page that says that it was sent.
    pub(super) fn done_page(&self) -> Document {
        let form = &self.published.form;
        let confirmation = self.texts().and_then(|texts| texts.confirmation.as_deref());
        let redirect = form.redirect.as_ref().map(sayso_core::words::form::Redirect::as_str);
        self.look(form.theme).done(confirmation, redirect)
    }

    /// What answers a form that was recorded: by itself it leads on, in a frame it says so. Where an address
    /// is to confirm it, the page for that comes first.
    pub(super) fn done(&self, put: &[Put]) -> Response {
        let redirect = self.published.form.redirect.as_ref();
        if let Some((first, others)) = put.split_first() {
            let look = self.look(self.published.form.theme);
            let redirect = redirect.map(sayso_core::words::form::Redirect::as_str);
            let page = after(&self.workspace, look, (*first, others), redirect);
            return self.respond(StatusCode::OK, page);
        }
        let redirect = redirect.filter(|_| self.frame == Frame::Window);
        let Some(location) = redirect.and_then(|it| HeaderValue::from_str(it.as_str()).ok()) else {
            return self.respond(StatusCode::OK, self.done_page());
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// What a form that is tried out records of the test person.
    pub(super) fn tried(&self, plan: &Plan) -> Response {
        let events: Vec<_> = plan.drafts.iter().map(facts).collect();
        let look = self.look(self.published.form.theme);
        self.respond(StatusCode::OK, look.tried(&events))
    }

    /// A page of the form as an answer. Sending it may lead to the redirect's origin, and to no other.
    pub(super) fn respond(&self, status: StatusCode, mut document: Document) -> Response {
        if let Some(redirect) = &self.published.form.redirect {
            document = document.leading_to(&redirect.origin().to_string());
        }
        pages::respond(status, document, &self.ancestors())
    }
}

/// What an event says, by name.
fn facts(draft: &Draft) -> Vec<(String, String)> {
    let address = match &draft.subject {
        Subject::Address(address) => {
            let shown = ShownAddress::of(address);
            shown.phone.or(shown.email).unwrap_or_default()
        }
        Subject::Hash(_) | Subject::Key(_) => String::new(),
    };
    let consent = draft.fact.consent();
    let about = consent.map_or_else(String::new, |(it, _)| crate::views::permission::about(it));
    let says = consent.map_or("", |(_, statement)| statement.slot().as_str());
    let mut facts = vec![
        ("id".to_owned(), draft.id.to_string()),
        ("address".to_owned(), address),
        ("about".to_owned(), about),
        ("says".to_owned(), says.to_owned()),
        ("occurred_at".to_owned(), draft.occurred_at.to_string()),
    ];
    let evidence = &draft.evidence;
    if let Some(notice) = &evidence.notice {
        let shown = format!("{} version {}, {}", notice.id, notice.version, notice.language);
        facts.push(("notice".to_owned(), shown));
    }
    let texts = [
        ("method", &evidence.method),
        ("page", &evidence.page),
        ("ip", &evidence.ip),
        ("user_agent", &evidence.user_agent),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
    facts.extend(texts.map(|(name, text)| (name.to_owned(), text.as_str().to_owned())));
    let fields = evidence.fields.iter();
    facts.extend(fields.map(|(name, text)| (name.as_str().to_owned(), text.as_str().to_owned())));
    facts
}
