//! The HTTP surface of Sayso: the API, what browsers send, and the listeners.
//!
//! This crate has no SQL and no rule of consent. A handler extracts, parses at the edge, makes one
//! call of [`sayso_store::Store`], and renders the answer; what a rule means stands in
//! `sayso-core`. Reading order: [`config`], [`serve`], [`app`], then a file for each resource.

pub mod config;
pub mod serve;

pub mod app;
pub mod outgoing;

mod docs;
mod surfaces;

mod admin;
mod api;
mod hooks;
mod local;
mod people;

mod workers;

mod double_opt_in;
mod heard;
mod looking;
mod personal_links;
mod reach;
mod rejecting;
mod views;
mod way_out;

mod caller;

mod account;
mod answer_time;
mod body;
mod held;
mod host;
mod paths;
mod thread;
mod unproven;
mod unread;
mod vocabularies;

pub mod keyring;
pub mod observe;
pub mod problem;
pub mod rate;

pub use app::App;
pub use axum::Router;
pub use axum::body::Body;
pub use caller::operator::LOCAL_WORKSPACE_HEADER;
pub use docs::openapi;
