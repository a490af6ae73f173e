/// What can go wrong in this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A plane whose data does not hold `width * height` values.
    #[error("a plane of {width}x{height} pixels needs {expected} values, got {got}")]
    PlaneLength {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// `width * height`.
        expected: usize,
        /// The number of values given.
        got: usize,
    },
}
