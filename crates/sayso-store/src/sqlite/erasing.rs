//! Erasing a person (rule 17), so that nobody's refusal waits for it.
//!
//! The writer does what is the ledger's: it appends the erasure and destroys the personal part of the
//! person's events. What stands in `work.db` (rejects that may speak of them, messages to them, what
//! they ticked) is destroyed here, in a thread of its own and in bounded steps: once before the
//! ledger's part, so that a process that ends in between leaves nothing of a person whose erasure is
//! recorded, and once after it, for what came in between. Only then is the erasure answered. Who
//! asked may be gone; what they asked for is done all the same. And only once it is in no
//! [log](super::logs) of the files either.

use std::sync::Arc;

use sayso_core::address::{Address, AddressKey};

use super::group::Group;
use super::writer::{Urgency, WriterHandle};
use super::{Shared, Tenant};
use crate::erasure::{Erased, ErasureCounts, ErasureReach};
use crate::store::StoreError;
use sayso_plan::draft::{Draft, Subject};

/// An erased address; absent where only its hash was known.
pub(super) type ErasedAddress = (AddressKey, Option<Address>);

/// Erases, and answers once nothing personal is left.
pub(super) fn erase(
    shared: &Arc<Shared>,
    writer: &WriterHandle,
    workspace: &Arc<Tenant>,
    (subject, reach): (&Subject, ErasureReach),
    draft: &Draft,
) -> Result<Erased, StoreError> {
    // Rejects that wait to be kept may speak of the person.
    shared.work.settle_blocking()?;
    let planned = shared
        .ledger
        .read(|ledger| Group::new(shared, ledger).erased_by(workspace, subject, reach))?;
    let (mut forgotten, last) = shared.work.forget(workspace, &planned, 0)?;
    let (recorded, erased, mut counts) = {
        let (workspace, subject, draft) = (Arc::clone(workspace), subject.clone(), draft.clone());
        writer.submit_blocking(workspace.no, Urgency::Refusal, move |group| {
            group.erase(&workspace, &subject, reach, &draft)
        })?
    };
    shared.work.settle_blocking()?;
    let seen = if erased == planned { last } else { 0 };
    let (late, _) = shared.work.forget(workspace, &erased, seen)?;
    forgotten = forgotten.and(late);
    shared.forget_index()?;
    counts.rejects = forgotten.rejects;
    counts.messages = forgotten.messages;
    counts.waiting = forgotten.waiting;
    let erased = Erased { recorded, counts };
    shared.work.note_erasure(
        workspace,
        &erased,
        draft.subject.key(&workspace.secrets.address_keys),
    );
    shared.empty_logs();
    Ok(erased)
}

impl ErasureCounts {
    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            addresses: self.addresses + other.addresses,
            unlinked: self.unlinked + other.unlinked,
            events: self.events + other.events,
            rejects: self.rejects + other.rejects,
            messages: self.messages + other.messages,
            waiting: self.waiting + other.waiting,
        }
    }
}
