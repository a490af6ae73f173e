//! Chains as they run on a GPU, with the backend on the CPU, against chains for the CPU.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::array::ArrayView;
use super::chain::GpuChain;
use super::reference::Reference;
use crate::chain::Chain;
use crate::geometry::{Conv2d, Direction, Layer, MapShape, Size};
use crate::layers::{InputGradient, Mode};
use crate::tests::{decoder, encoder, noise};
use candle_core::{Tensor, Var};

/// The output of a chain, and its gradients.
struct Results {
    output: Vec<f32>,
    input_gradient: Option<Vec<f32>>,
    parameter_gradient: Option<Vec<f32>>,
}

/// A chain, and numbers for it.
struct Case {
    chain: Chain,
    input: Tensor,
    parameters: Tensor,
    /// Of the output.
    gradient: Tensor,
}

impl Case {
    fn new(chain: Chain, count: usize, size: Size) -> Self {
        let channels = chain.layers()[0].channels().0;
        let input = noise(1, &[count, size.height, size.width, channels]);
        let parts: Vec<Tensor> = (10..)
            .zip(chain.layers())
            .map(|(seed, layer)| {
                let fan = (layer.conv.in_channels.max(layer.conv.out_channels)) as f64;
                let deviation = 2.0 / (fan.sqrt() * layer.conv.kernel as f64);
                (noise(seed, &[layer.parameter_count()]) * deviation).unwrap()
            })
            .collect();
        let parameters = Tensor::cat(&parts, 0).unwrap();
        let shapes = chain.layers.shapes(input.shape(), chain.parameter_count()).unwrap();
        let MapShape { size, channels } = shapes[shapes.len() - 1];
        let gradient = noise(3, &[count, size.height, size.width, channels]);
        Self { chain, input, parameters, gradient }
    }

    fn expected(&self) -> Results {
        let [input, parameters] =
            [&self.input, &self.parameters].map(|tensor| Var::from_tensor(tensor).unwrap());
        let output = self.chain.apply(&input, &parameters, Mode::Training).unwrap();
        let sum = (&output * &self.gradient).unwrap().sum_all().unwrap();
        let gradients = sum.backward().unwrap();
        let gradient = |var: &Var| gradients.get(var).map(values);
        Results {
            output: values(&output),
            input_gradient: gradient(&input),
            parameter_gradient: gradient(&parameters),
        }
    }

    /// By the reference, with columns of at most `most_columns` values at a time.
    fn got(&self, most_columns: usize) -> Results {
        let [input, parameters, gradient] =
            [&self.input, &self.parameters, &self.gradient].map(values);
        let [input, parameters, gradient] = [&input, &parameters, &gradient].map(whole);
        let shapes = self.shapes();
        let chain = GpuChain {
            backend: &Reference::new(most_columns),
            layers: &self.chain.layers,
            parameters,
            shapes: &shapes,
            maps: self.input.dims()[0],
        };
        let outputs = chain.forward(input, Mode::Training).unwrap();
        let mut activations = vec![input];
        activations.extend(outputs.iter().map(whole));
        let (input_gradient, parameter_gradient) = chain.backward(&activations, gradient).unwrap();
        let output = outputs.last().unwrap().clone();
        Results { output, input_gradient, parameter_gradient }
    }

    fn shapes(&self) -> Vec<MapShape> {
        self.chain.layers.shapes(self.input.shape(), self.parameters.elem_count()).unwrap()
    }

    fn check(&self) {
        let expected = self.expected();
        // All maps at once, and few at a time.
        for most_columns in [usize::MAX, 5000] {
            let got = self.got(most_columns);
            let layers = self.chain.layers().len();
            assert_close(&got.output, &expected.output, layers);
            for (got, expected) in [
                (&got.input_gradient, &expected.input_gradient),
                (&got.parameter_gradient, &expected.parameter_gradient),
            ] {
                assert_eq!(got.is_some(), expected.is_some());
                if let (Some(got), Some(expected)) = (got, expected) {
                    assert_close(got, expected, layers);
                }
            }
        }
    }
}

fn whole(values: &Vec<f32>) -> ArrayView<'_, Vec<f32>> {
    ArrayView::new(values, 0..values.len())
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The bound of `composed`, for the same reason: sums of up to 9,216 products, rounded once more by each layer.
fn assert_close(got: &[f32], expected: &[f32], layers: usize) {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    for (place, (got, expected)) in got.iter().zip(expected).enumerate() {
        let difference = (got - expected).abs();
        assert!(difference <= 1e-5 * layers as f32 * largest, "{place}: {got} for {expected}");
    }
}

/// Slopes next to 1, so that a sum whose sign rounding decides changes little.
fn layers(convs: &[Conv2d], direction: Direction) -> Vec<Layer> {
    let mut layers: Vec<Layer> =
        convs.iter().map(|&conv| Layer { conv, direction, slope: Some(0.95) }).collect();
    layers.last_mut().unwrap().slope = None;
    layers
}

#[test]
fn chains_of_both_directions_equal_the_chains() {
    let encoder = layers(&encoder(32, 14), Direction::Convolution);
    let side = |side| Size { height: side, width: side };
    Case::new(Chain::new(encoder, InputGradient::Skipped), 3, side(32)).check();
    let decoder = layers(&decoder(32, 7), Direction::Transposed);
    Case::new(Chain::new(decoder, InputGradient::Needed), 3, side(1)).check();
}

#[test]
fn layers_of_all_kinds_equal_the_chains() {
    for (kernel, stride, padding) in [(1, 1, 0), (3, 1, 1), (3, 2, 0), (4, 2, 1), (5, 3, 2)] {
        let conv = Conv2d { in_channels: 6, out_channels: 8, kernel, stride, padding };
        for direction in [Direction::Convolution, Direction::Transposed] {
            for input_gradient in [InputGradient::Needed, InputGradient::Skipped] {
                let layer = Layer { conv, direction, slope: Some(0.2) };
                let chain = Chain::new(vec![layer], input_gradient);
                // Strides that leave a remainder, and maps that are not square.
                Case::new(chain, 4, Size { height: 9, width: 12 }).check();
            }
        }
    }
}

#[test]
fn frozen_chains_equal_the_chains() {
    let wide = Conv2d { in_channels: 2, out_channels: 12, kernel: 11, stride: 4, padding: 2 };
    let next = Conv2d { in_channels: 12, out_channels: 5, kernel: 5, stride: 1, padding: 2 };
    for direction in [Direction::Convolution, Direction::Transposed] {
        let convs = if direction == Direction::Convolution { [wide, next] } else { [next, wide] };
        let mut layers = layers(&convs, direction);
        layers[1].slope = Some(0.9);
        Case::new(Chain::frozen(layers), 2, Size { height: 31, width: 18 }).check();
    }
}

#[test]
fn inference_keeps_the_last_output_only() {
    let encoder = layers(&encoder(32, 4), Direction::Convolution);
    let size = Size { height: 32, width: 32 };
    let case = Case::new(Chain::new(encoder, InputGradient::Skipped), 2, size);
    let (input, parameters) = (values(&case.input), values(&case.parameters));
    let chain = GpuChain {
        backend: &Reference::new(usize::MAX),
        layers: &case.chain.layers,
        parameters: whole(&parameters),
        shapes: &case.shapes(),
        maps: 2,
    };
    let inferred = chain.forward(whole(&input), Mode::Inference).unwrap();
    assert_eq!(inferred.len(), 1);
    assert_eq!(inferred[0], case.got(usize::MAX).output);
}
