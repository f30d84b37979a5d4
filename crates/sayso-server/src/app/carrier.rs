//! The way to providers: the one client of this process, and how relays are encrypted to.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url, header};
use sayso_channels::call::Method;
use sayso_channels::outbound::HttpRequest;
use sayso_core::limits;

use super::encryption::Encryption;
use crate::body::duration;
use crate::outgoing::{self, Guard, GuardedResolver, Refused};

/// The one client of this server.
#[derive(Debug)]
pub(crate) struct Carrier {
    timeout: Duration,
    guard: Guard,
    /// Made when the first message goes; none if it cannot be made.
    client: OnceLock<Option<Client>>,
    encryption: Encryption,
}

/// What became of a request.
pub(crate) enum Exchange {
    /// There is an answer.
    Answered(Answered),
    /// Nothing was written.
    NotBegun,
    /// Nothing was written, for the guard does not let it there.
    NotAllowed(Refused),
    /// Something may have been written, and no answer came.
    Unanswered,
    /// It is no request.
    Unsendable,
}

/// An answer, and as much of its body as was read.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Vec<u8>>,
    pub(crate) body: Vec<u8>,
}

impl Carrier {
    /// A client that waits this long for an answer.
    pub(crate) fn new(timeout: Duration, guard: Guard) -> Self {
        Self { timeout, guard, client: OnceLock::new(), encryption: Encryption::default() }
    }

    /// How relays are encrypted to.
    pub(crate) const fn encryption(&self) -> &Encryption {
        &self.encryption
    }

    /// How long a provider may take to answer.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What it may call.
    pub(crate) const fn guard(&self) -> &Guard {
        &self.guard
    }

    fn client(&self) -> Option<&Client> {
        self.client.get_or_init(|| self.build()).as_ref()
    }

    fn build(&self) -> Option<Client> {
        // The one provider of this process; that it is installed already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        Client::builder()
            .user_agent(concat!("sayso/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(duration(limits::PROVIDER_CONNECT_TIMEOUT))
            .timeout(self.timeout)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(GuardedResolver::of_system(self.guard.clone())))
            .build()
            .inspect_err(|error| {
                tracing::error!(error = %error, "nothing can be sent: the HTTP client cannot be made");
            })
            .ok()
    }

    /// Makes a request, where the guard lets it.
    pub(crate) async fn exchange(&self, request: HttpRequest) -> Exchange {
        let Some(client) = self.client() else { return Exchange::NotBegun };
        let HttpRequest { method, url, headers, body } = request;
        let Ok(url) = Url::parse(&url) else { return Exchange::Unsendable };
        if let Err(refused) = self.guard.check(&url) {
            return Exchange::NotAllowed(refused);
        }
        let mut asking = match method {
            Method::Get => client.get(url),
            Method::Post => client.post(url).body(body),
        };
        for (name, value) in headers {
            asking = asking.header(name, value);
        }
        match asking.send().await {
            Ok(response) => Exchange::Answered(Answered::read(response).await),
            Err(error) if error.is_builder() => Exchange::Unsendable,
            Err(error) if error.is_connect() => {
                outgoing::refusal(&error).map_or(Exchange::NotBegun, Exchange::NotAllowed)
            }
            Err(_) => Exchange::Unanswered,
        }
    }
}

impl Answered {
    /// Reads an answer. A body that breaks off or is too long is what was read of it.
    async fn read(mut response: Response) -> Self {
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.map(|value| value.as_bytes().to_vec());
        let mut body = Vec::new();
        while let Ok(Some(piece)) = response.chunk().await {
            let room = limits::PROVIDER_ANSWER_BYTES_MAX.saturating_sub(body.len());
            body.extend(piece.iter().take(room));
            if room < piece.len() {
                break;
            }
        }
        Self { status: response.status().as_u16(), retry_after, body }
    }
}
