//! The stored form of the key that links are made with.

use sayso_core::canonical::{Malformed, Reader, Writer};
use sayso_core::proof::link_key::LinkKey;

pub(super) fn write(key: LinkKey, to: &mut Writer) {
    to.number(u64::from(key.number()));
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<LinkKey, Malformed> {
    u32::try_from(from.number()?).map(LinkKey::from_number).map_err(|_| Malformed)
}
