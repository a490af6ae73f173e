use crate::{
    Border, Constants, Error, Params, Sample,
    formula::Formula,
    padding::{Beyond, Padding},
    pair::Pair,
    sliding::Kernel,
    windowing::Windowing,
};

/// Validated parameters for images of one size.
pub(crate) struct Plan {
    pub(crate) params: Params,
    pub(crate) map_width: usize,
    pub(crate) map_height: usize,
    width: usize,
    height: usize,
    kernel: Kernel,
    /// As `kernel`, but for running sums under a uniform window.
    running: Kernel,
}

impl Plan {
    pub(crate) fn new(params: &Params, width: usize, height: usize) -> Result<Self, Error> {
        let (map_width, map_height) = params.map_size(width, height)?;
        let kernel = Kernel::new(&params.window)?;
        let running = match kernel {
            Kernel::Box { size } => Kernel::Running { size },
            ref kernel => kernel.clone(),
        };
        Ok(Self { params: *params, map_width, map_height, width, height, kernel, running })
    }

    /// The number of windows.
    pub(crate) fn map_len(&self) -> usize {
        self.map_width * self.map_height
    }

    /// From an image to the means of its windows.
    pub(crate) fn forward(&self) -> Windowing<'_> {
        self.forward_with(&self.kernel)
    }

    /// As [`Self::forward`], for SSIM alone; with running sums if the moments are used without roots and no value can tell.
    ///
    /// A value is a quotient of sums of second moments and a constant. These moments are at most twice the square of the
    /// pair's reach, and the quotient moves by as many times their error as the smallest constant goes into 1.
    pub(crate) fn forward_ssim<T: Sample>(
        &self,
        formula: &Formula,
        pair: &Pair<'_, T>,
    ) -> Windowing<'_> {
        let Constants { c1, c2, .. } = self.params.constants;
        let error = Windowing::running_error(self.kernel.size()) * 2.0 * pair.reach().powi(2);
        let is_harmless = formula.is_plain() && error <= 0.125 * T::ULP * c1.min(c2);
        self.forward_with(if is_harmless { &self.running } else { &self.kernel })
    }

    fn forward_with<'a>(&'a self, kernel: &'a Kernel) -> Windowing<'a> {
        let margin = match self.params.border {
            Border::Valid => 0,
            Border::Reflect => self.kernel.size() / 2,
        };
        let (width, height, beyond) = (self.width, self.height, Beyond::Mirror);
        Windowing { kernel, padding: Padding { width, height, margin, beyond } }
    }

    /// The transpose of [`Self::forward`]: from a value per window to the weighted sum at each pixel.
    ///
    /// Windows are symmetric, so this is again a windowed mean. Without padding it is the full correlation.
    /// With a mirrored border the linear map is its own transpose: along one axis the weight of pixel j
    /// in window i is w(j-i) + w(j+i+1) + w(2n-1-j-i), which does not change when i and j trade places.
    pub(crate) fn transposed(&self) -> Windowing<'_> {
        let (margin, beyond) = match self.params.border {
            Border::Valid => (self.kernel.size() - 1, Beyond::Zero),
            Border::Reflect => (self.kernel.size() / 2, Beyond::Mirror),
        };
        let (width, height) = (self.map_width, self.map_height);
        Windowing { kernel: &self.kernel, padding: Padding { width, height, margin, beyond } }
    }
}
