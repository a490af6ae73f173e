//! The region of interest, as margins around it.

use inspect::Plane;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::error::ensure;

/// Pixels to leave out at each side of an image, for example the selvedge of a fabric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table such as { left = 10, right = 10 }")]
pub struct Margins {
    /// Columns at the left.
    pub left: usize,
    /// Rows at the top.
    pub top: usize,
    /// Columns at the right.
    pub right: usize,
    /// Rows at the bottom.
    pub bottom: usize,
}

/// Crops an image, a map or a mask by `margins`.
///
/// # Errors
/// If nothing is left.
pub fn crop<T: Copy>(plane: &Plane<T>, margins: Margins) -> Result<Plane<T>> {
    let Margins { left, top, right, bottom } = margins;
    let inner =
        |side: usize, before: usize, after: usize| side.checked_sub(before.checked_add(after)?);
    let width = inner(plane.width(), left, right).unwrap_or(0);
    let height = inner(plane.height(), top, bottom).unwrap_or(0);
    ensure!(
        width > 0 && height > 0,
        "margins of {left} + {right} columns and {top} + {bottom} rows leave nothing of \
         {}x{} pixels",
        plane.width(),
        plane.height()
    );
    let rows = (top..top + height).flat_map(|y| &plane.row(y)[left..left + width]);
    Ok(Plane::new(width, height, rows.copied().collect())?)
}

/// Puts a cropped map back into its full size, with `outside` in the margins: the inverse of
/// [`crop`].
pub fn uncrop<T: Copy>(plane: &Plane<T>, margins: Margins, outside: T) -> Plane<T> {
    let Margins { left, top, right, bottom } = margins;
    let (width, height) = (left + plane.width() + right, top + plane.height() + bottom);
    let mut full = Plane::filled(width, height, outside);
    for y in 0..plane.height() {
        let start = (top + y) * width + left;
        full.data_mut()[start..start + plane.width()].copy_from_slice(plane.row(y));
    }
    full
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const MARGINS: Margins = Margins { left: 1, top: 0, right: 0, bottom: 2 };

    #[test]
    fn crop_and_uncrop_by_hand() {
        let plane = Plane::new(3, 3, vec![1, 2, 3, 4, 5, 6, 7, 8, 9]).unwrap();
        let inner = crop(&plane, MARGINS).unwrap();
        assert_eq!(inner, Plane::new(2, 1, vec![2, 3]).unwrap());
        assert_eq!(
            uncrop(&inner, MARGINS, 0),
            Plane::new(3, 3, vec![0, 2, 3, 0, 0, 0, 0, 0, 0]).unwrap()
        );
    }

    #[test]
    fn margins_that_leave_nothing_are_refused() {
        let plane = Plane::filled(3, 2, 0.0_f32);
        let message = crop(&plane, MARGINS).unwrap_err().to_string();
        assert_eq!(message, "margins of 1 + 0 columns and 0 + 2 rows leave nothing of 3x2 pixels");
        let huge = Margins { left: usize::MAX, right: 1, ..Margins::default() };
        assert!(crop(&plane, huge).is_err());
    }
}
