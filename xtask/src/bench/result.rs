//! The results of a benchmark: the files `results/benchmarks/CASE.json`.

use super::statistics::{Ratio, median};
use detector::records::{BenchRecord, Timing};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The report of one process.
#[derive(Clone, Debug, Deserialize)]
pub struct Measurement {
    pub median_ms: f64,
    pub min_ms: f64,
    pub peak_rss_mb: Option<f64>,
    #[serde(default)]
    pub checks: Vec<Check>,
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
}

/// The report of `bench-cli bench`, with the size of the work of any case.
pub type OwnReport = BenchRecord<Map<String, Value>>;

impl Measurement {
    /// Our own times.
    pub fn own(report: &OwnReport) -> Self {
        let Timing { median_ms, min_ms, .. } = report.timing;
        let (checks, versions) = (Vec::new(), BTreeMap::new());
        Self { median_ms, min_ms, peak_rss_mb: report.peak_rss_mb, checks, versions }
    }
}

/// A comparison of an opponent's result with ours: the largest difference, and what is allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub what: String,
    pub difference: f64,
    pub tolerance: f64,
}

/// The rounds of one program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// The median over rounds of each round's median.
    pub median_ms: f64,
    /// The shortest run of all.
    pub min_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_mb: Option<f64>,
    /// The median of each round.
    pub rounds_ms: Vec<f64>,
}

impl Times {
    pub fn of(rounds: &[Measurement]) -> Self {
        let rounds_ms: Vec<f64> = rounds.iter().map(|round| round.median_ms).collect();
        Self {
            median_ms: median(&rounds_ms),
            min_ms: rounds.iter().map(|round| round.min_ms).fold(f64::INFINITY, f64::min),
            peak_rss_mb: rounds.iter().filter_map(|round| round.peak_rss_mb).reduce(f64::max),
            rounds_ms,
        }
    }
}

/// An opponent and its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rival {
    pub name: String,
    #[serde(flatten)]
    pub finding: Finding,
}

/// The outcome of an opponent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Finding {
    Compared {
        /// Its time divided by ours.
        ratio: Ratio,
        times: Times,
        checks: Vec<Check>,
        versions: BTreeMap<String, String>,
    },
    Failed {
        error: String,
    },
}

impl Rival {
    pub fn compared(name: &str, theirs: &[Measurement], ours: &[Measurement]) -> Self {
        let (times, our_times) = (Times::of(theirs), Times::of(ours));
        let ratio = Ratio::of(&times.rounds_ms, &our_times.rounds_ms);
        let last = theirs.last();
        let checks = last.map(|round| round.checks.clone()).unwrap_or_default();
        let versions = last.map(|round| round.versions.clone()).unwrap_or_default();
        let finding = Finding::Compared { ratio, times, checks, versions };
        Self { name: name.to_owned(), finding }
    }

    pub fn failed(name: &str, error: String) -> Self {
        Self { name: name.to_owned(), finding: Finding::Failed { error } }
    }
}

/// Where, when and of what a case was measured.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Provenance {
    pub date: String,
    pub commit: String,
    pub processor: String,
    pub instructions: Vec<String>,
    pub os: String,
    pub threads: usize,
    /// The load average of the minute before the first case.
    pub load: String,
    pub rustc: String,
}

/// A case as it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub case: String,
    /// The command that was timed.
    pub command: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub goal: String,
    pub ours: Times,
    /// The size of the work, as `bench-cli` reports it.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub work: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opponents: Vec<Rival>,
    pub provenance: Provenance,
}
