//! The provider `sandbox`: simulated phones inside this server, in memory.
//!
//! It behaves as a phone is told to: it delivers, fails, answers nothing, or asks for patience, at once
//! or after a while. Nothing leaves the server.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sayso_core::address::AddressKey;
use sayso_core::gate::message::MessageState;
use sayso_core::id::{MessageId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::Channel;
use sayso_store::message::{HandOverEnd, MessageName, MessageReport, Payload};

/// The simulated phones.
#[derive(Debug, Default)]
pub(crate) struct Sandbox(Mutex<Phones>);

/// Whose a phone is.
type Place = (WorkspaceId, AddressKey);

#[derive(Debug, Default)]
struct Phones {
    known: HashMap<Place, Phone>,
    /// Every message that is kept, the oldest first; some went from their phones already.
    arrivals: VecDeque<(Place, MessageId)>,
    /// How many are kept, and what they take.
    messages: usize,
    bytes: usize,
}

/// One simulated phone, or mailbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phone {
    /// What becomes of messages to it.
    pub(crate) behavior: Behavior,
    /// How long the hand-over of a message to it takes.
    pub(crate) delay: Duration,
    /// What arrived, the oldest first.
    pub(crate) messages: VecDeque<Arrived>,
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// Its id.
    pub(crate) id: MessageId,
    /// The channel it came by.
    pub(crate) channel: Channel,
    /// Who sent it.
    pub(crate) sender: Option<SenderId>,
    /// What it says.
    pub(crate) payload: Payload,
    /// When it arrived.
    pub(crate) at: Timestamp,
}

/// What becomes of messages to a phone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// They arrive, and that is reported.
    #[default]
    Delivers,
    /// They are taken, and it is reported that they did not arrive.
    Loses,
    /// They are refused.
    Refuses,
    /// There is no answer.
    Silent,
    /// They are not taken now.
    Busy,
}

impl Behavior {
    /// All of them.
    const ALL: [Self; 5] = [Self::Delivers, Self::Loses, Self::Refuses, Self::Silent, Self::Busy];

    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivers => "delivers",
            Self::Loses => "loses",
            Self::Refuses => "refuses",
            Self::Silent => "silent",
            Self::Busy => "busy",
        }
    }

    /// Parses the word.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let known = Self::ALL.into_iter().find(|behavior| behavior.as_str() == text);
        known.ok_or("is none of delivers, loses, refuses, silent, busy")
    }
}

/// What the sandbox made of a message: how its hand-over ends, and what is reported afterwards.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) end: HandOverEnd,
    pub(crate) reports: Vec<MessageReport>,
}

/// How long a busy phone asks to wait.
const BUSY: Span = Span::seconds(1);

impl Phones {
    /// Keeps a message; the oldest of its phone goes for it, and the oldest of all.
    fn keep(&mut self, place: Place, arrived: Arrived) {
        if self.known.len() >= limits::SANDBOX_PHONES_MAX && !self.known.contains_key(&place) {
            return;
        }
        self.count_in(&arrived);
        self.arrivals.push_back((place, arrived.id));
        let messages = &mut self.known.entry(place).or_default().messages;
        let is_full = messages.len() == limits::SANDBOX_MESSAGES_MAX;
        let oldest = if is_full { messages.pop_front() } else { None };
        messages.push_back(arrived);
        self.count_out(oldest);
        while self.bytes > limits::SANDBOX_BYTES_MAX {
            let Some((place, id)) = self.arrivals.pop_front() else { return };
            let messages = self.known.get_mut(&place).map(|phone| &mut phone.messages);
            let oldest = messages.and_then(|messages| messages.pop_front_if(|it| it.id == id));
            self.count_out(oldest);
        }
        self.forget_gone();
    }

    fn count_in(&mut self, arrived: &Arrived) {
        self.messages += 1;
        self.bytes += arrived.bytes();
    }

    fn count_out(&mut self, gone: Option<Arrived>) {
        if let Some(gone) = gone {
            self.messages -= 1;
            self.bytes -= gone.bytes();
        }
    }

    /// Forgets arrivals that went from their phones, once they are most.
    fn forget_gone(&mut self) {
        let Self { known, arrivals, .. } = self;
        if arrivals.len() < self.messages * 2 + limits::SANDBOX_MESSAGES_MAX {
            return;
        }
        arrivals.retain(|(place, id)| {
            known.get(place).is_some_and(|phone| phone.messages.iter().any(|it| it.id == *id))
        });
    }
}

impl Arrived {
    /// What it takes in memory, about.
    fn bytes(&self) -> usize {
        let words = match &self.payload {
            Payload::Text(text) => text.len(),
            Payload::Email { subject, text } => subject.len() + text.len(),
            Payload::Template { name, language, variables } => {
                let language = language.as_ref().map_or(0, |language| language.len());
                let variables = variables.iter().map(|it| it.len() + size_of::<Box<str>>());
                name.len() + language + variables.sum::<usize>()
            }
            Payload::Question { text, yes, no } => text.len() + yes.len() + no.len(),
        };
        words + size_of::<Self>() + size_of::<(Place, MessageId)>()
    }
}

impl Sandbox {
    fn phones(&self) -> MutexGuard<'_, Phones> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone as it is.
    pub(crate) fn phone(&self, workspace: WorkspaceId, key: AddressKey) -> Phone {
        self.phones().known.get(&(workspace, key)).cloned().unwrap_or_default()
    }

    /// Tells a phone how to behave; not if there are as many as may be.
    pub(crate) fn tell(
        &self,
        (workspace, key): (WorkspaceId, AddressKey),
        behavior: Behavior,
        delay: Duration,
    ) -> bool {
        let phones = &mut self.phones().known;
        let has_room = phones.len() < limits::SANDBOX_PHONES_MAX;
        if has_room || phones.contains_key(&(workspace, key)) {
            let phone = phones.entry((workspace, key)).or_default();
            (phone.behavior, phone.delay) = (behavior, delay);
            return true;
        }
        false
    }

    /// Takes a message, once its delay is over.
    pub(crate) fn take(&self, place: (WorkspaceId, AddressKey), arrived: Arrived) -> Taken {
        let provider_id: Box<str> = format!("sandbox-{}", arrived.id).into();
        let report = |state, failure: Option<&str>| MessageReport {
            message: MessageName::Provider(provider_id.clone()),
            state,
            at: arrived.at,
            failure: failure.map(Box::from),
        };
        let accepted = || HandOverEnd::Accepted { provider_id: Some(provider_id.clone()) };
        let mut phones = self.phones();
        let behavior = phones.known.get(&place).map_or(Behavior::Delivers, |phone| phone.behavior);
        match behavior {
            Behavior::Delivers => {
                let reports =
                    vec![report(MessageState::Sent, None), report(MessageState::Delivered, None)];
                let taken = Taken { end: accepted(), reports };
                phones.keep(place, arrived);
                taken
            }
            Behavior::Loses => {
                let reports = vec![
                    report(MessageState::Sent, None),
                    report(MessageState::Failed, Some("sandbox-lost")),
                ];
                Taken { end: accepted(), reports }
            }
            Behavior::Refuses => Taken {
                end: HandOverEnd::Failed { why: "sandbox-refused".into() },
                reports: Vec::new(),
            },
            Behavior::Silent => {
                Taken { end: HandOverEnd::Unknown { why: "no_answer".into() }, reports: Vec::new() }
            }
            Behavior::Busy => Taken {
                end: HandOverEnd::Requeued { due_at: arrived.at.plus(BUSY) },
                reports: Vec::new(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(number: u32) -> Place {
        let mut key = [0; 16];
        key[..4].copy_from_slice(&number.to_be_bytes());
        (WorkspaceId::from_bytes([1; 16]), AddressKey::from_bytes(key))
    }

    fn arrived(number: u32, bytes: usize) -> Arrived {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&number.to_be_bytes());
        Arrived {
            id: MessageId::from_bytes(id),
            channel: Channel::Sms,
            sender: None,
            payload: Payload::Text("x".repeat(bytes).into()),
            at: Timestamp::from_micros(0),
        }
    }

    #[test]
    fn the_messages_of_all_phones_take_a_bounded_number_of_bytes_and_the_oldest_go() {
        let mut phones = Phones::default();
        let each = limits::SANDBOX_BYTES_MAX / 64;
        for number in 0..200 {
            phones.keep(place(number), arrived(number, each));
            assert!(phones.bytes <= limits::SANDBOX_BYTES_MAX);
        }
        let has = |number| !phones.known[&place(number)].messages.is_empty();
        assert!(has(199) && has(140) && !has(0) && !has(130));
        let kept: usize = phones.known.values().map(|it| it.messages.len()).sum();
        assert_eq!(phones.messages, kept);
    }

    #[test]
    fn a_phone_that_gets_everything_keeps_its_last_and_nothing_else_grows() {
        let mut phones = Phones::default();
        for number in 0..10_000 {
            phones.keep(place(7), arrived(number, 10));
        }
        assert_eq!(phones.messages, limits::SANDBOX_MESSAGES_MAX);
        assert!(phones.arrivals.len() <= limits::SANDBOX_MESSAGES_MAX * 3);
    }
}
