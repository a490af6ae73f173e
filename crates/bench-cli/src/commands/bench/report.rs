//! The printed result of a case.

use super::memory::peak_rss_mb;
use crate::commands::Context;
use anyhow::Result;
use detector::records::{BenchRecord, Timing};
use models::device_name;
use serde::Serialize;

/// Prints the result of a case; `size` is the work's in words.
pub fn report(
    context: &Context,
    case: &str,
    size: &str,
    timing: Timing,
    work: impl Serialize,
) -> Result<()> {
    let threads = rayon::current_num_threads();
    let peak_rss_mb = peak_rss_mb();
    let device = device_name(&context.device);
    let case = case.to_owned();
    let record = BenchRecord { case, timing, threads, device, peak_rss_mb, work };
    let Timing { median_ms, min_ms, runs } = timing;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let mut line = format!(
        "{:<10}  median {median_ms:>9.3} ms  min {min_ms:>9.3} ms  {runs} run{}, {threads} thread{}, {}",
        record.case,
        plural(runs),
        plural(threads),
        record.device
    );
    if let Some(rate) = serde_json::to_value(&record.work)?["gflop_per_s"].as_f64() {
        line.push_str(&format!(", {rate:.1} GFLOP/s"));
    }
    if let Some(peak) = peak_rss_mb {
        line.push_str(&format!(", peak {peak:.0} MB"));
    }
    context.terminal.text(&format!("{line}  {size}"))?;
    context.terminal.record(&record)
}
