//! The encodings in which a text message's words go through Kannel.

/// Reads words by the name that Kannel gives their encoding (`%C`). Where that says nothing, and
/// whatever the bytes are, there is a text: UTF-8 if it is one, else Windows-1252.
pub(super) fn decode(bytes: &[u8], charset: &str) -> String {
    match charset.to_ascii_uppercase().as_str() {
        "UTF-16BE" | "UCS-2" => decode_utf16(bytes),
        "WINDOWS-1252" | "ISO-8859-1" => decode_windows(bytes),
        _ => str::from_utf8(bytes).map_or_else(|_| decode_windows(bytes), str::to_owned),
    }
}

/// Big-endian UTF-16; a half character is shown as a replacement.
fn decode_utf16(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn decode_windows(bytes: &[u8]) -> String {
    let character = |byte: &u8| match byte {
        0x80..=0x9f => {
            WINDOWS_1252.get(usize::from(byte - 0x80)).copied().unwrap_or(char::from(*byte))
        }
        _ => char::from(*byte),
    };
    bytes.iter().map(character).collect()
}

/// Windows-1252 from 0x80 to 0x9F, where it differs from Latin-1; five bytes stand for nothing.
///
/// *Source*: WHATWG, Encoding Standard, index windows-1252.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Whether the words fit the alphabet that every phone has, 160 characters a message.
pub(super) fn is_gsm(text: &str) -> bool {
    let is_gsm = |c: char| c.is_ascii_alphanumeric() || GSM_OTHERS.contains(c);
    text.chars().all(is_gsm)
}

/// The basic alphabet and its extension, without letters and digits of ASCII.
///
/// *Source*: 3GPP TS 23.038, section 6.2.1.
const GSM_OTHERS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑ\u{dc}\u{a7}¿äöñüà\
                          ^{}\\[~]|€\u{c}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_the_encoding_that_is_named() {
        assert_eq!(decode("arrêt".as_bytes(), "UTF-8"), "arrêt");
        assert_eq!(decode(b"arr\xeat", "UTF-8"), "arrêt");
        assert_eq!(decode("arrêt".as_bytes(), ""), "arrêt");
        assert_eq!(decode(b"arr\xeat \x80", "windows-1252"), "arrêt €");
        assert_eq!(decode(b"\x06\x45\x06\x48", "UTF-16BE"), "مو");
        assert_eq!(decode(b"\xd8\x3d\xde", "UTF-16BE"), "\u{fffd}");
    }

    #[test]
    fn what_fits_the_basic_alphabet_is_known() {
        assert!(is_gsm("Stop? 5 € [à] \u{dc}\u{a7}\n"));
        assert!(!is_gsm("स्टॉप") && !is_gsm("arrêt") && !is_gsm("“"));
    }
}
