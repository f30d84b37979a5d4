//! The kill drill: a process killed at random moments loses nothing it acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::http::Http;
use crate::running::{Running, sayso_json};

mod race;

/// Clients that write at once.
const CLIENTS: u64 = 16;
/// Rounds, unless `SAYSO_TEST_KILL_ROUNDS` says otherwise.
const ROUNDS: u64 = 50;
/// A round is killed after 1 to this many acknowledgements.
const ACKNOWLEDGED_MAX: u64 = 400;

/// An acknowledged event.
#[derive(Clone, Debug)]
struct Acknowledged {
    phone: String,
    event: String,
    refused: bool,
}

/// A sequence of numbers that looks random and is the same each time (`SplitMix64`).
fn scramble(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn make_key(data: &Path) -> String {
    sayso_json(data, &["workspaces", "create", "Drill", "--test"]);
    let scopes =
        ["--highest-standing", "act", "--scope", "write", "--scope", "read", "--scope", "check"];
    let made = sayso_json(data, &[&["keys", "create", "drill"], &scopes[..]].concat());
    made["secret"].as_str().unwrap().to_owned()
}

/// Writes until the server dies, and gives what was acknowledged.
async fn write_until_death(
    (address, key): (String, String),
    (round, client): (u64, u64),
    (count, kill_at, bell): (Arc<AtomicU64>, u64, Arc<Notify>),
) -> Vec<Acknowledged> {
    let mut acknowledged = Vec::new();
    let Some(mut http) = Http::connect(&address, &key).await else { return acknowledged };
    for n in 0.. {
        // Few phones, so that clients meet on the same person; times that never repeat.
        let phone = format!("+1415555{:04}", 100 + scramble(round ^ client << 20 ^ n << 32) % 100);
        let refused = scramble(n ^ client << 8 ^ round << 40).is_multiple_of(2);
        let micros = (round * CLIENTS + client) * 10_000 + n;
        let body = json!({
            "phone": phone, "channel": "sms", "standing": "act", "method": "drill",
            "statement": if refused { "opt_out" } else { "start" },
            "occurred_at": format!("2026-01-01T00:{:02}:{:02}.{:06}Z", micros / 60_000_000 % 60, micros / 1_000_000 % 60, micros % 1_000_000),
        });
        let Some(answer) = http.ask(Method::POST, "/v1/consents", Some(&body)).await else { break };
        if answer.status == 503 {
            continue;
        }
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        let event = answer.body["event"]["id"].as_str().unwrap().to_owned();
        acknowledged.push(Acknowledged { phone, event, refused });
        if count.fetch_add(1, Ordering::SeqCst) + 1 == kill_at {
            bell.notify_one();
        }
    }
    acknowledged
}

/// Every acknowledged event is there and whole, and the index says what the registers say.
async fn is_whole(running: &Running, key: &str, acknowledged: &[Acknowledged]) {
    let mut http = Http::connect(&running.address, key).await.unwrap();
    let mut by_phone: BTreeMap<&str, Vec<&Acknowledged>> = BTreeMap::new();
    for one in acknowledged {
        by_phone.entry(&one.phone).or_default().push(one);
    }
    for (phone, expected) in by_phone {
        let mut found = BTreeMap::new();
        let mut path = format!("/v1/events?phone={}&limit=500", phone.replace('+', "%2B"));
        loop {
            let page = http.must(Method::GET, &path, None).await;
            assert_eq!(page.status, 200, "{page:?}");
            for entry in page.body["events"].as_array().unwrap() {
                found.insert(entry["id"].as_str().unwrap().to_owned(), entry.clone());
            }
            let Some(next) = page.body["next"].as_str() else { break };
            path =
                format!("/v1/events?phone={}&limit=500&cursor={next}", phone.replace('+', "%2B"));
        }
        for one in expected {
            let entry: &Value = found.get(&one.event).unwrap_or_else(|| panic!("{one:?} is lost"));
            let said = if one.refused { "opt_out" } else { "start" };
            assert_eq!(entry["says"], said, "{entry}");
            assert_eq!(entry["evidence"]["method"], "drill", "{entry}");
        }
        let ask = |explain: bool| json!({ "phone": phone, "channel": "sms", "explain": explain });
        let by_index = http.must(Method::POST, "/v1/check", Some(&ask(false))).await;
        let by_registers = http.must(Method::POST, "/v1/check", Some(&ask(true))).await;
        assert_eq!(by_index.status, 200, "{by_index:?}");
        assert_eq!(by_index.body["decision"], by_registers.body["decision"], "{phone}");
        assert_eq!(by_index.body["reasons"], by_registers.body["reasons"], "{phone}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_it_acknowledged() {
    let rounds = std::env::var_os("SAYSO_TEST_KILL_ROUNDS");
    let rounds = rounds.and_then(|text| text.to_str()?.parse().ok()).unwrap_or(ROUNDS);
    let directory = tempfile::tempdir().unwrap();
    let key = make_key(directory.path());
    let mut total = 0;
    for round in 0..rounds {
        let running = Running::serve(directory.path());
        let kill_at = 1 + scramble(round) % ACKNOWLEDGED_MAX;
        let (count, bell) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let server = (running.address.clone(), key.clone());
                let ending = (Arc::clone(&count), kill_at, Arc::clone(&bell));
                tokio::task::spawn(write_until_death(server, (round, client), ending))
            })
            .collect();
        bell.notified().await;
        running.kill();
        let mut acknowledged = Vec::new();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        assert!(acknowledged.len() >= usize::try_from(kill_at).unwrap());
        total += acknowledged.len();
        let running = Running::serve(directory.path());
        is_whole(&running, &key, &acknowledged).await;
        running.kill();
    }
    assert!(total > 0);
}
