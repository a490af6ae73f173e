//! Exact pixel-wise ROC, precision-recall and per-region-overlap curves for defect segmentation.

mod area;
mod check;
mod confusion;
mod error;
mod histogram;
mod image;
mod key;
mod pr;
mod pro;
mod radix;
mod ranked;
mod region;
mod rises;
mod roc;

pub use confusion::Confusion;
pub use error::Error;
pub use histogram::RocHistogram;
pub use image::{ScoredImage, image_score};
pub use pr::{PrCurve, average_precision, f1_max, precision_recall};
pub use pro::{AU_PRO_LIMIT, ProCurve, au_pro, pro_curve};
pub use ranked::{F1Max, Points, RankedScores};
pub use roc::{RocCurve, roc, roc_auc};
