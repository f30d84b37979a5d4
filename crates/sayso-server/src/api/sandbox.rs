//! `/v1/sandbox/phone`: the simulated phones of the provider `sandbox`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use sayso_channels::inbound::{self, Written, Wrote};
use sayso_channels::party::{Numbers, Party};
use sayso_core::address::Address;
use sayso_core::words::channel::Provider;
use sayso_core::workspace::Mode;
use sayso_plan::draft::Subject;
use sayso_store::look_up::LookedUp;
use sayso_store::message::Payload;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::app::sandbox::{Arrived, Behavior, Phone};
use crate::body::address::{AddressFields, Care, Place, Reading};
use crate::body::texts::{ClaimedTimeText, SenderIdText, texts};
use crate::body::{Asked, Faults, Sent, json_object};
use crate::caller::{Caller, Configure, Read, Write};
use crate::heard::inbound::take_words;
use crate::looking::LookingUp;
use crate::problem::{Code, Problem};

texts! {
    /// What becomes of messages to a simulated phone: they arrive; are taken and do not arrive; are refused; get no answer; are not taken now.
    BehaviorText(Behavior) = Behavior::parse, UnknownWord, "delivers", Some(&["delivers", "loses", "refuses", "silent", "busy"]);
}

json_object! {
    /// Which simulated phone or mailbox.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    PhoneQuery {
        /// A telephone number.
        #[param(example = "+14155550123")]
        phone: String,
        /// An email address.
        email: String,
    }
}

json_object! {
    /// How a simulated phone behaves.
    #[derive(ToSchema)]
    PhoneRequest {
        /// What becomes of messages to it; `delivers` if absent.
        behavior: BehaviorText,
        /// How long the hand-over of a message to it takes, in milliseconds, at most 60,000; 0 if absent.
        #[schema(example = 0, maximum = 60_000)]
        delay_ms: u32,
    }
}

json_object! {
    /// What a person writes on a simulated phone.
    #[derive(ToSchema)]
    WriteRequest {
        /// To which sender. Required; it has a connection to the sandbox.
        sender: SenderIdText,
        /// The words. Required.
        #[schema(example = "Stop. Thank you")]
        text: String,
        /// The id of the message: the same again is the same message. A new one if absent.
        #[schema(example = "m-1")]
        message_id: String,
        /// When it was written, as the provider would say; now if absent.
        occurred_at: ClaimedTimeText,
    }
}

/// How a message of a person was understood.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Understood)]
pub(crate) struct UnderstoodAnswer {
    /// `stop`, `stop_topic`, `start`, `help`, `yes`, `no`, `unclear` or `nothing`.
    #[schema(example = "stop")]
    reading: &'static str,
    /// Why it was read so.
    #[schema(example = "courtesy")]
    because: &'static str,
    /// The rule that they follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "rul_01jd6m9k3te5b8r5v3x5y6z7w8")]
    rule: Option<String>,
    /// The message that answers it, if one was queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "msg_01jd6m9k3te5b8r5v3x5y6z7w8")]
    reply: Option<String>,
}

/// A simulated phone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SandboxPhone)]
pub(crate) struct PhoneAnswer {
    /// What becomes of messages to it.
    #[schema(example = "delivers")]
    behavior: &'static str,
    /// How long the hand-over of a message to it takes, in milliseconds.
    delay_ms: u64,
    /// What arrived, the newest first; at most 100.
    messages: Vec<ArrivedView>,
}

/// A message that arrived on a simulated phone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ArrivedMessage)]
pub(crate) struct ArrivedView {
    /// Its id.
    #[schema(example = "msg_01jd6m9k3te5b8r5v3x5y6z7w8")]
    id: String,
    /// The channel it came by.
    #[schema(example = "sms")]
    channel: &'static str,
    /// Who sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The subject of an email; absent in a live workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// What it says; of a template its name and variables. Absent in a live workspace: its messages may hold
    /// codes and links that prove an address, and whoever reads them here need not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Your order is ready.")]
    text: Option<String>,
    /// The words of its buttons.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    buttons: Vec<String>,
    /// When it arrived.
    at: String,
}

/// The longest delay, in milliseconds: far more than a provider takes.
const DELAY_MS_MAX: u32 = 60_000;

/// Reads a simulated phone: what arrived there.
///
/// In a live workspace the words of messages are not shown, only that they arrived.
#[utoipa::path(
    get, path = "/v1/sandbox/phone", tag = "Sandbox", operation_id = "get_sandbox_phone",
    params(PhoneQuery),
    responses((status = 200, description = "The phone. One that nobody wrote to is empty.", body = PhoneAnswer)),
    security(("api_key" = ["read"])),
)]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller<Read>,
    looking: LookingUp,
    asked: Asked<PhoneQuery>,
) -> Result<Json<PhoneAnswer>, Problem> {
    let Asked { request, faults } = asked;
    let address = address(&app, request, faults)?;
    let key = address.key(&caller.workspace().secret);
    looking.note(&app, &caller, vec![LookedUp::Address(key)]).await?;
    let phone = app.sandbox().phone(caller.workspace().id, key);
    Ok(Json(PhoneAnswer::of(&phone, caller.workspace().mode)))
}

/// Tells a simulated phone how to behave.
#[utoipa::path(
    put, path = "/v1/sandbox/phone", tag = "Sandbox", operation_id = "put_sandbox_phone",
    params(PhoneQuery),
    request_body(content = PhoneRequest, description = "How it behaves."),
    responses((status = 200, description = "The phone.", body = PhoneAnswer)),
    security(("api_key" = ["configure"])),
)]
pub(crate) async fn put(
    State(app): State<Arc<App>>,
    caller: Caller<Configure>,
    looking: LookingUp,
    asked: Asked<PhoneQuery>,
    sent: Sent<PhoneRequest>,
) -> Result<Json<PhoneAnswer>, Problem> {
    let address = address(&app, asked.request, asked.faults)?;
    let Sent { request, mut faults } = sent;
    let delay_ms = request.delay_ms.unwrap_or(0);
    if delay_ms > DELAY_MS_MAX {
        let fault = format!("is more than {DELAY_MS_MAX}");
        faults.note_with_example("/delay_ms", Code::InvalidValue, fault, "500");
    }
    let behavior = request.behavior.map(|BehaviorText(behavior)| behavior).unwrap_or_default();
    faults.settle(Some(()))?;
    let place = (caller.workspace().id, address.key(&caller.workspace().secret));
    looking.note(&app, &caller, vec![LookedUp::Address(place.1)]).await?;
    let delay = Duration::from_millis(u64::from(delay_ms));
    if !app.sandbox().tell(place, behavior, delay) {
        return Err(Problem::new(Code::LimitReached).detail("SANDBOX_PHONES_MAX is reached"));
    }
    let phone = app.sandbox().phone(place.0, place.1);
    Ok(Json(PhoneAnswer::of(&phone, caller.workspace().mode)))
}

/// Writes as the person with a simulated phone.
///
/// It is taken in as a provider's call would be: recorded, obeyed, answered. Test workspaces only: it
/// would be an act of the person.
#[utoipa::path(
    post, path = "/v1/sandbox/phone/messages", tag = "Sandbox", operation_id = "write_from_sandbox_phone",
    params(PhoneQuery),
    request_body(content = WriteRequest, description = "The words, and to whom."),
    responses((status = 201, description = "What the words were read as; all that follows from them is recorded.", body = UnderstoodAnswer)),
    security(("api_key" = ["write"])),
)]
pub(crate) async fn write(
    State(app): State<Arc<App>>,
    caller: Caller<Write>,
    asked: Asked<PhoneQuery>,
    sent: Sent<WriteRequest>,
) -> Result<(StatusCode, Json<UnderstoodAnswer>), Problem> {
    let address = address(&app, asked.request, asked.faults)?;
    let Sent { request, mut faults } = sent;
    let workspace = caller.workspace();
    let sender = request.sender.map(|SenderIdText(sender)| sender);
    let sender = faults.require("/sender", sender, "snd_01jd6m9k3te5b8r5v3x5y6z7w8");
    let text = faults.require("/text", request.text, "Stop. Thank you");
    if workspace.mode != Mode::Test {
        let fault = "is of a live workspace, whose people write by their own phones";
        faults.note("/sender", Code::InvalidValue, fault);
    }
    let ours = sender.and_then(|id| {
        let sender = workspace.senders.get(&id).filter(|it| it.deleted_at.is_none())?;
        let connection = sender.connection?;
        let provider = workspace.connections.get(&connection)?.provider;
        (provider == Provider::Sandbox).then_some((sender, connection))
    });
    if sender.is_some() && ours.is_none() {
        faults.note("/sender", Code::SenderUnconnected, "has no connection to the sandbox");
    }
    let phone = address_text(&address);
    let book = Numbers::international(app.phones());
    let from = phone.as_deref().and_then(|phone| Party::of_number(phone, None, &book));
    if from.is_none() {
        faults.note("?phone", Code::InvalidPhone, "is needed: only simulated phones write");
    }
    let known = text.zip(ours).zip(from);
    let ((text, (sender, connection)), from) = faults.settle(known)?;
    let fresh = || {
        format!(
            "sandbox-{}",
            app.environment().random::<4>().map(|byte| format!("{byte:02x}")).concat()
        )
    };
    let wrote = Wrote {
        channel: sender.channel,
        message_id: Some(request.message_id.unwrap_or_else(fresh)),
        from,
        sender: Some(sender.address.to_string()),
        sender_group: None,
        place: inbound::Place::Chat,
        content: Written::Text(text),
        asides: Vec::new(),
        reply_to: None,
        referral: None,
        occurred_at: request.occurred_at.map(|ClaimedTimeText(at)| at),
        handled_by_provider: None,
    };
    let understood = take_words(&app, workspace, connection, &wrote).await?;
    let heard = understood.heard.ok_or_else(|| Problem::new(Code::Internal))?;
    let answer = UnderstoodAnswer {
        reading: heard.reading.as_str(),
        because: heard.because.as_str(),
        rule: understood.rule.map(|id| id.to_string()),
        reply: understood.reply.map(|id| id.to_string()),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn address_text(address: &Address) -> Option<String> {
    match address {
        Address::Phone(phone) => Some(phone.to_string()),
        Address::Email(_) | Address::ChannelId(_) | Address::ExternalId(_) => None,
    }
}

fn address(app: &App, query: PhoneQuery, mut faults: Faults) -> Result<Address, Problem> {
    let reading =
        Reading { phones: app.phones(), region: None, care: Care::Possible, place: Place::Query };
    let fields =
        AddressFields { phone: query.phone, email: query.email, ..AddressFields::default() };
    let subject = fields.settle(&reading, &mut faults);
    match faults.settle(subject)? {
        Subject::Address(address) => Ok(address),
        Subject::Hash(_) | Subject::Key(_) => Err(Problem::new(Code::Internal)),
    }
}

impl PhoneAnswer {
    fn of(phone: &Phone, mode: Mode) -> Self {
        Self {
            behavior: phone.behavior.as_str(),
            delay_ms: u64::try_from(phone.delay.as_millis()).unwrap_or(u64::MAX),
            messages: phone
                .messages
                .iter()
                .rev()
                .map(|arrived| ArrivedView::of(arrived, mode))
                .collect(),
        }
    }
}

impl ArrivedView {
    fn of(arrived: &Arrived, mode: Mode) -> Self {
        let shown = mode == Mode::Test;
        let text = match &arrived.payload {
            Payload::Text(text) | Payload::Email { text, .. } | Payload::Question { text, .. } => {
                text.to_string()
            }
            Payload::Template { name, variables, .. } => {
                [std::slice::from_ref(name), variables.as_slice()].concat().join(" ")
            }
        };
        let buttons = match &arrived.payload {
            Payload::Question { yes, no, .. } => vec![yes.to_string(), no.to_string()],
            Payload::Text(_) | Payload::Email { .. } | Payload::Template { .. } => Vec::new(),
        };
        let subject = match &arrived.payload {
            Payload::Email { subject, .. } => Some(subject.to_string()),
            Payload::Text(_) | Payload::Template { .. } | Payload::Question { .. } => None,
        };
        Self {
            id: arrived.id.to_string(),
            channel: arrived.channel.as_str(),
            sender: arrived.sender.map(|sender| sender.to_string()),
            subject: subject.filter(|_| shown),
            text: shown.then_some(text),
            buttons,
            at: arrived.at.to_string(),
        }
    }
}
