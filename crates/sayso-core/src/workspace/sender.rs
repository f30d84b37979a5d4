//! A sender: the business side of a conversation, on one channel.

use crate::id::{ConnectionId, SenderId};
use crate::time::Timestamp;
use crate::words::channel::Channel;
use crate::words::notice::NoticeRef;

use super::Workspace;

/// The business side on one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The channel.
    pub channel: Channel,
    /// How operators call it.
    pub name: Box<str>,
    /// The number, short code or mail domain people see.
    pub address: Box<str>,
    /// The account its messages go by; without one it sends none.
    pub connection: Option<ConnectionId>,
    /// What it asks of a person who writes to it for the first time, if it asks.
    pub question: Option<OptInQuestion>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// What a sender asks of a person who writes to it for the first time (rule 18). A yes gives what the
/// notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptInQuestion {
    /// The words, which show the notice.
    pub text: Box<str>,
    /// The words of a yes: on a button where the channel has them.
    pub yes: Box<str>,
    /// The words of a no.
    pub no: Box<str>,
    /// What is answered to a yes; absent means nothing.
    pub thanks: Option<Box<str>>,
    /// What the person agrees to.
    pub notice: NoticeRef,
}

impl Workspace {
    /// The living senders on a channel.
    pub fn living_senders(&self, channel: Channel) -> impl Iterator<Item = SenderId> {
        self.senders
            .iter()
            .filter(move |(_, sender)| sender.channel == channel && sender.deleted_at.is_none())
            .map(|(id, _)| *id)
    }

    /// The living senders on a channel that have a living connection.
    pub fn connected_senders(&self, channel: Channel) -> impl Iterator<Item = SenderId> {
        self.living_senders(channel).filter(|id| {
            let sender = self.senders.get(id);
            let connection = sender.and_then(|sender| sender.connection);
            let connection = connection.and_then(|id| self.connections.get(&id));
            connection.is_some_and(|connection| connection.deleted_at.is_none())
        })
    }

    /// The one living sender on a channel, where there is exactly one.
    pub fn only_sender(&self, channel: Channel) -> Option<SenderId> {
        let mut living = self.living_senders(channel);
        living.next().filter(|_| living.next().is_none())
    }

    /// Who sends what names no sender: the default one of the settings while it lives, else the only one.
    pub fn usual_sender(&self, channel: Channel) -> Option<SenderId> {
        let named = self.settings.latest().and_then(|it| it.default_senders.get(&channel));
        let living = named.filter(|named| self.living_senders(channel).any(|id| id == **named));
        living.copied().or_else(|| self.only_sender(channel))
    }
}
