//! Windowed luminance, contrast, structure and SSIM maps, and the SSIM loss with its analytic gradient.
