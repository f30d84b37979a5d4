//! API keys: how they are made, and who presents one.
//!
//! *Shape:* `sk_live_` or `sk_test_`, 32 letters and digits of randomness (160 bits), and 6 of
//! checksum, so that secret scanners can tell a leaked key from any other text. The store keeps the
//! SHA-256 alone; the key is shown once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, RwLock};

use sayso_core::id::{KeyId, WorkspaceId};
use sayso_core::words::source::{Road, SourceName};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{ApiKey, KeyScope, Mode, Workspace};
use sayso_store::environment::Environment;
use sha2::{Digest, Sha256};

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM_LETTERS: usize = 32;
const CHECK_LETTERS: usize = 6;

/// What a new key may do.
#[derive(Clone, Debug)]
pub struct KeyGrant {
    /// How operators call it; also the name of the source of what it records.
    pub name: SourceName,
    /// What it may do.
    pub scopes: Vec<KeyScope>,
    /// The highest standing it may record.
    pub highest: Standing,
}

/// A key that was just made.
#[derive(Clone)]
pub struct Minted {
    /// The key itself, shown once.
    pub secret: String,
    /// Its id.
    pub id: KeyId,
    /// What the store keeps.
    pub key: ApiKey,
}

/// A key in force, and the workspace it opens.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The workspace, as it is configured now.
    pub(crate) workspace: Arc<Workspace>,
    /// The id of the key.
    pub(crate) id: KeyId,
    /// The key.
    pub(crate) key: ApiKey,
    /// The road by which what it records comes in.
    pub(crate) road: Road,
}

/// Why a key opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheld {
    /// It is not of the shape of a key.
    Malformed,
    /// Its checksum does not fit.
    Mistyped,
    /// No workspace has it.
    Unknown,
    /// It was revoked.
    Revoked,
}

type Configurations = Arc<BTreeMap<WorkspaceId, Arc<Workspace>>>;

/// Finds the holder of a key by its hash. Made anew whenever a configuration changes.
#[derive(Debug, Default)]
pub(crate) struct Keyring(RwLock<Arc<Index>>);

#[derive(Debug, Default)]
struct Index {
    made_from: Option<Configurations>,
    holders: HashMap<[u8; 32], Arc<Holder>>,
    revoked: HashSet<[u8; 32]>,
}

/// Makes a key. Recording it is for the caller: [`sayso_core::workspace::Change::Key`].
pub fn mint(environment: &Environment, mode: Mode, grant: KeyGrant) -> Minted {
    let prefix = match mode {
        Mode::Live => "sk_live_",
        Mode::Test => "sk_test_",
    };
    let body = format!("{prefix}{}", letters(&environment.random::<20>()));
    let secret = format!("{body}{}", checksum(&body));
    let key = ApiKey {
        name: grant.name,
        sha256: Sha256::digest(&secret).into(),
        scopes: grant.scopes,
        highest: grant.highest,
        created_at: environment.clock.now(),
        revoked_at: None,
    };
    Minted { secret, id: KeyId::from_bytes(environment.time_sortable_id()), key }
}

/// Writes bytes in Crockford's base 32, five bits a letter.
pub(crate) fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xffff;
        held += 8;
        while held >= 5 {
            held -= 5;
            let [.., low] = (bits >> held).to_be_bytes();
            text.push(char::from(letter(low)));
        }
    }
    text
}

/// The letter of the lower five bits, as ASCII.
pub(crate) fn letter(bits: u8) -> u8 {
    LETTERS.get(usize::from(bits & 31)).copied().unwrap_or(b'0')
}

fn checksum(body: &str) -> String {
    let hash = Sha256::new().chain_update(b"sayso api key\n").chain_update(body).finalize();
    letters(&hash).chars().take(CHECK_LETTERS).collect()
}

/// Whether the checksum of a key fits; nothing if the text is not of the shape of a key.
fn checked(secret: &str) -> Option<bool> {
    let body = secret.len().checked_sub(CHECK_LETTERS).and_then(|at| secret.split_at_checked(at));
    let (body, check) = body?;
    let random = body.strip_prefix("sk_live_").or_else(|| body.strip_prefix("sk_test_"))?;
    (random.len() == RANDOM_LETTERS).then(|| checksum(body) == check)
}

impl Keyring {
    /// The holder of a key, if it is in force. The checksum is not looked at for that: a text with a
    /// wrong one has the hash of no key. It only tells what is wrong.
    ///
    /// # Errors
    /// Why the key opens nothing.
    pub(crate) fn find(
        &self,
        secret: &str,
        workspaces: &Configurations,
    ) -> Result<Arc<Holder>, Unheld> {
        let hash: [u8; 32] = Sha256::digest(secret).into();
        let index = self.index(workspaces);
        if let Some(holder) = index.holders.get(&hash) {
            return Ok(Arc::clone(holder));
        }
        Err(match checked(secret) {
            _ if index.revoked.contains(&hash) => Unheld::Revoked,
            None => Unheld::Malformed,
            Some(false) => Unheld::Mistyped,
            Some(true) => Unheld::Unknown,
        })
    }

    fn index(&self, workspaces: &Configurations) -> Arc<Index> {
        let held = self.0.read().map(|index| Arc::clone(&index)).unwrap_or_default();
        if held.made_from.as_ref().is_some_and(|made_from| Arc::ptr_eq(made_from, workspaces)) {
            return held;
        }
        let made = Arc::new(Index::of(workspaces));
        if let Ok(mut slot) = self.0.write() {
            *slot = Arc::clone(&made);
        }
        made
    }
}

impl Index {
    fn of(workspaces: &Configurations) -> Self {
        let keys = workspaces
            .values()
            .flat_map(|workspace| workspace.keys.iter().map(move |(id, key)| (workspace, id, key)));
        let (live, revoked): (Vec<_>, Vec<_>) = keys.partition(|(_, _, key)| key.is_live());
        let holders = live.into_iter().map(|(workspace, id, key)| {
            let holder = Holder {
                workspace: Arc::clone(workspace),
                id: *id,
                key: key.clone(),
                road: Road::Api,
            };
            (key.sha256, Arc::new(holder))
        });
        Self {
            holders: holders.collect(),
            revoked: revoked.into_iter().map(|(_, _, key)| key.sha256).collect(),
            made_from: Some(Arc::clone(workspaces)),
        }
    }
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted() -> Minted {
        let grant = KeyGrant {
            name: SourceName::parse("test").unwrap(),
            scopes: vec![KeyScope::Check],
            highest: Standing::Act,
        };
        mint(&Environment::system(), Mode::Test, grant)
    }

    #[test]
    fn a_key_has_a_prefix_160_random_bits_and_a_checksum() {
        let secret = minted().secret;
        assert!(secret.starts_with("sk_test_") && secret.len() == 8 + 32 + 6, "{secret}");
        let (body, check) = secret.split_at(8 + 32);
        assert_eq!(check, checksum(body));
        assert_ne!(check, checksum(&body.replace("sk_test_", "sk_live_")));
    }

    #[test]
    fn a_minted_key_never_shows_itself() {
        let minted = minted();
        assert!(!format!("{minted:?}").contains(&minted.secret));
    }
}
