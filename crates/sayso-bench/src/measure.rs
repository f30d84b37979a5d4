//! Values of a measurement, one a round, and what they are to be.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// The values of one measurement, in the order of the rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<f64>);

/// The least, the middle and the greatest of some values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The least.
    pub(crate) min: f64,
    /// The middle; of an even number of values the mean of the two in the middle.
    pub(crate) median: f64,
    /// The greatest.
    pub(crate) max: f64,
}

/// What a ratio is to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// It is shown; there is no goal.
    Shown,
}

/// Whether a goal was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was, by the median of the rounds.
    Met,
    /// It was not.
    Missed,
    /// There is none.
    NoGoal,
}

impl Samples {
    /// The value of one more round.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// A measurement that was made once.
    pub(crate) fn once(value: f64) -> Self {
        Self(vec![value])
    }

    /// The spread; absent where nothing was measured.
    pub(crate) fn spread(&self) -> Option<Spread> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Spread { min, median: f64::midpoint(lower, upper), max })
    }

    /// Round by round, these values over `others`: what was measured one after the other is compared.
    pub(crate) fn over(&self, others: &Self) -> Self {
        let pairs = self.0.iter().zip(&others.0);
        Self(pairs.map(|(ours, theirs)| ours / theirs).collect())
    }
}

impl Goal {
    /// Whether the median of these ratios reaches it.
    pub(crate) fn judge(self, ratio: &Samples) -> Verdict {
        let median = ratio.spread().map(|spread| spread.median);
        match (self, median) {
            (Self::Shown, _) => Verdict::NoGoal,
            (Self::AtMost(most), Some(median)) if median <= most => Verdict::Met,
            (Self::AtLeast(least), Some(median)) if median >= least => Verdict::Met,
            (Self::AtMost(_) | Self::AtLeast(_), _) => Verdict::Missed,
        }
    }

    /// In words.
    pub(crate) fn text(self) -> String {
        match self {
            Self::AtMost(most) if most < 1.0 => {
                format!("≤ {} (1/{})", short(most), short(1.0 / most))
            }
            Self::AtMost(most) => format!("≤ {}", short(most)),
            Self::AtLeast(least) => format!("≥ {}", short(least)),
            Self::Shown => "–".to_owned(),
        }
    }
}

impl Verdict {
    /// The word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NoGoal => "–",
        }
    }
}

impl Serialize for Samples {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// A whole number as a value: exact below 2^53, which no count of this program reaches.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "there is no other way from a 64-bit number to a float"
)]
pub(crate) const fn float(number: u64) -> f64 {
    number as f64
}

/// A length as a value.
pub(crate) fn count(length: usize) -> f64 {
    float(u64::try_from(length).unwrap_or(u64::MAX))
}

/// A time in whole nanoseconds.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The value below which `percent` of a hundred lie; sorts the values. Zero where there are none.
pub(crate) fn percentile(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}

/// A value in three digits or so: `0.0312`, `87.1`, `412`, `44.2k`, `1.31M`.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 || value == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples(values.to_vec())
    }

    #[test]
    fn a_spread_is_least_middle_and_greatest() {
        let spread = samples(&[3.0, 1.0, 2.0]).spread().unwrap();
        assert_eq!(spread, Spread { min: 1.0, median: 2.0, max: 3.0 });
        assert!((samples(&[1.0, 4.0, 2.0, 3.0]).spread().unwrap().median - 2.5).abs() < 1e-9);
        assert_eq!(Samples::default().spread(), None);
    }

    #[test]
    fn a_goal_is_judged_by_the_median_of_the_rounds_ratios() {
        let ratio = samples(&[10.0, 30.0, 90.0]).over(&samples(&[100.0, 100.0, 100.0]));
        assert_eq!(Goal::AtMost(0.3).judge(&ratio), Verdict::Met);
        assert_eq!(Goal::AtMost(0.2).judge(&ratio), Verdict::Missed);
        assert_eq!(Goal::AtLeast(0.4).judge(&ratio), Verdict::Missed);
        assert_eq!(Goal::AtLeast(0.1).judge(&Samples::default()), Verdict::Missed);
        assert_eq!(Goal::Shown.judge(&ratio), Verdict::NoGoal);
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let mut values: Vec<u64> = (0..200).rev().collect();
        assert_eq!(percentile(&mut values, 50), 100);
        assert_eq!(percentile(&mut values, 99), 198);
        assert_eq!(percentile(&mut [7], 99), 7);
        assert_eq!(percentile(&mut [], 99), 0);
    }

    #[test]
    fn values_are_written_short() {
        let texts = [0.0312, 0.5, 87.12, 412.3, 44_210.0, 1_314_000.0].map(short);
        assert_eq!(texts, ["0.0312", "0.50", "87.1", "412", "44.2k", "1.31M"]);
    }
}
