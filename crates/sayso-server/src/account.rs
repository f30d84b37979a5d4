//! The credentials of a connection: what each provider needs, and the account that they make.
//!
//! This is the one place where stored texts become an account; both sending and the hooks ask here, so
//! what one accepts the other does too. No credential is ever shown again.

use std::fmt::Display;
use std::net::IpAddr;

use reqwest::Url;
use sayso_channels::connection::Connection as HttpAccount;
use sayso_channels::credentials::{BaseUrl, BaseUrlFault, HookToken, Secret};
use sayso_channels::{gupshup, kannel, meta, smtp, twilio};
use sayso_core::words::channel::Provider;
use sayso_core::workspace::Connection;
use thiserror::Error;

use crate::outgoing::is_localhost;
use crate::outgoing::place::Place;

/// The name of the token in the URL of a hook whose provider signs nothing.
pub(crate) const HOOK_TOKEN: &str = "hook_token";
/// The name of the place where a provider's API is.
pub(crate) const BASE_URL: &str = "base_url";

/// The name of the host of a relay.
pub(crate) const HOST: &str = "host";
/// The name of the port of a relay.
pub(crate) const PORT: &str = "port";
/// The name of how a relay is spoken with.
pub(crate) const TLS: &str = "tls";

/// The credentials that say where the others go.
pub(crate) const PLACES: [&str; 4] = [BASE_URL, HOST, PORT, TLS];

/// An account by which messages go.
#[derive(Debug)]
pub(crate) enum Account {
    /// At a provider that is called by HTTP, and calls us.
    Http(HttpAccount),
    /// At a mail relay.
    Smtp(smtp::Credentials),
}

/// Why a connection is no account at a provider.
#[derive(Debug, Error)]
pub(crate) enum NoAccount {
    /// The sandbox is inside this server.
    #[error("the sandbox has no account")]
    Sandbox,
    /// Credentials are missing or wrong.
    #[error("credentials are missing or wrong")]
    Faults(Vec<CredentialFault>),
}

/// What is wrong with one credential.
#[derive(Debug)]
pub(crate) struct CredentialFault {
    /// Its name.
    pub(crate) name: &'static str,
    /// The fault; none where it is missing.
    pub(crate) fault: Option<String>,
    /// One that would do.
    pub(crate) example: &'static str,
}

/// The names of the credentials of a provider.
pub(crate) const fn names(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Sandbox => &[],
        Provider::Meta => &["app_secret", "verify_token", "access_token", BASE_URL],
        Provider::Gupshup => &["api_key", "app", HOOK_TOKEN, BASE_URL],
        Provider::Twilio => &["account", "auth_token", BASE_URL],
        Provider::Kannel => &["username", "password", HOOK_TOKEN, BASE_URL],
        Provider::Smtp => &[HOST, PORT, TLS, "username", "password"],
    }
}

/// The account that a connection's credentials make.
///
/// # Errors
/// [`NoAccount`], with every credential that is missing or wrong.
pub(crate) fn account_of(connection: &Connection) -> Result<Account, NoAccount> {
    let mut given = Given { connection, faults: Vec::new() };
    let account = match connection.provider {
        Provider::Sandbox => return Err(NoAccount::Sandbox),
        Provider::Meta => given.meta().map(HttpAccount::Meta).map(Account::Http),
        Provider::Gupshup => given.gupshup().map(HttpAccount::Gupshup).map(Account::Http),
        Provider::Twilio => given.twilio().map(HttpAccount::Twilio).map(Account::Http),
        Provider::Kannel => given.kannel().map(HttpAccount::Kannel).map(Account::Http),
        Provider::Smtp => given.smtp().map(Account::Smtp),
    };
    account.filter(|_| given.faults.is_empty()).ok_or(NoAccount::Faults(given.faults))
}

/// Credentials under reading.
struct Given<'a> {
    connection: &'a Connection,
    faults: Vec<CredentialFault>,
}

impl Given<'_> {
    fn meta(&mut self) -> Option<meta::Credentials> {
        let app_secret = self.read("app_secret", "0f1e2d3c4b5a69788796a5b4c3d2e1f0", Secret::parse);
        let verify_token = self.read("verify_token", "a-word-of-your-own", Secret::parse);
        let access_token = self.read("access_token", "EAAGm0PX4ZCpsBO8", Secret::parse);
        Some(meta::Credentials {
            base_url: self.base_url(meta::default_base_url()),
            app_secret: app_secret?,
            verify_token: verify_token?,
            access_token: access_token?,
        })
    }

    fn gupshup(&mut self) -> Option<gupshup::Credentials> {
        let api_key = self.read("api_key", "b1f0c7e2d9a84356", Secret::parse);
        let app = self.read("app", "ShopApp", gupshup::AppName::parse);
        let hook_token = self.hook_token();
        Some(gupshup::Credentials {
            base_url: self.base_url(gupshup::default_base_url()),
            api_key: api_key?,
            app: app?,
            hook_token: hook_token?,
        })
    }

    fn twilio(&mut self) -> Option<twilio::Credentials> {
        let example = "AC00112233445566778899aabbccddeeff";
        let account = self.read("account", example, twilio::AccountSid::parse);
        let auth_token = self.read("auth_token", "ffeeddccbbaa99887766554433221100", Secret::parse);
        Some(twilio::Credentials {
            base_url: self.base_url(twilio::default_base_url()),
            account: account?,
            auth_token: auth_token?,
        })
    }

    fn kannel(&mut self) -> Option<kannel::Credentials> {
        let username = self.read("username", "sayso", Secret::parse);
        let password = self.read("password", "correct-horse-battery", Secret::parse);
        let hook_token = self.hook_token();
        Some(kannel::Credentials {
            base_url: self.base_url(kannel::default_base_url()),
            username: username?,
            password: password?,
            hook_token: hook_token?,
        })
    }

    fn smtp(&mut self) -> Option<smtp::Credentials> {
        let host = self.read(HOST, "smtp.shop.example", smtp::Host::parse);
        let tls = self.read_if_set(TLS, "implicit", smtp::Tls::parse);
        let tls = tls.unwrap_or(smtp::Tls::Implicit);
        let port = self.read_if_set(PORT, "465", smtp::Port::parse);
        let log_in = self.log_in();
        let host = host?;
        if tls == smtp::Tls::None && !is_near(host.as_str()) {
            let fault = Some("leaves the private network: use implicit or starttls".to_owned());
            self.faults.push(CredentialFault { name: TLS, fault, example: "implicit" });
        }
        Some(smtp::Credentials { host, port: port.unwrap_or(tls.usual_port()), tls, log_in })
    }

    /// With what we log in, where anything of it is given: then all of it is needed.
    fn log_in(&mut self) -> Option<smtp::LogIn> {
        let is_set = |name| self.connection.credentials.contains_key(name);
        if !is_set("username") && !is_set("password") {
            return None;
        }
        let username = self.read("username", "sayso@shop.example", Secret::parse);
        let password = self.read("password", "correct-horse-battery", Secret::parse);
        Some(smtp::LogIn { username: username?, password: password? })
    }

    fn hook_token(&mut self) -> Option<HookToken> {
        self.read(HOOK_TOKEN, "kSx3PzQ7wLm9RtY2", HookToken::parse)
    }

    fn base_url(&mut self, default: BaseUrl) -> BaseUrl {
        self.read_if_set(BASE_URL, "https://api.example", parse_base_url).unwrap_or(default)
    }

    /// Reads what may be absent; what is wrong is noted, as always.
    fn read_if_set<T, E: Display>(
        &mut self,
        name: &'static str,
        example: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let is_set = self.connection.credentials.contains_key(name);
        is_set.then(|| self.read(name, example, parse)).flatten()
    }

    fn read<T, E: Display>(
        &mut self,
        name: &'static str,
        example: &'static str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let fault = match self.connection.credentials.get(name) {
            None => None,
            Some(text) => match parse(text) {
                Ok(parsed) => return Some(parsed),
                Err(fault) => Some(fault.to_string()),
            },
        };
        self.faults.push(CredentialFault { name, fault, example });
        None
    }
}

/// Reads where a provider's API is. Secrets go there, so in clear only within a private network.
/// Whether the place may be called at all is the [guard's](crate::outgoing) to say.
fn parse_base_url(text: &str) -> Result<BaseUrl, String> {
    let url = BaseUrl::parse(text).map_err(|fault| fault.to_string())?;
    let parsed = Url::parse(url.as_str()).map_err(|_| BaseUrlFault.to_string())?;
    let host = parsed.host_str().unwrap_or_default();
    if parsed.scheme() == "http" && !is_near(host) {
        return Err("is not encrypted and leaves the private network: use https".to_owned());
    }
    Ok(url)
}

/// Whether a host is plainly within a private network.
fn is_near(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    is_localhost(host) || ip.is_ok_and(|ip| Place::of(ip) == Place::Private)
}

/// Where the relay of a connection is, if it says so.
pub(crate) fn relay_of(connection: &Connection) -> Option<(smtp::Host, smtp::Port)> {
    match account_of(connection) {
        Ok(Account::Smtp(credentials)) => Some((credentials.host, credentials.port)),
        Ok(Account::Http(_)) | Err(_) => None,
    }
}

/// Where the API of an account is that says so itself.
pub(crate) fn base_url_of(connection: &Connection) -> Option<Url> {
    connection.credentials.get(BASE_URL).and_then(|text| Url::parse(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_in_clear_only_within_a_private_network() {
        for good in [
            "https://api.example",
            "http://127.0.0.1:13013",
            "http://localhost/a",
            "http://10.0.0.7",
            "http://[::1]:1",
        ] {
            assert!(parse_base_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://api.example",
            "http://8.8.8.8",
            "http://0.0.0.0",
            "http://[fe80::1]",
            "api.example",
        ] {
            assert!(parse_base_url(bad).is_err(), "{bad}");
        }
    }

    /// A connection to a provider whose every credential is empty.
    fn empty(provider: Provider) -> Connection {
        let credentials = names(provider).iter().map(|name| (Box::from(*name), Box::from("")));
        let credentials = credentials.collect();
        Connection { name: "a".into(), provider, credentials, deleted_at: None }
    }

    fn faults(connection: &Connection) -> Vec<CredentialFault> {
        match account_of(connection) {
            Err(NoAccount::Faults(faults)) => faults,
            Err(NoAccount::Sandbox) | Ok(_) => Vec::new(),
        }
    }

    fn providers() -> impl Iterator<Item = Provider> {
        Provider::ALL.iter().copied().filter(|provider| *provider != Provider::Sandbox)
    }

    #[test]
    fn every_name_of_a_provider_is_read() {
        for provider in providers() {
            let faults = faults(&empty(provider));
            let wrong: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
            assert_eq!(wrong.len(), names(provider).len(), "{provider}: {wrong:?}");
            assert!(faults.iter().all(|fault| fault.fault.is_some()));
        }
    }

    #[test]
    fn every_example_would_do() {
        for provider in providers() {
            let mut connection = empty(provider);
            let faults = faults(&connection);
            let examples = faults.iter().map(|fault| (fault.name.into(), fault.example.into()));
            connection.credentials = examples.collect();
            assert!(account_of(&connection).is_ok(), "{provider}");
        }
    }

    fn relay(credentials: &[(&str, &str)]) -> Connection {
        let credentials = credentials.iter().map(|(name, text)| ((*name).into(), (*text).into()));
        let (provider, credentials) = (Provider::Smtp, credentials.collect());
        Connection { name: "a".into(), provider, credentials, deleted_at: None }
    }

    #[test]
    fn a_relay_is_encrypted_from_the_first_byte_where_nothing_else_is_said() {
        let place = |credentials: &[(&str, &str)]| {
            let Ok(Account::Smtp(relay)) = account_of(&relay(credentials)) else { panic!("none") };
            (relay.tls, relay.port.number())
        };
        let host = ("host", "smtp.shop.example");
        assert_eq!(place(&[host]), (smtp::Tls::Implicit, 465));
        assert_eq!(place(&[host, ("tls", "starttls")]), (smtp::Tls::StartTls, 587));
        assert_eq!(place(&[("host", "10.0.0.7"), ("tls", "none")]), (smtp::Tls::None, 25));
        assert_eq!(place(&[host, ("port", "2525")]), (smtp::Tls::Implicit, 2525));
    }

    #[test]
    fn mail_goes_in_clear_only_within_a_private_network() {
        for near in ["127.0.0.1", "localhost", "10.0.0.7", "::1", "fd00::1"] {
            assert!(account_of(&relay(&[("host", near), ("tls", "none")])).is_ok(), "{near}");
        }
        for far in ["smtp.shop.example", "8.8.8.8", "relay", "fe80::1"] {
            let faults = faults(&relay(&[("host", far), ("tls", "none")]));
            let names: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
            assert_eq!(names, ["tls"], "{far}");
        }
    }

    #[test]
    fn a_log_in_is_whole_or_absent() {
        let host = ("host", "smtp.shop.example");
        for (given, missing) in [("username", "password"), ("password", "username")] {
            let faults = faults(&relay(&[host, (given, "word")]));
            let [fault] = faults.as_slice() else { panic!("{faults:?}") };
            assert_eq!((fault.name, fault.fault.as_deref()), (missing, None));
        }
    }
}
