//! `bench-cli bench`

mod curves;
mod exchange;
mod inputs;
mod inspection;
mod layers;
mod matched;
mod memory;
mod network;
mod similarity;
mod timing;
mod work;

use super::Context;
use crate::args::{BenchArgs, Case};
use anyhow::Result;
use candle_core::Device;
use detector::records::{BenchRecord, Timing};
use models::device_name;
use serde::Serialize;

/// Measures how fast this machine computes.
///
/// # Errors
/// If the arguments do not describe work that can be done, or the folder for the exchange cannot be written.
pub fn bench(context: &Context, args: &BenchArgs) -> Result<()> {
    // What has no other implementation runs there, whatever the device.
    let cpu = &Context { device: Device::Cpu, ..context.clone() };
    match &args.case {
        Case::TrainStep { network, loss, precision, run } => {
            network::train_step(context, network, loss, *precision, run)
        }
        Case::Forward { network, run } => network::forward(context, network, run),
        Case::Layers { network, runs } => layers::layers(cpu, network, *runs),
        Case::Inspect(args) => inspection::inspect(context, args),
        Case::Ssim { size, window, run } => similarity::map(cpu, *size, window, run),
        Case::SsimLoss { size, batch, window, run } => {
            similarity::loss(cpu, *size, *batch, window, run)
        }
        Case::Roc(args) => curves::roc(cpu, args),
        Case::AuPro(args) => curves::au_pro(cpu, args),
    }
}

/// Prints the result of a case; `size` is the work's in words.
fn report(
    context: &Context,
    case: &str,
    size: &str,
    timing: Timing,
    work: impl Serialize,
) -> Result<()> {
    let threads = rayon::current_num_threads();
    let peak_rss_mb = memory::peak_rss_mb();
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
