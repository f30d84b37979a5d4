//! Credentials of nobody, calls signed by a second implementation, and a stable text of every event.

#![expect(clippy::unwrap_used, reason = "test code")]

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sayso_channels::call::{Call, Malformed, Method, Unverified, Verified};
use sayso_channels::connection::{Connection, Provider};
use sayso_channels::credentials::{BaseUrl, HookToken, Secret};
use sayso_channels::failure::Failure;
use sayso_channels::inbound::{
    Choice, MessageNames, MessageState, Place, ProviderEvent, TemplateChange, Written,
};
use sayso_channels::party::{Numbers, Party};
use sayso_channels::{gupshup, kannel, meta, twilio};
use sayso_core::address::Address;
use sayso_core::address::phone::PhoneBook;
use sayso_core::time::ClaimedTime;
use sayso_core::words::channel::Category;
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(crate) const TOKEN: &str = "token-of-nobody-0";
pub(crate) const APP_SECRET: &str = "app-secret-of-nobody";
pub(crate) const AUTH_TOKEN: &str = "token-of-nobody";
pub(crate) const HOOK: &str = "https://h.example/hooks/con_1";
pub(crate) const JSON: &[u8] = b"application/json";
pub(crate) const FORM: &[u8] = b"application/x-www-form-urlencoded";

thread_local!(static BOOK: PhoneBook = PhoneBook::builtin());

pub(crate) fn book() -> PhoneBook {
    BOOK.with(PhoneBook::clone)
}

fn secret(text: &str) -> Secret {
    Secret::parse(text).unwrap()
}

pub(crate) fn meta_credentials() -> meta::Credentials {
    meta::Credentials {
        app_secret: secret(APP_SECRET),
        verify_token: secret("word-of-nobody"),
        access_token: secret("EAAofnobody"),
        base_url: meta::default_base_url(),
    }
}

pub(crate) fn gupshup_credentials() -> gupshup::Credentials {
    gupshup::Credentials {
        api_key: secret("key-of-nobody"),
        app: gupshup::AppName::parse("DemoApp").unwrap(),
        hook_token: HookToken::parse(TOKEN).unwrap(),
        base_url: gupshup::default_base_url(),
    }
}

pub(crate) fn twilio_credentials() -> twilio::Credentials {
    twilio::Credentials {
        account: twilio::AccountSid::parse(&format!("AC{}", "0".repeat(32))).unwrap(),
        auth_token: secret(AUTH_TOKEN),
        base_url: twilio::default_base_url(),
    }
}

pub(crate) fn kannel_credentials() -> kannel::Credentials {
    kannel::Credentials {
        username: secret("nobody"),
        password: secret("a word & more"),
        hook_token: HookToken::parse(TOKEN).unwrap(),
        base_url: BaseUrl::parse("http://127.0.0.1:13013").unwrap(),
    }
}

/// HMAC as RFC 2104 writes it: the second implementation that ours is held to.
pub(crate) fn hmac<D: Digest>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 { D::digest(key).to_vec() } else { key.to_vec() };
    block.resize(64, 0);
    let padded = |pad: u8| block.iter().map(|byte| byte ^ pad).collect::<Vec<_>>();
    let inner = D::digest([padded(0x36), message.to_vec()].concat());
    D::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

pub(crate) fn meta_signature(body: &[u8]) -> String {
    format!("sha256={}", hex(&hmac::<Sha256>(APP_SECRET.as_bytes(), body)))
}

/// Twilio's signature of a URL and a form, straight from its description.
pub(crate) fn twilio_signature(url: &str, form: &[u8]) -> String {
    let pairs: BTreeSet<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let signed = pairs.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    STANDARD.encode(hmac::<Sha1>(AUTH_TOKEN.as_bytes(), signed.as_bytes()))
}

pub(crate) const PROVIDERS: [&str; 4] = ["meta", "gupshup", "twilio", "kannel"];

pub(crate) fn connection(provider: &str) -> Connection {
    match Provider::parse(provider).unwrap() {
        Provider::Meta => Connection::Meta(meta_credentials()),
        Provider::Gupshup => Connection::Gupshup(gupshup_credentials()),
        Provider::Twilio => Connection::Twilio(twilio_credentials()),
        Provider::Kannel => Connection::Kannel(kannel_credentials()),
        Provider::Sandbox | Provider::Smtp => unreachable!("{provider} has no calls"),
    }
}

pub(crate) fn verify<'a>(provider: &str, call: &Call<'a>) -> Result<Verified<'a>, Unverified> {
    connection(provider).verify(call)
}

/// Reads a body or query as a call that its provider signed.
pub(crate) fn read(
    provider: &str,
    method: Method,
    query: &str,
    body: &[u8],
) -> Result<Vec<ProviderEvent>, Malformed> {
    let book = book();
    let is_json = body.first() == Some(&b'{');
    let url = match provider {
        "gupshup" | "kannel" => format!("{HOOK}?token={TOKEN}&{query}"),
        _ if is_json => format!("{HOOK}?bodySHA256={}", hex(&Sha256::digest(body))),
        _ => format!("{HOOK}?{query}"),
    };
    let signed = if is_json { b"" } else { body };
    let (meta_header, twilio_header) = (meta_signature(body), twilio_signature(&url, signed));
    let kind = if is_json { JSON } else { FORM };
    let headers = [
        ("content-type", kind),
        ("x-hub-signature-256", meta_header.as_bytes()),
        ("x-twilio-signature", twilio_header.as_bytes()),
    ];
    let call = Call { method, url: &url, headers: &headers, body };
    connection(provider).receive(&call, &Numbers::international(&book)).unwrap()
}

/// What is read in a call, one line a fact; what is absent has no line.
pub(crate) fn render(events: &Result<Vec<ProviderEvent>, Malformed>) -> String {
    match events {
        Err(fault) => format!("refused: {fault}\n"),
        Ok(events) if events.is_empty() => "no event\n".to_owned(),
        Ok(events) => events.iter().map(render_event).collect::<Vec<_>>().join("\n"),
    }
}

/// A page of lines under a heading.
struct Page(String);

impl Page {
    fn new(heading: &str) -> Self {
        Self(format!("{heading}\n"))
    }

    fn line(mut self, name: &str, value: Option<impl AsRef<str>>) -> Self {
        if let Some(value) = value.filter(|value| !value.as_ref().is_empty()) {
            writeln!(self.0, "  {name}: {}", value.as_ref()).unwrap();
        }
        self
    }
}

fn render_event(event: &ProviderEvent) -> String {
    let page = match event {
        ProviderEvent::Wrote(wrote) => content(Page::new("wrote"), &wrote.content)
            .line("channel", Some(wrote.channel.as_str()))
            .line("message", wrote.message_id.as_ref())
            .line(
                "asides",
                Some(wrote.asides.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join(" ")),
            )
            .line("place", Some(place(wrote.place)))
            .line("from", Some(party(&wrote.from)))
            .line("sender", wrote.sender.as_ref())
            .line("sender group", wrote.sender_group.as_ref())
            .line("reply to", wrote.reply_to.as_ref())
            .line("referral", wrote.referral.as_ref())
            .line("at", wrote.occurred_at.map(time))
            .line("handled by the provider", wrote.handled_by_provider.map(|it| format!("{it:?}"))),
        ProviderEvent::Reported(reported) => Page::new("reported")
            .line("channel", Some(reported.channel.as_str()))
            .line("message", Some(names(&reported.message)))
            .line("sender", reported.sender.as_ref())
            .line("sender group", reported.sender_group.as_ref())
            .line("to", reported.to.as_ref().map(party))
            .line("state", Some(state(&reported.state)))
            .line("at", reported.occurred_at.map(time)),
        ProviderEvent::Prefers(prefers) => Page::new("prefers")
            .line("channel", Some(prefers.channel.as_str()))
            .line("who", Some(party(&prefers.who)))
            .line("sender", prefers.sender.as_ref())
            .line("sender group", prefers.sender_group.as_ref())
            .line("choice", Some(choice(&prefers.choice)))
            .line("category", prefers.category.map(Category::as_str))
            .line("at", prefers.occurred_at.map(time)),
        ProviderEvent::SenderHealth(health) => Page::new("sender health")
            .line("account", health.account.as_ref())
            .line("number", health.number.as_ref())
            .line("health", health.health.map(|health| format!("{health:?}")))
            .line("limit", health.limit.as_ref())
            .line("words", Some(health.words.join(" ")))
            .line("until", health.until.map(time))
            .line("at", health.occurred_at.map(time)),
        ProviderEvent::TemplateChanged(changed) => Page::new("template changed")
            .line("account", changed.account.as_ref())
            .line("id", changed.template_id.as_ref())
            .line("name", changed.name.as_ref())
            .line("language", changed.language.as_ref())
            .line("change", Some(change(&changed.change)))
            .line("at", changed.occurred_at.map(time)),
        ProviderEvent::NumberChanged(changed) => Page::new("number changed")
            .line("channel", Some(changed.channel.as_str()))
            .line("sender", changed.sender.as_ref())
            .line("old", Some(party(&changed.old)))
            .line("new", Some(party(&changed.new)))
            .line("at", changed.occurred_at.map(time)),
        ProviderEvent::Named(named) => Page::new("named")
            .line("channel", Some(named.channel.as_str()))
            .line("who", Some(party(&named.who)))
            .line("at", named.occurred_at.map(time)),
        ProviderEvent::Unknown { kind, raw } => {
            let raw = String::from_utf8_lossy(raw);
            let squeezed = raw.split_whitespace().collect::<Vec<_>>().join(" ");
            Page::new("unknown").line("kind", Some(kind)).line("raw", Some(squeezed))
        }
    };
    page.0
}

fn content(page: Page, content: &Written) -> Page {
    match content {
        Written::Text(text) => page.line("text", Some(format!("{text:?}"))),
        Written::Answer { payload, title } => page
            .line("answer", Some(format!("{payload:?}")))
            .line("title", title.as_ref().map(|title| format!("{title:?}"))),
        Written::Contact { own_phone } => {
            let own = own_phone.map(|phone| phone.to_string());
            page.line("contact", Some(own.unwrap_or_else(|| "of somebody".to_owned())))
        }
        Written::Other { kind, caption } => page
            .line("other", Some(kind))
            .line("caption", caption.as_ref().map(|caption| format!("{caption:?}"))),
        Written::Lost { kind } => page.line("lost", Some(kind)),
    }
}

/// Where a message was written, if not in the chat.
fn place(place: Place) -> &'static str {
    match place {
        Place::Chat => "",
        Place::Aside => "aside",
        Place::Past => "past",
    }
}

fn party(party: &Party) -> String {
    let show = |address| match address {
        Address::Phone(phone) => phone.to_string(),
        Address::ChannelId(id) => id.as_str().to_owned(),
        Address::Email(_) | Address::ExternalId(_) => unreachable!("no provider names one"),
    };
    let mut shown: Vec<String> = party.addresses().map(show).collect();
    if shown.len() > 1 {
        shown.push("(one account)".to_owned());
    }
    shown.extend(party.name().map(|name| format!("{name:?}")));
    shown.join(" ")
}

fn names(message: &MessageNames) -> String {
    let named = |name, id: Option<&str>| id.map(|id| format!("{name} {id}"));
    [
        named("provider", message.provider()),
        named("platform", message.platform()),
        named("ours", message.ours()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

fn state(state: &MessageState) -> String {
    match state {
        MessageState::Failed(failure) => format!("failed: {}", describe(failure)),
        MessageState::Accepted
        | MessageState::Sent
        | MessageState::Delivered
        | MessageState::Read => format!("{state:?}").to_lowercase(),
    }
}

pub(crate) fn describe(failure: &Failure) -> String {
    format!("{} [{}] {}", failure.meaning, failure.code, failure.reason)
}

fn choice(choice: &Choice) -> String {
    match choice {
        Choice::Stop => "stop".to_owned(),
        Choice::Resume => "resume".to_owned(),
        Choice::SignUp { page } => format!("sign up {}", page.as_deref().unwrap_or("-")),
        Choice::OptIn => "opt in".to_owned(),
        Choice::OptOut => "opt out".to_owned(),
    }
}

fn change(change: &TemplateChange) -> String {
    let category = |category: &Option<Category>| category.map_or("-", |category| category.as_str());
    match change {
        TemplateChange::Status { status, category: of, reason } => {
            format!(
                "status {status}, category {}, {}",
                category(of),
                reason.as_deref().unwrap_or("-")
            )
        }
        TemplateChange::Category { old, new } => format!("category {} to {new}", category(old)),
        TemplateChange::CategoryAnnounced { now, then } => {
            format!("category will be {then}, is {}", category(now))
        }
        TemplateChange::Quality { old, new } => {
            format!("quality {} to {new}", old.as_deref().unwrap_or("-"))
        }
    }
}

fn time(time: ClaimedTime) -> String {
    format!("{} to {}", time.first(), time.last())
}
