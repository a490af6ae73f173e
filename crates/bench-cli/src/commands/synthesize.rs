//! `bench-cli synthesize`

use super::Context;
use crate::args::SynthesizeArgs;
use anyhow::Result;
use detector::records::SyntheticRecord;
use detector::synthetic::{Spec, generate};

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
        .terminal
        .text(&format!("{good} good and {defective} defective synthetic images: {data}"))?;
    context.terminal.record(&SyntheticRecord { data, seed, good, defective })
}
