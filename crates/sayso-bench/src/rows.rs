//! The rows of the table, a file each.

mod audience;
mod batch;
mod check;
mod disk;
mod engine;
mod erasure;
mod flood;
mod import;
mod memory;
mod messages;
mod pages;
mod ready;
mod record;
mod webhooks;
mod words;

use anyhow::Result;

use crate::options::Row;
use crate::report::Outcome;
use crate::rig::Rig;

/// Measures a row.
pub(crate) async fn measure(row: Row, rig: &mut Rig) -> Result<Outcome> {
    match row {
        Row::Batch => batch::measure(rig).await,
        Row::Record => record::measure(rig).await,
        Row::Engine => engine::measure(rig).await,
        Row::Check => check::measure(rig).await,
        Row::Ready => ready::measure(rig).await,
        Row::Memory => memory::measure(rig).await,
        Row::Disk => disk::measure(rig).await,
        Row::Audience => audience::measure(rig).await,
        Row::Import => import::measure(rig).await,
        Row::Webhooks => webhooks::measure(rig).await,
        Row::Messages => messages::measure(rig).await,
        Row::Pages => pages::measure(rig).await,
        Row::Erasure => erasure::measure(rig).await,
        Row::Flood => flood::measure(rig).await,
        Row::Words => words::measure(rig),
    }
}
