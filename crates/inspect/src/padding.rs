use std::borrow::Cow;
use std::ops::Range;

use crate::mirror::mirrored;
use crate::{Image, Plane};

/// The pixels around an image that patches see, too.
///
/// A pixel at the border lies in few patches, and at the edge of all of them, so that its reconstruction is worse than others
/// and its residual larger. With a mirrored margin of half a patch it lies in the middle of some, and in half as many as others
/// do in each direction; with a margin of a patch it lies in as many. Reconstructions of the margin are left out: residuals
/// and maps are those of the image's own pixels.
///
/// ```
/// use inspect::{Blend, Image, Padding, Reconstructor, Tiling, reconstruct};
///
/// /// Darkens each patch from left to right.
/// struct Ramp;
///
/// impl Reconstructor for Ramp {
/// #     fn patch_size(&self) -> usize {
/// #         2
/// #     }
///     // Patches of 2×2 pixels.
///     fn reconstruct(
///         &self,
///         patches: &[f32],
///     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
///         Ok(patches.chunks_exact(2).flat_map(|row| [row[0], 0.5 * row[1]]).collect())
///     }
/// }
///
/// let image = Image::filled(4, 2, 1.0);
/// let row = |padding| {
///     let tiling = Tiling { stride: 1, batch: 8, padding, blend: Blend::Flat };
///     reconstruct(&image, &Ramp, &tiling).map(|image| image.row(0).to_vec())
/// };
/// assert_eq!(row(Padding::None)?, [1.0, 0.75, 0.75, 0.5]);
/// assert_eq!(row(Padding::Mirror { pixels: 1 })?, [0.75; 4]);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// None, as in the paper. An image smaller than a patch is an error.
    #[default]
    None,
    /// The image mirrored beyond its border, with its edge pixels repeated: `d c b a | a b c d | d c b a`, NumPy's `symmetric`
    /// and SciPy's `reflect`. It is mirrored again where it is smaller than the margin, and an image smaller than a patch gets
    /// as large a margin as makes it a patch.
    Mirror {
        /// The width of the margin on each side, at most that of a patch.
        pixels: usize,
    },
}

impl Padding {
    /// The padding of an image of `width`×`height` pixels that is cut into patches of `patch` pixels.
    pub(crate) fn around(self, width: usize, height: usize, patch: usize) -> Frame {
        let margins = |length: usize| match self {
            Self::None => [0, 0],
            Self::Mirror { pixels } => {
                let missing = patch.saturating_sub(length.saturating_add(2 * pixels));
                [pixels + missing / 2, pixels + missing.div_ceil(2)]
            }
        };
        Frame { width, height, across: margins(width), down: margins(height) }
    }
}

/// A plane of at least the given size, with the given one in its middle and mirrored beyond its border as by [`Padding::Mirror`].
///
/// ```
/// use inspect::{Plane, mirror_to};
///
/// let row = mirror_to(&Plane::new(3, 1, vec![1, 2, 3])?, 6, 1);
/// assert_eq!(row.row(0), [1, 1, 2, 3, 3, 2]);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Panics
/// If the plane is empty.
pub fn mirror_to<T: Copy>(plane: &Plane<T>, width: usize, height: usize) -> Plane<T> {
    assert!(!plane.data().is_empty(), "an empty plane has nothing to be mirrored");
    let (inner_width, inner_height) = plane.size();
    let (width, height) = (width.max(inner_width), height.max(inner_height));
    let (left, top) = ((width - inner_width) / 2, (height - inner_height) / 2);
    let place =
        |at: usize, before: usize, length: usize| mirrored(at as isize - before as isize, length);
    Plane::from_fn(width, height, |x, y| {
        plane.get(place(x, left, inner_width), place(y, top, inner_height))
    })
}

/// An image's size and its margins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Size of the image.
    pub width: usize,
    pub height: usize,
    /// Columns left and right of the image.
    across: [usize; 2],
    /// Rows above and below it.
    down: [usize; 2],
}

impl Frame {
    /// Width with the margins.
    pub fn outer_width(&self) -> usize {
        self.across[0] + self.width + self.across[1]
    }

    /// Height with the margins.
    pub fn outer_height(&self) -> usize {
        self.down[0] + self.height + self.down[1]
    }

    /// The image's first pixel, counted from that of the margins.
    pub fn corner(&self) -> (usize, usize) {
        (self.across[0], self.down[0])
    }

    /// The image with its margins.
    pub fn pad<'a>(&self, image: &'a Image) -> Cow<'a, Image> {
        match self.rows(image, 0..self.outer_height()) {
            Cow::Borrowed(_) => Cow::Borrowed(image),
            Cow::Owned(pixels) => {
                let (width, height) = (self.outer_width(), self.outer_height());
                Cow::Owned(Plane::of_rows(width, height, pixels))
            }
        }
    }

    /// Some rows of the image with its margins.
    pub fn rows<'a>(&self, image: &'a Image, rows: Range<usize>) -> Cow<'a, [f32]> {
        if [self.across, self.down] == [[0; 2]; 2] {
            return Cow::Borrowed(&image.data()[rows.start * self.width..rows.end * self.width]);
        }
        let mut pixels = Vec::with_capacity(rows.len() * self.outer_width());
        for row in rows {
            let row = image.row(mirrored(row as isize - self.down[0] as isize, self.height));
            let beyond = |column: isize| row[mirrored(column, self.width)];
            pixels.extend((-(self.across[0] as isize)..0).map(beyond));
            pixels.extend_from_slice(row);
            let end = self.width as isize;
            pixels.extend((end..end + self.across[1] as isize).map(beyond));
        }
        Cow::Owned(pixels)
    }

    /// The part of `rows`, counted with the margins, that lies in the image.
    #[cfg(feature = "candle")]
    pub fn inside(&self, rows: &Range<usize>) -> Range<usize> {
        let [above, _] = self.down;
        let place = |row: usize| row.clamp(above, above + self.height);
        place(rows.start)..place(rows.end)
    }
}
