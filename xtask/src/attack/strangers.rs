//! Strangers who write: the tag, links on demand, opt-in pages.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::Finding;
use super::oracles::ticked;
use crate::running::client::{Request, now};
use crate::running::server::{Server, phone};
use crate::running::shop::ORIGIN;

/// Connections of a flood.
const STRANGERS: usize = 32;

pub(super) fn all(server: &Server, time: Duration) -> Result<Vec<Finding>> {
    Ok(vec![pump_messages(server)?, opt_strangers_in(server)?, flood_the_tag(server, time)])
}

/// Has links sent to a block of numbers, all of people who are known.
fn pump_messages(server: &Server) -> Result<Finding> {
    const NUMBERS: usize = 60;
    for person in 0..NUMBERS {
        server.knows(&phone(1, person))?;
    }
    for person in 0..NUMBERS {
        Request::form("/p", &[("address", &phone(1, person))]).send(server.address)?;
    }
    let mut sent = 0;
    for person in 0..NUMBERS {
        let path = format!("/v1/messages?phone=%2B{}", &phone(1, person)[1..]);
        let messages = server.call(Request::get(path))?.json()?;
        sent += messages.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    }
    Ok(Finding::at_most("messages to one block of 60 numbers by /p", sent, 20))
}

/// Types the numbers of strangers on an opt-in page.
fn opt_strangers_in(server: &Server) -> Result<Finding> {
    const NUMBERS: usize = 100;
    let mut opted_in = 0;
    for person in 0..NUMBERS {
        ticked(&server.shop.page, &phone(2, person)).send(server.address)?;
    }
    for person in 0..NUMBERS {
        let ask = json!({ "channel": "sms", "phone": phone(2, person) });
        let answer = server.call(Request::json("/v1/check", &ask))?.json()?;
        opted_in += usize::from(answer.get("decision").is_some_and(|it| it == "allow"));
    }
    Ok(Finding::at_most("strangers opted in by an opt-in page", opted_in, 0))
}

/// Refuses for as many people as it can, from one network.
fn flood_the_tag(server: &Server, time: Duration) -> Finding {
    let until = now() + time;
    let taken: usize = std::thread::scope(|scope| {
        let strangers: Vec<_> = (0..STRANGERS)
            .map(|stranger| scope.spawn(move || be_a_stranger(server, stranger, until)))
            .collect();
        strangers.into_iter().map(|it| it.join().map_or(0, |taken| taken.unwrap_or(0))).sum()
    });
    // A network may open 600 pages a minute and as many with refusals besides.
    Finding::at_most("refusals by the tag from one network", taken, 1_300)
}

fn be_a_stranger(server: &Server, stranger: usize, until: Instant) -> Result<usize> {
    let mut taken = 0;
    let mut person = 0;
    while now() < until {
        person += 1;
        let user = json!({ "phone_number": phone(10 + stranger, person), "gdpr_optin": false });
        let said = json!({ "site": server.shop.site, "user": user });
        let request = Request::json("/capture/tag", &said).header("origin", ORIGIN);
        taken += usize::from(request.send(server.address)?.status == 200);
    }
    Ok(taken)
}
