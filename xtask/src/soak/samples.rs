//! What was seen of the server, and what follows from it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

/// Memory that comes and goes within a quarter: a flush, a group of commits, a page of a list.
const NOISE: u64 = 4 << 20;

/// What was seen at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample {
    /// Since the load began.
    pub(super) at: Duration,
    /// Requests that were answered until then.
    pub(super) asked: u64,
    /// Memory of the process, in bytes.
    pub(super) resident: u64,
    /// The gauges of its metrics.
    pub(super) gauges: BTreeMap<String, f64>,
    /// The bytes of its files.
    pub(super) files: BTreeMap<String, u64>,
}

/// All that was seen, in order.
#[derive(Debug, Default)]
pub(super) struct Samples(Vec<Sample>);

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: u64 = self.files.values().sum();
        write!(
            f,
            "{:>6} s  {:>10} requests  {:>7.1} MiB resident  {:>8.1} MiB on disk",
            self.at.as_secs(),
            self.asked,
            mib(self.resident),
            mib(files)
        )
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a figure for people")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

impl Samples {
    pub(super) fn add(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Twenty moments of all.
    pub(super) fn table(&self) -> String {
        let step = self.0.len().div_ceil(20).max(1);
        let lines = self.0.iter().rev().step_by(step).map(ToString::to_string);
        let mut lines: Vec<String> = lines.collect();
        lines.reverse();
        lines.join("\n")
    }

    /// The middle of the memory in the third quarter, and in the last.
    fn quarters(&self) -> (u64, u64) {
        let middle = |part: &[Sample]| {
            let mut resident: Vec<u64> = part.iter().map(|sample| sample.resident).collect();
            resident.sort_unstable();
            resident.get(resident.len() / 2).copied().unwrap_or_default()
        };
        let quarter = self.0.len() / 4;
        let (rest, last) = self.0.split_at(self.0.len() - quarter);
        (middle(rest.get(rest.len().saturating_sub(quarter)..).unwrap_or_default()), middle(last))
    }

    /// Whether the last quarter took no more memory than the one before, but for noise.
    pub(super) fn has_plateau(&self) -> bool {
        let (third, last) = self.quarters();
        last <= third + NOISE.max(third / 50)
    }

    /// That in words, and what grew if memory did.
    pub(super) fn verdict(&self) -> String {
        let (third, last) = self.quarters();
        let figures =
            format!("{:.1} MiB in the third quarter, {:.1} MiB in the last", mib(third), mib(last));
        if self.has_plateau() {
            return format!("a plateau: {figures}");
        }
        let grew = self.grew();
        format!(
            "memory grows: {figures}. What grew by a tenth or more since the middle:\n{}",
            grew.join("\n")
        )
    }

    /// Gauges and files that are larger at the end than in the middle.
    fn grew(&self) -> Vec<String> {
        let (Some(middle), Some(end)) = (self.0.get(self.0.len() / 2), self.0.last()) else {
            return Vec::new();
        };
        let gauges = end.gauges.iter().filter_map(|(name, now)| {
            let then = middle.gauges.get(name).copied().unwrap_or_default();
            (*now > then * 1.1).then(|| format!("  {name}: {then} to {now}"))
        });
        let files = end.files.iter().filter_map(|(name, now)| {
            let then = middle.files.get(name).copied().unwrap_or_default();
            (*now > then + then / 10)
                .then(|| format!("  {name}: {:.1} to {:.1} MiB", mib(then), mib(*now)))
        });
        gauges.chain(files).collect()
    }
}

/// The gauges on a page of metrics.
pub(super) fn gauges(page: &str) -> BTreeMap<String, f64> {
    let is_gauge = |line: &&str| line.ends_with(" gauge");
    let named: Vec<&str> =
        page.lines().filter(is_gauge).filter_map(|line| line.split(' ').nth(2)).collect();
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        let base = name.split('{').next().unwrap_or(name);
        named.contains(&base).then(|| Some((name.to_owned(), value.parse().ok()?)))?
    };
    page.lines().filter_map(value).collect()
}

/// The files in a directory with their bytes.
pub(super) fn files(directory: &Path) -> Result<BTreeMap<String, u64>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // One that was renamed meanwhile is seen the next time.
        if let Ok(found) = entry.metadata()
            && found.is_file()
            && entry.file_name() != "reserve"
        {
            files.insert(entry.file_name().to_string_lossy().into_owned(), found.len());
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(resident: impl Iterator<Item = u64>) -> Samples {
        Samples(resident.map(|mib| Sample { resident: mib << 20, ..Sample::default() }).collect())
    }

    #[test]
    fn a_plateau_is_told_from_growth() {
        assert!(of((0..100).map(|n| 50 + n.min(30))).has_plateau());
        assert!(of((0..100).map(|n| 80 + n % 3)).has_plateau());
        let growing = of((0..100).map(|n| 50 + n));
        assert!(!growing.has_plateau());
        assert!(growing.verdict().starts_with("memory grows: "));
    }

    #[test]
    fn gauges_are_read_and_nothing_else() {
        let page = "# TYPE a gauge\na 3\n# TYPE b counter\nb 4\n# TYPE c gauge\nc{x=\"y z\"} 1.5\n";
        let expected = [("a".to_owned(), 3.0), ("c{x=\"y z\"}".to_owned(), 1.5)];
        assert_eq!(gauges(page), BTreeMap::from(expected));
    }
}
