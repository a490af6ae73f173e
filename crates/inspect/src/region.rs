use serde::{Deserialize, Serialize};

use crate::finite::check_finite;
use crate::{Connectivity, Error, Image, Mask, Plane, label};

/// A connected region of defective pixels.
///
/// The fields are flat, so that a region is a row of a CSV file as well as a JSON object.
///
/// ```
/// use inspect::{Connectivity, Image, Mask, regions};
///
/// let scores = Image::new(4, 4, vec![0.0, 0.0, 0.0, 0.0,
///                                    0.0, 0.5, 0.5, 0.0,
///                                    0.0, 0.5, 1.0, 0.0,
///                                    0.0, 0.0, 0.0, 0.0])?;
/// let mask = Mask::from_fn(4, 4, |x, y| scores.get(x, y) > 0.0);
/// let defect = &regions(&mask, &scores, Connectivity::Eight)?.regions[0];
/// assert_eq!((defect.x1 - defect.x0, defect.y1 - defect.y0, defect.area), (2, 2, 4));
/// assert_eq!((defect.centroid_x, defect.centroid_y), (1.5, 1.5));
/// assert_eq!((defect.mean_score, defect.max_score), (0.625, 1.0));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[doc(alias = "regionprops")]
#[doc(alias = "connectedComponentsWithStats")]
pub struct Region {
    /// The region's value in [`Regions::labels`], from 1.
    pub label: u32,
    /// Number of pixels.
    pub area: usize,
    /// First column of the bounding box.
    pub x0: usize,
    /// First row of the bounding box.
    pub y0: usize,
    /// The column after the last one of the bounding box, which is `x1 - x0` wide.
    pub x1: usize,
    /// The row after the last one of the bounding box, which is `y1 - y0` high.
    pub y1: usize,
    /// Mean column of the pixels; pixel centres have integer coordinates.
    pub centroid_x: f64,
    /// Mean row of the pixels.
    pub centroid_y: f64,
    /// Mean score of the pixels.
    pub mean_score: f64,
    /// Largest score of the pixels.
    pub max_score: f32,
}

/// The connected regions of a mask, and its pixels with the regions' labels.
///
/// ```
/// use inspect::{Connectivity, Image, Mask, Regions, regions};
///
/// let mask = Mask::new(4, 2, vec![true, false, false, true,
///                                 false, true, false, true])?;
/// let scores = Image::filled(4, 2, 1.0);
/// let Regions { labels, regions } = regions(&mask, &scores, Connectivity::Eight)?;
/// assert_eq!(labels.data(), [1, 0, 0, 2,
///                            0, 1, 0, 2]);
/// assert_eq!(regions.iter().map(|region| region.label).collect::<Vec<_>>(), [1, 2]);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Regions {
    /// The label of each pixel, 0 outside all regions; see [`label`].
    pub labels: Plane<u32>,
    /// The regions in the order of their labels, 1, 2, …
    pub regions: Vec<Region>,
}

/// Labels the connected regions of `mask`, and measures them with the `scores` of their pixels.
///
/// Regions are ordered by their first pixels, row by row; see [`label`].
///
/// ```
/// use inspect::{Connectivity, Image, Mask, regions};
///
/// let scores = Image::new(4, 2, vec![0.5, 0.0, 0.0, 0.5,
///                                    0.0, 1.0, 0.0, 0.5])?;
/// let mask = Mask::from_fn(4, 2, |x, y| scores.get(x, y) >= 0.5);
/// let found = regions(&mask, &scores, Connectivity::Eight)?.regions;
/// assert_eq!(found.len(), 2);
/// assert_eq!((found[0].area, found[0].mean_score, found[0].max_score), (2, 0.75, 1.0));
/// assert_eq!((found[0].x0, found[0].y0, found[0].x1, found[0].y1), (0, 0, 2, 2));
/// assert_eq!((found[1].centroid_x, found[1].centroid_y), (3.0, 0.5));
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// If the scores have another size than the mask or are not all finite.
pub fn regions(mask: &Mask, scores: &Image, connectivity: Connectivity) -> Result<Regions, Error> {
    let (expected, got) = (mask.size(), scores.size());
    if expected != got {
        return Err(Error::SizeMismatch { what: "the score map", expected, got });
    }
    check_finite("the score map", scores.data())?;
    let labels = label(mask, connectivity);
    let mut regions = Vec::<Region>::new();
    for (index, (&label, &score)) in labels.data().iter().zip(scores.data()).enumerate() {
        let (x, y) = (index % mask.width(), index / mask.width());
        // A region's first pixel is met before those of later regions, so labels arrive in order.
        if label as usize > regions.len() {
            regions.push(Region::at(label, x, y));
        }
        if label > 0 {
            regions[label as usize - 1].add(x, y, score);
        }
    }
    regions.iter_mut().for_each(Region::divide_by_area);
    Ok(Regions { labels, regions })
}

impl Region {
    /// No pixels yet; the first will be at `(x, y)`.
    fn at(label: u32, x: usize, y: usize) -> Self {
        let (x0, y0, x1, y1) = (x, y, x + 1, y + 1);
        let (centroid_x, centroid_y, mean_score) = (0.0, 0.0, 0.0);
        let max_score = f32::NEG_INFINITY;
        Self { label, area: 0, x0, y0, x1, y1, centroid_x, centroid_y, mean_score, max_score }
    }

    /// Adds a pixel. The means are sums until [`Self::divide_by_area`].
    fn add(&mut self, x: usize, y: usize, score: f32) {
        self.area += 1;
        self.x0 = self.x0.min(x);
        self.x1 = self.x1.max(x + 1);
        self.y1 = self.y1.max(y + 1);
        self.centroid_x += x as f64;
        self.centroid_y += y as f64;
        self.mean_score += f64::from(score);
        self.max_score = self.max_score.max(score);
    }

    fn divide_by_area(&mut self) {
        let area = self.area as f64;
        self.centroid_x /= area;
        self.centroid_y /= area;
        self.mean_score /= area;
    }
}
