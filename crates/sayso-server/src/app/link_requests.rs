//! Those who asked for the link of an address and wait for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sayso_core::address::{Address, AddressKind};
use sayso_core::id::WorkspaceId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion};
use sayso_core::workspace::Workspace;
use sayso_pages::personal::request::LinkRequest as Page;
use tokio::sync::Notify;

use crate::personal_links::PREFERENCES_URL;
use crate::problem::{Code, Problem};
use crate::rate::Network;

/// Seconds after which somebody is asked to come back where too many wait.
const COME_BACK_SECONDS: u64 = 10;

/// Somebody wants the link of an address.
#[derive(Debug)]
pub(crate) struct AskedLink {
    /// The workspace whose link it is.
    pub(crate) workspace: WorkspaceId,
    /// The address that it is about, and goes to.
    pub(crate) address: Address,
    /// The subject of an email that brings it.
    pub(crate) subject: Box<str>,
    /// The words with the link in them.
    pub(crate) text: Box<str>,
    /// The word that another address of the person answered, where the link carries one: it is another
    /// message.
    pub(crate) answered: Box<str>,
    /// The network that asked.
    pub(crate) network: Network,
    pub(crate) goes: Goes,
}

/// Where a link goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    /// To the address that it is about, and nowhere else.
    There,
    /// To an email address of the same person, where one was heard from: a text message costs money, and from
    /// there the person can have one sent to the phone as well.
    ByEmailFirst,
}

impl AskedLink {
    /// The link of an address, as this page says that it is sent.
    pub(crate) fn of(
        workspace: WorkspaceId,
        address: Address,
        network: Network,
        page: &Page<'_>,
    ) -> Self {
        Self {
            workspace,
            address,
            subject: page.subject().into(),
            text: page.message(PREFERENCES_URL).into(),
            answered: page.answered.unwrap_or_default().into(),
            network,
            goes: Goes::There,
        }
    }

    /// The same for somebody who typed a number: by email, where that reaches them too.
    pub(crate) fn by_email_first(self) -> Self {
        Self { goes: Goes::ByEmailFirst, ..self }
    }
}

/// Those who wait.
#[derive(Debug, Default)]
pub(crate) struct LinkRequests {
    waiting: Mutex<VecDeque<AskedLink>>,
    bell: Notify,
}

impl LinkRequests {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<AskedLink>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has a link sent, where that may be. What keeps it from going is told to nobody.
    ///
    /// # Errors
    /// [`Code::Busy`] where too many wait.
    pub(crate) fn put(&self, asked: AskedLink) -> Result<(), Problem> {
        let mut waiting = self.waiting();
        if waiting.len() >= limits::LINK_REQUESTS_WAITING_MAX {
            return Err(Problem::new(Code::Busy).retry_after_seconds(COME_BACK_SECONDS));
        }
        waiting.push_back(asked);
        drop(waiting);
        self.bell.notify_one();
        Ok(())
    }

    /// Whoever waits longest.
    pub(crate) fn next(&self) -> Option<AskedLink> {
        self.waiting().pop_front()
    }

    /// Waits until somebody asks.
    pub(crate) async fn is_asked(&self) {
        self.bell.notified().await;
    }
}

/// The senders by which it may go, one for each channel: those that are connected.
pub(crate) fn routes(workspace: &Workspace, to: &Address, now: Timestamp) -> Vec<Message> {
    let reaching =
        Channel::ALL.iter().copied().filter(|channel| AddressKind::on(*channel) == to.kind());
    let route = |channel| {
        workspace.connected_senders(channel).next().map(|sender| Message {
            sender: Some(sender),
            content: Content::FreeForm,
            occasion: Occasion::Requested(now),
            ..Message::ordinary(channel, Category::Authentication)
        })
    };
    reaching.filter_map(route).take(limits::MESSAGE_ROUTES_MAX).collect()
}
