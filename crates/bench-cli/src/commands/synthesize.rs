//! `bench-cli synthesize`

use super::Context;
use crate::args::SynthesizeArgs;
use crate::synthetic::{Spec, generate};
use anyhow::Result;

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
    context.reporter.text(&format!(
        "{} good and {} defective synthetic images: {}",
        spec.good,
        spec.defective,
        args.out.display()
    ))
}
