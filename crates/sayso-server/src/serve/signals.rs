//! What the operating system tells the process: stop, reload.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Reload;
use crate::config::Config;

/// Ends at SIGTERM or SIGINT; at each SIGHUP reads the configuration anew and hands it on.
///
/// # Errors
/// The operating system's, if signals cannot be heard.
pub fn until_stop(
    reload: Reload,
    changes: watch::Sender<Option<Config>>,
) -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hang_up.recv() => {
                    if let Some(config) = reload() {
                        let _nobody_listens = changes.send(Some(config));
                    }
                }
            }
        }
    })
}
