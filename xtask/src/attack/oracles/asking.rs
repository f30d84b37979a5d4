//! What is asked at each door about somebody known and somebody unknown.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::super::people::Person;
use super::{Asking, Told, each};
use crate::running::client::{Answer, Request, dawdle};
use crate::running::shop::{ORIGIN, path_of};

/// How long whoever runs no script waits before they send a form.
const PATIENCE: Duration = Duration::from_secs(9);

pub(super) fn tag(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let says = |flag: &'static str| {
        asking.requests(move |person| {
            let user = json!({ "phone_number": person.number, flag: false });
            let said = json!({ "site": asking.server.shop.site, "user": user });
            Ok(person.sends(Request::json("/capture/tag", &said).header("origin", ORIGIN)))
        })
    };
    Ok(vec![
        asking.time("the tag: who is known", &says("sms_optin")?)?,
        asking.time("the tag, refusing processing: who is known", &says("gdpr_optin")?)?,
    ])
}

pub(super) fn link_request(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let requests = asking
        .requests(|person| Ok(person.sends(Request::form("/p", &[("address", &person.number)]))))?;
    Ok(vec![asking.time("asking for a link at /p: who is known", &requests)?])
}

pub(super) fn opt_in_page(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let page = &asking.server.shop.page;
    let requests = asking.requests(|person| Ok(person.sends(ticked(page, &person.number))))?;
    Ok(vec![asking.time("an opt-in page at /e: who is known", &requests)?])
}

/// What the form of an opt-in page sends.
pub(in crate::attack) fn ticked(page: &str, phone: &str) -> Request {
    let fields = [("visit", phone), ("lang", "en"), ("choice", "all"), ("address", phone)];
    Request::form(page, &fields)
}

pub(super) fn form(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let sent = filled_in(asking, &asking.server.shop.form)?;
    Ok(vec![asking.time("a form at /f: who is known", &sent)?])
}

/// A form as people fill it in who run no script.
fn filled_in(asking: &Asking<'_>, form: &str) -> Result<Vec<[Request; 2]>> {
    let sent = asking.requests(|person| {
        let opened = asking.server.meet(&person.sends(Request::get(form)))?;
        let challenge = between(&opened, "name=\"challenge\" value=\"")?;
        let fields = [
            ("challenge", challenge.as_str()),
            ("phone", &person.number),
            ("name", "Grace"),
            ("box-sms-all", "yes"),
        ];
        Ok(person.sends(Request::form(form, &fields)))
    })?;
    dawdle(PATIENCE);
    Ok(sent)
}

/// What follows a mark in a page, up to the next quote.
fn between(page: &Answer, mark: &str) -> Result<String> {
    let text = page.text();
    let (_, rest) = text.split_once(mark).with_context(|| format!("no {mark} in {text}"))?;
    Ok(rest.split('"').next().unwrap_or_default().replace("&amp;", "&"))
}

/// A form whose address confirms by a code: the sign-up, its page, and a guess.
pub(super) fn code(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let sent = filled_in(asking, &asking.server.shop.code_form)?;
    let signed_up = asking.time("a form that asks for a code: who is known", &sent)?;
    let both: Vec<(&[Person; 2], &[Answer; 2])> =
        asking.people.iter().zip(&signed_up.answers).collect();
    let paths = each(&both, |(people, pages)| {
        let [known, unknown] = pages;
        let action = "method=\"post\" action=\"";
        let paths = [between(known, action)?, between(unknown, action)?];
        ensure!(paths.iter().all(|path| path.starts_with("/c/")), "no page for a code: {paths:?}");
        Ok(((*people).clone(), paths))
    })?;
    let ask = |make: &(dyn Fn(&str) -> Request + Sync)| -> Vec<[Request; 2]> {
        let of = |([known, unknown], [first, second]): &([Person; 2], [String; 2])| {
            [known.sends(make(first)), unknown.sends(make(second))]
        };
        paths.iter().map(of).collect()
    };
    let opened = ask(&|path| Request::get(path));
    let guessed = ask(&|path| Request::form(path, &[("code", "000000")]));
    Ok(vec![
        asking.time("the page for a code at /c: who is known", &opened)?,
        asking.time("a wrong code at /c: who is known", &guessed)?,
        signed_up,
    ])
}

/// The links of a person as a key is given them: whether somebody is known behind the link to leave.
fn links(asking: &Asking<'_>, person: &Person) -> Result<[String; 2]> {
    let asked = json!({ "phone": person.number, "channel": "sms" });
    let made = asking.server.call(Request::json("/v1/preference-links", &asked))?.json()?;
    let path = |name: &str| {
        let link = made.get(name).and_then(|link| link.as_str()).context("a link")?;
        path_of(link).map(str::to_owned)
    };
    Ok([path("preferences")?, path("one_click")?])
}

pub(super) fn leaving(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let opened = asking.requests(|person| {
        let [_, one_click] = links(asking, person)?;
        Ok(person.sends(Request::get(one_click)))
    })?;
    let left = asking.requests(|person| {
        let [_, one_click] = links(asking, person)?;
        Ok(person.sends(Request::form(one_click, &[("List-Unsubscribe", "One-Click")])))
    })?;
    Ok(vec![
        asking.time("a link to leave at /u, opened: who is known", &opened)?,
        asking.time("a link to leave at /u, used: who is known", &left)?,
    ])
}

/// Links with a letter changed: what stands behind a true one is its holder's to see.
pub(super) fn forged_links(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let forged = |person: &Person| -> Result<String> {
        let [mut preferences, _] = links(asking, person)?;
        let last = preferences.pop().context("a token")?;
        preferences.push(if last == 'A' { 'B' } else { 'A' });
        Ok(preferences)
    };
    let opened = asking.requests(|person| Ok(person.sends(Request::get(forged(person)?))))?;
    let used = asking.requests(|person| {
        Ok(person.sends(Request::form(forged(person)?, &[("act", "download")])))
    })?;
    Ok(vec![
        asking.time("a forged link at /p, opened: who is known", &opened)?,
        asking.time("a forged link at /p, used: who is known", &used)?,
    ])
}

/// A call that nobody signed: which connections there are.
pub(super) fn unsigned_hook(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let hook = &asking.server.shop.hook;
    let unknown = hook.get(..hook.len().saturating_sub(6)).context("a hook")?;
    let requests = asking.requests(|person| {
        let path = if person.is_known { hook.clone() } else { format!("{unknown}000000") };
        let fields = [("From", person.number.as_str()), ("Body", "STOP"), ("MessageSid", "SM1")];
        let call = Request::form(path, &fields)
            .header("x-twilio-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        Ok(person.sends(call))
    })?;
    Ok(vec![asking.time("an unsigned call at /hooks: which connections exist", &requests)?])
}

/// A key of which all but the end is right: which keys there are.
pub(super) fn wrong_key(asking: &Asking<'_>) -> Result<Vec<Told>> {
    let key = &asking.server.key;
    let (most, _) = key.split_at(key.len().saturating_sub(8));
    let requests = asking.requests(|person| {
        let key =
            if person.is_known { format!("{most}00000000") } else { format!("sk_test_{:0>38}", 1) };
        Ok(person
            .sends(Request::get("/v1/senders").header("authorization", format!("Bearer {key}"))))
    })?;
    Ok(vec![asking.time("a key that is nearly right: which keys exist", &requests)?])
}

/// What a list says again and what it says anew, with a key: the second is written to disk.
pub(super) fn said_again(asking: &Asking<'_>) -> Result<Told> {
    let says = |person: &Person| {
        let said = json!({
            "phone": person.number, "channel": "sms", "statement": "opt_out", "standing": "report",
        });
        let key = format!("Bearer {}", asking.server.key);
        person.sends(Request::json("/v1/consents", &said).header("authorization", key))
    };
    each(&asking.people, |[known, _]| asking.server.meet(&says(known)))?;
    let requests = asking.requests(|person| Ok(says(person)))?;
    asking.time("control: a write with a key, which tells", &requests)
}
