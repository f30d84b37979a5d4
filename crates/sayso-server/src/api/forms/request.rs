//! What a client sends to make a form, and the form that it makes: every fault by its place.

use std::collections::{BTreeMap, BTreeSet};

use sayso_core::address::AddressKind;
use sayso_core::address::phone::Region;
use sayso_core::id::{NoticeId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::proof::double_opt_in::AnswerBy;
use sayso_core::words::channel::Channel;
use sayso_core::words::form::{Brightness, FieldName, Font, Origin, Redirect, Theme, ThemeFault};
use sayso_core::words::notice::Language;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{
    Asks, Field, Form, FormPurpose, FormTexts, Need, QuestionTemplate, Workspace,
};
use sayso_pages::language::Language as PageLanguage;
use utoipa::ToSchema;

use super::showing::{self, ShowingRequest};
use crate::api::messages::TEMPLATE_NAME_BYTES_MAX;
use crate::body::texts::{
    BrightnessText, ChannelText, ColorText, FontText, LanguageText, NameText, NoticeIdText,
    RegionText, SenderIdText, TopicIdText, texts,
};
use crate::body::{Faults, Sent, json_object};
use crate::problem::{Code, Problem};
use crate::views::language::as_core;

texts! {
    /// What a field of a form asks.
    FieldKindText(FieldKind) = FieldKind::parse, UnknownWord, "phone", Some(&["phone", "email", "name", "text"]);
    /// Whether the address itself must confirm what is ticked, and how.
    DoubleOptInText(Confirming) = Confirming::parse, UnknownWord, "code", Some(&["off", "link", "code"]);
}

json_object! {
    /// A form.
    #[derive(ToSchema)]
    FormRequest {
        /// How you call it; also the name of the source of what people say by it. Required.
        name: NameText,
        /// The business that people agree to hear from, as they know it. Required.
        #[schema(example = "Harbour Shop")]
        business: String,
        /// The channels it asks for: those that reach a phone number or an email address. Required.
        channels: Vec<ChannelText>,
        /// The sender that the opt-in is for; any if absent. Not with topics.
        sender: SenderIdText,
        /// What people choose among, a box for each on each channel; without any, one box for each channel. At most 12.
        topics: Vec<TopicIdText>,
        /// The words of consent: the newest version counts that names all that the form asks for. It must be published in the form's own language; where it is published in another language of the form, people of that language see it so. Required.
        notice: NoticeIdText,
        /// The language of who asks for none that the form has; `en` if absent.
        language: LanguageText,
        /// What stands above it.
        #[schema(example = "Offers from Harbour Shop")]
        title: String,
        /// What stands below the title.
        #[schema(example = "New arrivals and sales, twice a month.")]
        description: String,
        /// What stands on the button.
        #[schema(example = "Sign me up")]
        button: String,
        /// What is said once it was sent.
        #[schema(example = "Thank you. You hear from us soon.")]
        confirmation: String,
        /// What its own fields are called, by their names.
        labels: BTreeMap<String, String>,
        /// What it says in further languages: `tr`, `hi`, `ar`, `en`. What is absent there is said in words of ours.
        languages: BTreeMap<String, FormTextsRequest>,
        /// What it asks, in order, at most 12; if absent, what its channels need.
        fields: Vec<FieldRequest>,
        /// How it looks.
        theme: ThemeRequest,
        /// The origins whose pages may show it in a frame, at most 50; none if absent.
        #[schema(example = json!(["https://shop.example"]))]
        origins: Vec<String>,
        /// Where it leads once it was sent: a page over https, of one of its origins.
        #[schema(example = "https://shop.example/thanks")]
        redirect: String,
        /// The sites whose tag shows it, without a line of code in their pages; their `tag.js` must say `data-forms`. At most 50.
        shown_by_tag: Vec<ShowingRequest>,
        /// Whether it is tried out: what is sent is shown, and recorded of a test person (`+15550100199`, `test-person@example.invalid`), whoever is typed; `false` if absent.
        test: bool,
        /// Whether the address itself must confirm what is ticked: by a `link` or by a `code` that is sent there. `off` if absent; a country pack of the settings may demand it all the same, and then it is a code.
        double_opt_in: DoubleOptInText,
        /// The template that brings the question by WhatsApp, which takes no other words from who is not in a conversation. Required where the form asks for WhatsApp and `double_opt_in` is on.
        double_opt_in_template: QuestionTemplateRequest,
    }
}

json_object! {
    /// A template with one variable: the code, or the link.
    #[derive(ToSchema)]
    QuestionTemplateRequest {
        /// Its name at the provider. Required.
        #[schema(example = "confirm_opt_in")]
        name: String,
        /// Its language in the provider's spelling.
        #[schema(example = "en_US")]
        language: String,
    }
}

json_object! {
    /// What a form says in one language.
    #[derive(ToSchema)]
    FormTextsRequest {
        /// What stands above it.
        title: String,
        /// What stands below the title.
        description: String,
        /// What stands on the button.
        button: String,
        /// What is said once it was sent.
        confirmation: String,
        /// What its own fields are called, by their names.
        labels: BTreeMap<String, String>,
    }
}

json_object! {
    /// One thing that a form asks.
    #[derive(ToSchema)]
    FieldRequest {
        /// What it asks. Required.
        kind: FieldKindText,
        /// The name of a `text`, and of the attribute it becomes: `a`-`z`, `0`-`9` and `_`.
        #[schema(example = "shoe_size")]
        name: String,
        /// Whether it must be filled in; `false` if absent. An address that a ticked box needs must be, always.
        required: bool,
        /// Of a `phone`: the countries in which a number may be written as it is dialed there, the usual one first; at most 12. A number with its country code may be of any.
        countries: Vec<RegionText>,
    }
}

json_object! {
    /// How a form looks.
    #[derive(ToSchema)]
    ThemeRequest {
        /// The color of buttons, ticks and the focus. It must be readable on the form.
        accent: ColorText,
        /// How round the corners are, 0 to 24 pixels; 8 if absent.
        #[schema(example = 8, maximum = 24)]
        radius: u32,
        /// The typeface; `system` if absent.
        font: FontText,
        /// Light, dark, or as the device is, which is the default.
        brightness: BrightnessText,
    }
}

/// What a field asks, before its name or countries are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// A phone number.
    Phone,
    /// An email address.
    Email,
    /// The person's name.
    Name,
    /// Something of the business's own.
    Text,
}

impl FieldKind {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "phone" => Ok(Self::Phone),
            "email" => Ok(Self::Email),
            "name" => Ok(Self::Name),
            "text" => Ok(Self::Text),
            _ => Err("is none of phone, email, name, text"),
        }
    }
}

/// Reads a form.
pub(super) fn read(
    sent: Sent<FormRequest>,
    workspace: &Workspace,
    public_url: Option<&str>,
) -> Result<Form, Problem> {
    let Sent { request, mut faults } = sent;
    let form = form(request, workspace, &mut faults);
    let by = form.as_ref().and_then(|form| form.double_opt_in);
    if by == Some(AnswerBy::Link) && public_url.is_none() {
        let fault = "needs the server's own URL: set server.public_url, or send `code`";
        faults.note_with_example("/double_opt_in", Code::InvalidValue, fault, "code");
    }
    if let Some(form) = form.as_ref().filter(|_| faults.is_empty()) {
        check_whole(form, workspace, &mut faults);
    }
    faults.settle(form)
}

fn form(mut request: FormRequest, workspace: &Workspace, faults: &mut Faults) -> Option<Form> {
    let name = faults.require("/name", request.name.take(), "Footer form");
    let name: Option<SourceName> = name.map(|NameText(name)| name);
    let business = faults.require("/business", request.business.take(), "Harbour Shop");
    let business =
        business.and_then(|text| line(&text, "/business", limits::NAME_BYTES_MAX, faults));
    let notice = faults.require("/notice", request.notice.take(), NOTICE_EXAMPLE);
    let notice: Option<NoticeId> = notice.map(|NoticeIdText(id)| id);
    let channels = channels(request.channels.take(), faults);
    let topics = topics(request.topics.take(), workspace, faults);
    let sender = sender(request.sender.take(), workspace, &channels, faults);
    if sender.is_some() && !topics.is_empty() {
        let fault = "does not go with topics: an opt-in is for a sender or for a topic";
        faults.note("/sender", Code::InvalidValue, fault);
    }
    let fields = fields(request.fields.take(), &channels, faults);
    let (language, texts) = texts(&mut request, &fields, faults);
    let theme = theme(request.theme.take().unwrap_or_default(), faults);
    let origins = origins(&request.origins.take().unwrap_or_default(), faults);
    let redirect = redirect(request.redirect.take(), &origins, faults);
    let shown = request.shown_by_tag.take().unwrap_or_default();
    let showings = showing::read(shown, &origins, workspace, faults);
    let double_opt_in = request.double_opt_in.take().and_then(|DoubleOptInText(by)| by.0);
    let template = request.double_opt_in_template.take();
    let question_template = template.and_then(|template| question_template(template, faults));
    let purpose = if request.test == Some(true) { FormPurpose::Test } else { FormPurpose::Live };
    Some(Form {
        name: name?,
        business: business?,
        channels,
        sender,
        topics,
        notice: notice?,
        language,
        texts,
        fields,
        theme,
        origins,
        redirect,
        showings,
        purpose,
        deleted_at: None,
        double_opt_in,
        question_template,
    })
}

/// How a form says that the address must confirm what is ticked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confirming(pub(crate) Option<AnswerBy>);

impl Confirming {
    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let by = AnswerBy::parse(text).map(Some);
        let by = if text == "off" { Ok(None) } else { by };
        by.map(Self).map_err(|_| "is none of off, link, code")
    }
}

/// The template of a double opt-in question.
pub(crate) fn question_template(
    sent: QuestionTemplateRequest,
    faults: &mut Faults,
) -> Option<QuestionTemplate> {
    let at = "/double_opt_in_template";
    let name = faults.require(&format!("{at}/name"), sent.name, "confirm_opt_in");
    let most = TEMPLATE_NAME_BYTES_MAX;
    let name = name.and_then(|text| line(&text, &format!("{at}/name"), most, faults));
    let language =
        sent.language.and_then(|text| line(&text, &format!("{at}/language"), most, faults));
    Some(QuestionTemplate { name: name?, language })
}

const NOTICE_EXAMPLE: &str = "ntc_01jd6m9k3te5b8r5v3x5y6z7w8";

/// What must be true of the form as a whole.
fn check_whole(form: &Form, workspace: &Workspace, faults: &mut Faults) {
    if form.boxes(workspace).len() > limits::FORM_BOXES_MAX {
        let fault = format!(
            "make more than {} boxes, one for each topic on each channel",
            limits::FORM_BOXES_MAX
        );
        faults.note("/topics", Code::InvalidValue, fault);
    }
    let asks_by_whatsapp =
        form.double_opt_in.is_some() && form.channels.contains(&Channel::WhatsApp);
    if asks_by_whatsapp && form.question_template.is_none() {
        let fault = "is needed: WhatsApp takes no other words from who is not in a conversation";
        let example = "{\"name\": \"confirm_opt_in\", \"language\": \"en\"}";
        let place = "/double_opt_in_template";
        faults.note_with_example(place, Code::MissingField, fault, example);
    }
    if !workspace.notices.contains_key(&form.notice) {
        faults.note("/notice", Code::UnknownNotice, "is no notice of this workspace");
    } else if form.notice(workspace, |_| false).is_none() {
        let fault =
            format!("has no version in `{}` that names all that the form asks for", form.language);
        faults.note("/notice", Code::NoticeDoesNotCover, fault);
    }
}

/// One line of text.
fn line(text: &str, pointer: &str, bytes_max: usize, faults: &mut Faults) -> Option<Box<str>> {
    let text = text.trim();
    if text.is_empty() || text.len() > bytes_max || text.chars().any(char::is_control) {
        let fault = format!("is not 1 to {bytes_max} bytes on one line");
        faults.note(pointer, Code::InvalidValue, fault);
        return None;
    }
    Some(text.into())
}

fn channels(sent: Option<Vec<ChannelText>>, faults: &mut Faults) -> Vec<Channel> {
    let sent = faults.require("/channels", sent, "[\"whatsapp\"]").unwrap_or_default();
    let channels: Vec<Channel> = sent.into_iter().map(|ChannelText(channel)| channel).collect();
    if channels.is_empty() && !faults.is_wrong_at(&["/channels"]) {
        let fault = "names no channel";
        faults.note_with_example("/channels", Code::InvalidValue, fault, "[\"whatsapp\"]");
    }
    for (place, channel) in channels.iter().enumerate() {
        let pointer = format!("/channels/{place}");
        if !AddressKind::on(*channel).is_known_by_heart() {
            let fault = "reaches no phone number or email address that a person could write down";
            faults.note_with_example(&pointer, Code::InvalidValue, fault, "whatsapp");
        }
        if channels.iter().take(place).any(|other| other == channel) {
            faults.note(&pointer, Code::InvalidValue, "is named twice");
        }
    }
    channels
}

fn topics(
    sent: Option<Vec<TopicIdText>>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Vec<TopicId> {
    let topics: Vec<TopicId> = sent.into_iter().flatten().map(|TopicIdText(id)| id).collect();
    if topics.len() > limits::FORM_TOPICS_MAX {
        let fault = format!("are more than {}", limits::FORM_TOPICS_MAX);
        faults.note("/topics", Code::InvalidValue, fault);
    }
    for (place, id) in topics.iter().enumerate() {
        let topic = workspace.topics.get(id);
        if topic.is_none_or(|topic| topic.deleted_at.is_some()) {
            let pointer = format!("/topics/{place}");
            faults.note(pointer, Code::UnknownTopic, "is no living topic of this workspace");
        }
        if topics.iter().take(place).any(|other| other == id) {
            faults.note(format!("/topics/{place}"), Code::InvalidValue, "is named twice");
        }
    }
    topics
}

fn sender(
    sent: Option<SenderIdText>,
    workspace: &Workspace,
    channels: &[Channel],
    faults: &mut Faults,
) -> Option<SenderId> {
    let SenderIdText(id) = sent?;
    let sender = workspace.senders.get(&id).filter(|sender| sender.deleted_at.is_none());
    if sender.is_none_or(|sender| !channels.contains(&sender.channel)) {
        let fault = "is no living sender of the form's channels";
        faults.note("/sender", Code::UnknownSender, fault);
    }
    Some(id)
}

/// The fields, or those that the channels need.
fn fields(
    sent: Option<Vec<FieldRequest>>,
    channels: &[Channel],
    faults: &mut Faults,
) -> Vec<Field> {
    let needs = |kind| channels.iter().any(|channel| AddressKind::on(*channel) == kind);
    let optional = |asks| Field { asks, need: Need::Optional };
    let Some(sent) = sent else {
        let phone = needs(AddressKind::Phone).then(|| optional(Asks::Phone(Vec::new())));
        let email = needs(AddressKind::Email).then(|| optional(Asks::Email));
        return phone.into_iter().chain(email).collect();
    };
    if sent.len() > limits::FORM_FIELDS_MAX {
        let fault = format!("are more than {}", limits::FORM_FIELDS_MAX);
        faults.note("/fields", Code::InvalidValue, fault);
    }
    let mut fields: Vec<Field> = Vec::new();
    for (place, sent) in sent.into_iter().enumerate() {
        let at = format!("/fields/{place}");
        let Some(field) = field(sent, &at, faults) else { continue };
        if fields.iter().any(|other| is_same_field(&other.asks, &field.asks)) {
            faults.note(&at, Code::InvalidValue, "asks what another field asks already");
        }
        fields.push(field);
    }
    let has = |is: fn(&Asks) -> bool| fields.iter().any(|field| is(&field.asks));
    let (has_phone, has_email) =
        (has(|asks| matches!(asks, Asks::Phone(_))), has(|asks| matches!(asks, Asks::Email)));
    for (kind, has, example) in [
        (AddressKind::Phone, has_phone, "{\"kind\": \"phone\"}"),
        (AddressKind::Email, has_email, "{\"kind\": \"email\"}"),
    ] {
        if needs(kind) && !has && !faults.is_wrong_at(&["/fields"]) {
            let fault = format!("has no {kind}, which a channel of the form needs");
            faults.note_with_example("/fields", Code::InvalidValue, fault, example);
        }
    }
    fields
}

fn field(sent: FieldRequest, at: &str, faults: &mut Faults) -> Option<Field> {
    let kind = faults.require(&format!("{at}/kind"), sent.kind, "phone");
    let FieldKindText(kind) = kind?;
    let countries: Option<Vec<Region>> = sent
        .countries
        .map(|countries| countries.into_iter().map(|RegionText(region)| region).collect());
    if countries.is_some() && kind != FieldKind::Phone {
        faults.note(format!("{at}/countries"), Code::InvalidValue, "goes with a phone alone");
    }
    if sent.name.is_some() && kind != FieldKind::Text {
        faults.note(format!("{at}/name"), Code::InvalidValue, "goes with a text alone");
    }
    let asks = match kind {
        FieldKind::Phone => {
            let countries = countries.unwrap_or_default();
            let distinct: BTreeSet<Region> = countries.iter().copied().collect();
            let fits = countries.len() <= limits::FORM_COUNTRIES_MAX;
            if !fits || distinct.len() != countries.len() {
                let fault =
                    format!("are not at most {} different countries", limits::FORM_COUNTRIES_MAX);
                faults.note(format!("{at}/countries"), Code::InvalidValue, fault);
            }
            Asks::Phone(countries)
        }
        FieldKind::Email => Asks::Email,
        FieldKind::Name => Asks::Name,
        FieldKind::Text => {
            let pointer = format!("{at}/name");
            let name = faults.require(&pointer, sent.name, "shoe_size")?;
            let name = FieldName::parse(&name).map_err(|fault| {
                faults.note_with_example(&pointer, Code::InvalidValue, fault, "shoe_size");
            });
            Asks::Text(name.ok()?)
        }
    };
    let need = if sent.required == Some(true) { Need::Required } else { Need::Optional };
    Some(Field { asks, need })
}

fn is_same_field(one: &Asks, other: &Asks) -> bool {
    match (one, other) {
        (Asks::Phone(_), Asks::Phone(_))
        | (Asks::Email, Asks::Email)
        | (Asks::Name, Asks::Name) => true,
        (Asks::Text(one), Asks::Text(other)) => one == other,
        (Asks::Phone(_) | Asks::Email | Asks::Name | Asks::Text(_), _) => false,
    }
}

/// The form's own language, and what it says in each.
fn texts(
    request: &mut FormRequest,
    fields: &[Field],
    faults: &mut Faults,
) -> (Language, BTreeMap<Language, FormTexts>) {
    let own = request.language.take();
    let own = own.as_ref().map_or(PageLanguage::English.tag(), |LanguageText(it)| it.as_str());
    let own = page_language(own, "/language", faults);
    let sent = FormTextsRequest {
        title: request.title.take(),
        description: request.description.take(),
        button: request.button.take(),
        confirmation: request.confirmation.take(),
        labels: request.labels.take(),
    };
    let read = texts_of(sent, "", fields, faults);
    let mut texts = BTreeMap::new();
    let named = fields.iter().filter_map(|field| match &field.asks {
        Asks::Text(name) => Some(name),
        Asks::Phone(_) | Asks::Email | Asks::Name => None,
    });
    for name in named.filter(|name| !read.labels.contains_key(*name)) {
        let pointer = format!("/labels/{}", name.as_str());
        if !faults.is_wrong_at(&[&pointer]) {
            let fault = "is missing: people must know what the field asks";
            faults.note_with_example(&pointer, Code::MissingField, fault, "Shoe size");
        }
    }
    texts.insert(own.clone(), read);
    for (tag, sent) in request.languages.take().unwrap_or_default() {
        let at = format!("/languages/{tag}");
        let language = page_language(&tag, &at, faults);
        let read = texts_of(sent, &at, fields, faults);
        if texts.insert(language, read).is_some() && !faults.is_wrong_at(&[&at]) {
            faults.note(&at, Code::InvalidValue, "is said twice: a language, and the form's own");
        }
    }
    (own, texts)
}

/// A language that our pages speak, as we write it.
fn page_language(tag: &str, pointer: &str, faults: &mut Faults) -> Language {
    let known = PageLanguage::find(tag);
    if known.is_none() {
        let tags = PageLanguage::ALL.map(PageLanguage::tag).join(", ");
        let fault = format!("is no language of the pages: {tags}");
        faults.note_with_example(pointer, Code::InvalidValue, fault, "en");
    }
    as_core(known.unwrap_or_default())
}

fn texts_of(sent: FormTextsRequest, at: &str, fields: &[Field], faults: &mut Faults) -> FormTexts {
    let mut text = |text: Option<String>, name: &str| {
        let text = text.filter(|text| !text.trim().is_empty())?;
        line(&text, &format!("{at}/{name}"), limits::FORM_TEXT_BYTES_MAX, faults)
    };
    let (title, description) = (text(sent.title, "title"), text(sent.description, "description"));
    let (button, confirmation) =
        (text(sent.button, "button"), text(sent.confirmation, "confirmation"));
    let mut labels = BTreeMap::new();
    for (name, label) in sent.labels.unwrap_or_default() {
        let pointer = format!("{at}/labels/{name}");
        let known = fields.iter().find_map(|field| match &field.asks {
            Asks::Text(known) if known.as_str() == name => Some(known.clone()),
            Asks::Text(_) | Asks::Phone(_) | Asks::Email | Asks::Name => None,
        });
        let label = line(&label, &pointer, limits::FORM_TEXT_BYTES_MAX, faults);
        match known.zip(label) {
            Some((known, label)) => _ = labels.insert(known, label),
            None if !faults.is_wrong_at(&[&pointer]) => {
                faults.note(pointer, Code::UnknownField, "is no text among the fields");
            }
            None => {}
        }
    }
    FormTexts { title, description, button, confirmation, labels }
}

fn theme(sent: ThemeRequest, faults: &mut Faults) -> Theme {
    let default = Theme::default();
    let accent = sent.accent.map(|ColorText(color)| color);
    let font = sent.font.map_or(Font::System, |FontText(font)| font);
    let brightness = sent.brightness.map_or(Brightness::Auto, |BrightnessText(it)| it);
    let radius = sent.radius.map(|radius| u8::try_from(radius).unwrap_or(u8::MAX));
    match Theme::new(accent, radius.unwrap_or(default.radius_px()), font, brightness) {
        Ok(theme) => theme,
        Err(fault @ ThemeFault::Radius) => {
            faults.note_with_example("/theme/radius", Code::InvalidValue, fault, "8");
            default
        }
        Err(fault @ ThemeFault::Contrast { nearest }) => {
            let example = nearest.to_string();
            faults.note_with_example("/theme/accent", Code::InvalidValue, fault, example);
            default
        }
    }
}

fn origins(sent: &[String], faults: &mut Faults) -> Vec<Origin> {
    if sent.len() > limits::FORM_ORIGINS_MAX {
        let fault = format!("are more than {}", limits::FORM_ORIGINS_MAX);
        faults.note("/origins", Code::InvalidValue, fault);
    }
    let parsed = sent.iter().enumerate().filter_map(|(place, text)| {
        Origin::parse(text)
            .map_err(|fault| {
                let pointer = format!("/origins/{place}");
                let example = "https://shop.example";
                faults.note_with_example(pointer, Code::InvalidValue, fault, example);
            })
            .ok()
    });
    parsed.collect()
}

fn redirect(sent: Option<String>, origins: &[Origin], faults: &mut Faults) -> Option<Redirect> {
    let text = sent.filter(|text| !text.trim().is_empty())?;
    let example = "https://shop.example/thanks";
    match Redirect::parse(&text) {
        Err(fault) => {
            faults.note_with_example("/redirect", Code::InvalidValue, fault, example);
            None
        }
        Ok(redirect) if !origins.contains(redirect.origin()) => {
            let fault = "leads to none of the form's origins";
            faults.note_with_example("/redirect", Code::InvalidValue, fault, example);
            None
        }
        Ok(redirect) => Some(redirect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_the_pages_is_a_language_of_notices() {
        for language in PageLanguage::ALL {
            assert_eq!(as_core(language).as_str(), language.tag());
        }
    }
}
