//! Images that the seed decides.

use crate::args::Size;
use anyhow::Result;
use candle_core::{Device, Tensor};
use inspect::{Disk, Image, Mask, Plane, Residual, open, residual_map};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use ssim::{Border, Constants, Params, Window};

/// Defects of an image that has any.
const DEFECTS: usize = 6;

/// The first stream of copies and of defects; the streams of images start at 0.
const COPIES: u64 = 1 << 62;
const FLAWS: u64 = 1 << 61;

/// An anomaly map and its ground truth.
pub struct ScoredMap {
    pub scores: Image,
    pub labels: Mask,
}

/// A stream of random numbers of one seed.
pub fn dice(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(stream);
    dice
}

/// Uniform in [0, 1), in steps of 2⁻²⁴.
pub fn unit(dice: &mut impl Rng) -> f32 {
    (dice.next_u32() >> 8) as f32 / (1 << 24) as f32
}

/// A woven texture with a little noise, within [0, 1]; `number` tells images apart.
pub fn texture(size: Size, seed: u64, number: u64) -> Image {
    let mut dice = dice(seed, number);
    let phase = std::f32::consts::TAU * unit(&mut dice);
    let warp: Vec<f32> = (0..size.width).map(|x| (0.9 * x as f32 + phase).sin()).collect();
    let weft: Vec<f32> = (0..size.height).map(|y| (0.7 * y as f32 - phase).sin()).collect();
    Plane::from_fn(size.width, size.height, |x, y| {
        0.5 + 0.2 * warp[x] + 0.2 * weft[y] + 0.1 * (unit(&mut dice) - 0.5)
    })
}

/// A copy of an image as a good reconstruction of it may be: of smaller contrast, with other noise.
pub fn copy(image: &Image, seed: u64, number: u64) -> Image {
    let mut dice = dice(seed, COPIES + number);
    Plane::from_fn(image.width(), image.height(), |x, y| {
        0.5 + 0.9 * (image.get(x, y) - 0.5) + 0.1 * (unit(&mut dice) - 0.5)
    })
}

/// A test set as an SSIM autoencoder leaves it: opened residual maps, three of four with defects.
///
/// # Errors
/// If the images are smaller than the SSIM window.
pub fn scored_maps(size: Size, images: usize, seed: u64) -> Result<Vec<ScoredMap>> {
    (0..images as u64).into_par_iter().map(|number| scored_map(size, seed, number)).collect()
}

fn scored_map(size: Size, seed: u64, number: u64) -> Result<ScoredMap> {
    let image = texture(size, seed, number);
    let copy = copy(&image, seed, number);
    let labels = if number % 4 == 3 {
        Mask::filled(size.width, size.height, false)
    } else {
        flaws(size, seed, number)
    };
    // What the network has not learnt is missing from its reconstruction.
    let flat =
        |x, y| if labels.get(x, y) { 0.5 + 0.2 * (copy.get(x, y) - 0.5) } else { copy.get(x, y) };
    let copy = Plane::from_fn(size.width, size.height, flat);
    let params = Params::new(Window::Uniform { size: 11 }, Border::Reflect, Constants::squared());
    let residual = residual_map(&image, &copy, &Residual::Ssim(params))?;
    Ok(ScoredMap { scores: open(&residual, Disk::with_diameter(4)), labels })
}

/// Discs at random places, between 3 pixels in radius and a twentieth of the image more.
fn flaws(size: Size, seed: u64, number: u64) -> Mask {
    let mut dice = dice(seed, FLAWS + number);
    let mut between = |low: f32, high: f32| low + (high - low) * unit(&mut dice);
    let Size { width, height } = size;
    let discs: Vec<[f32; 3]> = (0..DEFECTS)
        .map(|_| {
            let radius = between(3.0, 3.0 + width.min(height) as f32 / 20.0);
            [between(0.0, width as f32), between(0.0, height as f32), radius]
        })
        .collect();
    Plane::from_fn(width, height, |x, y| {
        let inside =
            |&[cx, cy, r]: &[f32; 3]| (x as f32 - cx).powi(2) + (y as f32 - cy).powi(2) <= r * r;
        discs.iter().any(inside)
    })
}

/// An image as a tensor `(H, W)`.
pub fn tensor(image: &Image) -> Result<Tensor> {
    Ok(Tensor::from_slice(image.data(), (image.height(), image.width()), &Device::Cpu)?)
}
