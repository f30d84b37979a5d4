//! Whether a message may go now: the decision, its reasons, and what only puts it off.

pub mod cap;
pub mod decision;
pub mod hours;
pub mod message;
pub mod pacing;
pub mod quiet;
pub mod reason;
pub mod sender_health;
pub mod template;
pub mod time_of_day;
pub mod zone;
