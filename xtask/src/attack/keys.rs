//! Weak keys: what a key does that leaked from a script or a program that only sends.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::Finding;
use crate::running::client::{Answer, Request};
use crate::running::server::{Server, phone};

/// The answer to a key that lacks the scope.
const FORBIDDEN: u16 = 403;
/// Nobody of the other attacks.
const BLOCK: usize = 600;

pub(super) fn all(server: &Server) -> Result<Vec<Finding>> {
    server.knows(&phone(BLOCK, 1))?;
    Ok(vec![
        become_everybody(server)?,
        read_with_each_scope(server)?,
        make_a_stronger_key(server)?,
        claim_an_act(server)?,
        send_past_a_refusal(server)?,
    ])
}

/// A key with these scopes, which records reports at most.
pub(super) fn key_with(server: &Server, name: &str, scopes: &[&str]) -> Result<String> {
    let asked = json!({ "name": name, "scopes": scopes, "highest": "report" });
    server.make("/v1/keys", &asked, "secret")
}

/// Asks with a key.
pub(super) fn ask_as(server: &Server, key: &str, request: Request) -> Result<Answer> {
    server.meet(&request.header("authorization", format!("Bearer {key}")))
}

/// Mints a person's link, reads, agrees, and erases, by a key that may send.
fn become_everybody(server: &Server) -> Result<Finding> {
    let key = key_with(server, "sender", &["send"])?;
    let (number, query) = (phone(BLOCK, 1), phone(BLOCK, 1).replace('+', "%2B"));
    let person = json!({ "phone": number, "channel": "sms" });
    let says = |statement: &str| json!({ "phone": number, "channel": "sms", "statement": statement, "standing": "report" });
    let tries = [
        Request::json("/v1/preference-links", &person),
        Request::json("/v1/consents", &says("opt_in")),
        Request::json("/v1/consents", &says("opt_out")),
        Request::json("/v1/profiles", &json!({ "phone": number, "attributes": { "a": "b" } })),
        Request::json("/v1/erasures", &json!({ "phone": number })),
        Request::json("/v1/suppressions", &person),
        Request::get(format!("/v1/consents?phone={query}")),
        Request::get(format!("/v1/events?phone={query}")),
        Request::get(format!("/v1/profiles?phone={query}")),
        Request::get(format!("/v1/sandbox/phone?phone={query}")),
        Request::get("/v1/exports/consents"),
        Request::of("GET", "/v1/link-keys"),
    ];
    let mut came = 0;
    for request in tries {
        came += usize::from(ask_as(server, &key, request)?.status != FORBIDDEN);
    }
    Ok(Finding::at_most("minting, agreeing, reading and erasing with a key that may send", came, 0))
}

/// Reads every list of the document by a key that may read nothing.
fn read_with_each_scope(server: &Server) -> Result<Finding> {
    let document = server.meet(&Request::get("/openapi.json"))?.json()?;
    let paths = document.get("paths").and_then(Value::as_object).context("no paths")?;
    let is_list = |(path, operations): &(&String, &Value)| {
        path.starts_with("/v1/") && !path.contains('{') && operations.get("get").is_some()
    };
    let lists: Vec<&String> = paths.iter().filter(is_list).map(|(path, _)| path).collect();
    anyhow::ensure!(lists.len() > 15, "the document lists {lists:?}");
    let mut came = 0;
    for scope in ["check", "links", "write"] {
        let key = key_with(server, &format!("only {scope}"), &[scope])?;
        for list in &lists {
            let answer = ask_as(server, &key, Request::get(list.as_str()))?;
            came += usize::from(answer.status != FORBIDDEN);
        }
    }
    Ok(Finding::at_most("lists read by keys that may check, link or write", came, 0))
}

/// Makes a key that may more than its maker.
fn make_a_stronger_key(server: &Server) -> Result<Finding> {
    let key = key_with(server, "configurer", &["configure"])?;
    let mut came = 0;
    for asked in [
        json!({ "name": "more", "role": "admin" }),
        json!({ "name": "more", "scopes": ["configure", "compliance"] }),
        json!({ "name": "more", "scopes": ["configure"], "highest": "act" }),
    ] {
        let answer = ask_as(server, &key, Request::json("/v1/keys", &asked))?;
        came += usize::from(answer.status < 300);
    }
    Ok(Finding::at_most("keys made that may more than their maker", came, 0))
}

/// Says that a person acted, by a key whose word is a report, and so lifts what they refused.
fn claim_an_act(server: &Server) -> Result<Finding> {
    let key = key_with(server, "reporter", &["write"])?;
    let number = phone(BLOCK, 2);
    server.knows(&number)?;
    for (statement, standing) in [
        ("opt_in", "act"),
        ("confirmed", "act"),
        ("single", "act"),
        ("start", "act"),
        ("opt_in", "report"),
    ] {
        let said = json!({
            "phone": number, "channel": "sms", "statement": statement, "standing": standing,
            "method": "checkbox", "occurred_at": "2026-01-01T00:00:00Z",
            "notice": { "id": server.shop.notice, "version": 1, "language": "en" },
        });
        ask_as(server, &key, Request::json("/v1/consents", &said))?;
    }
    let may = usize::from(is_allowed(server, &number)?);
    Ok(Finding::at_most("refusals lifted by a key whose word is a report", may, 0))
}

/// Whether somebody may be written to.
pub(super) fn is_allowed(server: &Server, number: &str) -> Result<bool> {
    let ask = json!({ "channel": "sms", "phone": number });
    let answer = server.call(Request::json("/v1/check", &ask))?.json()?;
    Ok(answer.get("decision").is_some_and(|it| it == "allow"))
}

/// Has a message sent to somebody who refused, and by waiving the opt-in to somebody unknown.
fn send_past_a_refusal(server: &Server) -> Result<Finding> {
    let key = key_with(server, "mailer", &["send"])?;
    let mut came = 0;
    for person in [1, 3] {
        for category in ["marketing", "utility"] {
            for waived in [json!({}), json!({ "require_opt_in": false })] {
                let mut message = json!({
                    "to": phone(BLOCK, person), "channel": "sms", "category": category,
                    "text": "Hello",
                });
                if let (Some(message), Some(waived)) = (message.as_object_mut(), waived.as_object())
                {
                    message.extend(waived.clone());
                }
                ask_as(server, &key, Request::json("/v1/messages", &message))?;
            }
        }
        let query = phone(BLOCK, person).replace('+', "%2B");
        let path = format!("/v1/sandbox/phone?phone={query}");
        let arrived = server.call(Request::get(path))?.json()?;
        came += arrived.get("messages").and_then(Value::as_array).map_or(0, Vec::len);
    }
    Ok(Finding::at_most("messages to who refused or never agreed, waiver and all", came, 0))
}
