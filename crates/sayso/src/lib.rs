//! `sayso`: the consent server for messaging, in one binary.
//!
//! This is the only crate that prints, exits, or reads arguments. Data goes to standard output,
//! talk to standard error; the exit code is 0 for done or yes, 1 for no, 2 for your input, 3 for
//! our fault. It is a library so that what fuzzes its parsers need not run it; nothing else depends on it.

mod client;
mod commands;
mod doctor;
mod exit;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod local;
mod options;
mod printer;
mod private_file;

use std::process::ExitCode;

use clap::Parser;

use crate::options::Options;
use crate::printer::Printer;

/// Does what the arguments say.
pub fn run() -> ExitCode {
    let options = Options::parse();
    let printer = Printer::new(options.style());
    let exit = match commands::run(options, printer) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit()
        }
    };
    exit.into()
}
