//! Forms as they are opened, rendered once for all who open them: what differs from one to the next is the
//! challenge and the page around the form, and both are filled in.
//!
//! A page is kept for the configuration that it was made of, and made anew once anything changed. Where there
//! are too many, all are made anew. What a person typed is never kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sayso_core::id::FormId;
use sayso_core::limits;
use sayso_core::workspace::Workspace;
use sayso_pages::blank::Blank;

use super::typed::{Judged, Typed};
use super::visit::Visit;
use crate::app::App;

/// Where the challenge is filled in.
const CHALLENGE: &str = "challenge-of-this-reader";
/// Where the page around the form is filled in.
const PAGE: &str = "page-around-this-reader";

/// What makes two pages the same: the form, the languages of the reader and of the address, how it is framed,
/// and where numbers are at home.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    form: FormId,
    language: &'static str,
    query: String,
    region: Option<String>,
}

/// The forms that were rendered.
#[derive(Debug, Default)]
pub(crate) struct KeptForms(Mutex<BTreeMap<Wanted, Kept>>);

#[derive(Debug)]
struct Kept {
    of: Weak<Workspace>,
    blank: Arc<Blank>,
}

impl KeptForms {
    fn find(&self, wanted: &Wanted, of: &Arc<Workspace>) -> Option<Arc<Blank>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(wanted).filter(|kept| std::ptr::eq(kept.of.as_ptr(), Arc::as_ptr(of)));
        found.map(|kept| Arc::clone(&kept.blank))
    }

    fn keep(&self, wanted: Wanted, of: &Arc<Workspace>, blank: &Arc<Blank>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= limits::FORM_PAGES_KEPT_MAX {
            kept.clear();
        }
        let page = Kept { of: Arc::downgrade(of), blank: Arc::clone(blank) };
        kept.insert(wanted, page);
    }
}

impl Visit {
    /// The form as it is opened.
    pub(super) fn opened(&self, app: &App, kept: &KeptForms) -> Response {
        let typed = Typed::default();
        let Some(notice) = self.notice() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let Some(blank) = self.blank(app, kept) else {
            return self.form(app, (&typed, &Judged::default()), (StatusCode::OK, None));
        };
        let challenge = self.challenge(app, &typed, notice);
        let page = self.page.as_ref().map_or("", |page| page.as_str());
        self.respond(StatusCode::OK, blank.fill(&[&challenge, page]))
    }

    fn blank(&self, app: &App, kept: &KeptForms) -> Option<Arc<Blank>> {
        let region = self.workspace.settings.at(self.received).region;
        let wanted = Wanted {
            form: self.id,
            language: self.language.tag(),
            query: self.query.same_page(),
            region: region.map(|region| region.to_string()),
        };
        if let Some(blank) = kept.find(&wanted, &self.workspace) {
            return Some(blank);
        }
        let nothing = (&Typed::default(), &Judged::default());
        let sends = self.sends(CHALLENGE.to_owned(), PAGE);
        let document = self.page(app, nothing, None, sends);
        let blank = Arc::new(Blank::new(&document, &[CHALLENGE, PAGE])?);
        kept.keep(wanted, &self.workspace, &blank);
        Some(blank)
    }
}
