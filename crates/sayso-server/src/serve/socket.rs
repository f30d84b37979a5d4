//! The socket in the data directory, by which commands of this machine reach a running server.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use axum::Router;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The socket's name.
pub const SOCKET: &str = "sayso.sock";

/// A bound socket. Its file goes when this does.
#[derive(Debug)]
pub(super) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Binds the socket in `directory`, readable and writable for the server's user alone. What an
    /// earlier process left there is removed: the store's lock says that no other one runs.
    pub(super) fn bind(directory: &std::path::Path) -> io::Result<Self> {
        let path = directory.join(SOCKET);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Serves until stopped.
    pub(super) async fn serve(self, router: Router, mut stopped: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        let service = TowerToHyperService::new(router.clone());
                        connections.spawn(async move {
                            let http = hyper::server::conn::http1::Builder::new();
                            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                                tracing::debug!(error = %error, "a local connection broke off");
                            }
                        });
                    }
                    Err(error) => tracing::warn!(error = %error, "a local connection could not be accepted"),
                },
                Some(_) = connections.join_next() => {}
                _ = stopped.wait_for(|stopped| *stopped) => break,
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(error = %error, "the socket was gone already");
        }
    }
}
