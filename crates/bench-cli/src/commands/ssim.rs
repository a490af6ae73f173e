//! `bench-cli ssim`

use super::Context;
use crate::args::SsimArgs;
use anyhow::{Context as _, Result, bail};
use detector::files::shown;
use detector::records::SsimRecord;
use detector::{read_image, write_float_tiff};
use inspect::Image;
use ssim::{Components, Params};

/// The names of the maps' files.
const NAMES: [&str; 4] = ["ssim", "luminance", "contrast", "structure"];

/// Compares two images.
///
/// # Errors
/// If an image cannot be read, their sizes differ or the window does not fit them.
pub fn ssim(context: &Context, args: &SsimArgs) -> Result<()> {
    let &SsimArgs { window, border, constants, .. } = args;
    let (a, b) = read_pair(args)?;
    let params = Params::new(window, border, constants);
    let maps = ssim::maps(a.data(), b.data(), a.width(), a.height(), &params, Components::ALL)
        .with_context(|| format!("cannot compare {} and {}", shown(&args.a), shown(&args.b)))?;
    let planes = [maps.ssim, maps.luminance, maps.contrast, maps.structure];
    let planes = planes.map(Option::unwrap_or_default);
    let means = planes.each_ref().map(|values| mean(values));
    if let Some(folder) = &args.maps {
        for (name, values) in NAMES.iter().zip(planes) {
            let map = Image::new(maps.width, maps.height, values)?;
            write_float_tiff(&folder.join(format!("{name}.tiff")), &map)?;
        }
    }
    let [ssim, luminance, contrast, structure] = means;
    context.terminal.text(&format!(
        "SSIM {ssim:.6} (luminance {luminance:.6}, contrast {contrast:.6}, structure {structure:.6})"
    ))?;
    context.terminal.record(&SsimRecord {
        ssim,
        luminance,
        contrast,
        structure,
        window: window.to_string(),
        border: border.to_string(),
        c1: constants.c1,
        c2: constants.c2,
        width: maps.width,
        height: maps.height,
    })
}

fn mean(values: &[f32]) -> f64 {
    values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64
}

fn read_pair(args: &SsimArgs) -> Result<(Image, Image)> {
    let (a, b) = (read_image(&args.a)?, read_image(&args.b)?);
    if a.size() != b.size() {
        bail!(
            "{} has {}x{} pixels, but {} has {}x{}",
            shown(&args.a),
            a.width(),
            a.height(),
            shown(&args.b),
            b.width(),
            b.height()
        );
    }
    Ok((a, b))
}
