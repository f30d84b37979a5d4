//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::printer::Style;

pub(crate) use keys::Keys;

mod keys;

/// The consent server for messaging: records who agreed to what, proves it, and lets no message
/// leave without it.
#[derive(Debug, Parser)]
#[command(
    name = "sayso",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Data goes to standard output, talk and faults to standard error. Exit codes: 0 done or yes, 1 no \
                  (denied, not as it should be), 2 your input, 3 our fault.\n\nTo see it work: sayso demo"
)]
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
    /// The directory of the store, as in /var/lib/sayso.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The id of the workspace (ws_…), where there is more than one.
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
    /// Write out all consents of a channel, or the list of erasures.
    Export(Export),
    /// Make, list and revoke API keys; rotate the master key.
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
    #[command(after_help = "Example: sayso openapi > openapi.json")]
    Openapi,
    /// Print generated reference pages.
    #[command(subcommand, after_help = "Example: sayso docs keys")]
    Docs(Docs),
    /// Print a completion script.
    #[command(after_help = "Example: sayso completions bash > /etc/bash_completion.d/sayso")]
    Completions {
        /// For which shell.
        shell: Shell,
    },
}

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso serve --config /etc/sayso/sayso.toml\n\nOnce it is ready, one line says the version, the addresses, the data and the fingerprint of the master key.\nSIGTERM stops it, SIGHUP makes it read certificates, log level and limits again.\n\nExit codes: 0 stopped as it was told to, 2 your input, 3 our fault."
)]
pub(crate) struct Serve {
    /// The address to listen on, as in 0.0.0.0:8080.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: Option<String>,
    /// The address of the listener for operators, as in 127.0.0.1:9090.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) admin: Option<String>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso demo --port 8081\n\nExit codes: 0 stopped as it was told to, 2 your input, 3 our fault."
)]
pub(crate) struct Demo {
    /// The port to listen on; 0 for any.
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
}

/// Whom a command is about: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Person {
    /// A phone number, as in +14155550101.
    #[arg(long)]
    pub(crate) phone: Option<String>,
    /// An email address, as in ada@example.org.
    #[arg(long)]
    pub(crate) email: Option<String>,
    /// Your own id of the person, as in u-1001.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
}

/// Options of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso check --phone +14155550101 --channel sms --category marketing\n\nExit codes: 0 allow, 1 deny, 2 your input, 3 our fault: nothing may be sent then either."
)]
pub(crate) struct Check {
    /// Whom to send to.
    #[command(flatten)]
    pub(crate) person: Person,
    /// The channel: whatsapp, sms, email, rcs, voice, push, viber, telegram, messenger or line.
    #[arg(long)]
    pub(crate) channel: String,
    /// What the message is: marketing, utility, authentication or service; marketing if absent.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// The topic, by its id (top_…).
    #[arg(long, value_name = "ID")]
    pub(crate) topic: Option<String>,
    /// The sender, by its id (snd_…); needed where the channel has more than one.
    #[arg(long, value_name = "ID")]
    pub(crate) sender: Option<String>,
    /// Give all reasons and what they rest on.
    #[arg(long)]
    pub(crate) explain: bool,
}

/// Options of `consent`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso consent opt_out --phone +14155550101 --channel sms --standing act --method \"phone call\"\n\nExit codes: 0 recorded, 2 your input, 3 our fault: run it again, it records nothing twice if you said --occurred-at."
)]
pub(crate) struct Consent {
    /// What was said: `opt_in`, `opt_out`, `hold`, `pending`, `start` or `implied`.
    pub(crate) statement: String,
    /// Who said it.
    #[command(flatten)]
    pub(crate) person: Person,
    /// The channel: whatsapp, sms, email, rcs, voice, push, viber, telegram, messenger or line.
    #[arg(long)]
    pub(crate) channel: String,
    /// What it covers: all, category:marketing, topic:top_… or sender:snd_…; all if absent.
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// act: the person did it. report: you believe it.
    #[arg(long)]
    pub(crate) standing: String,
    /// When it was said, as in 2026-11-21T10:00:00Z. An opt-in that is an act needs it.
    #[arg(long, value_name = "TIME")]
    pub(crate) occurred_at: Option<String>,
    /// How it was said, as in checkbox. An opt-in that is an act needs it.
    #[arg(long)]
    pub(crate) method: Option<String>,
    /// For an opt-in: single or confirmed.
    #[arg(long)]
    pub(crate) level: Option<String>,
    /// For an opt-in: until when, as in 2027-11-21T10:00:00Z. Required for implied.
    #[arg(long, value_name = "TIME")]
    pub(crate) ends_at: Option<String>,
    /// The notice that was shown: id/version/language, as in ntc_…/1/en. An opt-in that is an act
    /// needs it.
    #[arg(long)]
    pub(crate) notice: Option<String>,
}

/// Options of `profile`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso profile --phone +14155550101\n\nExit codes: 0 shown, 1 nobody is known, 2 your input, 3 our fault."
)]
pub(crate) struct Profile {
    /// Whom to show.
    #[command(flatten)]
    pub(crate) person: Person,
}

/// Options of `import`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "The file's first line names its columns: phone, email, sms_optin, occurred_at …\nRun again after it was cut off, the same command goes on and doubles nothing.\n\nExample: sayso import list.csv --list crm --region US --rejects bad.csv --dry-run"
)]
pub(crate) struct Import {
    /// What else to do with imports.
    #[command(subcommand)]
    pub(crate) command: Option<ImportCommand>,
    /// The file; - for standard input.
    #[arg(required = true)]
    pub(crate) file: Option<PathBuf>,
    /// What the list lists.
    #[arg(long, value_enum, default_value_t = ListKind::Consents)]
    pub(crate) kind: ListKind,
    /// The date of a list of disconnected numbers, for rows without one: 2026-11-01.
    #[arg(long, required_if_eq("kind", "disconnected"))]
    pub(crate) date: Option<String>,
    /// How the file is written.
    #[arg(long, value_enum, default_value_t = ListFormat::Csv)]
    pub(crate) format: ListFormat,
    /// The name of the list: the source of what it reports.
    #[arg(long, default_value = "import")]
    pub(crate) list: String,
    /// A column under another name, or by its number: phone=Mobile, phone=2. REGION=- leaves a column
    /// out. May be repeated, and phone and email may have several columns.
    #[arg(long = "column", value_name = "FIELD=HEADER")]
    pub(crate) columns: Vec<String>,
    /// What is the same in every row: channel=sms, status=no. May be repeated.
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(crate) constants: Vec<String>,
    /// A column that says nothing, whatever its name. May be repeated.
    #[arg(long = "ignore", value_name = "HEADER")]
    pub(crate) ignored: Vec<String>,
    /// In which order the numbers of dates stand: mdy, dmy or ymd. Dates that can be read in two ways are
    /// not read without it.
    #[arg(long, value_name = "ORDER")]
    pub(crate) dates: Option<String>,
    /// Whose clocks the times without a zone are of, as in `America/New_York`.
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// In what the file is written, if not in UTF-8, UTF-16 or Windows-1252: `windows-1251` or `shift_jis`.
    #[arg(long)]
    pub(crate) encoding: Option<String>,
    /// Which sheet of a workbook to read; the first that holds anything if absent.
    #[arg(long)]
    pub(crate) sheet: Option<String>,
    /// Where national phone numbers belong, as in US.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Store nothing; show the counts, the first bad rows, and every refusal that would be lifted.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on although refusals are lifted: for the compliance role.
    #[arg(long)]
    pub(crate) lift_refusals: bool,
    /// Where to write the rows that were not taken, with line and reason. A file that is there is
    /// written over.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
}

impl Import {
    /// Whether options are given that only a table has a use for.
    pub(crate) fn describe_a_table(&self) -> bool {
        let lists = [&self.columns, &self.constants, &self.ignored];
        let texts = [&self.dates, &self.zone, &self.encoding, &self.sheet];
        lists.iter().any(|list| !list.is_empty()) || texts.iter().any(|text| text.is_some())
    }
}

#[cfg(feature = "fuzzing")]
impl Import {
    /// Options of which each bit of a number is one.
    pub(crate) fn numbered(number: u8) -> Self {
        let given = |bit: u8, text: &str| (number & bit != 0).then(|| text.to_owned());
        let is_of_users = number & 0xe0 == 0xe0;
        Self {
            command: None,
            file: None,
            kind: if number & 1 == 0 { ListKind::Consents } else { ListKind::Disconnected },
            date: given(1, "2026-11-01"),
            format: if is_of_users { ListFormat::GupshupUsers } else { ListFormat::Csv },
            list: "import".to_owned(),
            columns: given(2, "phone=1").into_iter().collect(),
            constants: given(4, "channel=sms").into_iter().collect(),
            ignored: Vec::new(),
            dates: given(8, "dmy"),
            zone: given(16, "Europe/Berlin"),
            encoding: given(32, "shift_jis").or(given(64, "windows-1251")),
            sheet: None,
            region: given(128, "US"),
            dry_run: false,
            lift_refusals: false,
            rejects: None,
        }
    }
}

/// What a list lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListKind {
    /// Consents and refusals.
    #[default]
    Consents,
    /// Numbers that belong to somebody else now, as carriers and providers list them.
    Disconnected,
}

/// How the file of a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// A table: CSV or a workbook (.xlsx).
    Csv,
    /// The users of an app, as Gupshup's API gives them.
    GupshupUsers,
}

/// What else to do with imports.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Leave out everything an import brought.
    Undo {
        /// The import's id (imp_…), as its report names it.
        id: String,
    },
}

/// Options of `export`.
#[derive(Debug, Args)]
#[command(after_help = "Example: sayso export --channel sms --status opted_in --output sms.csv")]
pub(crate) struct Export {
    /// The channel: whatsapp, sms, email, rcs, voice, push, viber, telegram, messenger or line; all
    /// of them if absent.
    #[arg(long)]
    pub(crate) channel: Option<String>,
    /// A status to write: never, pending, `opted_in`, `opted_out`, `under_review` or expired. May be
    /// repeated; all if absent. `opted_in` is who may be written to.
    #[arg(long)]
    pub(crate) status: Vec<String>,
    /// What was known then: the end of a day, as in 2026-03-31, or an instant; now if absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) as_of: Option<String>,
    /// Write the erasures of all workspaces instead, for `sayso restore --erasures`.
    #[arg(long, conflicts_with_all = ["channel", "status", "as_of", "workspace"])]
    pub(crate) erasures: bool,
    /// The file; standard output if absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What to do with workspaces.
#[derive(Debug, Subcommand)]
pub(crate) enum Workspaces {
    /// Make a workspace.
    #[command(
        after_help = "Example: sayso workspaces create \"My shop\"\n\nExit codes: 0 made, 2 your input, 3 our fault."
    )]
    Create {
        /// Its name, as in "My shop".
        name: String,
        /// For trying out: its keys begin with `sk_test_`.
        #[arg(long)]
        test: bool,
    },
    /// List the workspaces.
    #[command(after_help = "Example: sayso workspaces list --data /var/lib/sayso")]
    List,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Doctor {
    /// Examine a web page with the tag; exit code 1 means that something is wrong on it.
    Page(DoctorPage),
    /// Examine the files of the store, also while its server runs; exit code 1 means that somebody changed
    /// them, or that they are damaged.
    #[command(
        after_help = "Every event is compared with its hash, and every file with what this release makes. Nothing is changed. It \
                      reads the whole store.\n\nExample: sayso doctor store --data /var/lib/sayso\n\nExit codes: 0 nothing is wrong, 1 something is, 2 your input, 3 our fault."
    )]
    Store,
}

/// Options of `doctor page`.
#[derive(Debug, Args)]
#[command(
    after_help = "The page is read as it is sent: no script runs, and nothing that it names is loaded.\n\nExample: \
                  sayso doctor page https://shop.example/\n\nExit codes: 0 nothing is wrong, 1 something is, 2 your input, 3 our fault."
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
#[command(
    after_help = "Example: sayso backup /backup/sayso-2026-11-21\n\nExit codes: 0 the copy is whole, 2 your input, 3 our fault: there is no backup then."
)]
pub(crate) struct Backup {
    /// The directory to make, as in /backup/sayso-2026-11-21.
    pub(crate) to: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: sayso restore /backup/sayso-2026-11-21 --master-key /safe/master.key --data /var/lib/sayso\n\nExit codes: 0 restored, 2 your input, 3 our fault."
)]
pub(crate) struct Restore {
    /// The directory that `sayso backup` made.
    pub(crate) from: PathBuf,
    /// The master key the store had when the backup was made.
    #[arg(long, value_name = "FILE")]
    pub(crate) master_key: PathBuf,
    /// Erasures done since the backup, as `sayso export --erasures` lists them.
    #[arg(long, value_name = "FILE")]
    pub(crate) erasures: Option<PathBuf>,
    /// Take lines of that list that carry no code: an earlier release wrote them, or somebody who may not.
    /// Such a line destroys what is known of its person.
    #[arg(long, requires = "erasures")]
    pub(crate) unauthenticated: bool,
    /// The store that is replaced: its erasures are done again, and its refusals that the backup
    /// lacks are counted.
    #[arg(long, value_name = "DIR")]
    pub(crate) compare: Option<PathBuf>,
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
    /// What API keys may do: scopes and roles.
    Keys,
    /// The commands.
    Cli,
}
