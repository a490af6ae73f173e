//! Both sides in turn.

use super::cases::{Case, Kind, Opponent};
use super::result::{Measurement, Outcome, Rival, Times};
use super::{Plan, opponent, plain};
use crate::command::{last_json_line, output_of};
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
            let removed = std::fs::remove_dir_all(&exchange);
            let (rounds, work, rivals) = compared?;
            removed.with_context(|| exchange.display().to_string())?;
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
        own.push(serde_json::from_value(report.clone()).context("bench-cli: unexpected report")?);
        work = report;
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
    Ok((own, without_times(work), rivals))
}

/// What `bench-cli bench` reports.
fn ours(args: &[&str], exchange: Option<&Path>, plan: &Plan) -> Result<Value> {
    let mut command = Command::new(&plan.program);
    command.arg("bench").args(args).args(exchange);
    command.args(["--json", "--quiet", "--threads", &plan.threads.to_string()]);
    last_json_line(&output_of(&mut command)?)
}

/// The size of the work in a report.
fn without_times(mut report: Value) -> Value {
    if let Some(fields) = report.as_object_mut() {
        for name in ["case", "median_ms", "min_ms", "runs", "threads", "peak_rss_mb", "gflop_per_s"]
        {
            fields.remove(name);
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_report_the_size_of_the_work_is_kept() {
        let report = json!({"case": "ssim", "median_ms": 1.0, "threads": 2, "pixels": 64});
        assert_eq!(without_times(report), json!({"pixels": 64}));
    }
}
