//! The primitives as candle operations, so that autograd stays candle's.

use super::forward::convolve;
use super::transposed::input_gradient;
use super::weight_gradient::weight_gradient;
use super::{Conv2d, Epilogue, Maps};
use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail,
};
use rayon::prelude::*;

/// Whether the input of a layer is itself trained, or the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputGradient {
    Needed,
    Skipped,
}

/// The convolution of `input` `(N, H, W, C_in)` with `weights` `(kernel, kernel, C_in, C_out)`, plus `bias` `(C_out)`,
/// followed by a leaky rectifier of the given slope: `(N, H', W', C_out)`.
pub(crate) fn convolution(
    conv: Conv2d,
    input: &Tensor,
    weights: &Tensor,
    bias: &Tensor,
    slope: Option<f32>,
    input_gradient: InputGradient,
) -> Result<Tensor> {
    let op = Layer { conv, slope, direction: Direction::Convolution, input_gradient };
    input.apply_op3(weights, bias, op)
}

/// The transposed convolution of `input` `(N, H', W', C_out)` with the same `weights` `(kernel, kernel, C_in, C_out)`, plus
/// `bias` `(C_in)`, followed by a leaky rectifier of the given slope: `(N, H, W, C_in)`.
pub(crate) fn transposed_convolution(
    conv: Conv2d,
    input: &Tensor,
    weights: &Tensor,
    bias: &Tensor,
    slope: Option<f32>,
) -> Result<Tensor> {
    let direction = Direction::Transposed;
    let op = Layer { conv, slope, direction, input_gradient: InputGradient::Needed };
    input.apply_op3(weights, bias, op)
}

#[derive(Clone, Copy)]
enum Direction {
    Convolution,
    Transposed,
}

/// A convolution in either direction with bias and activation.
struct Layer {
    conv: Conv2d,
    slope: Option<f32>,
    direction: Direction,
    input_gradient: InputGradient,
}

impl CustomOp3 for Layer {
    fn name(&self) -> &'static str {
        match self.direction {
            Direction::Convolution => "convolution",
            Direction::Transposed => "transposed-convolution",
        }
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let weights = weights_of(&self.conv, weights, weights_layout)?;
        let bias = contiguous(bias, bias_layout)?;
        let epilogue = Epilogue { bias: Some(bias), slope: self.slope };
        run(&self.conv, self.direction, (input, input_layout), weights, epilogue, None)
    }

    fn bwd(
        &self,
        input: &Tensor,
        weights: &Tensor,
        _bias: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let gradient = match self.slope {
            Some(slope) => gradient.apply_op2_no_bwd(output, &RectifierGradient { slope })?,
            None => gradient.contiguous()?,
        };
        let (direction, (convolved, result)) = match self.direction {
            Direction::Convolution => (Direction::Transposed, (input, &gradient)),
            Direction::Transposed => (Direction::Convolution, (&gradient, input)),
        };
        let input_gradient = match self.input_gradient {
            InputGradient::Needed => {
                let (_, height, width, _) = input.dims4()?;
                let product = Product { conv: self.conv, direction, size: (height, width) };
                Some(gradient.apply_op2_no_bwd(weights, &product)?)
            }
            InputGradient::Skipped => None,
        };
        let weight_gradient =
            convolved.apply_op2_no_bwd(result, &WeightGradient { conv: self.conv })?;
        let bias_gradient = gradient.apply_op1_no_bwd(&ChannelSums)?;
        Ok((input_gradient, Some(weight_gradient), Some(bias_gradient)))
    }
}

/// A convolution in either direction without bias and activation: the gradient with respect to a layer's input.
struct Product {
    conv: Conv2d,
    direction: Direction,
    /// Height and width of the layer's input, which the size of its result does not tell where the stride leaves a
    /// remainder.
    size: (usize, usize),
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "convolution-input-gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        weights: &CpuStorage,
        weights_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let weights = weights_of(&self.conv, weights, weights_layout)?;
        let gradient = (gradient, gradient_layout);
        run(&self.conv, self.direction, gradient, weights, Epilogue::default(), Some(self.size))
    }
}

/// The gradient with respect to the weights of a convolution of the first argument with the second as gradient of its
/// result.
struct WeightGradient {
    conv: Conv2d,
}

impl CustomOp2 for WeightGradient {
    fn name(&self) -> &'static str {
        "convolution-weight-gradient"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (input, maps) = maps_of(input, input_layout, self.conv.in_channels)?;
        let (gradient, output) = maps_of(gradient, gradient_layout, self.conv.out_channels)?;
        if self.conv.output(maps) != Some(output) {
            bail!("a gradient of {output:?} does not belong to {:?} of {maps:?}", self.conv);
        }
        let sums = weight_gradient(&self.conv, input, maps, gradient, output);
        Ok((CpuStorage::F32(sums), Shape::from_dims(&self.conv.weight_shape())))
    }
}

/// The gradient of a leaky rectifier: the gradient of its output, first argument, scaled by the slope where the output,
/// second argument, is negative. The output tells the sign of the input since the slope is positive.
struct RectifierGradient {
    slope: f32,
}

impl CustomOp2 for RectifierGradient {
    fn name(&self) -> &'static str {
        "leaky-rectifier-gradient"
    }

    fn cpu_fwd(
        &self,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        output: &CpuStorage,
        output_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let gradient = contiguous(gradient, gradient_layout)?;
        let output = contiguous(output, output_layout)?;
        let mut result = vec![0.0; gradient.len()];
        result
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(output.par_chunks(CHUNK))
            .for_each(|((result, gradient), output)| {
                for ((result, &gradient), &output) in result.iter_mut().zip(gradient).zip(output) {
                    *result = if output > 0.0 { gradient } else { gradient * self.slope };
                }
            });
        Ok((CpuStorage::F32(result), gradient_layout.shape().clone()))
    }
}

/// Values that a task handles in an elementwise operation.
const CHUNK: usize = 1 << 14;

/// The sum over all but the last dimension: the gradient with respect to a bias.
struct ChannelSums;

impl CustomOp1 for ChannelSums {
    fn name(&self) -> &'static str {
        "channel-sums"
    }

    fn cpu_fwd(&self, values: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        /// Small enough that rounding errors stay small, and fixed, so that they are always the same.
        const PIXELS_PER_SUM: usize = 512;
        let values = contiguous(values, layout)?;
        let Some(&channels) = layout.dims().last() else {
            bail!("channel sums of a scalar");
        };
        let partial: Vec<Vec<f32>> = values
            .par_chunks(PIXELS_PER_SUM * channels)
            .map(|pixels| column_sums(pixels.chunks_exact(channels), channels))
            .collect();
        let sums = column_sums(partial.iter().map(Vec::as_slice), channels);
        Ok((CpuStorage::F32(sums), Shape::from(channels)))
    }
}

fn column_sums<'a>(rows: impl Iterator<Item = &'a [f32]>, columns: usize) -> Vec<f32> {
    rows.fold(vec![0.0; columns], |mut sums, row| {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
        sums
    })
}

/// Runs a convolution in either direction on `input` `(N, H, W, C)`, with a result of the given height and width.
fn run(
    conv: &Conv2d,
    direction: Direction,
    (input, layout): (&CpuStorage, &Layout),
    weights: &[f32],
    epilogue: Epilogue<'_>,
    size: Option<(usize, usize)>,
) -> Result<(CpuStorage, Shape)> {
    let (channels, out_channels) = match direction {
        Direction::Convolution => (conv.in_channels, conv.out_channels),
        Direction::Transposed => (conv.out_channels, conv.in_channels),
    };
    let (input, maps) = maps_of(input, layout, channels)?;
    let output = match direction {
        Direction::Convolution => conv.output(maps),
        Direction::Transposed => conv.transposed_output(maps),
    };
    let Some(mut output) = output else {
        bail!("{maps:?} are too small for {conv:?}");
    };
    if let Some((height, width)) = size {
        output = Maps { height, width, ..output };
    }
    if epilogue.bias.is_some_and(|bias| bias.len() != out_channels) {
        bail!("{conv:?} needs a bias of {out_channels} values");
    }
    let result = match direction {
        Direction::Convolution => convolve(conv, input, maps, weights, output, epilogue),
        Direction::Transposed => input_gradient(conv, input, maps, weights, output, epilogue),
    };
    let shape = (output.count, output.height, output.width, out_channels);
    Ok((CpuStorage::F32(result), Shape::from(shape)))
}

fn weights_of<'a>(conv: &Conv2d, storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    if conv.kernel < conv.stride || conv.stride == 0 {
        bail!("{conv:?}: the stride must be between 1 and the kernel's size");
    }
    if layout.dims() != conv.weight_shape() {
        let (expected, got) = (conv.weight_shape(), layout.dims());
        bail!("{conv:?} needs weights of shape {expected:?}, got {got:?}");
    }
    contiguous(storage, layout)
}

fn maps_of<'a>(
    storage: &'a CpuStorage,
    layout: &Layout,
    channels: usize,
) -> Result<(&'a [f32], Maps)> {
    let (count, height, width, got) = layout.shape().dims4()?;
    if got != channels {
        bail!("expected maps of {channels} channels, got shape {:?}", layout.shape());
    }
    Ok((contiguous(storage, layout)?, Maps { count, height, width }))
}

/// The values of a contiguous f32 tensor.
fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
