//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::printer::Style;

/// The consent server for messaging: records who agreed to what, proves it, and lets no message
/// leave without it.
#[derive(Debug, Parser)]
#[command(name = "sayso", version, propagate_version = true, max_term_width = 100)]
pub(crate) struct Options {
    /// The command.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Print data as JSON, in a stable shape.
    #[arg(long, global = true)]
    json: bool,
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The directory of the store.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The workspace, where there is more than one.
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) workspace: Option<String>,
}

impl Options {
    /// How data is printed.
    pub(crate) fn style(&self) -> Style {
        if self.json { Style::Json } else { Style::Text }
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server.
    Serve(Serve),
    /// Try it out: a server with invented people in a temporary directory.
    Demo(Demo),
    /// Ask whether a message may be sent; exit code 1 means no.
    Check(Check),
    /// Record a consent or a refusal.
    Consent(Consent),
    /// Show what is known of a person.
    Profile(Profile),
    /// Import a list of consents and refusals.
    Import(Import),
    /// Write out all consents of a channel.
    Export(Export),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Make and list workspaces.
    #[command(subcommand)]
    Workspaces(Workspaces),
    /// Look for mistakes in an integration or a store.
    #[command(subcommand)]
    Doctor(Doctor),
    /// Copy the store while it runs. The master key is not in the copy.
    Backup(Backup),
    /// Make a store from a backup and its master key.
    Restore(Restore),
    /// Print the OpenAPI document.
    Openapi,
    /// Print generated reference pages.
    #[command(subcommand)]
    Docs(Docs),
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The address of the listener for operators.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<String>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The port to listen on; 0 for any.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
}

/// Whom a command is about: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Person {
    /// A phone number.
    #[arg(long)]
    pub(crate) phone: Option<String>,
    /// An email address.
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Your own id of the person.
    #[arg(long)]
    pub(crate) external_id: Option<String>,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Whom to send to.
    #[command(flatten)]
    pub(crate) person: Person,
    /// The channel.
    #[arg(long)]
    pub(crate) channel: String,
    /// The category; marketing if absent.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// The topic.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// The sender.
    #[arg(long)]
    pub(crate) sender: Option<String>,
    /// Give all reasons and what they rest on.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Options of `consent`.
#[derive(Debug, Args)]
pub(crate) struct Consent {
    /// `opt_in`, `opt_out`, `hold`, `pending`, `start` or `implied`.
    pub(crate) statement: String,
    /// Who said it.
    #[command(flatten)]
    pub(crate) person: Person,
    /// The channel.
    #[arg(long)]
    pub(crate) channel: String,
    /// What it covers; all if absent.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// act: the person did it. report: you believe it.
    #[arg(long)]
    pub(crate) standing: String,
    /// When it was said.
    #[arg(long)]
    pub(crate) occurred_at: Option<String>,
    /// How it was said.
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// For an opt-in: single or confirmed.
    #[arg(long)]
    pub(crate) level: Option<String>,
    /// For an opt-in: until when. Required for implied.
    #[arg(long)]
    pub(crate) ends_at: Option<String>,
    /// The notice that was shown: id/version/language.
    #[arg(long)]
    pub(crate) notice: Option<String>,
}

/// Options of `profile`.
#[derive(Debug, Args)]
pub(crate) struct Profile {
    /// Whom to show.
    #[command(flatten)]
    pub(crate) person: Person,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Import {
    /// What else to do with imports.
    #[command(subcommand)]
    pub(crate) command: Option<ImportCommand>,
    /// The CSV file; - for standard input.
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// The name of the list: the source of what it reports.
    #[arg(long, default_value = "import")]
    pub(crate) list: String,
    /// A column under another name: phone=Mobile. May be repeated.
    #[arg(long = "column", value_name = "FIELD=HEADER")]
    pub(crate) columns: Vec<String>,
    /// Where national phone numbers belong.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Store nothing; show the counts, the first bad rows, and every refusal that would be lifted.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on although refusals are lifted: for the compliance role.
    #[arg(long)]
    pub(crate) lift_refusals: bool,
    /// Where to write bad rows, with line and reason.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

/// What else to do with imports.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Leave out everything an import brought.
    Undo {
        /// The import.
        id: String,
    },
}

/// Options of `export`.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The channel.
    #[arg(long)]
    pub(crate) channel: String,
    /// The statuses to write; all if absent.
    #[arg(long)]
    pub(crate) status: Vec<String>,
    /// The file; standard output if absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key. It is shown once.
    Create {
        /// How it is called; also the name of the source of what it records.
        name: String,
        /// What it may do: check, read, write, import, compliance, configure, send:exempt.
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// The highest standing it may record: act or report.
        #[arg(long, default_value = "report")]
        highest_standing: String,
    },
    /// List the keys.
    List,
    /// Revoke a key, at once and for good.
    Revoke {
        /// The key's id.
        id: String,
    },
}

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Workspaces {
    /// Make a workspace.
    Create {
        /// Its name.
        name: String,
        /// Its sends are for trying out.
        #[arg(long)]
        test: bool,
    },
    /// List the workspaces.
    List,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Doctor {
    /// Examine a web page with the tag; exit code 1 means that something is wrong on it.
    Page(DoctorPage),
}

/// Options of `doctor page`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page is read as it is sent: no script runs, and nothing that it names is loaded.\n\nExample: \
                  sayso doctor page https://shop.example/"
)]
pub(crate) struct DoctorPage {
    /// The page: a file, - for standard input, or an http or https URL.
    pub(crate) page: String,
    /// The certificates to trust instead of this system's, in PEM: for a server whose certificate
    /// an authority of your own has signed.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// How long a URL may take to answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) timeout: u64,
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The directory to make.
    pub(crate) to: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup.
    pub(crate) from: PathBuf,
    /// The master key the store was made with.
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key: PathBuf,
}

/// Generated reference pages.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Docs {
    /// The problems the API answers with.
    Problems,
    /// The settings of the server.
    Config,
    /// Every bound, with its reason.
    Limits,
    /// The commands.
    Cli,
}
