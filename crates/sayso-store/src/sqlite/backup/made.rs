//! What a restore makes in its target, to be taken away where it fails.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::files::make_private;

/// The files and directories that a restore made, in the order of their making.
#[derive(Debug)]
pub(super) struct Made {
    files: Vec<PathBuf>,
    /// The innermost last.
    directories: Vec<PathBuf>,
}

impl Made {
    /// Makes the target and the directories above it, as far as they are not there.
    pub(super) fn begin(to: &Path) -> Result<Self, (PathBuf, io::Error)> {
        let missing =
            to.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let mut directories: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
        directories.reverse();
        let made = Self { files: Vec::new(), directories };
        match make_private(to) {
            Ok(()) => Ok(made),
            Err(source) => {
                made.discard();
                Err((to.to_path_buf(), source))
            }
        }
    }

    /// A file that is the restore's own, whether or not it is there already.
    pub(super) fn makes(&mut self, path: PathBuf) {
        self.files.push(path);
    }

    /// A file that stays if it is there before.
    pub(super) fn will_make(&mut self, path: PathBuf) {
        if !path.exists() {
            self.files.push(path);
        }
    }

    /// Takes all of it away.
    pub(super) fn discard(self) {
        let gone = |result: io::Result<()>, path: &Path| match result {
            Err(error) if error.kind() != io::ErrorKind::NotFound => tracing::warn!(
                path = %path.display(), error = %error, "what a failed restore made could not be removed"
            ),
            Ok(()) | Err(_) => {}
        };
        for path in self.files.iter().rev() {
            gone(fs::remove_file(path), path);
        }
        for path in self.directories.iter().rev() {
            gone(fs::remove_dir(path), path);
        }
    }
}
