//! How long something takes.

use crate::args::RunArgs;
use crate::interrupt;
use anyhow::{Result, bail};
use detector::records::Timing;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Before the first run that counts: caches and allocator are filled, processors have left their idle states.
const WARM_UP: Duration = Duration::from_millis(200);
const WARM_UP_RUNS: usize = 1;

/// The least number of runs, however long they take.
const FEWEST_RUNS: usize = 3;

/// Runs `work` as often as `args` say. Its results are dropped outside the measured time.
///
/// # Errors
/// If `work` fails, the time is not positive, or a signal came.
pub fn time<T>(args: &RunArgs, mut work: impl FnMut() -> Result<T>) -> Result<Timing> {
    if !(args.seconds > 0.0 && args.seconds.is_finite()) {
        bail!("--seconds must be positive, got {}", args.seconds);
    }
    let mut time = || {
        interrupt::check(|| "interrupted; nothing was measured".to_owned())?;
        let start = Instant::now();
        let result = black_box(work()?);
        let elapsed = start.elapsed();
        drop(result);
        anyhow::Ok(elapsed)
    };
    let start = Instant::now();
    let mut warm_up_runs = 0;
    while warm_up_runs < WARM_UP_RUNS || start.elapsed() < WARM_UP {
        time()?;
        warm_up_runs += 1;
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while !is_enough(args, times.len(), start) {
        times.push(time()?);
    }
    Ok(summary(times))
}

/// The times of each of `parts` equal parts of a run.
pub fn of_each(whole: Timing, parts: usize) -> Timing {
    let part = |ms: f64| ms / parts as f64;
    Timing { median_ms: part(whole.median_ms), min_ms: part(whole.min_ms), ..whole }
}

/// The times must not be empty.
fn summary(mut times: Vec<Duration>) -> Timing {
    times.sort_unstable();
    let runs = times.len();
    let ms = |index: usize| 1e3 * times[index].as_secs_f64();
    Timing { median_ms: 0.5 * (ms((runs - 1) / 2) + ms(runs / 2)), min_ms: ms(0), runs }
}

fn is_enough(args: &RunArgs, runs: usize, start: Instant) -> bool {
    match args.runs {
        Some(wanted) => runs >= wanted,
        None => runs >= FEWEST_RUNS && start.elapsed().as_secs_f64() >= args.seconds,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn args(runs: Option<usize>, seconds: f64) -> RunArgs {
        RunArgs { runs, seconds, seed: 0, exchange: None }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        let times = |ms: &[u64]| ms.iter().copied().map(Duration::from_millis).collect();
        let odd = summary(times(&[9, 1, 4]));
        assert_eq!(odd, Timing { median_ms: 4.0, min_ms: 1.0, runs: 3 });
        let even = summary(times(&[9, 2, 4, 5]));
        assert_eq!(even, Timing { median_ms: 4.5, min_ms: 2.0, runs: 4 });
    }

    #[test]
    fn runs_are_divided_into_parts() {
        let whole = Timing { median_ms: 100.0, min_ms: 50.0, runs: 7 };
        assert_eq!(of_each(whole, 50), Timing { median_ms: 2.0, min_ms: 1.0, runs: 7 });
    }

    #[test]
    fn the_warm_up_is_not_counted() {
        let mut calls = 0;
        let work = || {
            calls += 1;
            Ok(())
        };
        let timing = time(&args(Some(5), 3.0), work).unwrap();
        assert_eq!(timing.runs, 5);
        assert!(calls >= 5 + WARM_UP_RUNS);
        let timing = time(&args(None, 1e-9), || Ok(())).unwrap();
        assert_eq!(timing.runs, FEWEST_RUNS);
    }

    #[test]
    fn a_failure_ends_the_runs() {
        assert!(time(&args(Some(5), 3.0), || -> Result<()> { bail!("no") }).is_err());
        for seconds in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(time(&args(None, seconds), || Ok(())).is_err());
        }
    }
}
