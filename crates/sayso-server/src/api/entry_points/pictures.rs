//! Pictures of QR codes that were drawn, kept in memory until they are many: to draw one, eight masks are
//! tried and judged, which takes far longer than to send it.
//!
//! A change of an entry point is another version, so what is kept is never out of date.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use sayso_core::id::EntryPointId;
use sayso_core::limits;
use sayso_pages::qr::{Correction, Extent};

/// What makes two pictures the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    entry: (EntryPointId, u32),
    link: String,
    kind: &'static str,
    extent: (usize, usize),
    correction: &'static str,
}

/// The pictures that were drawn.
#[derive(Debug, Default)]
pub(crate) struct Pictures(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    pictures: BTreeMap<Wanted, Bytes>,
    bytes: usize,
}

impl Wanted {
    /// The picture of this version of an entry point, whose link is this, of a media type.
    pub(super) fn new(
        entry: (EntryPointId, u32),
        link: &str,
        kind: &'static str,
        (extent, correction): (Extent, Correction),
    ) -> Self {
        let extent = (extent.pixels, extent.quiet);
        Self { entry, link: link.to_owned(), kind, extent, correction: correction.as_str() }
    }
}

impl Pictures {
    /// The picture, if it was drawn already.
    pub(super) fn find(&self, wanted: &Wanted) -> Option<Bytes> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.pictures.get(wanted).cloned()
    }

    /// Keeps a picture. Where there is no room for it, all others go.
    pub(super) fn keep(&self, wanted: Wanted, picture: &Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.bytes + picture.len() > limits::QR_PICTURES_BYTES_MAX {
            *kept = Kept::default();
        }
        if picture.len() <= limits::QR_PICTURES_BYTES_MAX
            && kept.pictures.insert(wanted, picture.clone()).is_none()
        {
            kept.bytes += picture.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(version: u32) -> Wanted {
        let extent = Extent { pixels: 300, quiet: 4 };
        let entry = (EntryPointId::from_bytes([1; 16]), version);
        Wanted::new(entry, "https://a.example/e/1", "image/png", (extent, Correction::Medium))
    }

    #[test]
    fn a_picture_is_kept_for_its_version_until_there_are_too_many() {
        let pictures = Pictures::default();
        let half = Bytes::from(vec![7; limits::QR_PICTURES_BYTES_MAX / 2]);
        pictures.keep(wanted(1), &half);
        pictures.keep(wanted(1), &half);
        assert_eq!(pictures.find(&wanted(1)), Some(half.clone()));
        assert_eq!(pictures.find(&wanted(2)), None, "another version is another picture");
        pictures.keep(wanted(2), &half);
        assert!(pictures.find(&wanted(1)).is_some() && pictures.find(&wanted(2)).is_some());
        pictures.keep(wanted(3), &half);
        assert_eq!(pictures.find(&wanted(1)), None, "there was no room for all");
        assert!(pictures.find(&wanted(3)).is_some());
        let huge = Bytes::from(vec![7; limits::QR_PICTURES_BYTES_MAX + 1]);
        pictures.keep(wanted(4), &huge);
        assert_eq!(pictures.find(&wanted(4)), None);
    }
}
