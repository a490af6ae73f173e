//! Rounds of measurements, ours and the opponents' in turn.

use super::cases::{Case, Kind, Opponent};
use super::result::{Measurement, Outcome, OwnReport, Rival, Times};
use super::{Plan, opponent, plain};
use crate::command::{last_json_line, output_of};
use crate::files;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Measures a case.
///
/// # Errors
/// If `bench-cli` or cargo fail. An opponent that fails is part of the outcome.
pub fn measure(case: &Case, plan: &Plan) -> Result<Outcome> {
    let outcome = |command, rounds: &[Measurement], work, opponents| Outcome {
        case: case.name.to_owned(),
        command,
        goal: case.goal.to_owned(),
        ours: Times::of(rounds),
        work,
        opponents,
        provenance: plan.provenance.clone(),
    };
    match case.kind {
        Kind::Compared { ours, opponents, most_rounds } => {
            let exchange = plan.work.join("exchange");
            let rounds = plan.rounds.min(most_rounds);
            let compared = compare(ours, opponents, rounds, &exchange, plan);
            // Scores of a whole test set are not to stay on the disk.
            let removed = files::remove(&exchange);
            let (rounds, work, rivals) = compared?;
            removed?;
            Ok(outcome(format!("bench-cli bench {}", ours.join(" ")), &rounds, work, rivals))
        }
        Kind::StartUp => {
            let rounds = plain::start_up(&plan.program)?;
            Ok(outcome("bench-cli --help".to_owned(), &rounds, Value::Null, Vec::new()))
        }
        Kind::Build { package } => {
            let round = plain::build(package, plan)?;
            let command = format!("cargo build -p {package}");
            Ok(outcome(command, &[round], Value::Null, Vec::new()))
        }
    }
}

type Compared = (Vec<Measurement>, Value, Vec<Rival>);

fn compare(
    args: &[&str],
    opponents: &[Opponent],
    rounds: usize,
    exchange: &Path,
    plan: &Plan,
) -> Result<Compared> {
    // The inputs are the same in every round.
    let exchange_args = [args, &["--runs", "1", "--exchange"]].concat();
    ours(&exchange_args, Some(exchange), plan)?;
    let seconds = plan.seconds.to_string();
    let timed_args = [args, &["--seconds", &seconds]].concat();
    let (mut own, mut work) = (Vec::new(), Value::Null);
    let mut others: Vec<Result<Vec<Measurement>>> = opponents.iter().map(|_| Ok(vec![])).collect();
    for _ in 0..rounds {
        let report = ours(&timed_args, None, plan)?;
        own.push(Measurement::own(&report));
        work = size(report);
        for (opponent, rounds) in opponents.iter().zip(&mut others) {
            if let (Ok(measured), Some(python)) = (rounds.as_mut(), &plan.python) {
                match opponent::run(opponent, python, exchange, plan.threads, plan.seconds) {
                    Ok(round) => measured.push(round),
                    Err(error) => *rounds = Err(error),
                }
            }
        }
    }
    let rivals = opponents.iter().zip(others).map(|(opponent, rounds)| match rounds {
        Ok(rounds) => Rival::compared(opponent.name, &rounds, &own),
        Err(error) => Rival::failed(opponent.name, format!("{error:#}")),
    });
    let rivals = rivals.collect();
    Ok((own, work, rivals))
}

/// The report of `bench-cli bench`.
fn ours(args: &[&str], exchange: Option<&Path>, plan: &Plan) -> Result<OwnReport> {
    let mut command = Command::new(&plan.program);
    command.arg("bench").args(args).args(exchange);
    command.args(["--json", "--quiet", "--threads", &plan.threads.to_string()]);
    last_json_line(&output_of(&mut command)?).context("bench-cli bench")
}

/// Device and size of the work in a report.
fn size(report: OwnReport) -> Value {
    let mut work = report.work;
    work.remove("gflop_per_s");
    work.insert("device".to_owned(), Value::String(report.device));
    Value::Object(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_and_work_of_a_report_are_told_apart() {
        let report = json!({
            "case": "forward", "median_ms": 2.0, "min_ms": 1.0, "runs": 3, "threads": 2, "device": "cpu", "peak_rss_mb": 9.5,
            "batch": 16, "multiply_adds": 64, "gflop_per_s": 0.1,
        });
        let report: OwnReport = serde_json::from_value(report).expect("a report");
        let Measurement { median_ms, min_ms, peak_rss_mb, .. } = Measurement::own(&report);
        assert_eq!((median_ms, min_ms, peak_rss_mb), (2.0, 1.0, Some(9.5)));
        assert_eq!(size(report), json!({ "batch": 16, "device": "cpu", "multiply_adds": 64 }));
    }
}
