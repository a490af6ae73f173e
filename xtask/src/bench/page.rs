//! The table of all outcomes.

use super::result::{Check, Finding, Outcome, Rival, Times};
use crate::difference::written;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const HEAD: &str = "# Benchmarks

Written by `cargo xtask bench`. Each program runs in a process of its own, in turn with the others for several rounds, on the
same inputs and threads; warm-up and start are not counted. A ratio is an opponent's time divided by ours in the same round,
above 1 if we are faster: the median over rounds, and the least and the greatest. Before its time counts, an opponent's
result must be ours up to the stated difference. Memory is the largest resident set of a process, inputs and interpreter
included.
";

/// The page, in Markdown, with links to others in its folder.
pub fn page(outcomes: &[Outcome], others: &[String]) -> String {
    let mut sections = vec![HEAD.to_owned()];
    if !others.is_empty() {
        let links: Vec<String> = others.iter().map(|name| format!("[{name}]({name})")).collect();
        sections.push(format!("See also {}.\n", links.join(", ")));
    }
    sections.extend([times(outcomes), checks(outcomes), machines(outcomes)]);
    sections.join("\n")
}

fn times(outcomes: &[Outcome]) -> String {
    let mut rows = vec![
        "| case | ours, ms | opponent | its, ms | ratio | memory, MB | its, MB | goal |".to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for Outcome { case, ours, opponents, goal, .. } in outcomes {
        let own = format!("| {case} | {} |", milliseconds(ours.median_ms));
        let memory = megabytes(ours);
        if opponents.is_empty() {
            rows.push(format!("{own} – | – | – | {memory} | – | {goal} |"));
        }
        for Rival { name, finding } in opponents {
            let cells = match finding {
                Finding::Compared { ratio, times, .. } => format!(
                    "{} | **{:.2}** ({:.2}–{:.2}) | {memory} | {}",
                    milliseconds(times.median_ms),
                    ratio.median,
                    ratio.min,
                    ratio.max,
                    megabytes(times)
                ),
                Finding::Failed { .. } => format!("failed | – | {memory} | –"),
            };
            rows.push(format!("{own} {name} | {cells} | {goal} |"));
        }
    }
    rows.join("\n") + "\n"
}

/// Three significant digits.
fn milliseconds(time: f64) -> String {
    match time {
        ..10.0 => format!("{time:.2}"),
        10.0..100.0 => format!("{time:.1}"),
        _ => format!("{time:.0}"),
    }
}

fn megabytes(times: &Times) -> String {
    times.peak_rss_mb.map_or_else(|| "–".to_owned(), |peak| format!("{peak:.0}"))
}

fn checks(outcomes: &[Outcome]) -> String {
    let mut text = "## What was computed\n\n".to_owned();
    for Outcome { case, command, ours, opponents, work, .. } in outcomes {
        let rounds = ours.rounds_ms.len();
        let plural = if rounds == 1 { "" } else { "s" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "- **{case}**: `{command}`{}, {rounds} round{plural}", size(work));
        for Rival { name, finding } in opponents {
            let said = match finding {
                Finding::Compared { checks, .. } => differences(checks),
                Finding::Failed { error } => format!("failed: {error}"),
            };
            let _ = writeln!(text, "  - {name}: {said}");
        }
    }
    text
}

/// The size of the work, as text.
fn size(work: &serde_json::Value) -> String {
    let fields = work.as_object().into_iter().flatten();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let fields: Vec<String> =
        fields.map(|(name, value)| format!("{} {}", name.replace('_', " "), text(value))).collect();
    if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) }
}

fn differences(checks: &[Check]) -> String {
    let difference = |check: &Check| {
        let Check { what, difference, tolerance } = check;
        let difference = written(*difference);
        format!("{what} within {difference} of ours (allowed {tolerance:.0e})")
    };
    checks.iter().map(difference).collect::<Vec<_>>().join("; ")
}

/// Machines and commits, each with its cases.
fn machines(outcomes: &[Outcome]) -> String {
    let mut cases = BTreeMap::<_, Vec<&str>>::new();
    for outcome in outcomes {
        cases.entry(&outcome.provenance).or_default().push(&outcome.case);
    }
    let mut text = "## Where\n\n".to_owned();
    for (at, names) in cases {
        let of =
            if names.len() == outcomes.len() { "all cases".to_owned() } else { names.join(", ") };
        let _ = writeln!(
            text,
            "- {of}: {}, commit {}, {} ({}), {} threads, load {} before, {}, {}",
            at.date,
            at.commit,
            at.processor,
            at.instructions.join(", "),
            at.threads,
            at.load,
            at.os,
            at.rustc
        );
    }
    let versions = versions(outcomes);
    if !versions.is_empty() {
        let _ = writeln!(text, "- opponents: {}", versions.join(", "));
    }
    text
}

fn versions(outcomes: &[Outcome]) -> Vec<String> {
    let rivals = outcomes.iter().flat_map(|outcome| &outcome.opponents);
    let versions = rivals.filter_map(|rival| match &rival.finding {
        Finding::Compared { versions, .. } => Some(versions),
        Finding::Failed { .. } => None,
    });
    let named = versions.flatten().map(|(name, version)| format!("{name} {version}"));
    named.collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::result::{Measurement, Provenance};
    use super::*;
    use serde_json::{Value, json};

    fn measurement(median_ms: f64) -> Measurement {
        Measurement {
            median_ms,
            min_ms: median_ms / 2.0,
            peak_rss_mb: Some(100.0),
            checks: vec![Check { what: "map".to_owned(), difference: 1.5e-6, tolerance: 1e-4 }],
            versions: [("numpy".to_owned(), "2.4.6".to_owned())].into(),
        }
    }

    fn provenance(commit: &str) -> Provenance {
        Provenance {
            date: "2026-01-31".to_owned(),
            commit: commit.to_owned(),
            processor: "Abacus".to_owned(),
            instructions: vec!["AVX2".to_owned(), "FMA".to_owned()],
            os: "linux x86_64".to_owned(),
            threads: 2,
            load: "0.12".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
        }
    }

    fn outcome() -> Outcome {
        let ours = [10.0, 12.0, 11.0].map(measurement);
        let theirs = [20.0, 36.0, 22.0].map(measurement);
        Outcome {
            case: "ssim-512".to_owned(),
            command: "bench-cli bench ssim --size 512".to_owned(),
            goal: "3 times OpenCV".to_owned(),
            ours: Times::of(&ours),
            work: json!({"pixels": 262144, "window": "uniform:11"}),
            opponents: vec![
                Rival::compared("OpenCV", &theirs, &ours),
                Rival::failed("scikit-image", "No module named 'skimage'".to_owned()),
            ],
            provenance: provenance("abc1234"),
        }
    }

    #[test]
    fn a_page_says_what_was_measured_and_what_failed() {
        let page = page(&[outcome()], &["layers.md".to_owned()]);
        for line in [
            "See also [layers.md](layers.md).",
            "| ssim-512 | 11.0 | OpenCV | 22.0 | **2.00** (2.00–3.00) | 100 | 100 | 3 times OpenCV |",
            "| ssim-512 | 11.0 | scikit-image | failed | – | 100 | – | 3 times OpenCV |",
            "- **ssim-512**: `bench-cli bench ssim --size 512` (pixels 262144, window uniform:11), 3 rounds",
            "  - OpenCV: map within 1.5e-6 of ours (allowed 1e-4)",
            "  - scikit-image: failed: No module named 'skimage'",
            "- all cases: 2026-01-31, commit abc1234, Abacus (AVX2, FMA), 2 threads, load 0.12 before, linux x86_64, rustc 1.95.0",
            "- opponents: numpy 2.4.6",
        ] {
            assert!(page.lines().any(|other| other == line), "{line}\n{page}");
        }
    }

    #[test]
    fn cases_of_several_commits_are_told_apart() {
        let plain = Outcome {
            case: "start-up".to_owned(),
            work: Value::Null,
            opponents: vec![],
            ours: Times::of(&[measurement(3.25)]),
            provenance: provenance("def5678"),
            ..outcome()
        };
        let page = page(&[outcome(), plain], &[]);
        assert!(!page.contains("See also"), "{page}");
        assert!(page.contains("| start-up | 3.25 | – | – | – |"), "{page}");
        assert!(page.contains("- ssim-512: 2026-01-31, commit abc1234"), "{page}");
        assert!(page.contains("- start-up: 2026-01-31, commit def5678"), "{page}");
    }

    /// The page is made from the files of all runs.
    #[test]
    fn outcomes_survive_their_files() {
        let text = serde_json::to_string(&outcome()).unwrap_or_default();
        let read: Result<Outcome, _> = serde_json::from_str(&text);
        assert_eq!(read.ok(), Some(outcome()));
    }
}
