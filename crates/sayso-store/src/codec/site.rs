//! The stored form of a site.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::workspace::Site;

use super::{read_list, read_name, write_list};

pub(super) fn write(site: &Site, to: &mut Writer) {
    to.text(site.name.as_str());
    write_list(to, site.origins.iter(), |to, origin| to.text(origin));
    to.option(site.user_hash_secret.as_deref(), Writer::text);
    site.deleted_at.write(to);
    to.byte(u8::from(site.requires_user_hash));
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Site, Malformed> {
    Ok(Site {
        name: read_name(from)?,
        origins: read_list(from, |from| from.text().map(Box::from))?,
        user_hash_secret: from.option(|from| from.text().map(Box::from))?,
        deleted_at: Option::read(from)?,
        // Absent in what earlier releases wrote.
        requires_user_hash: match from.end() {
            Ok(()) => false,
            Err(Malformed) => from.byte()? == 1,
        },
    })
}
