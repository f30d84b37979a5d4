//! How a form is shown to clients.

use std::collections::BTreeMap;

use sayso_core::id::FormId;
use sayso_core::proof::double_opt_in::AnswerBy;
use sayso_core::workspace::{Asks, Field, FormPurpose, FormTexts, Need, PublishedForm};
use serde::Serialize;
use utoipa::ToSchema;

use super::showing::ShowingAnswer;
use crate::api::policies::FindingAnswer;

/// A form.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FormAnswer {
    /// Its id.
    #[schema(example = "frm_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// How often it was changed, and made: from 1. Every event of the form keeps it as `sayso:form_version`.
    #[schema(example = 1)]
    version: u32,
    /// Where people find it on this server.
    #[schema(example = "/f/frm_01jd6m9k3te5b8r5v3x5y6z7w8")]
    path: String,
    /// How you call it.
    name: String,
    /// The business that people agree to hear from.
    business: String,
    /// The channels it asks for.
    channels: Vec<&'static str>,
    /// The sender that the opt-in is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// What people choose among.
    topics: Vec<String>,
    /// The words of consent.
    notice: String,
    /// The language of who asks for none that the form has.
    language: String,
    /// What it says in that language.
    #[serde(flatten)]
    texts: FormTextsAnswer,
    /// What it says in others.
    languages: BTreeMap<String, FormTextsAnswer>,
    /// What it asks.
    fields: Vec<FieldAnswer>,
    /// How it looks.
    theme: ThemeAnswer,
    /// The origins whose pages may show it.
    origins: Vec<String>,
    /// Where it leads once it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<String>,
    /// The sites whose tag shows it.
    shown_by_tag: Vec<ShowingAnswer>,
    /// Whether it is tried out: what is sent is recorded of a test person.
    test: bool,
    /// Whether the address itself must confirm what is ticked: `off`, `link` or `code`.
    double_opt_in: &'static str,
    /// The template that brings the question by WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    double_opt_in_template: Option<QuestionTemplateAnswer>,
    /// What it lacks or does wrong by the policies of its channels and your country packs, the worst first, and
    /// `origins_missing` where no page may show it;
    /// absent in lists, and once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingAnswer>>,
    /// When it was deleted; absent while it lives.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

/// What a form says in one language; absent where words of ours stand.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct FormTextsAnswer {
    /// What stands above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What stands below the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What stands on the button.
    #[serde(skip_serializing_if = "Option::is_none")]
    button: Option<String>,
    /// What is said once it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<String>,
    /// What its own fields are called.
    labels: BTreeMap<String, String>,
}

/// One thing that a form asks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldAnswer {
    /// `phone`, `email`, `name` or `text`.
    kind: &'static str,
    /// The name of a `text`, and of the attribute it becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whether it must be filled in.
    required: bool,
    /// The countries of a `phone`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    countries: Vec<String>,
}

/// How a form looks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ThemeAnswer {
    /// The color of buttons, ticks and the focus; absent where it is that of all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#0b6b50")]
    accent: Option<String>,
    /// How round the corners are, in pixels.
    radius: u8,
    /// The typeface.
    font: &'static str,
    /// Light, dark, or as the device is.
    brightness: &'static str,
}

/// A template with one variable: the code, or the link.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuestionTemplateAnswer {
    /// Its name at the provider.
    name: String,
    /// Its language in the provider's spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

/// A page of forms.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FormsPage {
    /// The forms.
    pub(super) forms: Vec<FormAnswer>,
    /// Where the next page begins; `null` on the last.
    pub(super) next: Option<String>,
}

impl FormAnswer {
    /// How a form is shown.
    pub(super) fn of(id: FormId, published: &PublishedForm) -> Self {
        let PublishedForm { version, form } = published;
        let others = form.texts.iter().filter(|(language, _)| **language != form.language);
        Self {
            id: id.to_string(),
            version: *version,
            path: format!("/f/{id}"),
            name: form.name.to_string(),
            business: form.business.to_string(),
            channels: form.channels.iter().map(|channel| channel.as_str()).collect(),
            sender: form.sender.map(|id| id.to_string()),
            topics: form.topics.iter().map(ToString::to_string).collect(),
            notice: form.notice.to_string(),
            language: form.language.to_string(),
            texts: form.texts.get(&form.language).map(FormTextsAnswer::of).unwrap_or_default(),
            languages: others
                .map(|(language, texts)| (language.to_string(), FormTextsAnswer::of(texts)))
                .collect(),
            fields: form.fields.iter().map(FieldAnswer::of).collect(),
            theme: ThemeAnswer {
                accent: form.theme.accent().map(|accent| accent.to_string()),
                radius: form.theme.radius_px(),
                font: form.theme.font().as_str(),
                brightness: form.theme.brightness().as_str(),
            },
            origins: form.origins.iter().map(ToString::to_string).collect(),
            redirect: form.redirect.as_ref().map(|redirect| redirect.as_str().to_owned()),
            shown_by_tag: form.showings.iter().map(ShowingAnswer::of).collect(),
            test: form.purpose == FormPurpose::Test,
            double_opt_in: form.double_opt_in.map_or("off", AnswerBy::as_str),
            double_opt_in_template: form.question_template.as_ref().map(|template| {
                let language = template.language.as_deref().map(str::to_owned);
                QuestionTemplateAnswer { name: template.name.to_string(), language }
            }),
            findings: None,
            deleted_at: form.deleted_at.map(|at| at.to_string()),
        }
    }
}

impl FormAnswer {
    /// The same with what it lacks.
    pub(super) fn with(self, findings: Option<Vec<FindingAnswer>>) -> Self {
        Self { findings, ..self }
    }
}

impl FormTextsAnswer {
    fn of(texts: &FormTexts) -> Self {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let labels = texts.labels.iter();
        Self {
            title: text(&texts.title),
            description: text(&texts.description),
            button: text(&texts.button),
            confirmation: text(&texts.confirmation),
            labels: labels
                .map(|(name, label)| (name.as_str().to_owned(), label.to_string()))
                .collect(),
        }
    }
}

impl FieldAnswer {
    fn of(field: &Field) -> Self {
        let (kind, name, countries) = match &field.asks {
            Asks::Phone(countries) => {
                ("phone", None, countries.iter().map(ToString::to_string).collect())
            }
            Asks::Email => ("email", None, Vec::new()),
            Asks::Name => ("name", None, Vec::new()),
            Asks::Text(name) => ("text", Some(name.as_str().to_owned()), Vec::new()),
        };
        Self { kind, name, required: field.need == Need::Required, countries }
    }
}
