//! The parsers of lists and pages, for whoever hands them any bytes. Absent from what ships.

use crate::commands::import;
use crate::doctor::page;

/// Examines any page as `sayso doctor page` does, and says how much was found.
pub fn doctor_page(bytes: &[u8]) -> usize {
    page::examine(&String::from_utf8_lossy(bytes)).len()
}

/// Reads any list as `sayso import` does; the number says by which options. Says how many rows were read, if
/// it is a list.
///
/// # Panics
/// Where rows are not told apart as the list tells them.
pub fn import(bytes: &[u8], options: u8) -> Option<u64> {
    import::read_any(bytes, options)
}
