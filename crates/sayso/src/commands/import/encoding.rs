//! In what a list is written: UTF-8, UTF-16 with and without a mark, or what the caller names.
//!
//! Everything else is one byte a letter, and read cell by cell: a cell that is no UTF-8 is Windows-1252,
//! what spreadsheets write where nobody chose. So one odd cell costs no row.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};

use encoding_rs::{CoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::exit::Failure;

/// In what a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or one byte a letter.
    AsIs,
    /// UTF-16, and whether it begins with a mark.
    Utf16 { order: ByteOrder, has_mark: bool },
    /// What the caller named.
    Named(&'static encoding_rs::Encoding),
}

/// Which byte of two comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    /// The less significant one.
    Little,
    /// The more significant one.
    Big,
}

impl Encoding {
    /// The encoding of a text that begins so, unless the caller names it.
    pub(super) fn of(head: &[u8], told: Option<&str>) -> Result<Self, Failure> {
        if let Some(label) = told {
            let named = encoding_rs::Encoding::for_label(label.as_bytes()).ok_or_else(|| {
                Failure::Input(format!(
                    "--encoding {label} is no encoding known here; good values: utf-8, windows-1251, shift_jis"
                ))
            })?;
            return Ok(if named == UTF_16LE {
                Self::utf_16(ByteOrder::Little, head)
            } else if named == UTF_16BE {
                Self::utf_16(ByteOrder::Big, head)
            } else if named == encoding_rs::UTF_8 || named == WINDOWS_1252 {
                Self::AsIs
            } else {
                Self::Named(named)
            });
        }
        if head.starts_with(&LITTLE_MARK) {
            return Ok(Self::Utf16 { order: ByteOrder::Little, has_mark: true });
        }
        if head.starts_with(&BIG_MARK) {
            return Ok(Self::Utf16 { order: ByteOrder::Big, has_mark: true });
        }
        // Most letters of a list are ASCII: of their two bytes one is nothing.
        let pairs = head.chunks_exact(2);
        let count = |at: usize| pairs.clone().filter(|pair| pair.get(at) == Some(&0)).count();
        let (first, second) = (count(0), count(1));
        Ok(if second * 2 > pairs.len() && first * 10 < second {
            Self::Utf16 { order: ByteOrder::Little, has_mark: false }
        } else if first * 2 > pairs.len() && second * 10 < first {
            Self::Utf16 { order: ByteOrder::Big, has_mark: false }
        } else {
            Self::AsIs
        })
    }

    fn utf_16(order: ByteOrder, head: &[u8]) -> Self {
        let mark = match order {
            ByteOrder::Little => LITTLE_MARK,
            ByteOrder::Big => BIG_MARK,
        };
        Self::Utf16 { order, has_mark: head.starts_with(&mark) }
    }

    /// Writes a text over as UTF-8.
    pub(super) fn to_utf_8(self, from: File, to: File) -> std::io::Result<File> {
        let encoding = match self {
            Self::AsIs => encoding_rs::UTF_8,
            Self::Utf16 { order: ByteOrder::Little, .. } => UTF_16LE,
            Self::Utf16 { order: ByteOrder::Big, .. } => UTF_16BE,
            Self::Named(encoding) => encoding,
        };
        let mut decoder = encoding.new_decoder_with_bom_removal();
        let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
        let mut input = vec![0; 1 << 16];
        let mut output = String::with_capacity(1 << 18);
        loop {
            let read = from.read(&mut input)?;
            let mut rest = input.get(..read).unwrap_or_default();
            loop {
                let (result, taken, _) = decoder.decode_to_string(rest, &mut output, read == 0);
                to.write_all(output.as_bytes())?;
                output.clear();
                rest = rest.get(taken..).unwrap_or_default();
                match result {
                    CoderResult::InputEmpty => break,
                    CoderResult::OutputFull => {}
                }
            }
            if read == 0 {
                break;
            }
        }
        to.into_inner().map_err(std::io::IntoInnerError::into_error)
    }

    /// A piece of the text as the list had it.
    pub(super) fn encode(self, text: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::AsIs => Cow::Borrowed(text),
            Self::Named(encoding) => {
                Cow::Owned(encoding.encode(&String::from_utf8_lossy(text)).0.into_owned())
            }
            Self::Utf16 { order, .. } => {
                let text = String::from_utf8_lossy(text);
                let bytes = text.encode_utf16().flat_map(|unit| match order {
                    ByteOrder::Little => unit.to_le_bytes(),
                    ByteOrder::Big => unit.to_be_bytes(),
                });
                Cow::Owned(bytes.collect())
            }
        }
    }

    /// What a text in it begins with.
    pub(super) const fn mark(self) -> &'static [u8] {
        match self {
            Self::Utf16 { order: ByteOrder::Little, has_mark: true } => &LITTLE_MARK,
            Self::Utf16 { order: ByteOrder::Big, has_mark: true } => &BIG_MARK,
            Self::AsIs | Self::Named(_) | Self::Utf16 { has_mark: false, .. } => &[],
        }
    }
}

const LITTLE_MARK: [u8; 2] = [0xff, 0xfe];
const BIG_MARK: [u8; 2] = [0xfe, 0xff];

/// The text of a cell: UTF-8, else Windows-1252.
pub(super) fn decode(cell: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(cell).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_told_with_and_without_its_mark() {
        let text = "phone,name\n+14155550123,Ünal\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let of = |bytes: &[u8]| Encoding::of(bytes, None).unwrap();
        let is = |order, has_mark| Encoding::Utf16 { order, has_mark };
        assert_eq!(of(&little), is(ByteOrder::Little, false));
        assert_eq!(of(&big), is(ByteOrder::Big, false));
        assert_eq!(of(&[&LITTLE_MARK, &little[..]].concat()), is(ByteOrder::Little, true));
        assert_eq!(of(text.as_bytes()), Encoding::AsIs);
        assert_eq!(of(&little).encode(text.as_bytes()).as_ref(), little, "a row is given back");
    }

    #[test]
    fn a_cell_that_is_no_utf_8_is_windows_1252() {
        assert_eq!(decode(b"M\xfcller"), "Müller");
        assert_eq!(decode("Müller".as_bytes()), "Müller");
        assert!(Encoding::of(b"", Some("klingon")).is_err());
        assert_eq!(Encoding::of(b"", Some("latin1")).unwrap(), Encoding::AsIs);
    }
}
