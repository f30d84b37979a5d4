//! The options of `keys`. Scopes, roles and standings are those that the store knows: help texts,
//! completions and faults are made from its tables.

use clap::Subcommand;
use clap::builder::{PossibleValue, PossibleValuesParser};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{KeyRole, KeyScope};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key. It is shown once.
    #[command(
        after_help = "Examples:\n  sayso keys create my-shop --role backend\n  sayso keys create mailer --scope check\n\n\
                      Exit codes: 0 the key is made, 2 your input, 3 our fault."
    )]
    Create {
        /// Your name for it, as in my-shop; also the name of the source of what it records.
        name: String,
        /// What it is for: its scopes and its highest standing at once.
        #[arg(long, value_name = "ROLE", value_parser = roles(), required_unless_present = "scopes")]
        role: Option<String>,
        /// What it may do; with a role, what it may do in addition. May be repeated.
        #[arg(long = "scope", value_name = "SCOPE", value_parser = scopes())]
        scopes: Vec<String>,
        /// The highest standing it may record; that of the role if absent, without a role report.
        #[arg(long, value_name = "STANDING", value_parser = PossibleValuesParser::new(Standing::WORDS))]
        highest_standing: Option<String>,
    },
    /// List the keys with their scopes.
    #[command(after_help = "Example: sayso keys list")]
    List,
    /// Revoke a key, at once and for good.
    #[command(after_help = "Example: sayso keys revoke key_01jd6m9k3te5b8r5v3x5y6z7w8")]
    Revoke {
        /// The key's id (`key_…`), as `sayso keys list` shows it.
        id: String,
    },
    /// Put a new master key in the place of the store's. No server may run on it.
    #[command(after_help = "Example: sayso keys rotate --data /var/lib/sayso")]
    Rotate,
}

fn scopes() -> PossibleValuesParser {
    let value = |scope: &KeyScope| PossibleValue::new(scope.as_str()).help(scope.about());
    KeyScope::ALL.iter().map(value).into()
}

fn roles() -> PossibleValuesParser {
    let value = |role: &KeyRole| {
        let scopes: Vec<&str> = role.scopes().iter().map(|scope| scope.as_str()).collect();
        let (about, scopes) = (role.about(), scopes.join(", "));
        let highest = role.highest();
        PossibleValue::new(role.as_str())
            .help(format!("{about} Scopes: {scopes}. Standing: {highest}."))
    };
    KeyRole::ALL.iter().map(value).into()
}
