//! The words: channels, scopes, categories; who said what, where, under which words; events made of it.

pub mod channel;
pub mod channel_facts;
pub mod color;
pub mod day;
pub mod doubt;
pub mod event;
pub mod event_id;
pub mod form;
pub mod notice;
pub mod source;
pub mod statement;
