//! What providers call us with, and what they answer. The calls pass for their provider's by credentials
//! of nobody, since only a verified call is parsed.

use std::collections::BTreeSet;
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sayso_channels::call::{Call, Method};
use sayso_channels::credentials::{HookToken, Secret};
use sayso_channels::outbound::{Answer, HandOver};
use sayso_channels::party::Numbers;
use sayso_channels::smtp::{self, Stage};
use sayso_channels::{
    gupshup as of_gupshup, kannel as of_kannel, meta as of_meta, twilio as of_twilio,
};
use sha1::Sha1;
use sha2::Sha256;

use crate::{book, halves};

/// The token of every hook here.
const TOKEN: &str = "token-of-nobody-0";

/// The URL of every hook here.
const HOOK: &str = "https://h.example/hooks/con_1";

const SECRET: &str = "secret-of-nobody";

const FORM: &[u8] = b"application/x-www-form-urlencoded";

/// Any body that Meta could sign; and the same bytes as its signature.
pub(crate) fn meta(body: &[u8]) {
    let credentials = meta_credentials();
    let signature = meta_signature(body);
    let headers = [("x-hub-signature-256", signature.as_bytes())];
    let call = Call { method: Method::Post, url: HOOK, headers: &headers, body };
    let verified = of_meta::verify(&call, &credentials).expect("its own signature");
    let _ = of_meta::parse(&verified, &book());
    let headers = [("x-hub-signature-256", body)];
    let forged = Call { headers: &headers, body: b"", ..call };
    assert!(of_meta::verify(&forged, &credentials).is_err(), "bytes that nobody signed");
    let Ok(url) = str::from_utf8(body) else { return };
    let question = Call { method: Method::Get, url, headers: &[], body: b"" };
    // The handshake gives back what was sent, to whoever knows the token; it is not among these bytes.
    assert!(url.contains("nobody") || of_meta::handshake(&question, &credentials).is_err());
}

/// Any body behind the token of a hook of Gupshup's.
pub(crate) fn gupshup(body: &[u8]) {
    let url = format!("{HOOK}?token={TOKEN}");
    let call = Call { method: Method::Post, url: &url, headers: &[], body };
    let verified = of_gupshup::verify(&call, &gupshup_credentials()).expect("its own token");
    let _ = of_gupshup::parse(&verified, &book());
}

/// Any file given for a list of Gupshup's users; and any row of one.
pub(crate) fn gupshup_users(bytes: &[u8]) {
    let _ = of_gupshup::users::parse(bytes, &book());
    let _ = of_gupshup::users::read_user_of(bytes, &book());
    let answer = Answer { status: 200, retry_after: None, body: bytes };
    let _ = of_gupshup::users::read_list(&answer, &book());
}

/// Any form that Twilio could sign, any query, and any header given for its signature.
pub(crate) fn twilio(bytes: &[u8]) {
    let credentials = twilio_credentials();
    let signature = twilio_signature(HOOK, bytes);
    let headers = [("content-type", FORM), ("x-twilio-signature", signature.as_bytes())];
    let call = Call { method: Method::Post, url: HOOK, headers: &headers, body: bytes };
    // More parameters than are hashed for a stranger are refused, signed or not.
    if let Ok(verified) = of_twilio::verify(&call, &credentials) {
        let _ = of_twilio::parse(&verified, &Numbers::international(&book()));
    }
    if let Ok(url) = str::from_utf8(bytes) {
        let signature = twilio_signature(url, b"");
        let headers = [("x-twilio-signature", signature.as_bytes())];
        let call = Call { method: Method::Get, url, headers: &headers, body: b"" };
        if let Ok(verified) = of_twilio::verify(&call, &credentials) {
            let _ = of_twilio::parse(&verified, &Numbers::international(&book()));
        }
    }
    let headers = [("content-type", FORM), ("x-twilio-signature", bytes)];
    let forged = Call { headers: &headers, ..call };
    assert!(of_twilio::verify(&forged, &credentials).is_err(), "bytes that nobody signed");
}

/// Any query behind the token of a hook of Kannel's.
pub(crate) fn kannel(bytes: &[u8]) {
    let Ok(query) = str::from_utf8(bytes) else { return };
    // What stands behind a `#` is no query.
    let query = query.replace('#', "");
    let url = format!("{HOOK}?token={TOKEN}&{query}");
    let call = Call { method: Method::Get, url: &url, headers: &[], body: b"" };
    let verified = of_kannel::verify(&call, &kannel_credentials()).expect("its own token");
    let _ = of_kannel::parse(&verified, &Numbers::international(&book()));
}

/// Any answer of any provider to a send: two bytes of status, how long to wait up to the first line end,
/// then the body.
pub(crate) fn answers(bytes: &[u8]) {
    let Some(([one, other], rest)) = bytes.split_first_chunk() else { return };
    let status = u16::from_be_bytes([*one, *other]);
    let (retry_after, body) = halves(rest);
    let answer = Answer { status, retry_after: Some(retry_after), body };
    let _ = of_meta::read_qr_link(&answer);
    for read in [
        of_meta::read_answer,
        of_gupshup::read_answer,
        of_twilio::read_answer,
        of_kannel::read_answer,
    ] {
        let is_accepted = matches!(read(&answer), HandOver::Accepted { .. });
        assert!(!is_accepted || (200..300).contains(&status), "only success is success");
    }
}

/// Any reply of a relay that is no success, at any stage: a byte for the stage, two for the code, then its
/// words.
pub(crate) fn smtp_replies(bytes: &[u8]) {
    let Some(([stage, one, other], words)) = bytes.split_first_chunk() else { return };
    let stages = [Stage::Opening, Stage::LogIn, Stage::Sender, Stage::Recipient, Stage::Text];
    let stage = stages[usize::from(*stage) % stages.len()];
    let code = u16::from_be_bytes([*one, *other]) % 1_000;
    let read = smtp::read_refusal(stage, code, &String::from_utf8_lossy(words));
    match read {
        HandOver::Accepted { .. } => panic!("a refusal is no success"),
        HandOver::Refused(_) => {
            assert!((500..600).contains(&code) && !stage.is_before_message());
        }
        HandOver::TryLater { .. } => assert!((400..600).contains(&code)),
        HandOver::Unknown { .. } => assert!(!(400..600).contains(&code)),
    }
}

fn secret() -> Secret {
    Secret::parse(SECRET).expect("a secret")
}

fn token() -> HookToken {
    HookToken::parse(TOKEN).expect("a token")
}

/// A connection to Meta.
fn meta_credentials() -> of_meta::Credentials {
    of_meta::Credentials {
        app_secret: secret(),
        verify_token: secret(),
        access_token: secret(),
        base_url: of_meta::default_base_url(),
    }
}

/// A connection to Gupshup.
fn gupshup_credentials() -> of_gupshup::Credentials {
    of_gupshup::Credentials {
        api_key: secret(),
        app: of_gupshup::AppName::parse("DemoApp").expect("a name"),
        hook_token: token(),
        base_url: of_gupshup::default_base_url(),
    }
}

/// A connection to Twilio.
fn twilio_credentials() -> of_twilio::Credentials {
    of_twilio::Credentials {
        account: of_twilio::AccountSid::parse("AC00000000000000000000000000000000").expect("an id"),
        auth_token: secret(),
        base_url: of_twilio::default_base_url(),
    }
}

/// A connection to Kannel.
fn kannel_credentials() -> of_kannel::Credentials {
    of_kannel::Credentials {
        username: secret(),
        password: secret(),
        hook_token: token(),
        base_url: of_kannel::default_base_url(),
    }
}

/// Meta's header for a body.
fn meta_signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(body);
    let mut signature = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        write!(signature, "{byte:02x}").expect("a text takes every text");
    }
    signature
}

/// Twilio's header for a URL and a form.
fn twilio_signature(url: &str, form: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(url.as_bytes());
    let pairs: BTreeSet<_> = form_urlencoded::parse(form).collect();
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
