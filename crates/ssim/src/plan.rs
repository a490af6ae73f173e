use crate::{
    Border, Error, Params,
    padding::{Beyond, Padding},
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
}

impl Plan {
    pub(crate) fn new(params: &Params, width: usize, height: usize) -> Result<Self, Error> {
        let (map_width, map_height) = params.map_size(width, height)?;
        Ok(Self {
            params: *params,
            map_width,
            map_height,
            width,
            height,
            kernel: Kernel::new(&params.window)?,
        })
    }

    /// The number of windows.
    pub(crate) fn map_len(&self) -> usize {
        self.map_width * self.map_height
    }

    /// From an image to the means of its windows.
    pub(crate) fn forward(&self) -> Windowing<'_> {
        let margin = match self.params.border {
            Border::Valid => 0,
            Border::Reflect => self.kernel.size() / 2,
        };
        self.windowing(Padding {
            width: self.width,
            height: self.height,
            margin,
            beyond: Beyond::Mirror,
        })
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
        self.windowing(Padding { width: self.map_width, height: self.map_height, margin, beyond })
    }

    fn windowing(&self, padding: Padding) -> Windowing<'_> {
        Windowing { kernel: &self.kernel, padding }
    }
}
