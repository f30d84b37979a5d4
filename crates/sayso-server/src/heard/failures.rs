//! What a failure of a send says about its person (rules 12 and 15).
//!
//! A provider's own block is recorded as that. That there is no such address blocks the channel. From a
//! few codes a refusal is inferred: Sayso says so itself, and past so many in a day of a sender the rest
//! are held together, deny meanwhile, and are left out or confirmed as one. All else says nothing.

use sayso_channels::failure::{ErrorMeaning, Failure};
use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::id::{ConnectionId, MessageId, SenderId};
use sayso_core::limits;
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{Category, Channel, Permission, Scope};
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::{HeldOf, Workspace};
use sayso_plan::draft::{Dating, Draft, Drafter, Subject};
use sayso_store::message::{FailureQuery, MessageName};
use sayso_store::store::{Moment, Outcome, StoreError};
use sayso_store::tally::{Counted, Tallied, Tally};

use super::health;
use crate::app::App;
use crate::held::hold;

/// A message that failed.
pub(crate) struct Failed<'a> {
    /// A name of it, the same each time it is told.
    pub(crate) message: &'a str,
    /// To whom it was: all addresses of the one person that the provider names.
    pub(crate) to: &'a [Address],
    /// The channel it was to go by.
    pub(crate) channel: Channel,
    /// Who sent it, if that is known.
    pub(crate) sender: Option<SenderId>,
    /// What the provider said.
    pub(crate) failure: &'a Failure,
    /// When.
    pub(crate) at: Timestamp,
}

/// Records what a failure says about the person, and counts it of the sender.
pub(crate) async fn obey(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    failed: &Failed<'_>,
) -> Result<(), StoreError> {
    let Some(first) = failed.to.first() else { return Ok(()) };
    let on = |suppression, sender, category| {
        let cover = Cover { channel: Some(failed.channel), sender, category };
        Fact::Suppression(suppression, cover, Switched::On)
    };
    let fact = match failed.failure.meaning {
        ErrorMeaning::MarketingStop => {
            on(Suppression::Provider, failed.sender, Some(Category::Marketing))
        }
        ErrorMeaning::SenderBlocked => on(Suppression::Provider, failed.sender, None),
        ErrorMeaning::NotOnChannel => on(Suppression::Invalid, None, None),
        ErrorMeaning::PerhapsNotOnChannel => {
            if !fails_repeatedly(app, workspace, failed, first).await? {
                return Ok(());
            }
            on(Suppression::Invalid, None, None)
        }
        ErrorMeaning::InferredRefusal => {
            return infer(app, workspace, connection, failed, first).await;
        }
        ErrorMeaning::SaysNothing
        | ErrorMeaning::OutsideWindow
        | ErrorMeaning::RateLimited
        | ErrorMeaning::PersonLimited
        | ErrorMeaning::SpamLimited
        | ErrorMeaning::AccountBlocked
        | ErrorMeaning::WrongCredentials
        | ErrorMeaning::Retryable
        | ErrorMeaning::Permanent => return Ok(()),
    };
    let drafts = drafts(workspace, connection, failed, (fact, Actor::Provider));
    let recorded = app.store().record(workspace.id, drafts).await?;
    let is_new = recorded.iter().any(|recorded| recorded.outcome == Outcome::Appended);
    let is_block = matches!(fact, Fact::Suppression(Suppression::Provider, ..));
    if let Some(sender) = failed.sender.filter(|_| is_new && is_block) {
        app.counting().note_refusal(workspace.id, sender);
    }
    Ok(())
}

/// Whether messages to an address failed with this code so often in a row, this one included, that it
/// counts although its meaning is unconfirmed. A message from the address begins it anew.
async fn fails_repeatedly(
    app: &App,
    workspace: &Workspace,
    failed: &Failed<'_>,
    to: &Address,
) -> Result<bool, StoreError> {
    let workspace_id = workspace.id;
    let subject = Subject::Address(to.clone());
    let registers = app.store().registers(workspace_id, &subject, Moment::Now).await?;
    let besides = match MessageId::parse(failed.message) {
        Ok(id) => MessageName::Ours(id),
        Err(_) => MessageName::Provider(failed.message.into()),
    };
    let query = FailureQuery {
        key: to.key(&workspace.secret),
        failure: failed.failure.code.as_str().into(),
        since: registers.last_message_at().unwrap_or(Timestamp::DISTANT_PAST),
        besides: Some(besides),
    };
    let before = app.store().failed_messages(workspace_id, &query).await?;
    Ok(usize::try_from(before).unwrap_or(usize::MAX) >= limits::NOT_ON_CHANNEL_REPEATS - 1)
}

/// Records a refusal that is inferred, held with others where the day has seen too many of that sender.
/// A failure to record it is brought again and may count twice: the rest is held the earlier for it.
async fn infer(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    failed: &Failed<'_>,
    first: &Address,
) -> Result<(), StoreError> {
    let workspace_id = workspace.id;
    let scope = failed.sender.map_or(Scope::All, Scope::Sender);
    let refusal = Fact::Consent(Permission::Messages(failed.channel, scope), Statement::OptOut);
    let drafts = drafts(workspace, connection, failed, (refusal, Actor::System));
    let Some(id) = drafts.first().map(|draft| draft.id) else { return Ok(()) };
    let key = first.key(&workspace.secret);
    if app.store().find_event(workspace_id, key, id).await?.is_some() {
        return Ok(());
    }
    let Some(sender) = failed.sender else {
        return app.store().record(workspace_id, drafts).await.map(|_| ());
    };
    let tallies = [Tally::Inferred, Tally::Complained];
    let tallied = app.store().tally(workspace_id, Counted::Sender(sender), &tallies).await;
    // That it cannot be counted keeps no refusal from being recorded: there may be room for those alone.
    let tallied = tallied.unwrap_or_else(|error| {
        tracing::error!(error = %error, sender.id = %sender, "an inferred refusal is not counted");
        Tallied::default()
    });
    let now = app.now();
    let most = workspace.settings.at(now).inferred_refusals_per_day;
    if tallied.inferred_today <= u64::from(most) {
        app.store().record(workspace_id, drafts).await?;
    } else {
        let since = now.start_of(Span::days(1));
        let (group, _) =
            hold(app, workspace, (&HeldOf::Sender(sender), since), drafts, |_| true).await?;
        let held = app.store().tally(workspace_id, Counted::Group(group), &[Tally::Held]).await;
        if let Err(error) = held {
            tracing::error!(error = %error, import.id = %group, "a held refusal is not counted");
        }
    }
    health::heed(app, workspace_id, sender, &tallied).await
}

/// One event for each address of the person.
fn drafts(
    workspace: &Workspace,
    connection: ConnectionId,
    failed: &Failed<'_>,
    (fact, actor): (Fact, Actor),
) -> Vec<Draft> {
    let road = if actor == Actor::System { Road::System } else { Road::Provider };
    let Ok(name) = SourceName::parse(&connection.to_string()) else { return Vec::new() };
    let method = EvidenceText::parse(&format!("provider's code {}", failed.failure.code)).ok();
    let draft = |to: &Address| {
        let mut fields = Writer::default();
        fields.text("provider refusal");
        fields.text(failed.message);
        to.write(&mut fields);
        fields.text(&format!("{fact:?}"));
        let request = RequestHash::of(&fields, &workspace.secret);
        let source = Source { road, name: name.clone(), spoke_of: None };
        let identity = (workspace.id, RequestIdentity::Dated(request));
        Drafter::new(identity, source, actor, failed.at)
            .with_dating(Dating::Undated)
            .with_evidence(Evidence { method: method.clone(), ..Evidence::default() })
            .draft(to, fact, 0)
    };
    failed.to.iter().map(draft).collect()
}
