//! A message that carries the reference of an opt-in page: what was ticked there is confirmed by the address
//! that the message comes from, once.
//!
//! A reference is trusted for the sender's own address alone, and where another was typed on the page, not at
//! all. A person may edit what stands in the chat: words that refuse are obeyed instead, and words that may
//! deny what was ticked leave it `pending`, for somebody to review.

use sayso_channels::inbound::{Written, Wrote};
use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::Writer;
use sayso_core::id::EventId;
use sayso_core::policy::Way;
use sayso_core::proof::reference::Reference;
use sayso_core::state::capture::{covered_by, permissions_of, settle_time};
use sayso_core::text::wording::{Because, Edited, Heard, Reading, edited};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::Permission;
use sayso_core::words::event::Fact;
use sayso_core::words::event_id::{RequestHash, RequestIdentity};
use sayso_core::words::source::{Actor, Evidence, EvidenceText, Road, Source};
use sayso_core::words::statement::Statement;
use sayso_core::workspace::EntryPoint;
use sayso_plan::draft::{Draft, Drafter};
use sayso_plan::evidence::{MESSAGE_ID, PAGE_SENT_AT, REFERENCE, fields};
use sayso_store::reference::{Keeping, StoredReference};
use sayso_store::tally::Tally;

use crate::app::App;
use crate::problem::Problem;
use sayso_plan::ticked;
use sayso_plan::understanding::{Line, Understanding};

/// How the act was done.
const METHOD: &str = "message with the reference of an entry point page";

/// A reference that is good for the person whose message carries it.
pub(super) struct Good<'a> {
    entry: &'a EntryPoint,
    stored: StoredReference,
    /// The words of the message without it.
    words: String,
    /// What the message makes of what was ticked.
    makes: Statement,
}

/// The message that carries a reference.
#[derive(Clone, Copy)]
pub(super) struct Carrier<'a> {
    pub(super) app: &'a App,
    pub(super) line: &'a Line<'a>,
    pub(super) wrote: &'a Wrote,
    pub(super) addresses: &'a [Address],
    /// The id of its first event.
    pub(super) message: EventId,
    pub(super) received: Timestamp,
}

impl<'a> Carrier<'a> {
    /// How the message is understood, given how its whole text is: by its words without the reference,
    /// where that is good. A refusal is obeyed before any reference is looked for.
    pub(super) async fn understand(
        &self,
        whole: Option<Understanding<'a>>,
    ) -> Result<(Option<Understanding<'a>>, Option<Good<'a>>), Problem> {
        let refuses = |it: &Understanding<'_>| it.heard.reading.is_refusal();
        if whole.as_ref().is_none_or(refuses) {
            return Ok((whole, None));
        }
        let Some(good) = self.good().await? else { return Ok((whole, None)) };
        let vocabulary = self.line.vocabulary;
        let searched = self.app.vocabularies().search(vocabulary, &good.words).await;
        let follow = |heard| self.line.follow(&good.words, heard, searched.as_ref());
        let words = follow(self.line.read(&good.words));
        if refuses(&words) {
            return Ok((Some(words), None));
        }
        let doubtful = edited(&good.words, &good.entry.prefill) == Edited::Doubtful;
        if !doubtful && words.heard.reading != Reading::Unclear {
            return Ok((Some(words), Some(good)));
        }
        let is_unclear = words.heard.reading == Reading::Unclear;
        let because = if is_unclear { words.heard.because } else { Because::Doubtful };
        let doubted = Heard { reading: Reading::Unclear, because };
        let words = follow(doubted);
        Ok((Some(words), Some(Good { makes: Statement::Pending, ..good })))
    }

    /// The reference of ours that the message carries, if it is good for this person.
    async fn good(&self) -> Result<Option<Good<'a>>, Problem> {
        let workspace = self.line.workspace;
        let Written::Text(text) = &self.wrote.content else { return Ok(None) };
        if workspace.entry_points.is_empty() || self.wrote.handled_by_provider.is_some() {
            return Ok(None);
        }
        let keys = self.keys();
        for carried in Reference::carried(text) {
            let workspace_id = workspace.id;
            let stored = self.app.store().reference(workspace_id, carried.reference).await?;
            let Some(stored) = stored.filter(|it| it.is_good_for(&keys, self.message)) else {
                continue;
            };
            let entry = workspace.entry_points.get(&stored.draft.entry_point);
            if let Some(entry) = entry.filter(|entry| Some(entry.sender) == self.line.sender) {
                let words = carried.words(text);
                return Ok(Some(Good { entry, stored, words, makes: Statement::Confirmed }));
            }
        }
        Ok(None)
    }

    /// Uses a reference up, and gives the events that it makes; none where another message was quicker.
    pub(super) async fn take(&self, good: Option<&Good<'_>>) -> Result<Vec<Draft>, Problem> {
        let Some(good) = good else { return Ok(Vec::new()) };
        let drafts = self.drafts(good);
        let Some(key) = self.keys().first().copied().filter(|_| !drafts.is_empty()) else {
            return Ok(Vec::new());
        };
        let workspace = self.line.workspace.id;
        let reference = good.stored.draft.reference;
        let taken = self.app.store().take_reference(workspace, reference, self.message, key);
        match taken.await? {
            Keeping::Done => Ok(drafts),
            Keeping::Another => Ok(Vec::new()),
        }
    }

    /// Counts what a reference did.
    pub(super) fn count(&self, good: &Good<'_>) {
        if good.makes != Statement::Confirmed {
            return;
        }
        let (workspace, entry) = (self.line.workspace.id, good.stored.draft.entry_point);
        self.app.reach().count(workspace, entry, Tally::OptedIn);
        self.app.reach().count(workspace, entry, Tally::Confirmed);
    }

    fn keys(&self) -> Vec<AddressKey> {
        let secret = &self.line.workspace.secret;
        self.addresses.iter().map(|address| address.key(secret)).collect()
    }

    /// What was ticked, as acts through the address itself: about every address of the person.
    fn drafts(&self, good: &Good<'_>) -> Vec<Draft> {
        let workspace = self.line.workspace;
        let statement = good.makes;
        // What is dated in the future is no yes (rule 2).
        let settled =
            settle_time(statement, self.wrote.occurred_at, self.app.receipt(self.received));
        let Ok(occurred_at) = settled else { return Vec::new() };
        let evidence = self.evidence(good);
        let notice = evidence.notice.as_ref().and_then(|shown| workspace.notice(shown));
        let mut said: Vec<(Permission, Statement)> = Vec::new();
        let ticked = good.stored.draft.permissions.iter();
        for ticked in ticked.flat_map(|ticked| covered_by(*ticked)) {
            for permission in permissions_of(ticked, statement, notice) {
                let settled = match permission {
                    Permission::Messages(channel, scope) => {
                        self.line.settled((channel, scope), statement)
                    }
                    Permission::Processing => (permission, statement),
                };
                if !said.contains(&settled) {
                    said.push(settled);
                }
            }
        }
        let mut fields = Writer::default();
        fields.text("reference");
        fields.raw(good.stored.draft.reference.as_bytes());
        fields.raw(self.message.as_bytes());
        let request = RequestHash::of(&fields, &workspace.secret);
        let source =
            Source { road: Road::EntryPoint, name: good.entry.source.clone(), spoke_of: None };
        let about =
            self.addresses.iter().flat_map(|address| said.iter().map(move |it| (address, it)));
        let identity = (workspace.id, RequestIdentity::Dated(request));
        let drafter =
            Drafter::new(identity, source, Actor::Subject, occurred_at).with_evidence(evidence);
        let draft = |(part, (address, (permission, statement))): (u32, (&Address, &_))| {
            drafter.draft(address, Fact::Consent(*permission, *statement), part)
        };
        let mut drafts: Vec<Draft> = (0..).zip(about).map(draft).collect();
        ticked::judge(workspace, Way::EntryPage, self.received, &mut drafts);
        drafts
    }

    /// The evidence of the page, with the message that proves the address.
    fn evidence(&self, good: &Good<'_>) -> Evidence {
        let mut evidence = good.stored.draft.evidence.clone();
        let reference = good.stored.draft.reference.to_string();
        let kept_at = good.stored.kept_at.to_string();
        let message_id = self.wrote.message_id.as_deref().unwrap_or_default();
        let told = [(REFERENCE, &*reference), (PAGE_SENT_AT, &*kept_at), (MESSAGE_ID, message_id)];
        evidence.fields.extend(fields(told));
        evidence.method = EvidenceText::parse(METHOD).ok();
        evidence
    }
}
