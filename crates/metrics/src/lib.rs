//! Exact pixel-wise ROC, precision–recall and per-region-overlap curves for
//! defect segmentation.
//!
//! Scores and labels are plain slices, one label per score, `true` where the
//! ground truth is defective; higher scores are more defective, and a pixel
//! counts as detected if `score >= threshold`. Counts are exact, ties are one
//! step of every curve, and what is undefined (one class only, NaN or infinite
//! scores) is an [`Error`], never 0.5.
//!
//! | metric | from one list | from pooled images |
//! |---|---|---|
//! | ROC, area, area up to a limit | [`roc`], [`roc_auc`] | [`RankedScores`] |
//! | precision–recall, average precision, F1-max | [`precision_recall`], [`average_precision`], [`f1_max`] | [`RankedScores`] |
//! | IoU, Dice, precision … at a threshold | [`Confusion::at_threshold`] | [`RankedScores::confusion`] |
//! | per-region overlap, AU-PRO | | [`pro_curve`], [`au_pro`], [`RankedImages`] |
//! | image-level AUROC | [`image_score`], then [`roc_auc`] | |
//! | ROC of data that does not fit in memory | | [`RocHistogram`] |
//!
//! # Example
//!
//! Sort the pixels of a data set once, then read any metric from them:
//!
//! ```
//! use metrics::{Points, RankedScores};
//!
//! let scores = [0.1, 0.3, 0.2, 0.9, 0.8, 0.3];
//! let labels = [false, false, false, true, true, true];
//! let ranked = RankedScores::new(&scores, &labels)?;
//!
//! assert_eq!(ranked.roc_auc(), 17.0 / 18.0);
//! assert_eq!(ranked.roc(Points::Corners).thresholds(), [f32::INFINITY, 0.8, 0.3, 0.1]);
//! assert_eq!(ranked.confusion(0.5)?.iou(), Some(2.0 / 3.0));
//! # Ok::<(), metrics::Error>(())
//! ```
//!
//! # Features
//!
//! - `plot`: figures of curves, score histograms and lines with error bars as
//!   PNG and SVG, without any font of the system. Off by default.
//! - `image`, `ndarray`: scores and labels from the types of these crates,
//!   `ScoredImage::of_map`, `mask_labels` and `ScoredImage::of_arrays`. Off by default.

#![forbid(unsafe_code)]

mod area;
mod check;
mod confusion;
#[cfg(any(feature = "image", feature = "ndarray"))]
mod convert;
mod defects;
mod error;
mod histogram;
mod image;
mod key;
#[cfg(feature = "plot")]
mod plot;
mod points;
mod pr;
mod pro;
mod radix;
mod ranked;
mod ranked_images;
mod region;
mod roc;
mod sorted;
mod steps;

pub use confusion::Confusion;
#[cfg(feature = "image")]
pub use convert::mask_labels;
pub use error::Error;
pub use histogram::RocHistogram;
pub use image::{ScoredImage, image_score};
#[cfg(feature = "plot")]
pub use plot::{
    Chart, Figure, Height, HistogramStyle, LineAxis, LineChart, Series, SeriesPoint, SeriesStyle,
    Spacing,
};
pub use points::Points;
pub use pr::PrCurve;
pub use pro::{AU_PRO_LIMIT, ProCurve};
pub use ranked::{F1Max, RankedScores, average_precision, f1_max, precision_recall, roc, roc_auc};
pub use ranked_images::{RankedImages, au_pro, pro_curve};
pub use roc::RocCurve;

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
