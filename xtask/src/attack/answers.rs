//! Answers: what somebody makes the server say, to a browser, a mail program, a spreadsheet or a proxy.

use anyhow::Result;
use serde_json::json;

use super::Finding;
use crate::running::client::{Answer, Request};
use crate::running::server::{Server, phone};

const BLOCK: usize = 620;
/// A host that is not the server's.
const ELSEWHERE: &str = "elsewhere.example";
/// What spreadsheets run, each at the start of a cell or after what may begin one.
const FORMULAS: [&str; 10] = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    " =1+1",
    "\u{ff1d}1+1",
    "\u{ff0b}1",
    "\u{ff0d}1",
    "\u{ff20}S",
    "a;=1+1",
];

pub(super) fn all(server: &Server) -> Result<Vec<Finding>> {
    Ok(vec![
        paths_that_are_no_text(server)?,
        forged_hosts(server)?,
        headers_of_pages(server)?,
        line_ends_in_addresses(server)?,
        formulas_in_an_export(server)?,
    ])
}

fn is_ours(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default();
    let is_said = kind.starts_with("text/html") || kind == "application/problem+json";
    is_said && (400..500).contains(&answer.status)
}

/// Paths that are no UTF-8, hold a NUL, or end in the middle of an escape.
fn paths_that_are_no_text(server: &Server) -> Result<Finding> {
    let mut came = Vec::new();
    for place in ["/c", "/u", "/p", "/f", "/e", "/hooks", "/v1/rules", "/v1/messages"] {
        for end in ["%ff", "%c3%28", "%00", "%", "%zz", "%f0%9f", "%2e%2e", "%0d%0aset-cookie:a"] {
            for method in ["GET", "POST", "DELETE"] {
                let path = format!("{place}/{end}");
                let request = Request::of(method, &path);
                let request = if place.starts_with("/v1") {
                    request.header("authorization", format!("Bearer {}", server.key))
                } else {
                    request
                };
                let answer = server.meet(&request)?;
                if !is_ours(&answer) || answer.header("set-cookie").is_some() {
                    came.push(format!("{method} {path}: {}", answer.status));
                }
            }
        }
    }
    Ok(Finding::none("paths that are no text, answered by somebody else than us", &came))
}

/// Has the server called by another name, and looks for that name in what it answers and mints.
fn forged_hosts(server: &Server) -> Result<Finding> {
    let person = json!({ "phone": phone(BLOCK, 1), "channel": "sms" });
    let authorized =
        |request: Request| request.header("authorization", format!("Bearer {}", server.key));
    let mut came = Vec::new();
    for (name, request) in [
        ("GET /p", Request::get("/p")),
        ("POST /p", Request::form("/p", &[("address", &phone(BLOCK, 1))])),
        ("GET /f", Request::get(&server.shop.form)),
        ("POST /f", Request::form(&server.shop.form, &[("phone", "x")])),
        ("GET /e", Request::get(&server.shop.page)),
        ("POST /e", Request::form(&server.shop.page, &[("do", "chat")])),
        ("GET /", Request::get("/")),
        ("GET /nowhere", Request::get("/nowhere")),
        ("GET /u/x", Request::get("/u/x")),
        ("POST /v1/preference-links", authorized(Request::json("/v1/preference-links", &person))),
        ("GET /v1/entry-points", authorized(Request::get("/v1/entry-points"))),
        ("GET /v1/connections", authorized(Request::get("/v1/connections"))),
        ("GET /v1/forms", authorized(Request::get("/v1/forms"))),
    ] {
        let forwarded = request
            .calling(ELSEWHERE)
            .header("x-forwarded-host", ELSEWHERE)
            .header("x-forwarded-for", "192.0.2.9")
            .header("forwarded", format!("host={ELSEWHERE}"));
        let answer = server.meet(&forwarded)?;
        if answer.head.contains(ELSEWHERE) || answer.text().contains(ELSEWHERE) {
            came.push(name.to_owned());
        }
    }
    for host in ["a b", "a@b.example", "a.example/x", "\"><script>", ""] {
        let answer = server.meet(&Request::get("/p").calling(host))?;
        if answer.status != 400 {
            came.push(format!("host `{host}`: {}", answer.status));
        }
    }
    Ok(Finding::none("answers that call the server as a forged Host header does", &came))
}

/// What an answer without a key must say to browsers and caches.
fn headers_of_pages(server: &Server) -> Result<Finding> {
    let mut came = Vec::new();
    for request in [
        Request::get("/p"),
        Request::form("/p", &[("address", &phone(BLOCK, 2))]),
        Request::get("/p/x"),
        Request::get("/u/x"),
        Request::form("/u/x", &[]),
        Request::get("/c/x"),
        Request::get("/hooks/x"),
        Request::get("/nowhere"),
        Request::get("/v1/senders"),
        Request::get(&server.shop.page),
        Request::get(&server.shop.form),
        Request::form(&server.shop.page, &[("do", "chat")]),
        Request::form(&server.shop.form, &[]),
    ] {
        let answer = server.meet(&request)?;
        for (name, value) in [("cache-control", "no-store"), ("x-content-type-options", "nosniff")]
        {
            if answer.header(name) != Some(value) {
                came.push(format!("{name}: {}", answer.head.lines().next().unwrap_or_default()));
            }
        }
        for name in ["strict-transport-security"] {
            if answer.header(name).is_none() {
                came.push(format!("no {name}"));
            }
        }
        if answer.header("set-cookie").is_some() || answer.header("server").is_some() {
            came.push("a cookie, or the server's name".to_owned());
        }
        let is_page = answer.header("content-type").is_some_and(|it| it.starts_with("text/html"));
        if is_page && answer.header("content-security-policy").is_none() {
            came.push("a page without a policy".to_owned());
        }
    }
    Ok(Finding::none("answers without a key that caches keep or browsers guess at", &came))
}

/// Addresses with line ends and NULs, by every road.
fn line_ends_in_addresses(server: &Server) -> Result<Finding> {
    let mut came = Vec::new();
    for email in [
        "ada@shop.example\rBcc: eve@shop.example",
        "ada@shop.example\r\nBcc: eve@shop.example",
        "ada\u{0}@shop.example",
        "ada@shop.example\u{0}",
        "\"ada\r\"@shop.example",
        "ada@shop.example\u{2028}x",
        "ada@shop\n.example",
        "ada@shop.example>\r\nRCPT TO:<eve@shop.example",
    ] {
        let said = json!({ "email": email, "channel": "email", "statement": "opt_out", "standing": "act" });
        let profile = json!({ "email": email, "attributes": { "name": "x" } });
        let message = json!({ "to": email, "channel": "email", "text": "x", "subject": "x" });
        for (path, body) in
            [("/v1/consents", said), ("/v1/profiles", profile), ("/v1/messages", message)]
        {
            let answer = server.ask(Request::json(path, &body))?;
            if answer.status < 400 && is_kept(&answer.text()) {
                came.push(format!("{path} {}", email.escape_debug()));
            }
        }
    }
    let shown = server.call(Request::get("/v1/exports/consents?channel=email"))?.text();
    came.extend(shown.lines().filter(|line| is_kept(line)).map(str::to_owned));
    Ok(Finding::none("email addresses that are kept with a line end or a NUL", &came))
}

/// Whether a text of JSON holds a line end or a NUL inside an address. Outside of one they are dropped.
fn is_kept(text: &str) -> bool {
    ["\\u0000", "\\r", "\\n", "\u{2028}", "eve@"].iter().any(|kept| text.contains(kept))
}

/// Writes what spreadsheets run into everything that an export shows.
fn formulas_in_an_export(server: &Server) -> Result<Finding> {
    for (number, formula) in FORMULAS.iter().enumerate() {
        let said = json!({
            "external_id": formula, "channel": "push", "statement": "opt_out", "standing": "act",
        });
        server.ask(Request::json("/v1/consents", &said))?;
        let said = json!({
            "phone": phone(BLOCK, 100 + number), "channel": "sms", "statement": "opt_out",
            "standing": "act", "method": formula,
            "evidence": { "page": formula, "user_agent": formula, "fields": { "a": formula } },
        });
        server.ask(Request::json("/v1/consents", &said))?;
    }
    let table = server.call(Request::get("/v1/exports/consents?format=csv"))?.text();
    let came: Vec<String> = cells_that_run(&table);
    anyhow::ensure!(table.contains("1+1"), "no formula came into the export: {table}");
    Ok(Finding::none("cells of an export that a spreadsheet runs", &came))
}

/// What begins a formula where a cell may begin, under any separator.
fn cells_that_run(table: &str) -> Vec<String> {
    let is_sign = |letter: char| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(letter);
    let cells = table.split([',', ';', '\t', '\n', '\r']);
    let begins =
        cells.filter(|cell| cell.trim_start_matches([' ', '"', '\u{a0}']).starts_with(is_sign));
    begins.map(|cell| cell.chars().take(12).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_runs_is_seen_behind_every_separator() {
        assert_eq!(cells_that_run("a,b\r\n'=1,\"'+1\",c"), Vec::<String>::new());
        for table in ["a,=1", "a\r\n\"=1\"", "a;+1", "a\t @x", "x,\u{ff1d}1"] {
            assert_eq!(cells_that_run(table).len(), 1, "{table}");
        }
    }
}
