//! The surfaces, put together: which routes each listener has, and what is around them all.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;

use crate::app::App;
use crate::caller::operator;
use crate::problem::{Code, Problem};
use crate::unread::ReadRest;
use crate::{admin, api, docs, hooks, local, people};

use advice::Listener;
use track::Track;

pub(crate) mod advice;
pub(crate) mod track;

impl App {
    /// The routes for clients and browsers.
    pub fn public_router(self: &Arc<Self>) -> Router {
        let (routes, _) = api::routes().merge(people::routes()).split_for_parts();
        let routes = routes.merge(docs::routes()).merge(hooks::routes());
        self.finish(routes, Listener::Public)
    }

    /// The routes for the operator of this machine, on a socket that nobody else may open.
    pub fn local_router(self: &Arc<Self>) -> Router {
        let (routes, _) = api::routes().split_for_parts();
        let routes = routes.merge(local::routes()).layer(from_fn(operator::as_operator));
        self.finish(routes, Listener::Public)
    }

    /// The routes for operators, on a listener of their own.
    pub fn admin_router(self: &Arc<Self>) -> Router {
        self.finish(admin::routes(), Listener::Admin)
    }

    fn finish(self: &Arc<Self>, routes: Router<Arc<Self>>, listener: Listener) -> Router {
        routes
            .fallback(|| async { Problem::new(Code::NotFound) })
            .method_not_allowed_fallback(|| async { Problem::new(Code::MethodNotAllowed) })
            .layer(Track(Arc::clone(self), listener))
            // Around everything, since the layer within it writes the bodies of problems.
            .layer(ReadRest)
            .with_state(Arc::clone(self))
    }
}
