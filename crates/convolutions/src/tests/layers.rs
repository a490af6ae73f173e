use super::noise;
use crate::chain::Chain;
use crate::cpu::has_minimal_algorithm;
use crate::geometry::{Conv2d, Direction, Layer, Size};
use crate::layers::{InputGradient, Mode, ParameterGradient};
use candle_core::{DType, Device, Tensor, Var};
use proptest::prelude::*;

/// One layer, with its weights and bias as tensors of their own.
fn layer(
    direction: Direction,
    conv: Conv2d,
    [input, weights, bias]: [&Tensor; 3],
    slope: Option<f32>,
) -> candle_core::Result<Tensor> {
    let parameters = Tensor::cat(&[&weights.flatten_all()?, bias], 0)?;
    let chain = Chain::new(vec![Layer { conv, direction, slope }], InputGradient::Needed);
    chain.apply(input, &parameters, Mode::Training)
}

fn convolution(conv: Conv2d, tensors: [&Tensor; 3], slope: Option<f32>) -> Tensor {
    layer(Direction::Convolution, conv, tensors, slope).unwrap()
}

fn transposed_convolution(conv: Conv2d, tensors: [&Tensor; 3], slope: Option<f32>) -> Tensor {
    layer(Direction::Transposed, conv, tensors, slope).unwrap()
}

/// candle's own convolutions work on `(N, C, H, W)`.
fn channels_first(maps: &Tensor) -> Tensor {
    maps.permute((0, 3, 1, 2)).unwrap().contiguous().unwrap()
}

fn channels_last(maps: &Tensor) -> Tensor {
    maps.permute((0, 2, 3, 1)).unwrap().contiguous().unwrap()
}

fn leaky(x: &Tensor, slope: f64) -> Tensor {
    x.maximum(&(x * slope).unwrap()).unwrap()
}

/// `|a - b|` at most a few roundings of a sum of products of values in [-1, 1]: the error of each of `terms` additions is
/// half an ulp of a partial sum, which is at most `terms` large, but grows like its square root.
///
/// The minimal algorithms' errors are several times larger, and so are their deviations from the mean one: in a simulation of F(4, 2)
/// with 1,024 terms, the first output of a tile, of which all products are a part, had a root-mean-square error of 5·10⁻⁵, and the
/// largest of 24,000 was 4·10⁻⁴.
fn assert_close(conv: &Conv2d, a: &Tensor, b: &Tensor, terms: usize) {
    assert_eq!(a.dims(), b.dims());
    let difference = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap();
    let difference: f32 = difference.to_scalar().unwrap();
    let roundings = if has_minimal_algorithm(conv) { 16.0 } else { 4.0 };
    let bound = roundings * f32::EPSILON * terms as f32;
    assert!(difference <= bound.max(1e-6), "difference {difference}, bound {bound}");
}

/// The number of maps in a batch and their size.
#[derive(Clone, Copy, Debug)]
struct Maps {
    count: usize,
    height: usize,
    width: usize,
}

/// Small layers of all kinds.
fn any_layer() -> impl Strategy<Value = (Conv2d, Maps)> {
    (1usize..=5, 1usize..=3, 1usize..=40, 1usize..=40, 1usize..=4, 0usize..=11, 0usize..=11)
        .prop_flat_map(|(kernel, stride, in_channels, out_channels, count, extra_h, extra_w)| {
            (0..kernel.div_ceil(2)).prop_map(move |padding| {
                let stride = stride.min(kernel);
                let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
                (conv, Maps { count, height: kernel + extra_h, width: kernel + extra_w })
            })
        })
}

/// Layers with as many channels as fast algorithms need, on maps that tiles do and do not fit.
fn fast_layer() -> impl Strategy<Value = (Conv2d, Maps)> {
    let kernels = prop_oneof![Just((3, 1)), Just((5, 1)), Just((4, 2))];
    // Half a strip with AVX-512, one strip, two strips.
    let channels = || prop_oneof![Just(16), Just(32), Just(64)];
    (kernels, channels(), channels(), 0usize..=2, 1usize..=3, 0usize..=11, 0usize..=11).prop_map(
        |((kernel, stride), in_channels, out_channels, padding, count, extra_h, extra_w)| {
            let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
            assert!(
                has_minimal_algorithm(&conv) || (stride > 1 && in_channels.min(out_channels) < 32)
            );
            (conv, Maps { count, height: kernel + extra_h, width: kernel + extra_w })
        },
    )
}

fn geometry() -> impl Strategy<Value = (Conv2d, Maps)> {
    prop_oneof![any_layer(), fast_layer()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn convolution_and_gradients_equal_candles((conv, maps) in geometry(), seed: u64) {
        let input = noise(seed, &[maps.count, maps.height, maps.width, conv.in_channels]);
        let input = Var::from_tensor(&input).unwrap();
        let weights = Var::from_tensor(&noise(seed ^ 1, &conv.weight_shape())).unwrap();
        let bias = Var::from_tensor(&noise(seed ^ 2, &[conv.out_channels])).unwrap();
        let ours = convolution(conv, [&input, &weights, &bias], Some(0.2));
        let kernel = weights.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let theirs = channels_first(&input).conv2d(&kernel, conv.padding, conv.stride, 1, 1).unwrap();
        let theirs = leaky(&channels_last(&theirs).broadcast_add(&bias).unwrap(), 0.2);
        let remainder = |size: usize| (size + 2 * conv.padding - conv.kernel) % conv.stride;
        if remainder(maps.height) + remainder(maps.width) == 0 {
            check(&conv, &ours, &theirs, [&input, &weights, &bias], seed);
        } else {
            // candle's gradients need strides that divide evenly.
            assert_close(&conv, &ours, &theirs, conv.kernel * conv.kernel * conv.in_channels);
        }
    }

    /// The result is linear in the input and in the weights, so that for any cotangent `t`
    /// `⟨result, t⟩ = ⟨input, ∂input⟩ = ⟨weights, ∂weights⟩`.
    #[test]
    fn gradients_are_adjoint((conv, maps) in geometry(), seed: u64) {
        let input = noise(seed, &[maps.count, maps.height, maps.width, conv.in_channels]);
        let input = Var::from_tensor(&input).unwrap();
        let weights = Var::from_tensor(&noise(seed ^ 1, &conv.weight_shape())).unwrap();
        let bias = Tensor::zeros(conv.out_channels, DType::F32, &Device::Cpu).unwrap();
        let result = convolution(conv, [&input, &weights, &bias], None);
        let cotangent = noise(seed ^ 3, result.dims());
        let inner = |a: &Tensor, b: &Tensor| {
            let products = (a * b).unwrap().to_dtype(DType::F64).unwrap();
            products.sum_all().unwrap().to_scalar::<f64>().unwrap()
        };
        let gradients = (&result * &cotangent).unwrap().sum_all().unwrap().backward().unwrap();
        let expected = inner(&result, &cotangent);
        let terms = (result.elem_count() * conv.weight_count() / conv.out_channels) as f64;
        let bound = f64::from(f32::EPSILON) * terms.max(100.0);
        for variable in [&input, &weights] {
            let got = inner(variable, gradients.get(variable).unwrap());
            prop_assert!((got - expected).abs() <= bound, "{got} for {expected}, bound {bound}");
        }
    }

    #[test]
    fn transposed_convolution_and_gradients_equal_candles((conv, maps) in geometry(), seed: u64) {
        let Maps { height, width, .. } = maps;
        prop_assume!(conv.transposed_output(Size { height, width }).is_some());
        let input = noise(seed, &[maps.count, maps.height, maps.width, conv.out_channels]);
        let input = Var::from_tensor(&input).unwrap();
        let weights = Var::from_tensor(&noise(seed ^ 1, &conv.weight_shape())).unwrap();
        let bias = Var::from_tensor(&noise(seed ^ 2, &[conv.in_channels])).unwrap();
        let ours = transposed_convolution(conv, [&input, &weights, &bias], Some(0.2));
        let kernel = weights.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let theirs =
            channels_first(&input).conv_transpose2d(&kernel, conv.padding, 0, conv.stride, 1).unwrap();
        let theirs = leaky(&channels_last(&theirs).broadcast_add(&bias).unwrap(), 0.2);
        check(&conv, &ours, &theirs, [&input, &weights, &bias], seed);
    }
}

/// Compares results, and the gradients of a random weighted sum of them.
fn check(conv: &Conv2d, ours: &Tensor, theirs: &Tensor, variables: [&Var; 3], seed: u64) {
    let taps = conv.kernel * conv.kernel * conv.in_channels.max(conv.out_channels);
    assert_close(conv, ours, theirs, taps);
    // Next to zero, rounding decides on which side of the rectifier's kink a result lies.
    let off_the_kink = theirs.detach().abs().unwrap().gt(1e-3).unwrap();
    let off_the_kink = off_the_kink.to_dtype(DType::F32).unwrap();
    let cotangent = (noise(seed ^ 3, ours.dims()) * off_the_kink).unwrap();
    let gradients = |result: &Tensor| (result * &cotangent).unwrap().sum_all().unwrap().backward();
    let (ours_grads, theirs_grads) = (gradients(ours).unwrap(), gradients(theirs).unwrap());
    let pixels: usize = ours.dims()[..3].iter().product();
    for variable in variables {
        let (ours, theirs) =
            (ours_grads.get(variable).unwrap(), theirs_grads.get(variable).unwrap());
        assert_close(conv, ours, theirs, taps.max(pixels));
    }
}

/// Layers of a single channel take another kernel; so do those whose kernel covers the map.
#[test]
fn layers_at_both_ends_of_the_network_equal_candles() {
    let ends =
        [(1, 32, 4, 2, 1, 12), (32, 1, 4, 2, 1, 12), (32, 20, 8, 1, 0, 8), (3, 32, 4, 2, 1, 6)];
    for (in_channels, out_channels, kernel, stride, padding, size) in ends {
        let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
        let input = Var::from_tensor(&noise(7, &[5, size, size, in_channels])).unwrap();
        let weights = Var::from_tensor(&noise(8, &conv.weight_shape())).unwrap();
        let bias = Var::from_tensor(&noise(9, &[out_channels])).unwrap();
        let ours = convolution(conv, [&input, &weights, &bias], None);
        let kernel = weights.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let theirs = channels_first(&input).conv2d(&kernel, padding, stride, 1, 1).unwrap();
        let theirs = channels_last(&theirs).broadcast_add(&bias).unwrap();
        check(&conv, &ours, &theirs, [&input, &weights, &bias], 10);

        let maps = conv.output(Size { height: size, width: size }).unwrap();
        let code =
            Var::from_tensor(&noise(11, &[5, maps.height, maps.width, out_channels])).unwrap();
        let bias = Var::from_tensor(&noise(12, &[in_channels])).unwrap();
        let ours = transposed_convolution(conv, [&code, &weights, &bias], None);
        let theirs =
            channels_first(&code).conv_transpose2d(&kernel, padding, 0, stride, 1).unwrap();
        let theirs = channels_last(&theirs).broadcast_add(&bias).unwrap();
        check(&conv, &ours, &theirs, [&code, &weights, &bias], 13);
    }
}

/// Whether candle tracks the input decides about its gradient.
#[test]
fn an_operation_has_the_gradients_that_candle_asks_for() {
    let conv = Conv2d { in_channels: 1, out_channels: 4, kernel: 4, stride: 2, padding: 1 };
    let layer = Layer { conv, direction: Direction::Convolution, slope: None };
    let input = Var::from_tensor(&noise(1, &[1, 8, 8, 1])).unwrap();
    let weights = noise(2, &[layer.parameter_count()]);
    let parameters = Var::from_tensor(&weights).unwrap();
    for chain in [Chain::new(vec![layer], InputGradient::Skipped), Chain::frozen(vec![layer])] {
        for input in [input.as_detached_tensor(), input.affine(2.0, 0.0).unwrap()] {
            let output = chain.apply(&input, &parameters, Mode::Training).unwrap();
            let is_frozen = chain.layers.parameter_gradient == ParameterGradient::Skipped;
            assert_eq!(output.track_op(), input.track_op() || !is_frozen);
            let gradients = output.sum_all().unwrap().backward().unwrap();
            assert_eq!(gradients.get(&parameters).is_some(), !is_frozen);
        }
        let output = chain.apply(&input, &parameters, Mode::Training).unwrap();
        let gradients = output.sum_all().unwrap().backward().unwrap();
        assert!(gradients.get(&input).is_some());
    }
}

#[test]
fn wrong_shapes_are_refused() {
    let conv = Conv2d { in_channels: 2, out_channels: 4, kernel: 3, stride: 1, padding: 0 };
    let weights = noise(1, &conv.weight_shape());
    let run = |input: &[usize], bias: usize| {
        let (input, bias) = (noise(2, input), noise(3, &[bias]));
        let tensors = [&input, &weights, &bias];
        layer(Direction::Convolution, conv, tensors, None)
    };
    assert!(run(&[1, 5, 5, 2], 4).is_ok());
    assert!(run(&[1, 5, 5, 3], 4).unwrap_err().to_string().contains("2 channels"));
    assert!(run(&[1, 2, 5, 2], 4).unwrap_err().to_string().contains("too small"));
    assert!(
        run(&[1, 5, 5, 2], 3).unwrap_err().to_string().contains("expected 76 parameters, got 75")
    );
    let steep = layer(
        Direction::Convolution,
        conv,
        [&noise(2, &[1, 5, 5, 2]), &weights, &noise(3, &[4])],
        Some(2.0),
    );
    assert!(steep.unwrap_err().to_string().contains("the slope must be"));
    let none = Chain::new(Vec::new(), InputGradient::Needed);
    let error = none.apply(&noise(2, &[1, 5, 5, 2]), &noise(3, &[0]), Mode::Inference).unwrap_err();
    assert!(error.to_string().contains("expected layers"));
}

/// Plain rectifiers: their slope is 0, on which no result may depend by its sign.
#[test]
fn rectifiers_without_a_slope_equal_candles() {
    // The direct kernels, the minimal algorithm, and the fold for few channels.
    for (in_channels, out_channels, kernel) in [(3, 20, 5), (32, 32, 3), (32, 1, 3)] {
        let conv = Conv2d { in_channels, out_channels, kernel, stride: 1, padding: 1 };
        let input = Var::from_tensor(&noise(1, &[2, 9, 8, in_channels])).unwrap();
        let weights = Var::from_tensor(&noise(2, &conv.weight_shape())).unwrap();
        let bias = Var::from_tensor(&noise(3, &[out_channels])).unwrap();
        let ours = convolution(conv, [&input, &weights, &bias], Some(0.0));
        let kernel = weights.permute((3, 2, 0, 1)).unwrap().contiguous().unwrap();
        let theirs = channels_first(&input).conv2d(&kernel, 1, 1, 1, 1).unwrap();
        let theirs = channels_last(&theirs).broadcast_add(&bias).unwrap().relu().unwrap();
        check(&conv, &ours, &theirs, [&input, &weights, &bias], 4);
        let zeros = ours.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let zeros = zeros.iter().filter(|&&value| value == 0.0).count();
        assert!((1..ours.elem_count()).contains(&zeros), "{zeros} zeros");

        let input = Var::from_tensor(&noise(5, &[2, 9, 8, out_channels])).unwrap();
        let bias = Var::from_tensor(&noise(6, &[in_channels])).unwrap();
        let ours = layer(Direction::Transposed, conv, [&input, &weights, &bias], Some(0.0));
        let theirs = channels_first(&input).conv_transpose2d(&kernel, 1, 0, 1, 1).unwrap();
        let theirs = channels_last(&theirs).broadcast_add(&bias).unwrap().relu().unwrap();
        check(&conv, &ours.unwrap(), &theirs, [&input, &weights, &bias], 7);
    }
}
