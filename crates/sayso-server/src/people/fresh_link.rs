//! A fresh link for somebody who holds an older one, or one that was handed to a key: sent to the address
//! itself, so that whoever opens it can read what is sent there (rule 22).
//!
//! It goes by the road of [`link_requests`](crate::workers::link_requests), within its limits.

use sayso_core::address::Address;
use sayso_core::proof::answered::Answered;
use sayso_core::words::day::Day;
use sayso_pages::language::Language;
use sayso_pages::personal::request::LinkRequest;

use super::visitor::Visitor;
use crate::app::App;
use crate::app::link_requests::{AskedLink, routes};
use crate::problem::{Code, Problem};
use crate::rate::Network;

/// To which address of the person a link goes.
#[derive(Clone, Copy)]
pub(super) enum Goes<'a> {
    /// The one that their own link is about.
    There,
    /// Another, with the word that their own answered.
    Elsewhere(&'a Address),
}

/// Whether a link can be sent to an address at all.
pub(super) fn can_be_sent(app: &App, visitor: &Visitor, to: &Address) -> bool {
    app.public_url().is_some() && !routes(&visitor.workspace, to, app.now()).is_empty()
}

/// Sends a link to an address of the person, and shows what is said to everybody who asks for one.
///
/// # Errors
/// [`Code::NotFound`] where the address is not known any more, [`Code::Busy`] where too many links wait.
pub(super) fn send_fresh(
    app: &App,
    visitor: &Visitor,
    language: Language,
    goes: Goes<'_>,
) -> Result<sayso_pages::page::Document, Problem> {
    let workspace = &visitor.workspace;
    let workspace_id = workspace.id.to_string();
    let answered = match goes {
        Goes::There => None,
        Goes::Elsewhere(_) => {
            let (address, day) = (visitor.link.address, Day::of(app.now()));
            let answered = Answered { workspace: workspace.id, address, day };
            Some(answered.token(workspace.link_key(), &workspace.secret))
        }
    };
    let page = LinkRequest {
        language,
        business: visitor.business(),
        workspace: &workspace_id,
        refused: None,
        answered: answered.as_deref(),
    };
    let to = match goes {
        Goes::There => visitor.address.as_ref(),
        Goes::Elsewhere(address) => Some(address),
    };
    let to = to.ok_or_else(|| Problem::new(Code::NotFound))?;
    let asked = AskedLink::of(workspace.id, to.clone(), Network::of(visitor.ip), &page);
    app.ask_link(asked)?;
    Ok(page.sent())
}
