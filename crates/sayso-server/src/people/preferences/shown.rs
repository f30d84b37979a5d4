//! The page of a person, made of what is known: reading, then a view.

use std::sync::Arc;

use sayso_core::state::register::Mark;
use sayso_core::state::registers::Registers;
use sayso_core::time::Timestamp;
use sayso_core::words::channel::{Category, Channel, Permission, Scope};
use sayso_core::words::notice::Notice;
use sayso_core::words::source::EvidenceText;
use sayso_core::workspace::Workspace;
use sayso_pages::language::Language;
use sayso_pages::page::Document;
use sayso_pages::personal::preferences::reach::May;
use sayso_pages::personal::preferences::{
    About, Choice, Part, Preferences, Processing, Said, Told, Words,
};
use sayso_store::store::HistoryEntry;

use super::offers::{Offer, Offering, name_of};
use super::sent;
use super::whole::{Whole, masked};
use crate::app::App;
use crate::people::fresh_link::can_be_sent;
use crate::people::visitor::Visitor;
use crate::problem::Problem;

/// What a page shows.
pub(super) struct Shown<'a> {
    language: Language,
    said: Option<Said>,
    address: Option<String>,
    at: String,
    channels: Vec<ShownChannel<'a>>,
    processing: ShownProcessing<'a>,
    may: May,
    whole: Whole,
}

struct ShownChannel<'a> {
    channel: Channel,
    is_blocked: bool,
    offers: Vec<ShownOffer<'a>>,
}

struct ShownOffer<'a> {
    about: About<'a>,
    name: String,
    is_on: bool,
    told: Option<ShownTold<'a>>,
    words: Option<ShownWords<'a>>,
}

/// What was said, when and where.
struct ShownTold<'a> {
    on: String,
    entry: HistoryEntry,
    words: Option<ShownWords<'a>>,
}

struct ShownWords<'a> {
    name: String,
    notice: &'a Notice,
}

enum ShownProcessing<'a> {
    Allowed,
    Refused(Option<ShownWords<'a>>),
}

impl<'a> Shown<'a> {
    /// Reads what the page of a visitor shows.
    pub(super) async fn read(
        visitor: &'a Visitor,
        app: &App,
        language: Language,
        said: Option<Said>,
    ) -> Result<Self, Problem> {
        let workspace: &'a Workspace = &visitor.workspace;
        let now = app.now();
        let registers: Arc<Registers> = visitor.registers(app).await?;
        let settings = workspace.settings.at(now);
        let offering = Offering {
            workspace,
            settings: &settings,
            registers: &registers,
            language: language.tag(),
            may_agree: visitor.address.is_some() && visitor.may_do_more(),
            may_read: visitor.may_do_more(),
            now,
        };
        let in_use = visitor.channels(&registers).into_iter().filter(|channel| {
            *channel == visitor.link.channel
                || registers.channels().contains(channel)
                || workspace.living_senders(*channel).next().is_some()
        });
        let in_use: Vec<Channel> = in_use.collect();
        let mut channels = Vec::new();
        for found in offering.on(&in_use) {
            let (channel, is_blocked) = (found.channel, found.is_blocked);
            let mut offers = Vec::new();
            for offer in found.offers {
                offers.extend(shown(visitor, app, channel, offer).await?);
            }
            channels.push(ShownChannel { channel, is_blocked, offers });
        }
        let processing = if registers.processing().standing_refusal(now).is_some() {
            let notice = offering.notice_for(Permission::Processing);
            ShownProcessing::Refused(notice.map(ShownWords::of))
        } else {
            ShownProcessing::Allowed
        };
        let address = visitor.address.as_ref().map(masked);
        let at = now.to_string();
        let (may, whole) = (may(visitor, app), Whole::find(visitor, app).await?);
        Ok(Self { language, said, address, at, channels, processing, may, whole })
    }

    /// Whether the person gets nothing of what is shown.
    pub(super) fn is_all_off(&self) -> bool {
        self.channels.iter().flat_map(|part| &part.offers).all(|offer| !offer.is_on)
    }

    /// The page.
    pub(super) fn page(&self, visitor: &Visitor) -> Document {
        let parts: Vec<Part<'_>> = self.channels.iter().map(ShownChannel::part).collect();
        Preferences { channels: &parts, ..self.view(visitor) }.page()
    }

    /// What the page shows besides the channels.
    pub(super) fn view<'v>(&'v self, visitor: &'v Visitor) -> Preferences<'v> {
        Preferences {
            language: self.language,
            business: visitor.business(),
            address: self.address.as_deref(),
            said: self.said,
            channels: &[],
            processing: match &self.processing {
                ShownProcessing::Allowed => Processing::Allowed,
                ShownProcessing::Refused(words) => {
                    Processing::Refused(words.as_ref().map(ShownWords::view))
                }
            },
            shown_at: &self.at,
            may: self.may,
            download: self.whole.view(),
        }
    }
}

/// What the link of a visitor may do.
fn may(visitor: &Visitor, app: &App) -> May {
    let address = visitor.address.as_ref();
    if visitor.may_do_more() {
        May::Everything
    } else if address.is_some_and(|to| can_be_sent(app, visitor, to)) {
        May::RefuseOrAsk
    } else {
        May::Refuse
    }
}

/// One box with what was said about it. A topic that is gone has none.
async fn shown<'a>(
    visitor: &'a Visitor,
    app: &App,
    channel: Channel,
    offer: Offer<'a>,
) -> Result<Option<ShownOffer<'a>>, Problem> {
    let about = match offer.scope {
        Scope::Category(category) => About::Category(category),
        Scope::Topic(id) => match visitor.workspace.topics.get(&id) {
            Some(topic) => About::Topic(&topic.name, topic.category),
            None => return Ok(None),
        },
        Scope::All | Scope::Sender(_) => About::Category(Category::Marketing),
    };
    let told = match offer.basis {
        Some(mark) => told(visitor, app, mark).await?,
        None => None,
    };
    Ok(Some(ShownOffer {
        about,
        name: sent::name_of(channel, offer.scope),
        is_on: offer.is_on,
        told,
        words: offer.notice.map(ShownWords::of),
    }))
}

/// The event that a box rests on.
async fn told<'a>(
    visitor: &'a Visitor,
    app: &App,
    mark: Mark,
) -> Result<Option<ShownTold<'a>>, Problem> {
    let (workspace, key) = (visitor.link.workspace, visitor.link.address);
    let entry = app.store().find_event(workspace, key, mark.event).await?;
    Ok(entry.map(|entry| {
        let reference = entry.evidence.as_ref().and_then(|evidence| evidence.notice.as_ref());
        let notice = reference.and_then(|reference| visitor.workspace.notice(reference));
        let on = day_of(entry.event.occurred_at);
        ShownTold { on, entry, words: notice.map(ShownWords::of) }
    }))
}

fn day_of(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

impl<'a> ShownWords<'a> {
    fn of(notice: &'a Notice) -> Self {
        Self { name: name_of(notice), notice }
    }

    fn view(&self) -> Words<'_> {
        Words { name: &self.name, text: &self.notice.text, language: self.notice.language.as_str() }
    }
}

impl ShownChannel<'_> {
    fn part(&self) -> Part<'_> {
        let choices = self.offers.iter().map(ShownOffer::choice).collect();
        Part { channel: self.channel, is_blocked: self.is_blocked, choices }
    }
}

impl ShownOffer<'_> {
    fn choice(&self) -> Choice<'_> {
        Choice {
            name: self.name.clone(),
            about: self.about,
            is_on: self.is_on,
            told: self.told.as_ref().map(|told| told.view(self)),
            words: self.words.as_ref().map(ShownWords::view),
        }
    }
}

impl ShownTold<'_> {
    fn view<'v>(&'v self, of: &ShownOffer<'_>) -> Told<'v> {
        let page = self.entry.evidence.as_ref().and_then(|evidence| evidence.page.as_ref());
        Told {
            is_yes: of.is_on,
            on: &self.on,
            road: self.entry.event.source.road,
            page: page.map(EvidenceText::as_str),
            words: self.words.as_ref().map(ShownWords::view),
        }
    }
}
