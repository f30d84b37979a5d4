//! What was in doubt, and how it was read: each remark once, with how many rows it is about.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// How many different remarks are kept: a list has few kinds of doubt, and a cell of each row in a remark
/// must not fill the memory.
const KINDS_MAX: usize = 100;
/// How many are shown to people.
const KINDS_SHOWN: usize = 20;

/// The remarks of an import.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// The first line and the number of rows of each.
    kinds: BTreeMap<String, (u32, u64)>,
    /// Rows whose remarks are not kept.
    others: u64,
}

impl Remarks {
    /// Notes what the command and the server remarked on a row.
    pub(super) fn note(&mut self, line: u32, ours: &[String], answers: &[Value]) {
        let theirs = answers
            .iter()
            .filter_map(|answer| answer.get("remarks")?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .map(|remark| remark.trim_start_matches('/').replace("`region`", "region (--region)"));
        let mut of_row: Vec<String> = Vec::new();
        for remark in ours.iter().cloned().chain(theirs) {
            if !of_row.contains(&remark) {
                of_row.push(remark);
            }
        }
        for remark in of_row {
            if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&remark) {
                self.others += 1;
                continue;
            }
            self.kinds.entry(remark).or_insert((line, 0)).1 += 1;
        }
    }

    /// For programs.
    pub(super) fn values(&self) -> Vec<Value> {
        let value = |(remark, (line, rows)): (&String, &(u32, u64))| json!({ "remark": remark, "rows": rows, "first_line": line });
        self.kinds.iter().map(value).collect()
    }

    /// For people, in the order of the list.
    pub(super) fn words(&self) -> Vec<String> {
        if self.kinds.is_empty() {
            return Vec::new();
        }
        let mut kinds: Vec<(&String, &(u32, u64))> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, (line, _))| *line);
        let mut lines = vec!["Remarks:".to_owned()];
        lines.extend(kinds.iter().take(KINDS_SHOWN).map(|(remark, (line, rows))| match rows {
            1 => format!("  line {line}: {remark}"),
            rows => format!("  line {line} and {} more: {remark}", rows - 1),
        }));
        let hidden = kinds.iter().skip(KINDS_SHOWN).map(|(_, (_, rows))| rows).sum::<u64>();
        let hidden = hidden + self.others;
        if hidden > 0 {
            lines.push(format!("  and {hidden} more; --json has them"));
        }
        lines
    }
}
