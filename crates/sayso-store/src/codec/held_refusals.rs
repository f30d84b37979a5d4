//! The stored form of refusals that are held together.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::workspace::{HeldOf, HeldRefusals};

pub(super) fn write(held: &HeldRefusals, to: &mut Writer) {
    match &held.of {
        HeldOf::Sender(sender) => sender.write(to),
        HeldOf::Site(site) => to.text(site.as_str()),
    }
    to.instant(held.since);
    to.instant(held.opened_at);
    held.confirmed_at.write(to);
}

pub(super) fn read(of: HeldOf, from: &mut Reader<'_>) -> Result<HeldRefusals, Malformed> {
    Ok(HeldRefusals {
        of,
        since: from.instant()?,
        opened_at: from.instant()?,
        confirmed_at: Option::read(from)?,
    })
}
