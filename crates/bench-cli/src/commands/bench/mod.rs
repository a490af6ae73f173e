//! `bench-cli bench`

mod curves;
mod exchange;
mod inputs;
mod inspection;
mod layers;
mod matched;
mod memory;
mod network;
mod report;
mod similarity;
mod timing;
mod work;

use super::Context;
use crate::args::{BenchArgs, Case};
use anyhow::Result;
use candle_core::Device;

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
