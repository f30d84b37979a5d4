//! Tokens that nobody but a workspace can make, and that are kept nowhere.
//!
//! ```text
//! token = base64url without padding (RFC 4648 section 5) of: said ‖ code
//! said  = version ‖ number of the key ‖ what the token says
//! key   = BLAKE3 derive_key(context, workspace secret ‖ number of the key, 4 bytes)
//! code  = the first 16 bytes of BLAKE3 keyed with the key, of said
//! ```
//!
//! *Each kind of token has a version and a context of its own, so none is ever taken for another.* What a kind
//! says, and who may use it, stands with the kind.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::address::AddressKeySecret;
use crate::canonical::{Malformed, Reader, Writer};
use crate::limits;
use crate::proof::link_key::LinkKey;

/// Bytes of a code: half of what the hash gives.
///
/// *Source*: RFC 2104, section 5.
const CODE_BYTES: usize = 16;

/// A kind of token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Its first byte.
    pub(crate) version: u8,
    /// What its keys are derived for.
    pub(crate) context: &'static str,
}

/// A token as it came, before it is known who made it.
#[derive(Clone, Debug)]
pub(crate) struct Unverified<T> {
    /// What it says.
    pub(crate) says: T,
    key: LinkKey,
    said: Vec<u8>,
    code: [u8; CODE_BYTES],
}

impl Kind {
    /// The token that says what is written.
    pub(crate) fn seal(
        self,
        key: LinkKey,
        secret: &AddressKeySecret,
        write: impl FnOnce(&mut Writer),
    ) -> String {
        let mut said = Writer::default();
        said.byte(self.version);
        said.number(u64::from(key.number()));
        write(&mut said);
        let code = self.code(key, said.bytes(), secret);
        said.raw(&code);
        URL_SAFE_NO_PAD.encode(said.bytes())
    }

    /// Reads a token of this kind; nothing where it is none.
    pub(crate) fn parse<T>(
        self,
        token: &str,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, Malformed>,
    ) -> Option<Unverified<T>> {
        if token.len() > limits::LINK_TOKEN_BYTES_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (said, code) = bytes.split_last_chunk::<CODE_BYTES>()?;
        let mut from = Reader::new(said);
        if from.byte().ok()? != self.version {
            return None;
        }
        let key = LinkKey::from_number(u32::try_from(from.number().ok()?).ok()?);
        let says = read(&mut from).ok()?;
        from.end().ok()?;
        Some(Unverified { says, key, said: said.to_vec(), code: *code })
    }

    /// Whether the workspace with this secret made the token.
    pub(crate) fn is_made_by<T>(self, token: &Unverified<T>, secret: &AddressKeySecret) -> bool {
        self.code(token.key, &token.said, secret).ct_eq(&token.code).into()
    }

    fn code(self, key: LinkKey, said: &[u8], secret: &AddressKeySecret) -> [u8; CODE_BYTES] {
        let material = [secret.as_bytes().as_slice(), &key.number().to_be_bytes()].concat();
        let key = blake3::derive_key(self.context, &material);
        let full = blake3::keyed_hash(&key, said);
        *full.as_bytes().first_chunk().unwrap_or(&[0; CODE_BYTES])
    }
}
