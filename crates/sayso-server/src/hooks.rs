//! What providers tell us: what people wrote, and what became of messages.

pub(crate) mod inbound;
