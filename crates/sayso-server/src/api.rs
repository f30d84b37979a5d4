//! `/v1`: what clients with an API key may do. A file for each resource.

use std::sync::Arc;

use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;

pub(crate) mod making;
pub(crate) mod page;
pub(crate) mod revisions;

pub(crate) mod check;
pub(crate) mod consents;
pub(crate) mod double_opt_ins;
pub(crate) mod events;
pub(crate) mod profiles;

pub(crate) mod exports;
pub(crate) mod imports;

pub(crate) mod erasures;
pub(crate) mod suppressions;

pub(crate) mod link_keys;
pub(crate) mod messages;
pub(crate) mod preference_links;
pub(crate) mod sandbox;

pub(crate) mod look_ups;
pub(crate) mod rejects;
pub(crate) mod retractions;
pub(crate) mod reviews;

pub(crate) mod connections;
pub(crate) mod entry_points;
pub(crate) mod forms;
pub(crate) mod keys;
pub(crate) mod notices;
pub(crate) mod people;
pub(crate) mod policies;
pub(crate) mod rules;
pub(crate) mod senders;
pub(crate) mod settings;
pub(crate) mod sites;
pub(crate) mod topics;

/// The routes, with their documentation.
#[expect(clippy::too_many_lines, reason = "a list of all routes")]
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(consents::record, consents::audience))
        .routes(routes!(consents::record_batch))
        .routes(routes!(double_opt_ins::ask))
        .routes(routes!(double_opt_ins::answer))
        .routes(routes!(check::check))
        .routes(routes!(check::check_batch))
        .routes(routes!(profiles::upsert, profiles::find))
        .routes(routes!(profiles::get))
        .routes(routes!(profiles::link, profiles::unlink))
        .routes(routes!(events::list))
        .routes(routes!(events::retract))
        .routes(routes!(retractions::retract))
        .routes(routes!(imports::begin))
        .routes(routes!(imports::rows))
        .routes(routes!(imports::undo))
        .routes(routes!(exports::consents))
        .routes(routes!(suppressions::switch))
        .routes(routes!(erasures::list, erasures::erase))
        .routes(routes!(messages::list::list, messages::send))
        .routes(routes!(messages::get))
        .routes(routes!(preference_links::make))
        .routes(routes!(link_keys::list, link_keys::rotate))
        .routes(routes!(sandbox::get, sandbox::put))
        .routes(routes!(sandbox::write))
        .routes(routes!(connections::list, connections::create))
        .routes(routes!(
            connections::get,
            connections::put,
            connections::patch,
            connections::delete
        ))
        .routes(routes!(reviews::list))
        .routes(routes!(reviews::decide))
        .routes(routes!(reviews::inferred::list))
        .routes(routes!(reviews::inferred::decide))
        .routes(routes!(rejects::list))
        .routes(routes!(look_ups::list))
        .routes(routes!(settings::get, settings::put, settings::patch))
        .routes(routes!(senders::list, senders::create))
        .routes(routes!(senders::health::get, senders::put, senders::patch, senders::delete))
        .routes(routes!(senders::health::pause))
        .routes(routes!(senders::health::resume))
        .routes(routes!(people::list))
        .routes(routes!(rules::list, rules::create))
        .routes(routes!(rules::dry_run))
        .routes(routes!(rules::get, rules::put, rules::patch, rules::delete))
        .routes(routes!(topics::list, topics::create))
        .routes(routes!(topics::get, topics::put, topics::patch, topics::delete))
        .routes(routes!(notices::list, notices::create))
        .routes(routes!(notices::get))
        .routes(routes!(notices::publish))
        .routes(routes!(forms::list, forms::create))
        .routes(routes!(forms::get, forms::put, forms::patch, forms::delete))
        .routes(routes!(forms::code::get))
        .routes(routes!(policies::list))
        .routes(routes!(policies::lint_offer))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::get, keys::revoke))
        .routes(routes!(sites::list, sites::create))
        .routes(routes!(sites::get, sites::put, sites::patch, sites::delete))
        .routes(routes!(entry_points::list, entry_points::create))
        .routes(routes!(
            entry_points::get,
            entry_points::put,
            entry_points::patch,
            entry_points::delete
        ))
        .merge(pictures())
        .routes(routes!(entry_points::renderings::sheet))
        .routes(routes!(entry_points::renderings::code))
}

/// Pictures of QR codes, and those that were drawn before.
fn pictures() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(entry_points::renderings::qr_svg))
        .routes(routes!(entry_points::renderings::qr_png))
        .layer(Extension(Arc::<entry_points::pictures::Pictures>::default()))
}
