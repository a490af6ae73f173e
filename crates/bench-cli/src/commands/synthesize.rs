//! `bench-cli synthesize`

use super::Context;
use crate::args::SynthesizeArgs;
use crate::interrupt;
use crate::progress::Progress;
use anyhow::{Result, ensure};
use detector::files::shown;
use detector::records::SyntheticRecord;
use detector::synthetic::{Spec, generate};
use std::path::Path;

/// More images than anybody looks at; a wrong number must not fill the disk.
const MOST_IMAGES: usize = 100_000;

/// Makes a synthetic data set.
///
/// # Errors
/// If the folder holds something else, or cannot be written.
pub fn synthesize(context: &Context, args: &SynthesizeArgs) -> Result<()> {
    let most = args.good.max(args.defective).unwrap_or(0);
    ensure!(
        most <= MOST_IMAGES,
        "--good and --defective must be at most {MOST_IMAGES}, got {most}"
    );
    let full = Spec::full(args.kind, args.seed);
    let spec = Spec {
        good: args.good.unwrap_or(full.good),
        defective: args.defective.unwrap_or(full.defective),
        ..full
    };
    make(context, &spec, &args.out)?;
    let Spec { seed, good, defective, .. } = spec;
    let data = args.out.to_string_lossy().into_owned();
    context.terminal.text(&format!(
        "{good} good and {defective} defective synthetic images: {}",
        shown(&args.out)
    ))?;
    context.terminal.record(&SyntheticRecord { data, seed, good, defective })
}

/// Makes the images of a set.
///
/// # Errors
/// If the folder holds something else, or cannot be written; or that it was interrupted.
pub fn make(context: &Context, spec: &Spec, folder: &Path) -> Result<()> {
    let all = (spec.good + spec.defective) as u64;
    let names = ["making images", "images"];
    let bar = Progress::new(context.terminal, names, (0, all), "{bar:30} {pos}/{len} images {eta}");
    let made = generate(spec, folder, &mut interrupt::progress(&bar));
    bar.finish();
    made.map_err(|error| {
        let folder = shown(folder);
        interrupt::explain(error, || format!("interrupted; the same command goes on in {folder}"))
    })
}
