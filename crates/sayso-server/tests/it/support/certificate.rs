//! Certificates made on the spot: self-signed, Ed25519, for `localhost` (RFC 5280, RFC 8410).

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// A certificate and its key.
pub(crate) struct Certificate {
    /// The certificate, as a client trusts it.
    pub(crate) der: CertificateDer<'static>,
    /// The file of the certificate.
    pub(crate) pem: String,
    /// The file of the key.
    pub(crate) key_pem: String,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

const ED25519: &[u8] = &[0x06, 3, 0x2b, 0x65, 0x70];
const COMMON_NAME: &[u8] = &[0x06, 3, 0x55, 0x04, 0x03];
const SUBJECT_ALT_NAME: &[u8] = &[0x06, 3, 0x55, 0x1d, 0x11];

/// One value of DER: tag, length, content.
fn der(tag: u8, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..128) => bytes.push(short),
        Ok(long) => bytes.extend([0x81, long]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        }
    }
    bytes.extend(content);
    bytes
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    der(SEQUENCE, parts.concat())
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |place: usize| u32::from(three.get(place).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let letter = LETTERS[usize::try_from(group >> (18 - 6 * place) & 63).unwrap()];
            text.push(if place > three.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

fn pem(label: &str, bytes: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", base64(bytes))
}

impl Certificate {
    /// The certificate of the key that is made of this byte: the same in every run.
    pub(crate) fn of(byte: u8) -> Self {
        let seed = der(OCTET_STRING, [byte; 32]);
        let algorithm = sequence(&[ED25519]);
        let key = sequence(&[&der(INTEGER, [0]), &algorithm, &der(OCTET_STRING, seed)]);
        let signing = any_eddsa_type(&PrivatePkcs8KeyDer::from(key.clone())).unwrap();
        let name = der(UTF8_STRING, format!("test {byte}"));
        let name = sequence(&[&der(SET, sequence(&[COMMON_NAME, &name]))]);
        let host = der(OCTET_STRING, sequence(&[&der(DNS_NAME, "localhost")]));
        let facts = sequence(&[
            &der(VERSION, der(INTEGER, [2])),
            &der(INTEGER, [byte]),
            &algorithm,
            &name,
            &sequence(&[&der(UTC_TIME, "200101000000Z"), &der(UTC_TIME, "491231235959Z")]),
            &name,
            &signing.public_key().unwrap(),
            &der(EXTENSIONS, sequence(&[&sequence(&[SUBJECT_ALT_NAME, &host])])),
        ]);
        let signer = signing.choose_scheme(&[SignatureScheme::ED25519]).unwrap();
        let signature = [&[0], signer.sign(&facts).unwrap().as_slice()].concat();
        let certificate = sequence(&[&facts, &algorithm, &der(BIT_STRING, signature)]);
        Self {
            pem: pem("CERTIFICATE", &certificate),
            key_pem: pem("PRIVATE KEY", &key),
            der: CertificateDer::from(certificate),
        }
    }
}
