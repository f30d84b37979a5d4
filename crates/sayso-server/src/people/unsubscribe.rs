//! `/u/{token}`: leaving with one click (rule 22, RFC 8058).
//!
//! Opening the link shows a page with a button; mail scanners, previews and prefetching browsers open
//! links, and change nothing. Any POST acts at once, whatever its body says, and is answered with 200 once
//! the refusal is durable: there is nothing to confirm, no redirect, and the link works again and again.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sayso_core::proof::personal_link::{Leaves, LinkPurpose};
use sayso_core::words::channel::{Category, Permission, Scope};
use sayso_core::words::source::Road;
use sayso_pages::personal::ACT;
use sayso_pages::personal::unsubscribe::{EVERYTHING, Left, Unsubscribe};

use super::link_end::LinkEnd;
use super::pages::respond;
use super::visitor::{Counted, Fields, Visitor, answer, everything_on, language_of};
use crate::app::App;
use crate::problem::Problem;

/// Shows what the link leaves, and changes nothing.
pub(super) async fn ask(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let asked = async {
        app.take_network(&parts)?;
        let token = (&*token, LinkPurpose::OneClick);
        let visitor = Visitor::find(&app, token, &parts, Counted::Yes).await?;
        let (_, left) = visitor.leaves();
        let page = Unsubscribe {
            language: language_of(&parts),
            business: visitor.business(),
            channel: visitor.link.channel,
            left,
        };
        Ok(respond(StatusCode::OK, page.ask(), &[]))
    };
    answer(asked.await, &parts.headers)
}

/// Leaves, at once.
pub(super) async fn leave(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let left = async {
        let token = (&*token, LinkPurpose::OneClick);
        let visitor = Visitor::find(&app, token, &parts, Counted::NotYet).await?;
        let fields = Fields::read(body).await;
        let (mut refused, mut left) = visitor.leaves();
        if fields.find(ACT) == Some(EVERYTHING) {
            left = Left::Everything;
            refused = visitor.everything(&app).await?;
        }
        visitor.refuse(&app, Road::OneClick, &refused).await?;
        let page = Unsubscribe {
            language: language_of(&parts),
            business: visitor.business(),
            channel: visitor.link.channel,
            left,
        };
        Ok(respond(StatusCode::OK, page.done(), &[]))
    };
    answer(left.await, &parts.headers)
}

impl Visitor {
    /// What one click leaves: marketing (rule 22), and with it what the link is of where that is none; a
    /// topic while it lives, then its category; everything on the channel where the topic is unknown here
    /// (rule 5).
    fn leaves(&self) -> (Vec<Permission>, Left<'_>) {
        let on = |scope| Permission::Messages(self.link.channel, scope);
        let marketing = on(Scope::Category(Category::Marketing));
        let category = |it| match it {
            Category::Marketing => (vec![marketing], Left::Category(it)),
            Category::Utility | Category::Authentication | Category::Service => {
                (vec![marketing, on(Scope::Category(it))], Left::Category(it))
            }
        };
        match self.link.leaves {
            Leaves::Category(it) => category(it),
            Leaves::Topic(id) => match self.workspace.topics.get(&id) {
                Some(topic)
                    if topic.deleted_at.is_none() && topic.category != Category::Marketing =>
                {
                    (vec![marketing, on(Scope::Topic(id))], Left::Topic(&topic.name))
                }
                Some(topic) => category(topic.category),
                None => (vec![on(Scope::All)], Left::Channel),
            },
        }
    }

    /// Everything that can be sent to the address.
    pub(super) async fn everything(&self, app: &App) -> Result<Vec<Permission>, Problem> {
        let registers = self.registers(app).await?;
        Ok(everything_on(&self.channels(&registers)))
    }
}
