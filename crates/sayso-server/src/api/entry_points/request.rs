//! From what an operator sent to an entry point that can stand: a living sender with a chat that people
//! can open, words that name all that is offered, and a text that is read as nothing.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sayso_core::address::email::Email;
use sayso_core::address::phone::Phone;
use sayso_core::id::{NoticeId, SenderId, TopicId};
use sayso_core::limits;
use sayso_core::proof::reference::Reference;
use sayso_core::text::wording::{self, Codes, Conversation, Names, Question, Reading, read};
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::channel_facts::Chat;
use sayso_core::words::color::Color;
use sayso_core::words::notice::Language;
use sayso_core::words::source::SourceName;
use sayso_core::workspace::{Corner, EntryPoint, Widget, Workspace};
use sayso_pages::language::Language as PageLanguage;
use sayso_pages::qr::logo::Logo;
use utoipa::ToSchema;

use crate::api::page::name;
use crate::app::App;
use crate::body::texts::{
    ColorText, CornerText, LanguageText, NameText, NoticeIdText, SenderIdText, TopicIdText,
};
use crate::body::{Faults, Sent, json_object};
use crate::problem::{Code, Problem};

json_object! {
    /// An entry point.
    #[derive(ToSchema)]
    EntryPointRequest {
        /// How you call it. Required.
        #[schema(example = "Poster at the till")]
        name: String,
        /// Whom people write to: a sender on `whatsapp`, `sms` or `email`. Required when the entry point is made; never changes.
        sender: SenderIdText,
        /// Where the chat is: a phone number, a short code or a mailbox. Needed where the address of the sender is none of them, such as Meta's id of a number.
        #[schema(example = "+14155550100")]
        address: String,
        /// The business, as people know it; the name of the workspace if absent.
        #[schema(example = "Harbour Books")]
        business: String,
        /// What is offered, a box each, at most 16; with none of them one box for the whole channel.
        topics: Vec<TopicIdText>,
        /// The words that are shown; they name all that is offered. Required.
        notice: EntryNoticeRequest,
        /// What stands in the chat when it is opened, at most 256 bytes; `Hello` if absent. A short reference follows it.
        #[schema(example = "Hello, I saw your poster")]
        prefill: String,
        /// What the print sheet and the widget call for; the pages' own words, in each language, if absent.
        #[schema(example = "Ask us anything")]
        call_to_action: String,
        /// The languages of its page, the default first: those of the notice's that pages are written in (`en`, `tr`, `hi`, `ar`). All of those if absent.
        languages: Vec<LanguageText>,
        /// What the events of its page name as their source; its name if absent.
        source: NameText,
        /// How its floating button looks.
        widget: WidgetRequest,
        /// The logo in the middle of its QR code: a PNG of at most 8,192 bytes and 512 pixels a side, as base64. The code is drawn with correction `H` then. None if absent.
        #[schema(example = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")]
        logo: String,
    }
}

json_object! {
    /// The words of an entry point.
    #[derive(ToSchema)]
    EntryNoticeRequest {
        /// The notice. Required.
        id: NoticeIdText,
        /// Its version. Required.
        #[schema(example = 1)]
        version: u32,
    }
}

json_object! {
    /// How a floating button looks.
    #[derive(ToSchema)]
    WidgetRequest {
        /// Its color; `#0b6b50` if absent.
        background: ColorText,
        /// The color of its words, which must be readable on it; `#ffffff` if absent.
        text: ColorText,
        /// Where it floats; `bottom_end` if absent.
        corner: CornerText,
    }
}

/// What an entry point says, most of all.
const PREFILL: &str = "Hello";
/// The color of the button, and of its words, where nobody chose any.
const BACKGROUND: Color = Color::from_bytes([0x0b, 0x6b, 0x50]);
const TEXT: Color = Color::from_bytes([0xff; 3]);
/// The digits of a short code. *Source:* GSMA and CTIA, 3 to 8 digits.
const SHORT_CODE_DIGITS: std::ops::RangeInclusive<usize> = 3..=8;

/// The entry point that was asked for, in the version of `known` or the first; or all that is wrong.
pub(crate) fn entry_point(
    sent: Sent<EntryPointRequest>,
    known: Option<&EntryPoint>,
    app: &App,
    workspace: &Workspace,
) -> Result<EntryPoint, Problem> {
    let Sent { mut request, mut faults } = sent;
    let sender = sender(&request, known, workspace, &mut faults);
    let channel = sender.map(|(_, channel)| channel);
    let thread = sender
        .and_then(|sender| thread(request.address.take(), sender, (app, workspace), &mut faults));
    let topics = topics(request.topics.take().unwrap_or_default(), workspace, &mut faults);
    let languages = request.languages.take();
    let notice = notice(request.notice.take(), workspace, &mut faults);
    let languages = notice.and_then(|notice| {
        let offered = channel.zip(topics.as_deref());
        languages_of(languages, (notice, offered), workspace, &mut faults)
    });
    let prefill = request.prefill.take().unwrap_or_else(|| PREFILL.to_owned());
    let prefill = prefill_of(&prefill, channel, &mut faults);
    let widget = widget(request.widget.take().unwrap_or_default(), &mut faults);
    let logo = logo(request.logo.take(), &mut faults);
    let business = request.business.take().unwrap_or_else(|| workspace.name.to_string());
    let business = line("/business", &business, limits::NAME_BYTES_MAX, &mut faults);
    let call = request.call_to_action.take();
    let call =
        call.and_then(|call| line("/call_to_action", &call, limits::NAME_BYTES_MAX, &mut faults));
    let name = name(request.name.take(), &mut faults);
    let source = source(request.source.take(), name.as_deref());
    let all = name.zip(sender).zip(thread).zip(topics).zip(notice).zip(languages);
    let rest = prefill.zip(business).zip(source);
    let (all, ((prefill, business), source)) = faults.settle(all.zip(rest))?;
    let (((((name, (sender, _)), thread), topics), (notice, notice_version)), languages) = all;
    Ok(EntryPoint {
        version: known.map_or(1, |known| known.version),
        name,
        sender,
        thread,
        business,
        topics,
        notice,
        notice_version,
        prefill,
        call,
        languages,
        source,
        widget,
        deleted_at: known.and_then(|known| known.deleted_at),
        logo,
    })
}

/// The sender, and its channel.
fn sender(
    request: &EntryPointRequest,
    known: Option<&EntryPoint>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<(SenderId, Channel)> {
    let asked = request.sender.as_ref().map(|SenderIdText(id)| *id);
    if known.is_some_and(|known| asked.is_some_and(|asked| asked != known.sender)) {
        faults.note("/sender", Code::InvalidValue, "never changes; make another entry point");
    }
    let id = known.map(|known| known.sender).or(asked);
    let id = faults.require("/sender", id, "snd_01jd6m9k3te5b8r5v3x5y6z7w8")?;
    let sender = workspace.senders.get(&id).filter(|sender| sender.deleted_at.is_none());
    match sender.map(|sender| sender.channel) {
        Some(channel) if channel.chat() > Chat::None => Some((id, channel)),
        Some(_) => {
            faults.note("/sender", Code::InvalidValue, "is not on whatsapp, sms or email");
            None
        }
        None => {
            faults.note("/sender", Code::UnknownSender, "is no living sender");
            None
        }
    }
}

/// Where the chat is: what was sent, or else the sender's address.
fn thread(
    sent: Option<String>,
    (id, channel): (SenderId, Channel),
    (app, workspace): (&App, &Workspace),
    faults: &mut Faults,
) -> Option<Box<str>> {
    let own = || workspace.senders.get(&id).map(|sender| sender.address.to_string());
    let text = sent.or_else(own)?;
    let text = text.trim();
    let is_short_code = channel == Channel::Sms
        && SHORT_CODE_DIGITS.contains(&text.len())
        && text.bytes().all(|digit| digit.is_ascii_digit());
    if is_short_code {
        return Some(text.into());
    }
    let (thread, fault, example) = if channel == Channel::Email {
        let email = Email::parse(text).ok().map(|email| email.as_str().into());
        (email, "is no mailbox that people can write to", "hello@shop.example")
    } else {
        let region = workspace.settings.at(app.now()).region;
        let phone = Phone::parse_possible(text, region, app.phones());
        let phone = phone.ok().map(|phone| phone.to_string().into());
        (
            phone,
            "is no number that people can write to; without it the sender's is taken",
            "+14155550100",
        )
    };
    if thread.is_none() {
        faults.note_with_example("/address", Code::InvalidValue, fault, example);
    }
    thread
}

fn topics(
    sent: Vec<TopicIdText>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<Vec<TopicId>> {
    if sent.len() > limits::ENTRY_POINT_TOPICS_MAX {
        faults.note("/topics", Code::InvalidValue, "has more than 16 topics");
        return None;
    }
    let mut topics = Vec::with_capacity(sent.len());
    for (place, TopicIdText(id)) in sent.into_iter().enumerate() {
        let lives = workspace.topics.get(&id).is_some_and(|topic| topic.deleted_at.is_none());
        if !lives {
            let at = format!("/topics/{place}");
            faults.note(at, Code::UnknownTopic, "is no living topic");
        } else if !topics.contains(&id) {
            topics.push(id);
        }
    }
    Some(topics)
}

/// The notice and its version, published in some language.
fn notice(
    sent: Option<EntryNoticeRequest>,
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<(NoticeId, u32)> {
    let example = "{\"id\": \"ntc_01jd6m9k3te5b8r5v3x5y6z7w8\", \"version\": 1}";
    let sent = faults.require("/notice", sent, example)?;
    let id = faults.require("/notice/id", sent.id, "ntc_01jd6m9k3te5b8r5v3x5y6z7w8");
    let version = faults.require("/notice/version", sent.version, "1");
    let (NoticeIdText(id), version) = id.zip(version)?;
    let published = workspace.notices.get(&id);
    let is_published = published
        .is_some_and(|notice| notice.versions.keys().any(|(published, _)| *published == version));
    if !is_published {
        faults.note("/notice", Code::UnknownNotice, "is not published in this version");
    }
    is_published.then_some((id, version))
}

/// What the boxes offer, where that is known: on which channel, about which topics.
type Offered<'a> = Option<(Channel, &'a [TopicId])>;

/// The languages of the page: each is one that pages are written in, and in each the words name all that
/// is offered.
fn languages_of(
    sent: Option<Vec<LanguageText>>,
    ((id, version), offered): ((NoticeId, u32), Offered<'_>),
    workspace: &Workspace,
    faults: &mut Faults,
) -> Option<Vec<Language>> {
    let versions = workspace.notices.get(&id).map(|notice| &notice.versions)?;
    let published = || versions.keys().filter(|(at, _)| *at == version).map(|(_, tag)| tag);
    let asked = sent.map(|sent| sent.into_iter().map(|LanguageText(tag)| tag).collect());
    let known: Vec<Language> = asked.unwrap_or_else(|| {
        let pages = PageLanguage::ALL.into_iter();
        pages.filter_map(|page| published().find(|tag| is_written_in(tag, page)).cloned()).collect()
    });
    let mut pages: Vec<PageLanguage> = Vec::new();
    for (place, tag) in known.iter().enumerate() {
        let at = format!("/languages/{place}");
        match PageLanguage::find(tag.as_str()) {
            Some(page) if pages.contains(&page) => {
                faults.note(at, Code::InvalidValue, "is there already");
            }
            Some(page) if published().any(|published| published == tag) => pages.push(page),
            Some(_) => faults.note(at, Code::UnknownNotice, "is no language of the notice"),
            None => {
                let fault = "is none that pages are written in: en, tr, hi, ar";
                faults.note_with_example(at, Code::InvalidValue, fault, "en");
            }
        }
    }
    if known.is_empty() {
        let fault = "has no language that pages are written in: en, tr, hi, ar";
        faults.note("/notice", Code::UnknownNotice, fault);
    }
    let covers = |permission: Permission| {
        let words = known.iter().filter_map(|tag| versions.get(&(version, tag.clone())));
        words.into_iter().all(|words| workspace.is_named(words, permission))
    };
    if offered
        .is_some_and(|offered| !EntryPoint::offered(offered.0, offered.1).into_iter().all(covers))
    {
        let fault = "does not name all that is offered, in each language";
        faults.note("/notice", Code::NoticeDoesNotCover, fault);
    }
    (!known.is_empty()).then_some(known)
}

fn is_written_in(tag: &Language, page: PageLanguage) -> bool {
    PageLanguage::find(tag.as_str()) == Some(page)
}

/// The text that stands in the chat: it is read as nothing, and has no reference of its own.
fn prefill_of(text: &str, channel: Option<Channel>, faults: &mut Faults) -> Option<Box<str>> {
    let text = line("/prefill", text, limits::PREFILL_BYTES_MAX, faults)?;
    let (names, codes, offered) = (Names::default(), Codes::default(), wording::Offered::default());
    let channel = channel.unwrap_or(Channel::Sms);
    let question = Question::None;
    let conversation =
        Conversation { channel, names: &names, codes: &codes, question, offered: &offered };
    let reading = read(&text, &conversation).reading;
    if reading != Reading::Nothing {
        let fault = format!("is read as {}, which whoever sends it would say", reading.as_str());
        faults.note_with_example("/prefill", Code::InvalidValue, fault, PREFILL);
    }
    if !Reference::carried(&text).is_empty() {
        let fault = "holds what looks like a reference; one follows it by itself";
        faults.note_with_example("/prefill", Code::InvalidValue, fault, PREFILL);
    }
    Some(text)
}

/// One line of text.
fn line(at: &str, text: &str, most: usize, faults: &mut Faults) -> Option<Box<str>> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control);
    if !fits {
        let fault = format!("is not 1 to {most} bytes without control characters");
        faults.note(at, Code::InvalidValue, fault);
    }
    fits.then(|| text.into())
}

fn widget(sent: WidgetRequest, faults: &mut Faults) -> Widget {
    let background = sent.background.map_or(BACKGROUND, |ColorText(color)| color);
    let text = sent.text.map_or(TEXT, |ColorText(color)| color);
    if !text.is_readable_on(background) {
        let fault = "cannot be read on the background: the contrast is less than 4.5 to 1";
        faults.note_with_example("/widget/text", Code::InvalidValue, fault, "#ffffff");
    }
    let corner = sent.corner.map_or(Corner::default(), |CornerText(corner)| corner);
    Widget { background, text, corner }
}

/// The logo, if it is one.
fn logo(sent: Option<String>, faults: &mut Faults) -> Option<Arc<[u8]>> {
    let sent = sent?;
    let fault = match STANDARD.decode(sent.trim()) {
        Err(_) => "is no base64 of a PNG".to_owned(),
        Ok(file) => match Logo::parse(&file) {
            Ok(_) => return Some(file.into()),
            Err(fault) => fault.to_string(),
        },
    };
    faults.note_with_example("/logo", Code::InvalidValue, fault, "iVBORw0KGgoAAAANSUhEUgAA…");
    None
}

/// The name of the source; that of the entry point as far as it can be one.
fn source(sent: Option<NameText>, name: Option<&str>) -> Option<SourceName> {
    let own = |name: &str| {
        let fits = |letter: &char| SourceName::parse(&letter.to_string()).is_ok() || *letter == ' ';
        let name: String = name.chars().filter(fits).collect();
        SourceName::parse(&name).or_else(|_| SourceName::parse("entry point")).ok()
    };
    sent.map(|NameText(name)| name).or_else(|| own(name?))
}
