//! `/e/{code}`: the opt-in page between a QR code, link or widget and the chat.
//!
//! Opening it records nothing (rule 22). Its form opens the chat, with or without an opt-in: what was ticked
//! is `pending` for the number that was typed, and waits under a short reference for the message that proves
//! the number; an email address, from which no message of ours comes in, is asked to confirm it. Whether somebody is known changes neither the answer nor its time (rule 23).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::address::phone::PhoneFault;
use sayso_core::id::EntryPointId;
use sayso_core::limits;
use sayso_core::proof::reference::{EntryCode, Reference};
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::notice::{Language as Tag, Notice};
use sayso_core::workspace::{EntryPoint, Sender, Workspace};
use sayso_pages::entry::{Choice, EntryFault, EntryPage, Ticked, Words};
use sayso_pages::language::Language;
use sayso_pages::page::Document;
use sayso_pages::trouble::Trouble;
use sayso_store::tally::Tally;

use super::link_end::LinkEnd;
use super::pages::{fault, reader_language, respond};
use crate::answer_time::Whole;
use crate::app::{App, Peer};
use crate::body::read_bytes;
use crate::keyring::letters;
use crate::paths;
use crate::problem::{Code, Problem};
use crate::rate::Network;
use crate::thread;

use opt_in::OptIn;

mod opt_in;

/// An open entry point.
#[derive(Debug)]
pub(super) struct Door {
    workspace: Arc<Workspace>,
    code: EntryCode,
    id: EntryPointId,
    entry: EntryPoint,
    sender: Sender,
}

/// What a form of the page sends.
#[derive(Debug, Default)]
pub(super) struct Form {
    visit: String,
    language: Option<Language>,
    choices: Vec<String>,
    address: String,
    wish: Wish,
}

/// Which button was pressed. Whoever presses none, with the Enter key, presses the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wish {
    #[default]
    OptIn,
    Chat,
}

/// The value of the one box that stands for the whole channel.
const ALL: &str = "all";
/// The longest value of a field that makes sense; the rest of a longer one is cut off.
const FIELD_CHARS_MAX: usize = 320;

/// Shows the page.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    LinkEnd(code): LinkEnd,
    RawQuery(query): RawQuery,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let door = match Door::find(&app, &code) {
        Ok(door) => door,
        Err(trouble) => return fault(trouble, &headers, &[]),
    };
    let asked = pairs(query.unwrap_or_default().as_bytes());
    let asked = asked.iter().find(|(name, _)| name == "lang");
    let language = asked.and_then(|(_, tag)| Language::find(tag));
    let form = Form { language, ..Form::default() };
    match door.page(&app, &form, &[], &headers) {
        Some(page) => {
            if method == Method::GET {
                app.reach().count(door.workspace.id, door.id, Tally::Shown);
            }
            respond(StatusCode::OK, page, &[])
        }
        None => fault(Trouble::Closed, &headers, &[]),
    }
}

/// Takes in the form of the page, and opens the chat.
pub(crate) async fn send(
    State(app): State<Arc<App>>,
    LinkEnd(code): LinkEnd,
    request: Request,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let (parts, body) = request.into_parts();
    let ip = app.client_ip(peer, &parts.headers);
    let door = match Door::find(&app, &code) {
        Ok(door) => door,
        Err(trouble) => return fault(trouble, &parts.headers, &[]),
    };
    if app.rates().take_network(ip).is_err() {
        return fault(Trouble::TooMany, &parts.headers, &[]);
    }
    let bytes = match read_bytes(body, limits::ENTRY_PAGE_BODY_BYTES_MAX).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let whole = Whole::now();
    let answer = answer(&app, &door, (&parts, peer, ip), &bytes).await;
    whole.wait(limits::PUBLIC_ANSWER_TIME).await;
    answer
}

async fn answer(
    app: &App,
    door: &Door,
    (parts, peer, ip): (&Parts, Option<Peer>, IpAddr),
    bytes: &[u8],
) -> Response {
    let mut form = Form::read(bytes);
    if form.visit.is_empty() {
        form.visit = letters(&app.environment().random::<16>());
    }
    if is_from_elsewhere(&parts.headers) {
        // Another site's form ticked boxes that nobody saw: the page is shown, with none ticked.
        let fresh = Form { language: form.language, ..Form::default() };
        return door.shown(app, StatusCode::FORBIDDEN, (&fresh, &[]), &parts.headers);
    }
    if form.wish == Wish::Chat {
        app.reach().count(door.workspace.id, door.id, Tally::Started);
        return door.open(None);
    }
    let page = app.outer_url(peer, parts);
    let page = page.split('?').next().unwrap_or_default();
    let Some((language, notice)) = door.words(&form, &parts.headers) else {
        return fault(Trouble::Closed, &parts.headers, &[]);
    };
    let form = Form { language: Some(language), ..form };
    let ticked = match OptIn::read(app, door, &form) {
        Ok(ticked) => ticked,
        Err(faults) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return door.shown(app, status, (&form, &faults), &parts.headers);
        }
    };
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let evidence = opt_in::evidence(door, notice, (page, ip, user_agent));
    match ticked.record(app, door, evidence, (notice, language, Network::of(ip))).await {
        Ok(reference) => {
            app.reach().count(door.workspace.id, door.id, Tally::Started);
            door.open(Some(reference))
        }
        Err(problem) => fault(trouble_of(&problem), &parts.headers, &[]),
    }
}

/// Whether the browser says that another site sent the form.
///
/// *Source:* Fetch Metadata Request Headers, section 2.2. Browsers that say nothing are believed.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
}

/// The page for what went wrong.
fn trouble_of(problem: &Problem) -> Trouble {
    if problem.code() == Code::RateLimited { Trouble::TooMany } else { Trouble::Unavailable }
}

fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    let cut = |text: &str| text.chars().take(FIELD_CHARS_MAX).collect();
    form_urlencoded::parse(encoded).map(|(name, value)| (cut(&name), cut(&value))).collect()
}

impl Form {
    fn read(bytes: &[u8]) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs(bytes) {
            match name.as_str() {
                "visit" => form.visit = value,
                "lang" => form.language = Language::find(&value),
                "choice" => form.choices.push(value),
                "address" => form.address = value.trim().to_owned(),
                "do" if value == "chat" => form.wish = Wish::Chat,
                _unknown => {}
            }
        }
        form
    }
}

impl Door {
    /// The entry point with this code, and its sender, where both live.
    fn find(app: &App, code: &str) -> Result<Self, Trouble> {
        let code = EntryCode::parse(code).ok_or(Trouble::NotFound)?;
        let workspaces = app.store().workspaces();
        let found = workspaces.values().find_map(|workspace| {
            let (id, entry) = workspace.entry_point(code)?;
            Some((Arc::clone(workspace), id, entry.clone()))
        });
        let (workspace, id, entry) = found.ok_or(Trouble::NotFound)?;
        let sender = workspace.senders.get(&entry.sender).cloned();
        let sender = sender.filter(|sender| sender.deleted_at.is_none());
        match sender {
            Some(sender) if entry.deleted_at.is_none() => {
                Ok(Self { workspace, code, id, entry, sender })
            }
            Some(_) | None => Err(Trouble::Closed),
        }
    }

    const fn channel(&self) -> Channel {
        self.sender.channel
    }

    /// What is offered: topics that were deleted are not.
    fn offered(&self) -> Vec<(String, Permission)> {
        let permissions = self.entry.permissions(self.channel()).into_iter();
        let living = permissions.filter(|permission| match permission {
            Permission::Messages(_, scope) => self.workspace.is_living(*scope),
            Permission::Processing => false,
        });
        living.map(|permission| (value_of(permission), permission)).collect()
    }

    /// The language of the page, and the words of the notice in it.
    fn words(&self, form: &Form, headers: &HeaderMap) -> Option<(Language, &Notice)> {
        let tags: Vec<(Language, &Tag)> = self
            .entry
            .languages
            .iter()
            .filter_map(|tag| Some((Language::find(tag.as_str())?, tag)))
            .collect();
        let offered: Vec<Language> = tags.iter().map(|(language, _)| *language).collect();
        let asked = form.language.filter(|asked| offered.contains(asked));
        let language = asked.unwrap_or_else(|| reader_language(headers, &offered));
        let tag = tags.iter().find(|(offered, _)| *offered == language).map(|(_, tag)| *tag)?;
        let versions = &self.workspace.notices.get(&self.entry.notice)?.versions;
        let notice = versions.get(&(self.entry.notice_version, tag.clone()))?;
        Some((language, notice))
    }

    /// The page, with what was sent and what is to be put right; none where nothing is offered any more.
    fn page(
        &self,
        app: &App,
        form: &Form,
        faults: &[EntryFault],
        headers: &HeaderMap,
    ) -> Option<Document> {
        let (language, notice) = self.words(form, headers)?;
        let thread = thread::on(self.channel())?;
        let offered = self.offered();
        let choices: Vec<Choice<'_>> = offered
            .iter()
            .map(|(value, permission)| Choice {
                value,
                topic: self.name_of(*permission),
                ticked: if form.choices.contains(value) { Ticked::Yes } else { Ticked::No },
            })
            .collect();
        let tags = self.entry.languages.iter();
        let languages: Vec<Language> =
            tags.filter_map(|tag| Language::find(tag.as_str())).collect();
        let visit = match form.visit.as_str() {
            "" => letters(&app.environment().random::<16>()),
            visit => visit.to_owned(),
        };
        let page = EntryPage {
            language,
            languages: &languages,
            action: &paths::entry_page(self.code),
            visit: &visit,
            business: &self.entry.business,
            thread,
            number: &self.entry.thread,
            choices: &choices,
            notice: Words { text: &notice.text, language: notice.language.as_str() },
            example: &self.example(app),
            typed: &form.address,
            faults,
        };
        (!choices.is_empty()).then(|| page.render())
    }

    fn shown(
        &self,
        app: &App,
        status: StatusCode,
        (form, faults): (&Form, &[EntryFault]),
        headers: &HeaderMap,
    ) -> Response {
        match self.page(app, form, faults, headers) {
            Some(page) => respond(status, page, &[]),
            None => fault(Trouble::Closed, headers, &[]),
        }
    }

    /// What a topic is called.
    fn name_of(&self, permission: Permission) -> Option<&str> {
        match permission {
            Permission::Messages(_, Scope::Topic(id)) => {
                self.workspace.topics.get(&id).map(|topic| topic.name.as_ref())
            }
            Permission::Messages(_, Scope::All | Scope::Sender(_) | Scope::Category(_))
            | Permission::Processing => None,
        }
    }

    /// A good address, as an example.
    fn example(&self, app: &App) -> String {
        if self.channel() == Channel::Email {
            return "ada@example.org".to_owned();
        }
        let region = self.workspace.settings.at(app.now()).region;
        PhoneFault::Empty.example(region, app.phones()).to_string()
    }

    /// Leads to the chat.
    fn open(&self, reference: Option<Reference>) -> Response {
        let text = match reference {
            Some(reference) => reference.after(&self.entry.prefill),
            None => self.entry.prefill.to_string(),
        };
        let link = thread::on(self.channel());
        let link = link.map(|thread| thread::link(thread, &self.entry.thread, &text));
        let location = link.and_then(|link| HeaderValue::from_str(&link).ok());
        let Some(location) = location else {
            return Problem::new(Code::Internal).into_response();
        };
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, location);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }
}

/// What the form sends for a permission.
fn value_of(permission: Permission) -> String {
    match permission {
        Permission::Messages(_, Scope::Topic(id)) => id.to_string(),
        Permission::Messages(_, Scope::All | Scope::Sender(_) | Scope::Category(_))
        | Permission::Processing => ALL.to_owned(),
    }
}
