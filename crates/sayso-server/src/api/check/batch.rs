//! Many recipients, one question: read without copying, answered in order.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use sayso_core::address::phone::Phone;
use sayso_core::address::{Address, AddressKind};
use sayso_core::gate::reason::{Reason, Reasons};
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::workspace::Workspace;
use sayso_store::store::{Question, Recipient, StoreError};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::question::{MessageFields, require_exemption};
use crate::app::App;
use crate::body::address::{Care, Place, Reading};
use crate::body::texts::{
    CategoryText, ChannelText, KindText, RegionText, SenderIdText, TopicIdText, ZoneText,
};
use crate::body::{Batch, BatchForm, Faults, FromJson, Pointer, Turn, json_object};
use crate::caller::{Caller, Check};
use crate::observe::Metrics;
use crate::problem::{Code, Problem};

use sheet::{Recipients, Sheet, Written};

mod sheet;

/// What a recipient that cannot be read is answered.
const INVALID: &str = "invalid";

json_object! {
    /// A message that somebody wants to send, and to whom.
    #[derive(ToSchema)]
    BatchRequest {
        /// The recipients, at most 100,000, all of one kind: phone numbers, email addresses or ids. Not present in NDJSON, where each further line is a recipient.
        #[schema(value_type = Vec<String>, example = json!(["+14155550123", "+14155550124"]))]
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
        /// Where all recipients are, for quiet hours; what their profiles or numbers tell if absent.
        time_zone: ZoneText,
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

/// An answer: the reasons against, or `None` for a recipient that could not be read.
type Answer = Option<Reasons>;

/// How many got which answer: by the code of the reason, then `allow`, then `invalid`.
#[derive(Debug, Default)]
pub(crate) struct Counts([u64; ANSWERS]);

/// An answer as its place in [`Counts`].
const ANSWERS: usize = Reason::ALL.len() + 2;
const ALLOW: usize = Reason::ALL.len();
const UNREADABLE: usize = ALLOW + 1;

/// Reads a batch.
pub(crate) async fn ask(
    sent: &Batch,
    app: &App,
    caller: &Caller<Check>,
    settings: &Settings,
) -> Result<BatchAsking, Problem> {
    let mut faults = Faults::default();
    let sheet = match sent.form {
        BatchForm::Json => Sheet::parse(&sent.text).await?,
        BatchForm::Lines => Sheet::parse_lines(&sent.text).await?,
    };
    let to = faults.require("/to", sheet.to, "[\"+14155550123\"]").unwrap_or_default();
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
        time_zone: request.time_zone,
    };
    let question = fields.settle(caller.workspace(), settings, &mut faults);
    let (question, detail) = faults.settle(question.zip(detail))?;
    require_exemption(&question, settings, &caller.key().scopes)?;
    let kind = kind.unwrap_or(AddressKind::on(question.message.channel));
    let reading = Reading {
        phones: app.phones(),
        region: region.or(settings.region),
        care: Care::Possible,
        place: Place::Body,
    };
    let read = read_recipients(&to, kind, &reading, caller.workspace());
    let (recipients, invalid) = read.await;
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

/// A plus and digits have one reading, which the numbering plan gives without a look at the text.
/// Everything else is read as everywhere: a spelling that is one person there is the same one here.
async fn read_recipients(
    to: &Recipients<'_>,
    kind: AddressKind,
    reading: &Reading<'_>,
    workspace: &Workspace,
) -> (Vec<Recipient>, Vec<usize>) {
    let mut recipients = Vec::with_capacity(to.len());
    let mut invalid = Vec::new();
    let read = |text: &str| read_recipient(text, kind, reading, workspace);
    let mut turn = Turn::default();
    for (place, written) in to.iter().enumerate() {
        match written {
            Written::Number(_) if turn.is_over(NUMBER_BYTES) => turn.others().await,
            Written::Number(_) => {}
            Written::Text(text) => turn.line(text.len()).await,
        }
        let is_phone = kind == AddressKind::Phone;
        let recipient = match written {
            Written::Number(digits) if is_phone => {
                Phone::read_possible(digits.digits(), reading.phones).ok().map(Recipient::Phone)
            }
            Written::Number(digits) => read(&digits.to_string()),
            Written::Text(text) => read(text),
        };
        match recipient {
            Some(recipient) => recipients.push(recipient),
            None => invalid.push(place),
        }
    }
    (recipients, invalid)
}

/// A number as JSON has it, with its comma.
const NUMBER_BYTES: usize = 16;

fn read_recipient(
    text: &str,
    kind: AddressKind,
    reading: &Reading<'_>,
    workspace: &Workspace,
) -> Option<Recipient> {
    let address = reading.of_kind(kind, text, "", &mut Faults::default())?;
    Some(match address {
        Address::Phone(phone) => Recipient::Phone(phone),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => {
            Recipient::Key(address.key(&workspace.secret))
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

/// The answer as one JSON value: the sum, then all answers.
pub(crate) async fn answer(
    app: &App,
    workspace: WorkspaceId,
    asking: &BatchAsking,
) -> Result<Vec<u8>, Problem> {
    let mut reasons = Vec::with_capacity(asking.recipients.len());
    for recipients in asking.recipients.chunks(limits::CHECK_BATCH_TURN) {
        if !reasons.is_empty() {
            tokio::task::yield_now().await;
        }
        reasons.extend(app.store().screen(workspace, &asking.question, recipients).await?);
    }
    let mut counts = Counts::default();
    for answer in asking.answers(&reasons) {
        counts.add(answer);
    }
    let summary = counts.to_json();
    let mut text = Vec::with_capacity(asking.total() * 16 + summary.len() + PADDED);
    text.extend_from_slice(summary.trim_end_matches('}').as_bytes());
    text.extend_from_slice(b",\"answers\":[");
    asking.write(&mut text, asking.answers(&reasons), b',');
    text.pop_if(|last| *last == b',');
    text.extend_from_slice(b"]}");
    counts.count_into(app.metrics());
    Ok(text)
}

/// The answer line by line, the sum last. Recipients are asked about while the client takes the
/// lines of those before; the first are asked about at once, so that a store that cannot be read is
/// a problem, and later breaks the answer off before its sum.
pub(crate) async fn stream(
    app: Arc<App>,
    workspace: WorkspaceId,
    asking: BatchAsking,
) -> Result<Body, Problem> {
    let mut lines = Lines { app, workspace, asking, place: 0, counts: Counts::default() };
    let first = lines.next().await?;
    let rest = stream::try_unfold(lines, |mut lines| async move {
        let next = lines.next().await?;
        Ok::<_, StoreError>(next.map(|text| (text, lines)))
    });
    Ok(Body::from_stream(stream::iter(first.map(Ok)).chain(rest)))
}

/// An answer that is given line by line.
struct Lines {
    app: Arc<App>,
    workspace: WorkspaceId,
    asking: BatchAsking,
    /// The place of the next recipient; one more than their number when the sum was given.
    place: usize,
    counts: Counts,
}

impl Lines {
    /// The next lines, or nothing after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let total = self.asking.total();
        if self.place > total {
            return Ok(None);
        }
        let end = self.place.saturating_add(limits::CHECK_BATCH_ANSWERS_PIECE).min(total);
        let recipients = self.asking.recipients_at(self.place..end);
        let store = self.app.store();
        let reasons = store.screen(self.workspace, &self.asking.question, recipients).await?;
        let answers = || self.asking.answers_at(self.place..end, &reasons);
        let mut text = Vec::with_capacity((end - self.place) * 16 + PADDED);
        self.asking.write(&mut text, answers(), b'\n');
        answers().for_each(|answer| self.counts.add(answer));
        self.place = end;
        if end == total {
            text.extend_from_slice((self.counts.to_json() + "\n").as_bytes());
            self.counts.count_into(self.app.metrics());
            self.place = total + 1;
        }
        Ok(Some(Bytes::from(text)))
    }
}

/// Bytes that hold the longest word with its quotes and a separator.
const PADDED: usize = 32;

/// A word in quotes, with a separator, in a piece of a fixed length: those are copied at once.
#[derive(Clone, Copy, Debug)]
struct Word {
    bytes: [u8; PADDED],
    len: usize,
}

impl Word {
    fn new(word: &str, separator: u8) -> Self {
        let mut bytes = [0; PADDED];
        let written = [b"\"", word.as_bytes(), b"\"", &[separator]];
        let written = written.into_iter().flatten();
        let len = bytes.iter_mut().zip(written).map(|(place, byte)| *place = *byte).count();
        Self { bytes, len }
    }
}

fn write_words(text: &mut Vec<u8>, answers: impl Iterator<Item = Answer>, separator: u8) {
    let mut words = [Word::new(INVALID, separator); ANSWERS];
    let known = Reason::ALL.iter().map(|reason| reason.as_str()).chain(["allow"]);
    for (place, word) in words.iter_mut().zip(known) {
        *place = Word::new(word, separator);
    }
    for answer in answers {
        if let Some(word) = words.get(place_of(answer)) {
            text.extend_from_slice(&word.bytes);
            text.truncate(text.len() - (PADDED - word.len));
        }
    }
}

fn write_reasons(text: &mut Vec<u8>, answers: impl Iterator<Item = Answer>, separator: u8) {
    for answer in answers {
        match answer {
            None => text.extend_from_slice(b"[\"invalid\"]"),
            Some(reasons) => {
                text.push(b'[');
                for (place, reason) in reasons.iter().enumerate() {
                    text.extend_from_slice(if place == 0 { b"\"" } else { b",\"" });
                    text.extend_from_slice(reason.as_str().as_bytes());
                    text.push(b'"');
                }
                text.push(b']');
            }
        }
        text.push(separator);
    }
}

/// The place of an answer in [`Counts`].
fn place_of(answer: Answer) -> usize {
    match answer.map(Reasons::first) {
        None => UNREADABLE,
        Some(None) => ALLOW,
        Some(Some(reason)) => usize::from(reason.code()),
    }
}

impl BatchAsking {
    /// How many recipients there are, readable or not.
    fn total(&self) -> usize {
        self.recipients.len() + self.invalid.len()
    }

    /// The answers in the order of the recipients.
    fn answers(&self, reasons: &[Reasons]) -> impl Iterator<Item = Answer> {
        self.answers_at(0..self.total(), reasons)
    }

    /// The answers for some places, in order; `reasons` are those of the readable ones among them.
    fn answers_at(
        &self,
        places: Range<usize>,
        reasons: &[Reasons],
    ) -> impl Iterator<Item = Answer> {
        let mut screened = reasons.iter().copied();
        let before = self.invalid.partition_point(|at| *at < places.start);
        let mut invalid = self.invalid.iter().skip(before).peekable();
        places.map(move |place| match invalid.next_if(|at| **at == place) {
            Some(_) => None,
            None => screened.next(),
        })
    }

    /// The readable recipients at some places.
    fn recipients_at(&self, places: Range<usize>) -> &[Recipient] {
        let readable = |place: usize| place - self.invalid.partition_point(|at| *at < place);
        self.recipients.get(readable(places.start)..readable(places.end)).unwrap_or_default()
    }

    /// Writes answers, each followed by the separator.
    fn write(&self, text: &mut Vec<u8>, answers: impl Iterator<Item = Answer>, separator: u8) {
        match self.detail {
            Detail::Compact => write_words(text, answers, separator),
            Detail::Reasons => write_reasons(text, answers, separator),
        }
    }
}

impl Counts {
    fn add(&mut self, answer: Answer) {
        if let Some(times) = self.0.get_mut(place_of(answer)) {
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

    /// The sum as a JSON text.
    fn to_json(&self) -> String {
        serde_json::to_string(&self.summary()).unwrap_or_default()
    }

    /// Counts the answers into the metrics.
    pub(crate) fn count_into(&self, metrics: &Metrics) {
        let [.., allowed, invalid] = self.0;
        for (word, times) in self.denied().chain([("allow", allowed), (INVALID, invalid)]) {
            metrics.count_answers(word, times);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_fits_its_piece() {
        for word in Reason::ALL.iter().map(|reason| reason.as_str()).chain(["allow", INVALID]) {
            let written = Word::new(word, b',');
            assert_eq!(written.bytes.get(..written.len), Some(format!("\"{word}\",").as_bytes()));
        }
    }
}
