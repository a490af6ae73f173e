//! Figures as PNG and SVG.

mod axis;
mod chart;
mod curves;
mod draw;
mod figure;
mod histogram;
mod lines;
mod placement;
mod thin;

pub use curves::{plot_pr, plot_pro, plot_roc};
pub use figure::Figure;
pub use histogram::{HistogramStyle, Scale, plot_histogram};
pub use lines::{LineChart, Series, SeriesPoint, SeriesStyle, plot_lines};
pub use placement::{LineAxis, Spacing};
