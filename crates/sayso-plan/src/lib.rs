//! Planners: a request and what is known go in, drafts of events come out.
//!
//! Everything here is pure. There is no clock, no store and no wire format; the time, the workspace and the
//! registers are arguments. The surfaces read requests and render answers, the store writes what is planned,
//! and what a request *means* is decided here, once, for every road in.
//!
//! Reading order: [`draft`] (what an event is before it is stored, and the one way to make one),
//! [`evidence`] (the names under which evidence is kept), [`judging`] and [`ticked`] (what policies make of an
//! opt-in), [`understanding`] (what a text says about permissions).

pub mod draft;
pub mod evidence;
pub mod judging;
pub mod ticked;
pub mod understanding;
