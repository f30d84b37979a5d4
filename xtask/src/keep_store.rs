//! A store of a release, kept for the test that opens it with every later one.
//!
//! The release's own program makes it: everything that can be configured, and people who said yes, no and
//! something else. Beside the files stands `shown.json`: what the release answered to each path. A later release must
//! answer the same (`crates/sayso/tests/it/kept_stores.rs`), new members aside.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Outcome;
use crate::running::client::Request;
use crate::running::server::{Before, Server, phone};
use crate::workspace;

/// The files of a store.
const FILES: [&str; 4] = ["events.db", "views.db", "work.db", "master.key"];

/// Makes a store by `program`, which is of release `version`, and keeps it.
pub(crate) fn run(version: &str, program: &Path) -> Result<Outcome> {
    let kept = workspace::root().join("crates/sayso/tests/stores").join(version);
    ensure!(!kept.exists(), "{} is there: what a release wrote never changes", kept.display());
    let mut server = Server::start(&program.canonicalize()?, Before::Nothing)?;
    furnish(&server)?;
    let shown = shown(&server)?;
    server.stop()?;
    server.start_again(Before::Nothing)?;
    for (path, again) in self::shown(&server)? {
        ensure!(
            shown.get(&path) == Some(&again),
            "{path} answers otherwise after a start: {again}"
        );
    }
    server.stop()?;
    std::fs::create_dir_all(&kept)?;
    let data = server.directory().join("data");
    for name in FILES {
        std::fs::copy(data.join(name), kept.join(name)).with_context(|| name.to_owned())?;
    }
    std::fs::write(kept.join("key"), &server.key)?;
    std::fs::write(kept.join("shown.json"), serde_json::to_string_pretty(&shown)? + "\n")?;
    println!("keep-store: {} ({} answers)", kept.display(), shown.len());
    Ok(Outcome::Done)
}

/// What a shop does in a year: a topic, a rule, settings, a key that is gone, people, a list that was a
/// mistake, a sender that was paused.
fn furnish(server: &Server) -> Result<()> {
    let (sender, notice) = (&server.shop.sender, &server.shop.notice);
    let topic = json!({ "name": "Offers", "category": "marketing", "code": "DEALS" });
    let topic = server.make("/v1/topics", &topic, "id")?;
    let rule = json!({ "channel": "sms", "sender": sender, "is": "genug", "does": "opt_out" });
    server.make("/v1/rules", &rule, "id")?;
    let settings = json!({
        "region": "DE", "audit_look_ups": true, "country_packs": ["us"],
        "frequency_caps": [{ "category": "marketing", "messages": 4, "hours": 168 }],
    });
    server.call(Request::patch("/v1/settings", &settings))?;
    let key = server.make("/v1/keys", &json!({ "name": "old", "role": "backend" }), "id")?;
    server.call(Request::of("DELETE", format!("/v1/keys/{key}")))?;
    server.call(Request::json("/v1/link-keys", &json!({})))?;
    server.call(Request::json(
        format!("/v1/senders/{sender}/pause"),
        &json!({ "reason": "the list was wrong" }),
    ))?;
    for (person, statement) in ["opt_in", "opt_out", "block"].iter().enumerate() {
        let said = json!({
            "phone": phone(0, person), "channel": "sms", "statement": statement, "standing": "act",
            "method": "checkbox", "occurred_at": "2026-05-01T10:00:00Z",
            "notice": { "id": notice, "version": 1, "language": "en" },
        });
        server.call(Request::json("/v1/consents", &said))?;
    }
    let chosen = json!({
        "phone": phone(0, 3), "channel": "sms", "statement": "opt_in", "standing": "report",
        "scope": format!("topic:{topic}"),
    });
    server.call(Request::json("/v1/consents", &chosen))?;
    let person = json!({
        "phone": phone(0, 0), "email": "ada@shop.example", "attributes": { "city": "Bergen" },
    });
    server.call(Request::json("/v1/profiles", &person))?;
    let import = server.make("/v1/imports", &json!({ "list": "a mistake" }), "id")?;
    let row = json!({ "line": 1, "phone": phone(0, 4), "channel": "sms", "statement": "opt_out", "standing": "report" });
    let rows = format!("/v1/imports/{import}/rows?list=a%20mistake");
    server.call(Request::post(rows, "application/x-ndjson", format!("{row}\n")))?;
    server.call(Request::json(format!("/v1/imports/{import}/undo"), &json!({})))?;
    server.knows(&phone(0, 5))?;
    let erased = json!({ "phone": phone(0, 5), "reason": "asked to" });
    server.call(Request::json("/v1/erasures", &erased))?;
    Ok(())
}

/// What the server shows of all of it, by path.
fn shown(server: &Server) -> Result<BTreeMap<String, Value>> {
    let configured = [
        "settings",
        "senders",
        "connections",
        "topics",
        "notices",
        "rules",
        "sites",
        "entry-points",
        "forms",
        "keys",
        "link-keys",
        "erasures",
        "rejects",
    ];
    let mut paths: Vec<String> = configured.iter().map(|kind| format!("/v1/{kind}")).collect();
    for person in 0..6 {
        let who = phone(0, person).replace('+', "%2B");
        paths.push(format!("/v1/events?phone={who}"));
        paths.push(format!("/v1/profiles?phone={who}"));
    }
    let mut shown = BTreeMap::new();
    for path in paths {
        let answer = server.ask(Request::get(&path))?;
        ensure!(answer.status < 500, "{path}: {}", answer.status);
        shown.insert(path, json!({ "status": answer.status, "body": answer.json()? }));
    }
    Ok(shown)
}
