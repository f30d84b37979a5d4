//! How the first rows of a list are read, for those who look before they import.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::sent::{ROWS_SHOWN, Sent};
use super::statements::Statement;
use crate::commands::text;

/// What a look at a list shows beside its counts.
#[derive(Debug, Default)]
pub(super) struct Look {
    columns: Vec<(String, String)>,
    rows: Vec<Value>,
    countries: BTreeMap<String, u64>,
}

impl Look {
    /// A look at a list whose fields are read so.
    pub(super) fn new(columns: Vec<(String, String)>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Notes how the server read the statements of a row.
    pub(super) fn note(&mut self, row: &Sent, answers: &[Value]) {
        let Sent { record, shown: statements, faults, .. } = row;
        let mut phones: Vec<&str> = Vec::new();
        for answer in answers {
            let phone = text(answer, "phone");
            if phone.is_empty() || phones.contains(&phone) {
                continue;
            }
            phones.push(phone);
            let region = text(answer, "region");
            let region = if region.is_empty() { "of no country" } else { region };
            *self.countries.entry(region.to_owned()).or_default() += 1;
        }
        if u64::try_from(self.rows.len()).unwrap_or(u64::MAX) >= ROWS_SHOWN {
            return;
        }
        let read: Vec<Value> = statements.iter().zip(answers).map(shown).collect();
        self.rows.push(json!({ "line": record.line, "read": read, "not_read": faults }));
    }

    /// For programs.
    pub(super) fn add_to(&self, report: &mut Value) {
        let columns: serde_json::Map<String, Value> = self
            .columns
            .iter()
            .map(|(field, what)| (field.clone(), what.as_str().into()))
            .collect();
        if let Some(report) = report.as_object_mut() {
            report.insert("columns".to_owned(), columns.into());
            report.insert("first_rows".to_owned(), self.rows.clone().into());
            report.insert("countries".to_owned(), json!(self.countries));
        }
    }

    /// For people.
    pub(super) fn words(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.columns.is_empty() {
            lines.push("How the list is read:".to_owned());
            let width = self.columns.iter().map(|(field, _)| field.len()).max().unwrap_or(0);
            let of = |(field, what): &(String, String)| format!("  {field:width$}  {what}");
            lines.extend(self.columns.iter().map(of));
        }
        if !self.rows.is_empty() {
            lines.push("The first rows:".to_owned());
        }
        for row in &self.rows {
            let line = row.get("line").and_then(Value::as_u64).unwrap_or_default();
            let of = |name: &str| -> Vec<&Value> {
                row.get(name).and_then(Value::as_array).into_iter().flatten().collect()
            };
            let (read, not_read) = (of("read"), of("not_read"));
            if read.is_empty() && not_read.is_empty() {
                lines.push(format!("  line {line}: says nothing"));
            }
            lines.extend(read.into_iter().map(|one| format!("  line {line}: {}", in_words(one))));
            let not_read = not_read.into_iter().filter_map(Value::as_str);
            lines.extend(not_read.map(|fault| format!("  line {line}: not read: {fault}")));
        }
        if !self.countries.is_empty() {
            let counts = self.countries.iter().map(|(region, count)| format!("{region} {count}"));
            lines.push(format!("Numbers by country: {}", counts.collect::<Vec<_>>().join(", ")));
        }
        lines
    }
}

/// A statement as it was read.
fn shown((statement, answer): (&Statement, &Value)) -> Value {
    let of = |name: &str| statement.get(name).and_then(Value::as_str).unwrap_or_default();
    let understood = text(answer, "phone");
    let written = ["phone", "email", "channel_id", "hash", "external_id"];
    let written = written.iter().map(|name| of(name)).find(|text| !text.is_empty());
    let who = if understood.is_empty() { written.unwrap_or_default() } else { understood };
    let mut shown = json!({ "who": who, "outcome": text(answer, "outcome") });
    let facts = [
        ("region", text(answer, "region")),
        ("standing", text(answer, "standing")),
        ("statement", of("statement")),
        ("channel", of("channel")),
        ("permission", of("permission")),
        ("occurred_at", of("occurred_at")),
    ];
    if let Some(shown) = shown.as_object_mut() {
        let facts = facts.iter().filter(|(_, text)| !text.is_empty());
        shown.extend(facts.map(|(name, text)| ((*name).to_owned(), (*text).into())));
    }
    shown
}

fn in_words(read: &Value) -> String {
    let mut words = text(read, "who").to_owned();
    let region = text(read, "region");
    if !region.is_empty() {
        words.extend([" (", region, ")"]);
    }
    let about = [text(read, "channel"), text(read, "permission")].concat();
    let statement = text(read, "statement");
    if !statement.is_empty() {
        words.extend([": ", &about, " ", statement]);
    }
    let at = text(read, "occurred_at");
    match (text(read, "outcome"), at, statement) {
        ("rejected", _, _) => words.push_str(", not taken"),
        (_, "", "opt_in") => words.push_str(", without a date: older than everything"),
        (_, "", "opt_out") => words.push_str(", without a date: from now on"),
        (_, "", _) => {}
        (_, at, _) => words.extend([", said at ", at]),
    }
    words
}
