//! Certificates, read from PEM files.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

use crate::config::TlsConfig;

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum TlsFault {
    /// A file cannot be read, or is no PEM.
    #[error("cannot read {path} as PEM")]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The key does not fit the certificate, or is of a kind that is not supported.
    #[error("the key does not fit the certificate")]
    Mismatch(#[source] rustls::Error),
}

/// An acceptor with the certificate of these files.
pub(super) fn acceptor(files: &TlsConfig) -> Result<TlsAcceptor, TlsFault> {
    let fault = |path: &PathBuf| {
        let path = path.clone();
        move |source| TlsFault::Pem { path, source }
    };
    let chain =
        CertificateDer::pem_file_iter(&files.certificate).map_err(fault(&files.certificate))?;
    let chain: Vec<CertificateDer<'static>> =
        chain.collect::<Result<_, _>>().map_err(fault(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(fault(&files.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsFault::Mismatch)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(TlsFault::Mismatch)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
