//! What ranking 28.5 million pixels (40 images of 1024×696, 3 % of them
//! defective) takes at its peak, beside the scores and labels themselves.
//!
//! Prints the growth of the resident set over that before each step, which
//! Linux tells, in bytes per pixel; a score has 4.
//!
//! `cargo run --release -p metrics --example peak_memory`

use std::fs;
use std::io;
use std::time::Instant;

use metrics::{AU_PRO_LIMIT, Points, RankedImages, RankedScores, ScoredImage, au_pro};

const WIDTH: usize = 1024;
const HEIGHT: usize = 696;
const PIXELS: usize = 40 * WIDTH * HEIGHT;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let defective = |x: usize, y: usize| x % 200 < 30 && y % 200 < 40;
    let labels: Vec<bool> =
        (0..PIXELS).map(|at| defective(at % WIDTH, at / WIDTH % HEIGHT)).collect();
    let scores = scores(&labels);
    let images: Vec<_> = scores
        .chunks(WIDTH * HEIGHT)
        .zip(labels.chunks(WIDTH * HEIGHT))
        .map(|(scores, labels)| ScoredImage { width: WIDTH, height: HEIGHT, scores, labels })
        .collect();

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

/// Noise (xorshift) of 24 bits, so few ties, higher in defects.
fn scores(labels: &[bool]) -> Vec<f32> {
    let mut state = 0x9E37_79B9_u32;
    let noise = labels.iter().map(|&label| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let uniform = (state >> 8) as f32 / (1 << 24) as f32;
        if label { uniform.sqrt() } else { uniform.powi(3) }
    });
    noise.collect()
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
