//! Losses against hand computations and finite differences, in f64.

use candle_core::{Device, Tensor, Var};
use models::{Elbo, Error, Latent, Objective, Posterior};

fn maps(values: &[f64], size: usize) -> Tensor {
    let count = values.len() / (size * size);
    Tensor::from_slice(values, (count, 1, size, size), &Device::Cpu).unwrap()
}

/// SSIM over one window of 3×3 pixels.
fn ssim_3(c1: f64, c2: f64) -> Objective {
    let window = ssim::Window::Uniform { size: 3 };
    let constants = ssim::Constants::given(c1, c2);
    Objective::Ssim(ssim::Params::new(window, ssim::Border::Valid, constants))
}

fn loss(objective: &Objective, reconstructions: &Tensor, patches: &Tensor) -> f64 {
    objective.loss(reconstructions, patches, None).unwrap().to_scalar().unwrap()
}

#[test]
fn l2_is_the_mean_squared_difference() {
    let reconstructions = maps(&[0.5, 0.25, 0.0, 1.0], 2);
    let patches = maps(&[0.0, 0.25, 1.0, 0.5], 2);
    // (0.25 + 0 + 1 + 0.25) / 4
    assert_eq!(loss(&Objective::L2, &reconstructions, &patches), 0.375);
    assert_eq!(loss(&Objective::L2, &patches, &patches), 0.0);
}

#[test]
#[rustfmt::skip]
fn ssim_loss_is_one_minus_ssim() {
    // Both have mean 1/3 and variance 2/9; their covariance is 1/9 − 1/9. With c2 = 1/9, luminance 1 is left of
    // SSIM times c2 / (4/9 + c2) = 1/5.
    let rows = maps(&[
        0.0, 0.0, 0.0,
        0.0, 0.0, 0.0,
        1.0, 1.0, 1.0,
    ], 3);
    let columns = maps(&[
        0.0, 0.0, 1.0,
        0.0, 0.0, 1.0,
        0.0, 0.0, 1.0,
    ], 3);
    let objective = ssim_3(0.01, 1.0 / 9.0);
    // A few roundings of values below 1.
    assert!((loss(&objective, &rows, &columns) - 0.8).abs() < 1e-14);
    assert_eq!(loss(&objective, &rows, &rows), 0.0);
    // The mean over patches, of 0.8 and 0.
    let reconstructions = Tensor::cat(&[&rows, &rows], 0).unwrap();
    let patches = Tensor::cat(&[&columns, &rows], 0).unwrap();
    assert!((loss(&objective, &reconstructions, &patches) - 0.4).abs() < 1e-14);
}

#[test]
fn gradients_equal_finite_differences() {
    const STEP: f64 = 1e-5;
    let wave = |phase: f64| (0..32).map(move |i| 0.5 + 0.4 * (f64::from(i) * 1.3 + phase).sin());
    let (values, patches): (Vec<f64>, Vec<f64>) = (wave(0.0).collect(), wave(0.8).collect());
    let patches = maps(&patches, 4);
    for objective in [Objective::L2, ssim_3(0.01, 0.03)] {
        let reconstructions = Var::from_tensor(&maps(&values, 4)).unwrap();
        let value = objective.loss(&reconstructions, &patches, None).unwrap();
        let gradients = value.backward().unwrap();
        let gradient = gradients.get(&reconstructions).unwrap();
        let descent = (reconstructions.as_tensor() - (gradient * 0.1).unwrap()).unwrap();
        assert!(loss(&objective, &descent, &patches) < value.to_scalar().unwrap());

        for (i, got) in gradient.flatten_all().unwrap().to_vec1().unwrap().into_iter().enumerate() {
            let moved = |step: f64| {
                let mut values = values.clone();
                values[i] += step;
                loss(&objective, &maps(&values, 4), &patches)
            };
            let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let got: f64 = got;
            // The error of a central difference is a sixth of the third derivative, below about 100 here, times
            // STEP²; rounding adds 1e-16 / STEP.
            assert!((got - expected).abs() < 5e-9, "{objective:?}, {i}: {got} for {expected}");
        }
    }
}

/// Latent vectors of two patches.
fn codes(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, (2, values.len() / 2), &Device::Cpu).unwrap()
}

/// Two patches of 2×2 pixels with squared differences 0.25 + 1 + 0.25 and 0, posteriors N((1, 0), (1, 1)) and N((0, 0), (e, 1)).
#[test]
fn the_elbo_is_the_sum_of_squares_and_the_divergence() {
    let reconstructions = maps(&[0.5, 0.25, 0.0, 1.0, 0.1, 0.2, 0.3, 0.4], 2);
    let patches = maps(&[0.0, 0.25, 1.0, 0.5, 0.1, 0.2, 0.3, 0.4], 2);
    let log_variance = codes(&[0.0, 0.0, 1.0, 0.0]);
    let posterior = Posterior::new(codes(&[1.0, 0.0, 0.0, 0.0]), &log_variance).unwrap();
    let loss = |elbo: Elbo| -> f64 {
        let loss = Objective::Elbo(elbo).loss(&reconstructions, &patches, Some(&posterior));
        loss.unwrap().to_scalar().unwrap()
    };
    let divergences = [0.5, 0.5 * (1f64.exp() - 2.0)];
    // Sums, divided by 4 pixels, and the mean of both patches. A few roundings of values around 1.
    let mean = (1.5 + divergences[0] + divergences[1]) / 4.0 / 2.0;
    assert!((loss(Elbo::default()) - mean).abs() < 1e-15);
    let mean = (1.5 / (2.0 * 0.1) + 3.0 * (divergences[0] + divergences[1])) / 4.0 / 2.0;
    assert!((loss(Elbo { kl_weight: 3.0, variance: 0.1 }) - mean).abs() < 1e-14);
}

#[test]
fn gradients_of_the_elbo_equal_finite_differences() {
    const STEP: f64 = 1e-5;
    let wave = |count: usize, phase: f64| -> Vec<f64> {
        (0..count).map(|i| 0.6 * (i as f64 * 1.3 + phase).sin()).collect()
    };
    let (patches, noise) = (maps(&wave(32, 0.8), 4), codes(&wave(6, 4.0)));
    let objective = Objective::Elbo(Elbo { kl_weight: 0.7, variance: 0.3 });
    // The decoder: each pixel is the sine of a combination of the components.
    let weights = Tensor::from_vec(wave(48, 2.0), (3, 16), &Device::Cpu).unwrap();
    let loss = |mean: &Tensor, log_variance: &Tensor| {
        let posterior = Posterior::new(mean.clone(), log_variance).unwrap();
        let codes = posterior.sample(&noise).unwrap();
        let pixels = codes.matmul(&weights).unwrap().sin().unwrap();
        let pixels = pixels.reshape((2, 1, 4, 4)).unwrap();
        objective.loss(&pixels, &patches, Some(&posterior)).unwrap()
    };
    let (mean, log_variance) = (wave(6, 0.3), wave(6, 1.1));
    let variables = [&mean, &log_variance].map(|values| Var::from_tensor(&codes(values)).unwrap());
    let gradients = loss(&variables[0], &variables[1]).backward().unwrap();
    for (which, variable) in variables.iter().enumerate() {
        let gradient = gradients.get(variable).unwrap().flatten_all().unwrap();
        for (i, got) in gradient.to_vec1::<f64>().unwrap().into_iter().enumerate() {
            let moved = |step: f64| -> f64 {
                let mut values = [mean.clone(), log_variance.clone()];
                values[which][i] += step;
                loss(&codes(&values[0]), &codes(&values[1])).to_scalar().unwrap()
            };
            let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            // As below; third derivatives are at most about 10.
            assert!((got - expected).abs() < 1e-9, "{which}, {i}: {got} for {expected}");
        }
    }
}

#[test]
fn an_elbo_needs_a_distribution_and_settings_in_range() {
    let objective = Objective::Elbo(Elbo::default());
    assert_eq!((objective.latent(), Objective::L2.latent()), (Latent::Normal, Latent::Vector));
    let patches = maps(&[0.0; 4], 2);
    let error = objective.loss(&patches, &patches, None).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "posterior", .. }));
    for (kl_weight, variance, expected) in [
        (-1.0, 0.5, "kl_weight"),
        (f64::NAN, 0.5, "kl_weight"),
        (1.0, 0.0, "variance"),
        (1.0, f64::INFINITY, "variance"),
    ] {
        let error = Objective::Elbo(Elbo { kl_weight, variance }).validate(128).unwrap_err();
        assert!(matches!(error, Error::Setting { name, .. } if name == expected), "{error}");
    }
    assert!(Posterior::new(codes(&[0.0; 4]), &codes(&[0.0; 2])).is_err());
}

#[test]
fn shapes_that_differ_are_refused() {
    let (small, large) = (maps(&[0.0; 9], 3), maps(&[0.0; 16], 4));
    assert!(Objective::L2.loss(&small, &large, None).is_err());
    assert!(ssim_3(0.01, 0.03).loss(&small, &large, None).is_err());
    let window = maps(&[0.0; 4], 2);
    assert!(ssim_3(0.01, 0.03).loss(&window, &window, None).is_err());
}
