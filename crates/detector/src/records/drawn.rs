//! Records of defects that are drawn into good images.

use crate::synthetic::DrawnKind;
use serde::{Deserialize, Serialize};

/// The fewest defects that say something about a model.
const ENOUGH: usize = 10;

/// How many defects a decision finds that are drawn into good images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrawnDefects {
    /// Good images that defects were drawn into.
    pub images: usize,
    /// The differences in tone, in standard deviations of the texture around a defect.
    pub contrast: f32,
    /// The area under the ROC curve of the largest scores of good images and of images with one of the defects.
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
}

impl DrawnDefects {
    /// The defects found, and all, of the kinds that can be seen on every texture.
    pub fn visible(&self) -> (usize, usize) {
        let visible = self.kinds.iter().filter(|of_kind| of_kind.kind.is_always_visible());
        visible
            .fold((0, 0), |(found, drawn), of_kind| (found + of_kind.found, drawn + of_kind.drawn))
    }

    /// A sentence that says so if the model hardly tells good from bad: fewer than half of the visible defects are found. Fewer than ten
    /// defects say too little.
    ///
    /// ```
    /// use detector::records::{DrawnDefects, DrawnFound};
    /// use detector::synthetic::DrawnKind;
    ///
    /// let stroke = |found| DrawnFound { kind: DrawnKind::Stroke, drawn: 10, found };
    /// let drawn = |found| DrawnDefects { images: 1, contrast: 4.0, au_roc: 0.9, kinds: vec![stroke(found)] };
    /// assert_eq!(drawn(5).doubt(), None);
    /// assert!(drawn(4).doubt().is_some_and(|doubt| doubt.contains("4 of 10 clear defects")));
    /// ```
    pub fn doubt(&self) -> Option<String> {
        let (found, drawn) = self.visible();
        (drawn >= ENOUGH && 2 * found < drawn).then(|| {
            format!(
                "the model hardly tells good from bad: it finds {found} of {drawn} clear defects that were drawn into good images; a \
                 longer training, another method, data.size or residual.constants may help"
            )
        })
    }
}
