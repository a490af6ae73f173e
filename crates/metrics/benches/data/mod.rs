//! Made-up data sets of images with defects in 3 % of their pixels.

use metrics::ScoredImage;

/// Rectangles of 30×40 pixels on a coarse grid.
pub fn labels(images: usize, width: usize, height: usize) -> Vec<bool> {
    let defective = |x: usize, y: usize| x % 200 < 30 && y % 200 < 40;
    (0..images * width * height).map(|at| defective(at % width, at / width % height)).collect()
}

pub fn images<'a>(
    scores: &'a [f32],
    labels: &'a [bool],
    width: usize,
    height: usize,
) -> Vec<ScoredImage<'a>> {
    scores
        .chunks(width * height)
        .zip(labels.chunks(width * height))
        .map(|(scores, labels)| ScoredImage { width, height, scores, labels })
        .collect()
}

/// Noise (xorshift) over several octaves, higher in defects.
pub fn scores(labels: &[bool]) -> Vec<f32> {
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
