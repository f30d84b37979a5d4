//! Blocks that outrank consent (rule 12).

use std::collections::BTreeMap;

use crate::id::SenderId;
use crate::state::register::{Mark, lifts};
use crate::words::channel::{Category, Channel, Message, words};

/// Which way a suppression was switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switched {
    /// Set.
    On,
    /// Cleared.
    Off,
}

words! {
    /// The kinds of block, each with its own way to be lifted.
    Suppression {
        /// The person complained to their provider.
        Complaint = "complaint", 1;
        /// The person was erased; the key stays, so that an old list reaches nobody.
        Erased = "erased", 2;
        /// The address does not exist.
        Invalid = "invalid", 3;
        /// The number belongs to somebody else now.
        Reassigned = "reassigned", 4;
        /// An operator blocked it.
        Operator = "operator", 5;
        /// The platform blocks it: WhatsApp's marketing stop, a carrier's stop list.
        Provider = "provider", 6;
    }
}

/// What a suppression blocks; an absent part means all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cover {
    /// One channel.
    pub channel: Option<Channel>,
    /// One sender.
    pub sender: Option<SenderId>,
    /// One category.
    pub category: Option<Category>,
}

impl Cover {
    /// Whether the message falls under it. A message without a sender falls under every sender's
    /// block: in doubt it is blocked.
    pub fn covers(&self, message: &Message) -> bool {
        self.channel.is_none_or(|channel| channel == message.channel)
            && self.category.is_none_or(|category| category == message.category)
            && match (self.sender, message.sender) {
                (None, _) | (Some(_), None) => true,
                (Some(blocked), Some(sender)) => blocked == sender,
            }
    }
}

/// The latest setting and clearing of one suppression.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switch {
    /// When it was last set.
    pub on: Option<Mark>,
    /// When it was last cleared.
    pub off: Option<Mark>,
}

impl Switch {
    /// The setting, unless a clearing is later.
    pub fn standing(&self) -> Option<&Mark> {
        self.on.as_ref().filter(|on| self.off.is_none_or(|off| !lifts(&off, on)))
    }
}

/// All suppressions of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions(BTreeMap<(Suppression, Cover), Switch>);

impl Suppressions {
    /// Takes in one setting or clearing.
    pub fn join(&mut self, suppression: Suppression, cover: Cover, switched: Switched, mark: Mark) {
        let switch = self.0.entry((suppression, cover)).or_default();
        let side = match switched {
            Switched::On => &mut switch.on,
            Switched::Off => &mut switch.off,
        };
        *side = (*side).max(Some(mark));
    }

    /// Takes in all that another set holds.
    pub fn merge(&mut self, other: &Self) {
        for ((suppression, cover), switch) in &other.0 {
            let ours = self.0.entry((*suppression, *cover)).or_default();
            ours.on = ours.on.max(switch.on);
            ours.off = ours.off.max(switch.off);
        }
    }

    /// The switch of one suppression.
    pub fn switch(&self, suppression: Suppression, cover: Cover) -> Option<&Switch> {
        self.0.get(&(suppression, cover))
    }

    /// Each suppression with its switch.
    pub fn iter(&self) -> impl Iterator<Item = (Suppression, Cover, &Switch)> {
        self.0.iter().map(|((suppression, cover), switch)| (*suppression, *cover, switch))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
