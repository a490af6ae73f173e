use super::{flat, noise};
use crate::chain::Chain;
use crate::composed;
use crate::cpu::Buffers;
use crate::geometry::{Conv2d, Direction, Layer};
use crate::layers::{InputGradient, Mode};
use crate::prepared::PreparedChain;
use candle_core::{Tensor, Var};

#[test]
fn a_frozen_chain_has_the_input_gradient_of_a_trained_one_and_no_other() {
    let conv = |in_channels, out_channels| Layer {
        conv: Conv2d { in_channels, out_channels, kernel: 3, stride: 1, padding: 1 },
        direction: Direction::Convolution,
        slope: Some(0.0),
    };
    let layers = vec![conv(2, 32), conv(32, 32)];
    let chains = [Chain::new(layers.clone(), InputGradient::Needed), Chain::frozen(layers)];
    let input = Var::from_tensor(&noise(1, &[2, 6, 5, 2])).unwrap();
    let parameters = Var::from_tensor(&noise(2, &[chains[0].parameter_count()])).unwrap();
    let gradients = chains.map(|chain| {
        let output = chain.apply(&input, &parameters, Mode::Training).unwrap();
        let gradients = output.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        (flat(gradients.get(&input).unwrap()), gradients.get(&parameters).is_some())
    });
    assert_eq!(gradients[0].0, gradients[1].0);
    assert!(gradients[0].1 && !gradients[1].1);
}

/// From 2 channels to 3, with a rectifier after the first two layers.
fn three_layers() -> Chain {
    let convs = [(2, 32, 4, 2), (32, 32, 3, 1), (32, 3, 3, 1)];
    let layers = convs.into_iter().map(|(in_channels, out_channels, kernel, stride)| Layer {
        conv: Conv2d { in_channels, out_channels, kernel, stride, padding: 1 },
        direction: Direction::Convolution,
        slope: (out_channels > 3).then_some(0.2),
    });
    Chain::new(layers.collect(), InputGradient::Needed)
}

/// Gradients go through several layers, in which nothing but the chain's own masks and sums takes part.
#[test]
fn gradients_of_a_chain_equal_finite_differences() {
    let chain = three_layers();
    let input = noise(1, &[2, 10, 10, 2]);
    let parameters = (noise(2, &[chain.parameter_count()]) * 0.1).unwrap();
    let weighted_sum = |input: &Tensor, parameters: &Tensor| {
        let output = chain.apply(input, parameters, Mode::Training).unwrap();
        let weights = noise(3, output.dims());
        (output * weights).unwrap().sum_all().unwrap()
    };
    let (input, parameters) =
        (Var::from_tensor(&input).unwrap(), Var::from_tensor(&parameters).unwrap());
    let gradients = weighted_sum(&input, &parameters).backward().unwrap();
    for (variable, seed) in [(&input, 4), (&parameters, 5)] {
        let step = (noise(seed, variable.dims()) * 1e-3).unwrap();
        let at = |sign: f64| {
            let moved = (variable.as_detached_tensor() + (&step * sign).unwrap()).unwrap();
            let sum = match seed {
                4 => weighted_sum(&moved, &parameters),
                _ => weighted_sum(&input, &moved),
            };
            f64::from(sum.to_scalar::<f32>().unwrap())
        };
        let expected = (at(1.0) - at(-1.0)) / 2.0;
        let gradient = gradients.get(variable).unwrap();
        let got = (gradient * &step).unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        // The sums are about 10, so that their rounding is about 10⁻⁵; the step's effect is about 0.1.
        assert!(
            (f64::from(got) - expected).abs() < 0.02 * expected.abs() + 1e-4,
            "{got} {expected}"
        );
    }
}

/// Gradients of both applications add up in the parameters, and those of the second reach the input through the first.
#[test]
fn a_chain_that_is_applied_twice_has_the_gradients_of_candles_operations() {
    let conv = Conv2d { in_channels: 3, out_channels: 3, kernel: 3, stride: 1, padding: 1 };
    // Next to 1, so that a sum whose sign rounding decides changes little.
    let layer = Layer { conv, direction: Direction::Convolution, slope: Some(0.9) };
    let chain = Chain::new(vec![layer], InputGradient::Needed);
    let input = Var::from_tensor(&noise(1, &[2, 6, 5, 3])).unwrap();
    let parameters = Var::from_tensor(&noise(2, &[chain.parameter_count()])).unwrap();
    let gradients = |apply: &dyn Fn(&Tensor) -> candle_core::Result<Tensor>| {
        let twice = apply(&apply(&input).unwrap()).unwrap();
        let sum = (twice * noise(3, &[2, 6, 5, 3])).unwrap().sum_all().unwrap();
        let gradients = sum.backward().unwrap();
        [&input, &parameters].map(|variable| gradients.get(variable).unwrap().clone())
    };
    let ours = gradients(&|maps| chain.apply(maps, &parameters, Mode::Training));
    let theirs =
        gradients(&|maps| composed::apply(&chain.layers, maps, &parameters, Mode::Training));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        let largest =
            flat(theirs).into_iter().fold(0f32, |largest, value| largest.max(value.abs()));
        for (ours, theirs) in flat(ours).iter().zip(flat(theirs)) {
            // Two layers of sums of at most 60 products, each rounded to 6·10⁻⁸ of its size.
            assert!((ours - theirs).abs() <= 1e-5 * largest, "{ours} for {theirs}");
        }
    }
}

#[test]
fn explicit_passes_have_the_gradients_of_the_operation() {
    let conv = |in_channels, out_channels| Layer {
        conv: Conv2d { in_channels, out_channels, kernel: 3, stride: 1, padding: 1 },
        direction: Direction::Convolution,
        slope: Some(0.2),
    };
    let layers = vec![conv(2, 32), conv(32, 4)];
    for chain in [
        Chain::new(layers.clone(), InputGradient::Needed),
        Chain::new(layers.clone(), InputGradient::Skipped),
        Chain::frozen(layers),
    ] {
        let input = Var::from_tensor(&noise(1, &[2, 6, 5, 2])).unwrap();
        let input = match chain.layers.input_gradient {
            InputGradient::Needed => input.as_tensor().clone(),
            InputGradient::Skipped => input.as_detached_tensor(),
        };
        let parameters = Var::from_tensor(&noise(2, &[chain.parameter_count()])).unwrap();
        let loss = |output: &Tensor| output.sqr().unwrap().sum_all().unwrap();
        let expected = chain.apply(&input, &parameters, Mode::Training).unwrap();
        let by_candle = loss(&expected).backward().unwrap();

        let (output, activations) = chain.forward(&input, &parameters, Mode::Training).unwrap();
        assert_eq!(flat(&output), flat(&expected));
        let of_loss = loss(&output).backward().unwrap();
        // candle's graph ends at the output.
        assert!(of_loss.get(&parameters).is_none());
        let gradients = chain.backward(&activations, of_loss.get(&output).unwrap()).unwrap();
        let (of_input, of_parameters) = (gradients.input, gradients.parameters);
        for (ours, by_candle) in
            [(of_input, by_candle.get(&input)), (of_parameters, by_candle.get(&parameters))]
        {
            assert_eq!(ours.as_ref().map(flat), by_candle.map(flat));
            assert_eq!(
                ours.map(|tensor| tensor.dims().to_vec()),
                by_candle.map(|tensor| tensor.dims().to_vec())
            );
        }
    }
}

#[test]
fn gradients_that_there_cannot_be_are_refused() {
    let chain = three_layers();
    let (input, parameters) = (noise(1, &[1, 8, 8, 2]), noise(2, &[chain.parameter_count()]));
    let (output, inference) = chain.forward(&input, &parameters, Mode::Inference).unwrap();
    assert!(!output.track_op());
    let message = chain.backward(&inference, &output).unwrap_err().to_string();
    assert!(message.contains("inference"), "{message}");
    let (_, training) = chain.forward(&input, &parameters, Mode::Training).unwrap();
    let message = chain.backward(&training, &noise(3, &[1, 4, 4, 2])).unwrap_err().to_string();
    assert!(message.contains("expected a gradient of shape [1, 4, 4, 3]"), "{message}");
}

#[test]
fn a_prepared_chain_equals_the_chain() {
    let chain = Chain::frozen(three_layers().layers().to_vec());
    let (input, parameters) = (noise(1, &[3, 10, 10, 2]), noise(2, &[chain.parameter_count()]));
    let (output, activations) = chain.forward(&input, &parameters, Mode::Training).unwrap();
    let cotangent = noise(3, output.dims());
    let expected = chain.backward(&activations, &cotangent).unwrap().input.unwrap();

    let values = flat(&parameters);
    let prepared = PreparedChain::new(&chain, &(1, 10, 10, 2).into(), values).unwrap();
    assert_eq!(prepared.output(3).dims(), output.dims());
    let mut got = vec![0.0; output.elem_count()];
    let kept = prepared.forward(&flat(&input), Mode::Training, &mut got);
    assert_eq!(got, flat(&output));
    let outputs: Vec<&[f32]> = kept.iter().map(|maps| &**maps).chain([&*got]).collect();
    let gradient = Buffers::default().copy(&flat(&cotangent));
    assert_eq!(*prepared.backward(&outputs, gradient), flat(&expected));
}
