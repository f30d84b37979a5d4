//! The parsers of files that lie beside a store, for whoever hands them any bytes.
//!
//! Absent from what ships. Each function panics where a file is taken that this store did not write.

use super::backup;
use super::gate::file;
use super::seal::MasterKey;
use crate::environment::Environment;

/// A master key, and what lies sealed by it.
pub struct Sealing {
    master: MasterKey,
    environment: Environment,
}

impl Sealing {
    /// A key of nobody.
    pub fn new(environment: Environment) -> Self {
        Self { master: MasterKey::ephemeral(&environment), environment }
    }

    /// Opens saved gate indexes: these bytes as a file, and a file that is sealed by the key and holds them.
    /// Says whether the second is one.
    ///
    /// # Panics
    /// Where the first is one: it has no seal.
    pub fn gate_index(&self, bytes: &[u8]) -> bool {
        let vault = self.master.vault();
        assert!(file::open_from(&mut &*bytes, &vault).is_err(), "an index that nobody sealed");
        let sealed = file::sealed(bytes, (&vault, &self.environment));
        file::open_from(&mut &*sealed, &vault).is_ok()
    }

    /// Reads the manifest of a backup. Says whether it is one.
    ///
    /// # Panics
    /// Where it has this key's seal.
    pub fn manifest(&self, bytes: &[u8]) -> bool {
        backup::reads_manifest(bytes, &self.master)
    }

    /// Reads a list of erasures. Says whether it is one.
    ///
    /// # Panics
    /// Where a line is not printed as it was read.
    pub fn erasures(&self, bytes: &[u8]) -> bool {
        backup::reads_erasures(bytes)
    }
}
