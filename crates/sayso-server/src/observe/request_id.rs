//! The ids of requests: distinct, sortable by time, and without a call to the kernel for each.
//!
//! An id is no secret; it is random only so that two servers, or two lives of one, do not give the
//! same. So a server takes its random bytes once, and counts from there; the count is mixed, so
//! that an id does not tell how busy the server is.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderValue;
use sayso_core::time::Timestamp;
use sayso_store::environment::Environment;

use crate::keyring::letter;

const PREFIX: &[u8; 4] = b"req_";
/// Letters that hold 16 bytes, five bits each; the last three bits are left out.
const LETTERS: usize = 25;

/// Gives ids to the requests of one server.
#[derive(Debug)]
pub(crate) struct RequestIds {
    next: AtomicU64,
    server: u16,
}

impl RequestIds {
    /// Ids of a server that begins now.
    pub(crate) fn new(environment: &Environment) -> Self {
        let next = AtomicU64::new(u64::from_be_bytes(environment.random()));
        Self { next, server: u16::from_be_bytes(environment.random()) }
    }

    /// The next id: 48 bits of milliseconds, 64 bits that no other request of this server has, and
    /// 13 of the server's own.
    pub(crate) fn next(&self, now: Timestamp) -> HeaderValue {
        let millis = u128::try_from(now.as_micros().div_euclid(1_000)).unwrap_or_default();
        let number = u128::from(mix(self.next.fetch_add(1, Ordering::Relaxed)));
        let mut bits = (millis << 80) | (number << 16) | u128::from(self.server);
        let mut text = [0; PREFIX.len() + LETTERS];
        let (prefix, letters) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        for place in letters {
            bits = bits.rotate_left(5);
            *place = letter(bits.to_le_bytes()[0]);
        }
        HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("req_"))
    }
}

/// Spreads a count over all bits; different counts stay different (`SplitMix64`).
const fn mix(count: u64) -> u64 {
    let bits = count.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_distinct_and_sort_by_time() {
        let ids = RequestIds::new(&Environment::system());
        let at = |second: i64| {
            let id = ids.next(Timestamp::from_micros(second * 1_000_000));
            id.to_str().unwrap().to_owned()
        };
        let same_time: BTreeSet<String> = (0..10_000).map(|_| at(1_700_000_000)).collect();
        assert_eq!(same_time.len(), 10_000);
        let later = at(1_700_000_001);
        assert!(same_time.iter().all(|id| *id < later && id.len() == later.len()));
        assert!(later.starts_with("req_") && later.len() == 29, "{later}");
    }
}
