//! Rows of messages in `work.db`, and the statements that move them on.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use sayso_core::address::{Address, AddressKey};
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::gate::cap::FrequencyCap;
use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::gate::message::MessageState;
use sayso_core::gate::reason::Reasons;
use sayso_core::gate::zone::Zone;
use sayso_core::id::{MessageId, SenderId, TopicId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion};
use sayso_core::words::event_id::RequestHash;

use super::provider_ids::{self, ProviderKey};
use super::{Tenant, unreadable};
use crate::environment::Environment;
use crate::message::{
    FailureQuery, HandOver, HandOverEnd, Held, MessageDraft, MessageName, MessageQuery,
    MessageReport, MessageTimes, Payload, StoredMessage,
};
use crate::store::StoreError;

/// What a page shows of a message.
const COLUMNS: &str = "row, message, state, route, routes, sealed, reasons, failure, provider_sealed, \
     queued_at, expires_at, decided_at, began_at, handed_over_at, sent_at, delivered_at, read_at, ended_at, \
     due_at";

/// A message that is due: its row, and what it is decided on.
pub(super) struct Due {
    pub(super) row: i64,
    pub(super) key: AddressKey,
    /// Absent where the row is damaged: nobody can send it any more.
    pub(super) message: Option<StoredMessage>,
}

/// The channels and senders a message may go by, and whether it needs an opt-in.
struct Routes {
    routes: Vec<Message>,
    require_opt_in: RequireOptIn,
}

/// What only an erasure destroys.
struct Personal {
    to: Address,
    payload: Payload,
    zone: Option<Zone>,
}

fn place<'a>(workspace: &'a WorkspaceId, id: &'a MessageId) -> [&'a [u8]; 3] {
    [b"message", workspace.as_bytes(), id.as_bytes()]
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn failed(error: rusqlite::Error) -> StoreError {
    super::unwritable(&error)
}

/// Queues a message; says how it stands if the same request did so before, or nothing if the key was
/// used for another.
pub(super) fn queue(
    work: &Connection,
    workspace: &Tenant,
    draft: &MessageDraft,
    sealed: &[u8],
    now: Timestamp,
) -> Result<Queued, StoreError> {
    if let Some(key) = &draft.key
        && let Some(known) = of_request(work, workspace.id, key, &draft.request)?
    {
        return Ok(known);
    }
    let first = draft.routes.first().and_then(|route| Some((route, route.sender?)));
    let (route, sender) =
        first.ok_or_else(|| StoreError::Unwritable("a message without sender".into()))?;
    let routes = Routes { routes: draft.routes.clone(), require_opt_in: draft.require_opt_in };
    work.prepare_cached(
        "INSERT INTO message (workspace, message, request_key, request, sender, address_key, state,
             route, routes, sealed, queued_at, due_at, expires_at, channel, category, reasons, decided_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, ?10, ?12, ?11, ?13, ?14, ?15, ?16)",
    )
    .and_then(|mut statement| {
        statement.execute(params![
            workspace.id.as_bytes(),
            draft.id.as_bytes(),
            draft.key.as_ref().map(|key| key.0),
            draft.request.0,
            sender.as_bytes(),
            draft.to.key(&workspace.secrets.address_keys).as_bytes(),
            MessageState::Queued.code(),
            routes.to_bytes(),
            sealed,
            now.as_micros(),
            draft.expires_at.as_micros(),
            draft.held.map_or(now, |held| held.until).as_micros(),
            route.channel.code(),
            route.category.code(),
            draft.held.map_or(Reasons::NONE, |held| held.reasons).bits(),
            draft.held.map(|_| now.as_micros()),
        ])
    })
    .map_err(failed)?;
    Ok(Queued::New(draft.id))
}

/// What a request with this key came to before.
pub(super) fn of_request(
    work: &Connection,
    workspace: WorkspaceId,
    key: &RequestHash,
    request: &RequestHash,
) -> Result<Option<Queued>, StoreError> {
    let known: Option<([u8; 32], [u8; 16])> = work
        .prepare_cached(
            "SELECT request, message FROM message WHERE workspace = ?1 AND request_key = ?2",
        )
        .and_then(|mut statement| {
            let asked = params![workspace.as_bytes(), key.0];
            statement.query_row(asked, |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(unreadable)?;
    Ok(known.map(|(before, id)| {
        if before == request.0 {
            Queued::Before(MessageId::from_bytes(id))
        } else {
            Queued::KeyReused
        }
    }))
}

/// What became of a message that was to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Queued {
    New(MessageId),
    Before(MessageId),
    KeyReused,
}

/// Seals what is personal, in the caller's thread.
pub(super) fn seal(workspace: &Tenant, draft: &MessageDraft, environment: &Environment) -> Vec<u8> {
    let personal =
        Personal { to: draft.to.clone(), payload: draft.payload.clone(), zone: draft.zone };
    let vault = &workspace.secrets.vault;
    vault.seal(&place(&workspace.id, &draft.id), &personal.to_bytes(), environment)
}

/// The messages of a sender that are due, the longest waiting first.
pub(super) fn due(
    work: &Connection,
    workspace: &Tenant,
    sender: SenderId,
    now: Timestamp,
    items: usize,
) -> Result<Vec<Due>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS}, address_key FROM message
         WHERE workspace = ?1 AND sender = ?2 AND state = 1 AND due_at <= ?3
         ORDER BY due_at, row LIMIT ?4"
    );
    let items = i64::try_from(items).unwrap_or(i64::MAX);
    let mut statement = work.prepare_cached(&statement).map_err(unreadable)?;
    let asked = params![workspace.id.as_bytes(), sender.as_bytes(), now.as_micros(), items];
    let mut rows = statement.query(asked).map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        found.push(Due {
            row: row.get(0).map_err(unreadable)?,
            key: AddressKey::from_bytes(row.get(19).map_err(unreadable)?),
            message: read(row, workspace).ok(),
        });
    }
    Ok(found)
}

/// When the message was counted that fills a cap: the oldest of its latest
/// [`messages`](FrequencyCap::messages); nothing where fewer were counted later than `after`.
pub(super) fn filling(
    work: &Connection,
    workspace: WorkspaceId,
    key: &AddressKey,
    (cap, after): (&FrequencyCap, Timestamp),
) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = work
        .prepare_cached(
            "SELECT counted_at FROM message
             WHERE workspace = ?1 AND address_key = ?2 AND counted_at > ?3 AND category = ?4
               AND channel = coalesce(?5, channel)
             ORDER BY counted_at DESC LIMIT 1 OFFSET ?6",
        )
        .and_then(|mut statement| {
            let asked = params![
                workspace.as_bytes(),
                key.as_bytes(),
                after.as_micros(),
                cap.category().code(),
                cap.channel().map(Channel::code),
                cap.messages() - 1,
            ];
            statement.query_row(asked, |row| row.get(0)).optional()
        })
        .map_err(unreadable)?;
    Ok(at.map(Timestamp::from_micros))
}

/// Ends the messages of a sender that are of no use any more; how many there were.
pub(super) fn expire(
    work: &Connection,
    workspace: WorkspaceId,
    sender: SenderId,
    now: Timestamp,
) -> Result<usize, StoreError> {
    work.prepare_cached(
        "UPDATE message SET state = 7, failure = 'expired', ended_at = ?3
         WHERE workspace = ?1 AND sender = ?2 AND state = 1 AND expires_at <= ?3",
    )
    .and_then(|mut statement| {
        statement.execute(params![workspace.as_bytes(), sender.as_bytes(), now.as_micros()])
    })
    .map_err(failed)
}

/// When the next message of a sender is due.
pub(super) fn next_due_at(
    work: &Connection,
    workspace: WorkspaceId,
    sender: SenderId,
) -> Result<Option<Timestamp>, StoreError> {
    let due_at: Option<i64> = work
        .prepare_cached(
            "SELECT min(due_at) FROM message WHERE workspace = ?1 AND sender = ?2 AND state = 1",
        )
        .and_then(|mut statement| {
            statement.query_row(params![workspace.as_bytes(), sender.as_bytes()], |row| row.get(0))
        })
        .map_err(unreadable)?;
    Ok(due_at.map(Timestamp::from_micros))
}

/// What a claim makes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go.
    Claimed,
    /// The gate says no, and there is no other way.
    Refused(Reasons),
    /// The gate says no to this way: it waits for another.
    Rerouted(Way),
    /// It may go later, when its sender no longer rests or the person may be written to again: it waits
    /// for that way, which may be the one in force.
    Held(Way, Held),
    /// It cannot be decided now, because what is known of the person cannot be read.
    Postponed(Timestamp),
    /// It cannot be read.
    Damaged,
}

/// One of the ways that a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Way {
    /// Its place among the message's routes.
    pub(super) place: u16,
    /// Its channel.
    pub(super) channel: Channel,
    /// Its sender.
    pub(super) sender: SenderId,
}

/// Writes what a claim made of a message.
pub(super) fn decide(
    work: &Connection,
    workspace: WorkspaceId,
    row: i64,
    (verdict, now): (Verdict, Timestamp),
) -> Result<(), StoreError> {
    let (of, at) = (workspace.as_bytes(), now.as_micros());
    let done = match verdict {
        Verdict::Claimed => work
            .prepare_cached(
                "UPDATE message SET state = 2, reasons = 0, decided_at = ?3, counted_at = ?3
                 WHERE workspace = ?1 AND row = ?2",
            )
            .and_then(|mut statement| statement.execute(params![of, row, at])),
        Verdict::Refused(reasons) => work
            .prepare_cached(
                "UPDATE message SET state = 9, reasons = ?4, decided_at = ?3, ended_at = ?3
                 WHERE workspace = ?1 AND row = ?2",
            )
            .and_then(|mut statement| statement.execute(params![of, row, at, reasons.bits()])),
        Verdict::Rerouted(Way { place, channel, sender }) => work
            .prepare_cached(
                "UPDATE message SET route = ?3, channel = ?4, sender = ?5, reasons = 0
                 WHERE workspace = ?1 AND row = ?2",
            )
            .and_then(|mut statement| {
                statement.execute(params![of, row, place, channel.code(), sender.as_bytes()])
            }),
        Verdict::Held(Way { place, channel, sender }, Held { reasons, until }) => work
            .prepare_cached(
                "UPDATE message SET route = ?3, channel = ?4, sender = ?5, reasons = ?6, due_at = ?7,
                     decided_at = ?8
                 WHERE workspace = ?1 AND row = ?2",
            )
            .and_then(|mut statement| {
                let (channel, sender) = (channel.code(), sender.as_bytes());
                let (reasons, until) = (reasons.bits(), until.as_micros());
                statement.execute(params![of, row, place, channel, sender, reasons, until, at])
            }),
        Verdict::Postponed(until) => work
            .prepare_cached("UPDATE message SET due_at = ?3 WHERE workspace = ?1 AND row = ?2")
            .and_then(|mut statement| statement.execute(params![of, row, until.as_micros()])),
        Verdict::Damaged => work
            .prepare_cached(
                "UPDATE message SET state = 7, failure = 'damaged', ended_at = ?3
                 WHERE workspace = ?1 AND row = ?2",
            )
            .and_then(|mut statement| statement.execute(params![of, row, at])),
    };
    done.map(|_| ()).map_err(failed)
}

/// Makes due what a sender's messages wait for, where they were decided before.
pub(super) fn bring_forward(
    work: &Connection,
    workspace: WorkspaceId,
    sender: SenderId,
    now: Timestamp,
) -> Result<(), StoreError> {
    work.prepare_cached(
        "UPDATE message SET due_at = ?3
         WHERE workspace = ?1 AND sender = ?2 AND state = 1 AND due_at > ?3 AND reasons <> 0",
    )
    .and_then(|mut statement| {
        statement.execute(params![workspace.as_bytes(), sender.as_bytes(), now.as_micros()])
    })
    .map(|_| ())
    .map_err(failed)
}

/// How many messages to an address failed as the query says.
pub(super) fn count_failed(
    work: &Connection,
    workspace: &Tenant,
    query: &FailureQuery,
) -> Result<u64, StoreError> {
    let (ours, theirs) = match &query.besides {
        None => (None, None),
        Some(MessageName::Ours(id)) => (Some(id.as_bytes()), None),
        Some(MessageName::Provider(id)) => (None, Some(ProviderKey::of(workspace, id))),
    };
    let count: i64 = work
        .prepare_cached(
            "SELECT count(*) FROM message INDEXED BY message_of_address
             WHERE workspace = ?1 AND address_key = ?2 AND state = 7 AND failure = ?3 AND ended_at > ?4
               AND message IS NOT ?5 AND (?6 IS NULL OR provider_key IS NOT ?6)
               AND row > coalesce((SELECT max(row) FROM message INDEXED BY message_of_address
                   WHERE workspace = ?1 AND address_key = ?2 AND state IN (5, 6)), 0)",
        )
        .and_then(|mut statement| {
            let asked = params![
                workspace.id.as_bytes(),
                query.key.as_bytes(),
                query.failure,
                query.since.as_micros(),
                ours,
                theirs.as_ref().map(ProviderKey::as_bytes),
            ];
            statement.query_row(asked, |row| row.get(0))
        })
        .map_err(unreadable)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Writes how a hand-over ended, and says whose the message was; of one that is not claimed any more,
/// nothing. The provider's id of a message to somebody who was erased meanwhile is not kept.
pub(super) fn settle(
    work: &Connection,
    workspace: &Tenant,
    hand_over: &HandOver,
    environment: &Environment,
) -> Result<Option<SenderId>, StoreError> {
    let HandOver { id, began_at, at, end } = hand_over;
    let (state, provider_id, failure, due_at) = match end {
        HandOverEnd::Accepted { provider_id } => {
            (MessageState::HandedOver, provider_id.as_deref(), None, None)
        }
        HandOverEnd::Failed { why } => (MessageState::Failed, None, Some(why.as_ref()), None),
        HandOverEnd::Unknown { why } => (MessageState::Unknown, None, Some(why.as_ref()), None),
        HandOverEnd::Requeued { due_at } => (MessageState::Queued, None, None, Some(*due_at)),
    };
    let provider_key = provider_id.map(|name| ProviderKey::of(workspace, name));
    let provider_sealed =
        provider_id.map(|name| provider_ids::seal(workspace, id, name, environment));
    let is_handed_over = state == MessageState::HandedOver;
    let is_end = matches!(state, MessageState::Failed | MessageState::Unknown);
    work.prepare_cached(
        "UPDATE message SET state = ?3, provider_key = iif(sealed IS NULL, NULL, ?4),
             provider_sealed = iif(sealed IS NULL, NULL, ?10), failure = ?5, began_at = ?6,
             handed_over_at = ?7, ended_at = ?8, due_at = coalesce(?9, due_at),
             counted_at = iif(?3 IN (1, 7), NULL, counted_at)
         WHERE workspace = ?1 AND message = ?2 AND state = 2 RETURNING sender",
    )
    .and_then(|mut statement| {
        let written = params![
            workspace.id.as_bytes(),
            id.as_bytes(),
            state.code(),
            provider_key.as_ref().map(ProviderKey::as_bytes),
            failure,
            began_at.filter(|_| due_at.is_none()).map(Timestamp::as_micros),
            is_handed_over.then(|| at.as_micros()),
            is_end.then(|| at.as_micros()),
            due_at.map(Timestamp::as_micros),
            provider_sealed,
        ];
        statement.query_row(written, |row| row.get(0)).optional()
    })
    .map(|sender| sender.map(SenderId::from_bytes))
    .map_err(failed)
}

/// Takes in a provider's report; whether a message has that name and was handed over.
pub(super) fn report(
    work: &Connection,
    workspace: &Tenant,
    report: &MessageReport,
) -> Result<bool, StoreError> {
    let Some((row, code)) = find_named(work, workspace, &report.message)? else {
        return Ok(false);
    };
    let before = MessageState::from_code(code).ok_or_else(|| corrupt(row))?;
    if !before.is_with_provider() {
        return Ok(false);
    }
    let after = before.after_report(report.state);
    let at = |state: MessageState| (report.state == state).then(|| report.at.as_micros());
    work.prepare_cached(
        "UPDATE message SET state = ?2, sent_at = coalesce(sent_at, ?3),
             delivered_at = coalesce(delivered_at, ?4), read_at = coalesce(read_at, ?5),
             ended_at = iif(?2 = 7, coalesce(ended_at, ?6), ended_at),
             failure = iif(?2 = 7, coalesce(failure, ?7), failure)
         WHERE row = ?1 AND workspace = ?8",
    )
    .and_then(|mut statement| {
        statement.execute(params![
            row,
            after.code(),
            at(MessageState::Sent),
            at(MessageState::Delivered),
            at(MessageState::Read),
            at(MessageState::Failed),
            report.failure,
            workspace.id.as_bytes(),
        ])
    })
    .map_err(failed)?;
    Ok(true)
}

/// The row and the state of a message.
fn find_named(
    work: &Connection,
    workspace: &Tenant,
    name: &MessageName,
) -> Result<Option<(i64, u8)>, StoreError> {
    let found = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match name {
        MessageName::Provider(id) => work
            .prepare_cached(
                "SELECT row, state FROM message WHERE workspace = ?1 AND provider_key = ?2",
            )
            .and_then(|mut statement| {
                let key = ProviderKey::of(workspace, id);
                statement
                    .query_row(params![workspace.id.as_bytes(), key.as_bytes()], found)
                    .optional()
            }),
        MessageName::Ours(id) => work
            .prepare_cached("SELECT row, state FROM message WHERE workspace = ?1 AND message = ?2")
            .and_then(|mut statement| {
                let asked = params![workspace.id.as_bytes(), id.as_bytes()];
                statement.query_row(asked, found).optional()
            }),
    }
    .map_err(unreadable)
}

/// What was claimed when the process ended has no known end.
pub(super) fn give_up_claimed(work: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    work.execute(
        "UPDATE message SET state = 8, failure = 'process_ended', ended_at = ?1
         WHERE state = 2 /* every workspace: no process holds a claim at a start */",
        params![now.as_micros()],
    )
}

/// What was under way when a backup was made may have gone since: nobody knows, and it is not sent again.
pub(super) fn give_up_restored(work: &Connection, now: Timestamp) -> rusqlite::Result<usize> {
    work.execute(
        "UPDATE message SET state = 8, failure = 'restored', ended_at = ?1,
             counted_at = coalesce(counted_at, ?1)
         WHERE state IN (1, 2) /* every workspace: the whole file is another time's */",
        params![now.as_micros()],
    )
}

/// The senders that messages wait for.
pub(super) fn waiting_senders(
    work: &Connection,
) -> Result<Vec<(WorkspaceId, SenderId)>, StoreError> {
    let mut statement = work
        .prepare_cached(
            "SELECT DISTINCT workspace, sender FROM message
             WHERE state = 1 /* every workspace: each has its own queues */",
        )
        .map_err(unreadable)?;
    let rows = statement.query_map([], |row| {
        Ok((WorkspaceId::from_bytes(row.get(0)?), SenderId::from_bytes(row.get(1)?)))
    });
    rows.map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)
}

/// Deletes messages that ended or went too long ago, looking at so many rows from the place that was
/// reached; one that still waits stays, however old it is. Gives how many were deleted, and starts
/// anew once it meets those that are young enough.
pub(super) fn sweep(
    work: &Connection,
    (after, rows): (&mut i64, i64),
    now: Timestamp,
) -> rusqlite::Result<usize> {
    let before = now.minus(limits::MESSAGE_RETENTION).as_micros();
    // Rows are in the order in which they were queued.
    let seen: (i64, Option<i64>) = work
        .prepare_cached(
            "SELECT count(*), max(row) FROM (
                 SELECT row, queued_at FROM message WHERE row > ?1 ORDER BY row LIMIT ?2)
             WHERE queued_at < ?3 /* every workspace: the same age for all */",
        )?
        .query_row(params![*after, rows, before], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (looked_at, Some(last)) = seen else {
        *after = 0;
        return Ok(0);
    };
    let deleted = work
        .prepare_cached(
            "DELETE FROM message WHERE row > ?1 AND row <= ?2 AND state NOT IN (1, 2)
                 AND coalesce(ended_at, handed_over_at, queued_at) < ?3
             /* every workspace: the same age for all */",
        )?
        .execute(params![*after, last, before])?;
    *after = if looked_at < rows { 0 } else { last };
    Ok(deleted)
}

/// Destroys to whom and what messages to an erased person say, and the provider's ids of them.
pub(super) fn forget(
    work: &Connection,
    workspace: WorkspaceId,
    key: AddressKey,
) -> rusqlite::Result<()> {
    work.prepare_cached(
        "UPDATE message SET sealed = NULL, provider_id = NULL, provider_key = NULL, provider_sealed = NULL
         WHERE workspace = ?1 AND address_key = ?2",
    )?
    .execute(params![workspace.as_bytes(), key.as_bytes()])
    .map(|_| ())
}

/// Destroys the same of one message.
pub(super) fn forget_row(
    work: &Connection,
    workspace: WorkspaceId,
    row: i64,
) -> rusqlite::Result<usize> {
    work.prepare_cached(
        "UPDATE message SET sealed = NULL, provider_id = NULL, provider_key = NULL, provider_sealed = NULL
         WHERE workspace = ?1 AND row = ?2",
    )?
    .execute(params![workspace.as_bytes(), row])
}

/// One message.
pub(super) fn find(
    work: &Connection,
    workspace: &Tenant,
    id: MessageId,
) -> Result<Option<StoredMessage>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM message WHERE workspace = ?1 AND message = ?2");
    let mut statement = work.prepare_cached(&statement).map_err(unreadable)?;
    let asked = params![workspace.id.as_bytes(), id.as_bytes()];
    let mut rows = statement.query(asked).map_err(unreadable)?;
    let row = rows.next().map_err(unreadable)?;
    row.map(|row| read(row, workspace)).transpose()
}

/// The message that a report names.
pub(super) fn find_by_name(
    work: &Connection,
    workspace: &Tenant,
    name: &MessageName,
) -> Result<Option<StoredMessage>, StoreError> {
    let id = match name {
        MessageName::Ours(id) => return find(work, workspace, *id),
        MessageName::Provider(id) => id,
    };
    let statement =
        format!("SELECT {COLUMNS} FROM message WHERE workspace = ?1 AND provider_key = ?2");
    let mut statement = work.prepare_cached(&statement).map_err(unreadable)?;
    let key = ProviderKey::of(workspace, id);
    let asked = params![workspace.id.as_bytes(), key.as_bytes()];
    let mut rows = statement.query(asked).map_err(unreadable)?;
    let row = rows.next().map_err(unreadable)?;
    row.map(|row| read(row, workspace)).transpose()
}

/// Messages, the newest first, each with its row.
pub(super) fn list(
    work: &Connection,
    workspace: &Tenant,
    query: &MessageQuery,
    (before, items): (i64, i64),
) -> Result<Vec<(i64, StoredMessage)>, StoreError> {
    let sender = query.sender.as_ref().map(SenderId::as_bytes);
    let state = query.state.map(MessageState::code);
    let of = workspace.id.as_bytes();
    let Some(addresses) = &query.addresses else {
        let statement = format!(
            "SELECT {COLUMNS} FROM message INDEXED BY message_of_workspace
             WHERE workspace = ?1 AND row < ?2 AND sender = coalesce(?3, sender)
               AND state = coalesce(?4, state)
             ORDER BY row DESC LIMIT ?5"
        );
        return rows_of(work, workspace, &statement, params![of, before, sender, state, items]);
    };
    let statement = format!(
        "SELECT {COLUMNS} FROM message INDEXED BY message_of_person
         WHERE workspace = ?1 AND address_key = ?6 AND sealed IS NOT NULL AND row < ?2
           AND sender = coalesce(?3, sender) AND state = coalesce(?4, state)
         ORDER BY row DESC LIMIT ?5"
    );
    let mut found = Vec::new();
    for key in addresses {
        let asked = params![of, before, sender, state, items, key.as_bytes()];
        found.extend(rows_of(work, workspace, &statement, asked)?);
    }
    found.sort_unstable_by_key(|(row, _)| std::cmp::Reverse(*row));
    found.truncate(usize::try_from(items).unwrap_or(usize::MAX));
    Ok(found)
}

/// The messages that a statement finds, with their rows.
fn rows_of(
    work: &Connection,
    workspace: &Tenant,
    statement: &str,
    asked: &[&dyn ToSql],
) -> Result<Vec<(i64, StoredMessage)>, StoreError> {
    let mut statement = work.prepare_cached(statement).map_err(unreadable)?;
    let mut rows = statement.query(asked).map_err(unreadable)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(unreadable)? {
        let number = row.get(0).map_err(unreadable)?;
        found.push((number, read(row, workspace)?));
    }
    Ok(found)
}

fn corrupt(row: i64) -> StoreError {
    StoreError::Corrupt { table: "message", id: row.to_string() }
}

fn read(row: &Row<'_>, workspace: &Tenant) -> Result<StoredMessage, StoreError> {
    let number: i64 = row.get(0).map_err(unreadable)?;
    let id = MessageId::from_bytes(row.get(1).map_err(unreadable)?);
    let state: u8 = row.get(2).map_err(unreadable)?;
    let routes = row.get_ref(4).and_then(|cell| Ok(cell.as_blob()?)).map_err(unreadable)?;
    let Routes { routes, require_opt_in } =
        Routes::from_bytes(routes).map_err(|_| corrupt(number))?;
    let sealed = row.get_ref(5).and_then(|cell| Ok(cell.as_blob_or_null()?)).map_err(unreadable)?;
    let personal = sealed.map(|sealed| {
        let place = place(&workspace.id, &id);
        let plain = workspace.secrets.vault.open(&place, sealed).map_err(|_| corrupt(number))?;
        Personal::from_bytes(&plain).map_err(|_| corrupt(number))
    });
    let personal: Option<Personal> = personal.transpose()?;
    let zone = personal.as_ref().and_then(|personal| personal.zone);
    let named = row.get_ref(8).and_then(|cell| Ok(cell.as_blob_or_null()?)).map_err(unreadable)?;
    let provider_id = named
        .map(|named| provider_ids::open(workspace, &id, named).ok_or_else(|| corrupt(number)))
        .transpose()?;
    let at = |column: usize| -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> = row.get(column).map_err(unreadable)?;
        Ok(at.map(Timestamp::from_micros))
    };
    Ok(StoredMessage {
        id,
        personal: personal.map(|Personal { to, payload, .. }| (to, payload)),
        zone,
        routes,
        route: row.get(3).map_err(unreadable)?,
        require_opt_in,
        state: MessageState::from_code(state).ok_or_else(|| corrupt(number))?,
        reasons: Reasons::from_bits(row.get(6).map_err(unreadable)?),
        failure: row.get(7).map_err(unreadable)?,
        provider_id,
        times: MessageTimes {
            queued_at: at(9)?.ok_or_else(|| corrupt(number))?,
            due_at: at(18)?.ok_or_else(|| corrupt(number))?,
            expires_at: at(10)?.ok_or_else(|| corrupt(number))?,
            decided_at: at(11)?,
            began_at: at(12)?,
            handed_over_at: at(13)?,
            sent_at: at(14)?,
            delivered_at: at(15)?,
            read_at: at(16)?,
            ended_at: at(17)?,
        },
    })
}

impl Canonical for Routes {
    fn write(&self, to: &mut Writer) {
        to.byte(match self.require_opt_in {
            RequireOptIn::Said(Requirement::OptIn) => 1,
            RequireOptIn::Said(Requirement::Waived(_)) => 2,
            RequireOptIn::AsSettings => 3,
        });
        to.length(self.routes.len());
        for route in &self.routes {
            route.channel.write(to);
            route.sender.write(to);
            route.topic.write(to);
            route.category.write(to);
            to.byte(route.content.code());
            write_occasion(route.occasion, to);
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let require_opt_in = from.byte()?;
        let length = from.length()?;
        let routes: Vec<Message> =
            (0..length).map(|_| read_route(from)).collect::<Result<_, Malformed>>()?;
        let category = routes.first().ok_or(Malformed)?.category;
        let require_opt_in = match require_opt_in {
            1 => RequireOptIn::Said(Requirement::OptIn),
            2 => RequireOptIn::Said(Requirement::waived(category).ok_or(Malformed)?),
            3 => RequireOptIn::AsSettings,
            _ => return Err(Malformed),
        };
        Ok(Self { routes, require_opt_in })
    }
}

fn read_route(from: &mut Reader<'_>) -> Result<Message, Malformed> {
    Ok(Message {
        channel: Channel::read(from)?,
        sender: Option::<SenderId>::read(from)?,
        topic: Option::<TopicId>::read(from)?,
        category: Category::read(from)?,
        content: Content::from_code(from.byte()?).ok_or(Malformed)?,
        occasion: read_occasion(from)?,
    })
}

fn write_occasion(occasion: Occasion, to: &mut Writer) {
    match occasion {
        Occasion::Ordinary => to.byte(1),
        Occasion::Requested(at) => {
            to.byte(2);
            to.instant(at);
        }
        Occasion::RefusalConfirmation(at) => {
            to.byte(3);
            to.instant(at);
        }
        Occasion::HelpReply => to.byte(4),
        Occasion::OptInQuestion(at) => {
            to.byte(5);
            at.write(to);
        }
    }
}

fn read_occasion(from: &mut Reader<'_>) -> Result<Occasion, Malformed> {
    Ok(match from.byte()? {
        1 => Occasion::Ordinary,
        2 => Occasion::Requested(from.instant()?),
        3 => Occasion::RefusalConfirmation(from.instant()?),
        4 => Occasion::HelpReply,
        5 => Occasion::OptInQuestion(Option::read(from)?),
        _ => return Err(Malformed),
    })
}

impl Canonical for Personal {
    fn write(&self, to: &mut Writer) {
        self.to.write(to);
        match &self.payload {
            Payload::Text(text) => {
                to.byte(1);
                to.text(text);
            }
            Payload::Template { name, language, variables } => {
                to.byte(2);
                to.text(name);
                to.option(language.as_deref(), Writer::text);
                to.length(variables.len());
                variables.iter().for_each(|variable| to.text(variable));
            }
            Payload::Question { text, yes, no } => {
                to.byte(3);
                to.text(text);
                to.text(yes);
                to.text(no);
            }
            Payload::Email { subject, text } => {
                to.byte(4);
                to.text(subject);
                to.text(text);
            }
        }
        to.option(self.zone, |to, zone| to.text(zone.as_str()));
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let to = Address::read(from)?;
        let payload = match from.byte()? {
            1 => Payload::Text(from.text()?.into()),
            2 => Payload::Template {
                name: from.text()?.into(),
                language: from.option(|from| from.text().map(Box::from))?,
                variables: {
                    let length = from.length()?;
                    let read = |_| from.text().map(Box::from);
                    (0..length).map(read).collect::<Result<_, Malformed>>()?
                },
            },
            3 => Payload::Question {
                text: from.text()?.into(),
                yes: from.text()?.into(),
                no: from.text()?.into(),
            },
            4 => Payload::Email { subject: from.text()?.into(), text: from.text()?.into() },
            _ => return Err(Malformed),
        };
        // What was written before there was a zone ends here; one that is no longer known is none.
        let zone = match from.end() {
            Ok(()) => None,
            Err(_) => from.option(|from| Ok(Zone::parse(from.text()?).ok()))?.flatten(),
        };
        Ok(Self { to, payload, zone })
    }
}
