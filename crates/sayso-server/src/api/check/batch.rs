//! Many recipients, one question: read without copying, answered in order.
//!
//! The list of recipients is the whole cost of a batch, so it is not read into JSON values: each
//! recipient stays a piece of the body, and a plain phone number becomes its digits at once. The
//! other fields are few and are read as everywhere.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use sayso_core::address::{Address, AddressKind};
use sayso_core::channel::Channel;
use sayso_core::decision::{Reason, Reasons};
use sayso_core::limits;
use sayso_core::phone::Phone;
use sayso_core::settings::Settings;
use sayso_store::configuration::Configuration;
use sayso_store::store::{Question, Recipient};
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::question::{MessageFields, require_exemption};
use crate::api::address::{Care, Place, Reading};
use crate::app::App;
use crate::body::texts::{
    CategoryText, ChannelText, KindText, RegionText, SenderIdText, TopicIdText,
};
use crate::body::{
    Batch, BatchForm, Faults, FromJson, Pointer, check_depth, json_object, not_json,
};
use crate::caller::{Caller, Check};
use crate::observe::{Metrics, answer_word};
use crate::problem::{Code, Problem};

/// What a recipient that cannot be read is answered.
const INVALID: &str = "invalid";

json_object! {
    /// A message that somebody wants to send, and to whom.
    #[derive(ToSchema)]
    BatchRequest {
        /// The recipients, at most 100,000, all of one kind: phone numbers, email addresses or ids. Not present in NDJSON, where each further line is a recipient.
        #[schema(value_type = Vec<String>, example = json!(["+14155552671", "+14155552672"]))]
        to: Value,
        /// The kind of the recipients; without it `email` on the channel email, `channel_id` on push, telegram, messenger and line, else `phone`.
        kind: KindText,
        /// Where national phone numbers belong; without it the workspace's region.
        region: RegionText,
        /// The channel the message goes by. Required.
        channel: ChannelText,
        /// Who sends it. May be left out where the workspace has one living sender on the channel, or none.
        sender: SenderIdText,
        /// What it is about.
        topic: TopicIdText,
        /// What it is for; `marketing` if absent. A topic's own category wins.
        category: CategoryText,
        /// Whether an opt-in is needed; see `check`.
        require_opt_in: bool,
        /// Whether the words were approved by the platform beforehand.
        template: bool,
        /// `compact` (the default): `allow` or the weightiest reason. `reasons`: a list of all reasons.
        #[schema(example = "compact")]
        detail: String,
    }
}

/// The answers, in the order of the recipients, and their sum.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// To how many the message may be sent.
    allowed: u64,
    /// To how many not, by the weightiest reason.
    denied: BTreeMap<&'static str, u64>,
    /// How many recipients could not be read; nothing may be sent to them.
    invalid: u64,
    /// For each recipient `allow`, the weightiest reason, or `invalid`; with `detail: reasons` a list of all reasons. Not present in NDJSON, where each answer is a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Value>, example = json!(["allow", "opted_out"]))]
    answers: Vec<&'static str>,
}

/// How much is said about each recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Compact,
    Reasons,
}

/// A batch, ready for the gate.
#[derive(Debug)]
pub(crate) struct BatchAsking {
    /// The question.
    pub(crate) question: Question,
    /// The recipients that could be read.
    pub(crate) recipients: Vec<Recipient>,
    /// The places of those that could not, in order.
    invalid: Vec<usize>,
    detail: Detail,
}

/// How many got which answer: by the code of the reason, then `allow`, then `invalid`.
#[derive(Debug, Default)]
pub(crate) struct Counts([u64; ANSWERS]);

/// An answer as its place in [`Counts`].
const ANSWERS: usize = Reason::ALL.len() + 2;
const ALLOW: usize = Reason::ALL.len();
const UNREADABLE: usize = ALLOW + 1;

/// The body: the recipients as pieces of it, the other members as values.
struct Sheet<'a> {
    to: Option<Vec<Cow<'a, str>>>,
    rest: Map<String, Value>,
}

/// A list of at most one text more than a batch takes.
struct Texts<'a>(Vec<Cow<'a, str>>);

struct Text<'a>(Cow<'a, str>);

/// Reads a batch.
pub(crate) fn ask(
    sent: &Batch,
    app: &App,
    caller: &Caller<Check>,
    settings: &Settings,
) -> Result<BatchAsking, Problem> {
    let mut faults = Faults::default();
    let sheet = match sent.form {
        BatchForm::Json => Sheet::parse(&sent.text)?,
        BatchForm::Lines => Sheet::parse_lines(&sent.text)?,
    };
    let to = faults.require("/to", sheet.to, "[\"+14155552671\"]").unwrap_or_default();
    if to.len() > limits::CHECK_BATCH_ITEMS_MAX {
        let detail = format!("at most {} recipients are taken", limits::CHECK_BATCH_ITEMS_MAX);
        return Err(Problem::new(Code::TooManyItems).detail(detail));
    }
    let request = BatchRequest::from_json(Value::Object(sheet.rest), &Pointer::Body, &mut faults)
        .unwrap_or_default();
    if request.to.is_some() {
        faults.note(
            "/to",
            Code::InvalidValue,
            "has no place here: each further line is a recipient",
        );
    }
    let kind = request.kind.as_ref().map(|KindText(kind)| *kind);
    let region = request.region.as_ref().map(|RegionText(region)| *region);
    let detail = detail(request.detail.as_deref(), &mut faults);
    let fields = MessageFields {
        channel: request.channel,
        sender: request.sender,
        topic: request.topic,
        category: request.category,
        require_opt_in: request.require_opt_in,
        requested_at: None,
        template: request.template,
    };
    let question = fields.settle(caller.configuration(), settings, &mut faults);
    let (question, detail) = faults.settle(question.zip(detail))?;
    require_exemption(&question, settings, &caller.key().scopes)?;
    let kind = kind.unwrap_or(kind_on(question.message.channel));
    let reading = Reading {
        phones: app.phones(),
        region: region.or(settings.region),
        care: Care::Possible,
        place: Place::Body,
    };
    let (recipients, invalid) = read_recipients(&to, kind, &reading, caller.configuration());
    Ok(BatchAsking { question, recipients, invalid, detail })
}

fn detail(word: Option<&str>, faults: &mut Faults) -> Option<Detail> {
    match word {
        None | Some("compact") => Some(Detail::Compact),
        Some("reasons") => Some(Detail::Reasons),
        Some(_) => {
            faults.note_with_example(
                "/detail",
                Code::UnknownWord,
                "is none of compact, reasons",
                "compact",
            );
            None
        }
    }
}

/// The kind of address that a channel reaches.
pub(crate) const fn kind_on(channel: Channel) -> AddressKind {
    match channel {
        Channel::WhatsApp | Channel::Sms | Channel::Rcs | Channel::Voice | Channel::Viber => {
            AddressKind::Phone
        }
        Channel::Email => AddressKind::Email,
        Channel::Push | Channel::Telegram | Channel::Messenger | Channel::Line => {
            AddressKind::ChannelId
        }
    }
}

fn read_recipients(
    to: &[Cow<'_, str>],
    kind: AddressKind,
    reading: &Reading<'_>,
    configuration: &Configuration,
) -> (Vec<Recipient>, Vec<usize>) {
    let mut recipients = Vec::with_capacity(to.len());
    let mut invalid = Vec::new();
    for (place, text) in to.iter().enumerate() {
        let plain = if kind == AddressKind::Phone { plain_phone(text, reading) } else { None };
        match plain
            .map(Recipient::Phone)
            .or_else(|| read_recipient(text, kind, reading, configuration))
        {
            Some(recipient) => recipients.push(recipient),
            None => invalid.push(place),
        }
    }
    (recipients, invalid)
}

/// A phone number in E.164 as its digits, without asking whether it is a number at all: that costs
/// ten times the look-up, and a number that nobody has is simply found nowhere, so it gets the
/// answer for people who said nothing. Without `+` the digits could be a national number wherever a
/// region is known, so those take the long way.
fn plain_phone(text: &str, reading: &Reading<'_>) -> Option<Phone> {
    let digits = match text.strip_prefix('+') {
        Some(digits) => digits,
        None if reading.region.is_none() => text,
        None => return None,
    };
    if !(7..=15).contains(&digits.len()) || digits.starts_with('0') {
        return None;
    }
    let number = digits.bytes().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    });
    number.and_then(Phone::from_digits)
}

fn read_recipient(
    text: &str,
    kind: AddressKind,
    reading: &Reading<'_>,
    configuration: &Configuration,
) -> Option<Recipient> {
    let address = reading.of_kind(kind, text, "", &mut Faults::default())?;
    Some(match address {
        Address::Phone(phone) => Recipient::Phone(phone),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
            Recipient::Key(address.key(&configuration.secret))
        }
    })
}

/// The media type of the answer.
pub(crate) const fn media_type(form: BatchForm) -> &'static str {
    match form {
        BatchForm::Json => "application/json",
        BatchForm::Lines => "application/x-ndjson",
    }
}

/// Writes the answers, and counts them.
pub(crate) fn render(
    asking: &BatchAsking,
    reasons: &[Reasons],
    form: BatchForm,
) -> (String, Counts) {
    let total = reasons.len() + asking.invalid.len();
    let mut text = String::with_capacity(total * 14 + 256);
    let mut counts = Counts::default();
    let separator = match form {
        BatchForm::Json => ',',
        BatchForm::Lines => '\n',
    };
    let (mut screened, mut invalid) = (reasons.iter(), asking.invalid.iter().copied().peekable());
    for place in 0..total {
        let answer =
            if invalid.next_if_eq(&place).is_some() { None } else { screened.next().copied() };
        counts.add(answer);
        write_answer(&mut text, answer, asking.detail);
        text.push(separator);
    }
    let summary = serde_json::to_string(&counts.summary()).unwrap_or_default();
    match form {
        BatchForm::Lines => text.push_str(&(summary + "\n")),
        BatchForm::Json => {
            text.truncate(text.len().saturating_sub(1));
            text = format!("{},\"answers\":[{text}]}}", summary.trim_end_matches('}'));
        }
    }
    (text, counts)
}

fn write_answer(text: &mut String, answer: Option<Reasons>, detail: Detail) {
    match (detail, answer) {
        (Detail::Compact, _) => {
            text.push('"');
            text.push_str(answer.map_or(INVALID, answer_word));
            text.push('"');
        }
        (Detail::Reasons, None) => text.push_str("[\"invalid\"]"),
        (Detail::Reasons, Some(reasons)) => {
            text.push('[');
            for (place, reason) in reasons.iter().enumerate() {
                text.push_str(if place == 0 { "\"" } else { ",\"" });
                text.push_str(reason.as_str());
                text.push('"');
            }
            text.push(']');
        }
    }
}

impl Counts {
    fn add(&mut self, answer: Option<Reasons>) {
        let place = match answer.map(Reasons::first) {
            None => UNREADABLE,
            Some(None) => ALLOW,
            Some(Some(reason)) => usize::from(reason.code()),
        };
        if let Some(times) = self.0.get_mut(place) {
            *times += 1;
        }
    }

    fn denied(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let words = Reason::ALL.iter().map(|reason| reason.as_str());
        words.zip(self.0).filter(|(_, times)| *times > 0)
    }

    fn summary(&self) -> BatchAnswer {
        let [.., allowed, invalid] = self.0;
        BatchAnswer { allowed, denied: self.denied().collect(), invalid, answers: Vec::new() }
    }

    /// Counts the answers into the metrics.
    pub(crate) fn count_into(&self, metrics: &Metrics) {
        let [.., allowed, invalid] = self.0;
        for (word, times) in self.denied().chain([("allow", allowed), (INVALID, invalid)]) {
            metrics.count_answers(word, times);
        }
    }
}

impl<'a> Sheet<'a> {
    /// Depth is looked at only where reading fails: a list of texts cannot nest, and looking at
    /// every byte twice would cost a fifth of a batch.
    fn parse(text: &'a str) -> Result<Self, Problem> {
        serde_json::from_str(text).map_err(|error| match check_depth(text) {
            Err(too_deep) => too_deep,
            Ok(()) if error.is_data() => Problem::new(Code::WrongType)
                .detail("the body is an object, and `to` in it is a list of texts"),
            Ok(()) => not_json(&error),
        })
    }

    fn parse_lines(text: &'a str) -> Result<Self, Problem> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let question =
            lines.next().ok_or_else(|| Problem::new(Code::NotJson).detail("there is no line"))?;
        check_depth(question)?;
        let rest = serde_json::from_str(question).map_err(|error| not_json(&error))?;
        let mut to = Vec::new();
        for line in lines.take(limits::CHECK_BATCH_ITEMS_MAX + 1) {
            let Text(text) = serde_json::from_str(line).map_err(|_| {
                let detail = format!("recipient {} is not a JSON text", to.len());
                Problem::new(Code::NotJson).detail(detail)
            })?;
            to.push(text);
        }
        Ok(Self { to: Some(to), rest })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Sheet<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SheetVisitor;
        impl<'de> Visitor<'de> for SheetVisitor {
            type Value = Sheet<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut sheet = Sheet { to: None, rest: Map::new() };
                while let Some(name) = members.next_key::<String>()? {
                    if name == "to" {
                        let Texts(to) = members.next_value()?;
                        sheet.to = Some(to);
                    } else {
                        sheet.rest.insert(name, members.next_value()?);
                    }
                }
                Ok(sheet)
            }
        }
        deserializer.deserialize_map(SheetVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextsVisitor;
        impl<'de> Visitor<'de> for TextsVisitor {
            type Value = Texts<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of texts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut texts = Vec::with_capacity(1_024);
                while let Some(Text(text)) = items.next_element()? {
                    texts.push(text);
                    if texts.len() > limits::CHECK_BATCH_ITEMS_MAX {
                        while items.next_element::<IgnoredAny>()?.is_some() {}
                        break;
                    }
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_seq(TextsVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

impl fmt::Debug for Sheet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet").field("to", &self.to.as_ref().map(Vec::len)).finish_non_exhaustive()
    }
}
