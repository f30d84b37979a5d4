//! The file of what is kept, and how much of it a link shows (rule 22).
//!
//! Whoever can read at an address is shown what is kept about that address. Everything about the person, with
//! their attributes and other addresses, is for whoever can read at two of them: the link that the second one
//! gets carries the word that the first answered. Where several people share one of the addresses, nobody is
//! shown more than it.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use sayso_core::address::Address;
use sayso_core::proof::answered::Answered;
use sayso_pages::personal::preferences::reach::Download;
use sayso_plan::draft::Subject;
use sayso_store::erasure::ErasureReach;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{Moment, Profile};
use serde_json::json;

use crate::app::App;
use crate::looking::LookingUp;
use crate::people::fresh_link::can_be_sent;
use crate::people::visitor::Visitor;
use crate::problem::Problem;
use crate::views::history::newest_of;
use crate::views::profile::{view, view_address};

/// How much a visitor's link shows.
pub(super) enum Whole {
    /// What is kept about the address.
    Address {
        /// The other addresses of the person that a link can go to.
        others: Vec<Address>,
        /// Their keys, and as much of each as is shown.
        shown: Vec<(String, String)>,
    },
    /// Everything about the person, since another address of theirs answered, as this word says.
    Person(Box<Profile>, String),
}

impl Whole {
    /// Finds how much is shown by the link of a visitor.
    pub(super) async fn find(visitor: &Visitor, app: &App) -> Result<Self, Problem> {
        let nothing_more = Self::Address { others: Vec::new(), shown: Vec::new() };
        if !visitor.may_do_more() || is_shared(app, visitor, visitor.subject()).await? {
            return Ok(nothing_more);
        }
        let workspace = visitor.link.workspace;
        let Some(profile) = app.store().find_profile(workspace, &visitor.subject()).await? else {
            return Ok(nothing_more);
        };
        let secret = &visitor.workspace.secret;
        let word = visitor.answered.as_deref();
        let answered = word.and_then(|word| Answered::read(word, (workspace, secret), app.now()));
        let is_other = |address: &&Address| address.key(secret) != visitor.link.address;
        let second = answered.and_then(|answered| {
            let mut others = profile.addresses.iter().filter(is_other);
            others.find(|address| address.key(secret) == answered.address)
        });
        if let (Some(word), Some(second)) = (word, second)
            && !is_shared(app, visitor, Subject::Address(second.clone())).await?
        {
            let word = word.to_owned();
            return Ok(Self::Person(Box::new(profile), word));
        }
        let others = profile.addresses.iter().filter(is_other);
        let others = others.filter(|address| can_be_sent(app, visitor, address)).cloned();
        let others: Vec<Address> = others.collect();
        let shown = others.iter().map(|it| (it.key(secret).to_string(), masked(it))).collect();
        Ok(Self::Address { others, shown })
    }

    /// How far an erasure by the link reaches: an address that somebody else may have linked with this one,
    /// by a page or a form, is not erased by it.
    pub(super) const fn erases(&self) -> ErasureReach {
        match self {
            Self::Address { .. } => ErasureReach::Address,
            Self::Person(..) => ErasureReach::Person,
        }
    }

    /// What the page says of it.
    pub(super) fn view(&self) -> Download<'_> {
        match self {
            Self::Address { shown, .. } => Download::Address(shown),
            Self::Person(_, word) => Download::Person(word),
        }
    }

    /// The other address with this key that a link can go to.
    pub(super) fn other(&self, key: &str) -> Option<&Address> {
        match self {
            Self::Address { others, shown } => {
                let of_key = others.iter().zip(shown).find(|(_, (it, _))| it == key);
                of_key.map(|(address, _)| address)
            }
            Self::Person(..) => None,
        }
    }
}

/// Whether several people have an address.
async fn is_shared(app: &App, visitor: &Visitor, subject: Subject) -> Result<bool, Problem> {
    let workspace = visitor.link.workspace;
    let registers = app.store().registers(workspace, &subject, Moment::Now).await?;
    Ok(registers.links().count() > 1)
}

/// The file of what is kept, as much of it as the link shows. Handing it out is a look-up.
pub(super) async fn download(
    app: &App,
    visitor: &Visitor,
    looking: &LookingUp,
) -> Result<Response, Problem> {
    let workspace = &visitor.workspace;
    let mut subjects = vec![visitor.subject()];
    let mut asked = vec![LookedUp::Address(visitor.link.address)];
    let profile = match Whole::find(visitor, app).await? {
        Whole::Person(profile, _) => {
            subjects = profile.addresses.iter().cloned().map(Subject::Address).collect();
            asked.push(LookedUp::Profile(profile.id));
            Some(*profile)
        }
        Whole::Address { .. } => None,
    };
    looking.note_oneself(app, workspace, asked).await?;
    let person = match (profile, &visitor.address) {
        (Some(profile), _) => Some(view(app, workspace, profile, Moment::Now).await?),
        (None, Some(address)) => {
            Some(view_address(app, workspace, Address::clone(address), Moment::Now).await?)
        }
        (None, None) => None,
    };
    let events = newest_of(app, workspace, &subjects).await?;
    let kept = json!({ "business": visitor.business(), "person": person, "events": events });
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"my-data.json\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, format!("{kept:#}")).into_response())
}

/// An address in part: enough to know one's own, too little to learn another's.
pub(super) fn masked(address: &Address) -> String {
    let last = |text: &str, count: usize| -> String {
        let skipped = text.chars().count().saturating_sub(count);
        text.chars().skip(skipped).collect()
    };
    match address {
        Address::Phone(phone) => format!("+•••{}", last(&phone.to_string(), 3)),
        Address::Email(email) => {
            let first: String = email.as_str().chars().take(1).collect();
            format!("{first}•••@{}", email.domain())
        }
        Address::ChannelId(id) | Address::ExternalId(id) => format!("•••{}", last(id.as_str(), 3)),
    }
}
