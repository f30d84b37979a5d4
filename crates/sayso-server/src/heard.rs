//! What reaches us from providers, whatever road it took: what people wrote, what became of messages, how
//! senders stand. A hook brings it in; so does a simulated phone, and the answer to a send.

pub(crate) mod accounts;
pub(crate) mod failures;
pub(crate) mod health;
mod hearing;
pub(crate) mod inbound;
pub(crate) mod question;
mod reference;
mod reply;
pub(crate) mod reported;
mod said;
mod sender;
pub(crate) mod templates;
