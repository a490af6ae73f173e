//! Figures as PNG and SVG.

mod chart;
mod curves;
mod draw;
mod figure;
mod histogram;
mod thin;

pub use curves::{plot_pr, plot_pro, plot_roc};
pub use figure::Figure;
pub use histogram::{HistogramStyle, Scale, plot_histogram};
