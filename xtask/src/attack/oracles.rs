//! Oracles: whether the time of an answer tells who is known.
//!
//! For each public page as many people are asked about who are known as who are not, in turn, with a body
//! that comes late and beside a load. What is judged is how often the answer about somebody known is the
//! slower one of a pair: half of the time, if it tells nothing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Finding;
use super::client::{Answer, Request};
use super::server::{ORIGIN, Server, phone};

/// How late the body comes: as late as the answer would have been.
const LATE: Duration = Duration::from_millis(110);

pub(super) fn all(server: &Server, pairs: usize) -> Result<Vec<Finding>> {
    let quiet = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| load(server, &quiet));
        let found = pages(server, pairs);
        quiet.store(true, Ordering::Relaxed);
        found
    })
}

fn pages(server: &Server, pairs: usize) -> Result<Vec<Finding>> {
    let tag = |phone: &str| {
        let said =
            json!({ "site": server.site, "user": { "phone_number": phone, "sms_optin": false } });
        Request::json("/capture/tag", &said).header("origin", ORIGIN)
    };
    let link = |phone: &str| Request::form("/p", &[("address", phone)]);
    let page = |phone: &str| ticked(server, phone);
    Ok(vec![
        judge(server, pairs, ("the tag tells who is known by its time", 4), &tag)?,
        judge(server, pairs, ("/p tells who is known by its time", 5), &link)?,
        judge(server, pairs, ("an opt-in page tells who is known by its time", 6), &page)?,
    ])
}

/// What the form of an opt-in page sends.
pub(super) fn ticked(server: &Server, phone: &str) -> Request {
    let fields = [("visit", phone), ("lang", "en"), ("choice", "all"), ("address", phone)];
    Request::form(&server.page, &fields)
}

/// Something else that the server has to do meanwhile.
fn load(server: &Server, quiet: &AtomicBool) {
    let mut person = 0;
    while !quiet.load(Ordering::Relaxed) {
        person += 1;
        drop(server.knows(&phone(7, person % 10_000)));
    }
}

fn judge(
    server: &Server,
    pairs: usize,
    (tried, block): (&'static str, usize),
    make: &dyn Fn(&str) -> Request,
) -> Result<Finding> {
    let known = |pair: usize| phone(block, 2 * pair);
    for pair in 0..pairs {
        server.knows(&known(pair))?;
    }
    let mut slower = 0.0;
    let mut differ = false;
    for pair in 0..pairs {
        let unknown = phone(block, 2 * pair + 1);
        let (first, second) = (make(&known(pair)), make(&unknown));
        // Who is asked about first takes turns.
        let (of_known, of_unknown): (Answer, Answer) = if pair % 2 == 0 {
            let of_known = first.send_late(server.address, LATE)?;
            (of_known, second.send_late(server.address, LATE)?)
        } else {
            let of_unknown = second.send_late(server.address, LATE)?;
            (first.send_late(server.address, LATE)?, of_unknown)
        };
        differ |= of_known.status != of_unknown.status;
        // Answers within a millisecond of each other are equal: no network tells them apart.
        let (known, unknown) = (of_known.took.as_millis(), of_unknown.took.as_millis());
        slower += match known.cmp(&unknown) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        };
    }
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a few hundred pairs")]
    let pairs = pairs as f64;
    let share = slower / pairs;
    // Three standard deviations of a fair coin, and never less than the 0.05 of the goal.
    let width = (1.5 / pairs.sqrt()).max(0.05);
    let held = !differ && (0.5 - width..=0.5 + width).contains(&share);
    let came = if differ { "the answers differ".to_owned() } else { format!("{share:.3}") };
    Ok(Finding { tried, came, may: format!("0.5 ± {width:.2}"), held })
}
