//! The stored form of an account at a provider.

use sayso_core::canonical::{Canonical, Malformed, Reader, Writer};
use sayso_core::words::channel::Provider;
use sayso_core::workspace::Connection;

use super::read_list;

pub(super) fn write(connection: &Connection, to: &mut Writer) {
    to.text(&connection.name);
    to.byte(connection.provider.code());
    to.length(connection.credentials.len());
    for (name, value) in &connection.credentials {
        to.text(name);
        to.text(value);
    }
    connection.deleted_at.write(to);
}

pub(super) fn read(from: &mut Reader<'_>) -> Result<Connection, Malformed> {
    Ok(Connection {
        name: from.text()?.into(),
        provider: Provider::from_code(from.byte()?).ok_or(Malformed)?,
        credentials: read_list(from, |from| Ok((from.text()?.into(), from.text()?.into())))?,
        deleted_at: Option::read(from)?,
    })
}
