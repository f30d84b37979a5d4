//! Which sites' tags show a form, and how: nothing of it stands in their pages.

use sayso_core::limits;
use sayso_core::words::form::{Origin, Shape};
use sayso_core::workspace::{Showing, Workspace};
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::texts::{NameText, ShapeText, TriggerText};
use crate::body::{Faults, json_object};
use crate::problem::Code;

json_object! {
    /// How the tag of a site shows a form.
    #[derive(ToSchema)]
    ShowingRequest {
        /// The public key of the site. One of its origins must be one of the form's. Required.
        #[schema(example = "site_3x5y6z7w801jd6m9k3te5b8r5v")]
        site: NameText,
        /// How it is shown; `popup` if absent.
        shape: ShapeText,
        /// When it appears; a popup after five seconds if absent, the others at half the page.
        trigger: TriggerText,
    }
}

/// How the tag of a site shows a form.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShowingAnswer {
    /// The public key of the site.
    #[schema(example = "site_3x5y6z7w801jd6m9k3te5b8r5v")]
    site: String,
    /// `popup`, `slide-in` or `bar`.
    shape: &'static str,
    /// When it appears.
    #[schema(example = "time:5")]
    trigger: String,
}

impl ShowingAnswer {
    /// How a showing is told.
    pub(super) fn of(showing: &Showing) -> Self {
        Self {
            site: showing.site.to_string(),
            shape: showing.shape.as_str(),
            trigger: showing.trigger.to_string(),
        }
    }
}

/// Reads where a form with these origins is shown.
pub(super) fn read(
    sent: Vec<ShowingRequest>,
    origins: &[Origin],
    workspace: &Workspace,
    faults: &mut Faults,
) -> Vec<Showing> {
    if sent.len() > limits::FORM_SHOWINGS_MAX {
        let fault = format!("are more than {}", limits::FORM_SHOWINGS_MAX);
        faults.note("/shown_by_tag", Code::InvalidValue, fault);
    }
    let mut showings: Vec<Showing> = Vec::new();
    for (place, sent) in sent.into_iter().enumerate() {
        let at = format!("/shown_by_tag/{place}/site");
        let example = "site_3x5y6z7w801jd6m9k3te5b8r5v";
        let Some(NameText(site)) = faults.require(&at, sent.site, example) else { continue };
        let known = workspace.sites.get(&site).filter(|site| site.deleted_at.is_none());
        let is_among = |origin: &Origin| {
            known.is_some_and(|site| site.origins.iter().any(|listed| **listed == *origin.as_str()))
        };
        if known.is_none() {
            let fault = "is no living site of this workspace";
            faults.note_with_example(&at, Code::InvalidValue, fault, example);
        } else if !origins.iter().any(is_among) {
            let fault = "has no origin that is one of the form's: its pages could not show it";
            faults.note(&at, Code::InvalidValue, fault);
        }
        if showings.iter().any(|other| other.site == site) {
            faults.note(&at, Code::InvalidValue, "is named twice");
        }
        let shape = sent.shape.map_or(Shape::Popup, |ShapeText(shape)| shape);
        let trigger = sent.trigger.map_or_else(|| shape.usual_trigger(), |TriggerText(it)| it);
        showings.push(Showing { site, shape, trigger });
    }
    showings
}
