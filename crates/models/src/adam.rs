//! Adam with L2 weight decay: in place on the CPU and with CUDA, from candle's operations elsewhere.

mod composed;
mod config;
#[cfg(feature = "cuda")]
mod cuda;
mod in_place;

pub use config::AdamConfig;

use crate::loss_log::LossLog;
use candle_core::backprop::GradStore;
use candle_core::{DType, Device, Error, Result, Tensor, Var, bail};
use candle_nn::Optimizer;

/// Adam with L2 weight decay added to the gradient, as `torch.optim.Adam` has it (Kingma and Ba, 2015).
///
/// [`candle_nn::AdamW`] decouples the decay from the gradient; the paper's training does not (section 4.2).
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use candle_nn::Optimizer;
/// use models::{Adam, AdamConfig};
///
/// // The minimum of (x − 3)² lies at 3.
/// let x = Var::new(0_f32, &Device::Cpu)?;
/// let mut adam = Adam::new(vec![x.clone()], AdamConfig { learning_rate: 0.1, ..AdamConfig::default() })?;
/// for _ in 0..200 {
///     adam.backward_step(&(x.as_tensor() - 3.0)?.sqr()?)?;
/// }
/// assert!((x.to_scalar::<f32>()? - 3.0).abs() < 0.01);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    steps: u64,
    parameters: Vec<Parameter>,
}

/// A variable, and both moments `(2, …)` of its gradient.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub variable: Var,
    pub moments: Tensor,
}

impl Optimizer for Adam {
    type Config = AdamConfig;

    /// # Errors
    /// For a setting outside its range, and variables of another type than f32.
    fn new(variables: Vec<Var>, config: AdamConfig) -> Result<Self> {
        config.validate().map_err(Error::wrap)?;
        let parameters = variables.into_iter().map(Parameter::new).collect::<Result<_>>()?;
        Ok(Self { config, steps: 0, parameters })
    }

    /// Takes one step. Variables without a gradient stay as they are.
    fn step(&mut self, gradients: &GradStore) -> Result<()> {
        self.steps += 1;
        self.update(self.steps, gradients, None)
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.config.learning_rate = learning_rate;
    }
}

impl Adam {
    pub(crate) fn config(&self) -> &AdamConfig {
        &self.config
    }

    /// The variables in the order in which they were given, with their moments.
    pub(crate) fn parameters_mut(&mut self) -> &mut [Parameter] {
        &mut self.parameters
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Takes step number `step`, which counts from 1, unless an earlier one has failed by the log. On a CUDA device the log, if there is
    /// one, also tells the size of the step.
    pub(crate) fn update(
        &mut self,
        step: u64,
        gradients: &GradStore,
        log: Option<&LossLog>,
    ) -> Result<()> {
        for Parameter { variable, moments } in &mut self.parameters {
            let Some(gradient) = gradients.get(variable) else { continue };
            let gradient = gradient.contiguous()?;
            match variable.device() {
                #[cfg(feature = "cuda")]
                Device::Cuda(_) => {
                    cuda::update(&self.config, step, (moments, variable), &gradient, log)?;
                }
                _ if has_failed(log)? => {}
                Device::Cpu => {
                    in_place::update(&self.config, step, (moments, variable), &gradient)?;
                }
                _ => {
                    *moments =
                        composed::update(&self.config, step, (moments, variable), &gradient)?;
                }
            }
        }
        Ok(())
    }
}

impl Parameter {
    fn new(variable: Var) -> Result<Self> {
        if variable.dtype() != DType::F32 {
            bail!("Adam is for variables of type F32, got {:?}", variable.dtype());
        }
        let shape = [&[2], variable.dims()].concat();
        let moments = Tensor::zeros(shape, variable.dtype(), variable.device())?;
        Ok(Self { variable, moments })
    }
}

fn has_failed(log: Option<&LossLog>) -> Result<bool> {
    log.map_or(Ok(false), LossLog::has_failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    /// PyTorch 2.15:
    /// ```python
    /// p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64))
    /// o = torch.optim.Adam([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.05)
    /// for _ in range(3):
    ///     o.zero_grad(); (p ** 2 * torch.tensor([1.0, 0.5, -3.0])).sum().backward(); o.step()
    /// print(p)
    /// ```
    #[test]
    fn steps_equal_pytorchs() {
        let p = Var::new(&[1.0f32, -2.0, 0.5], &Device::Cpu).unwrap();
        let scale = Tensor::new(&[1.0f32, 0.5, -3.0], &Device::Cpu).unwrap();
        let config = AdamConfig {
            learning_rate: 0.1,
            beta1: 0.8,
            beta2: 0.9,
            epsilon: 1e-3,
            weight_decay: 0.05,
        };
        let mut adam = Adam::new(vec![p.clone()], config).unwrap();
        for _ in 0..3 {
            let loss = (p.as_tensor().sqr().unwrap() * &scale).unwrap().sum_all().unwrap();
            adam.backward_step(&loss).unwrap();
        }
        let expected = [0.7018715770764312, -1.7008293551380453, 0.8004063467768527];
        for (got, expected) in p.to_vec1::<f32>().unwrap().iter().zip(expected) {
            // A few roundings of values around 1.
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} for {expected}");
        }
    }

    #[test]
    fn the_learning_rate_can_be_changed() {
        let start = Var::new(1f32, &Device::Cpu).unwrap();
        let mut adam = Adam::new(vec![start.clone()], AdamConfig::default()).unwrap();
        assert_eq!(adam.learning_rate(), 2e-4);
        adam.set_learning_rate(0.25);
        adam.backward_step(&start.sqr().unwrap()).unwrap();
        // Adam's first step is as long as the learning rate, whatever the gradient, but for ε and the rounding of 1 − β₂ = 0.001 in f32.
        assert!((start.to_scalar::<f32>().unwrap() - 0.75).abs() < 1e-4);
    }

    #[test]
    fn variables_without_a_gradient_stay() {
        let [moved, kept] = [1f32, 2.0].map(|value| Var::new(value, &Device::Cpu).unwrap());
        let variables = vec![kept.clone(), moved.clone()];
        let mut adam = Adam::new(variables, AdamConfig::default()).unwrap();
        adam.backward_step(&moved.sqr().unwrap()).unwrap();
        assert_eq!(kept.to_scalar::<f32>().unwrap(), 2.0);
        assert!(moved.to_scalar::<f32>().unwrap() < 1.0);
    }

    #[test]
    fn what_cannot_be_optimised_is_refused() {
        let new = |variable: Var, beta1| {
            let config = AdamConfig { beta1, ..AdamConfig::default() };
            Adam::new(vec![variable], config).unwrap_err().to_string()
        };
        let message = new(Var::new(1f64, &Device::Cpu).unwrap(), 0.9);
        assert!(message.contains("type F32, got F64"), "{message}");
        let message = new(Var::new(1f32, &Device::Cpu).unwrap(), 1.0);
        assert!(message.contains("beta1 must be in [0, 1), got 1"), "{message}");
    }
}
