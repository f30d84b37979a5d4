//! What the outside world gives a store: the time and random bytes.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Arc;

use sayso_core::time::{Span, Timestamp};

/// The clock.
pub trait Clock: Send + Sync + Debug {
    /// The time now. May stand still or run backwards; the store makes it increase.
    fn now(&self) -> Timestamp;

    /// How far this time is ahead of the machine's, which was set back; zero otherwise.
    fn held_back(&self) -> Span {
        Span::micros(0)
    }
}

/// Random bytes fit for keys.
pub trait Entropy: Send + Sync + Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// The clock and the random bytes together.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The random bytes.
    pub entropy: Arc<dyn Entropy>,
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

/// The random bytes of this machine's kernel, fetched a few hundred at a time by each thread.
#[derive(Clone, Copy, Debug)]
pub struct SystemEntropy;

/// Random bytes that a thread has fetched and not given out.
struct Fetched {
    bytes: [u8; FETCH_BYTES],
    given: usize,
}

/// Bytes fetched at a time: an event takes some fifty.
const FETCH_BYTES: usize = 512;

thread_local! {
    static FETCHED: RefCell<Fetched> =
        const { RefCell::new(Fetched { bytes: [0; FETCH_BYTES], given: FETCH_BYTES }) };
}

impl Environment {
    /// This machine's.
    pub fn system() -> Self {
        Self { clock: Arc::new(SystemClock), entropy: Arc::new(SystemEntropy) }
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// 16 bytes of a `UUIDv7`: 48 bits of milliseconds, then random (RFC 9562 section 5.7).
    pub fn time_sortable_id(&self) -> [u8; 16] {
        self.time_sortable_id_of(self.random())
    }

    /// The same with a tail that is given; [`is_tail_of`] finds it again.
    pub fn time_sortable_id_of(&self, tail: [u8; TAIL_BYTES]) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes.iter_mut().skip(16 - TAIL_BYTES).zip(tail).for_each(|(byte, given)| *byte = given);
        let millis = self.clock.now().as_micros().div_euclid(1_000).to_be_bytes();
        for (byte, milli) in bytes.iter_mut().zip(millis.iter().skip(2)) {
            *byte = *milli;
        }
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x70;
        *variant = (*variant & 0x3f) | 0x80;
        bytes
    }
}

/// The bytes of a `UUIDv7` that are not its time.
pub const TAIL_BYTES: usize = 10;

/// Whether an id was made of this tail, whenever that was. The version and the variant stand in
/// six of its bits.
pub fn is_tail_of(tail: [u8; TAIL_BYTES], id: &[u8; 16]) -> bool {
    const TOLD: [u8; TAIL_BYTES] = [0x0f, 0xff, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let own = id.iter().skip(16 - TAIL_BYTES);
    own.zip(tail).zip(TOLD).all(|((own, given), told)| (own ^ given) & told == 0)
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the machine's clock is read"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let micros = since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Timestamp::from_micros(micros)
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > FETCH_BYTES {
            return ask_the_kernel(bytes);
        }
        FETCHED.with_borrow_mut(|fetched| {
            if FETCH_BYTES - fetched.given < bytes.len() {
                ask_the_kernel(&mut fetched.bytes);
                fetched.given = 0;
            }
            let given = fetched.given;
            for (to, from) in bytes.iter_mut().zip(fetched.bytes.iter_mut().skip(given)) {
                // What was given out is nowhere else.
                *to = std::mem::take(from);
            }
            fetched.given += bytes.len();
        });
    }
}

#[expect(clippy::panic, reason = "a kernel without random bytes cannot keep any secret")]
fn ask_the_kernel(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        panic!("the kernel gives no random bytes: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_bytes_are_given_out_once() {
        let mut seen = std::collections::HashSet::new();
        for length in [1, 12, 16, 64, FETCH_BYTES, FETCH_BYTES + 1] {
            for _ in 0..100 {
                let mut bytes = vec![0; length];
                SystemEntropy.fill(&mut bytes);
                assert!(length < 12 || seen.insert(bytes), "{length} bytes were given out twice");
            }
        }
    }
}
