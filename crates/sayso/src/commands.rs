//! What each command does, a file each.

mod backup;
mod check;
mod consent;
mod demo;
mod docs;
mod doctor;
mod export;
pub(crate) mod import;
mod keys;
mod profile;
mod restore;
mod serve;
mod workspaces;

use std::path::PathBuf;

use anyhow::Context;
use sayso_server::config::{Config, Sources};
use sayso_store::sqlite::Making;
use serde_json::{Map, Value};

use crate::client::Client;
use crate::exit::{Exit, Failure};
use crate::local::Local;
use crate::options::{Command, Options, Person};
use crate::printer::Printer;

/// Runs the command that the options name.
pub(crate) fn run(options: Options, printer: Printer) -> Result<Exit, Failure> {
    let mut place =
        Place { file: options.config, arguments: Vec::new(), workspace: options.workspace };
    place.argue("store.directory", options.data.map(|directory| directory.display().to_string()));
    match options.command {
        Command::Openapi => Ok(docs::openapi(printer)),
        Command::Docs(page) => Ok(docs::page(page, printer)),
        Command::Completions { shell } => Ok(docs::completions(shell, printer)),
        Command::Doctor(what) => block_on(doctor::run(&place, what, printer)),
        Command::Serve(options) => block_on(serve::run(place, options, printer)),
        Command::Demo(options) => block_on(demo::run(&options, printer)),
        Command::Restore(options) => restore::run(&place, &options, printer),
        Command::Check(options) => {
            with_client(&place, async |client| check::run(client, options, printer).await)
        }
        Command::Consent(options) => {
            with_client(&place, async |client| consent::run(client, options, printer).await)
        }
        Command::Profile(options) => {
            with_client(&place, async |client| profile::run(client, options, printer).await)
        }
        Command::Import(options) => {
            with_client(&place, async |client| import::run(client, options, printer).await)
        }
        Command::Export(options) if options.erasures => {
            export::erasures(&place, options.output.as_deref(), printer)
        }
        Command::Export(options) => {
            with_client(&place, async |client| export::run(client, options, printer).await)
        }
        Command::Keys(what) => keys::run(&place, what, printer),
        Command::Workspaces(what) => workspaces::run(&place, what, printer),
        Command::Backup(options) => backup::run(&place, &options, printer),
    }
}

/// The options that stand for settings: who typed one is not told of the other.
const OPTIONS: [(&str, &str); 3] =
    [("server.address", "--listen"), ("admin.address", "--admin"), ("store.directory", "--data")];

/// Which store a command is about, and what the command line says of its settings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    file: Option<PathBuf>,
    arguments: Vec<(String, String)>,
    workspace: Option<String>,
}

impl Place {
    /// A setting given by an argument.
    pub(crate) fn argue(&mut self, setting: &str, value: Option<String>) {
        self.arguments.extend(value.map(|value| (setting.to_owned(), value)));
    }

    /// The configuration: defaults, file, environment, arguments.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let sources =
            Sources { file: self.file.clone(), environment, arguments: self.arguments.clone() };
        Config::load(&sources).map_err(|error| {
            let words = format!("{:#}", anyhow::Error::new(error));
            Failure::Input(OPTIONS.iter().fold(words, |words, (setting, option)| {
                words.replace(&format!("the argument {setting}: {setting} ="), option)
            }))
        })
    }
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime does not start")?;
    runtime.block_on(work)
}

fn with_client(
    place: &Place,
    work: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    with_store(place, Making::Never, work)
}

/// Works on a store, which the command may make where none is.
fn with_store(
    place: &Place,
    making: Making,
    work: impl AsyncFnOnce(&Client) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let config = place.config()?;
    block_on(async {
        let local = Local::reach(&config.store.directory, making, &config)?;
        let client = Client::new(local, place.workspace.clone());
        let result = work(&client).await;
        client.close().await?;
        result
    })
}

impl Person {
    /// The field that names the person, for a request.
    fn into_fields(self) -> Map<String, Value> {
        let named =
            [("phone", self.phone), ("email", self.email), ("external_id", self.external_id)];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
            .collect()
    }
}

/// The text of a field, or nothing.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
