//! Whether the customer's server vouches for what a page says.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::body::texts::parse_sha256;

/// Whether `user_hash` is the HMAC-SHA256 of `identifier` by the site's secret. Compared in
/// constant time.
pub(crate) fn vouches(secret: &str, identifier: &str, user_hash: &str) -> bool {
    let Ok(given) = parse_sha256(user_hash.trim()) else { return false };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return false };
    mac.update(identifier.as_bytes());
    mac.finalize().into_bytes().as_slice().ct_eq(&given).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_by_the_secret_vouches_and_no_other() {
        // RFC 4231 section 4.3, test case 2.
        let hash = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let text = "what do ya want for nothing?";
        assert!(vouches("Jefe", text, hash));
        assert!(vouches("Jefe", text, &hash.to_uppercase()));
        assert!(!vouches("Jefe", "another", hash));
        assert!(!vouches("jefe", text, hash));
        assert!(!vouches("Jefe", text, "5bdc"));
    }
}
