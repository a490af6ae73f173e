//! Exact pixel-wise ROC, precision-recall and per-region-overlap curves for defect segmentation.

mod area;
mod check;
mod confusion;
mod error;
mod histogram;
mod image;
mod key;
#[cfg(feature = "plot")]
mod plot;
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
#[cfg(feature = "plot")]
pub use plot::{Figure, HistogramStyle, Scale, plot_histogram, plot_pr, plot_pro, plot_roc};
pub use pr::{PrCurve, average_precision, f1_max, precision_recall};
pub use pro::{AU_PRO_LIMIT, ProCurve, au_pro, pro_curve};
pub use ranked::{F1Max, Points, RankedScores};
pub use roc::{RocCurve, roc, roc_auc};
