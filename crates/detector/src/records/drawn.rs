//! Records of defects that are drawn into good images.

use crate::synthetic::DrawnKind;
use serde::{Deserialize, Serialize};

/// The fewest defects that say something about a model.
const ENOUGH: usize = 10;

/// The least area at which a model tells good from bad. Of short trainings on parts of public sets, it lies between those whose image or
/// pixel areas by labels are above 0.9 and one where they are 0.55: `results/decisions`.
const LEAST_AREA: f64 = 0.9;

/// Clear defects that are drawn into good images, as a decision and its scores see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnDefects {
    /// Good images that defects were drawn into.
    pub images: usize,
    /// The differences in tone, in standard deviations of the texture around a defect.
    pub contrast: f32,
    /// The factor of the lengths and widths of [`Drawing`](crate::synthetic::Drawing).
    pub size: f32,
    /// The area under the ROC curve of the scores of a defect's pixels and of those of good images: the mean over the defects.
    pub au_roc: f64,
    /// Each kind that was drawn.
    pub kinds: Vec<DrawnFound>,
}

/// The defects of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnFound {
    /// The kind.
    pub kind: DrawnKind,
    /// The number of defects.
    pub drawn: usize,
    /// Those of which the decision flags a pixel.
    pub found: usize,
    /// As [`DrawnDefects::au_roc`].
    pub au_roc: f64,
}

impl DrawnDefects {
    /// The defects found, and all.
    pub fn found(&self) -> (usize, usize) {
        let count = |of: fn(&DrawnFound) -> usize| self.kinds.iter().map(of).sum();
        (count(|of_kind| of_kind.found), count(|of_kind| of_kind.drawn))
    }

    /// A sentence that says so if the model hardly tells good from bad: the area is below 0.9. Fewer than ten defects say too little.
    ///
    /// ```
    /// use detector::records::{DrawnDefects, DrawnFound};
    /// use detector::synthetic::DrawnKind;
    ///
    /// let strokes = |au_roc| vec![DrawnFound { kind: DrawnKind::Stroke, drawn: 10, found: 4, au_roc }];
    /// let drawn = |au_roc| DrawnDefects { images: 1, contrast: 4.0, size: 1.0, au_roc, kinds: strokes(au_roc) };
    /// assert_eq!(drawn(0.9).doubt(), None);
    /// assert!(drawn(0.85).doubt().is_some_and(|doubt| doubt.contains("hardly tells good from bad")));
    /// ```
    pub fn doubt(&self) -> Option<String> {
        let ((found, drawn), area) = (self.found(), self.au_roc);
        (drawn >= ENOUGH && area < LEAST_AREA).then(|| {
            format!(
                "the model hardly tells good from bad: of clear defects that were drawn into good images, it finds {found} of {drawn}, and \
                 their pixels score higher than good ones in only {:.0} % of all pairs; a longer training, another method, data.size or \
                 residual.constants may help",
                100.0 * area
            )
        })
    }
}
