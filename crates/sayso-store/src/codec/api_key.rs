//! The stored form of an API key.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::words::statement::Standing;
use sayso_core::workspace::{ApiKey, KeyScope};

use super::{read_list, read_name, write_list};

pub(super) fn write(key: &ApiKey, to: &mut Writer) {
    to.text(key.name.as_str());
    to.raw(&key.sha256);
    write_list(to, key.scopes.iter(), |to, scope| to.text(scope.as_str()));
    to.byte(key.highest.code());
    key.created_at.write(to);
    key.revoked_at.write(to);
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<ApiKey, Malformed> {
    Ok(ApiKey {
        name: read_name(from)?,
        sha256: from.raw()?,
        scopes: read_list(from, |from| KeyScope::parse(from.text()?).ok_or(Malformed))?,
        highest: Standing::from_code(from.byte()?).ok_or(Malformed)?,
        created_at: from.instant()?,
        revoked_at: Option::read(from)?,
    })
}
