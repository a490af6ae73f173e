//! The primitives against their definition, on small maps. Nothing here needs candle, so that Miri can run the unsafe code.

use super::buffer::Buffers;
use super::convolution::{PreparedConv, weight_gradient};
use super::strip::widest_strip;
use super::winograd;
use crate::geometry::{BiasRectifier, Conv2d, Size};

const MAPS: usize = 2;
const SLOPE: f32 = 0.25;

/// Values in [-1, 1) that depend on nothing but the seed.
fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Calls `visit` with the places of an input, a weight and an output for each product of a convolution.
fn for_each_product(
    conv: &Conv2d,
    (input, output): (Size, Size),
    mut visit: impl FnMut([usize; 3]),
) {
    let &Conv2d { in_channels, out_channels, kernel, stride, padding } = conv;
    for pixel in 0..MAPS * output.pixels() {
        let (map, y, x) =
            (pixel / output.pixels(), pixel / output.width % output.height, pixel % output.width);
        for tap in 0..kernel * kernel {
            let (row, column) = (y * stride + tap / kernel, x * stride + tap % kernel);
            let (Some(row), Some(column)) = (row.checked_sub(padding), column.checked_sub(padding))
            else {
                continue;
            };
            if row >= input.height || column >= input.width {
                continue;
            }
            let from = (map * input.height + row) * input.width + column;
            for (i, o) in (0..in_channels).flat_map(|i| (0..out_channels).map(move |o| (i, o))) {
                let weight = (tap * in_channels + i) * out_channels + o;
                visit([from * in_channels + i, weight, pixel * out_channels + o]);
            }
        }
    }
}

/// Sums of at most `terms` products of values in [-1, 1), each rounded by at most half an ulp of the sum; the minimal algorithms round a
/// few times more.
fn assert_close(got: &[f32], expected: &[f64], terms: usize, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let bound = 16.0 * f64::from(f32::EPSILON) * terms as f64;
    for (place, (&got, expected)) in got.iter().zip(expected).enumerate() {
        let difference = (f64::from(got) - expected).abs();
        assert!(difference <= bound, "{what}: {got} for {expected} at {place}");
    }
}

fn check(conv: &Conv2d, size: Size) {
    let what = format!("{conv:?} of {size:?}");
    let output = conv.output(size).expect("the kernel fits");
    let sizes = (size, output);
    let (inputs, outputs) =
        (MAPS * size.pixels() * conv.in_channels, MAPS * output.pixels() * conv.out_channels);
    let (input, weights) = (noise(1, inputs), noise(2, conv.weight_count()));
    let (gradient, bias) = (noise(3, outputs), noise(4, conv.out_channels));
    let double = f64::from;
    let mut result: Vec<f64> =
        (0..outputs).map(|place| double(bias[place % conv.out_channels])).collect();
    let (mut of_input, mut of_weights) = (vec![0.0; inputs], vec![0.0; conv.weight_count()]);
    for_each_product(conv, sizes, |[i, w, o]| {
        result[o] += double(input[i]) * double(weights[w]);
        of_input[i] += double(gradient[o]) * double(weights[w]);
        of_weights[w] += double(gradient[o]) * double(input[i]);
    });
    result.iter_mut().for_each(|sum| *sum = sum.max(*sum * double(SLOPE)));

    let (buffers, taps) = (Buffers::default(), conv.kernel * conv.kernel);
    let mut got = vec![f32::NAN; outputs];
    let bias_rectifier = BiasRectifier { bias: Some(&bias), slope: Some(SLOPE) };
    let prepared = PreparedConv::forward(conv, &weights, sizes, &buffers);
    prepared.run(&input, bias_rectifier, &buffers, &mut got);
    assert_close(&got, &result, taps * conv.in_channels, &what);

    let mut got = vec![f32::NAN; inputs];
    let prepared = PreparedConv::input_gradient(conv, &weights, (output, size), &buffers);
    prepared.run(&gradient, BiasRectifier::default(), &buffers, &mut got);
    assert_close(&got, &of_input, taps * conv.out_channels, &what);

    let mut got = vec![f32::NAN; conv.weight_count()];
    weight_gradient(conv, (&input, size), (&gradient, output), &buffers, &mut got);
    assert_close(&got, &of_weights, MAPS * output.pixels(), &what);
}

/// Maps that tiles do and do not fit, strides that leave a remainder, and channels for whole strips and for parts of them.
#[test]
fn primitives_equal_their_definition() {
    let wide = widest_strip();
    for (kernel, stride, padding) in [(3, 1, 1), (5, 1, 2), (4, 2, 1), (3, 2, 0), (1, 1, 0)] {
        for (in_channels, out_channels) in [(1, 3), (wide, wide), (wide + 1, 1)] {
            let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
            check(&conv, Size { height: 7, width: 6 });
        }
    }
    // A fully connected layer.
    let conv = Conv2d { in_channels: 2, out_channels: 5, kernel: 4, stride: 1, padding: 0 };
    check(&conv, Size { height: 4, width: 4 });
}

/// On every machine: a strip has as many channels as two of its registers.
#[test]
fn the_minimal_algorithms_are_among_the_tested() {
    let wide = widest_strip();
    for (kernel, stride) in [(3, 1), (5, 1), (4, 2)] {
        let conv = Conv2d { in_channels: wide, out_channels: wide, kernel, stride, padding: 1 };
        assert!(winograd::supports(&conv) && winograd::supports_weight_gradient(&conv));
    }
}
