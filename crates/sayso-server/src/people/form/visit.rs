//! Somebody who opened a form: which form, in which language, from where.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use axum::response::Response;
use sayso_core::address::phone::Region;
use sayso_core::id::FormId;
use sayso_core::time::Timestamp;
use sayso_core::words::form::Origin;
use sayso_core::words::notice::Notice;
use sayso_core::words::source::EvidenceText;
use sayso_core::workspace::{Asks, FormBox, PublishedForm, Workspace};
use sayso_pages::language::Language;
use sayso_pages::page::Frame;
use sayso_pages::trouble::Trouble;

use super::challenge::{Challenge, Sealing};
use super::frame;
use crate::app::{App, Peer};
use crate::people::pages;
use crate::rate::Network;

/// Somebody who opened a form.
#[derive(Debug)]
pub(super) struct Visit {
    /// The workspace.
    pub(super) workspace: Arc<Workspace>,
    /// The form's id.
    pub(super) id: FormId,
    /// The form as it stands.
    pub(super) published: Arc<PublishedForm>,
    /// The boxes that can be ticked; not empty.
    pub(super) boxes: Vec<FormBox>,
    /// The language it is shown in.
    pub(super) language: Language,
    /// Where it is shown.
    pub(super) frame: Frame,
    /// The query of the address, as far as it is ours.
    pub(super) query: Query,
    /// The page that it was opened on, if that is one of the form's origins or ours.
    pub(super) page: Option<EvidenceText>,
    /// Its own address.
    pub(super) here: String,
    /// Where it was opened from.
    pub(super) ip: IpAddr,
    /// The network of that.
    pub(super) network: Network,
    /// What the browser says it is.
    pub(super) user_agent: Option<EvidenceText>,
    /// When.
    pub(super) received: Timestamp,
}

/// What the address of a form may say besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    /// The language asked for.
    pub(super) lang: Option<Language>,
    /// Whether it is shown inside another page.
    pub(super) embed: Option<()>,
    /// The page around it.
    pub(super) page: Option<String>,
    /// The state that a preview shows.
    pub(super) state: Option<String>,
    /// The brightness that a preview shows.
    pub(super) brightness: Option<String>,
}

impl Query {
    fn read(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "lang" => read.lang = Language::find(&value),
                "embed" => read.embed = (value == "1").then_some(()),
                "page" => read.page = Some(value.into_owned()),
                "state" => read.state = Some(value.into_owned()),
                "brightness" => read.brightness = Some(value.into_owned()),
                _ => {}
            }
        }
        read
    }

    /// The part that leads to the same page again: `?lang=tr&embed=1`.
    pub(super) fn same_page(&self) -> String {
        let lang = self.lang.map(|language| format!("lang={}", language.tag()));
        let embed = self.embed.map(|()| "embed=1".to_owned());
        let parts: Vec<String> = lang.into_iter().chain(embed).collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

impl Visit {
    /// The form that is visited; else the page that says what is wrong.
    pub(super) fn find(app: &App, id: &str, parts: &Parts) -> Result<Self, Box<Response>> {
        let trouble = |trouble, ancestors: &[&str]| {
            Box::new(pages::fault(trouble, &parts.headers, ancestors))
        };
        let id = FormId::parse(id).map_err(|_| trouble(Trouble::NotFound, &[]))?;
        let workspaces = app.store().workspaces();
        let found = workspaces.values().find_map(|workspace| {
            let published = workspace.forms.get(&id)?.clone();
            Some((Arc::clone(workspace), published))
        });
        let (workspace, published) = found.ok_or_else(|| trouble(Trouble::NotFound, &[]))?;
        let boxes = published.form.living_boxes(&workspace);
        if boxes.is_empty() || published.form.deleted_at.is_some() {
            return Err(trouble(Trouble::Closed, &ancestors(&published)));
        }
        let peer = parts.extensions.get::<Peer>().copied();
        let ip = app.client_ip(peer, &parts.headers);
        let query = Query::read(parts.uri.query().unwrap_or_default());
        let offered = offered(&published);
        let asked = query.lang.filter(|language| offered.contains(language));
        let word = |name: HeaderName| parts.headers.get(name)?.to_str().ok();
        let here = app.outer_url(peer, parts);
        let mut visit = Self {
            language: asked.unwrap_or_else(|| pages::reader_language(&parts.headers, &offered)),
            frame: frame(query.embed),
            page: None,
            here: here.split('?').next().unwrap_or_default().to_owned(),
            user_agent: word(header::USER_AGENT).and_then(|text| EvidenceText::parse(text).ok()),
            received: app.now(),
            network: Network::of(ip),
            workspace,
            id,
            published,
            boxes,
            query,
            ip,
        };
        if visit.notice().is_none() {
            return Err(trouble(Trouble::Closed, &visit.ancestors()));
        }
        let around = visit.query.page.as_deref().or(word(header::REFERER));
        visit.page = around.and_then(|around| visit.trusted_page(around));
        Ok(visit)
    }

    /// The origins whose pages may show it, and our own.
    pub(super) fn ancestors(&self) -> Vec<&str> {
        ancestors(&self.published)
    }

    /// Whether a page of this origin may send the form.
    pub(super) fn is_listed_or_ours(&self, app: &App, parts: &Parts, origin: &Origin) -> bool {
        let peer = parts.extensions.get::<Peer>().copied();
        let ours = Origin::of_url(&app.outer_url(peer, parts));
        self.published.form.origins.contains(origin) || ours.as_ref() == Ok(origin)
    }

    /// The address of a page, without query and fragment, if it is of one of the form's origins or
    /// ours: anybody can name another.
    pub(super) fn trusted_page(&self, text: &str) -> Option<EvidenceText> {
        let origin = Origin::of_url(text).ok()?;
        let ours = Origin::of_url(&self.here);
        let is_trusted = self.published.form.origins.contains(&origin) || ours == Ok(origin);
        let bare = text.split(['?', '#']).next().filter(|_| is_trusted)?;
        EvidenceText::parse(bare).ok()
    }

    /// The words of consent in the language of the page, or else in the form's own.
    pub(super) fn notice(&self) -> Option<&Notice> {
        let wanted = self.language;
        self.published
            .form
            .notice(&self.workspace, |language| Language::find(language.as_str()) == Some(wanted))
    }

    /// The words of consent that a page showed, if they name every box.
    pub(super) fn notice_shown(&self, challenge: &Challenge) -> Option<Notice> {
        let published = self.workspace.notices.get(&self.published.form.notice)?;
        let shown = (challenge.notice_version, challenge.notice_language.clone());
        let notice = published.versions.get(&shown)?;
        let is_named = |it: &FormBox| self.workspace.is_named(notice, it.permission());
        self.boxes.iter().all(is_named).then(|| notice.clone())
    }

    /// The countries that the workspace and the form name as theirs.
    pub(super) fn home(&self) -> Vec<Region> {
        let fields = self.published.form.fields.iter();
        let named = fields.filter_map(|field| match &field.asks {
            Asks::Phone(countries) => Some(countries.iter().copied()),
            Asks::Email | Asks::Name | Asks::Text(_) => None,
        });
        let own = self.workspace.settings.at(self.received).region;
        named.flatten().chain(own).collect()
    }

    /// What the challenges of this visit are sealed with.
    pub(super) fn sealing(&self) -> Sealing<'_> {
        Sealing { secret: &self.workspace.secret, form: self.id, network: self.network }
    }
}

fn ancestors(published: &PublishedForm) -> Vec<&str> {
    let listed = published.form.origins.iter().map(Origin::as_str);
    std::iter::once("'self'").chain(listed).collect()
}

/// The languages of a form, its own first.
fn offered(published: &PublishedForm) -> Vec<Language> {
    let form = &published.form;
    let others = form.texts.keys().filter(|language| **language != form.language);
    let all = std::iter::once(&form.language).chain(others);
    all.filter_map(|language| Language::find(language.as_str())).collect()
}
