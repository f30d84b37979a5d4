//! The message that is asked about: sender, topic, category, and whether it needs an opt-in.

use sayso_core::gate::decision::{RequireOptIn, Requirement};
use sayso_core::id::SenderId;
use sayso_core::policy::settings::Settings;
use sayso_core::words::channel::{Category, Channel, Content, Message, Occasion};
use sayso_core::workspace::{KeyScope, Workspace};
use sayso_store::store::Question;

use crate::body::Faults;
use crate::body::texts::{
    CategoryText, ChannelText, SenderIdText, TimeText, TopicIdText, ZoneText,
};
use crate::problem::{Code, Problem};

/// The fields that describe a message.
#[derive(Debug)]
pub(crate) struct MessageFields {
    /// The channel.
    pub(crate) channel: Option<ChannelText>,
    /// Who sends it.
    pub(crate) sender: Option<SenderIdText>,
    /// What it is about.
    pub(crate) topic: Option<TopicIdText>,
    /// What it is for.
    pub(crate) category: Option<CategoryText>,
    /// Whether it needs an opt-in.
    pub(crate) require_opt_in: Option<bool>,
    /// When the person asked for it.
    pub(crate) requested_at: Option<TimeText>,
    /// Whether its words were approved.
    pub(crate) template: Option<bool>,
    /// Where the people are.
    pub(crate) time_zone: Option<ZoneText>,
}

impl MessageFields {
    /// The question, unless something is wrong, which is noted.
    pub(crate) fn settle(
        self,
        workspace: &Workspace,
        settings: &Settings,
        faults: &mut Faults,
    ) -> Option<Question> {
        let channel = self.channel.as_ref().map(|ChannelText(channel)| *channel);
        let channel = faults.require("/channel", channel, "sms")?;
        let sender = self.sender(channel, workspace, faults);
        let category = self.category(workspace, faults);
        let ordinary = Message::ordinary(channel, category);
        let content = match self.template {
            None => ordinary.content,
            Some(true) => Content::Template,
            Some(false) => Content::FreeForm,
        };
        let message = Message {
            sender,
            topic: self.topic.as_ref().map(|TopicIdText(topic)| *topic),
            content,
            occasion: self.occasion(category, faults),
            ..ordinary
        };
        let requirement = self.require_opt_in(category, faults).requirement(category, settings);
        let zone = self.time_zone.map(|ZoneText(zone)| zone);
        Some(Question { message, requirement, zone })
    }

    /// The sender: the one named, or the only one there is.
    fn sender(
        &self,
        channel: Channel,
        workspace: &Workspace,
        faults: &mut Faults,
    ) -> Option<SenderId> {
        let living = || workspace.living_senders(channel);
        match &self.sender {
            Some(SenderIdText(id)) if living().any(|living| living == *id) => Some(*id),
            Some(_) => {
                faults.note("/sender", Code::UnknownSender, "is no living sender of this channel");
                None
            }
            None => {
                let usual = workspace.usual_sender(channel);
                if usual.is_none()
                    && let Some(example) = living().next()
                    && !faults.is_wrong_at(&["/sender"])
                {
                    let fault = "is missing, and the channel has several senders: send it, or name one in `default_senders` of the settings";
                    let example = example.to_string();
                    faults.note_with_example("/sender", Code::SenderRequired, fault, example);
                }
                usual
            }
        }
    }

    /// The category: the topic's own, or the one named, or marketing (rule 25).
    fn category(&self, workspace: &Workspace, faults: &mut Faults) -> Category {
        let named = self.category.as_ref().map(|CategoryText(category)| *category);
        let Some(TopicIdText(id)) = &self.topic else {
            return named.unwrap_or(Category::Marketing);
        };
        let Some(topic) = workspace.topics.get(id).filter(|topic| topic.deleted_at.is_none())
        else {
            faults.note("/topic", Code::UnknownTopic, "is no living topic");
            return named.unwrap_or(Category::Marketing);
        };
        if named.is_some_and(|named| named != topic.category) {
            let fault = format!("is not the topic's, which is {}", topic.category);
            faults.note_with_example(
                "/category",
                Code::CategoryConflict,
                fault,
                topic.category.as_str(),
            );
        }
        topic.category
    }

    fn occasion(&self, category: Category, faults: &mut Faults) -> Occasion {
        match &self.requested_at {
            None => Occasion::Ordinary,
            Some(TimeText(at)) if category == Category::Authentication => Occasion::Requested(*at),
            Some(_) => {
                faults.note(
                    "/requested_at",
                    Code::InvalidValue,
                    "goes with the category authentication only",
                );
                Occasion::Ordinary
            }
        }
    }

    fn require_opt_in(&self, category: Category, faults: &mut Faults) -> RequireOptIn {
        match (self.require_opt_in, Requirement::waived(category)) {
            (None, _) => RequireOptIn::AsSettings,
            (Some(true), _) => RequireOptIn::Said(Requirement::OptIn),
            (Some(false), Some(waived)) => RequireOptIn::Said(waived),
            (Some(false), None) => {
                let fault = "cannot be false for marketing";
                faults.note("/require_opt_in", Code::ExemptionForMarketing, fault);
                RequireOptIn::Said(Requirement::OptIn)
            }
        }
    }
}

/// Refuses a waiver that the caller's key does not allow; the workspace's own setting needs none.
pub(crate) fn require_exemption(
    question: &Question,
    settings: &Settings,
    scopes: &[KeyScope],
) -> Result<(), Problem> {
    let waived = question.requirement != Requirement::OptIn;
    if waived && settings.require_opt_in && !scopes.contains(&KeyScope::SendExempt) {
        return Err(Problem::new(Code::ExemptionNotAllowed));
    }
    Ok(())
}
