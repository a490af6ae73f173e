//! Layers that follow each other: where their parameters lie, and which maps pass between them.

use crate::geometry::{Layer, MapShape, Size};
use crate::precision::Precision;
use candle_core::{Result, Shape, Tensor, bail};
use std::ops::Range;
use std::sync::Arc;

/// Whether [`Chain::backward`](crate::Chain::backward) gives the gradient of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputGradient {
    /// The input is trained, or comes from what is.
    Needed,
    /// The input is data.
    Skipped,
}

/// Whether gradients are wanted of the parameters of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterGradient {
    /// They are trained.
    Needed,
    /// They are frozen.
    Skipped,
}

/// Whether a forward pass keeps what gradients need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The outputs of all layers are kept.
    Training,
    /// Nothing is kept: the output of one layer at a time is in memory.
    Inference,
}

/// Where the weights and the bias of a layer lie in the parameters.
pub(crate) type Place = (Range<usize>, Range<usize>);

/// The layers of a chain, and what is computed of them.
///
/// Their parameters are one vector: of each layer the weights `(kernel, kernel, C_in, C_out)`, where a transposed
/// convolution has the channels of the convolution that it transposes, and then the bias.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    all: Arc<[Layer]>,
    places: Arc<[Place]>,
    pub input_gradient: InputGradient,
    pub parameter_gradient: ParameterGradient,
    /// The precision of products on CUDA devices.
    pub precision: Precision,
}

impl Layers {
    pub fn new(
        layers: Vec<Layer>,
        input_gradient: InputGradient,
        parameter_gradient: ParameterGradient,
    ) -> Self {
        let mut end = 0;
        let place = |layer: &Layer| {
            let weights = end..end + layer.conv.weight_count();
            let bias = weights.end..weights.end + layer.channels().1;
            end = bias.end;
            (weights, bias)
        };
        let places = layers.iter().map(place).collect();
        let (all, precision) = (layers.into(), Precision::F32);
        Self { all, places, input_gradient, parameter_gradient, precision }
    }

    /// The same layers for an operation of candle's, which asks for the gradient of every input that it tracks.
    pub fn for_input(&self, input: &Tensor) -> Self {
        let input_gradient = match input.track_op() {
            true => InputGradient::Needed,
            false => InputGradient::Skipped,
        };
        Self { input_gradient, ..self.clone() }
    }

    pub fn as_slice(&self) -> &[Layer] {
        &self.all
    }

    /// Where the parameters of each layer lie.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// The length of the parameters.
    pub fn parameter_count(&self) -> usize {
        self.places.last().map_or(0, |(_, bias)| bias.end)
    }

    /// The shapes of the input and of the outputs of all layers, for an input `(N, H, W, C)`.
    ///
    /// # Errors
    /// For an input or a number of parameters that the layers are not made for, and if there are no layers.
    pub fn shapes(&self, input: &Shape, parameters: usize) -> Result<Vec<MapShape>> {
        let (_, height, width, channels) = input.dims4()?;
        if self.all.is_empty() {
            bail!("expected layers, got none");
        }
        let mut shape = MapShape { size: Size { height, width }, channels };
        let mut shapes = vec![shape];
        for layer in self.all.iter() {
            shape = output(layer, shape)?;
            shapes.push(shape);
        }
        let expected = self.parameter_count();
        if parameters != expected {
            bail!("expected {expected} parameters, got {parameters}");
        }
        Ok(shapes)
    }
}

/// The shape of a layer's output.
fn output(layer: &Layer, input: MapShape) -> Result<MapShape> {
    let Layer { conv, direction, slope } = layer;
    if slope.is_some_and(|slope| !(0.0..1.0).contains(&slope)) {
        bail!("{conv:?}: the slope must be at least 0 and below 1");
    }
    if conv.kernel < conv.stride || conv.stride == 0 {
        bail!("{conv:?}: the stride must be between 1 and the kernel's size");
    }
    if conv.in_channels.min(conv.out_channels).min(input.size.pixels()) == 0 {
        bail!("{direction:?} {conv:?} of {:?}: expected channels and pixels", input.size);
    }
    let (expected, channels) = layer.channels();
    if input.channels != expected {
        let got = input.channels;
        bail!("expected maps of {expected} channels, got {got}: {direction:?} {conv:?}");
    }
    match layer.output(input.size) {
        Some(size) => Ok(MapShape { size, channels }),
        None => bail!("{:?} is too small for {direction:?} {conv:?}", input.size),
    }
}
