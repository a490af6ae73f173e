use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::finite::check_finite;
use crate::smooth::check_sigma;
use crate::tail::{Tail, tile_maxima};
use crate::{Error, Image, RegionOfInterest, smooth};

/// Pixels from the border at which a map counts as inside. Patches there have seen less of the image, and windows and Gaussians see
/// it mirrored.
const BORDER: usize = 96;

/// Neighbouring distances from the border whose scores are taken together.
const NEIGHBOURS: usize = 9;

/// The residual maps of good images, and the anomaly map of an image as its distance from them.
///
/// The residual maps of an image, one or more, are smoothed by one or more Gaussians. Each of these maps is normalised twice
/// by good images: by mean and standard deviation of the scores at the same distance from the border, and by how far the largest
/// of these reach out in tiles of 48×48 pixels. The anomaly map is the largest of the normalised maps at each pixel. Residuals
/// that see different defects, and Gaussians for defects of different sizes, thus have the same say.
///
/// ```
/// use inspect::{Image, Reference};
///
/// // Noise, and a faint defect of 8×8 pixels.
/// let noise = |seed: u32| Image::from_fn(96, 96, move |x, y| {
///     (y as u32 * 96 + x as u32 + seed).wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519) as f32 / u32::MAX as f32
/// });
/// let good: Vec<_> = [1_000_000, 2_000_000, 3_000_000].map(|seed| vec![noise(seed)]).into();
/// let reference = Reference::of(&good, &[0.0, 3.0])?;
/// let mut defective = noise(4_000_000);
/// for y in 40..48 {
///     defective.data_mut()[y * 96 + 40..y * 96 + 48].iter_mut().for_each(|score| *score += 0.6);
/// }
/// let map = reference.anomaly_map(&[defective])?;
/// assert!(map.get(44, 44) > 2.0 * map.get(80, 80).max(1.0));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The number of residual maps of an image.
    residuals: usize,
    channels: Vec<Channel>,
    /// The normalised score that becomes 0, and the one that becomes 1.
    zero: f64,
    one: f64,
}

/// A residual map under a Gaussian, and what is normal for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Channel {
    /// The number of the residual map.
    residual: usize,
    sigma: f64,
    /// By distance from the border.
    border: Vec<Normal>,
    tail: Tail,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Normal {
    mean: f64,
    deviation: f64,
}

/// Number, sum and sum of squares of scores.
#[derive(Clone, Copy, Default)]
struct Sums {
    count: f64,
    sum: f64,
    squares: f64,
}

impl Reference {
    /// Measures the residual maps of `good` images, the same number of each, under Gaussians of standard deviations `sigmas` in
    /// pixels, from 0, which leaves a map as it is, to 1000. Of the scores, 1 is what a quarter of the tiles exceeds, and one unit
    /// is by how much they do so on average; see [`rescaled`](Self::rescaled).
    ///
    /// # Errors
    /// [`Error::NoChannels`] without a map or a Gaussian, [`Error::NoScores`] without a pixel, [`Error::ResidualMaps`],
    /// [`Error::SizeMismatch`], [`Error::Sigma`], [`Error::NotFinite`].
    pub fn of(good: &[Vec<Image>], sigmas: &[f64]) -> Result<Self, Error> {
        let good: Vec<_> = good.iter().map(|maps| (&maps[..], None)).collect();
        Self::within(&good, sigmas)
    }

    /// As [`of`](Self::of) with the region of interest of each image, or `None` where that is the whole image: scores outside are left
    /// out, and distances are those from the border of the region.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub fn within(
        good: &[(&[Image], Option<&RegionOfInterest>)],
        sigmas: &[f64],
    ) -> Result<Self, Error> {
        let residuals = good.first().ok_or(Error::NoScores)?.0.len();
        if residuals == 0 || sigmas.is_empty() {
            return Err(Error::NoChannels);
        }
        for &(maps, region) in good {
            check_maps("a good image", maps, residuals, region)?;
        }
        if good.iter().all(|(maps, _)| maps[0].data().is_empty()) {
            return Err(Error::NoScores);
        }
        let places = (0..residuals).flat_map(|residual| sigmas.iter().map(move |&s| (residual, s)));
        let channels = places.map(|(residual, sigma)| Channel::of(good, residual, sigma));
        let channels = channels.collect::<Result<_, Error>>()?;
        Ok(Self { residuals, channels, zero: -1.0, one: 0.0 })
    }

    /// The same with scores that are 0 where they are `zero` now, and 1 where they are `one`.
    #[must_use]
    pub fn rescaled(&self, zero: f32, one: f32) -> Self {
        let place = |score: f32| self.zero + (self.one - self.zero) * f64::from(score);
        Self { zero: place(zero), one: place(one), ..self.clone() }
    }

    /// The number of residual maps that an image has.
    pub fn residual_maps(&self) -> usize {
        self.residuals
    }

    /// The standard deviations of the Gaussians, in pixels.
    pub fn sigmas(&self) -> Vec<f64> {
        let first = self.channels.iter().filter(|channel| channel.residual == 0);
        first.map(|channel| channel.sigma).collect()
    }

    /// The anomaly map of an image by its residual maps.
    ///
    /// # Errors
    /// As [`Reference::of`].
    pub fn anomaly_map(&self, residuals: &[Image]) -> Result<Image, Error> {
        self.anomaly_map_within(residuals, None)
    }

    /// As [`anomaly_map`](Self::anomaly_map), in a region of interest if there is one. The scores outside are those of what it is
    /// filled with.
    ///
    /// # Errors
    /// As [`Reference::of`].
    pub fn anomaly_map_within(
        &self,
        residuals: &[Image],
        region: Option<&RegionOfInterest>,
    ) -> Result<Image, Error> {
        check_maps("the image", residuals, self.residuals, region)?;
        let is_whole =
            |channel: &Channel| channel.residual < residuals.len() && !channel.border.is_empty();
        if !self.channels.iter().all(is_whole) {
            return Err(Error::NoChannels);
        }
        let mut largest: Option<Image> = None;
        for channel in &self.channels {
            let mut map = smoothed(&residuals[channel.residual], channel.sigma, region)?;
            channel.normalise(&mut map, region);
            match &mut largest {
                None => largest = Some(map),
                Some(largest) => keep_larger(largest, &map),
            }
        }
        let mut map = largest.ok_or(Error::NoChannels)?;
        let (zero, unit) = (self.zero, self.one - self.zero);
        let rescale = |score: &mut f32| *score = ((f64::from(*score) - zero) / unit) as f32;
        map.data_mut().par_iter_mut().for_each(rescale);
        check_finite("the anomaly map", map.data())?;
        Ok(map)
    }
}

fn check_maps(
    what: &'static str,
    maps: &[Image],
    expected: usize,
    region: Option<&RegionOfInterest>,
) -> Result<(), Error> {
    if maps.len() != expected {
        return Err(Error::ResidualMaps { what, expected, got: maps.len() });
    }
    if let (Some(region), Some(map)) = (region, maps.first()) {
        region.check("a residual map", map)?;
    }
    for map in maps {
        let (expected, got) = (maps[0].size(), map.size());
        if expected != got {
            return Err(Error::SizeMismatch { what: "a residual map", expected, got });
        }
    }
    Ok(())
}

/// A residual map under a Gaussian that sees no pixel outside of the region.
fn smoothed(map: &Image, sigma: f64, region: Option<&RegionOfInterest>) -> Result<Image, Error> {
    match region {
        Some(region) => smooth(&region.fill(map)?, sigma),
        None => smooth(map, sigma),
    }
}

fn keep_larger(largest: &mut Image, map: &Image) {
    let pairs = largest.data_mut().par_iter_mut().zip(map.data());
    pairs.for_each(|(largest, &score)| *largest = largest.max(score));
}

impl Channel {
    fn of(
        good: &[(&[Image], Option<&RegionOfInterest>)],
        residual: usize,
        sigma: f64,
    ) -> Result<Self, Error> {
        check_sigma(sigma)?;
        let smoothed = |maps: &[Image], region| smoothed(&maps[residual], sigma, region);
        // Added up in the order of the images, whatever the number of threads.
        let sums = good
            .par_iter()
            .map(|&(maps, region)| Ok(sums_by_distance(&smoothed(maps, region)?, region)));
        let sums: Vec<_> = sums.collect::<Result<_, Error>>()?;
        let border = normal_by_distance(&add_up(&sums));
        let tail = Tail { start: 0.0, scale: 1.0, above: 1.0 };
        let mut channel = Self { residual, sigma, border, tail };
        let maxima = good.par_iter().map(|&(maps, region)| {
            let mut map = smoothed(maps, region)?;
            channel.normalise(&mut map, region);
            if let Some(region) = region {
                region.restrict(&mut map)?;
            }
            Ok(tile_maxima(&map))
        });
        let maxima: Vec<_> = maxima.collect::<Result<_, Error>>()?;
        channel.tail = Tail::of(maxima.concat());
        Ok(channel)
    }

    /// Replaces the scores of a smoothed map by their distances from normal.
    fn normalise(&self, map: &mut Image, region: Option<&RegionOfInterest>) {
        let (width, height) = map.size();
        if width == 0 {
            return;
        }
        let last = self.border.len() - 1;
        let Tail { start, scale, .. } = self.tail;
        map.data_mut().par_chunks_mut(width).enumerate().for_each(|(y, row)| {
            for (x, score) in row.iter_mut().enumerate() {
                let distance = distance((x, y), (width, height), region).min(last);
                let Normal { mean, deviation } = self.border[distance];
                *score = (((f64::from(*score) - mean) / deviation - start) / scale) as f32;
            }
        });
    }
}

/// The distance of a pixel from the border of the image, or of the region.
fn distance(
    (x, y): (usize, usize),
    (width, height): (usize, usize),
    region: Option<&RegionOfInterest>,
) -> usize {
    match region {
        Some(region) => region.distance(x, y),
        None => x.min(width - 1 - x).min(y).min(height - 1 - y),
    }
}

fn sums_by_distance(map: &Image, region: Option<&RegionOfInterest>) -> [Sums; BORDER] {
    let mut sums = [Sums::default(); BORDER];
    for y in 0..map.height() {
        for (x, &score) in map.row(y).iter().enumerate() {
            if region.is_none_or(|region| region.inside().get(x, y)) {
                let distance = distance((x, y), map.size(), region).min(BORDER - 1);
                sums[distance].add(f64::from(score));
            }
        }
    }
    sums
}

fn add_up(images: &[[Sums; BORDER]]) -> [Sums; BORDER] {
    let mut total = [Sums::default(); BORDER];
    for sums in images {
        for (total, sums) in total.iter_mut().zip(sums) {
            total.count += sums.count;
            total.sum += sums.sum;
            total.squares += sums.squares;
        }
    }
    total
}

/// Mean and deviation at each distance that occurs, smoothed over neighbouring ones.
fn normal_by_distance(sums: &[Sums; BORDER]) -> Vec<Normal> {
    let normal: Vec<_> =
        sums.iter().take_while(|sums| sums.count > 0.0).map(Sums::normal).collect();
    let at = |distance: isize| normal[distance.clamp(0, normal.len() as isize - 1) as usize];
    let reach = (NEIGHBOURS / 2) as isize;
    let average = |distance: isize| {
        let near: Vec<_> = (distance - reach..=distance + reach).map(at).collect();
        let mean = near.iter().map(|normal| normal.mean).sum::<f64>() / NEIGHBOURS as f64;
        let deviation = near.iter().map(|normal| normal.deviation).sum::<f64>() / NEIGHBOURS as f64;
        // Scores that are all the same leave nothing to divide by but their rounding.
        let rounding = f64::from(f32::EPSILON) * mean.abs().max(f64::from(f32::EPSILON));
        Normal { mean, deviation: deviation.max(rounding) }
    };
    (0..normal.len() as isize).map(average).collect()
}

impl Sums {
    fn add(&mut self, score: f64) {
        self.count += 1.0;
        self.sum += score;
        self.squares += score * score;
    }

    fn normal(&self) -> Normal {
        let mean = self.sum / self.count;
        let variance = (self.squares / self.count - mean * mean).max(0.0);
        Normal { mean, deviation: variance.sqrt() }
    }
}
