//! Double opt-ins in `work.db`: what waits for an answer, which questions went, and how many; among them
//! requests for a link, which are counted alike.

use rusqlite::{Connection, OptionalExtension, params};
use sayso_core::address::AddressKey;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::{DoubleOptInId, EventId, FormId, WorkspaceId};
use sayso_core::limits;
use sayso_core::proof::double_opt_in::{
    Answer, AnswerBy, Asked, CodeHash, CountedBy, Counters, Verdict, judge, may_ask,
};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission};
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::{Evidence, Source};

use super::{Tenant, messages, unreadable, unwritable};
use crate::double_opt_in::{
    Answering, Asking, AskingEnd, DoubleOptInDraft, LinkRequest, StoredDoubleOptIn, Waiting,
};
use crate::environment::Environment;
use crate::store::StoreError;

/// A question that is to be asked.
pub(super) enum Drafted {
    /// One about what is pending.
    DoubleOptIn(Box<DraftedDoubleOptIn>),
    /// One for somebody's link.
    Link(LinkRequest),
}

/// A draft with its sealed part, and its message with that of its own.
pub(super) struct DraftedDoubleOptIn {
    draft: DoubleOptInDraft,
    sealed: Vec<u8>,
    sealed_message: Vec<u8>,
}

/// The `answer_by` of a row that nobody answers: a request for a link, kept for its counters. The others are
/// those of [`AnswerBy`].
const LINK_REQUEST: u8 = 3;

/// The sealed part of a row.
struct Sealed {
    channel: Channel,
    pending: Vec<(EventId, Permission)>,
    evidence: Evidence,
    source: Source,
    form: Option<FormId>,
}

impl Canonical for Sealed {
    fn write(&self, to: &mut Writer) {
        self.channel.write(to);
        to.length(self.pending.len());
        for (event, permission) in &self.pending {
            to.raw(event.as_bytes());
            permission.write(to);
        }
        self.evidence.write(to);
        self.source.write(to);
        self.form.write(to);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let channel = Channel::read(from)?;
        let length = from.length()?;
        let pending = |from: &mut Reader<'_>| {
            Ok((from.raw().map(EventId::from_bytes)?, Permission::read(from)?))
        };
        Ok(Self {
            channel,
            pending: (0..length).map(|_| pending(from)).collect::<Result<_, _>>()?,
            evidence: Evidence::read(from)?,
            source: Source::read(from)?,
            form: Option::read(from)?,
        })
    }
}

/// The place for which a row is sealed.
fn place<'a>(workspace: &'a WorkspaceId, id: &'a DoubleOptInId) -> [&'a [u8]; 3] {
    [b"double opt-in", workspace.as_bytes(), id.as_bytes()]
}

/// Seals what is personal, in the caller's thread.
pub(super) fn seal(
    workspace: &Tenant,
    draft: DoubleOptInDraft,
    environment: &Environment,
) -> Drafted {
    let waiting = &draft.waiting;
    let plain = Sealed {
        channel: waiting.channel,
        pending: waiting.pending.clone(),
        evidence: waiting.evidence.clone(),
        source: waiting.source.clone(),
        form: waiting.form,
    };
    let vault = &workspace.secrets.vault;
    let sealed = vault.seal(&place(&workspace.id, &draft.id), &plain.to_bytes(), environment);
    let message = draft.message.as_ref();
    let sealed_message =
        message.map(|message| messages::seal(workspace, message, environment)).unwrap_or_default();
    Drafted::DoubleOptIn(Box::new(DraftedDoubleOptIn { draft, sealed, sealed_message }))
}

/// Keeps what waits, and queues its question unless something stops that.
pub(super) fn ask(
    work: &Connection,
    workspace: &Tenant,
    drafted: &Drafted,
    now: Timestamp,
) -> Result<Asking, StoreError> {
    let (id, request) = match drafted {
        Drafted::DoubleOptIn(drafted) => (drafted.draft.id, drafted.draft.request),
        Drafted::Link(link) => (link.id, link.request),
    };
    if let Some(known) = of_request(work, workspace.id, request).map_err(unreadable)? {
        return Ok(Asking { id: known, end: AskingEnd::Retried });
    }
    let end = match drafted {
        Drafted::DoubleOptIn(drafted) => ask_double_opt_in(work, workspace, drafted, now)?,
        Drafted::Link(link) => ask_link(work, workspace.id, link, now)?,
    };
    Ok(Asking { id, end })
}

fn ask_double_opt_in(
    work: &Connection,
    workspace: &Tenant,
    drafted: &DraftedDoubleOptIn,
    now: Timestamp,
) -> Result<AskingEnd, StoreError> {
    let draft = &drafted.draft;
    let end = may_go(work, workspace.id, draft, now).map_err(unreadable)?;
    insert(work, workspace.id, (drafted, end), now).map_err(|error| unwritable(&error))?;
    if let (AskingEnd::Asked, Some(message)) = (end, &draft.message) {
        messages::queue(work, workspace, message, &drafted.sealed_message, now)?;
    }
    Ok(end)
}

/// Counts a request for a link, unless a count is full.
fn ask_link(
    work: &Connection,
    workspace: WorkspaceId,
    link: &LinkRequest,
    now: Timestamp,
) -> Result<AskingEnd, StoreError> {
    if let Some(full) = full_count(work, workspace, &link.counters, now).map_err(unreadable)? {
        return Ok(AskingEnd::Limited(full));
    }
    work.prepare_cached(
        "INSERT INTO double_opt_in (workspace, double_opt_in, request, address_key, answer_by,
             network, number_block, country, pending_at, asked_at, sealed, kept_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, x'', ?9)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            workspace.as_bytes(),
            link.id.as_bytes(),
            link.request.0,
            link.address.as_bytes(),
            LINK_REQUEST,
            link.counters.network,
            link.counters.number_block,
            link.counters.country,
            now.as_micros(),
        ])
    })
    .map(|_| AskingEnd::Asked)
    .map_err(|error| unwritable(&error))
}

fn of_request(
    work: &Connection,
    workspace: WorkspaceId,
    request: RequestHash,
) -> rusqlite::Result<Option<DoubleOptInId>> {
    work.prepare_cached(
        "SELECT double_opt_in FROM double_opt_in WHERE workspace = ?1 AND request = ?2",
    )?
    .query_row(params![workspace.as_bytes(), request.0], |row| row.get(0))
    .optional()
    .map(|id| id.map(DoubleOptInId::from_bytes))
}

/// Whether a question may go: no other waits for this address, and no count is full. An answered one is
/// over: somebody who came, left and comes again is asked again.
fn may_go(
    work: &Connection,
    workspace: WorkspaceId,
    draft: &DoubleOptInDraft,
    now: Timestamp,
) -> rusqlite::Result<AskingEnd> {
    let last: Option<i64> = work
        .prepare_cached(
            "SELECT max(asked_at) FROM double_opt_in
             WHERE workspace = ?1 AND address_key = ?2 AND answered_at IS NULL AND answer_by <> ?3",
        )?
        .query_row(
            params![workspace.as_bytes(), draft.waiting.address.as_bytes(), LINK_REQUEST],
            |row| row.get(0),
        )?;
    if !may_ask(draft.waiting.pending_at, last.map(Timestamp::from_micros), now) {
        return Ok(AskingEnd::TooSoon);
    }
    let full = full_count(work, workspace, &draft.counters, now)?;
    Ok(full.map_or(AskingEnd::Asked, AskingEnd::Limited))
}

/// What so many questions were counted under today that no other may go.
fn full_count(
    work: &Connection,
    workspace: WorkspaceId,
    counters: &Counters,
    now: Timestamp,
) -> rusqlite::Result<Option<CountedBy>> {
    let since = now.minus(limits::DOUBLE_OPT_IN_LIMIT_WINDOW).as_micros();
    for by in CountedBy::ALL {
        let most = i64::from(by.most_a_day());
        let count = |sql: &str, key: Option<[u8; 16]>| -> rusqlite::Result<i64> {
            let Some(key) = key else { return Ok(0) };
            let asked = params![workspace.as_bytes(), since, most, key];
            work.prepare_cached(sql)?.query_row(asked, |row| row.get(0))
        };
        let counted = match by {
            CountedBy::Network => count(
                "SELECT count(*) FROM (SELECT 1 FROM double_opt_in
                 WHERE workspace = ?1 AND network = ?4 AND asked_at > ?2 LIMIT ?3)",
                counters.network,
            )?,
            CountedBy::NumberBlock => count(
                "SELECT count(*) FROM (SELECT 1 FROM double_opt_in
                 WHERE workspace = ?1 AND number_block = ?4 AND asked_at > ?2 LIMIT ?3)",
                counters.number_block,
            )?,
            CountedBy::Country => count(
                "SELECT count(*) FROM (SELECT 1 FROM double_opt_in
                 WHERE workspace = ?1 AND country = ?4 AND asked_at > ?2 LIMIT ?3)",
                counters.country,
            )?,
            CountedBy::Workspace => work
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM double_opt_in
                     WHERE workspace = ?1 AND asked_at > ?2 LIMIT ?3)",
                )?
                .query_row(params![workspace.as_bytes(), since, most], |row| row.get(0))?,
        };
        if counted >= most {
            return Ok(Some(*by));
        }
    }
    Ok(None)
}

fn insert(
    work: &Connection,
    workspace: WorkspaceId,
    (drafted, end): (&DraftedDoubleOptIn, AskingEnd),
    now: Timestamp,
) -> rusqlite::Result<()> {
    let DraftedDoubleOptIn { draft, sealed, .. } = drafted;
    let is_asked = end == AskingEnd::Asked;
    let Waiting { address, by, pending_at, .. } = &draft.waiting;
    work.prepare_cached(
        "INSERT INTO double_opt_in (workspace, double_opt_in, request, address_key, answer_by, code,
             network, number_block, country, pending_at, asked_at, sealed, kept_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        workspace.as_bytes(),
        draft.id.as_bytes(),
        draft.request.0,
        address.as_bytes(),
        by.code(),
        draft.code.filter(|_| is_asked).map(|CodeHash(hash)| hash),
        draft.counters.network,
        draft.counters.number_block,
        draft.counters.country,
        pending_at.as_micros(),
        is_asked.then(|| now.as_micros()),
        sealed,
        now.as_micros(),
    ])?;
    if is_asked {
        return Ok(());
    }
    // Questions that went are few by their limits, and are what these are held against: they stay.
    let most = i64::try_from(limits::DOUBLE_OPT_INS_WAITING_MAX).unwrap_or(i64::MAX);
    work.prepare_cached(
        "DELETE FROM double_opt_in WHERE workspace = ?1 AND asked_at IS NULL AND row <= (
             SELECT row FROM double_opt_in WHERE workspace = ?1 AND asked_at IS NULL
             ORDER BY row DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![workspace.as_bytes(), most])
    .map(|_| ())
}

/// A row: whose it is and how it is answered; when it was pending, asked and answered; its sealed part.
type Read = ([u8; 16], u8, (i64, Option<i64>, Option<i64>), Vec<u8>);

/// A double opt-in, unless it is unknown or forgotten.
pub(super) fn find(
    work: &Connection,
    workspace: &Tenant,
    id: DoubleOptInId,
    now: Timestamp,
) -> Result<Option<StoredDoubleOptIn>, StoreError> {
    let row: Option<Read> = work
        .prepare_cached(
            "SELECT address_key, answer_by, pending_at, asked_at, answered_at, sealed FROM double_opt_in
             WHERE workspace = ?1 AND double_opt_in = ?2 AND kept_at >= ?3 AND answer_by <> ?4",
        )
        .and_then(|mut statement| {
            let asked =
                params![workspace.id.as_bytes(), id.as_bytes(), oldest(now), LINK_REQUEST];
            let read = |row: &rusqlite::Row<'_>| {
                let times = (row.get(2)?, row.get(3)?, row.get(4)?);
                Ok((row.get(0)?, row.get(1)?, times, row.get(5)?))
            };
            statement.query_row(asked, read).optional()
        })
        .map_err(unreadable)?;
    let Some((address, by, (pending_at, asked_at, answered_at), sealed)) = row else {
        return Ok(None);
    };
    let damaged = || StoreError::Corrupt { table: "double_opt_in", id: id.to_string() };
    let plain = workspace.secrets.vault.open(&place(&workspace.id, &id), &sealed);
    let plain = Sealed::from_bytes(&plain.map_err(|_| damaged())?).map_err(|_| damaged())?;
    let waiting = Waiting {
        address: AddressKey::from_bytes(address),
        by: AnswerBy::from_code(by).ok_or_else(damaged)?,
        channel: plain.channel,
        pending: plain.pending,
        pending_at: Timestamp::from_micros(pending_at),
        evidence: plain.evidence,
        source: plain.source,
        form: plain.form,
    };
    let asked_at = asked_at.map(Timestamp::from_micros);
    let answered_at = answered_at.map(Timestamp::from_micros);
    Ok(Some(StoredDoubleOptIn { id, waiting, asked_at, answered_at }))
}

/// Judges an answer, counts it if it is wrong, and marks what it answers.
pub(super) fn answer(
    work: &Connection,
    workspace: &Tenant,
    (id, answer): (DoubleOptInId, Answer),
    now: Timestamp,
) -> Result<Answering, StoreError> {
    let Some(stored) = find(work, workspace, id, now)? else { return Ok(Answering::Unknown) };
    let own = stored.asked_at.map(|at| (None, Asked { at, code: None, tries: 0 }));
    let asked = match (stored.waiting.by, stored.answered_at) {
        // A link that was answered in time may be opened again whenever.
        (AnswerBy::Link, Some(at)) if matches!(answer, Answer::Link) => {
            return Ok(Answering::Right(Box::new(stored), at));
        }
        (AnswerBy::Link, _) => own,
        (AnswerBy::Code, _) => last_code(work, workspace.id, stored.waiting.address)
            .map_err(unreadable)?
            .map(|(row, asked)| (Some(row), asked)),
    };
    let verdict = judge(stored.waiting.pending_at, asked.as_ref().map(|(_, it)| it), answer, now);
    match verdict {
        Verdict::Right => {
            let at = stored.answered_at.unwrap_or(now);
            mark_answered(work, workspace.id, id, at).map_err(|error| unwritable(&error))?;
            Ok(Answering::Right(Box::new(stored), at))
        }
        Verdict::Wrong { tries_left } => {
            if let (Some((Some(row), _)), Answer::Code(_)) = (asked, answer) {
                count_try(work, workspace.id, row).map_err(|error| unwritable(&error))?;
            }
            Ok(Answering::Wrong { tries_left })
        }
        // What was answered in time stays answered.
        Verdict::Lapsed => Ok(match stored.answered_at {
            Some(at) => Answering::Right(Box::new(stored), at),
            None => Answering::Lapsed,
        }),
    }
}

/// The last code that was sent to an address, with its row: it proves the address for all that waits.
fn last_code(
    work: &Connection,
    workspace: WorkspaceId,
    address: AddressKey,
) -> rusqlite::Result<Option<(i64, Asked)>> {
    work.prepare_cached(
        "SELECT row, asked_at, code, tries FROM double_opt_in
         WHERE workspace = ?1 AND address_key = ?2 AND asked_at IS NOT NULL AND code IS NOT NULL
         ORDER BY asked_at DESC LIMIT 1",
    )?
    .query_row(params![workspace.as_bytes(), address.as_bytes()], |row| {
        let code: [u8; 32] = row.get(2)?;
        let at = Timestamp::from_micros(row.get(1)?);
        Ok((row.get(0)?, Asked { at, code: Some(CodeHash(code)), tries: row.get(3)? }))
    })
    .optional()
}

fn count_try(work: &Connection, workspace: WorkspaceId, row: i64) -> rusqlite::Result<()> {
    work.prepare_cached(
        "UPDATE double_opt_in SET tries = min(tries + 1, ?3) WHERE workspace = ?1 AND row = ?2",
    )?
    .execute(params![workspace.as_bytes(), row, limits::DOUBLE_OPT_IN_TRIES])
    .map(|_| ())
}

fn mark_answered(
    work: &Connection,
    workspace: WorkspaceId,
    id: DoubleOptInId,
    at: Timestamp,
) -> rusqlite::Result<()> {
    work.prepare_cached(
        "UPDATE double_opt_in SET answered_at = ?3 WHERE workspace = ?1 AND double_opt_in = ?2",
    )?
    .execute(params![workspace.as_bytes(), id.as_bytes(), at.as_micros()])
    .map(|_| ())
}

/// Deletes what waits for an erased person (rule 17).
pub(super) fn forget(
    work: &Connection,
    workspace: WorkspaceId,
    erased: AddressKey,
) -> rusqlite::Result<usize> {
    work.prepare_cached("DELETE FROM double_opt_in WHERE workspace = ?1 AND address_key = ?2")?
        .execute(params![workspace.as_bytes(), erased.as_bytes()])
}

/// Deletes what is too old, at most so many of the oldest rows.
pub(super) fn sweep(work: &Connection, rows: i64, now: Timestamp) -> rusqlite::Result<usize> {
    work.prepare_cached(
        "DELETE FROM double_opt_in WHERE row IN (
             SELECT row FROM (SELECT row, kept_at FROM double_opt_in ORDER BY row LIMIT ?1)
             WHERE kept_at < ?2) /* every workspace: the same age for all */",
    )?
    .execute(params![rows, oldest(now)])
}

/// What was kept before this is too old.
fn oldest(now: Timestamp) -> i64 {
    now.minus(limits::DOUBLE_OPT_IN_ASKED_WITHIN).as_micros()
}
