//! What the targets share: credentials of nobody, and calls that pass for their provider's, since
//! only a verified call is parsed.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sayso_channels::credentials::{HookToken, Secret};
use sayso_channels::{gupshup, kannel, meta, twilio};
use sayso_core::phone::PhoneBook;
use sha1::Sha1;
use sha2::Sha256;

/// The token of every hook here.
pub const TOKEN: &str = "token-of-nobody-0";

/// The URL of every hook here.
pub const HOOK: &str = "https://h.example/hooks/con_1";

const SECRET: &str = "secret-of-nobody";

thread_local!(static BOOK: LazyCell<PhoneBook> = const { LazyCell::new(PhoneBook::builtin) });

/// The numbering plans, compiled once.
pub fn book() -> PhoneBook {
    BOOK.with(|book| (**book).clone())
}

fn secret() -> Secret {
    Secret::parse(SECRET).expect("a secret")
}

fn token() -> HookToken {
    HookToken::parse(TOKEN).expect("a token")
}

/// A connection to Meta.
pub fn meta_credentials() -> meta::Credentials {
    meta::Credentials {
        app_secret: secret(),
        verify_token: secret(),
        access_token: secret(),
        base_url: meta::default_base_url(),
    }
}

/// A connection to Gupshup.
pub fn gupshup_credentials() -> gupshup::Credentials {
    gupshup::Credentials {
        api_key: secret(),
        app: gupshup::AppName::parse("DemoApp").expect("a name"),
        hook_token: token(),
        base_url: gupshup::default_base_url(),
    }
}

/// A connection to Twilio.
pub fn twilio_credentials() -> twilio::Credentials {
    twilio::Credentials {
        account: twilio::AccountSid::parse("AC00000000000000000000000000000000").expect("an id"),
        auth_token: secret(),
        base_url: twilio::default_base_url(),
    }
}

/// A connection to Kannel.
pub fn kannel_credentials() -> kannel::Credentials {
    kannel::Credentials {
        username: secret(),
        password: secret(),
        hook_token: token(),
        base_url: kannel::default_base_url(),
    }
}

/// Meta's header for a body.
pub fn meta_signature(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(body);
    let hex: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

/// Twilio's header for a URL and a form.
pub fn twilio_signature(url: &str, form: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()).expect("any key");
    mac.update(url.as_bytes());
    let pairs: BTreeSet<_> = form_urlencoded::parse(form).collect();
    for (name, value) in pairs {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}
