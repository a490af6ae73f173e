use crate::Error;
use std::ops::Range;

/// A two-dimensional array in row-major order, one value per pixel.
///
/// ```
/// use inspect::Plane;
///
/// let mut plane = Plane::new(3, 2, vec![0, 1, 2,
///                                       3, 4, 5])?;
/// assert_eq!(plane, Plane::from_fn(3, 2, |x, y| 3 * y + x));
/// assert_eq!((plane.size(), plane.width(), plane.height()), ((3, 2), 3, 2));
/// assert_eq!((plane.get(2, 1), plane.row(1)), (5, &[3, 4, 5][..]));
///
/// plane.data_mut().fill(7);
/// assert_eq!(plane, Plane::filled(3, 2, 7));
/// assert_eq!(plane.into_data(), [7; 6]);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plane<T> {
    width: usize,
    height: usize,
    data: Vec<T>,
}

/// A single-channel image or map. Image intensities lie in [0, 1].
pub type Image = Plane<f32>;

/// A segmentation mask: `true` marks a defective pixel.
pub type Mask = Plane<bool>;

impl<T> Plane<T> {
    /// Wraps `data`, row by row, as a plane.
    ///
    /// # Errors
    /// [`Error::PlaneLength`] if `data` does not hold `width * height` values.
    pub fn new(width: usize, height: usize, data: Vec<T>) -> Result<Self, Error> {
        let expected = width.saturating_mul(height);
        if data.len() != expected {
            let got = data.len();
            return Err(Error::PlaneLength { width, height, expected, got });
        }
        Ok(Self { width, height, data })
    }

    /// A plane whose pixels are `pixel(x, y)`.
    pub fn from_fn(width: usize, height: usize, mut pixel: impl FnMut(usize, usize) -> T) -> Self {
        let data = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .map(|(x, y)| pixel(x, y))
            .collect();
        Self { width, height, data }
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// All pixels, row by row.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// All pixels, row by row, to be changed in place.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The pixels of row `y`.
    ///
    /// # Panics
    /// If the plane has no such row.
    pub fn row(&self, y: usize) -> &[T] {
        &self.data[y * self.width..(y + 1) * self.width]
    }

    /// The pixels, row by row.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }
}

impl<T: Copy> Plane<T> {
    /// A plane of equal pixels.
    pub fn filled(width: usize, height: usize, value: T) -> Self {
        Self { width, height, data: vec![value; width * height] }
    }

    /// The plane of what `value` makes of each pixel.
    ///
    /// ```
    /// let mask = inspect::Plane::new(2, 1, vec![0.2, 0.7])?.map(|score| score >= 0.5);
    /// assert_eq!(mask.data(), [false, true]);
    /// # Ok::<(), inspect::Error>(())
    /// ```
    pub fn map<U>(&self, value: impl FnMut(T) -> U) -> Plane<U> {
        let Self { width, height, .. } = *self;
        Plane { width, height, data: self.data.iter().copied().map(value).collect() }
    }

    /// A plane of rows that are known to be as long and as many.
    pub(crate) fn of_rows(width: usize, height: usize, data: Vec<T>) -> Self {
        debug_assert_eq!(data.len(), width * height);
        Self { width, height, data }
    }

    /// Some rows of another plane.
    pub(crate) fn from_rows(plane: &Self, rows: Range<usize>) -> Self {
        let (width, height) = (plane.width, rows.len());
        let data = plane.data[rows.start * width..rows.end * width].to_vec();
        Self { width, height, data }
    }

    /// The pixel in column `x` of row `y`.
    ///
    /// # Panics
    /// If the pixel lies outside the plane.
    pub fn get(&self, x: usize, y: usize) -> T {
        assert!(x < self.width, "column {x} of a plane {} wide", self.width);
        self.data[y * self.width + x]
    }
}
