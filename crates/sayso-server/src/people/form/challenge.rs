//! What the page of a form carries so that it cannot be forged, and the proof of work over it.
//!
//! Nothing of it is stored. A challenge holds when the page was made, 12 random bytes that make a
//! retry the same event, and which version of the form and of the notice was shown; it is sealed by a
//! hash that is keyed with the workspace's secret, over the form and the network too. So a page of
//! somebody else cannot make a visitor's browser send the form: the visitor's network is not theirs.
//!
//! The proof is a number that, written after the challenge and the addresses that were typed, makes
//! a SHA-256 begin with [`limits::FORM_PROOF_BITS`] zeros. Each address costs work of its own.

use sayso_core::address::AddressKeySecret;
use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::id::FormId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::event_id::RequestHash;
use sayso_core::words::notice::Language;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::rate::Network;
use crate::views::hex::hex;

/// Bytes of the keyed hash that seals a challenge.
const SEAL_BYTES: usize = 16;

/// The digits of a proof; the expected one has five.
const PROOF_DIGITS_MAX: usize = 12;

/// What the page of a form carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// When the page was made.
    pub(super) issued_at: Timestamp,
    /// What makes two submissions of one page the same.
    pub(super) nonce: [u8; 12],
    /// The version of the form that was shown.
    pub(super) form_version: u32,
    /// The version of the notice that was shown.
    pub(super) notice_version: u32,
    /// The language of the notice that was shown.
    pub(super) notice_language: Language,
}

/// What a challenge is sealed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sealing<'a> {
    /// The workspace's secret.
    pub(super) secret: &'a AddressKeySecret,
    /// The form.
    pub(super) form: FormId,
    /// The network that opened the page.
    pub(super) network: Network,
}

impl Challenge {
    /// The challenge as the page carries it: hexadecimal digits.
    pub(super) fn seal(&self, sealing: &Sealing<'_>) -> String {
        let mut to = Writer::default();
        to.instant(self.issued_at);
        to.raw(&self.nonce);
        to.number(u64::from(self.form_version));
        to.number(u64::from(self.notice_version));
        to.text(self.notice_language.as_str());
        let seal = sealing.hash(to.bytes());
        to.raw(&seal);
        hex(to.bytes())
    }

    /// The challenge that a page carried; `None` if it is not ours, of another form or network, or
    /// older than [`limits::FORM_CHALLENGE_HOLDS`].
    pub(super) fn open(text: &str, sealing: &Sealing<'_>, now: Timestamp) -> Option<Self> {
        let bytes = unhex(text)?;
        let (payload, seal) = bytes.split_last_chunk::<SEAL_BYTES>()?;
        let is_ours: bool = sealing.hash(payload).as_slice().ct_eq(seal).into();
        let challenge = is_ours.then(|| Self::read(payload).ok()).flatten()?;
        let holds_until = challenge.issued_at.plus(limits::FORM_CHALLENGE_HOLDS);
        (challenge.issued_at <= now && now < holds_until).then_some(challenge)
    }

    fn read(payload: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(payload);
        let mut read = || -> Result<Self, Malformed> {
            let (issued_at, nonce) = (from.instant()?, from.raw()?);
            let mut number = || u32::try_from(from.number()?).map_err(|_| Malformed);
            let (form_version, notice_version) = (number()?, number()?);
            let notice_language = Language::parse(from.text()?).map_err(|_| Malformed)?;
            Ok(Self { issued_at, nonce, form_version, notice_version, notice_language })
        };
        let challenge = read()?;
        from.end().map(|()| challenge)
    }
}

impl Sealing<'_> {
    fn hash(&self, payload: &[u8]) -> [u8; SEAL_BYTES] {
        let mut fields = Writer::default();
        fields.text("form challenge");
        self.form.write(&mut fields);
        match self.network {
            Network::V4(parts) => {
                fields.byte(4);
                fields.raw(&parts);
            }
            Network::V6(parts) => {
                fields.byte(6);
                parts.iter().for_each(|part| fields.raw(&part.to_be_bytes()));
            }
        }
        fields.length(payload.len());
        fields.raw(payload);
        let RequestHash(hash) = RequestHash::of(&fields, self.secret);
        hash.first_chunk().copied().unwrap_or_default()
    }
}

/// Whether a proof was worked for: over the challenge and what was typed as phone, country and email.
pub(super) fn is_proven(challenge: &str, typed: [&str; 3], proof: &str) -> bool {
    let is_number = (1..=PROOF_DIGITS_MAX).contains(&proof.len())
        && proof.bytes().all(|digit| digit.is_ascii_digit());
    let [phone, country, email] = typed;
    let text = format!("{challenge}\n{phone}\n{country}\n{email}\n{proof}");
    let digest = Sha256::digest(text);
    let first = digest.first_chunk().copied().map_or(u32::MAX, u32::from_be_bytes);
    is_number && first.leading_zeros() >= limits::FORM_PROOF_BITS
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(
        digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |high, low| high * 16 + low))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sayso_core::time::Span;

    use super::*;

    fn secret() -> AddressKeySecret {
        AddressKeySecret::from_bytes([7; 32])
    }

    fn challenge() -> Challenge {
        Challenge {
            issued_at: Timestamp::from_micros(1_795_255_200_000_000),
            nonce: [9; 12],
            form_version: 3,
            notice_version: 2,
            notice_language: Language::parse("pt-BR").unwrap(),
        }
    }

    #[test]
    fn a_challenge_is_opened_where_and_while_it_was_sealed_and_nowhere_else() {
        let secret = secret();
        let network = Network::V4([192, 0, 2]);
        let sealing = Sealing { secret: &secret, form: FormId::from_bytes([1; 16]), network };
        let challenge = challenge();
        let text = challenge.seal(&sealing);
        let at = challenge.issued_at;
        assert_eq!(Challenge::open(&text, &sealing, at), Some(challenge.clone()));
        let last = at.plus(limits::FORM_CHALLENGE_HOLDS);
        assert!(Challenge::open(&text, &sealing, last.minus(Span::micros(1))).is_some());
        assert_eq!(Challenge::open(&text, &sealing, last), None, "too old");
        assert_eq!(Challenge::open(&text, &sealing, at.minus(Span::micros(1))), None, "not yet");
        let other_secret = AddressKeySecret::from_bytes([8; 32]);
        for other in [
            Sealing { secret: &other_secret, ..sealing },
            Sealing { form: FormId::from_bytes([2; 16]), ..sealing },
            Sealing { network: Network::V4([192, 0, 3]), ..sealing },
            Sealing { network: Network::V6([0; 3]), ..sealing },
        ] {
            assert_eq!(Challenge::open(&text, &other, at), None, "{other:?}");
        }
        for place in 0..text.len() {
            let mut forged = text.clone();
            let digit = if text.as_bytes()[place] == b'0' { "1" } else { "0" };
            forged.replace_range(place..=place, digit);
            assert_eq!(Challenge::open(&forged, &sealing, at), None, "digit {place}");
        }
        for text in ["", "0", "00", "zz", "é", &"0".repeat(200)] {
            assert_eq!(Challenge::open(text, &sealing, at), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_of_somebody_else_opens_or_breaks_anything(
            text in "[0-9a-fA-F]{0,200}|\\PC{0,60}", payload in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let secret = secret();
            let network = Network::V4([192, 0, 2]);
            let sealing = Sealing { secret: &secret, form: FormId::from_bytes([1; 16]), network };
            let at = challenge().issued_at;
            prop_assert_eq!(Challenge::open(&text, &sealing, at), None);
            // What we sealed by mistake is read without a fault, too.
            let sealed = [payload.as_slice(), &sealing.hash(&payload)].concat();
            let opened = Challenge::open(&hex(&sealed), &sealing, at);
            prop_assert!(opened.is_none_or(|it| it.issued_at <= at));
            let typed = [text.as_str(), "", ""];
            let no_number = text.clone() + "-";
            prop_assert!(!is_proven("c", typed, &no_number));
        }
    }

    #[test]
    fn a_proof_is_worth_something_for_the_addresses_it_was_worked_for_alone() {
        let typed = ["+14155552671", "US", ""];
        let proof = (0..).map(|count| count.to_string());
        let proof = proof.into_iter().find(|proof| is_proven("c", typed, proof)).unwrap();
        assert!(!is_proven("d", typed, &proof));
        assert!(!is_proven("c", ["+14155552672", "US", ""], &proof));
        assert!(!is_proven("c", ["+14155552671", "", "US"], &proof));
        assert!(!is_proven("c", typed, ""));
        assert!(!is_proven("c", typed, &format!("{proof} ")));
    }
}
