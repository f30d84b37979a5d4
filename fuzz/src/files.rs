//! Files: pictures that a business gives, what lies beside a store, settings, pages and lists.

use std::path::PathBuf;
use std::sync::LazyLock;

use sayso_core::address::AddressKey;
use sayso_core::id::EventId;
use sayso_core::limits;
use sayso_core::time::Timestamp;
use sayso_core::words::event::ConsentEvent;
use sayso_pages::qr::logo::Logo;
use sayso_pages::qr::{Extent, Qr};
use sayso_server::config::{Config, Sources};
use sayso_store::environment::Environment;
use sayso_store::sqlite::fuzzing::Sealing;

/// Any file as the logo in a QR code, which is then drawn.
pub(crate) fn logo(bytes: &[u8]) {
    let Ok(logo) = Logo::parse(bytes) else { return };
    assert!(bytes.len() <= limits::QR_LOGO_BYTES_MAX);
    let qr = Qr::with_logo("https://consent.example/e/7m29qx4k0c", logo).expect("a short text");
    let extent = Extent { pixels: 200, quiet: 4 };
    let picture = qr.png(extent).expect("a picture");
    assert!(picture.starts_with(b"\x89PNG"));
    assert!(qr.svg(extent, "A code").starts_with("<svg"));
}

/// Any bytes as the clear facts of an event, which read as they are written.
pub(crate) fn facts(bytes: &[u8]) {
    let (id, key) = (EventId::from_bytes([1; 16]), AddressKey::from_bytes([2; 16]));
    let read = |facts: &[u8]| ConsentEvent::from_facts(id, key, Timestamp::from_micros(0), facts);
    if let Ok(event) = read(bytes) {
        assert_eq!(event.facts(), bytes, "facts have one spelling");
    }
}

static SEALING: LazyLock<Sealing> = LazyLock::new(|| Sealing::new(Environment::system()));

/// Any bytes as saved gate indexes: as a file, and behind the seal of one.
pub(crate) fn gate_index(bytes: &[u8]) {
    SEALING.gate_index(bytes);
}

/// Any file as the manifest of a backup.
pub(crate) fn manifest(bytes: &[u8]) {
    SEALING.manifest(bytes);
}

/// Any file as a list of erasures.
pub(crate) fn erasures(bytes: &[u8]) {
    SEALING.erasures(bytes);
}

/// Any file of settings; and any settings of the environment, a line each.
pub(crate) fn config(bytes: &[u8]) {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::temp_dir().join(format!("sayso-fuzz-{}.toml", std::process::id()))
    });
    std::fs::write(&*FILE, bytes).expect("a file for settings");
    let of_file = Config::load(&Sources { file: Some(FILE.clone()), ..Sources::default() });
    let lines = String::from_utf8_lossy(bytes);
    let environment = lines.lines().filter_map(|line| line.split_once('='));
    let environment: Vec<(String, String)> = environment
        .map(|(name, text)| (format!("SAYSO_{}", name.trim()), text.trim().to_owned()))
        .collect();
    let of_environment = Config::load(&Sources { environment, ..Sources::default() });
    for loaded in [of_file, of_environment] {
        match loaded {
            Ok(config) => drop(config.app_options()),
            Err(error) => assert!(!error.to_string().is_empty(), "a fault has words"),
        }
    }
}

/// Any page, as `sayso doctor page` reads it.
pub(crate) fn doctor_page(bytes: &[u8]) {
    assert!(sayso::fuzzing::doctor_page(bytes) > 0, "of every page something is said");
}

/// Any list, as `sayso import` reads it: a byte of options, then the file.
pub(crate) fn import(bytes: &[u8]) {
    let Some((options, list)) = bytes.split_first() else { return };
    let rows = sayso::fuzzing::import(list, *options);
    let bytes = u64::try_from(list.len()).unwrap_or(u64::MAX);
    // In a workbook, which is packed, a row may take less than a byte.
    assert!(list.starts_with(b"PK") || rows.is_none_or(|rows| rows <= bytes));
}
