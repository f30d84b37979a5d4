//! `/v1/exports`: everything that is known about consent on a channel, with its proof, refusals
//! included.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use sayso_core::address::AddressKey;
use sayso_core::limits;
use sayso_core::policy::settings::Settings;
use sayso_core::state::registers::Registers;
use sayso_core::state::status::Status;
use sayso_core::time::{Span, Timestamp};
use sayso_core::words::channel::Channel;
use sayso_core::workspace::Workspace;
use sayso_plan::draft::Subject;
use sayso_store::Store;
use sayso_store::look_up::LookedUp;
use sayso_store::store::{KnownAddress, Moment, StoreError};
use utoipa::IntoParams;

use crate::api::consents::line;
use crate::api::imports::Import;
use crate::app::App;
use crate::body::texts::ChannelText;
use crate::body::{Asked, Faults, json_object};
use crate::caller::Caller;
use crate::looking::LookingUp;
use crate::problem::{Code, Problem};

use row::{ExportRow, rows_of};

mod csv;
pub(crate) mod row;

json_object! {
    /// What to export.
    #[derive(IntoParams)]
    #[into_params(parameter_in = Query)]
    ExportRequest {
        /// The channel; all of them if absent.
        #[param(inline, value_type = Option<ChannelText>, example = "sms")]
        channel: ChannelText,
        /// The statuses to write, separated by commas; all if absent. `opted_in` is who may be written to: nobody whom a block or a refusal of processing keeps from it.
        #[param(value_type = Option<String>, example = "opted_in,opted_out")]
        status: String,
        /// `ndjson` (the default) or `csv`.
        #[param(value_type = Option<String>, example = "csv")]
        format: String,
        /// What was known then: an instant, or a day, which is its end in UTC. Now, if absent.
        #[param(value_type = Option<String>, example = "2026-03-31")]
        as_of: String,
    }
}

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Ndjson,
    Csv,
}

/// An export under way.
struct Export {
    store: Arc<dyn Store>,
    workspace: Arc<Workspace>,
    settings: Settings,
    now: Timestamp,
    moment: Moment,
    channels: Vec<Channel>,
    statuses: Vec<Status>,
    format: Format,
}

/// Where an export goes on.
enum Place {
    Beginning,
    After(AddressKey),
}

/// Streams every consent with its proof, refusals included: of a channel, or of all.
///
/// One row for each address and scope of which something is known, in no order that means anything.
/// Each block (`suppression`) has a row of its own, which an import reads as a refusal, and so has a
/// refusal of processing. People known by hash only, and erased ones, have their address key and no address. As CSV, an apostrophe stands
/// before what a spreadsheet would run, and phones are written as `tel:+…`, which every import reads again
/// as the same number.
#[utoipa::path(
    get, path = "/v1/exports/consents", tag = "Exports", operation_id = "export_consents",
    params(ExportRequest),
    responses((status = 200, description = "One consent a line; with `format=csv` a table with a header.", content((ExportRow = "application/x-ndjson"), (String = "text/csv")))),
    security(("api_key" = ["import"])),
)]
pub(crate) async fn consents(
    State(app): State<Arc<App>>,
    caller: Caller<Import>,
    looking: LookingUp,
    asked: Asked<ExportRequest>,
) -> Result<Response, Problem> {
    let export = Export::begin(&app, &caller, asked)?;
    looking.note(&app, &caller, vec![LookedUp::Many]).await?;
    let media_type = match export.format {
        Format::Ndjson => "application/x-ndjson",
        Format::Csv => "text/csv; charset=utf-8",
    };
    // The first page is read before the answer begins, so that a store that cannot be read is a
    // problem and not a table that ends early.
    let (first, place) = export.page(Place::Beginning).await?;
    let head = match export.format {
        Format::Ndjson => String::new(),
        Format::Csv => csv::header(),
    };
    let begun = Some((Bytes::from(head + &first), place));
    let pages = stream::try_unfold((export, begun), |(export, begun)| async move {
        let Some((lines, place)) = begun else { return Ok::<_, StoreError>(None) };
        let next = match place {
            Some(place) => {
                let (lines, place) = export.page(place).await?;
                Some((Bytes::from(lines), place))
            }
            None => None,
        };
        Ok(Some((lines, (export, next))))
    });
    Ok(([(header::CONTENT_TYPE, media_type)], Body::from_stream(pages)).into_response())
}

impl Export {
    fn begin(
        app: &Arc<App>,
        caller: &Caller<Import>,
        asked: Asked<ExportRequest>,
    ) -> Result<Self, Problem> {
        let Asked { request, mut faults } = asked;
        let channels = request
            .channel
            .map_or_else(|| Channel::ALL.to_vec(), |ChannelText(channel)| vec![channel]);
        let statuses = statuses(request.status.as_deref().unwrap_or_default(), &mut faults);
        let format = format(request.format.as_deref(), &mut faults);
        let as_of = request.as_of.as_deref().and_then(|text| as_of(text, &mut faults));
        faults.settle(Some(()))?;
        let moment = as_of.map_or(Moment::Now, Moment::AsOf);
        let now = moment.time(app.now());
        Ok(Self {
            store: app.shared_store(),
            workspace: Arc::clone(caller.workspace()),
            settings: caller.workspace().settings.at(now),
            now,
            moment,
            channels,
            statuses,
            format,
        })
    }

    /// Whether a row is asked for. A list of whom may be written to holds nobody who may not.
    fn wants(&self, row: &ExportRow) -> bool {
        let is_blocked = row.status == Status::OptedIn.as_str() && !row.reasons.is_empty();
        let is_named = self.statuses.iter().any(|wanted| wanted.as_str() == row.status);
        self.statuses.is_empty() || (is_named && !is_blocked)
    }

    /// What is known of an address at the moment of the export.
    async fn registers(&self, known: &KnownAddress) -> Result<Arc<Registers>, StoreError> {
        if self.moment == Moment::Now {
            return Ok(Arc::clone(&known.registers));
        }
        self.store.registers(self.workspace.id, &Subject::Key(known.key), self.moment).await
    }

    /// The lines of one page of addresses, and where the next begins.
    async fn page(&self, place: Place) -> Result<(String, Option<Place>), StoreError> {
        let after = match place {
            Place::Beginning => None,
            Place::After(key) => Some(key),
        };
        let addresses =
            self.store.addresses(self.workspace.id, after, limits::EXPORT_PAGE_ADDRESSES).await?;
        let mut lines = String::new();
        for known in &addresses {
            for row in rows_of(self, known).await? {
                match self.format {
                    Format::Ndjson => lines.push_str(&line(&row)),
                    Format::Csv => lines.push_str(&csv::line(&row)),
                }
            }
        }
        let last = addresses.last().filter(|_| addresses.len() == limits::EXPORT_PAGE_ADDRESSES);
        Ok((lines, last.map(|known| Place::After(known.key))))
    }
}

/// The instant of a time, or the end of a day in UTC.
fn as_of(text: &str, faults: &mut Faults) -> Option<Timestamp> {
    let at = Timestamp::parse(text).map_err(|fault| {
        faults.note_with_example("?as_of", Code::InvalidTime, fault, "2026-03-31");
    });
    let is_day = text.len() == "2026-03-31".len();
    at.ok().map(|at| if is_day { at.plus(Span::days(1)).minus(Span::micros(1)) } else { at })
}

fn statuses(text: &str, faults: &mut Faults) -> Vec<Status> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut statuses = Vec::new();
    for word in words {
        match Status::parse(word) {
            Ok(status) => statuses.push(status),
            Err(fault) => {
                faults.note_with_example("?status", Code::UnknownWord, fault, "opted_in,opted_out");
            }
        }
    }
    statuses
}

fn format(text: Option<&str>, faults: &mut Faults) -> Format {
    match text {
        None | Some("ndjson") => Format::Ndjson,
        Some("csv") => Format::Csv,
        Some(_) => {
            faults.note_with_example("?format", Code::UnknownWord, "is none of ndjson, csv", "csv");
            Format::Ndjson
        }
    }
}
