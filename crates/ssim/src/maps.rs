use crate::{
    Components, Error, Params, Sample,
    pair::Pair,
    plan::Plan,
    render::{Targets, render},
};

/// One value per window, row by row.
///
/// ```
/// let map = ssim::Map { width: 3, height: 2, values: vec![0.9, 0.8, 0.7, 0.6, 0.5, 0.4] };
/// let (column, row) = (1, 1);
/// assert_eq!(map.values[row * map.width + column], 0.5);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Map<T = f32> {
    /// Windows per row.
    pub width: usize,
    /// Rows of windows.
    pub height: usize,
    /// `width * height` values in row-major order.
    pub values: Vec<T>,
}

/// The maps that were asked for, all of the same size, row by row.
///
/// The bounds are exact for `f32`; a value of type `f64` may exceed 1 by its last bit.
///
/// ```
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let wanted = Components::LUMINANCE | Components::SSIM;
/// let maps = ssim::maps(&[0.0; 12], &[0.0; 12], 4, 3, &params, wanted)?;
/// assert_eq!((maps.width, maps.height), (2, 1));
/// assert_eq!((maps.luminance, maps.contrast), (Some(vec![1.0, 1.0]), None));
/// # Ok::<(), ssim::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Maps<T = f32> {
    /// Windows per row.
    pub width: usize,
    /// Rows of windows.
    pub height: usize,
    /// Luminance l; in [0, 1] for images without negative values, otherwise in [-1, 1].
    pub luminance: Option<Vec<T>>,
    /// Contrast c, in [0, 1].
    pub contrast: Option<Vec<T>>,
    /// Structure s, in [-1, 1].
    pub structure: Option<Vec<T>>,
    /// SSIM, in [-1, 1].
    pub ssim: Option<Vec<T>>,
}

/// Computes the maps in `components` of two row-major images of `width`×`height` pixels.
///
/// Only what the wanted maps depend on is computed: luminance needs no variances, and SSIM with
/// β = γ and c3 = c2/2 needs no square roots. The exponents apply to SSIM, not to its factors.
///
/// ```
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// // Windows of one pixel have no variance: (2·0·1 + 0.5) / (0² + 1² + 0.5) = 1/3, and 1.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let maps = ssim::maps(&[0.0, 1.0], &[1.0, 1.0], 2, 1, &params, Components::SSIM)?;
/// assert_eq!(maps.ssim, Some(vec![1.0 / 3.0, 1.0]));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// An invalid window, constant or exponent; a window larger than the image; a slice of the wrong
/// length; a pixel that is NaN, infinite or beyond the range of `f32`.
pub fn maps<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
    components: Components,
) -> Result<Maps<T>, Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    let plane = |component| components.contains(component).then(|| vec![T::ZERO; plan.map_len()]);
    let mut luminance = plane(Components::LUMINANCE);
    let mut contrast = plane(Components::CONTRAST);
    let mut structure = plane(Components::STRUCTURE);
    let mut ssim = plane(Components::SSIM);
    let targets = Targets {
        luminance: luminance.as_deref_mut(),
        contrast: contrast.as_deref_mut(),
        structure: structure.as_deref_mut(),
        ssim: ssim.as_deref_mut(),
    };
    render(&plan, &pair, targets);
    Ok(Maps {
        width: plan.map_width,
        height: plan.map_height,
        luminance,
        contrast,
        structure,
        ssim,
    })
}

/// Computes the SSIM map of two row-major images of `width`×`height` pixels.
///
/// ```
/// use ssim::{Border, Constants, Params, Window};
///
/// // A bright pixel that was not reconstructed lies in the second and third of three windows.
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let image = [0.5, 0.5, 0.5, 0.5, 0.5,
///              0.5, 0.5, 0.5, 1.0, 0.5,
///              0.5, 0.5, 0.5, 0.5, 0.5];
/// let map = ssim::ssim_map(&[0.5; 15], &image, 5, 3, &params)?;
/// assert_eq!((map.width, map.height), (3, 1));
/// assert!(map.values[0] == 1.0 && map.values[1] < 0.1 && map.values[2] < 0.1);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
#[doc(alias = "structural_similarity")]
pub fn ssim_map<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
) -> Result<Map<T>, Error> {
    let plan = Plan::new(params, width, height)?;
    // One entry to rayon's threads instead of one for each pass over the images.
    rayon::scope(|_| {
        let pair = Pair::new(x, y, width, height)?;
        let mut values = vec![T::ZERO; plan.map_len()];
        render(&plan, &pair, Targets::ssim(&mut values));
        Ok(Map { width: plan.map_width, height: plan.map_height, values })
    })
}
