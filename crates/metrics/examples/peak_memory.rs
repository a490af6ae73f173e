//! Measures the peak memory of ranking 28.5 million pixels (40 images of
//! 1024×696, 3 % of them defective), beside the scores and labels themselves.
//!
//! Prints the growth of the resident set over that before each step, which
//! Linux tells, in bytes per pixel; a score has 4.
//!
//! `cargo run --release -p metrics --example peak_memory`

#![expect(clippy::print_stdout, reason = "it is what the example is for")]

#[path = "../benches/data/mod.rs"]
mod data;

use std::fs;
use std::io;
use std::time::Instant;

use data::{images, labels, scores};
use metrics::{AU_PRO_LIMIT, Points, RankedImages, RankedScores, ScoredImage, au_pro};

const WIDTH: usize = 1024;
const HEIGHT: usize = 696;
const IMAGES: usize = 40;
const PIXELS: usize = IMAGES * WIDTH * HEIGHT;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let labels = labels(IMAGES, WIDTH, HEIGHT);
    let scores = scores(&labels);
    let images = images(&scores, &labels, WIDTH, HEIGHT);

    measured("au_pro", || au_pro(&images, AU_PRO_LIMIT))??;
    let pixels = images.iter().map(ScoredImage::pixels);
    let ranked = measured("RankedScores::pooled", || RankedScores::pooled(pixels))??;
    measured("roc_auc", || ranked.roc_auc())?;
    measured("roc(Points::Corners)", || ranked.roc(Points::Corners))?;
    measured("precision_recall(Points::Corners)", || ranked.precision_recall(Points::Corners))?;
    drop(ranked);
    let ranked = measured("RankedImages::new", || RankedImages::new(&images))??;
    measured("pro_curve", || ranked.pro_curve())?;
    Ok(())
}

fn measured<T>(name: &str, work: impl FnOnce() -> T) -> io::Result<T> {
    // Sets the peak back to what is resident now.
    fs::write("/proc/self/clear_refs", "5")?;
    let (before, start) = (kibibytes("VmRSS:")?, Instant::now());
    let result = work();
    let milliseconds = start.elapsed().as_millis();
    let bytes = kibibytes("VmHWM:")?.saturating_sub(before) * 1024;
    println!("{name}: {:.2} bytes per pixel, {milliseconds} ms", bytes as f64 / PIXELS as f64);
    Ok(result)
}

fn kibibytes(name: &str) -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| io::Error::other("no such line"))
}
