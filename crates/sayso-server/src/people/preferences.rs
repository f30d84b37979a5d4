//! `/p/{token}`: the preference centre (rule 22). What a person is signed up to, as they agreed to it, and
//! everything that they may change, without a login.
//!
//! Opening it changes nothing. A refusal is recorded whatever else is sent with it, by whatever link, and before
//! anything else. All else needs a link that came through the address itself in the last days; whoever holds
//! another has one sent there. So a yes is `confirmed`; it holds the words that stood beside its box, and is
//! not recorded where something was refused since the page was made.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sayso_core::policy::Way;
use sayso_core::proof::personal_link::LinkPurpose;
use sayso_core::state::capture::{covered_by, permissions_of};
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event::Fact;
use sayso_core::words::notice::Notice;
use sayso_core::words::source::Road;
use sayso_core::words::statement::Statement;
use sayso_pages::language::Language;
use sayso_pages::personal::ACT;
use sayso_pages::personal::preferences::act::Act;
use sayso_pages::personal::preferences::{CHANNEL, NOTICE, OTHER, Said};
use sayso_plan::draft::Draft;
use sayso_store::store::Outcome;

use self::offers::notice_named;
use self::sent::Changes;
use self::shown::Shown;
use self::whole::{Whole, download};
use super::fresh_link::{Goes, send_fresh};
use super::link_end::LinkEnd;
use super::pages::respond;
use super::visitor::{Counted, Fields, Visitor, answer, everything_on, language_of};
use crate::app::App;
use crate::looking::LookingUp;
use crate::problem::Problem;
use sayso_plan::ticked;

mod offers;
mod sent;
mod shown;
mod whole;

const ROAD: Road = Road::PreferenceCentre;

/// Shows the page, and changes nothing.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    LinkEnd(token): LinkEnd,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let shown = async {
        app.take_network(&parts)?;
        let token = (&*token, LinkPurpose::Preferences);
        let visitor = Visitor::find(&app, token, &parts, Counted::Yes).await?;
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
        let counted = app.take_network(&parts);
        let token = (&*token, LinkPurpose::Preferences);
        let visitor = match Visitor::find(&app, token, &parts, Counted::Yes).await {
            Ok(visitor) => visitor,
            Err(problem) => {
                counted?;
                return Err(problem);
            }
        };
        let sent = Sent { fields: Fields::read(body).await, looking: LookingUp::by(&parts) };
        visitor.change(&app, language_of(&parts), &sent, counted).await
    };
    answer(changed.await, &parts.headers)
}

/// What came with a request.
struct Sent {
    fields: Fields,
    looking: LookingUp,
}

/// Whether something is more than leaving, looking, or having a fresh link sent. What a saved page ticks is
/// judged once what it unticks is recorded.
const fn needs_more(act: Act) -> bool {
    match act {
        Act::AllowProcessing | Act::Download | Act::AskForget | Act::Forget | Act::SendOther => {
            true
        }
        Act::Save
        | Act::StopChannel
        | Act::StopEverything
        | Act::RefuseProcessing
        | Act::SendFresh
        | Act::Show => false,
    }
}

impl Visitor {
    /// What somebody sends too much of is not done, save what they refuse (rule 5).
    async fn change(
        &self,
        app: &App,
        language: Language,
        sent: &Sent,
        counted: Result<(), Problem>,
    ) -> Result<Response, Problem> {
        let fields = &sent.fields;
        let act = fields.find(ACT).and_then(Act::find).unwrap_or(Act::Show);
        if needs_more(act) && !self.may_do_more() {
            counted?;
            return self.page(app, language, Some(Said::Limited)).await;
        }
        match act {
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
                download(app, self, &sent.looking).await
            }
            Act::AskForget => {
                counted?;
                let shown = Shown::read(self, app, language, None).await?;
                Ok(respond(StatusCode::OK, shown.view(self).ask_forget(), &[]))
            }
            Act::Forget => {
                counted.and_then(|()| app.rates().take_erasure(self.link.address))?;
                self.forget(app, language).await
            }
            Act::SendFresh => {
                counted?;
                let sent = send_fresh(app, self, language, Goes::There)?;
                Ok(respond(StatusCode::OK, sent, &[]))
            }
            Act::SendOther => {
                counted?;
                let whole = Whole::find(self, app).await?;
                let named = fields.find(OTHER).and_then(|key| whole.other(key));
                let Some(other) = named else { return self.page(app, language, None).await };
                let sent = send_fresh(app, self, language, Goes::Elsewhere(other))?;
                Ok(respond(StatusCode::OK, sent, &[]))
            }
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
        let counted = match changes.agreed.as_slice() {
            [] => counted,
            [..] => counted.and_then(|()| app.rates().take_address(self.link.address)),
        };
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
        counted?;
        if !self.may_do_more() {
            return self.page(app, language, Some(Said::Limited)).await;
        }
        let registers = self.registers(app).await?;
        let mut drafts = Vec::new();
        for agreed in &changes.agreed {
            let notice = changes.words_of(agreed, &self.workspace, &registers);
            let Some(notice) = notice.filter(|_| self.address.is_some()) else {
                return self.page(app, language, Some(Said::ChangedMeanwhile)).await;
            };
            for permission in covered_by(agreed.0) {
                drafts.extend(self.confirmed(permission, notice)?);
            }
        }
        for draft in &mut drafts {
            if let Fact::Consent(permission, _) = draft.fact {
                draft.guard = changes.guard(permission, &self.workspace);
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
        ticked::judge(&self.workspace, Way::PreferenceCentre, self.received, &mut drafts);
        Ok(drafts)
    }

    async fn allow_processing(
        &self,
        app: &App,
        language: Language,
        fields: &Fields,
    ) -> Result<Response, Problem> {
        let named = fields.find(NOTICE).and_then(|name| notice_named(name, &self.workspace));
        let notice = named.filter(|notice| notice.names_processing() && self.address.is_some());
        let Some(notice) = notice else {
            return self.page(app, language, Some(Said::ChangedMeanwhile)).await;
        };
        let drafts = self.confirmed(Permission::Processing, notice)?;
        app.rates().take_events(self.link.workspace, drafts.len())?;
        self.record(app, drafts).await?;
        self.page(app, language, Some(Said::Saved)).await
    }

    /// Erases the person (rule 17), unless the address does not say which of several it is.
    async fn forget(&self, app: &App, language: Language) -> Result<Response, Problem> {
        let shown = Shown::read(self, app, language, None).await?;
        if self.registers(app).await?.links().count() > 1 {
            return Ok(respond(StatusCode::CONFLICT, shown.view(self).shared(), &[]));
        }
        let draft = self.draft_of(ROAD, Fact::Erasure, "erasure")?;
        let reach = Whole::find(self, app).await?.erases();
        app.store().erase(self.link.workspace, &self.subject(), reach, draft).await?;
        Ok(respond(StatusCode::OK, shown.view(self).forgotten(), &[]))
    }
}
