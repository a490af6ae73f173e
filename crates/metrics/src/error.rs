#[cfg(feature = "plot")]
use std::path::PathBuf;

/// An error of this crate.
///
/// Where several images are pooled, `image` is the position of the image in
/// the order given and `index` the position of the pixel inside it.
///
/// ```
/// let error = metrics::roc_auc(&[0.1, 0.2, 0.3], &[false; 3]).unwrap_err();
/// assert!(matches!(error, metrics::Error::SingleClass { positives: 0, negatives: 3 }));
/// let expected = "a curve needs both classes, got 0 defective and 3 defect-free labels";
/// assert_eq!(error.to_string(), expected);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No score was given at all.
    #[error("there are no scores to evaluate")]
    Empty,

    /// An image that does not have one label per score.
    #[error("image {image} has {scores} values but {labels} labels")]
    LengthMismatch {
        /// The image at fault.
        image: usize,
        /// The number of scores given.
        scores: usize,
        /// The number of labels given.
        labels: usize,
    },

    /// An image whose scores do not fill its `width * height` pixels.
    #[error("image {image} of {width}x{height} pixels needs as many scores, got {got}")]
    ImageSize {
        /// The image at fault.
        image: usize,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// The number of scores given.
        got: usize,
    },

    /// Arrays of scores and labels of different shapes.
    #[cfg(feature = "ndarray")]
    #[error("expected labels of the shape {scores:?} of the scores, got {labels:?}")]
    ArrayShapes {
        /// Rows and columns of the scores.
        scores: (usize, usize),
        /// Rows and columns of the labels.
        labels: (usize, usize),
    },

    /// An array that is not in row-major order without gaps.
    #[cfg(feature = "ndarray")]
    #[error("expected arrays of scores and labels in row-major order without gaps")]
    ArrayLayout,

    /// A score that is NaN or infinite. Infinity is refused because it would
    /// be indistinguishable from the threshold above all scores.
    #[error("image {image} has the score {score} at pixel {index}, expected a finite number")]
    NonFiniteScore {
        /// The image at fault.
        image: usize,
        /// The position of the score in the image.
        index: usize,
        /// NaN or an infinity.
        score: f32,
    },

    /// Labels of one class only: no rate of the other class is defined.
    #[error(
        "a curve needs both classes, got {positives} defective and {negatives} defect-free labels"
    )]
    SingleClass {
        /// The number of defective labels.
        positives: u64,
        /// The number of defect-free labels.
        negatives: u64,
    },

    /// More scores than an exact ranking can hold.
    #[error(
        "an exact ranking holds at most {limit} scores, got {got}: use the streaming histogram"
    )]
    TooManyScores {
        /// The largest number of scores.
        limit: u64,
        /// The number of scores given.
        got: u64,
    },

    /// A limit of the false-positive rate outside (0, 1].
    #[error("the limit of the false-positive rate must lie in (0, 1], got {limit}")]
    InvalidLimit {
        /// The limit given.
        limit: f64,
    },

    /// A threshold that is NaN.
    #[error("the threshold is not a number")]
    InvalidThreshold,

    /// Histogram bins that cannot be laid out.
    #[error("{bins} bins from {low} to {high}: need at least 1 bin and finite low < high")]
    InvalidBins {
        /// Lower end of the range.
        low: f32,
        /// Upper end of the range.
        high: f32,
        /// The number of bins.
        bins: usize,
    },

    /// Two histograms with different bins.
    #[error(
        "histograms with different bins cannot be merged: {expected_bins} bins from \
         {expected_low} to {expected_high}, got {got_bins} from {got_low} to {got_high}"
    )]
    BinsDiffer {
        /// Lower end of the histogram that is added to.
        expected_low: f32,
        /// Upper end of the histogram that is added to.
        expected_high: f32,
        /// Bins of the histogram that is added to.
        expected_bins: usize,
        /// Lower end of the other histogram.
        got_low: f32,
        /// Upper end of the other histogram.
        got_high: f32,
        /// Bins of the other histogram.
        got_bins: usize,
    },

    /// A figure whose file name ends in neither `.png` nor `.svg`.
    #[cfg(feature = "plot")]
    #[error("{}: figures are written as .png or .svg", path.display())]
    UnknownFormat {
        /// The path of the figure.
        path: PathBuf,
    },

    /// A figure without any curve, score or bin.
    #[cfg(feature = "plot")]
    #[error("there is nothing to plot")]
    NothingToPlot,

    /// A point without a place on the axes of its figure.
    #[cfg(feature = "plot")]
    #[error(
        "the series {series} has the point ({x}, {y} ± {deviation}), expected finite numbers with a finite \
         difference, above 0 on logarithmic axes"
    )]
    InvalidPoint {
        /// The label of the series.
        series: String,
        /// Position on the horizontal axis.
        x: f64,
        /// Position on the vertical axis.
        y: f64,
        /// The length of the error bar upwards and downwards.
        deviation: f64,
    },

    /// An axis whose range has no place on it.
    #[cfg(feature = "plot")]
    #[error(
        "the axis {label} runs from {low} to {high}, expected finite numbers, \
         above 0 if it is logarithmic"
    )]
    InvalidAxis {
        /// The label of the axis.
        label: String,
        /// One end of the range.
        low: f64,
        /// The other end of the range.
        high: f64,
    },

    /// A figure too small to read or too large to draw.
    #[cfg(feature = "plot")]
    #[error("figures are {smallest} to {largest} pixels wide and high, got {width}x{height}")]
    FigureSize {
        /// The smallest width and height.
        smallest: u32,
        /// The largest width and height.
        largest: u32,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
    },

    /// A figure whose file cannot be written.
    #[cfg(feature = "plot")]
    #[error("{}: cannot write the figure", path.display())]
    Write {
        /// The path of the figure.
        path: PathBuf,
        /// The error of the file system.
        source: std::io::Error,
    },

    /// A figure that cannot be drawn.
    #[cfg(feature = "plot")]
    #[error("cannot draw the figure")]
    Draw {
        /// The error of the drawing library.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
