//! Addresses that a provider names as one account, and people who have another address now (rule 13).
//!
//! What follows from either is the store's to know; here it is told, once. Nothing is concluded from
//! a name, a profile or an address that merely looks alike.

use sayso_channels::inbound::{Named, NumberChanged};
use sayso_channels::party::Party;
use sayso_core::address::Address;
use sayso_core::canonical::{Canonical, Writer};
use sayso_core::id::ConnectionId;
use sayso_core::limits;
use sayso_core::time::{ClaimedTime, Timestamp};
use sayso_core::words::channel::Channel;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source, SourceName};
use sayso_core::workspace::Workspace;
use sayso_plan::draft::{Dating, Draft, Drafter, Subject};
use sayso_store::store::{Moment, StoreError};

use crate::app::App;
use crate::problem::Problem;

/// Addresses that are one account on a channel; at least two.
#[derive(Clone, Debug)]
pub(super) struct OneAccount {
    channel: Channel,
    addresses: Vec<Address>,
}

impl OneAccount {
    /// What naming a person says, if it says several addresses.
    pub(super) fn of(channel: Channel, party: &Party) -> Option<Self> {
        Self::named(channel, party.addresses())
    }

    /// What naming these together says.
    fn named(channel: Channel, named: impl IntoIterator<Item = Address>) -> Option<Self> {
        let addresses: Vec<Address> = Party::of(named)?.addresses().collect();
        (addresses.len() > 1).then_some(Self { channel, addresses })
    }

    /// Each two of them.
    fn pairs(&self) -> impl Iterator<Item = (&Address, &Address)> {
        self.addresses.iter().enumerate().flat_map(|(place, one)| {
            self.addresses.iter().skip(place + 1).map(move |other| (one, other))
        })
    }
}

/// A call as these facts are recorded from it.
pub(super) struct Telling<'a> {
    pub(super) app: &'a App,
    pub(super) workspace: &'a Workspace,
    pub(super) connection: ConnectionId,
    pub(super) identity: RequestIdentity,
    pub(super) request: RequestHash,
    /// When it was told, never later than our receipt.
    pub(super) at: Timestamp,
}

impl<'a> Telling<'a> {
    /// A call that has no other facts to record.
    fn alone(
        app: &'a App,
        workspace: &'a Workspace,
        connection: ConnectionId,
        mut fields: Writer,
        at: Option<ClaimedTime>,
    ) -> Self {
        fields.raw(connection.as_bytes());
        fields.option(at, |fields, at| {
            fields.instant(at.first());
            fields.instant(at.last());
        });
        let request = RequestHash::of(&fields, &workspace.secret);
        let (identity, now) = (RequestIdentity::Dated(request), app.now());
        let at = at.map_or(now, |at| at.first().min(now));
        Self { app, workspace, connection, identity, request, at }
    }

    /// The facts that name addresses as one account, from this part of the call on; none for two that
    /// are known as one.
    pub(super) async fn naming(
        &self,
        account: &OneAccount,
        part: usize,
    ) -> Result<Vec<Draft>, StoreError> {
        let secret = &self.workspace.secret;
        let mut drafts = Vec::new();
        for (pair, (one, other)) in account.pairs().enumerate() {
            if self.are_one(account.channel, (one, other)).await? {
                continue;
            }
            let naming = |other: &Address| Fact::SameAccount(account.channel, other.key(secret));
            for (side, (address, fact)) in
                [(one, naming(other)), (other, naming(one))].into_iter().enumerate()
            {
                drafts.push(self.draft(address, fact, part + 2 * pair + side)?);
            }
        }
        Ok(drafts)
    }

    /// Whether two addresses are known as one account.
    async fn are_one(
        &self,
        channel: Channel,
        (one, other): (&Address, &Address),
    ) -> Result<bool, StoreError> {
        let (workspace, secret) = (self.workspace.id, &self.workspace.secret);
        // An address of a channel belongs to few accounts, so it is the one to be asked.
        let subject = Subject::Address(other.clone());
        let known = self.app.store().registers(workspace, &subject, Moment::Now).await?;
        Ok(known.same_account(channel, one.key(secret)).is_some())
    }

    /// Whether all of them are one once this call is recorded: not if one has too many others already.
    pub(super) async fn become_one(&self, account: &OneAccount) -> Result<bool, Problem> {
        let (workspace, secret) = (self.workspace.id, &self.workspace.secret);
        for (one, other) in account.pairs() {
            for (address, other) in [(one, other), (other, one)] {
                let subject = Subject::Address(address.clone());
                let known = self.app.store().registers(workspace, &subject, Moment::Now).await?;
                let is_full = known.accounts().count() >= limits::SAME_ACCOUNT_MAX;
                if is_full && known.same_account(account.channel, other.key(secret)).is_none() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn draft(&self, address: &Address, fact: Fact, part: usize) -> Result<Draft, StoreError> {
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        let name = SourceName::parse(&self.connection.to_string());
        let name = name.map_err(|_| StoreError::Closed)?;
        let source = Source { road: Road::Provider, name, spoke_of: None };
        let method = EvidenceText::parse("provider").ok();
        let identity = (self.workspace.id, self.identity);
        Ok(Drafter::new(identity, source, Actor::Provider, self.at)
            .of_request(self.request)
            .with_dating(Dating::Dated)
            .with_evidence(Evidence { method, ..Evidence::default() })
            .draft(address, fact, part))
    }
}

/// Takes in that a person has another number, another id on the channel, or both. The old addresses
/// stay as they are.
pub(super) async fn take_over(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    changed: &NumberChanged,
) -> Result<(), Problem> {
    let mut fields = Writer::default();
    fields.text("number changed");
    for party in [&changed.old, &changed.new] {
        party.addresses().for_each(|address| address.write(&mut fields));
        fields.text("/");
    }
    let told = Telling::alone(app, workspace, connection, fields, changed.occurred_at);
    let mut drafts = Vec::new();
    if let Some(account) = OneAccount::of(changed.channel, &changed.old) {
        drafts.extend(told.naming(&account, drafts.len()).await?);
    }
    // Parts of their own, whether or not the naming before them was known.
    let mut part = PARTS_OF_NAMING;
    for new in changed.new.addresses() {
        for old in changed.old.addresses().filter(|old| *old != new) {
            let from = old.key(&workspace.secret);
            drafts.push(told.draft(&new, Fact::MovedFrom(from), part)?);
            part += 1;
        }
    }
    if let Some(account) = account_now(changed) {
        drafts.extend(told.naming(&account, part).await?);
    }
    if !drafts.is_empty() {
        app.store().record(workspace.id, drafts).await?;
    }
    Ok(())
}

/// More parts than the names of one person take: a number, what a provider gave for one, and two ids.
const PARTS_OF_NAMING: usize = 16;

/// The account after a change. Who has another id and no other number keeps the number.
fn account_now(changed: &NumberChanged) -> Option<OneAccount> {
    let mut numbers: Vec<Address> = changed.new.numbers().collect();
    if numbers.is_empty() {
        numbers = changed.old.numbers().collect();
    }
    OneAccount::named(changed.channel, numbers.into_iter().chain(changed.new.ids()))
}

/// Takes in that a provider named addresses of one account, where nobody said anything.
pub(super) async fn take_named(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    named: &Named,
) -> Result<(), StoreError> {
    let of = (named.channel, named.who.addresses().collect());
    join(app, workspace, connection, of, ("account of a call", named.occurred_at)).await
}

/// Records that addresses are one account for refusals, as something told it at some time; nothing where
/// that is known.
pub(crate) async fn join(
    app: &App,
    workspace: &Workspace,
    connection: ConnectionId,
    (channel, addresses): (Channel, Vec<Address>),
    (told, at): (&str, Option<ClaimedTime>),
) -> Result<(), StoreError> {
    let Some(account) = OneAccount::named(channel, addresses) else { return Ok(()) };
    let mut fields = Writer::default();
    fields.text(told);
    account.addresses.iter().for_each(|address| address.write(&mut fields));
    let told = Telling::alone(app, workspace, connection, fields, at);
    let drafts = told.naming(&account, 0).await?;
    if !drafts.is_empty() {
        app.store().record(workspace.id, drafts).await?;
    }
    Ok(())
}
