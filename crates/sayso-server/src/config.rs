//! What the operator configured: valid, or refused before anything starts.
//!
//! The default of every setting stands in `sayso.example.toml`, which is compiled in; that file is
//! also what says which settings exist and of which type they are. Over it come a file, the
//! environment (`SAYSO_SECTION__KEY`) and the command line, in this order. There are no secrets
//! among the settings: TLS keys and the master key are files of their own.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sayso_channels::credentials::BaseUrl;
use thiserror::Error;
use toml::{Table, Value};

use crate::app::{Options, Outside, Scheme};
use crate::observe::LogForm;
use crate::outgoing::Guard;
use crate::rate::{Rate, RateLimits};

pub use fault::{ConfigFault, Origin};
pub use reference::reference_markdown;

mod fault;
mod reference;

/// Settings that are paths: a relative one in a file is relative to that file.
const PATHS: [&str; 3] = ["store.directory", "tls.certificate", "tls.key"];

/// Every setting with its default.
pub const EXAMPLE: &str = include_str!("../../../sayso.example.toml");

/// All settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The public listener.
    pub server: ServerConfig,
    /// The listener for operators.
    pub admin: AdminConfig,
    /// The certificate, if TLS is on.
    pub tls: Option<TlsConfig>,
    /// Where the server may call.
    pub outgoing: Guard,
    /// The store.
    pub store: StoreConfig,
    /// The logs.
    pub log: LogConfig,
    /// The limits of requests.
    pub limits: RateLimits,
}

/// The public listener.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where it listens.
    pub address: SocketAddr,
    /// Open connections at most.
    pub connections_max: usize,
    /// Open connections of one network at most.
    pub network_connections_max: usize,
    /// Proxies whose `x-forwarded-for` and `x-forwarded-proto` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Its URL as others call it, without a slash at the end.
    pub public_url: Option<Box<str>>,
}

/// The listener for operators.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Where it listens.
    pub address: SocketAddr,
}

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// The chain of certificates, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// The store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where it keeps its files.
    pub directory: PathBuf,
}

/// The logs.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// From which level on.
    pub level: String,
    /// How lines are written.
    pub form: LogForm,
}

/// Everything the settings are made of, outermost last.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment; variables without our prefix are passed over.
    pub environment: Vec<(String, String)>,
    /// What the command line says, as `section.key` and value.
    pub arguments: Vec<(String, String)>,
}

/// A configuration file cannot be read.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be opened.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{path} is not TOML")]
    NotToml {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Settings are wrong; every one of them is named.
    #[error("{}", fault::list(.0))]
    Faults(Vec<ConfigFault>),
}

/// Settings under reading: the defaults, overlaid.
struct Reading {
    table: Table,
    faults: Vec<ConfigFault>,
    origins: std::collections::BTreeMap<String, Origin>,
}

impl Config {
    /// The defaults.
    ///
    /// # Errors
    /// None, as a test shows; the type is that of [`Config::load`].
    pub fn defaults() -> Result<Self, ConfigError> {
        Self::load(&Sources::default())
    }

    /// What an application is made with.
    pub fn app_options(&self) -> Options {
        let listens = if self.tls.is_some() { Scheme::Https } else { Scheme::Http };
        Options {
            trusted_proxies: self.server.trusted_proxies.clone(),
            outside: Outside { url: self.server.public_url.clone(), listens },
            outgoing: self.outgoing.clone(),
            ..Options::with_rates(self.limits)
        }
    }

    /// Reads the settings from their sources.
    ///
    /// # Errors
    /// [`ConfigError`], which names every wrong setting with file, key, value and fix.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut reading = Reading::of_defaults()?;
        if let Some(path) = &sources.file {
            reading.overlay_file(path)?;
        }
        for (name, text) in &sources.environment {
            if let Some(key) = key_of_variable(name) {
                reading.overlay_text(&key, text, Origin::Variable(name.clone()));
            }
        }
        for (key, text) in &sources.arguments {
            reading.overlay_text(key, text, Origin::Argument(key.clone()));
        }
        reading.finish()
    }
}

/// The setting that a variable names: `SAYSO_SERVER__ADDRESS` is `server.address`.
fn key_of_variable(name: &str) -> Option<String> {
    let (section, key) = name.strip_prefix("SAYSO_")?.split_once("__")?;
    Some(format!("{}.{}", section.to_ascii_lowercase(), key.to_ascii_lowercase()))
}

impl Reading {
    fn of_defaults() -> Result<Self, ConfigError> {
        let table = parse(EXAMPLE, Path::new("sayso.example.toml"))?;
        Ok(Self { table, faults: Vec::new(), origins: std::collections::BTreeMap::new() })
    }

    fn overlay_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        for (section, values) in parse(&text, path)? {
            let origin = || Origin::File(path.to_owned());
            let Value::Table(values) = values else {
                self.unknown(&section, &values.to_string(), origin());
                continue;
            };
            for (key, value) in values {
                let key = format!("{section}.{key}");
                let value = if PATHS.contains(&key.as_str()) { beside(path, value) } else { value };
                self.overlay(&key, value, origin());
            }
        }
        Ok(())
    }

    /// Puts a text over a setting, read as the type that the setting has.
    fn overlay_text(&mut self, key: &str, text: &str, origin: Origin) {
        let value = match self.known(key) {
            None => return self.unknown(key, text, origin),
            Some(Value::Integer(_)) => text.trim().parse().ok().map(Value::Integer),
            Some(Value::Boolean(_)) => text.trim().parse().ok().map(Value::Boolean),
            Some(Value::Array(_)) => {
                // As a file has it, `["a", "b"]`, or bare.
                let whole = text.trim();
                let bare = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                let items = bare.unwrap_or(whole).split(',');
                let items = items.map(|item| item.trim().trim_matches(['"', '\'']));
                let items = items.filter(|item| !item.is_empty());
                Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
            }
            Some(_) => Some(Value::String(text.to_owned())),
        };
        match value {
            Some(value) => self.overlay(key, value, origin),
            None => self.overlay(key, Value::String(text.to_owned()), origin),
        }
    }

    fn overlay(&mut self, key: &str, value: Value, origin: Origin) {
        let Some(known) = self.known(key) else {
            return self.unknown(key, &value.to_string(), origin);
        };
        if !known.same_type(&value) {
            let fix = format!("set a value such as {known}");
            let shown = value.to_string();
            self.faults.push(ConfigFault::new(origin, key, &shown, "is of the wrong type", fix));
            return;
        }
        let (section, name) = key.split_once('.').unwrap_or((key, ""));
        if let Some(Value::Table(section)) = self.table.get_mut(section) {
            section.insert(name.to_owned(), value);
        }
        self.origins.insert(key.to_owned(), origin);
    }

    fn known(&self, key: &str) -> Option<&Value> {
        let (section, name) = key.split_once('.')?;
        self.table.get(section)?.get(name)
    }

    fn unknown(&mut self, key: &str, shown: &str, origin: Origin) {
        let names: Vec<String> = self.names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let fix = match crate::body::nearest(key, &known) {
            Some(near) => format!("did you mean {near}?"),
            None => "remove it; sayso.example.toml lists every setting".to_owned(),
        };
        self.faults.push(ConfigFault::new(origin, key, shown, "is no setting", fix));
    }

    fn names(&self) -> Vec<String> {
        let sections =
            self.table.iter().filter_map(|(section, values)| Some((section, values.as_table()?)));
        sections
            .flat_map(|(section, values)| values.keys().map(move |key| format!("{section}.{key}")))
            .collect()
    }

    /// Reads one setting, or notes what is wrong with it.
    fn read<T>(&mut self, key: &str, fix: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.known(key)?.clone();
        let read = parse(&value);
        if read.is_none() {
            let origin = self.origins.get(key).cloned().unwrap_or(Origin::Default);
            self.faults.push(ConfigFault::new(
                origin,
                key,
                &value.to_string(),
                "is not valid",
                fix.to_owned(),
            ));
        }
        read
    }

    fn rate(&mut self, name: &str) -> Option<Rate> {
        self.rate_of(name, "requests")
    }

    fn rate_of(&mut self, name: &str, what: &str) -> Option<Rate> {
        let whole =
            |value: &Value| value.as_integer().and_then(|number| u32::try_from(number).ok());
        let positive = "set a whole number from 1 to 4294967295";
        let requests = self.read(&format!("limits.{name}_{what}"), positive, |value| {
            NonZeroU32::new(whole(value)?)
        });
        let seconds = self.read(&format!("limits.{name}_seconds"), positive, |value| {
            whole(value).filter(|n| *n > 0)
        });
        Some(Rate { requests: requests?, per: Duration::from_secs(seconds?.into()) })
    }

    /// The certificate, if both of its files are named.
    fn tls(&mut self) -> Option<TlsConfig> {
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        let certificate = self.read("tls.certificate", "set a path", path)?;
        let key = self.read("tls.key", "set a path", path)?;
        let named = |path: &PathBuf| !path.as_os_str().is_empty();
        if named(&certificate) != named(&key) {
            let other = if named(&key) { "tls.certificate" } else { "tls.key" };
            return self.read(other, "set it too, or leave both empty", |_| None);
        }
        named(&key).then_some(TlsConfig { certificate, key })
    }

    /// The URL from outside; it may be empty.
    fn public_url(&mut self) -> Option<Box<str>> {
        self.read(
            "server.public_url",
            "set a URL such as https://consent.shop.example, or leave it empty",
            |value| match value.as_str()? {
                "" => Some("".into()),
                text => BaseUrl::parse(text).ok().map(|url| url.as_str().into()),
            },
        )
    }

    /// Where the server may call.
    fn outgoing(&mut self) -> Option<Guard> {
        let fix = "set a list of networks such as [\"10.1.0.0/16\", \"127.0.0.1/32\"]";
        self.read("outgoing.allow_private", fix, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.as_str()?.parse().ok()).collect::<Option<_>>().map(Guard::new)
        })
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        let socket = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let server = self.read(
            "server.address",
            "set an IP address and a port, such as 0.0.0.0:8080",
            socket,
        );
        let count = |value: &Value| {
            let number = value.as_integer().and_then(|number| usize::try_from(number).ok());
            number.filter(|number| *number > 0)
        };
        let whole = "set a whole number from 1";
        let connections = self.read("server.connections_max", whole, count);
        let of_network = self.read("server.network_connections_max", whole, count);
        let proxies = self.read("server.trusted_proxies", "set a list of IP addresses", |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.as_str()?.parse().ok()).collect::<Option<Vec<IpAddr>>>()
        });
        let admin = self.read(
            "admin.address",
            "set an IP address and a port, such as 127.0.0.1:9090",
            socket,
        );
        let directory = self.read("store.directory", "set a path", |value| {
            value.as_str().filter(|text| !text.is_empty()).map(PathBuf::from)
        });
        let level = self.read("log.level", "set off, error, warn, info, debug or trace", |value| {
            let word = value.as_str()?;
            ["off", "error", "warn", "info", "debug", "trace"]
                .contains(&word)
                .then(|| word.to_owned())
        });
        let form = self.read("log.form", "set json or text", |value| match value.as_str()? {
            "json" => Some(LogForm::Json),
            "text" => Some(LogForm::Text),
            _ => None,
        });
        let tls = self.tls();
        let rates = self.rate("key").zip(self.rate("network"));
        let rates = rates.zip(self.rate("address")).zip(self.rate_of("workspace", "events"));
        let public_url = self.public_url();
        let listeners = server.zip(connections.zip(of_network));
        let listeners = listeners.zip(proxies.zip(public_url)).zip(admin);
        let outgoing = self.outgoing();
        let rest = outgoing.zip(directory).zip(level).zip(form).zip(rates);
        match listeners.zip(rest) {
            Some((
                (((address, connections), (trusted_proxies, public_url)), admin),
                ((((outgoing, directory), level), form), (((key, network), about), workspace)),
            )) if self.faults.is_empty() => Ok(Config {
                server: ServerConfig {
                    address,
                    connections_max: connections.0,
                    network_connections_max: connections.1,
                    trusted_proxies,
                    public_url: Some(public_url).filter(|url| !url.is_empty()),
                },
                admin: AdminConfig { address: admin },
                tls,
                outgoing,
                store: StoreConfig { directory },
                log: LogConfig { level, form },
                limits: RateLimits { key, network, address: about, workspace },
            }),
            Some(_) | None => Err(ConfigError::Faults(self.faults)),
        }
    }
}

/// A path as a file means it; an empty one is none.
fn beside(file: &Path, value: Value) -> Value {
    match (value, file.parent()) {
        (Value::String(path), Some(directory)) if !path.is_empty() => {
            Value::String(directory.join(path).display().to_string())
        }
        (value, _) => value,
    }
}

fn parse(text: &str, path: &Path) -> Result<Table, ConfigError> {
    text.parse()
        .map_err(|source| ConfigError::NotToml { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let environment =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(&Sources { environment: environment.collect(), ..Sources::default() })
    }

    #[test]
    fn every_default_is_valid() {
        let config = Config::defaults().unwrap();
        assert_eq!(config.server.address.to_string(), "127.0.0.1:8080");
        assert_eq!(config.tls, None);
    }

    #[test]
    fn a_variable_outranks_the_file_and_an_argument_both() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sayso.toml");
        std::fs::write(
            &file,
            "[server]\naddress = \"127.0.0.1:1\"\n[store]\ndirectory = \"there\"\n",
        )
        .unwrap();
        let text = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let sources = Sources {
            file: Some(file),
            environment: vec![
                text("SAYSO_SERVER__ADDRESS", "127.0.0.1:2"),
                text("SAYSO_SERVER__CONNECTIONS_MAX", "7"),
                text("HOME", "/"),
            ],
            arguments: vec![text("server.address", "127.0.0.1:3")],
        };
        let config = Config::load(&sources).unwrap();
        assert_eq!(config.server.address.port(), 3);
        assert_eq!(config.server.connections_max, 7);
        assert_eq!(config.store.directory, directory.path().join("there"));
    }

    #[test]
    fn a_list_in_a_variable_is_bare_or_as_a_file_has_it() {
        let networks = |text: &str| {
            let name = "SAYSO_SERVER__TRUSTED_PROXIES".to_owned();
            let environment = vec![(name, text.to_owned())];
            let sources = Sources { environment, ..Sources::default() };
            Config::load(&sources).unwrap().server.trusted_proxies
        };
        let two: [IpAddr; 2] = ["10.0.0.1", "::1"].map(|ip| ip.parse().unwrap());
        for text in ["10.0.0.1, ::1", "[\"10.0.0.1\", \"::1\"]", " ['10.0.0.1','::1',] "] {
            assert_eq!(networks(text), two, "{text}");
        }
        assert!(networks("[]").is_empty());
    }

    #[test]
    fn a_relative_path_in_a_file_is_relative_to_the_file_and_any_other_to_the_command() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sayso.toml");
        let load = |text: &str, arguments: &[(&str, &str)]| {
            std::fs::write(&file, text).unwrap();
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            let arguments = arguments.iter().map(owned).collect();
            let sources = Sources { file: Some(file.clone()), environment: Vec::new(), arguments };
            Config::load(&sources).unwrap()
        };
        let tls = "[tls]\ncertificate = \"tls/chain.pem\"\nkey = \"/keys/key.pem\"\n";
        let config = load(&format!("[store]\ndirectory = \"../data\"\n{tls}"), &[]);
        assert_eq!(config.store.directory, directory.path().join("../data"));
        let tls = config.tls.unwrap();
        assert_eq!(tls.certificate, directory.path().join("tls/chain.pem"));
        assert_eq!(tls.key, Path::new("/keys/key.pem"));
        let config = load("", &[("store.directory", "data")]);
        assert_eq!(config.store.directory, Path::new("data"));
        assert_eq!(config.tls, None);
        let config = load("[tls]\ncertificate = \"\"\nkey = \"\"\n", &[]);
        assert_eq!(config.tls, None, "an empty path is none");
    }

    #[test]
    fn every_fault_names_its_place_key_value_and_fix() {
        let error = load(&[
            ("SAYSO_SERVER__ADRESS", "x"),
            ("SAYSO_LOG__LEVEL", "loud"),
            ("SAYSO_TLS__KEY", "k.pem"),
        ]);
        let text = error.unwrap_err().to_string();
        assert_eq!(
            text,
            "the variable SAYSO_SERVER__ADRESS: server.adress = \"x\" is no setting: did you mean server.address?\n\
             the variable SAYSO_LOG__LEVEL: log.level = \"loud\" is not valid: set off, error, warn, info, debug or trace\n\
             the default: tls.certificate = \"\" is not valid: set it too, or leave both empty"
        );
    }
}
