//! For whom the customer's server vouches: the identifier that `user_hash` is made of, and the addresses that
//! are known to be the same person's.
//!
//! What stands beside a vouched identifier is typed into a page as anything else: somebody with an account
//! of their own could write other people's numbers there. An address that nobody else has, and of which
//! nobody but this site said anything, is linked, as the page says; what is said of it is believed once it is.

use sayso_core::address::Address;
use sayso_core::words::source::Road;
use sayso_plan::draft::Subject;
use sayso_store::store::{Moment, Profile};

use super::Visit;
use super::verify::vouches;
use crate::app::App;
use crate::body::Faults;
use crate::problem::{Code, Problem};

/// What `user_hash` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    /// Nothing: there is none.
    Absent,
    /// Nothing that can be believed.
    Wrong,
    /// That the customer's server vouches for the identifier.
    Right,
}

/// Whom the customer's server vouches for.
#[derive(Clone, Debug, Default)]
pub(super) struct Vouched {
    /// The identifier that the hash is made of.
    anchor: Option<Address>,
    /// The person that it belongs to.
    person: Option<Profile>,
}

impl Hash {
    /// Judges the hash of an identifier; one that is wrong is noted.
    pub(super) fn judge(
        user_hash: Option<&str>,
        identifier: Option<&str>,
        visit: &Visit,
        faults: &mut Faults,
    ) -> Self {
        let Some(user_hash) = user_hash.filter(|hash| !hash.trim().is_empty()) else {
            return Self::Absent;
        };
        let secret = visit.site.user_hash_secret.as_deref();
        let is_right = secret
            .zip(identifier)
            .is_some_and(|(secret, identifier)| vouches(secret, identifier, user_hash));
        if is_right {
            return Self::Right;
        }
        let fault = "is not the HMAC-SHA256 of the uuid by the site's secret; nothing was linked or kept as attribute";
        faults.note("/user_hash", Code::InvalidValue, fault);
        Self::Wrong
    }
}

impl Vouched {
    /// Whom the hash vouches for, who gave this identifier.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn find(
        app: &App,
        visit: &Visit,
        anchor: Option<Address>,
    ) -> Result<Self, Problem> {
        let Some(anchor) = anchor else { return Ok(Self::default()) };
        let workspace = visit.workspace.id;
        let subject = Subject::Address(anchor.clone());
        let person = app.store().find_profile(workspace, &subject).await?;
        Ok(Self { anchor: Some(anchor), person })
    }

    /// Whether the customer's server vouches for what is said of an address.
    pub(super) fn covers(&self, address: &Address) -> bool {
        let is_known = |person: &Profile| person.addresses.contains(address);
        self.anchor.as_ref() == Some(address) || self.person.as_ref().is_some_and(is_known)
    }

    /// The addresses that may be linked with the person: theirs, and those that nobody else has and of which
    /// nobody but this site said anything. Somebody who is known by a text alone has no profile, and is somebody
    /// all the same.
    ///
    /// # Errors
    /// The store's.
    pub(super) async fn linkable(
        &self,
        app: &App,
        visit: &Visit,
        addresses: Vec<Address>,
    ) -> Result<Vec<Address>, Problem> {
        let workspace = visit.workspace.id;
        let mut linkable = Vec::new();
        for address in addresses {
            let subject = Subject::Address(address.clone());
            let known = || app.store().registers(workspace, &subject, Moment::Now);
            let (road, name) = (Road::Tag, &visit.site.name);
            if self.covers(&address) || known().await?.is_known_from(road, name) {
                linkable.push(address);
            }
        }
        Ok(linkable)
    }
}
