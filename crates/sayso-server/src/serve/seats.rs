//! Who sits: how many of one network, which seats are kept, who goes first when all are taken.
//!
//! A seat is an open connection. Each network (/24, /48) may hold so many; a proxy that the operator
//! trusts speaks for many networks, and is not counted. When all seats are taken, the connection on
//! which nothing was asked for the longest goes. The last seats are kept for providers' calls and for
//! people who leave: nobody else is answered there, however many strangers came first (rule 1).
//!
//! The accept loop owns the list alone. A request touches only the two numbers of its own connection.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use sayso_core::limits;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, Id};
use tokio::time::Instant;

use crate::rate::Network;

/// How many may sit.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    /// Connections at most.
    pub(super) seats: usize,
    /// Those among them for hooks and leaving alone.
    pub(super) kept: usize,
    /// Connections of one network at most.
    pub(super) of_network: usize,
    /// Proxies, which are not counted as a network.
    pub(super) proxies: Vec<IpAddr>,
}

/// The connections of a listener.
pub(super) struct Seats {
    rules: Rules,
    begun: Instant,
    sitting: HashMap<Id, Sitting>,
    networks: HashMap<Network, usize>,
}

/// One open connection.
struct Sitting {
    network: Option<Network>,
    using: Arc<Using>,
    task: AbortHandle,
}

/// What somebody who comes is told.
#[derive(Debug)]
pub(super) enum Place {
    /// There is a seat.
    Free(Arc<Using>),
    /// All are taken. Somebody idle was asked to go, or everybody is busy.
    Wait,
    /// The network has its share, and all of it is busy.
    NetworkFull,
}

/// Whether a seat is for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeatKind {
    /// It is.
    Open,
    /// It is for hooks and leaving alone.
    Kept,
}

/// How a connection is used, as its requests and the list of seats know it.
#[derive(Debug)]
pub(super) struct Using {
    kind: SeatKind,
    begun: Instant,
    /// Requests under way, or [`GONE`].
    requests: AtomicU32,
    /// Microseconds from `begun` to the end of the last request.
    idle_since: AtomicU64,
    /// Says that no further request is welcome.
    pub(super) closing: Notify,
}

/// A request under way; dropped when it is answered.
#[derive(Debug)]
pub(super) struct UnderWay(Arc<Using>);

/// Set on a connection that was chosen to go.
const GONE: u32 = 1 << 31;

impl Rules {
    /// The rules of the listener for clients and browsers.
    pub(super) fn public(seats: usize, of_network: usize, proxies: Vec<IpAddr>) -> Self {
        let kept = seats * limits::CONNECTIONS_KEPT_PERCENT / 100;
        Self { seats, kept, of_network, proxies }
    }

    /// The rules of the listener for operators.
    pub(super) const fn of_operators() -> Self {
        let seats = limits::CONNECTIONS_OF_OPERATORS_MAX;
        Self { seats, kept: 0, of_network: seats, proxies: Vec::new() }
    }
}

impl Seats {
    /// Seats that nobody has taken.
    pub(super) fn new(rules: Rules) -> Self {
        let (sitting, networks) = (HashMap::new(), HashMap::new());
        Self { rules, begun: Instant::now(), sitting, networks }
    }

    /// A seat for somebody from `ip`, if there is one.
    pub(super) fn find(&self, ip: IpAddr) -> Place {
        let network = self.network(ip);
        let of_network = network.and_then(|network| self.networks.get(&network)).copied();
        let of_network = of_network.unwrap_or(0);
        if of_network >= self.rules.of_network {
            return match self.longest_idle(|sitting| sitting.network == network) {
                Some(sitting) if sitting.using.ask_to_go() => {
                    sitting.task.abort();
                    Place::Wait
                }
                Some(_) => Place::Wait,
                None => Place::NetworkFull,
            };
        }
        if self.sitting.len() >= self.rules.seats {
            if let Some(sitting) = self.longest_idle(|_| true)
                && sitting.using.ask_to_go()
            {
                sitting.task.abort();
            }
            return Place::Wait;
        }
        let is_open = self.sitting.len() < self.rules.seats - self.rules.kept.min(self.rules.seats);
        let kind = if is_open { SeatKind::Open } else { SeatKind::Kept };
        if kind == SeatKind::Kept && self.has_its_share_of_kept(network) {
            return Place::NetworkFull;
        }
        Place::Free(Arc::new(Using::new(kind, self.begun)))
    }

    /// Whether a network has as many of the kept seats as one may: whoever holds them slowly must not hold
    /// them all.
    fn has_its_share_of_kept(&self, network: Option<Network>) -> bool {
        let Some(network) = network else { return false };
        let is_kept = |sitting: &&Sitting| {
            sitting.network == Some(network) && sitting.using.kind() == SeatKind::Kept
        };
        let most = (self.rules.kept / limits::SEATS_KEPT_SHARE).max(1);
        self.sitting.values().filter(is_kept).count() >= most
    }

    /// Notes who took a seat.
    pub(super) fn take(&mut self, ip: IpAddr, using: Arc<Using>, task: AbortHandle) {
        let network = self.network(ip);
        if let Some(network) = network {
            *self.networks.entry(network).or_default() += 1;
        }
        self.sitting.insert(task.id(), Sitting { network, using, task });
    }

    /// Notes that a connection ended.
    pub(super) fn leave(&mut self, id: Id) {
        let Some(Sitting { network: Some(network), .. }) = self.sitting.remove(&id) else {
            return;
        };
        if let Some(count) = self.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.networks.remove(&network);
            }
        }
    }

    /// Asks everybody to go who asked for nothing in `span`; who is still there after another, goes.
    pub(super) fn close_idle(&self, span: Duration) {
        let span = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        let now = micros_since(self.begun);
        for sitting in self.sitting.values() {
            match sitting.using.idle_since() {
                Some(since) if now >= since.saturating_add(span.saturating_mul(2)) => {
                    if sitting.using.ask_to_go() {
                        sitting.task.abort();
                    }
                }
                Some(since) if now >= since.saturating_add(span) => {
                    sitting.using.closing.notify_one();
                }
                Some(_) | None => {}
            }
        }
    }

    /// Says to everybody that no further request is welcome.
    pub(super) fn close_all(&self) {
        for sitting in self.sitting.values() {
            sitting.using.closing.notify_one();
        }
    }

    fn network(&self, ip: IpAddr) -> Option<Network> {
        (!self.rules.proxies.contains(&ip.to_canonical())).then(|| Network::of(ip))
    }

    /// Who of these asked for nothing for the longest, and is asking for nothing now.
    fn longest_idle(&self, among: impl Fn(&Sitting) -> bool) -> Option<&Sitting> {
        let idle = self.sitting.values().filter(|sitting| among(sitting));
        let idle = idle.filter_map(|sitting| Some((sitting.using.idle_since()?, sitting)));
        idle.min_by_key(|(since, _)| *since).map(|(_, sitting)| sitting)
    }
}

impl Using {
    fn new(kind: SeatKind, begun: Instant) -> Self {
        let idle_since = AtomicU64::new(micros_since(begun));
        Self { kind, begun, requests: AtomicU32::new(0), idle_since, closing: Notify::new() }
    }

    /// Whom the seat is for.
    pub(super) const fn kind(&self) -> SeatKind {
        self.kind
    }

    /// Counts a request in; none where the connection was chosen to go.
    pub(super) fn begin(self: &Arc<Self>) -> Option<UnderWay> {
        let before = self.requests.fetch_add(1, Ordering::AcqRel);
        (before & GONE == 0).then(|| UnderWay(Arc::clone(self)))
    }

    /// Since when nothing was asked; none where something is, or it was chosen to go.
    fn idle_since(&self) -> Option<u64> {
        (self.requests.load(Ordering::Acquire) == 0)
            .then(|| self.idle_since.load(Ordering::Relaxed))
    }

    /// Chooses the connection to go, unless a request came in at this moment.
    fn ask_to_go(&self) -> bool {
        self.requests.compare_exchange(0, GONE, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.idle_since.store(micros_since(self.0.begun), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

fn micros_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::*;

    const ADA: &str = "192.0.2.7";
    const HER_NEIGHBOR: &str = "192.0.2.8";
    const ELSEWHERE: &str = "198.51.100.1";

    /// Seats, and connections that last until they are told to go.
    struct House {
        seats: Seats,
        connections: JoinSet<()>,
    }

    impl House {
        fn new(seats: usize, kept: usize, of_network: usize) -> Self {
            let proxies = vec!["203.0.113.1".parse().unwrap()];
            let rules = Rules { seats, kept, of_network, proxies };
            Self { seats: Seats::new(rules), connections: JoinSet::new() }
        }

        async fn come(&mut self, ip: &str) -> Result<Arc<Using>, Place> {
            tokio::time::advance(Duration::from_millis(1)).await;
            let ip = ip.parse().unwrap();
            match self.seats.find(ip) {
                Place::Free(using) => {
                    let task = self.connections.spawn(std::future::pending());
                    self.seats.take(ip, Arc::clone(&using), task);
                    Ok(using)
                }
                other @ (Place::Wait | Place::NetworkFull) => Err(other),
            }
        }

        async fn somebody_goes(&mut self) {
            let gone = self.connections.join_next_with_id().await.unwrap();
            self.seats.leave(gone.map_or_else(|error| error.id(), |(id, ())| id));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_seats_are_taken_the_longest_idle_goes() {
        let mut house = House::new(3, 0, 3);
        let first = house.come(ADA).await.unwrap();
        let second = house.come(ELSEWHERE).await.unwrap();
        let third = house.come(ADA).await.unwrap();
        drop(first.begin());
        let asking = second.begin();
        tokio::time::advance(Duration::from_secs(1)).await;
        drop(first.begin());
        assert!(matches!(house.come(ELSEWHERE).await, Err(Place::Wait)));
        assert!(third.begin().is_none(), "the third asked for nothing since it came");
        house.somebody_goes().await;
        house.come(ELSEWHERE).await.unwrap();
        assert!(matches!(house.come(ELSEWHERE).await, Err(Place::Wait)));
        assert!(first.begin().is_none());
        drop(asking);
        assert!(second.begin().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_replaces_its_own_idle_connections_and_nobody_elses() {
        let mut house = House::new(10, 0, 2);
        let (ada, elsewhere) =
            (house.come(ADA).await.unwrap(), house.come(ELSEWHERE).await.unwrap());
        let neighbor = house.come(HER_NEIGHBOR).await.unwrap();
        let (asking, _also) = (ada.begin().unwrap(), neighbor.begin().unwrap());
        assert!(matches!(house.come(ADA).await, Err(Place::NetworkFull)));
        drop(asking);
        assert!(matches!(house.come(HER_NEIGHBOR).await, Err(Place::Wait)));
        house.somebody_goes().await;
        house.come(HER_NEIGHBOR).await.unwrap();
        assert!(elsewhere.begin().is_some() && ada.begin().is_none());
        for _ in 0..7 {
            house.come("203.0.113.1").await.expect("a proxy speaks for many networks");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_seats_are_kept() {
        let rules = Rules::public(4_096, 512, Vec::new());
        assert_eq!(rules.kept, 204);
        let mut house = House::new(3, 1, 3);
        let mut kinds = Vec::new();
        for _ in 0..3 {
            kinds.push(house.come(ADA).await.unwrap().kind());
        }
        assert_eq!(kinds, [SeatKind::Open, SeatKind::Open, SeatKind::Kept]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_takes_its_share_of_the_kept_seats_and_no_more() {
        let mut house = House::new(18, 16, 18);
        for _ in 0..4 {
            let _asking = house.come(ADA).await.unwrap().begin().unwrap();
        }
        assert!(matches!(house.come(HER_NEIGHBOR).await, Err(Place::NetworkFull)));
        assert_eq!(house.come(ELSEWHERE).await.unwrap().kind(), SeatKind::Kept);
        house.come("203.0.113.1").await.expect("a proxy speaks for many networks");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_nothing_is_asked_to_go_and_goes_in_the_end() {
        let mut house = House::new(3, 0, 3);
        let (idle, busy) = (house.come(ADA).await.unwrap(), house.come(ADA).await.unwrap());
        let _asking = busy.begin();
        let span = Duration::from_mins(1);
        tokio::time::advance(span).await;
        house.seats.close_idle(span);
        idle.closing.notified().await;
        assert!(idle.begin().is_some(), "it may end in peace");
        tokio::time::advance(span * 2).await;
        house.seats.close_idle(span);
        assert!(idle.begin().is_none());
        house.somebody_goes().await;
        assert_eq!(house.seats.sitting.len(), 1);
    }
}
