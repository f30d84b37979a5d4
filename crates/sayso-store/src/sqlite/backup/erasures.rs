//! The list of erasures: what a restored store must take in again, so that nobody erased is there.
//!
//! A line of JSON for each event, in the order of the ledger:
//!
//! ```text
//! {"workspace":"ws_…","address_key":"…","event":"evt_…","recorded_at":"…","facts":"…","request":"…","leaf":"…"}
//! ```
//!
//! These are the clear columns of an event's row, `facts` in [canonical
//! bytes](sayso_core::canonical) and like all bytes as hexadecimal digits: the row that is appended
//! to the restored ledger is the one that was lost. Nothing personal is in them, for an erasure
//! leaves nothing personal. An erasure that was given a reason has it in a further field, `sealed`, as
//! it is sealed in the ledger.
//!
//! The last field, `mac`, is a code over the others, so that nobody without the keys writes or changes a
//! line: HMAC-SHA-256 by a key derived from the secrets of the store's first workspace. Every backup that
//! holds anything holds those, and a rotation of the master key leaves them as they are.
//!
//! An erasure unlinks addresses that the person shares with somebody, and suppresses the other
//! addresses of an account. So the list holds those unlinkings and suppressions too. A line of another kind is refused, and an unlinking is taken in only where the
//! ledger holds the link that it names: no list brings in a consent or takes back a refusal.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read};
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use sayso_core::address::AddressKey;
use sayso_core::canonical::Writer;
use sayso_core::id::{EventId, ProfileId, WorkspaceId};
use sayso_core::limits;
use sayso_core::state::registers::Registers;
use sayso_core::state::suppression::Suppression;
use sayso_core::state::suppression::Switched;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::source::Road;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::super::events::{self, LedgerRow, NewRow};
use super::super::seal::{MasterKey, Secrets};
use super::super::tail::WorkspaceNo;
use super::super::{OpenError, rotation, unreadable, unwritable};
use super::{LEDGER, Workspaces, hexadecimal, open_to_read};
use crate::store::StoreError;

/// An erasure, or an unlinking that went with one, as it stands in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    workspace: WorkspaceId,
    event: ConsentEvent,
    request: RequestHash,
    leaf_hash: [u8; 32],
    /// The reason of an erasure, sealed.
    sealed: Option<Vec<u8>>,
    /// The code over all of it; absent in a list of an earlier release.
    mac: Option<[u8; 32]>,
}

impl Erasure {
    /// The code that the store of these secrets puts on it.
    fn code(&self, secrets: &Secrets) -> [u8; 32] {
        let mut to = Writer::default();
        to.raw(self.workspace.as_bytes());
        to.raw(self.event.key.as_bytes());
        to.raw(self.event.id.as_bytes());
        to.instant(self.event.recorded_at);
        let blob = |to: &mut Writer, bytes: &[u8]| {
            to.length(bytes.len());
            to.raw(bytes);
        };
        blob(&mut to, &self.event.facts());
        to.raw(&self.request.0);
        to.raw(&self.leaf_hash);
        to.option(self.sealed.as_deref(), blob);
        secrets.mac(b"sayso erasure line\n", to.bytes())
    }

    /// Whether the store of these secrets wrote it: absent where nothing says so.
    pub(super) fn is_of(&self, secrets: &Secrets) -> Option<bool> {
        self.mac.map(|mac| mac == self.code(secrets))
    }

    /// Whose rows it destroys.
    pub(super) fn place(&self) -> (WorkspaceId, AddressKey) {
        (self.workspace, self.event.key)
    }
}

/// The longest line that is read, its end included, as files count.
#[expect(clippy::as_conversions, reason = "TryFrom is not const, and the limit is 4 KiB")]
const LINE_BYTES_MAX: u64 = limits::ERASURE_LINE_BYTES_MAX as u64;

/// The longest sealed reason that is written: as digits it leaves room for the rest of the line.
const SEALED_BYTES_MAX: usize = limits::ERASURE_LINE_BYTES_MAX / 4;

/// Why a line is no erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ErasureFault {
    /// It has another shape.
    #[error("is not a line that `sayso export --erasures` writes")]
    Shape,
    /// It is an event of another kind.
    #[error("is an event that no erasure makes")]
    AnotherKind,
}

/// A line of the list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    workspace: String,
    address_key: String,
    event: String,
    recorded_at: String,
    facts: String,
    request: String,
    leaf: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
}

/// What came of a list of erasures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Addresses that are erased now and were not.
    pub erased: u64,
    /// Addresses that were erased already; they were left alone.
    pub known: u64,
    /// Addresses of workspaces that the backup does not hold.
    pub elsewhere: u64,
}

impl Erasure {
    /// The erasure that a row is, if it is one.
    fn of(row: LedgerRow, workspaces: &Workspaces) -> Result<Option<Self>, StoreError> {
        if !belongs_to_an_erasure(&row.event) {
            return Ok(None);
        }
        let workspace = workspaces.id_of(&row)?;
        let LedgerRow { event, request, leaf_hash, sealed, .. } = row;
        let is_short = |sealed: &Vec<u8>| sealed.len() <= SEALED_BYTES_MAX;
        let sealed = sealed.filter(is_short).filter(|_| event.fact == Fact::Erasure);
        Ok(Some(Self { workspace, event, request, leaf_hash, sealed, mac: None }))
    }

    /// Writes it as a line, without the line's end.
    pub fn to_line(&self) -> String {
        let line = Line {
            workspace: self.workspace.to_string(),
            address_key: self.event.key.to_string(),
            event: self.event.id.to_string(),
            recorded_at: self.event.recorded_at.to_string(),
            facts: hexadecimal::write(&self.event.facts()),
            request: hexadecimal::write(&self.request.0),
            leaf: hexadecimal::write(&self.leaf_hash),
            sealed: self.sealed.as_deref().map(hexadecimal::write),
            mac: self.mac.map(|mac| hexadecimal::write(&mac)),
        };
        // Plain texts always serialize.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads a line.
    ///
    /// # Errors
    /// [`ErasureFault`].
    pub fn parse(line: &str) -> Result<Self, ErasureFault> {
        if line.len() >= limits::ERASURE_LINE_BYTES_MAX {
            return Err(ErasureFault::Shape);
        }
        let read = || {
            let line: Line = serde_json::from_str(line).ok()?;
            let event = ConsentEvent::from_facts(
                EventId::parse(&line.event).ok()?,
                AddressKey::from_bytes(hexadecimal::read_exact(&line.address_key)?),
                Timestamp::parse(&line.recorded_at).ok()?,
                &hexadecimal::read(&line.facts)?,
            );
            Some(Self {
                workspace: WorkspaceId::parse(&line.workspace).ok()?,
                event: event.ok()?,
                request: RequestHash(hexadecimal::read_exact(&line.request)?),
                leaf_hash: hexadecimal::read_exact(&line.leaf)?,
                sealed: match &line.sealed {
                    None => None,
                    Some(digits) => Some(hexadecimal::read(digits)?),
                },
                mac: match &line.mac {
                    None => None,
                    Some(digits) => Some(hexadecimal::read_exact(digits)?),
                },
            })
        };
        // To the byte: a value has one spelling.
        let is_whole = |erasure: &Self| erasure.to_line() == line;
        let erasure = read().filter(is_whole).ok_or(ErasureFault::Shape)?;
        let fits = belongs_to_an_erasure(&erasure.event)
            && (erasure.sealed.is_none() || erasure.is_erasure());
        if fits { Ok(erasure) } else { Err(ErasureFault::AnotherKind) }
    }

    fn is_erasure(&self) -> bool {
        self.event.fact == Fact::Erasure
    }

    /// The link that it leaves out, if it is no erasure.
    fn unlinks(&self) -> Option<EventId> {
        self.event.fact.retracted_event()
    }
}

/// Whether an erasure makes such events.
pub(in crate::sqlite) fn belongs_to_an_erasure(event: &ConsentEvent) -> bool {
    // Of another address of the account.
    let is_of_account =
        matches!(event.fact, Fact::Suppression(Suppression::Erased, _, Switched::On));
    let unlinks = event.fact.retracted_event().is_some() && event.source.road == Road::Link;
    event.fact == Fact::Erasure || is_of_account || unlinks
}

/// The erasures in the ledger of the store in `directory`, in order, as of one moment, each with its code.
/// A server may run on it meanwhile.
///
/// # Errors
/// [`OpenError`] where there is no ledger that can be read, or not with the master key that lies there.
pub fn erasures(directory: &Path) -> Result<Vec<Erasure>, OpenError> {
    let mut all = without_codes(directory)?;
    let ledger = open_to_read(&directory.join(LEDGER)).map_err(unreadable)?;
    let master = rotation::find_key(directory, &ledger)?;
    if let Some(secrets) = first_secrets(&ledger, &master)? {
        all.iter_mut().for_each(|erasure| erasure.mac = Some(erasure.code(&secrets)));
    }
    Ok(all)
}

/// The secrets by which lines are known; none where there is no workspace.
pub(super) fn first_secrets(
    ledger: &Connection,
    master: &MasterKey,
) -> Result<Option<Secrets>, StoreError> {
    let Some(row) = events::workspaces(ledger)?.into_iter().next() else { return Ok(None) };
    let damaged = |_| StoreError::Corrupt { table: "workspace", id: row.id.to_string() };
    master.open_secrets(row.id.as_bytes(), &row.secrets).map(Some).map_err(damaged)
}

/// The same without codes, for which no key is needed.
pub(super) fn without_codes(directory: &Path) -> Result<Vec<Erasure>, StoreError> {
    let ledger = open_to_read(&directory.join(LEDGER)).map_err(unreadable)?;
    // One transaction, so that no row names a workspace made after they were read.
    let ledger = ledger.unchecked_transaction().map_err(unreadable)?;
    let workspaces = Workspaces::read(&ledger)?;
    let mut all = Vec::new();
    events::for_each_after(&ledger, 0, |row| {
        all.extend(Erasure::of(row, &workspaces)?);
        Ok(())
    })?;
    let unlinked: BTreeSet<EventId> = all.iter().filter_map(Erasure::unlinks).collect();
    if unlinked.is_empty() {
        return Ok(all);
    }
    let erased: BTreeSet<AddressKey> =
        all.iter().filter(|one| one.is_erasure()).map(|one| one.event.key).collect();
    let (mut of_erased, mut of_link) = (BTreeSet::new(), BTreeMap::new());
    events::for_each_after(&ledger, 0, |row| {
        if let Fact::Link(profile) = row.event.fact {
            if erased.contains(&row.event.key) {
                of_erased.insert(profile);
            }
            if unlinked.contains(&row.event.id) {
                of_link.insert(row.event.id, profile);
            }
        }
        Ok(())
    })?;
    // Whom an operator unlinked without erasing anybody is no matter of this list.
    all.retain(|one| match one.unlinks() {
        None => true,
        Some(link) => of_link.get(&link).is_some_and(|profile| of_erased.contains(profile)),
    });
    Ok(all)
}

/// Reads a list, or names the first line that is none. Whose it is, its codes tell.
pub(super) fn read_list(
    mut list: impl BufRead,
) -> io::Result<Result<Vec<Erasure>, (usize, ErasureFault)>> {
    let mut erasures = Vec::new();
    for number in 1.. {
        let mut line = Vec::new();
        // One byte more than a line may have: what fills it is too long, and no further is read.
        if list.by_ref().take(LINE_BYTES_MAX + 1).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        match std::str::from_utf8(line).map_err(|_| ErasureFault::Shape).and_then(Erasure::parse) {
            Ok(erasure) => erasures.push(erasure),
            Err(fault) => return Ok(Err((number, fault))),
        }
    }
    Ok(Ok(erasures))
}

/// Takes erasures into a ledger that holds none of what happened since: destroys what is personal
/// in the rows of those addresses, and appends the events. All or nothing; those that the ledger
/// holds already are left alone, with whatever was said since.
pub(super) fn replay(
    ledger: &mut Connection,
    mut list: Vec<Erasure>,
) -> Result<Replayed, StoreError> {
    list.sort_by_key(|erasure| (erasure.event.recorded_at, erasure.event.id));
    let mut seen = BTreeSet::new();
    list.retain(|erasure| seen.insert((erasure.workspace, erasure.event.id)));
    let workspaces = Workspaces::read(ledger)?;
    let transaction = ledger
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(|error| unwritable(&error))?;
    let held = Held::read(&transaction, &list, &workspaces)?;
    let mut replayed = Replayed::default();
    let mut missing = Vec::new();
    for erasure in &list {
        let number = u64::from(erasure.is_erasure());
        match workspaces.no_of(erasure.workspace) {
            None => replayed.elsewhere += number,
            Some(no) if held.events.contains(&(no, erasure.event.id)) => replayed.known += number,
            Some(no) => {
                if erasure.unlinks().is_none_or(|link| held.links.contains(&(no, link))) {
                    missing.push((no, erasure));
                }
                replayed.erased += number;
            }
        }
    }
    destroy(&transaction, &missing)?;
    append(&transaction, &missing)?;
    transaction.commit().map_err(|error| unwritable(&error))?;
    Ok(replayed)
}

/// What a ledger holds of a list.
#[derive(Debug, Default)]
struct Held {
    /// Events of the list.
    events: BTreeSet<(WorkspaceNo, EventId)>,
    /// Links that the list leaves out.
    links: BTreeSet<(WorkspaceNo, EventId)>,
}

impl Held {
    fn read(
        ledger: &Connection,
        list: &[Erasure],
        workspaces: &Workspaces,
    ) -> Result<Self, StoreError> {
        let (mut named, mut unlinked) = (BTreeSet::new(), BTreeSet::new());
        for erasure in list {
            if let Some(no) = workspaces.no_of(erasure.workspace) {
                named.insert((no, erasure.event.id));
                unlinked.extend(erasure.unlinks().map(|link| (no, link)));
            }
        }
        let mut held = Self::default();
        events::for_each_after(ledger, 0, |row| {
            let place = (row.workspace, row.event.id);
            if named.contains(&place) {
                held.events.insert(place);
            }
            if matches!(row.event.fact, Fact::Link(_)) && unlinked.contains(&place) {
                held.links.insert(place);
            }
            Ok(())
        })?;
        Ok(held)
    }
}

/// Destroys what is personal in the rows of erased addresses, up to their erasure, and attributes
/// of the person that stand under an address of somebody else too.
fn destroy(ledger: &Connection, missing: &[(WorkspaceNo, &Erasure)]) -> Result<(), StoreError> {
    // Sorted by time, so the latest erasure of an address is the one that is kept.
    let until: BTreeMap<(WorkspaceNo, AddressKey), Timestamp> = missing
        .iter()
        .filter(|(_, erasure)| erasure.is_erasure())
        .map(|(no, erasure)| ((*no, erasure.event.key), erasure.event.recorded_at))
        .collect();
    let mut personal = Vec::new();
    let mut histories: BTreeMap<(WorkspaceNo, AddressKey), Vec<ConsentEvent>> = BTreeMap::new();
    events::for_each_after(ledger, 0, |row| {
        let place = (row.workspace, row.event.key);
        if until.get(&place).is_some_and(|until| row.event.recorded_at <= *until) {
            personal.extend(row.sealed.is_some().then_some(row.row));
            histories.entry(place).or_default().push(row.event);
        }
        Ok(())
    })?;
    let mut profiles: BTreeMap<(WorkspaceNo, ProfileId), Timestamp> = BTreeMap::new();
    for (place, history) in &histories {
        for (profile, _) in Registers::fold(history, &BTreeSet::new()).links() {
            let last = profiles.entry((place.0, profile)).or_insert(Timestamp::DISTANT_PAST);
            *last = (*last).max(until.get(place).copied().unwrap_or(*last));
        }
    }
    if !profiles.is_empty() {
        events::for_each_after(ledger, 0, |row| {
            if let (Fact::Attributes(profile), Some(_)) = (row.event.fact, &row.sealed) {
                let until = profiles.get(&(row.workspace, profile));
                let erased = until.is_some_and(|until| row.event.recorded_at <= *until);
                personal.extend(erased.then_some(row.row));
            }
            Ok(())
        })?;
    }
    for row in personal {
        events::destroy_sealed(ledger, row).map_err(|error| unwritable(&error))?;
    }
    Ok(())
}

/// Appends the events, without a personal part but for the reason of an erasure. Their times are kept
/// unless the ledger's last one is later: those never run backwards (rule 2). Then the leaf hash is of
/// another time, and the reason, which it covers, is left out.
fn append(ledger: &Connection, missing: &[(WorkspaceNo, &Erasure)]) -> Result<(), StoreError> {
    let (mut row, mut last) = events::last(ledger)?;
    for (no, erasure) in missing {
        row += 1;
        last = erasure.event.recorded_at.max(last.plus(Span::micros(1)));
        let event = ConsentEvent { recorded_at: last, ..erasure.event.clone() };
        let facts = event.facts();
        let sealed =
            erasure.sealed.as_deref().filter(|_| event.recorded_at == erasure.event.recorded_at);
        let new = NewRow {
            row,
            workspace: *no,
            event: &event,
            request: &erasure.request,
            leaf_hash: &erasure.leaf_hash,
            facts: &facts,
            sealed: sealed.unwrap_or_default(),
        };
        events::append(ledger, &new).map_err(|error| unwritable(&error))?;
        if sealed.is_none() {
            events::destroy_sealed(ledger, row).map_err(|error| unwritable(&error))?;
        }
    }
    Ok(())
}
