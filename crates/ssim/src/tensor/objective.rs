/// The function of the SSIM map that is differentiated.
#[derive(Clone, Copy)]
pub(super) enum Objective {
    /// The mean of 1 − SSIM; the gradient that arrives from behind is a scalar.
    Loss,
    /// The map; a gradient arrives for each of its values.
    Map,
}
