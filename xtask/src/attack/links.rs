//! Links: what somebody does with a link that is not theirs, or that they altered.
//!
//! Links of an earlier release and links that are too old cannot be had from a server of today: they are of
//! the class of handed ones, and `a_link_that_is_old_or_was_handed_to_a_key_does_nothing_but_leave` has them.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Finding;
use super::keys::{ask_as, is_allowed, key_with};
use crate::running::client::{Request, dawdle};
use crate::running::server::{Server, URL, phone};
use crate::running::shop::path_of;

const BLOCK: usize = 610;
/// What a person alone knows of themselves.
const SECRET: &str = "Lovelace";

pub(super) fn all(server: &Server) -> Result<Vec<Finding>> {
    let handed = Handed::to_a_key(server)?;
    Ok(vec![
        handed.do_more(server)?,
        handed.open_it(server)?,
        handed.alter_it(server)?,
        handed.use_it_elsewhere(server)?,
        handed.leave_unnamed(server)?,
        arrived_link(server)?,
    ])
}

/// A person's links in the hands of a key.
struct Handed {
    number: String,
    key_id: String,
    preferences: String,
    one_click: String,
}

impl Handed {
    fn to_a_key(server: &Server) -> Result<Self> {
        let number = phone(BLOCK, 1);
        agree(server, &number)?;
        let key = key_with(server, "linker", &["links"])?;
        let asked = json!({ "phone": number, "channel": "sms" });
        let made = ask_as(server, &key, Request::json("/v1/preference-links", &asked))?;
        ensure!(made.status == 201, "no link: {}", made.text());
        let made = made.json()?;
        let path = |name: &str| {
            path_of(made.get(name).and_then(Value::as_str).context("a link")?).map(str::to_owned)
        };
        let keys = server.call(Request::get("/v1/keys"))?.json()?;
        let keys = keys.get("keys").and_then(Value::as_array).context("no keys")?;
        let of_linker = keys.iter().find(|key| key.get("name").is_some_and(|it| it == "linker"));
        let key_id =
            of_linker.and_then(|key| key.get("id")?.as_str()).context("no key")?.to_owned();
        Ok(Self {
            number,
            key_id,
            preferences: path("preferences")?,
            one_click: path("one_click")?,
        })
    }

    /// Everything that is more than leaving.
    fn do_more(&self, server: &Server) -> Result<Finding> {
        let words = format!("{},1,en", server.shop.notice);
        let shown = format!("sms/category:utility off {words}");
        let before = events(server, &self.number)?.len();
        let mut came = 0;
        for fields in [
            vec![
                ("shown_at", "2026-01-01T00:00:00Z"),
                ("shown", &shown),
                ("on", "sms/category:utility"),
                ("act", "save"),
            ],
            vec![("act", "allow_processing"), ("notice", &words)],
            vec![("act", "download")],
            vec![("act", "ask_forget")],
            vec![("act", "forget")],
            vec![("act", "send_other"), ("other", "any")],
        ] {
            let page = server.meet(&Request::form(&self.preferences, &fields))?.text();
            let shows = page.contains(SECRET) || page.contains(&self.number[1..]);
            came += usize::from(shows || !page.contains("can only stop messages"));
        }
        came += events(server, &self.number)?.len() - before;
        Ok(Finding::at_most("what a link handed to a key does besides leaving", came, 0))
    }

    /// Opens it, as scanners and previews do.
    fn open_it(&self, server: &Server) -> Result<Finding> {
        let before = events(server, &self.number)?.len();
        for path in [&self.preferences, &self.one_click] {
            for method in ["GET", "HEAD", "OPTIONS"] {
                server.meet(&Request::of(method, path))?;
            }
        }
        let came = events(server, &self.number)?.len() - before;
        Ok(Finding::at_most("events by opening links", came, 0))
    }

    /// Changes each letter of it.
    fn alter_it(&self, server: &Server) -> Result<Finding> {
        let (place, token) = self.one_click.rsplit_once('/').context("a token")?;
        let before = events(server, &self.number)?.len();
        let mut came = 0;
        for at in 0..token.len() {
            let mut letters = token.as_bytes().to_vec();
            let letter = letters.get_mut(at).context("a letter")?;
            *letter = if *letter == b'A' { b'B' } else { b'A' };
            let altered = format!("{place}/{}", String::from_utf8(letters)?);
            came += usize::from(server.meet(&Request::form(altered, &[]))?.status < 400);
        }
        came += events(server, &self.number)?.len() - before;
        Ok(Finding::at_most("altered links that work", came, 0))
    }

    /// Uses the token of one page at the others.
    fn use_it_elsewhere(&self, server: &Server) -> Result<Finding> {
        let token = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let mut came = 0;
        for (token, places) in
            [(token(&self.preferences), ["/u", "/c"]), (token(&self.one_click), ["/p", "/c"])]
        {
            for place in places {
                for request in [
                    Request::get(format!("{place}/{token}")),
                    Request::form(format!("{place}/{token}"), &[]),
                ] {
                    came += usize::from(server.meet(&request)?.status < 400);
                }
            }
        }
        Ok(Finding::at_most("links that work on a page that they are not for", came, 0))
    }

    /// Leaves by it: the person is not written to any more, and the event names the key.
    fn leave_unnamed(&self, server: &Server) -> Result<Finding> {
        ensure!(is_allowed(server, &self.number)?, "somebody who agreed may not be written to");
        let before = events(server, &self.number)?.len();
        let left =
            server.meet(&Request::form(&self.one_click, &[("List-Unsubscribe", "One-Click")]))?;
        ensure!(left.status == 200, "a link does not leave: {}", left.head);
        ensure!(!is_allowed(server, &self.number)?, "who left is still written to");
        let now = events(server, &self.number)?;
        let named = now.iter().filter(|event| {
            event
                .pointer("/evidence/fields/sayso:link_key")
                .is_some_and(|it| *it == self.key_id.as_str())
        });
        let unnamed = now.len() - before - named.count();
        Ok(Finding::at_most("events by a handed link that do not name its key", unnamed, 0))
    }
}

/// Has a link sent to somebody, as anybody may; and whether it went anywhere but to the person: what arrives
/// does more, which shows that the attacks before could.
fn arrived_link(server: &Server) -> Result<Finding> {
    let number = phone(BLOCK + 1, 1);
    agree(server, &number)?;
    let page = server.meet(&Request::form("/p", &[("address", &number)]))?.text();
    let mut came = usize::from(page.contains("/p/"));
    let query = number.replace('+', "%2B");
    let mut link = None;
    for _ in 0..100 {
        let path = format!("/v1/sandbox/phone?phone={query}");
        let text = server.call(Request::get(path))?.text();
        link = text.split_once(&format!("{URL}/p/")).map(|(_, rest)| rest.to_owned());
        if link.is_some() {
            break;
        }
        dawdle(std::time::Duration::from_millis(100));
    }
    let link = link.context("no link arrived")?;
    let is_of_token = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let token: String = link.chars().take_while(|letter| is_of_token(*letter)).collect();
    let file = server.meet(&Request::form(format!("/p/{token}"), &[("act", "download")]))?.text();
    ensure!(file.contains(&number[1..]), "a fresh link downloads nothing: {file}");
    came += usize::from(file.contains(SECRET));
    Ok(Finding::at_most("what a link by one address shows of the rest of its person", came, 0))
}

/// Somebody who agreed, and of whom something is known.
fn agree(server: &Server, number: &str) -> Result<()> {
    let said = json!({
        "phone": number, "channel": "sms", "statement": "opt_in", "standing": "act",
        "method": "checkbox", "occurred_at": "2026-01-01T00:00:00Z",
        "notice": { "id": server.shop.notice, "version": 1, "language": "en" },
    });
    server.call(Request::json("/v1/consents", &said))?;
    let profile = json!({
        "phone": number, "external_id": format!("u{number}"), "attributes": { "name": SECRET },
    });
    server.call(Request::json("/v1/profiles", &profile)).map(|_| ())
}

fn events(server: &Server, number: &str) -> Result<Vec<Value>> {
    let path = format!("/v1/events?limit=500&phone={}", number.replace('+', "%2B"));
    let page = server.call(Request::get(path))?.json()?;
    Ok(page.get("events").and_then(Value::as_array).context("no events")?.clone())
}
