//! Event ids: derived from the request as sent, so that a retry is the same event (rule 3).
//!
//! Encoding `id-v1`, frozen. Fields are length-prefixed ([`crate::canonical::Writer`]):
//!
//! - request hash = BLAKE3 of what the caller sent about this event, keyed with the workspace's
//!   secret: whoever has the events alone cannot find an address by trying all numbers
//! - event id = the first 16 bytes of SHA-256("sayso event id-v1\n" ‖ workspace ‖ identity ‖ part),
//!   the very first bit set for a keyed request and cleared for any other
//!
//! The identity of a keyed request is its idempotency key, hashed likewise (tag byte 1); of an unkeyed request with
//! a time of its own it is the request hash (tag byte 2); of one with neither it is the request
//! hash and our receipt (tag byte 3), since saying the same thing tomorrow is another fact. One
//! request may make several events; `part` numbers them.

use sha2::{Digest, Sha256};

use crate::address::AddressKeySecret;
use crate::canonical::Writer;
use crate::id::{EventId, WorkspaceId};
use crate::time::Timestamp;

/// Keyed hash of what the caller sent about one event, without fields that the server sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestHash(pub [u8; 32]);

/// What makes a request the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestIdentity {
    /// Its idempotency key, as [`RequestHash::of_key`] has it: a caller may put a number into it.
    Key(RequestHash),
    /// Its content, which has a time of its own.
    Dated(RequestHash),
    /// Its content and our receipt.
    Undated(RequestHash, Timestamp),
}

impl RequestHash {
    /// Hashes what the caller sent, written field by field.
    pub fn of(fields: &Writer, secret: &AddressKeySecret) -> Self {
        let key = blake3::derive_key("sayso request id-v1", secret.as_bytes());
        Self(blake3::keyed_hash(&key, fields.bytes()).into())
    }

    /// Hashes an idempotency key.
    pub fn of_key(key: &str, secret: &AddressKeySecret) -> Self {
        let mut fields = Writer::default();
        fields.text("idempotency key");
        fields.text(key);
        Self::of(&fields, secret)
    }
}

/// The bit of an id's first byte that tells a keyed request.
const KEYED: u8 = 0x80;

/// Whether an event came by a keyed request: then its id says nothing about its content, and the
/// same id with other content is a key used twice.
pub fn is_keyed(id: &EventId) -> bool {
    let [first, ..] = id.as_bytes();
    first & KEYED != 0
}

/// The id of the `part`-th event of a request.
pub fn event_id(workspace: WorkspaceId, identity: RequestIdentity, part: u32) -> EventId {
    let mut fields = Writer::default();
    fields.raw(workspace.as_bytes());
    match identity {
        RequestIdentity::Key(key) => {
            fields.byte(1);
            fields.raw(&key.0);
        }
        RequestIdentity::Dated(hash) => {
            fields.byte(2);
            fields.raw(&hash.0);
        }
        RequestIdentity::Undated(hash, received) => {
            fields.byte(3);
            fields.raw(&hash.0);
            fields.instant(received);
        }
    }
    fields.number(u64::from(part));
    let mut hasher = Sha256::new();
    hasher.update(b"sayso event id-v1\n");
    hasher.update(fields.bytes());
    let full: [u8; 32] = hasher.finalize().into();
    let mut id: [u8; 16] = *full.first_chunk().unwrap_or(&[0; 16]);
    let [first, ..] = &mut id;
    *first = match identity {
        RequestIdentity::Key(_) => *first | KEYED,
        RequestIdentity::Dated(_) | RequestIdentity::Undated(..) => *first & !KEYED,
    };
    EventId::from_bytes(id)
}
