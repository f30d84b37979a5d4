//! Random histories and questions over a small world, so that collisions and ties are common: two
//! channels, two senders, two topics in different categories, two sites, twelve half days.

use proptest::collection::vec;
use proptest::option::weighted as maybe;
use proptest::prelude::*;
use proptest::sample::select;

use sayso_core::gate::decision::{Circumstances, Requirement, SenderState};
use sayso_core::policy::settings::{ChannelDefault, Settings};
use sayso_core::state::suppression::Switched;
use sayso_core::state::suppression::{Cover, Suppression};
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::{
    Category, Channel, Content, Message, Occasion, Permission, Scope,
};
use sayso_core::words::event::{ConsentEvent, Fact};
use sayso_core::words::source::{Actor, Road};
use sayso_core::words::statement::{Level, Statement};

use super::language::{
    IMPORT, KEY, PROFILE_A, SENDER_R, SENDER_S, TOPIC_ORDERS, TOPIC_T, Telling, day, event,
    retraction_of, source, undoing_of,
};

/// The instant `half_days` after the world began.
pub(crate) const fn instant(half_days: i64) -> Timestamp {
    day(1).plus(Span::hours(12 * half_days))
}

/// When things happen.
fn past() -> impl Strategy<Value = Timestamp> + Clone {
    (0_i64..12).prop_map(instant)
}

/// When things end and questions are asked.
pub(crate) fn anytime() -> impl Strategy<Value = Timestamp> + Clone {
    (0_i64..28).prop_map(instant)
}

fn channel() -> impl Strategy<Value = Channel> + Clone {
    prop_oneof![4 => Just(Channel::Sms), 1 => Just(Channel::WhatsApp)]
}

fn scope() -> impl Strategy<Value = Scope> + Clone {
    prop_oneof![
        5 => Just(Scope::All),
        3 => Just(Scope::Sender(SENDER_S)),
        1 => Just(Scope::Sender(SENDER_R)),
        2 => Just(Scope::Category(Category::Marketing)),
        1 => Just(Scope::Category(Category::Utility)),
        3 => Just(Scope::Topic(TOPIC_T)),
        1 => Just(Scope::Topic(TOPIC_ORDERS)),
    ]
}

fn permission() -> impl Strategy<Value = Permission> + Clone {
    prop_oneof![
        9 => (channel(), scope()).prop_map(|(channel, scope)| Permission::Messages(channel, scope)),
        1 => Just(Permission::Processing),
    ]
}

pub(crate) fn statement() -> impl Strategy<Value = Statement> + Clone {
    prop_oneof![
        3 => Just(Statement::OptOut),
        1 => Just(Statement::Hold),
        2 => Just(Statement::Pending),
        2 => Just(Statement::Start),
        2 => Just(Statement::Single),
        1 => Just(Statement::Confirmed),
        2 => anytime().prop_map(Statement::Term),
        2 => anytime().prop_map(Statement::Implied),
        2 => Just(Statement::Yes),
        2 => Just(Statement::No),
    ]
}

/// A link that carried refusals follow from.
fn link() -> ConsentEvent {
    event(Fact::Link(PROFILE_A), 2).from(source(Road::Api, "crm"))
}

/// The roads by which the world's statements come.
fn by_road(said: ConsentEvent, road: u8) -> ConsentEvent {
    match road {
        0..=3 => said,
        4 | 5 => said.from(source(Road::Api, "crm")).by(Actor::Operator),
        6 | 7 => said.from(source(Road::Tag, "site")).by(Actor::System),
        8 => said.in_import(IMPORT).by(Actor::Operator),
        _ => said.from(source(Road::Link, "link")).by(Actor::System).following(link().id),
    }
}

pub(crate) fn consent() -> impl Strategy<Value = ConsentEvent> + Clone {
    (permission(), statement(), past(), 0_u8..10).prop_map(|(permission, statement, at, road)| {
        by_road(event(Fact::Consent(permission, statement), 1).at(at), road)
    })
}

fn suppression() -> impl Strategy<Value = ConsentEvent> + Clone {
    let cover = (
        maybe(0.5, channel()),
        maybe(0.3, select(vec![SENDER_S, SENDER_R])),
        maybe(0.3, select(vec![Category::Marketing, Category::Utility])),
    )
        .prop_map(|(channel, sender, category)| Cover { channel, sender, category });
    let switched = prop_oneof![3 => Just(Switched::On), 1 => Just(Switched::Off)];
    (select(Suppression::ALL), cover, switched, past()).prop_map(|(kind, cover, switched, at)| {
        event(Fact::Suppression(kind, cover, switched), 1).at(at)
    })
}

fn activity() -> impl Strategy<Value = ConsentEvent> + Clone {
    (select(vec![SENDER_S, SENDER_R]), past())
        .prop_map(|(sender, at)| event(Fact::Activity(sender), 1).at(at))
}

/// Every kind of fact but retractions.
pub(crate) fn fact() -> impl Strategy<Value = ConsentEvent> + Clone {
    prop_oneof![
        30 => consent(),
        4 => suppression(),
        3 => activity(),
        1 => Just(link()),
        1 => Just(event(Fact::Attributes(PROFILE_A), 3)),
        1 => past().prop_map(|at| event(Fact::SameAccount(Channel::WhatsApp, KEY), 3).at(at)),
        1 => Just(event(Fact::MovedFrom(KEY), 3)),
        1 => past().prop_map(|at| event(Fact::Erasure, 1).at(at)),
    ]
}

/// The events of one address, in the order in which they came; retractions among them.
pub(crate) fn history() -> impl Strategy<Value = Vec<ConsentEvent>> {
    let retractions = vec(any::<prop::sample::Index>(), 0..3);
    (vec(fact(), 0..9), retractions, 0_u8..8)
        .prop_map(|(mut events, retractions, more)| {
            for at in retractions {
                let named = (!events.is_empty()).then(|| at.get(&events));
                let retraction = named.map(|named| retraction_of(named, 12));
                events.extend(retraction);
            }
            match more {
                0 => events.push(undoing_of(IMPORT, 12)),
                1 => events.push(retraction_of(&link(), 12)),
                _ => {}
            }
            events
        })
        .prop_shuffle()
}

pub(crate) fn occasion(now: Timestamp) -> impl Strategy<Value = Occasion> {
    let around = select(vec![-1_440, -1_439, -11, -10, -5, -1, 0, 1])
        .prop_map(move |minutes| now.plus(Span::minutes(minutes)));
    prop_oneof![
        10 => Just(Occasion::Ordinary),
        1 => around.clone().prop_map(Occasion::Requested),
        1 => around.clone().prop_map(Occasion::RefusalConfirmation),
        1 => Just(Occasion::HelpReply),
        1 => maybe(0.7, around).prop_map(Occasion::OptInQuestion),
    ]
}

pub(crate) fn message(now: Timestamp) -> impl Strategy<Value = Message> {
    let sender = prop_oneof![6 => Just(Some(SENDER_S)), 2 => Just(Some(SENDER_R)), 1 => Just(None)];
    let topic = prop_oneof![
        4 => Just(Some(TOPIC_T)),
        2 => Just(Some(TOPIC_ORDERS)),
        2 => Just(None)
    ];
    let category = prop_oneof![
        4 => Just(Category::Marketing),
        2 => Just(Category::Utility),
        2 => Just(Category::Service),
        1 => Just(Category::Authentication),
    ];
    (channel(), sender, topic, category, select(Content::ALL), occasion(now)).prop_map(
        |(channel, sender, topic, category, content, occasion)| Message {
            channel,
            sender,
            topic,
            category,
            content,
            occasion,
        },
    )
}

/// A message, and all else that the gate's answer depends on.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) message: Message,
    pub(crate) now: Timestamp,
    pub(crate) settings: Settings,
    requirement: Requirement,
    quiet_until: Option<Timestamp>,
    capped_until: Option<Timestamp>,
    sender: SenderState,
}

impl Question {
    pub(crate) fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            now: self.now,
            settings: &self.settings,
            requirement: self.requirement,
            quiet_until: self.quiet_until,
            capped_until: self.capped_until,
            sender: self.sender,
        }
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let default = maybe(
        0.6,
        select(vec![
            ChannelDefault::OptedOut,
            ChannelDefault::OptedIn,
            ChannelDefault::OptedInAcknowledged,
        ]),
    );
    let least = maybe(0.5, select(Level::ALL));
    (default, least).prop_map(|(default, least)| {
        let mut settings = Settings::default();
        for channel in [Channel::Sms, Channel::WhatsApp] {
            settings.defaults.extend(default.map(|it| (channel, it)));
            settings.least_levels.extend(least.map(|it| (channel, it)));
        }
        settings
    })
}

pub(crate) fn question() -> impl Strategy<Value = Question> {
    anytime().prop_flat_map(|now| {
        let until = move || {
            // The last is later than every time: no end is in sight.
            let minutes = vec![Some(-60), Some(0), Some(60), None];
            let at = move |minutes: Option<i64>| {
                minutes.map_or(Timestamp::DISTANT_FUTURE, |it| now.plus(Span::minutes(it)))
            };
            maybe(0.2, select(minutes)).prop_map(move |it| it.map(at))
        };
        let paused = until().prop_map(SenderState::Paused);
        let sender = prop_oneof![9 => Just(SenderState::Sending), 1 => paused];
        (message(now), settings(), any::<bool>(), until(), until(), sender).prop_map(
            move |(message, settings, waive, quiet_until, capped_until, sender)| Question {
                message,
                now,
                settings,
                requirement: Requirement::waived(message.category)
                    .filter(|_| waive)
                    .unwrap_or(Requirement::OptIn),
                quiet_until,
                capped_until,
                sender,
            },
        )
    })
}
