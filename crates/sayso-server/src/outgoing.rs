//! Where this server calls: the guard before every URL that an operator enters.
//!
//! Who may configure a workspace does not thereby reach what is near this machine. An address of the
//! public internet may be called; a private one, this machine's own included, only where the settings allow
//! its network (`outgoing.allow_private`), whatever the provider: a Kannel beside this server is named there
//! by whoever runs the server, not by whoever configures a workspace. What is nobody's service, and where
//! clouds tell machines their secrets, is never called. A name is judged by what it resolves to at the moment of the call:
//! the connection goes to the addresses that were judged. There are no redirects and no proxies.

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use self::place::Place;

pub(crate) mod place;

/// What may be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// Private networks that may be.
    allow_private: Vec<IpNet>,
}

/// Why a URL is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Refused {
    /// It names no host.
    #[error("names no host")]
    NoHost,
    /// A port below 1024 that is not the web's.
    #[error("names the port {0}, where no provider's API is: use 443, or one from 1024")]
    Port(u16),
    /// A port where no mail relay listens.
    #[error("names the port {0}, where no relay listens: use 465, 587 or 25, or one from 1024")]
    RelayPort(u16),
    /// A name of this machine.
    #[error(
        "names this machine: write 127.0.0.1, and see that outgoing.allow_private in the settings has it"
    )]
    Localhost,
    /// An address of a network that the settings do not allow.
    #[error(
        "leads to {0}, which is private: the operator may allow its network in the setting outgoing.allow_private"
    )]
    Private(IpAddr),
    /// An address where no provider is.
    #[error("leads to {0}, an address that is no provider's")]
    Nowhere(IpAddr),
}

impl Guard {
    /// A guard that lets calls through to these private networks.
    pub const fn new(allow_private: Vec<IpNet>) -> Self {
        Self { allow_private }
    }

    /// Judges a URL by what it says itself; a name is judged again when it is resolved.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refused> {
        let host = url.host_str().ok_or(Refused::NoHost)?;
        if let Some(port) = url.port().filter(|port| *port < 1_024 && !matches!(port, 80 | 443)) {
            return Err(Refused::Port(port));
        }
        self.check_host(host)
    }

    /// Judges where a mail relay is said to be, as [`check`](Self::check) does.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn check_relay(&self, host: &str, port: u16) -> Result<(), Refused> {
        if port < 1_024 && !matches!(port, 25 | 465 | 587) {
            return Err(Refused::RelayPort(port));
        }
        self.check_host(host)
    }

    fn check_host(&self, host: &str) -> Result<(), Refused> {
        match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(ip) => self.check_address(ip),
            Err(_) if is_localhost(host) => {
                let loopback =
                    [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])];
                let allowed = loopback.into_iter().all(|ip| self.check_address(ip).is_ok());
                if allowed { Ok(()) } else { Err(Refused::Localhost) }
            }
            Err(_) => Ok(()),
        }
    }

    /// Judges an address.
    ///
    /// # Errors
    /// [`Refused::Private`] and [`Refused::Nowhere`].
    pub(crate) fn check_address(&self, ip: IpAddr) -> Result<(), Refused> {
        match Place::of(ip) {
            Place::Public => Ok(()),
            Place::Private => {
                let ip = ip.to_canonical();
                let is_allowed = self.allow_private.iter().any(|network| network.contains(&ip));
                if is_allowed { Ok(()) } else { Err(Refused::Private(ip)) }
            }
            Place::Nowhere => Err(Refused::Nowhere(ip)),
        }
    }
}

/// Why there is no address to connect to.
pub(crate) enum Unresolved {
    /// The guard does not let it there.
    Refused(Refused),
    /// Nobody knows the name now.
    Unknown,
}

/// The addresses of a host that may be called, to be connected to as they are.
///
/// # Errors
/// [`Unresolved`]. One address that may not be called refuses the name.
pub(crate) async fn resolve_relay(
    guard: &Guard,
    host: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, Unresolved> {
    guard.check_relay(host, port).map_err(Unresolved::Refused)?;
    let found = tokio::net::lookup_host((host, port)).await.map_err(|_| Unresolved::Unknown)?;
    let addresses: Vec<SocketAddr> = found.collect();
    for address in &addresses {
        guard.check_address(address.ip()).map_err(Unresolved::Refused)?;
    }
    Ok(addresses)
}

/// Whether a name is this machine's wherever it is asked.
pub(crate) fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

/// What the guard said, where it is why a call failed.
pub(crate) fn refusal(error: &reqwest::Error) -> Option<Refused> {
    let mut cause: Option<&(dyn StdError + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return Some(*refused);
        }
        cause = error.source();
    }
    None
}

/// Resolves names, and gives out only what may be called. One address that may not refuses the name:
/// nobody honest has both.
pub(crate) struct GuardedResolver {
    guard: Guard,
    inner: Arc<dyn Resolve>,
}

impl GuardedResolver {
    /// Over the resolver of this system.
    pub(crate) fn of_system(guard: Guard) -> Self {
        Self { guard, inner: Arc::new(SystemResolver) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, resolving) = (self.guard.clone(), self.inner.resolve(name));
        Box::pin(async move {
            let addresses: Vec<SocketAddr> = resolving.await?.collect();
            for address in &addresses {
                guard.check_address(address.ip())?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

/// The resolver of this system.
struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the URL's; zero stands for it.
            let addresses = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(addresses.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use axum::Router;
    use axum::routing::get;
    use reqwest::redirect::Policy;
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    fn guard(networks: &[&str]) -> Guard {
        Guard::new(networks.iter().map(|network| network.parse().unwrap()).collect())
    }

    fn check(guard: &Guard, url: &str) -> Result<(), Refused> {
        guard.check(&Url::parse(url).unwrap())
    }

    #[test]
    fn every_spelling_of_an_address_is_that_address() {
        let loopback = Refused::Private([127, 0, 0, 1].into());
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://user@127.0.0.1/",
        ] {
            assert_eq!(check(&guard(&[]), url), Err(loopback), "{url}");
            assert_eq!(check(&guard(&["127.0.0.0/8"]), url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_tells_machines_their_secrets_is_never_called_whatever_is_allowed() {
        let all = guard(&["0.0.0.0/0", "::/0"]);
        for host in [
            "169.254.169.254",
            "0xa9fea9fe",
            "[::ffff:169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[2002:a9fe:a9fe::]",
            "[fd00:ec2::254]",
            "[fd20:ce::254]",
            "100.100.100.200",
            "168.63.129.16",
            "0.0.0.0",
            "[::]",
            "[fe80::1]",
        ] {
            let refused = check(&all, &format!("http://{host}/latest"));
            assert!(matches!(refused, Err(Refused::Nowhere(_))), "{host}: {refused:?}");
        }
    }

    #[test]
    fn this_machine_is_called_only_where_the_settings_allow_it() {
        for url in ["http://127.0.0.1:13013", "http://[::1]:13013", "http://127.8.9.1:13013"] {
            assert!(matches!(check(&guard(&[]), url), Err(Refused::Private(_))), "{url}");
            let allowed = guard(&["127.0.0.0/8", "::1/128"]);
            assert_eq!(check(&allowed, url), Ok(()), "{url}");
        }
        for url in ["http://localhost:13013", "http://a.LocalHost.:13013"] {
            assert_eq!(check(&guard(&[]), url), Err(Refused::Localhost), "{url}");
            let allowed = guard(&["127.0.0.0/8", "::1/128"]);
            assert_eq!(check(&allowed, url), Ok(()), "{url}");
        }
        assert!(check(&guard(&[]), "http://10.0.0.7").is_err());
        assert!(check(&guard(&["10.0.0.0/24"]), "http://10.0.0.7").is_ok());
        assert!(check(&guard(&["10.0.0.0/24"]), "http://10.0.1.7").is_err());
        assert!(check(&guard(&[]), "https://api.example").is_ok());
        let mail = check(&guard(&[]), "https://api.example:25");
        assert_eq!(mail, Err(Refused::Port(25)));
    }

    /// Answers with these addresses, in turn.
    struct Scripted(Mutex<VecDeque<Vec<[u8; 4]>>>);

    impl Resolve for Scripted {
        fn resolve(&self, _: Name) -> Resolving {
            let answer = self.0.lock().unwrap().pop_front().unwrap_or_default();
            let answer = answer.into_iter().map(|ip| SocketAddr::from((ip, 0)));
            let answer: Addrs = Box::new(answer.collect::<Vec<_>>().into_iter());
            Box::pin(std::future::ready(Ok(answer)))
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to_each_time_it_is_called() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let close = [("connection", "close")];
        let router = Router::new().fallback(get(move || async move { (close, "here") }));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        let near = [127, 0, 0, 1];
        // A name whose owner answers one thing when it is looked at, and another when it is called.
        let answers = vec![vec![near], vec![[127, 0, 0, 2]], vec![near, [10, 0, 0, 7]], vec![near]];
        let inner = Arc::new(Scripted(Mutex::new(answers.into())));
        let resolver = GuardedResolver { guard: guard(&["127.0.0.1/32"]), inner };
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(resolver))
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let call = async || {
            let called = client.get(format!("http://provider.example:{port}/")).send().await;
            called.map(|answer| answer.status()).map_err(|error| {
                assert!(error.is_connect(), "nothing was written: {error:?}");
                refusal(&error)
            })
        };
        assert_eq!(call().await.unwrap(), 200);
        assert_eq!(call().await.unwrap_err(), Some(Refused::Private([127, 0, 0, 2].into())));
        assert_eq!(call().await.unwrap_err(), Some(Refused::Private([10, 0, 0, 7].into())));
        assert_eq!(call().await.unwrap(), 200);
        assert_eq!(call().await.unwrap_err(), None, "a name without an address is out of reach");
    }
}
