use std::fmt;

/// One of the two images under comparison.
///
/// ```
/// use ssim::{Border, Constants, Input, Params, Window, loss_and_gradient};
///
/// // SSIM is symmetric: the second image has the gradient that it would have as the first.
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Reflect, Constants::squared());
/// let (x, y) = ([0.0, 0.5, 1.0], [0.5, 0.5, 0.0]);
/// let (_, gradient) = loss_and_gradient(&x.repeat(3), &y.repeat(3), 3, 3, &params, Input::Second)?;
/// let (_, exchanged) = loss_and_gradient(&y.repeat(3), &x.repeat(3), 3, 3, &params, Input::First)?;
/// assert_eq!(gradient, exchanged);
/// # Ok::<(), ssim::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Input {
    /// The first argument, called *x* in the formulas.
    First,
    /// The second argument, called *y* in the formulas.
    Second,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Second => "second",
        })
    }
}
