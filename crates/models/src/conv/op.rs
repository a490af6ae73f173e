//! The primitives as candle operations, so that autograd stays candle's.

use super::{Conv2d, Epilogue, Maps, convolve, input_gradient, weight_gradient};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, D, Layout, Result, Shape, Tensor, bail};
use pulp::Arch;
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
        let (gradient, bias_gradient) = sum_gradient(gradient, output, self.slope)?;
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

/// The gradient of a layer's sums, before the rectifier, and that of its bias, for the gradient of its output.
fn sum_gradient(
    gradient: &Tensor,
    output: &Tensor,
    slope: Option<f32>,
) -> Result<(Tensor, Tensor)> {
    let (values, channels) = (output.elem_count(), output.dim(D::Minus1)?);
    let op = SumGradient { slope: slope.unwrap_or(1.0) };
    let both = gradient.contiguous()?.apply_op2_no_bwd(output, &op)?;
    let gradient = both.narrow(0, 0, values)?.reshape(output.shape())?;
    Ok((gradient, both.narrow(0, values, channels)?))
}

/// The gradient of a layer's output, first argument, scaled by the slope where the output, second argument, is negative;
/// followed by its sum over all but the last dimension. The output tells the sign of the sum since the slope is positive.
struct SumGradient {
    slope: f32,
}

impl CustomOp2 for SumGradient {
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
        /// Small enough that rounding errors stay small, and fixed, so that they are always the same.
        const PIXELS_PER_SUM: usize = 512;
        let gradient = contiguous(gradient, gradient_layout)?;
        let output = contiguous(output, output_layout)?;
        let &[.., channels] = output_layout.dims() else {
            bail!("channel sums of a scalar");
        };
        let chunk = PIXELS_PER_SUM * channels.max(1);
        let mut result = vec![0.0; gradient.len() + channels];
        let (scaled, sums) = result.split_at_mut(gradient.len());
        let partial: Vec<Vec<f32>> = scaled
            .par_chunks_mut(chunk)
            .zip(gradient.par_chunks(chunk))
            .zip(output.par_chunks(chunk))
            .map(|((scaled, gradient), output)| {
                let mut sums = vec![0.0; channels];
                let (slope, sums_out) = (self.slope, &mut sums);
                Arch::new().dispatch(move || {
                    let pixels = gradient.chunks_exact(channels).zip(output.chunks_exact(channels));
                    for (scaled, (gradient, output)) in
                        scaled.chunks_exact_mut(channels).zip(pixels)
                    {
                        let values = gradient.iter().zip(output);
                        for ((scaled, sum), (&gradient, &output)) in
                            scaled.iter_mut().zip(sums_out.iter_mut()).zip(values)
                        {
                            *scaled = if output > 0.0 { gradient } else { gradient * slope };
                            *sum += *scaled;
                        }
                    }
                });
                sums
            })
            .collect();
        for partial in partial {
            for (sum, partial) in sums.iter_mut().zip(partial) {
                *sum += partial;
            }
        }
        let shape = Shape::from(result.len());
        Ok((CpuStorage::F32(result), shape))
    }
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
