//! An export as a table (RFC 4180).
//!
//! Spreadsheets run what looks like a formula, so an apostrophe is written before `=`, `+`, `-` and `@`, also
//! as full-width signs, where a cell may begin: at its start, after spaces and quotes, and after a `;`, a tab
//! or a line end inside it, since a spreadsheet set to another separator splits there, quotes or not. An
//! import takes off the apostrophe at the start again; inside a cell it stays. A phone would be such a cell, and bare digits would be read as a national number where a list or a
//! workspace names a region. So phones are written as `tel:+…` (RFC 3966): no formula, no number to
//! be rounded, and the same phone wherever it is read again.

use sayso_core::state::status::Status;

use super::row::{Basis, ExportRow};

/// The columns. Those that an import knows have the names it knows them by.
const COLUMNS: [&str; 26] = [
    "phone",
    "email",
    "external_id",
    "channel_id",
    "address_key",
    "channel",
    "scope",
    "status",
    "gdpr_optin",
    "level",
    "occurred_at",
    "recorded_at",
    "standing",
    "source",
    "actor",
    "method",
    "notice",
    "notice_sha256",
    "page",
    "ip",
    "user_agent",
    "evidence",
    "fields",
    "event",
    "reasons",
    "suppression",
];

/// The first line.
pub(super) fn header() -> String {
    let mut line = COLUMNS.join(",");
    line.push_str("\r\n");
    line
}

/// The line of one row.
pub(super) fn line(row: &ExportRow) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let basis = row.basis.as_ref();
    let of_basis = |cell: fn(&Basis) -> Option<String>| basis.and_then(cell).unwrap_or_default();
    let cells: [String; COLUMNS.len()] = [
        row.phone.as_ref().map(|phone| format!("tel:{phone}")).unwrap_or_default(),
        text(&row.email),
        text(&row.external_id),
        text(&row.channel_id),
        row.address_key.clone(),
        row.channel.unwrap_or_default().to_owned(),
        text(&row.scope),
        status(row).to_owned(),
        if row.channel.is_none() { "false".to_owned() } else { String::new() },
        row.level.unwrap_or_default().to_owned(),
        text(&row.since),
        of_basis(|basis| Some(basis.recorded_at.clone())),
        of_basis(|basis| Some(basis.standing.to_owned())),
        of_basis(|basis| Some(format!("{}:{}", basis.road, basis.source))),
        of_basis(|basis| Some(basis.actor.to_owned())),
        of_basis(|basis| basis.method.clone()),
        of_basis(|basis| {
            let notice = basis.notice.as_ref()?;
            Some(format!("{}/{}/{}", notice.id, notice.version, notice.language))
        }),
        of_basis(|basis| Some(basis.notice.as_ref()?.text_sha256.clone())),
        of_basis(|basis| basis.page.clone()),
        of_basis(|basis| basis.ip.clone()),
        of_basis(|basis| basis.user_agent.clone()),
        of_basis(|basis| basis.fields.get("evidence").cloned()),
        of_basis(further_fields),
        of_basis(|basis| Some(basis.event.clone())),
        row.reasons.join(" "),
        row.suppression.unwrap_or_default().to_owned(),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&neutralized(cell))).collect();
    cells.join(",") + "\r\n"
}

/// The status, for an import to read. It is read only with a channel, and a refusal of processing by its
/// own name. Who agreed and is blocked has none, so that no import makes a yes of it that is later than the
/// block; `reasons` says what blocks them.
fn status(row: &ExportRow) -> &'static str {
    let is_blocked = row.status == Status::OptedIn.as_str() && !row.reasons.is_empty();
    if row.channel.is_none() || is_blocked { "" } else { row.status }
}

/// The other fields of the evidence, as JSON.
fn further_fields(basis: &Basis) -> Option<String> {
    let others: serde_json::Map<String, serde_json::Value> = basis
        .fields
        .iter()
        .filter(|(name, _)| *name != "evidence")
        .map(|(name, value)| (name.clone(), value.clone().into()))
        .collect();
    (!others.is_empty()).then(|| serde_json::Value::Object(others).to_string())
}

/// A cell that no spreadsheet runs, whatever it takes for a separator.
fn neutralized(cell: &str) -> String {
    let mut safe = String::with_capacity(cell.len() + 1);
    if cell.starts_with(['\t', '\r']) {
        safe.push('\'');
    }
    let mut may_begin = true;
    for letter in cell.chars() {
        if may_begin && SIGNS.contains(&letter) {
            safe.push('\'');
        }
        safe.push(letter);
        if SEPARATORS.contains(&letter) {
            may_begin = true;
        } else if !(letter.is_whitespace() || letter.is_control() || letter == '"') {
            may_begin = false;
        }
    }
    safe
}

/// What a formula begins with, as spreadsheets read it: full-width signs are the plain ones to some.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// Where a spreadsheet may begin another cell, besides the comma, which is in quotes to all of them.
const SEPARATORS: [char; 5] = [';', '\t', '\n', '\r', '|'];

/// A cell in quotes, where it needs them.
fn quoted(cell: &str) -> String {
    if cell.contains([',', ';', '"', '\n', '\r', '\t']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_spreadsheet_would_run_are_neutralized() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
        {
            assert_eq!(neutralized(formula), format!("'{formula}"));
        }
        for plain in ["a=b", "a + b", "x-1", "ada@example.org", "", "'=1", "2026-11-21"] {
            assert_eq!(neutralized(plain), plain);
        }
    }

    #[test]
    fn no_separator_space_or_quote_lets_a_formula_begin_inside_a_cell() {
        for (cell, safe) in [
            (" =1", " '=1"),
            ("\u{a0}＝1", "\u{a0}'＝1"),
            ("\"=1", "\"'=1"),
            ("ok;=cmd|' /C calc'!A0", "ok;'=cmd|' /C calc'!A0"),
            ("ok; +1", "ok; '+1"),
            ("ok\t@SUM(A1)", "ok\t'@SUM(A1)"),
            ("ok\n-1", "ok\n'-1"),
            ("ok;\"－1", "ok;\"'－1"),
            ("a;b=c", "a;b=c"),
        ] {
            assert_eq!(neutralized(cell), safe);
        }
    }

    #[test]
    fn a_phone_is_no_formula_and_no_bare_number() {
        let phone = Some("+14155550123".to_owned());
        let row = ExportRow { phone, ..ExportRow::default() };
        assert!(line(&row).starts_with("tel:+14155550123,"));
    }

    #[test]
    fn cells_are_quoted_where_a_reader_could_split_them() {
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"yes\""), "\"say \"\"yes\"\"\"");
        assert_eq!(quoted("plain text"), "plain text");
    }
}
