//! The one table: as text, as Markdown for the documentation, as JSON.

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::{Goal, Samples, Spread, Verdict, short};

/// One comparison: a line of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// What was done, and how.
    pub(crate) job: String,
    /// What the values are.
    pub(crate) unit: &'static str,
    /// Ours.
    pub(crate) ours: Samples,
    /// The floor or rival.
    pub(crate) rival: String,
    /// Its values, from the same rounds.
    pub(crate) theirs: Samples,
    /// What ours over theirs is to be.
    pub(crate) goal: Goal,
}

/// What became of one row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// The comparisons.
    pub(crate) lines: Vec<Line>,
    /// What a reader must know to understand them.
    pub(crate) notes: Vec<String>,
    /// What was not measured, and why.
    pub(crate) left_out: Vec<String>,
}

/// A row of the table, measured or not.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    /// Its name.
    pub(crate) row: &'static str,
    /// What came of it, or why it came to nothing.
    pub(crate) outcome: Result<Outcome, String>,
    /// The load average before and after.
    pub(crate) load: [f64; 2],
}

/// The whole run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// Where it ran.
    pub(crate) machine: Machine,
    /// What was measured on, in words.
    pub(crate) data: String,
    /// How long and how often.
    pub(crate) method: String,
    /// The rows.
    pub(crate) sections: Vec<Section>,
}

const HEADS: [&str; 8] = [
    "row",
    "job",
    "unit",
    "ours min / median / max",
    "floor or rival",
    "theirs min / median / max",
    "ratio min / median / max",
    "goal",
];

impl Line {
    fn ratio(&self) -> Samples {
        self.ours.over(&self.theirs)
    }

    fn verdict(&self) -> Verdict {
        self.goal.judge(&self.ratio())
    }

    fn cells(&self, row: &str) -> [String; HEADS.len()] {
        let goal = match self.verdict() {
            Verdict::NoGoal => "–".to_owned(),
            verdict @ (Verdict::Met | Verdict::Missed) => {
                format!("{}: {}", self.goal.text(), verdict.as_str())
            }
        };
        [
            row.to_owned(),
            self.job.clone(),
            self.unit.to_owned(),
            spread_text(self.ours.spread()),
            self.rival.clone(),
            spread_text(self.theirs.spread()),
            spread_text(self.ratio().spread()),
            goal,
        ]
    }
}

fn spread_text(spread: Option<Spread>) -> String {
    spread.map_or_else(
        || "–".to_owned(),
        |Spread { min, median, max }| {
            if (max - min).abs() < f64::EPSILON {
                short(median)
            } else {
                format!("{} / {} / {}", short(min), short(median), short(max))
            }
        },
    )
}

impl Section {
    /// Everything that is to be said besides the lines.
    fn remarks(&self) -> Vec<String> {
        let row = self.row;
        let [before, after] = self.load;
        let mut remarks = vec![format!("{row}: load average {before:.2} before, {after:.2} after")];
        match &self.outcome {
            Ok(outcome) => {
                remarks.extend(outcome.notes.iter().map(|note| format!("{row}: {note}")));
                let left_out = outcome.left_out.iter();
                remarks.extend(left_out.map(|what| format!("{row}: left out: {what}")));
            }
            Err(fault) => remarks.push(format!("{row}: FAILED: {fault}")),
        }
        remarks
    }

    fn lines(&self) -> &[Line] {
        self.outcome.as_ref().map_or(&[], |outcome| &outcome.lines)
    }
}

impl Report {
    /// Whether every row that was asked for came to an end.
    pub(crate) fn is_complete(&self) -> bool {
        self.sections.iter().all(|section| section.outcome.is_ok())
    }

    fn rows(&self) -> Vec<[String; HEADS.len()]> {
        let of = |section: &Section| {
            section.lines().iter().map(|line| line.cells(section.row)).collect::<Vec<_>>()
        };
        self.sections.iter().flat_map(of).collect()
    }

    fn head(&self) -> [String; 3] {
        [
            format!("Machine: {}", self.machine),
            format!("Data: {}", self.data),
            format!("Method: {}", self.method),
        ]
    }

    fn remarks(&self) -> Vec<String> {
        self.sections.iter().flat_map(Section::remarks).collect()
    }

    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let rows = self.rows();
        let heads = HEADS.map(str::to_owned);
        let widths: Vec<usize> = (0..HEADS.len())
            .map(|at| {
                let cells = rows.iter().chain([&heads]).filter_map(|row| row.get(at));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        let mut text = self.head().join("\n") + "\n\n";
        for row in [&heads].into_iter().chain(&rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            text += line.trim_end();
            text.push('\n');
        }
        text.push('\n');
        text + &self.remarks().join("\n") + "\n"
    }

    /// For the page of the documentation.
    pub(crate) fn markdown(&self) -> String {
        let bar = |row: &[String]| format!("| {} |", row.join(" | "));
        let item = |text: String| format!("- {text}");
        let mut lines: Vec<String> = self.head().map(item).into();
        lines.push(String::new());
        lines.push(bar(&HEADS.map(str::to_owned)));
        lines.push(bar(&HEADS.map(|_| "---".to_owned())));
        lines.extend(self.rows().iter().map(|row| bar(row)));
        lines.push(String::new());
        lines.extend(self.remarks().into_iter().map(item));
        lines.join("\n") + "\n"
    }

    /// For programs; a stable shape.
    pub(crate) fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&ReportJson::of(self))
    }
}

#[derive(Serialize)]
struct ReportJson<'a> {
    machine: &'a Machine,
    data: &'a str,
    method: &'a str,
    rows: Vec<SectionJson<'a>>,
}

#[derive(Serialize)]
struct SectionJson<'a> {
    row: &'a str,
    load_average: [f64; 2],
    failed: Option<&'a str>,
    lines: Vec<LineJson<'a>>,
    notes: &'a [String],
    left_out: &'a [String],
}

#[derive(Serialize)]
struct LineJson<'a> {
    job: &'a str,
    unit: &'a str,
    ours: Figures<'a>,
    rival: &'a str,
    theirs: Figures<'a>,
    ratio: Option<Spread>,
    goal: String,
    verdict: &'static str,
}

#[derive(Serialize)]
struct Figures<'a> {
    spread: Option<Spread>,
    rounds: &'a Samples,
}

impl<'a> ReportJson<'a> {
    fn of(report: &'a Report) -> Self {
        let rows = report.sections.iter().map(SectionJson::of).collect();
        Self { machine: &report.machine, data: &report.data, method: &report.method, rows }
    }
}

impl<'a> SectionJson<'a> {
    fn of(section: &'a Section) -> Self {
        let outcome = section.outcome.as_ref().ok();
        Self {
            row: section.row,
            load_average: section.load,
            failed: section.outcome.as_ref().err().map(String::as_str),
            lines: section.lines().iter().map(LineJson::of).collect(),
            notes: outcome.map_or(&[], |outcome| &outcome.notes),
            left_out: outcome.map_or(&[], |outcome| &outcome.left_out),
        }
    }
}

impl<'a> LineJson<'a> {
    fn of(line: &'a Line) -> Self {
        let figures = |rounds: &'a Samples| Figures { spread: rounds.spread(), rounds };
        Self {
            job: &line.job,
            unit: line.unit,
            ours: figures(&line.ours),
            rival: &line.rival,
            theirs: figures(&line.theirs),
            ratio: line.ratio().spread(),
            goal: line.goal.text(),
            verdict: line.verdict().as_str(),
        }
    }
}
