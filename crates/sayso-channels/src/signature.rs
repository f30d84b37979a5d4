//! Message authentication codes, computed and compared in constant time.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Whether two byte strings are equal; how long it takes tells their lengths at most.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// Whether `hex` is the HMAC-SHA256 of `message`.
pub(crate) fn is_hmac_sha256(key: &[u8], message: &[u8], hex: &[u8]) -> bool {
    let (Ok(mut mac), Some(claimed)) = (Hmac::<Sha256>::new_from_slice(key), from_hex(hex)) else {
        return false;
    };
    mac.update(message);
    mac.verify_slice(&claimed).is_ok()
}

/// Whether `claimed` is the HMAC-SHA1 of the pieces, one after the other.
pub(crate) fn is_hmac_sha1<'a>(
    key: &[u8],
    pieces: impl IntoIterator<Item = &'a [u8]>,
    claimed: &[u8],
) -> bool {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else { return false };
    pieces.into_iter().for_each(|piece| mac.update(piece));
    mac.verify_slice(claimed).is_ok()
}

/// Whether `hex` is the SHA-256 of `message`.
pub(crate) fn is_sha256(message: &[u8], hex: &[u8]) -> bool {
    from_hex(hex).is_some_and(|claimed| same(&Sha256::digest(message), &claimed))
}

/// Reads hexadecimal digits of either case.
fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    rest.is_empty().then_some(())?;
    pairs.iter().map(|[high, low]| Some(digit(*high)? * 16 + digit(*low)?)).collect()
}
