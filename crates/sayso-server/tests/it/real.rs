//! Against real programs of others: of providers, and curl. They have to be installed, which `cargo xtask test` sees to;
//! `--only real` runs these tests alone.

mod curl;
mod kannel;
mod relay;
mod twilio;
