//! The HTTP surface of Sayso: the API, what browsers send, and the listeners.
//!
//! This crate has no SQL and no rule of consent. A handler extracts, parses at the edge, makes one
//! call of [`sayso_store::Store`], and renders the answer; what a rule means stands in
//! `sayso-core`. Reading order: [`config`], [`serve`], [`app`], then a file for each resource.

pub mod config;
pub mod serve;

pub mod app;
pub mod outgoing;

mod account;
mod admin;
mod advice;
mod api;
mod capture;
mod hooks;
mod workers;

mod body;
mod caller;
mod double_opt_in;
mod held;
mod host;
mod judging;
mod local;
mod personal_links;
mod unproven;
mod unread;
mod way_out;

pub mod keyring;
pub mod observe;
pub mod problem;
pub mod rate;

pub use api::docs::openapi;
pub use app::App;
pub use axum::Router;
pub use axum::body::Body;
pub use local::LOCAL_WORKSPACE_HEADER;
