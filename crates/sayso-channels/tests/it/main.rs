//! What providers send and are sent: recorded calls with what is read in them, signatures against a
//! second implementation, and properties over arbitrary and altered bytes.

mod support;

mod answers;
mod emails;
mod fixtures;
mod properties;
mod requests;
mod signatures;
mod users;
