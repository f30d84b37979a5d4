//! Getting a page by its URL, as a browser would ask for it the first time: no cookies, no script,
//! nothing that the page names.
//!
//! Bounded in time, length and redirects. Certificates are checked as browsers check them, and what
//! is wrong with one is said in words: it is a finding of its own, as browsers refuse it too.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, StatusCode, Url};
use rustls::CertificateError;
use thiserror::Error;

/// The longest page that is read, in bytes.
pub(crate) const PAGE_BYTES_MAX: usize = 4_194_304;
/// How often a page may say that it is elsewhere.
const REDIRECTS_MAX: usize = 5;

/// How a page is asked for.
#[derive(Debug)]
pub(crate) struct Fetch<'a> {
    /// Where it is: http or https.
    pub(crate) url: &'a str,
    /// The certificates to trust instead of the system's.
    pub(crate) ca: Option<&'a Path>,
    /// How long it may take from beginning to end.
    pub(crate) patience: Duration,
}

/// A page that came.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Where it was in the end.
    pub(crate) url: String,
    /// Its source.
    pub(crate) bytes: Vec<u8>,
}

/// Why no page came.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    #[error("is no URL of a page; a good value: https://shop.example/")]
    Address,
    #[error("cannot read the certificates in {}: {fault}", path.display())]
    Authority { path: PathBuf, fault: String },
    #[error("the certificate {0}")]
    Certificate(String),
    #[error("TLS fails: {0}. If the server speaks plain HTTP there, write http://")]
    Tls(String),
    #[error("redirects more than {REDIRECTS_MAX} times: name the page it should lead to")]
    Redirects,
    #[error("took longer than {} s: see whether it opens in a browser, or give it more with --timeout", patience.as_secs())]
    Slow { patience: Duration },
    #[error("is longer than 4 MiB: save the part with the tag to a file, and name the file")]
    Long,
    #[error("answers {0}, so this is not the page: name one that opens without a login")]
    Status(StatusCode),
    #[error("cannot be reached: {0}")]
    Unreachable(String),
}

impl Fetch<'_> {
    /// Gets the page.
    pub(crate) async fn run(&self) -> Result<Fetched, FetchError> {
        let url = Url::parse(self.url).map_err(|_| FetchError::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(FetchError::Address);
        }
        let client = self.client()?;
        let fault = |error| self.fault_of(&error);
        let mut response = client.get(url).send().await.map_err(fault)?;
        if !response.status().is_success() {
            return Err(FetchError::Status(response.status()));
        }
        let url = response.url().to_string();
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(fault)? {
            if bytes.len() + piece.len() > PAGE_BYTES_MAX {
                return Err(FetchError::Long);
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(Fetched { url, bytes })
    }

    fn client(&self) -> Result<Client, FetchError> {
        // The one provider of this process; that it is installed already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .user_agent(concat!("sayso-doctor/", env!("CARGO_PKG_VERSION")))
            .timeout(self.patience)
            .redirect(Policy::limited(REDIRECTS_MAX));
        if let Some(path) = self.ca {
            builder = builder.tls_certs_only(authorities(path)?);
        }
        builder.build().map_err(|error| FetchError::Unreachable(innermost_cause(&error)))
    }

    fn fault_of(&self, error: &reqwest::Error) -> FetchError {
        if error.is_redirect() {
            FetchError::Redirects
        } else if error.is_timeout() {
            FetchError::Slow { patience: self.patience }
        } else if let Some(fault) = tls_fault(error) {
            if let rustls::Error::InvalidCertificate(fault) = fault {
                FetchError::Certificate(certificate_words(fault))
            } else {
                FetchError::Tls(fault.to_string())
            }
        } else {
            FetchError::Unreachable(innermost_cause(error))
        }
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, FetchError> {
    let fault = |fault: String| FetchError::Authority { path: path.to_owned(), fault };
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let found =
        Certificate::from_pem_bundle(&bytes).map_err(|error| fault(innermost_cause(&error)))?;
    if found.is_empty() {
        return Err(fault("there is no -----BEGIN CERTIFICATE----- in it".to_owned()));
    }
    Ok(found)
}

/// What TLS found wrong, wherever in the chain of causes it stands. An `io::Error` hides what it
/// wraps from `source`.
fn tls_fault<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<rustls::Error>() {
            return Some(fault);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(fault) = inner.and_then(|inner| tls_fault(inner)) {
            return Some(fault);
        }
        next = error.source();
    }
    None
}

/// What is wrong with a certificate, and what to do.
fn certificate_words(fault: &CertificateError) -> String {
    use CertificateError as Fault;
    if matches!(fault, Fault::UnknownIssuer) {
        "is signed by nobody that this system trusts, and browsers will refuse it too. If the \
         authority is your own, name its certificate: --ca FILE"
            .to_owned()
    } else if matches!(fault, Fault::Expired | Fault::ExpiredContext { .. }) {
        format!("is out of date, and browsers will refuse it too: renew it ({fault})")
    } else if matches!(fault, Fault::NotValidYet | Fault::NotValidYetContext { .. }) {
        format!("is not valid yet: look at the clocks of the server and of this machine ({fault})")
    } else if matches!(fault, Fault::NotValidForName | Fault::NotValidForNameContext { .. }) {
        format!("is for another name: name the host as the certificate does ({fault})")
    } else {
        format!("cannot be accepted: {fault}")
    }
}

/// The innermost cause, which is the one that a reader can do something about.
fn innermost_cause(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
