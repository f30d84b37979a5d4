//! The credentials of a connection: what each provider needs, and the account that they make.
//!
//! This is the one place where stored texts become an account; both sending and the hooks ask here, so
//! what one accepts the other does too. No credential is ever shown again.

use std::fmt::Display;
use std::net::IpAddr;

use reqwest::Url;
use sayso_channels::connection::Connection as Account;
use sayso_channels::credentials::{BaseUrl, BaseUrlFault, HookToken, Secret};
use sayso_channels::{gupshup, kannel, meta, twilio};
use sayso_core::channel::Provider;
use sayso_store::configuration::Connection;
use thiserror::Error;

use crate::outgoing::is_localhost;
use crate::outgoing::place::Place;

/// The name of the token in the URL of a hook whose provider signs nothing.
pub(crate) const HOOK_TOKEN: &str = "hook_token";
/// The name of the place where a provider's API is.
pub(crate) const BASE_URL: &str = "base_url";

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
        Provider::Meta => given.meta().map(Account::Meta),
        Provider::Gupshup => given.gupshup().map(Account::Gupshup),
        Provider::Twilio => given.twilio().map(Account::Twilio),
        Provider::Kannel => given.kannel().map(Account::Kannel),
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

    fn hook_token(&mut self) -> Option<HookToken> {
        self.read(HOOK_TOKEN, "kSx3PzQ7wLm9RtY2", HookToken::parse)
    }

    fn base_url(&mut self, default: BaseUrl) -> BaseUrl {
        if !self.connection.credentials.contains_key(BASE_URL) {
            return default;
        }
        self.read(BASE_URL, "https://api.example", parse_base_url).unwrap_or(default)
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
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_near = is_localhost(host) || ip.is_ok_and(|ip| Place::of(ip) == Place::Private);
    if parsed.scheme() == "http" && !is_near {
        return Err("is not encrypted and leaves the private network: use https".to_owned());
    }
    Ok(url)
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

    #[test]
    fn every_name_of_a_provider_is_read() {
        for provider in [Provider::Meta, Provider::Gupshup, Provider::Twilio, Provider::Kannel] {
            let credentials = names(provider).iter().map(|name| (Box::from(*name), Box::from("")));
            let connection = Connection {
                name: "a".into(),
                provider,
                credentials: credentials.collect(),
                deleted_at: None,
            };
            let Err(NoAccount::Faults(faults)) = account_of(&connection) else { panic!("empty") };
            let wrong: Vec<&str> = faults.iter().map(|fault| fault.name).collect();
            assert_eq!(wrong.len(), names(provider).len(), "{provider}: {wrong:?}");
            assert!(faults.iter().all(|fault| fault.fault.is_some()));
        }
    }

    #[test]
    fn every_example_would_do() {
        for provider in [Provider::Meta, Provider::Gupshup, Provider::Twilio, Provider::Kannel] {
            let mut connection = Connection {
                name: "a".into(),
                provider,
                credentials: [(Box::from(BASE_URL), Box::from(""))].into(),
                deleted_at: None,
            };
            let Err(NoAccount::Faults(faults)) = account_of(&connection) else { panic!("empty") };
            let examples = faults.iter().map(|fault| (fault.name.into(), fault.example.into()));
            connection.credentials = examples.collect();
            assert!(account_of(&connection).is_ok(), "{provider}");
        }
    }
}
