//! Convolutions and layers as numbers: what every other file of this crate speaks of.

/// The geometry of a convolution with a square kernel and equal stride and zero padding in both directions.
///
/// ```
/// use convolutions::{Conv2d, Size};
///
/// let conv = Conv2d { in_channels: 1, out_channels: 32, kernel: 4, stride: 2, padding: 1 };
/// assert_eq!(conv.output(Size { height: 128, width: 64 }), Some(Size { height: 64, width: 32 }));
/// assert_eq!(conv.transposed_output(Size { height: 64, width: 32 }), Some(Size { height: 128, width: 64 }));
/// assert_eq!(conv.weight_shape(), [4, 4, 1, 32]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv2d {
    /// Channels of the convolved map.
    pub in_channels: usize,
    /// Channels of the result.
    pub out_channels: usize,
    /// Side of the kernel.
    pub kernel: usize,
    /// Distance of neighbouring outputs, in pixels of the input; from 1 to `kernel`.
    pub stride: usize,
    /// Rows and columns of zeros put around the input on each side.
    pub padding: usize,
}

/// The size of maps, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// A convolution in either direction, plus a bias, followed by a rectifier.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layer {
    /// The convolution, or the one that is transposed.
    pub conv: Conv2d,
    /// Whether it is transposed.
    pub direction: Direction,
    /// Slope of the rectifier below zero, in [0, 1); linear if there is none.
    pub slope: Option<f32>,
}

/// The direction in which a layer applies its convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The convolution itself.
    Convolution,
    /// The transposed convolution, which is the gradient of the convolution with respect to its input.
    Transposed,
}

/// The shape of a map between two layers, `(H, W, C)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapShape {
    pub size: Size,
    pub channels: usize,
}

/// A bias and then a rectifier, applied to a sum before it is stored.
#[derive(Clone, Copy, Default)]
pub(crate) struct BiasRectifier<'a> {
    /// One value per output channel.
    pub bias: Option<&'a [f32]>,
    /// Slope below zero, in [0, 1); linear if there is none.
    pub slope: Option<f32>,
}

impl Size {
    pub(crate) fn pixels(&self) -> usize {
        self.height * self.width
    }
}

impl Conv2d {
    /// The size of the result; `None` if the kernel is larger than the padded input.
    pub fn output(&self, input: Size) -> Option<Size> {
        let side = |size: usize| {
            Some((size + 2 * self.padding).checked_sub(self.kernel)? / self.stride + 1)
        };
        Some(Size { height: side(input.height)?, width: side(input.width)? })
    }

    /// The size of the result of the transposed convolution; `None` if the padding leaves nothing.
    pub fn transposed_output(&self, input: Size) -> Option<Size> {
        let side = |size: usize| {
            let full = size.checked_sub(1)? * self.stride + self.kernel;
            full.checked_sub(2 * self.padding).filter(|&side| side > 0)
        };
        Some(Size { height: side(input.height)?, width: side(input.width)? })
    }

    /// The shape of the weights, `(kernel, kernel, C_in, C_out)`.
    pub fn weight_shape(&self) -> [usize; 4] {
        [self.kernel, self.kernel, self.in_channels, self.out_channels]
    }

    /// The number of weights, without biases.
    pub fn weight_count(&self) -> usize {
        self.weight_shape().iter().product()
    }

    /// Whether the convolution is a matrix product of the maps as they lie: one row for each map, or one for each pixel.
    pub(crate) fn is_product(&self, input: Size) -> bool {
        self.is_dense(input) || (self.kernel, self.stride, self.padding) == (1, 1, 0)
    }

    /// Whether the kernel covers an unpadded input exactly once, so that the layer is fully connected.
    pub(crate) fn is_dense(&self, input: Size) -> bool {
        self.padding == 0 && input.height == self.kernel && input.width == self.kernel
    }
}

impl Layer {
    /// Channels of its input and of its output.
    pub fn channels(&self) -> (usize, usize) {
        let Conv2d { in_channels, out_channels, .. } = self.conv;
        match self.direction {
            Direction::Convolution => (in_channels, out_channels),
            Direction::Transposed => (out_channels, in_channels),
        }
    }

    /// The number of its weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.conv.weight_count() + self.channels().1
    }

    /// The size of its output; `None` if its input is too small.
    pub fn output(&self, input: Size) -> Option<Size> {
        match self.direction {
            Direction::Convolution => self.conv.output(input),
            Direction::Transposed => self.conv.transposed_output(input),
        }
    }

    /// Multiply-adds of the plain algorithm for one map; both gradients take as many. `None` if the input is too small.
    ///
    /// ```
    /// use convolutions::{Conv2d, Direction, Layer, Size};
    ///
    /// let conv = Conv2d { in_channels: 2, out_channels: 8, kernel: 3, stride: 1, padding: 1 };
    /// let layer = Layer { conv, direction: Direction::Convolution, slope: None };
    /// assert_eq!(layer.multiply_adds(Size { height: 10, width: 10 }), Some(10 * 10 * 3 * 3 * 2 * 8));
    /// ```
    pub fn multiply_adds(&self, input: Size) -> Option<u64> {
        // Each weight meets each pixel of the convolution's result once, which is the input of a transposed one.
        let result = match self.direction {
            Direction::Convolution => self.conv.output(input)?,
            Direction::Transposed => input,
        };
        Some((result.pixels() * self.conv.weight_count()) as u64)
    }
}

impl MapShape {
    /// Values of a map.
    pub fn len(&self) -> usize {
        self.size.pixels() * self.channels
    }

    /// The shape of a batch, `(N, H, W, C)`.
    pub fn batch(&self, maps: usize) -> (usize, usize, usize, usize) {
        (maps, self.size.height, self.size.width, self.channels)
    }
}
