//! What such a server has: a workspace with a site, an opt-in page, forms and connections.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::client::Request;
use super::server::Server;

/// The origin of the site.
pub(crate) const ORIGIN: &str = "https://shop.example";

/// What was made, by its id or path.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    pub(crate) site: String,
    /// The path of an opt-in page.
    pub(crate) page: String,
    /// The path of a form with a phone and a name.
    pub(crate) form: String,
    /// The path of one whose phone confirms what was ticked, by a code.
    pub(crate) code_form: String,
    /// The path where a provider calls that signs.
    pub(crate) hook: String,
    /// The words that people agree to.
    pub(crate) notice: String,
    /// A sender with simulated phones.
    pub(crate) sender: String,
}

impl Shop {
    pub(crate) fn furnish(server: &Server) -> Result<Self> {
        let site = json!({ "name": "shop", "origins": [ORIGIN] });
        let site = server.make("/v1/sites", &site, "site")?;
        let connection = json!({ "name": "phones", "provider": "sandbox" });
        let connection = server.make("/v1/connections", &connection, "id")?;
        let sender = json!({
            "channel": "sms", "name": "Shop", "address": "12345", "connection": connection,
        });
        let sender = server.make("/v1/senders", &sender, "id")?;
        let signing = json!({
            "name": "signed", "provider": "twilio",
            "credentials": {
                "account": "AC0123456789abcdef0123456789abcdef",
                "auth_token": "0123456789abcdef0123456789abcdef",
            },
        });
        let hook = format!("/hooks/{}", server.make("/v1/connections", &signing, "id")?);
        let notice = server.make("/v1/notices", &json!({ "name": "Offers" }), "id")?;
        let words = json!({
            "version": 1, "language": "en", "text": "Yes, write to me.",
            "names": [{ "channel": "sms" }],
        });
        server.call(Request::json(format!("/v1/notices/{notice}/versions"), &words))?;
        let page = opt_in_page(server, (&sender, &notice))?;
        let form = opt_in_form(server, &notice, &Value::Null)?;
        let code_form = opt_in_form(server, &notice, &json!("code"))?;
        Ok(Self { site, page, form, code_form, hook, notice, sender })
    }
}

fn opt_in_page(server: &Server, (sender, notice): (&str, &str)) -> Result<String> {
    let entry = json!({
        "name": "Poster", "sender": sender, "business": "Harbour Books", "address": "12345",
        "prefill": "Hello", "notice": { "id": notice, "version": 1 }, "languages": ["en"],
    });
    let link = server.make("/v1/entry-points", &entry, "link")?;
    Ok(path_of(&link)?.to_owned())
}

fn opt_in_form(server: &Server, notice: &str, confirmed: &Value) -> Result<String> {
    let asked = json!({
        "name": format!("Footer {confirmed}").replace('"', ""), "business": "Harbour Shop",
        "channels": ["sms"], "notice": notice, "origins": [ORIGIN], "double_opt_in": confirmed,
        "fields": [{ "kind": "phone" }, { "kind": "name" }],
    });
    Ok(format!("/f/{}", server.make("/v1/forms", &asked, "id")?))
}

/// The path of a link.
pub(crate) fn path_of(link: &str) -> Result<&str> {
    let (_, rest) = link.split_once("://").context("no URL")?;
    rest.find('/').and_then(|at| rest.get(at..)).context("no path")
}
