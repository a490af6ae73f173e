//! Charts as PNG and SVG files, and as parts of HTML pages.

mod axis;
mod chart;
mod colours;
mod curves;
mod draw;
mod figure;
mod histogram;
mod lines;
mod placement;
mod thin;

pub use chart::Chart;
pub use figure::Figure;
pub use histogram::{Height, HistogramStyle};
pub use lines::{LineChart, Series, SeriesPoint, SeriesStyle};
pub use placement::{LineAxis, Spacing};
