//! `/p/{token}`: the preference centre (rule 22). What a person is signed up to, as they agreed to it, and
//! everything that they may change, without a login.
//!
//! Opening it changes nothing. A refusal is recorded whatever else is sent with it, and before anything
//! else. A yes is `confirmed`, since the link came through the address itself, and holds the words that
//! stood beside its box; it is not recorded where something was refused since the page was made.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sayso_core::address::Address;
use sayso_core::capture::{covered_by, permissions_of};
use sayso_core::channel::{Channel, Permission};
use sayso_core::event::Fact;
use sayso_core::notice::Notice;
use sayso_core::personal_link::LinkPurpose;
use sayso_core::policy::Way;
use sayso_core::source::Road;
use sayso_core::statement::Statement;
use sayso_pages::language::Language;
use sayso_pages::personal::ACT;
use sayso_pages::personal::preferences::{Act, CHANNEL, NOTICE, Said};
use sayso_store::store::{Draft, Moment, Outcome, Subject};
use serde_json::json;

use self::offers::notice_named;
use self::sent::Changes;
use self::shown::Shown;
use super::link_end::LinkEnd;
use super::pages::respond;
use super::ticked;
use super::visitor::{Fields, Visitor, answer, everything_on, language_of};
use crate::api::events::newest_of;
use crate::api::profiles::view::{view, view_address};
use crate::app::App;
use crate::problem::Problem;

mod offers;
mod sent;
mod shown;

const ROAD: Road = Road::PreferenceCentre;

/// Shows the page, and changes nothing.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let shown = async {
        let visitor = Visitor::find(&app, &token, LinkPurpose::Preferences, &parts).await?;
        app.rates().take_network(visitor.ip)?;
        visitor.page(&app, language_of(&parts), None).await
    };
    answer(shown.await, &parts.headers)
}

/// Does what the person asks for.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let changed = async {
        let visitor = Visitor::find(&app, &token, LinkPurpose::Preferences, &parts).await?;
        let counted = app.rates().take_network(visitor.ip);
        let fields = Fields::read(body).await;
        visitor.change(&app, language_of(&parts), &fields, counted).await
    };
    answer(changed.await, &parts.headers)
}

impl Visitor {
    /// What somebody sends too much of is not done, save what they refuse (rule 5).
    async fn change(
        &self,
        app: &App,
        language: Language,
        fields: &Fields,
        counted: Result<(), Problem>,
    ) -> Result<Response, Problem> {
        match fields.find(ACT).and_then(Act::find).unwrap_or(Act::Show) {
            Act::Save => self.save(app, language, fields, counted).await,
            Act::StopChannel => {
                let named = fields.find(CHANNEL).and_then(|word| Channel::parse(word).ok());
                let channel = named.unwrap_or(self.link.channel);
                self.stop(app, language, &everything_on(&[channel])).await
            }
            Act::StopEverything => {
                let everything = self.everything(app).await?;
                self.stop(app, language, &everything).await
            }
            Act::RefuseProcessing => self.stop(app, language, &[Permission::Processing]).await,
            Act::AllowProcessing => {
                counted?;
                self.allow_processing(app, language, fields).await
            }
            Act::Download => {
                counted?;
                self.download(app).await
            }
            Act::AskForget => {
                let shown = Shown::read(self, app, language, None).await?;
                Ok(respond(StatusCode::OK, shown.view(self).ask_forget(), &[]))
            }
            Act::Forget => self.forget(app, language).await,
            Act::Show => {
                counted?;
                self.page(app, language, None).await
            }
        }
    }

    async fn stop(
        &self,
        app: &App,
        language: Language,
        refused: &[Permission],
    ) -> Result<Response, Problem> {
        self.refuse(app, ROAD, refused).await?;
        self.page(app, language, Some(Said::Saved)).await
    }

    async fn page(
        &self,
        app: &App,
        language: Language,
        said: Option<Said>,
    ) -> Result<Response, Problem> {
        let shown = Shown::read(self, app, language, said).await?;
        Ok(respond(StatusCode::OK, shown.page(self), &[]))
    }

    /// Records what was unticked, then what was ticked. Where nothing is left that is ticked, asks whether
    /// that means everything.
    async fn save(
        &self,
        app: &App,
        language: Language,
        fields: &Fields,
        counted: Result<(), Problem>,
    ) -> Result<Response, Problem> {
        let changes = Changes::read(fields);
        if !changes.refused.is_empty() {
            self.refuse(app, ROAD, &changes.refused).await?;
        }
        if changes.agreed.is_empty() {
            let is_unchanged = changes.refused.is_empty();
            let said = if is_unchanged { Said::Unchanged } else { Said::Saved };
            let shown = Shown::read(self, app, language, Some(said)).await?;
            let asks = !is_unchanged && shown.is_all_off();
            let document = if asks { shown.view(self).ask_everything() } else { shown.page(self) };
            return Ok(respond(StatusCode::OK, document, &[]));
        }
        counted.and_then(|()| app.rates().take_address(self.link.address))?;
        let registers = self.registers(app).await?;
        let mut drafts = Vec::new();
        for agreed in &changes.agreed {
            let notice = changes.words_of(agreed, &self.configuration, &registers);
            let Some(notice) = notice.filter(|_| self.address.is_some()) else {
                return self.page(app, language, Some(Said::ChangedMeanwhile)).await;
            };
            for permission in covered_by(agreed.0) {
                drafts.extend(self.confirmed(permission, notice)?);
            }
        }
        for draft in &mut drafts {
            if let Fact::Consent(permission, _) = draft.fact {
                draft.guard = changes.guard(permission, &self.configuration);
            }
        }
        app.rates().take_events(self.link.workspace, drafts.len())?;
        let asked: Vec<Permission> = changes.agreed.iter().map(|agreed| agreed.0).collect();
        let recorded = self.record(app, drafts).await?;
        let is_refused = recorded.iter().any(|event| {
            let is_asked = |fact| matches!(fact, Fact::Consent(it, _) if asked.contains(&it));
            event.outcome == Outcome::Withheld && is_asked(event.fact)
        });
        let said = if is_refused { Said::ChangedMeanwhile } else { Said::Saved };
        self.page(app, language, Some(said)).await
    }

    /// A yes under these words, and to the processing of data where they name it (rule 11).
    fn confirmed(&self, asked: Permission, notice: &Notice) -> Result<Vec<Draft>, Problem> {
        let said = permissions_of(asked, Statement::Confirmed, Some(notice));
        let draft = |permission| {
            let mut draft =
                self.draft(ROAD, (permission, Statement::Confirmed), Some(notice.reference()))?;
            if permission != asked {
                draft.basis = Some(self.draft(ROAD, (asked, Statement::Confirmed), None)?.id);
            }
            Ok(draft)
        };
        let mut drafts = said.map(draft).collect::<Result<Vec<Draft>, Problem>>()?;
        ticked::judge(&self.configuration, Way::PreferenceCentre, self.received, &mut drafts);
        Ok(drafts)
    }

    async fn allow_processing(
        &self,
        app: &App,
        language: Language,
        fields: &Fields,
    ) -> Result<Response, Problem> {
        let named = fields.find(NOTICE).and_then(|name| notice_named(name, &self.configuration));
        let notice = named.filter(|notice| notice.names_processing() && self.address.is_some());
        let Some(notice) = notice else {
            return self.page(app, language, Some(Said::ChangedMeanwhile)).await;
        };
        let drafts = self.confirmed(Permission::Processing, notice)?;
        app.rates().take_events(self.link.workspace, drafts.len())?;
        self.record(app, drafts).await?;
        self.page(app, language, Some(Said::Saved)).await
    }

    /// Everything that is kept about the person, as a file. Where several people share the address, what is
    /// kept about the address alone.
    async fn download(&self, app: &App) -> Result<Response, Problem> {
        let configuration = &self.configuration;
        let is_shared = self.registers(app).await?.links().count() > 1;
        let profile = if is_shared {
            None
        } else {
            app.store().find_profile(self.link.workspace, &self.subject()).await?
        };
        let mut subjects = vec![self.subject()];
        let person = match (profile, &self.address) {
            (Some(profile), _) => {
                subjects = profile.addresses.iter().cloned().map(Subject::Address).collect();
                Some(view(app, configuration, profile, Moment::Now).await?)
            }
            (None, Some(address)) => {
                Some(view_address(app, configuration, Address::clone(address), Moment::Now).await?)
            }
            (None, None) => None,
        };
        let events = newest_of(app, configuration, &subjects).await?;
        let kept = json!({ "business": self.business(), "person": person, "events": events });
        let headers = [
            (header::CONTENT_TYPE, "application/json"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        Ok((headers, format!("{kept:#}")).into_response())
    }

    /// Erases the person (rule 17), unless the address does not say which of several it is.
    async fn forget(&self, app: &App, language: Language) -> Result<Response, Problem> {
        let shown = Shown::read(self, app, language, None).await?;
        if self.registers(app).await?.links().count() > 1 {
            return Ok(respond(StatusCode::CONFLICT, shown.view(self).shared(), &[]));
        }
        let draft = self.draft_of(ROAD, Fact::Erasure, "erasure")?;
        app.store().erase(self.link.workspace, &self.subject(), draft).await?;
        Ok(respond(StatusCode::OK, shown.view(self).forgotten(), &[]))
    }
}
