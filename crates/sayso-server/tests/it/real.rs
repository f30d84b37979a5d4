//! Against the real programs of providers. They have to be installed, which `cargo xtask test` sees to;
//! `--only real` runs these tests alone.

mod kannel;
mod relay;
mod twilio;
