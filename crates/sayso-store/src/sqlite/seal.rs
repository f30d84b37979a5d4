//! Encryption of what is personal: AES-256-GCM-SIV (RFC 8452), a data key for each workspace,
//! wrapped by the master key.
//!
//! The master key is a file of its own, made `0600` at the first start and never in a backup. Who
//! has it and the store can read addresses and evidence. Who loses it has lost those, and the
//! secrets that turn an address into its key: the events still stand, but nobody can be looked up.
//! A [rotation](super::rotation) wraps the same workspace keys under another master key.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sayso_core::address::AddressKeySecret;
use sha2::{Digest, Sha256};

use crate::environment::Environment;

const NONCE_BYTES: usize = 12;
/// The number of the only data key a workspace has so far: a rotation wraps it anew and keeps it.
const FIRST_KEY: u32 = 1;

/// A sealed text that does not open: another key, another place, or changed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sealed value does not open with the keys at hand")]
pub(super) struct DoesNotOpen;

/// The key that wraps the workspaces' keys.
pub(super) struct MasterKey([u8; 32]);

/// The cipher of one key. What it seals begins with the key's number and the nonce.
#[derive(Clone)]
pub(super) struct Vault {
    cipher: Aes256GcmSiv,
    number: u32,
}

/// The secrets of a workspace.
#[derive(Clone)]
pub(super) struct Secrets {
    pub(super) address_keys: AddressKeySecret,
    pub(super) vault: Vault,
}

impl MasterKey {
    /// Reads a key file: 32 bytes and nothing else.
    pub(super) fn read(path: &Path) -> io::Result<Self> {
        let mut bytes = Vec::new();
        // One byte more than a key has, so that a longer file is not taken for one.
        File::open(path)?.take(33).read_to_end(&mut bytes)?;
        let key = bytes.try_into().map_err(|_| {
            io::Error::new(
                ErrorKind::InvalidData,
                "this is no master key, which has 32 bytes: put the right file there",
            )
        })?;
        Ok(Self(key))
    }

    /// Makes a key in a file that its owner alone may read; it is on disk when this returns.
    pub(super) fn make(path: &Path, environment: &Environment) -> io::Result<Self> {
        let key = Self(environment.random());
        key.write(path)?;
        Ok(key)
    }

    /// Writes the key, as [`MasterKey::make`] does: under another name first, so that there is a
    /// whole key of this name or none.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        // One that a broken-off attempt left may have been copied with other permissions.
        if let Err(error) = std::fs::remove_file(&partial)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(&partial)?;
        file.write_all(&self.0)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        path.parent().map_or(Ok(()), super::files::sync_directory)
    }

    /// Reads the key file, or makes it at the first start.
    pub(super) fn open(path: &Path, environment: &Environment) -> io::Result<Self> {
        match Self::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::make(path, environment),
            read => read,
        }
    }

    /// A key that lives in memory alone.
    pub(super) fn ephemeral(environment: &Environment) -> Self {
        Self(environment.random())
    }

    /// What tells this key from another without giving it away.
    pub(super) fn fingerprint(&self) -> [u8; 8] {
        let mut hasher = Sha256::new();
        hasher.update(b"sayso master key fingerprint\n");
        hasher.update(self.0);
        let full: [u8; 32] = hasher.finalize().into();
        *full.first_chunk().unwrap_or(&[0; 8])
    }

    /// A code by which this key knows again what it wrote under that name: HMAC-SHA-256 (RFC 2104) by
    /// a key derived from it.
    pub(super) fn mac(&self, name: &[u8], bytes: &[u8]) -> [u8; 32] {
        let derived = code(&self.0, [b"sayso master key code\n", name]);
        code(&derived, [bytes, b""])
    }

    /// The cipher of the key itself.
    pub(super) fn vault(&self) -> Vault {
        Vault::new(&self.0, 0)
    }

    /// Makes the secrets of a new workspace, and seals them for its row.
    pub(super) fn make_secrets(
        &self,
        workspace: &[u8],
        environment: &Environment,
    ) -> (Secrets, Vec<u8>) {
        let plain: [u8; 64] = environment.random();
        let sealed = self.vault().seal(&[b"workspace", workspace], &plain, environment);
        (Secrets::of(&plain), sealed)
    }

    /// Opens the secrets of a workspace.
    pub(super) fn open_secrets(
        &self,
        workspace: &[u8],
        sealed: &[u8],
    ) -> Result<Secrets, DoesNotOpen> {
        self.open_plain(workspace, sealed).map(|plain| Secrets::of(&plain))
    }

    /// Seals the secrets of a workspace under `next` instead; they stay what they are.
    pub(super) fn rewrap(
        &self,
        next: &Self,
        (workspace, sealed): (&[u8], &[u8]),
        environment: &Environment,
    ) -> Result<Vec<u8>, DoesNotOpen> {
        let plain = self.open_plain(workspace, sealed)?;
        Ok(next.vault().seal(&[b"workspace", workspace], &plain, environment))
    }

    fn open_plain(&self, workspace: &[u8], sealed: &[u8]) -> Result<[u8; 64], DoesNotOpen> {
        let plain = self.vault().open(&[b"workspace", workspace], sealed)?;
        plain.try_into().map_err(|_| DoesNotOpen)
    }
}

/// HMAC-SHA-256 (RFC 2104) of two parts, one after the other.
fn code(key: &[u8; 32], parts: [&[u8]; 2]) -> [u8; 32] {
    // A key is filled up to the block of the hash with zeros.
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

impl Secrets {
    /// A code by which the holder of these secrets knows again what they wrote under that name, whichever
    /// master key wraps them now.
    pub(super) fn mac(&self, name: &[u8], bytes: &[u8]) -> [u8; 32] {
        let derived = code(self.address_keys.as_bytes(), [b"sayso workspace code\n", name]);
        code(&derived, [bytes, b""])
    }

    fn of(plain: &[u8; 64]) -> Self {
        let (address_keys, data_key) = plain.split_at(32);
        let half = |bytes: &[u8]| *bytes.first_chunk::<32>().unwrap_or(&[0; 32]);
        Self {
            address_keys: AddressKeySecret::from_bytes(half(address_keys)),
            vault: Vault::new(&half(data_key), FIRST_KEY),
        }
    }
}

impl Vault {
    fn new(key: &[u8; 32], number: u32) -> Self {
        Self { cipher: Aes256GcmSiv::new(key.into()), number }
    }

    /// Seals `plain` for the place that `place` names; it opens nowhere else.
    pub(super) fn seal(&self, place: &[&[u8]], plain: &[u8], environment: &Environment) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = environment.random();
        let aad = place.concat();
        // The cipher fails only for texts of 64 GiB; nothing sealed here reaches a megabyte.
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), Payload { msg: plain, aad: &aad })
            .unwrap_or_default();
        [&self.number.to_be_bytes()[..], &nonce, &sealed].concat()
    }

    /// Opens what was sealed for the same place.
    pub(super) fn open(&self, place: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, DoesNotOpen> {
        let (number, rest) = sealed.split_first_chunk::<4>().ok_or(DoesNotOpen)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
        if u32::from_be_bytes(*number) != self.number {
            return Err(DoesNotOpen);
        }
        let aad = place.concat();
        self.cipher
            .decrypt(&Nonce::from(*nonce), Payload { msg: text, aad: &aad })
            .map_err(|_| DoesNotOpen)
    }
}
