//! How much is too much: requests of a key, of a network, about an address; events of a workspace.
//!
//! Networks are /24 for IPv4 and /48 for IPv6: what one subscriber is given, so that a limit is not
//! walked around by changing the last part. Limits are those of this process.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::{DefaultKeyedRateLimiter, InsufficientCapacity, NotUntil, Quota, RateLimiter};
use sayso_core::address::AddressKey;
use sayso_core::id::{KeyId, WorkspaceId};
use sayso_core::limits;

use crate::body::duration;
use crate::problem::{Code, Problem};

/// Requests, or events, in a stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub requests: NonZeroU32,
    /// In which time; all of them may come at once.
    pub per: Duration,
}

/// The limits in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// Of one API key.
    pub key: Rate,
    /// Of one network on public routes.
    pub network: Rate,
    /// About one address on public routes.
    pub address: Rate,
    /// Events of one workspace.
    pub workspace: Rate,
}

/// A network: the part of an IP address that one subscriber is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Network {
    /// The first 24 bits.
    V4([u8; 3]),
    /// The first 48 bits.
    V6([u16; 3]),
}

/// The counters.
#[derive(Debug)]
pub(crate) struct Rates {
    keys: DefaultKeyedRateLimiter<KeyId>,
    networks: DefaultKeyedRateLimiter<Network>,
    addresses: DefaultKeyedRateLimiter<AddressKey>,
    workspaces: DefaultKeyedRateLimiter<WorkspaceId>,
    unproven: DefaultKeyedRateLimiter<Network>,
    refusals_past_limit: DefaultKeyedRateLimiter<Network>,
    visitors: DefaultKeyedRateLimiter<AddressKey>,
    form_addresses: DefaultKeyedRateLimiter<AddressKey>,
    erasures: DefaultKeyedRateLimiter<AddressKey>,
    /// The most events that are counted at once.
    events: Rate,
}

impl Network {
    /// The network of an address.
    pub(crate) const fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [one, two, three, _] = ip.octets();
                Self::V4([one, two, three])
            }
            IpAddr::V6(ip) => {
                let [one, two, three, ..] = ip.segments();
                Self::V6([one, two, three])
            }
        }
    }

    /// Its bytes, those of one family apart from those of the other.
    pub(crate) fn bytes(self) -> Vec<u8> {
        match self {
            Self::V4(parts) => [&[4], parts.as_slice()].concat(),
            Self::V6(parts) => {
                let parts = parts.iter().flat_map(|part| part.to_be_bytes());
                std::iter::once(6).chain(parts).collect()
            }
        }
    }
}

impl Rates {
    /// Counters with these limits.
    pub(crate) fn new(rates: &RateLimits) -> Self {
        Self {
            keys: RateLimiter::keyed(quota(rates.key)),
            networks: RateLimiter::keyed(quota(rates.network)),
            addresses: RateLimiter::keyed(quota(rates.address)),
            workspaces: RateLimiter::keyed(quota(rates.workspace)),
            unproven: RateLimiter::keyed(quota(of_forms(limits::FORM_UNPROVEN_PER_NETWORK))),
            refusals_past_limit: RateLimiter::keyed(quota(an_hour(limits::UNPROVEN_PER_NETWORK))),
            visitors: RateLimiter::keyed(quota(rates.address)),
            form_addresses: RateLimiter::keyed(quota(of_forms(limits::FORM_PER_ADDRESS))),
            erasures: RateLimiter::keyed(quota(an_hour(limits::ERASURES_PER_ADDRESS))),
            events: rates.workspace,
        }
    }

    /// Counts a request of an API key.
    pub(crate) fn take_key(&self, key: KeyId) -> Result<(), Problem> {
        take(&self.keys, &key)
    }

    /// Counts a request of a network.
    pub(crate) fn take_network(&self, ip: IpAddr) -> Result<(), Problem> {
        take(&self.networks, &Network::of(ip))
    }

    /// Counts a request about an address.
    pub(crate) fn take_address(&self, address: AddressKey) -> Result<(), Problem> {
        take(&self.addresses, &address)
    }

    /// Counts a page of a network that is over its limit, and may bring a refusal (rule 5).
    pub(crate) fn take_refusal_past_limit(&self, ip: IpAddr) -> Result<(), Problem> {
        take(&self.refusals_past_limit, &Network::of(ip))
    }

    /// Counts what somebody does who came by a link of theirs: apart from what strangers say of the address,
    /// who would see by their own limit that somebody was there.
    pub(crate) fn take_visitor(&self, address: AddressKey) -> Result<(), Problem> {
        take(&self.visitors, &address)
    }

    /// Counts a submission of a form that brings no proof of work.
    pub(crate) fn take_unproven(&self, network: Network) -> Result<(), Problem> {
        take(&self.unproven, &network)
    }

    /// Counts a submission of a form about an address.
    pub(crate) fn take_form_address(&self, address: AddressKey) -> Result<(), Problem> {
        take(&self.form_addresses, &address)
    }

    /// Counts an erasure that somebody asks for who came by a link of theirs.
    pub(crate) fn take_erasure(&self, address: AddressKey) -> Result<(), Problem> {
        take(&self.erasures, &address)
    }

    /// Counts events that a workspace is about to record. A request with more of them than the
    /// limit allows at once takes all that it allows. What refuses is recorded though this fails.
    pub(crate) fn take_events(&self, workspace: WorkspaceId, events: usize) -> Result<(), Problem> {
        let Some(events) = NonZeroU32::new(u32::try_from(events).unwrap_or(u32::MAX)) else {
            return Ok(());
        };
        let most = self.events.requests;
        match self.workspaces.check_key_n(&workspace, events.min(most)) {
            Ok(Ok(())) | Err(InsufficientCapacity(_)) => Ok(()),
            Ok(Err(until)) => {
                let seconds = self.events.per.as_secs();
                let detail = format!("the workspace may record {most} events in {seconds} s");
                Err(limited(&until).detail(detail))
            }
        }
    }

    /// Forgets those who are back at the beginning; to be called now and then.
    pub(crate) fn forget_idle(&self) {
        self.keys.retain_recent();
        self.networks.retain_recent();
        self.addresses.retain_recent();
        self.workspaces.retain_recent();
        self.unproven.retain_recent();
        self.refusals_past_limit.retain_recent();
        self.visitors.retain_recent();
        self.form_addresses.retain_recent();
        self.erasures.retain_recent();
    }
}

/// So many submissions of forms in the time over which they are counted.
fn of_forms(submissions: u32) -> Rate {
    let requests = NonZeroU32::new(submissions).unwrap_or(NonZeroU32::MIN);
    Rate { requests, per: duration(limits::FORM_LIMIT_WINDOW) }
}

/// So many in an hour.
fn an_hour(requests: u32) -> Rate {
    let requests = NonZeroU32::new(requests).unwrap_or(NonZeroU32::MIN);
    Rate { requests, per: Duration::from_hours(1) }
}

fn quota(rate: Rate) -> Quota {
    let each = rate.per.checked_div(rate.requests.get()).filter(|each| !each.is_zero());
    Quota::with_period(each.unwrap_or(Duration::from_nanos(1)))
        .unwrap_or_else(|| Quota::per_second(rate.requests))
        .allow_burst(rate.requests)
}

fn take<K: Hash + Eq + Clone>(
    limiter: &DefaultKeyedRateLimiter<K>,
    key: &K,
) -> Result<(), Problem> {
    limiter.check_key(key).map_err(|until| limited(&until))
}

fn limited(until: &NotUntil<QuantaInstant>) -> Problem {
    let wait = until.wait_time_from(DefaultClock::default().now());
    Problem::new(Code::RateLimited).retry_after_seconds(wait.as_secs() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_what_one_subscriber_is_given() {
        let network = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(network("192.0.2.1"), network("192.0.2.254"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.7"));
        assert_ne!(network("192.0.2.1"), network("192.0.3.1"));
        assert_eq!(network("2001:db8:1:2::3"), network("2001:db8:1:ffff::4"));
    }

    fn all(rate: Rate) -> RateLimits {
        RateLimits { key: rate, network: rate, address: rate, workspace: rate }
    }

    #[test]
    fn a_workspace_has_a_limit_of_its_own_that_no_request_is_too_large_for() {
        let rate = Rate { requests: NonZeroU32::new(10).unwrap(), per: Duration::from_hours(1) };
        let rates = Rates::new(&all(rate));
        let [one, two] = [[1; 16], [2; 16]].map(WorkspaceId::from_bytes);
        assert!(rates.take_events(one, 0).is_ok());
        assert!(rates.take_events(one, 7).is_ok());
        assert_eq!(rates.take_events(one, 4).unwrap_err().code(), Code::RateLimited);
        assert!(rates.take_events(one, 3).is_ok());
        assert!(rates.take_events(two, 1_000).is_ok());
        assert!(rates.take_events(two, 1).is_err());
    }

    #[test]
    fn the_request_past_the_limit_is_told_when_to_come_back() {
        let rate = Rate { requests: NonZeroU32::new(2).unwrap(), per: Duration::from_hours(1) };
        let rates = Rates::new(&all(rate));
        let ip = "192.0.2.1".parse().unwrap();
        assert!(rates.take_network(ip).is_ok() && rates.take_network(ip).is_ok());
        assert_eq!(rates.take_network(ip).unwrap_err().code(), Code::RateLimited);
    }
}
