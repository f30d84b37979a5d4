//! Which state of a configuration a change was planned on, and whether it may still be applied.
//!
//! A handler reads a configuration, plans a change on it and hands both to the store, which applies the
//! change only if nobody changed the configuration meanwhile. So nobody's work is written over unseen: two
//! texts never share a version, and what was deleted stays deleted.
//!
//! What providers and people's messages tell (how a sender stands, which templates are allowed, what is
//! held together) rests on no plan. It moves no revision and waits for none; where one word of it excludes
//! another, that is judged by itself.

use std::sync::Arc;

use sayso_core::id::{ImportId, WorkspaceId};
use sayso_core::limits;

use super::{Change, Configuration, HeldRefusals};
use crate::Store;
use crate::store::StoreError;

/// A state of a workspace's configuration: how many planned changes it took in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(u64);

/// What became of a change.
#[derive(Clone, Debug)]
pub enum Configured {
    /// It is applied, and durable; this is the configuration with it.
    Changed(Arc<Configuration>),
    /// Somebody changed the configuration first: nothing was applied. This is how it is now; plan again.
    Moved(Arc<Configuration>),
}

/// What a plan comes to, and what it answers.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once for each request, and taken apart at once"
)]
pub enum Plan<T> {
    /// All is as it should be.
    Stands(T),
    /// This is to be changed.
    Changes(Change, T),
}

impl Revision {
    /// The state after one more planned change.
    pub(super) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Configured {
    /// The configuration, if the change was applied.
    pub fn changed(self) -> Option<Arc<Configuration>> {
        match self {
            Self::Changed(configuration) => Some(configuration),
            Self::Moved(_) => None,
        }
    }
}

impl Change {
    /// Whether it rests on what somebody read of the configuration. The others are told, not planned.
    pub const fn is_planned(&self) -> bool {
        match self {
            Self::Settings(_)
            | Self::Sender(..)
            | Self::Connection(..)
            | Self::Topic(..)
            | Self::Rule(..)
            | Self::NoticeName(..)
            | Self::Notice(_)
            | Self::Site(..)
            | Self::EntryPoint(..)
            | Self::Key(..)
            | Self::LinkKey(_)
            | Self::Form(..) => true,
            Self::UndoImport(_)
            | Self::SenderSignal(..)
            | Self::Template(..)
            | Self::HeldRefusals(..) => false,
        }
    }
}

impl Configuration {
    /// Whether a change that was planned on `expected` may be applied to this.
    pub fn admits(&self, expected: Revision, change: &Change) -> bool {
        match change {
            Change::UndoImport(id) => !self.is_confirmed(*id),
            Change::HeldRefusals(id, held) => self.admits_group(*id, held),
            Change::SenderSignal(..) | Change::Template(..) => true,
            Change::Settings(_)
            | Change::Sender(..)
            | Change::Connection(..)
            | Change::Topic(..)
            | Change::Rule(..)
            | Change::NoticeName(..)
            | Change::Notice(_)
            | Change::Site(..)
            | Change::EntryPoint(..)
            | Change::Key(..)
            | Change::LinkKey(_)
            | Change::Form(..) => expected == self.revision,
        }
    }

    /// Whether somebody decided what the refusals of this group are. It takes in no more of them.
    pub fn is_decided(&self, group: ImportId) -> bool {
        let is_group = self.held_refusals.contains_key(&group);
        is_group && (self.undone_imports.contains(&group) || self.is_confirmed(group))
    }

    fn is_confirmed(&self, group: ImportId) -> bool {
        self.held_refusals.get(&group).is_some_and(|held| held.confirmed_at.is_some())
    }

    /// A group is decided once, and of one sender and day, or one site and hour, one group is open.
    fn admits_group(&self, id: ImportId, held: &HeldRefusals) -> bool {
        if self.held_refusals.contains_key(&id) {
            return !self.is_decided(id);
        }
        held.confirmed_at.is_some() || self.open_group(&held.of, held.since).is_none()
    }
}

/// Applies what a plan makes of the configuration, and plans again where somebody changed it meanwhile.
/// Answers with the configuration that the plan stands in.
///
/// # Errors
/// The plan's and the store's; [`StoreError::Busy`] after [`limits::CONFIGURE_TRIES_MAX`] tries.
pub async fn revise<T, E: From<StoreError>>(
    store: &dyn Store,
    workspace: WorkspaceId,
    mut plan: impl FnMut(&Configuration) -> Result<Plan<T>, E>,
) -> Result<(Arc<Configuration>, T), E> {
    let known = store.configurations().get(&workspace).cloned();
    let mut known = known.ok_or(StoreError::NoWorkspace)?;
    for _ in 0..limits::CONFIGURE_TRIES_MAX {
        let (change, answer) = match plan(&known)? {
            Plan::Stands(answer) => return Ok((known, answer)),
            Plan::Changes(change, answer) => (change, answer),
        };
        match store.configure(workspace, known.revision, change).await? {
            Configured::Changed(now) => return Ok((now, answer)),
            Configured::Moved(now) => known = now,
        }
    }
    Err(StoreError::Busy.into())
}

/// Applies a change that rests on nothing: for whoever sets a store up.
///
/// # Errors
/// The store's.
pub async fn configure_now(
    store: &dyn Store,
    workspace: WorkspaceId,
    change: Change,
) -> Result<Arc<Configuration>, StoreError> {
    let applied = revise(store, workspace, |_| Ok(Plan::Changes(change.clone(), ())));
    applied.await.map(|(configuration, ())| configuration)
}
