//! A step of Adam from candle's own operations, for devices that this crate has no kernels for.

use super::config::AdamConfig;
use candle_core::{Result, Tensor, Var};

/// Moves the variable, and returns both moments `(2, …)` after the gradient.
pub(super) fn update(
    config: &AdamConfig,
    step: u64,
    (moments, variable): (&Tensor, &Var),
    gradient: &Tensor,
) -> Result<Tensor> {
    let moments = updated_moments(config, moments, gradient, variable)?;
    let [step_size, second_correction] = config.step_size().at(step as f64).map(|x| x as f32);
    let (first, second, epsilon) = (moments.get(0)?, moments.get(1)?, config.epsilon as f32);
    let denominator = second.sqrt()?.affine(second_correction.into(), epsilon.into())?;
    let change = (first.affine(step_size.into(), 0.0)? / denominator)?;
    variable.set(&(variable.as_detached_tensor() - change)?)?;
    Ok(moments)
}

fn updated_moments(
    config: &AdamConfig,
    moments: &Tensor,
    gradient: &Tensor,
    variable: &Var,
) -> Result<Tensor> {
    let &AdamConfig { beta1, beta2, weight_decay, .. } = config;
    let (beta1, beta2) = (beta1 as f32, beta2 as f32);
    let scaled = |tensor: &Tensor, factor: f32| tensor.affine(factor.into(), 0.0);
    let decay = scaled(&variable.as_detached_tensor(), weight_decay as f32)?;
    let gradient = (gradient + decay)?;
    let square = (scaled(&gradient, 1.0 - beta2)? * &gradient)?;
    let first = (scaled(&moments.get(0)?, beta1)? + scaled(&gradient, 1.0 - beta1)?)?;
    let second = (scaled(&moments.get(1)?, beta2)? + square)?;
    Tensor::stack(&[first, second], 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::super::in_place;
    use super::*;
    use candle_core::{DType, Device};

    /// Both ways take the same roundings in the same order.
    #[test]
    fn steps_equal_those_in_place() {
        let config = AdamConfig { weight_decay: 0.01, ..AdamConfig::default() };
        let values = |seed: usize| {
            let values = (0..5000).map(|i| ((i * 7919 + seed * 104_729) % 1009) as f32 / 504.0);
            Tensor::from_vec(values.map(|x| x - 1.0).collect(), (50, 100), &Device::Cpu).unwrap()
        };
        let [ours, theirs] = [(); 2].map(|()| Var::from_tensor(&values(0)).unwrap());
        let moments = Tensor::zeros((2, 50, 100), DType::F32, &Device::Cpu).unwrap();
        let mut composed_moments = moments.copy().unwrap();
        for step in 1..4 {
            let gradient = values(step);
            let step = step as u64;
            in_place::update(&config, step, (&moments, &theirs), &gradient).unwrap();
            let before = (&composed_moments, &ours);
            composed_moments = update(&config, step, before, &gradient).unwrap();
        }
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(flat(&composed_moments), flat(&moments));
        assert_eq!(flat(&ours), flat(&theirs));
        assert_ne!(flat(&ours), flat(&values(0)));
    }
}
