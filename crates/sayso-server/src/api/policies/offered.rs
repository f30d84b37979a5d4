//! What forms, entry points and notices of a workspace show, held against its policies and country packs.
//!
//! What our pages always show is known: the channel beside its box, an address that can be changed, no box
//! that is ticked. The rest is read in the words that people see, in each language: what one language lacks
//! is lacking.

use std::collections::BTreeSet;

use sayso_core::policy::Way;
use sayso_core::policy::demand::Shown;
use sayso_core::policy::offer::{Offer, lint};
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Permission, Scope};
use sayso_core::words::channel_facts::Chat;
use sayso_core::words::notice::Notice;
use sayso_core::words::statement::Level;
use sayso_core::workspace::{EntryPoint, Form, Workspace};
use sayso_pages::language::Language as PageLanguage;

use super::{FindingAnswer, read_words};

/// What every page of ours shows beside its boxes.
const OF_PAGES: [Shown; 3] = [Shown::Channel, Shown::Mark, Shown::NumberEditable];

/// What the words of a notice lack. What words cannot show, and how the yes is collected, is not asked of
/// them.
pub(crate) fn in_notice(
    notice: &Notice,
    shows: BTreeSet<Shown>,
    workspace: &Workspace,
    now: Timestamp,
) -> Vec<FindingAnswer> {
    let mut offer = offer(notice.names.iter().copied(), workspace);
    offer.level = Level::Confirmed;
    offer.shows = shows;
    offer.shows.extend(Shown::ALL.iter().copied().filter(|shown| !shown.is_worded()));
    read_words(&mut offer, &notice.text, std::iter::empty(), workspace);
    findings(&offer, workspace, now)
}

/// What a form lacks.
pub(crate) fn by_form(form: &Form, workspace: &Workspace, now: Timestamp) -> Vec<FindingAnswer> {
    let boxes = form.boxes(workspace);
    let permissions = || boxes.iter().map(|it| it.permission());
    let offers = form.texts.iter().filter_map(|(language, texts)| {
        let page = PageLanguage::find(language.as_str());
        let notice = form.notice(workspace, |it| PageLanguage::find(it.as_str()) == page)?;
        let mut offer = offer(permissions(), workspace);
        offer.way = Some(Way::Form);
        offer.level = if form.double_opt_in.is_some() { Level::Confirmed } else { Level::Single };
        offer.shows.extend(OF_PAGES);
        // A title of ours names the business; a single box has the notice alone for its label.
        let ours = if texts.title.is_none() { Some(form.business.as_ref()) } else { None };
        let labels = if boxes.len() > 1 { topics(permissions(), workspace) } else { Vec::new() };
        let words: Vec<&str> = [ours, texts.title.as_deref(), texts.description.as_deref()]
            .into_iter()
            .flatten()
            .chain(labels)
            .chain([notice.text.as_ref()])
            .collect();
        read_words(&mut offer, &words.join("\n"), [form.business.as_ref()].into_iter(), workspace);
        Some(offer)
    });
    weakest(offers).map_or_else(Vec::new, |offer| findings(&offer, workspace, now))
}

/// What the page of an entry point lacks. Its title names the business and the channel.
pub(crate) fn by_entry_point(
    entry: &EntryPoint,
    workspace: &Workspace,
    now: Timestamp,
) -> Vec<FindingAnswer> {
    let sender = workspace.senders.get(&entry.sender);
    let Some(channel) = sender.map(|sender| sender.channel) else { return Vec::new() };
    let versions = workspace.notices.get(&entry.notice).map(|notice| &notice.versions);
    let offers = entry.languages.iter().filter_map(|language| {
        let notice = versions?.get(&(entry.notice_version, language.clone()))?;
        let permissions = || entry.permissions(channel).into_iter();
        let mut offer = offer(permissions(), workspace);
        offer.way = Some(Way::EntryPage);
        offer.level = reached(channel);
        offer.shows.extend(OF_PAGES);
        offer.shows.insert(Shown::Business);
        let mut words = topics(permissions(), workspace);
        words.push(&notice.text);
        read_words(&mut offer, &words.join("\n"), std::iter::empty(), workspace);
        Some(offer)
    });
    weakest(offers).map_or_else(Vec::new, |offer| findings(&offer, workspace, now))
}

/// The level that an opt-in on an opt-in page comes to: the message in the chat confirms it where messages
/// come in.
const fn reached(channel: Channel) -> Level {
    match channel.chat() {
        Chat::Confirms => Level::Confirmed,
        Chat::Opens | Chat::None => Level::Single,
    }
}

/// An offer of these permissions, for the one of their categories that needs most consent.
fn offer(permissions: impl Iterator<Item = Permission>, workspace: &Workspace) -> Offer {
    let mut channels = BTreeSet::new();
    let mut category = None;
    for permission in permissions {
        let Permission::Messages(channel, scope) = permission else { continue };
        channels.insert(channel);
        let named = match scope {
            Scope::All | Scope::Sender(_) => Category::Marketing,
            Scope::Category(named) => named,
            Scope::Topic(id) => {
                let topic = workspace.topics.get(&id);
                topic.map_or(Category::Marketing, |topic| topic.category)
            }
        };
        category = Some(category.map_or(named, |known: Category| known.stricter(named)));
    }
    Offer::new(channels, category.unwrap_or(Category::Marketing))
}

/// What the topics among these are called.
fn topics(permissions: impl Iterator<Item = Permission>, workspace: &Workspace) -> Vec<&str> {
    let topics = permissions.filter_map(|permission| match permission {
        Permission::Messages(_, Scope::Topic(id)) => workspace.topics.get(&id),
        Permission::Messages(_, Scope::All | Scope::Sender(_) | Scope::Category(_))
        | Permission::Processing => None,
    });
    topics.map(|topic| topic.name.as_ref()).collect()
}

/// What all of them show: the same offer in each language.
fn weakest(offers: impl Iterator<Item = Offer>) -> Option<Offer> {
    offers.reduce(|mut weakest, other| {
        weakest.shows.retain(|shown| other.shows.contains(shown));
        weakest.named.retain(|channel| other.named.contains(channel));
        weakest
    })
}

fn findings(offer: &Offer, workspace: &Workspace, now: Timestamp) -> Vec<FindingAnswer> {
    let settings = workspace.settings.at(now);
    let found = lint(offer, &settings.policies, settings.country_packs.iter().copied());
    found.iter().map(FindingAnswer::of).collect()
}
