//! How many files the process may have open, and what that leaves for connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use sayso_core::limits;

/// How many connections may be open of the `wanted` ones. The limit of open files is raised as far as the
/// operating system lets the process, for a shell often gives 1,024; where that is too little, the log
/// says so.
pub(super) fn seats(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: maximum, maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(error = %error, "the limit of open files could not be raised");
            current
        }
    };
    // No number means no limit.
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    let seats = within(files, wanted);
    if seats < wanted {
        tracing::warn!(
            files_max = files,
            wanted,
            connections_max = seats,
            "the process may open too few files for server.connections_max: it is lowered; raise the hard limit (`ulimit -Hn`, or LimitNOFILE of systemd) and start again"
        );
    }
    seats
}

/// What a limit of open files leaves for connections: half of one that is small.
fn within(files: usize, wanted: usize) -> usize {
    let left = files.saturating_sub(limits::FILES_BESIDE_CONNECTIONS).max(files / 2);
    wanted.min(left.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_no_more_than_files_allow() {
        assert_eq!(within(usize::MAX, 4_096), 4_096);
        assert_eq!(within(4_608, 4_096), 4_096);
        assert_eq!(within(4_607, 4_096), 4_095);
        assert_eq!(within(1_024, 4_096), 512);
        assert_eq!(within(256, 4_096), 128);
        assert_eq!(within(0, 4_096), 1);
    }
}
