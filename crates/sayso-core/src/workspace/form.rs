//! Web opt-in forms: what a workspace set up, the boxes that a form has, and the words under
//! which they are ticked.
//!
//! A form keeps no words of consent itself: they are a notice's, and the newest version counts that
//! names all that the form asks for. How a form looks is parsed in `sayso-core`; how it is written as
//! HTML is not known here.

use std::collections::BTreeMap;

use crate::address::phone::Region;
use crate::id::{NoticeId, SenderId, TopicId};
use crate::proof::double_opt_in::AnswerBy;
use crate::time::Timestamp;
use crate::words::channel::{Channel, Permission, Scope};
use crate::words::form::{FieldName, Origin, Redirect, Shape, Theme, Trigger};
use crate::words::notice::{Language, Notice};
use crate::words::source::SourceName;

use super::Workspace;

/// A form as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedForm {
    /// How often it was changed, and made: from 1. Every event of the form keeps it.
    pub version: u32,
    /// The form.
    pub form: Form,
}

/// A web opt-in form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// How operators call it; also the name of the source of what people say by it.
    pub name: SourceName,
    /// The business that people agree to hear from, as they know it.
    pub business: Box<str>,
    /// The channels it asks for, in the order shown.
    pub channels: Vec<Channel>,
    /// The sender that the opt-in is for, on its channel; without one any sender. Not with topics.
    pub sender: Option<SenderId>,
    /// What people choose among; without any, one box for each channel.
    pub topics: Vec<TopicId>,
    /// The words of consent.
    pub notice: NoticeId,
    /// The language of who asks for none that the form has.
    pub language: Language,
    /// What it says in each of its languages, its own among them.
    pub texts: BTreeMap<Language, FormTexts>,
    /// What it asks, in order.
    pub fields: Vec<Field>,
    /// How it looks.
    pub theme: Theme,
    /// The origins whose pages may show it.
    pub origins: Vec<Origin>,
    /// Where it leads once it was sent; without it, it says so itself.
    pub redirect: Option<Redirect>,
    /// The sites whose tag shows it, and how: nothing of it stands in their pages.
    pub showings: Vec<Showing>,
    /// What becomes of what is sent.
    pub purpose: FormPurpose,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// How the address confirms what is ticked; where that is absent, what a country pack demands.
    pub double_opt_in: Option<AnswerBy>,
    /// The template that brings the question by WhatsApp.
    pub question_template: Option<QuestionTemplate>,
}

/// The template that brings a double opt-in question: its one variable is the code, or the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuestionTemplate {
    /// Its name at the provider.
    pub name: Box<str>,
    /// Its language in the provider's spelling, if the provider asks for one.
    pub language: Option<Box<str>>,
}

/// How the tag of one site shows a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Showing {
    /// The public key of the site.
    pub site: SourceName,
    /// How it is shown.
    pub shape: Shape,
    /// When it appears.
    pub trigger: Trigger,
}

/// What becomes of what a form is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormPurpose {
    /// It is recorded.
    Live,
    /// It is recorded of the test person, whoever fills it in, and shown.
    Test,
}

/// What a form says in one language. What is absent is said in words of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormTexts {
    /// What stands above it.
    pub title: Option<Box<str>>,
    /// What stands below the title; absent means nothing.
    pub description: Option<Box<str>>,
    /// What stands on the button.
    pub button: Option<Box<str>>,
    /// What is said once it was sent.
    pub confirmation: Option<Box<str>>,
    /// What its own fields are called.
    pub labels: BTreeMap<FieldName, Box<str>>,
}

/// One thing that a form asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it asks.
    pub asks: Asks,
    /// Whether it may stay empty.
    pub need: Need,
}

/// What a field asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// A phone number, as dialed in one of these countries, the first unless the person chooses;
    /// without any as dialed in the workspace's. With its country code it may be of any country.
    Phone(Vec<Region>),
    /// An email address.
    Email,
    /// The person's name.
    Name,
    /// Something of the business's own, an attribute of that name.
    Text(FieldName),
}

/// Whether a field may stay empty. An address that a ticked box needs may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It may.
    Optional,
    /// It may not.
    Required,
}

/// One box of a form: what a tick in it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormBox {
    /// On this channel.
    pub channel: Channel,
    /// Within this scope.
    pub scope: Scope,
}

impl FormBox {
    /// What a tick gives.
    pub const fn permission(self) -> Permission {
        Permission::Messages(self.channel, self.scope)
    }
}

impl Form {
    /// The boxes that it has, whatever became of its sender and topics since.
    pub fn boxes(&self, workspace: &Workspace) -> Vec<FormBox> {
        let of_sender = |sender: SenderId, channel: Channel| {
            let sender = workspace.senders.get(&sender);
            sender.is_some_and(|sender| sender.channel == channel)
        };
        let on = |channel: Channel| match self.sender.filter(|id| of_sender(*id, channel)) {
            Some(sender) => vec![Scope::Sender(sender)],
            None if self.topics.is_empty() => vec![Scope::All],
            None => self.topics.iter().copied().map(Scope::Topic).collect(),
        };
        let boxes = self.channels.iter().flat_map(|channel| {
            on(*channel).into_iter().map(|scope| FormBox { channel: *channel, scope })
        });
        boxes.collect()
    }

    /// The boxes that can still be ticked: their senders and topics live.
    pub fn living_boxes(&self, workspace: &Workspace) -> Vec<FormBox> {
        let mut boxes = self.boxes(workspace);
        boxes.retain(|it| workspace.is_living(it.scope));
        boxes
    }

    /// The words under which its boxes are ticked: of the newest version that names them all, in the
    /// language that is `wanted`, else in the form's own. `None` where no version names them all.
    pub fn notice<'a>(
        &self,
        workspace: &'a Workspace,
        wanted: impl Fn(&Language) -> bool,
    ) -> Option<&'a Notice> {
        let published = workspace.notices.get(&self.notice)?;
        let boxes = self.boxes(workspace);
        let names_all =
            |notice: &Notice| boxes.iter().all(|it| workspace.is_named(notice, it.permission()));
        // The order of the versions is that of their numbers.
        let newest = |speaks: &dyn Fn(&Language) -> bool| {
            let mut versions = published.versions.values().rev();
            versions.find(|notice| speaks(&notice.language) && names_all(notice))
        };
        newest(&wanted).or_else(|| newest(&|language| is_same(language, &self.language)))
    }
}

/// Whether two tags name one language, whatever their regions: `en-GB` and `en`.
fn is_same(one: &Language, other: &Language) -> bool {
    let primary = |language: &Language| {
        language.as_str().split('-').next().unwrap_or_default().to_ascii_lowercase()
    };
    primary(one) == primary(other)
}
