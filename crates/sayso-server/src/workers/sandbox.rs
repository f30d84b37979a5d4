//! The provider `sandbox`: simulated phones inside this server, in memory.
//!
//! It behaves as a phone is told to: it delivers, fails, answers nothing, or asks for patience, at once
//! or after a while. Nothing leaves the server.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sayso_core::address::AddressKey;
use sayso_core::channel::Channel;
use sayso_core::id::{MessageId, SenderId, WorkspaceId};
use sayso_core::limits;
use sayso_core::message::MessageState;
use sayso_core::time::{Span, Timestamp};
use sayso_store::message::{HandOverEnd, MessageName, MessageReport, Payload};

/// The simulated phones.
#[derive(Debug, Default)]
pub(crate) struct Sandbox(Mutex<HashMap<(WorkspaceId, AddressKey), Phone>>);

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

impl Sandbox {
    fn phones(&self) -> MutexGuard<'_, HashMap<(WorkspaceId, AddressKey), Phone>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone as it is.
    pub(crate) fn phone(&self, workspace: WorkspaceId, key: AddressKey) -> Phone {
        self.phones().get(&(workspace, key)).cloned().unwrap_or_default()
    }

    /// Tells a phone how to behave; not if there are as many as may be.
    pub(crate) fn tell(
        &self,
        (workspace, key): (WorkspaceId, AddressKey),
        behavior: Behavior,
        delay: Duration,
    ) -> bool {
        let mut phones = self.phones();
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
        let behavior = phones.get(&place).map_or(Behavior::Delivers, |phone| phone.behavior);
        match behavior {
            Behavior::Delivers => {
                let reports =
                    vec![report(MessageState::Sent, None), report(MessageState::Delivered, None)];
                let taken = Taken { end: accepted(), reports };
                if phones.len() < limits::SANDBOX_PHONES_MAX || phones.contains_key(&place) {
                    let messages = &mut phones.entry(place).or_default().messages;
                    if messages.len() == limits::SANDBOX_MESSAGES_MAX {
                        messages.pop_front();
                    }
                    messages.push_back(arrived);
                }
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
