//! Rejects: statements that were refused, kept for 30 days so that who sent them can be told what was
//! wrong (rule 1).
//!
//! What was sent is personal: a store seals it, and the places and faults with it, since a place may
//! hold a name that the sender chose.

use sayso_core::id::RejectId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::source::Road;

/// A refused statement before it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectDraft {
    /// The road it came by.
    pub road: Road,
    /// Who sent it: the id of an API key, the name of a site, the id of an import.
    pub source: Box<str>,
    /// The line of the import, or the place in the batch, from 0.
    pub line: Option<u32>,
    /// The code of the problem it was answered with.
    pub code: Box<str>,
    /// What was wrong, at most [`limits::REJECT_FAULTS_MAX`].
    pub faults: Vec<RejectFault>,
    /// What was sent.
    pub body: RejectBody,
}

/// One thing that was wrong. Its texts are at most [`limits::REJECT_FAULT_BYTES_MAX`] bytes long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectFault {
    /// Where, as a JSON pointer.
    pub pointer: Box<str>,
    /// The code.
    pub code: Box<str>,
    /// What was wrong with the value.
    pub fault: Box<str>,
    /// A value that would be right.
    pub example: Option<Box<str>>,
}

/// What was sent, as far as it is kept: at most [`limits::REJECT_BODY_BYTES_MAX`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectBody {
    text: Box<str>,
    extent: Extent,
}

/// How much of what was sent is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// Its beginning.
    Beginning,
}

/// A refused statement, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its id.
    pub id: RejectId,
    /// When it was refused.
    pub refused_at: Timestamp,
    /// What was refused.
    pub draft: RejectDraft,
}

/// Which rejects are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectQuery {
    /// Those of this source.
    pub source: Option<Box<str>>,
    /// Those answered with this code.
    pub code: Option<Box<str>>,
    /// Those after this position.
    pub after: Option<u64>,
}

/// One page of rejects, the newest first.
#[derive(Clone, Debug)]
pub struct RejectPage {
    /// The rejects.
    pub rejects: Vec<Reject>,
    /// The position after which the next page begins.
    pub next: Option<u64>,
}

impl RejectFault {
    /// A fault, its texts cut to what is kept.
    pub fn new(pointer: &str, code: &str, fault: &str, example: Option<&str>) -> Self {
        let cut =
            |text: &str| -> Box<str> { beginning(text, limits::REJECT_FAULT_BYTES_MAX).into() };
        Self {
            pointer: cut(pointer),
            code: cut(code),
            fault: cut(fault),
            example: example.map(cut),
        }
    }
}

impl RejectBody {
    /// What was sent; bytes that are no UTF-8 become U+FFFD.
    pub fn of(sent: &[u8]) -> Self {
        let text = String::from_utf8_lossy(sent);
        let kept = beginning(&text, limits::REJECT_BODY_BYTES_MAX);
        let extent = if kept.len() == text.len() { Extent::Whole } else { Extent::Beginning };
        Self { text: kept.into(), extent }
    }

    /// A body as it was kept.
    pub(crate) fn kept(text: &str, extent: Extent) -> Self {
        Self { text: text.into(), extent }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether that is all.
    pub const fn extent(&self) -> Extent {
        self.extent
    }
}

/// The longest beginning of at most `bytes_max` bytes that ends with a whole character.
fn beginning(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_cut_at_a_whole_character() {
        let long = "ü".repeat(limits::REJECT_BODY_BYTES_MAX);
        let body = RejectBody::of(long.as_bytes());
        assert_eq!((body.text().len(), body.extent()), (16_384, Extent::Beginning));
        let odd = RejectBody::of(format!("a{long}").as_bytes());
        assert_eq!((odd.text().len(), odd.extent()), (16_383, Extent::Beginning));
        let exact = "x".repeat(limits::REJECT_BODY_BYTES_MAX);
        assert_eq!(RejectBody::of(exact.as_bytes()).extent(), Extent::Whole);
        assert_eq!(RejectBody::of(b"a\xffb").text(), "a\u{fffd}b");
    }

    #[test]
    fn the_texts_of_a_fault_are_cut() {
        let long = "n".repeat(10_000);
        let fault = RejectFault::new(&long, "unknown-field", &long, Some(&long));
        assert_eq!(fault.pointer.len(), limits::REJECT_FAULT_BYTES_MAX);
        assert_eq!(fault.fault.len(), limits::REJECT_FAULT_BYTES_MAX);
        assert_eq!(fault.example.map(|text| text.len()), Some(limits::REJECT_FAULT_BYTES_MAX));
    }
}
