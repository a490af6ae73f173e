//! `bench-cli synthesize`

use super::Context;
use crate::args::SynthesizeArgs;
use crate::synthetic::{Spec, generate};
use anyhow::Result;
use serde::Serialize;

/// What was made.
#[derive(Serialize)]
struct Report {
    data: String,
    seed: u64,
    good: usize,
    defective: usize,
}

/// Makes a synthetic data set.
///
/// # Errors
/// If the folder holds something else, or cannot be written.
pub fn synthesize(context: &Context, args: &SynthesizeArgs) -> Result<()> {
    let full = Spec::full(args.kind, args.seed);
    let spec = Spec {
        good: args.good.unwrap_or(full.good),
        defective: args.defective.unwrap_or(full.defective),
        ..full
    };
    generate(&spec, &args.out)?;
    let Spec { seed, good, defective, .. } = spec;
    let data = args.out.display().to_string();
    context
        .reporter
        .text(&format!("{good} good and {defective} defective synthetic images: {data}"))?;
    context.reporter.record(&Report { data, seed, good, defective })
}
