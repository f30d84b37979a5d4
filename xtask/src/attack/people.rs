//! The people of the oracles: as many whom the server knows as it does not, each from a network of their own.

use anyhow::Result;
use serde_json::json;

use crate::running::client::Request;
use crate::running::server::Server;

/// Area codes of real numbers, one for each measure.
const AREAS: [u16; 16] =
    [212, 213, 303, 305, 312, 404, 415, 503, 512, 602, 617, 702, 713, 718, 808, 907];
/// Blocks of numbers that people are spread over, so that no block is asked too much.
const BLOCKS: usize = 100;

/// Somebody.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) number: String,
    /// Where their browser is.
    pub(super) network: String,
    pub(super) is_known: bool,
}

/// So many pairs of somebody who is known and somebody who is not, of one measure.
pub(super) fn pairs(measure: usize, pairs: usize) -> Vec<[Person; 2]> {
    let person = |index: usize, is_known| {
        let area = AREAS.get(measure % AREAS.len()).copied().unwrap_or(212);
        let (block, line) = (220 + index % BLOCKS, 1_000 * (1 + measure / AREAS.len()));
        let number = format!("+1{area}{block:03}{:04}", line + index / BLOCKS);
        let network = format!("10.{}.{}.7", measure * 8 + index / 250, index % 250);
        Person { number, network, is_known }
    };
    (0..pairs).map(|pair| [person(2 * pair, true), person(2 * pair + 1, false)]).collect()
}

/// Has the server know somebody: what they refused, and who they are.
pub(super) fn introduce(server: &Server, person: &Person) -> Result<()> {
    server.knows(&person.number)?;
    let profile = json!({
        "phone": person.number, "external_id": format!("u{}", person.number),
        "attributes": { "name": "Ada", "city": "London" },
    });
    server.call(Request::json("/v1/profiles", &profile)).map(|_| ())
}

impl Person {
    /// Something that their browser sends.
    pub(super) fn sends(&self, request: Request) -> Request {
        request.header("x-forwarded-for", self.network.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_people_share_a_number_or_a_network() {
        let all: Vec<Person> = (0..24).flat_map(|measure| pairs(measure, 400)).flatten().collect();
        let numbers: BTreeSet<&String> = all.iter().map(|person| &person.number).collect();
        let networks: BTreeSet<&String> = all.iter().map(|person| &person.network).collect();
        assert_eq!((numbers.len(), networks.len()), (all.len(), all.len()));
    }
}
