//! What a person may choose among, and how each stands: pure, given the registers.
//!
//! On each channel there is a box for all offers and news, one for orders and account, and one for each
//! topic. A box is shown if the person gets it, if something was said about it, or if they may agree to it
//! here; they may where a published notice names it, whose words stand beside the box (rule 4). Unticking
//! the box of a category refuses its topics as well (rule 8). By a link that may only leave, nothing can be
//! agreed to, and what a yes or a no rests on is not told.

use sayso_core::gate::decision::Circumstances;
use sayso_core::gate::decision::{Requirement, check};
use sayso_core::gate::reason::Reason;
use sayso_core::id::NoticeId;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Message, Permission, Scope};
use sayso_core::words::notice::{Language, Notice, NoticeRef};
use sayso_core::workspace::Workspace;

use sayso_plan::judging::message_for;

/// The categories that have a box of their own.
const CATEGORIES: [Category; 2] = [Category::Marketing, Category::Utility];

/// What decides how the offers stand.
#[derive(Debug)]
pub(super) struct Offering<'a, 'r> {
    /// The workspace.
    pub(super) workspace: &'a Workspace,
    /// Its settings in force.
    pub(super) settings: &'r Settings,
    /// What is known of the address.
    pub(super) registers: &'r Registers,
    /// The tag of the page's language.
    pub(super) language: &'r str,
    /// Whether the person may agree to anything: not where their address is not known any more, nor by a link
    /// that may only leave.
    pub(super) may_agree: bool,
    /// Whether they are told what was said before, which a link that may only leave does not.
    pub(super) may_read: bool,
    /// The time.
    pub(super) now: Timestamp,
}

/// What there is on one channel.
#[derive(Debug)]
pub(super) struct Channels<'a> {
    /// The channel.
    pub(super) channel: Channel,
    /// Whether a block keeps everything from the address there.
    pub(super) is_blocked: bool,
    /// The boxes.
    pub(super) offers: Vec<Offer<'a>>,
}

/// One box.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    /// What it permits.
    pub(super) scope: Scope,
    /// Whether the person gets it.
    pub(super) is_on: bool,
    /// What a yes or a no rests on, if something was said.
    pub(super) basis: Option<Mark>,
    /// The words of an opt-in here.
    pub(super) notice: Option<&'a Notice>,
}

impl<'a> Offering<'a, '_> {
    /// The boxes of these channels, at most [`limits::PREFERENCE_CHOICES_MAX`].
    pub(super) fn on(&self, channels: &[Channel]) -> Vec<Channels<'a>> {
        let mut room = limits::PREFERENCE_CHOICES_MAX;
        let mut parts = Vec::new();
        for channel in channels {
            let part = self.channel(*channel, room);
            room = room.saturating_sub(part.offers.len());
            parts.push(part);
        }
        parts
    }

    fn channel(&self, channel: Channel, room: usize) -> Channels<'a> {
        let topics = self.workspace.topics.iter();
        let topics = topics.filter(|(_, topic)| topic.deleted_at.is_none());
        let scopes = CATEGORIES.iter().flat_map(|category| {
            let of_category = topics.clone().filter(|(_, topic)| topic.category == *category);
            [Scope::Category(*category)]
                .into_iter()
                .chain(of_category.map(|(id, _)| Scope::Topic(*id)))
        });
        let others = topics.clone().filter(|(_, topic)| !CATEGORIES.contains(&topic.category));
        let others = others.map(|(id, _)| Scope::Topic(*id));
        let mut offers: Vec<(usize, Offer<'a>)> = scopes
            .chain(others)
            .filter_map(|scope| self.offer(channel, scope))
            .enumerate()
            .collect();
        // Where there is no room for all, what the person gets goes before what they might.
        offers.sort_by_key(|(place, offer)| (!offer.is_on, *place));
        offers.truncate(room);
        offers.sort_by_key(|(place, _)| *place);
        let message = Message::ordinary(channel, Category::Marketing);
        Channels {
            channel,
            is_blocked: self.decision(&message).1,
            offers: offers.into_iter().map(|(_, offer)| offer).collect(),
        }
    }

    /// A box, if it is to be shown.
    fn offer(&self, channel: Channel, scope: Scope) -> Option<Offer<'a>> {
        let permission = Permission::Messages(channel, scope);
        let message = message_for(permission, self.workspace);
        let (consent, is_blocked) = self.decision(&message);
        let is_on = consent.status == Status::OptedIn && !is_blocked;
        let is_told = is_on || consent.status == Status::OptedOut;
        let notice = self.notice_for(permission);
        let is_said = self.registers.register(channel, scope).is_some();
        let basis = consent.basis.filter(|_| is_told && self.may_read);
        (is_on || is_said || notice.is_some()).then_some(Offer { scope, is_on, basis, notice })
    }

    fn decision(&self, message: &Message) -> (sayso_core::state::status::Consent, bool) {
        let circumstances = Circumstances::of_consent(self.settings, Requirement::OptIn, self.now);
        let decision = check(self.registers, message, &circumstances);
        let is_blocked = decision.reasons.iter().any(|reason| reason == Reason::Suppressed);
        (decision.consent, is_blocked)
    }

    /// The words by which somebody may agree here: of the notices that name the permission, one that
    /// names it the most narrowly, the newest of those; in the page's language if it is published so.
    pub(super) fn notice_for(&self, permission: Permission) -> Option<&'a Notice> {
        if !self.may_agree {
            return None;
        }
        let workspace = self.workspace;
        let newest = workspace.notices.values().filter_map(|published| {
            let (version, _) = published.versions.keys().next_back()?;
            let of_version = || published.versions.range((*version, least())..).map(|(_, it)| it);
            let in_language =
                |it: &&Notice| it.language.as_str().split('-').next() == Some(self.language);
            of_version().find(in_language).or_else(|| of_version().next())
        });
        let naming = newest.filter(|notice| workspace.is_named(notice, permission));
        let narrow = |notice: &&Notice| {
            let is_exact = notice.names.contains(&permission);
            (is_exact, std::cmp::Reverse(notice.names.len()), notice.id)
        };
        naming.max_by_key(narrow)
    }
}

/// The language tag before all others.
fn least() -> Language {
    Language::parse("aa").unwrap_or_else(|_| unreachable!("a language tag"))
}

/// How a form names the words of a notice: its id, version and language.
pub(super) fn name_of(notice: &Notice) -> String {
    format!("{},{},{}", notice.id, notice.version, notice.language)
}

/// The words that a form names.
pub(super) fn notice_named<'a>(name: &str, workspace: &'a Workspace) -> Option<&'a Notice> {
    let mut parts = name.split(',');
    let id = NoticeId::parse(parts.next()?).ok()?;
    let version = parts.next()?.parse().ok()?;
    let language = Language::parse(parts.next()?).ok()?;
    workspace.notice(&NoticeRef { id, version, language, text_sha256: [0; 32] })
}
