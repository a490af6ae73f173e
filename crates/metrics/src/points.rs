/// The points of a curve that are kept.
///
/// ```
/// use metrics::{Points, RankedScores};
///
/// let ranked = RankedScores::new(&[0.9, 0.8, 0.1], &[true, true, false])?;
/// assert_eq!(ranked.roc(Points::All).thresholds(), [f32::INFINITY, 0.9, 0.8, 0.1]);
/// assert_eq!(ranked.roc(Points::Corners).thresholds(), [f32::INFINITY, 0.8, 0.1]);
/// # Ok::<(), metrics::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Points {
    /// Those at which the curve bends. Lines between them pass through all
    /// others, so areas and plots are unchanged, and at most two points per
    /// distinct score of the defective pixels remain.
    #[default]
    Corners,
    /// One for each distinct score.
    All,
}
