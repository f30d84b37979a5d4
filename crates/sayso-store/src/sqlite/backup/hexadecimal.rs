//! Bytes as hexadecimal digits, in manifests and lists of erasures.

use std::fmt::Write;

/// The bytes as lower-case digits.
pub(super) fn write(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        let _infallible = write!(digits, "{byte:02x}");
        digits
    })
}

/// The bytes that lower-case digits write; `None` if they are not digits, or not in pairs.
pub(super) fn read(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let value = |digit: u8| {
        let written = char::from(digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase());
        written.and_then(|value| u8::try_from(value).ok())
    };
    let byte = |[high, low]: &[u8; 2]| Some(value(*high)? << 4 | value(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

/// Exactly `N` bytes.
pub(super) fn read_exact<const N: usize>(digits: &str) -> Option<[u8; N]> {
    read(digits)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back_and_other_texts_are_not() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(read(&write(&all)), Some(all));
        assert_eq!(write(&[0, 15, 160]), "000fa0");
        for wrong in ["0", "0g", "+1", "é", "00 ", "0A"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read_exact::<2>("0102"), Some([1, 2]));
        assert_eq!(read_exact::<2>("010203"), None);
    }
}
