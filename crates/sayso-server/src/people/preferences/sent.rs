//! What a form of the preference centre says: pure, given what came back.
//!
//! A box is named by its channel and scope, `sms/topic:top_…`. The page says of each box it showed whether
//! it was ticked, so only a difference is a statement: a box that was ticked and is not is a refusal, and
//! the other way round a yes. A box that the page did not show says nothing.

use std::collections::BTreeSet;

use sayso_core::state::guard::Guard;
use sayso_core::state::guard::refused_since;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Channel, Permission, Scope};
use sayso_core::words::notice::Notice;
use sayso_core::workspace::Workspace;
use sayso_pages::personal::preferences::{SHOWN, SHOWN_AT, TICKED};

use super::offers::notice_named;
use crate::people::visitor::Fields;
use sayso_plan::judging::message_for;

/// What was changed on a page.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// What was unticked.
    pub(super) refused: Vec<Permission>,
    /// What was ticked, with the name of the words beside it.
    pub(super) agreed: Vec<(Permission, String)>,
    /// When the page was made.
    shown_at: Option<Timestamp>,
}

impl Changes {
    /// The differences between what a page showed and what came back.
    pub(super) fn read(fields: &Fields) -> Self {
        let ticked: BTreeSet<&str> = fields.all(TICKED).collect();
        let shown_at = fields.find(SHOWN_AT).and_then(|text| Timestamp::parse(text).ok());
        let mut changes = Self { shown_at, ..Self::default() };
        for shown in fields.all(SHOWN) {
            let mut parts = shown.split(' ');
            let (name, state) = (parts.next().unwrap_or_default(), parts.next());
            let Some(permission) = permission(name) else { continue };
            match (state, ticked.contains(name)) {
                (Some("on"), false) => changes.refused.push(permission),
                (Some("off"), true) => {
                    let words = parts.next().unwrap_or_default().to_owned();
                    changes.agreed.push((permission, words));
                }
                (Some(_) | None, _) => {}
            }
        }
        changes
    }

    /// The words of a yes, if they are published and name it, what it is for still exists, and nothing
    /// was refused since the page was made.
    pub(super) fn words_of<'a>(
        &self,
        (permission, words): &(Permission, String),
        workspace: &'a Workspace,
        registers: &Registers,
    ) -> Option<&'a Notice> {
        let Permission::Messages(_, scope) = *permission else { return None };
        let shown_at = self.shown_at?;
        let message = message_for(*permission, workspace);
        let is_stale = refused_since(registers, &message, scope, shown_at);
        let notice = notice_named(words, workspace)?;
        let is_named = workspace.is_named(notice, *permission);
        (is_named && !is_stale && workspace.is_living(scope)).then_some(notice)
    }
}

impl Changes {
    /// What must still hold when a yes is written: nothing was refused since the page was made.
    pub(super) fn guard(&self, permission: Permission, workspace: &Workspace) -> Guard {
        let shown_at = self.shown_at.unwrap_or(Timestamp::DISTANT_PAST);
        Guard::NotRefusedSince(message_for(permission, workspace), shown_at)
    }
}

/// How a form names a box.
pub(super) fn name_of(channel: Channel, scope: Scope) -> String {
    format!("{channel}/{scope}")
}

fn permission(name: &str) -> Option<Permission> {
    let (channel, scope) = name.split_once('/')?;
    let (channel, scope) = (Channel::parse(channel).ok()?, Scope::parse(scope).ok()?);
    Some(Permission::Messages(channel, scope))
}
