//! Adam with L2 weight decay: in place on the CPU and with CUDA, from candle's operations elsewhere.

mod composed;
#[cfg(feature = "cuda")]
mod cuda;

use crate::record::Record;
use crate::{Error, Result};
use candle_core::{CpuStorage, Device, InplaceOp2, InplaceOp3, Layout, Tensor, Var, bail};
use pulp::Arch;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Settings of the optimiser (Kingma and Ba, 2015).
///
/// ```
/// use models::AdamConfig;
///
/// let config = AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() };
/// config.validate()?;
/// let error = AdamConfig { beta1: 1.0, ..config }.validate().unwrap_err();
/// assert_eq!(error.to_string(), "beta1 must be in [0, 1), got 1");
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Step size; the paper's is 2·10⁻⁴ (section 4.2).
    pub learning_rate: f64,
    /// Decay rate of the mean of gradients.
    pub beta1: f64,
    /// Decay rate of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Added to the gradient is this times the parameter, as `torch.optim.Adam` does it, not decoupled as in AdamW; the
    /// paper's is 10⁻⁵ (section 4.2).
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    /// The paper's (section 4.2), and Adam's own defaults where it is silent.
    fn default() -> Self {
        Self { learning_rate: 2e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-5 }
    }
}

impl AdamConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    pub fn validate(&self) -> Result<()> {
        let positive = |name, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::setting(name, "positive", value)),
        };
        positive("learning_rate", self.learning_rate)?;
        // Moments are f32, which rounds what is next to 0 or 1.
        positive("epsilon", f64::from(self.epsilon as f32))?;
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&(beta as f32)) {
                return Err(Error::setting(name, "in [0, 1)", beta));
            }
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return Err(Error::setting("weight_decay", "at least 0", self.weight_decay));
        }
        Ok(())
    }

    /// How far steps go.
    pub(crate) fn pace(&self) -> Pace {
        Pace { learning_rate: self.learning_rate, beta1: self.beta1, beta2: self.beta2 }
    }
}

/// What decides how far the n-th step goes; as in `kernels/training.cu`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Pace {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
}

impl Pace {
    /// The step size and 1/√(1 − β₂ᵗ) of step t, which counts from 1.
    pub fn at(self, step: f64) -> [f64; 2] {
        let correction = |beta: f64| 1.0 - beta.powf(step);
        let size = self.learning_rate / correction(self.beta1);
        [size, correction(self.beta2).sqrt().recip()]
    }
}

/// The optimiser's state: how often it stepped, and both moments `(2, …)` of each variable's gradient.
#[derive(Debug)]
pub(crate) struct Adam {
    pub config: AdamConfig,
    pub steps: u64,
    pub moments: Vec<Tensor>,
}

impl Adam {
    pub fn new<'a>(config: AdamConfig, variables: impl Iterator<Item = &'a Var>) -> Result<Self> {
        config.validate()?;
        let moments = variables
            .map(|variable| {
                let shape = [&[2], variable.dims()].concat();
                Tensor::zeros(shape, variable.dtype(), variable.device())
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { config, steps: 0, moments })
    }

    /// How the present step moves variables.
    pub fn descent(&self, record: Option<&Record>) -> Descend {
        Descend::new(&self.config, self.steps, record)
    }

    /// Takes one step. Variables without a gradient stay as they are, and so do all variables and moments if a step has failed by
    /// the record, if one is kept. With CUDA one has to be: it says which step this is.
    pub fn step<'a>(
        &mut self,
        variables: impl Iterator<Item = (&'a Var, Option<Tensor>)>,
        record: Option<&Record>,
    ) -> Result<()> {
        self.steps += 1;
        let update_moments = UpdateMoments { config: self.config, record: record.cloned() };
        let descend = self.descent(record);
        for ((variable, gradient), moments) in variables.zip(&mut self.moments) {
            let Some(gradient) = &gradient else { continue };
            match variable.device() {
                Device::Cpu => in_place(moments, variable, gradient, &update_moments, &descend)?,
                #[cfg(feature = "cuda")]
                Device::Cuda(_) => {
                    cuda::step(&self.config, moments, variable, gradient, record)?;
                }
                _ => {
                    *moments =
                        composed::updated_moments(&self.config, moments, gradient, variable)?;
                    composed::descend(&descend, variable, moments)?;
                }
            }
        }
        Ok(())
    }
}

fn in_place(
    moments: &Tensor,
    variable: &Var,
    gradient: &Tensor,
    update_moments: &UpdateMoments,
    descend: &Descend,
) -> candle_core::Result<()> {
    moments.inplace_op3(gradient, variable, update_moments)?;
    variable.inplace_op2(moments, descend)
}

/// Values that a task handles.
const CHUNK: usize = 1 << 14;

/// Updates both moments of a gradient.
struct UpdateMoments {
    config: AdamConfig,
    record: Option<Record>,
}

impl InplaceOp3 for UpdateMoments {
    fn name(&self) -> &'static str {
        "adam-moments"
    }

    fn cpu_fwd(
        &self,
        moments: &mut CpuStorage,
        layout: &Layout,
        gradient: &CpuStorage,
        gradient_layout: &Layout,
        variable: &CpuStorage,
        variable_layout: &Layout,
    ) -> candle_core::Result<()> {
        if has_failed(self.record.as_ref())? {
            return Ok(());
        }
        let AdamConfig { beta1, beta2, weight_decay, .. } = self.config;
        let (beta1, beta2, weight_decay) = (beta1 as f32, beta2 as f32, weight_decay as f32);
        let (gradient, variable) =
            (values(gradient, gradient_layout)?, values(variable, variable_layout)?);
        let moments = values_mut(moments, layout)?;
        let (first, second) = moments.split_at_mut(gradient.len());
        first
            .par_chunks_mut(CHUNK)
            .zip(second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK).zip(variable.par_chunks(CHUNK)))
            .for_each(|((first, second), (gradient, variable))| {
                Arch::new().dispatch(move || {
                    let moments = first.iter_mut().zip(second.iter_mut());
                    for ((m, v), (&g, &p)) in moments.zip(gradient.iter().zip(variable)) {
                        let g = g + weight_decay * p;
                        *m = beta1 * *m + (1.0 - beta1) * g;
                        *v = beta2 * *v + (1.0 - beta2) * g * g;
                    }
                });
            });
        Ok(())
    }
}

/// Moves a variable against its mean gradient.
pub(crate) struct Descend {
    pub step_size: f32,
    /// 1/√(1 − β₂ᵗ)
    pub second_correction: f32,
    pub epsilon: f32,
    pub record: Option<Record>,
}

impl Descend {
    fn new(config: &AdamConfig, step: u64, record: Option<&Record>) -> Self {
        let [step_size, second_correction] = config.pace().at(step as f64);
        Self {
            step_size: step_size as f32,
            second_correction: second_correction as f32,
            epsilon: config.epsilon as f32,
            record: record.cloned(),
        }
    }
}

impl InplaceOp2 for Descend {
    fn name(&self) -> &'static str {
        "adam-step"
    }

    fn cpu_fwd(
        &self,
        variable: &mut CpuStorage,
        layout: &Layout,
        moments: &CpuStorage,
        moments_layout: &Layout,
    ) -> candle_core::Result<()> {
        if has_failed(self.record.as_ref())? {
            return Ok(());
        }
        let &Self { step_size, second_correction, epsilon, .. } = self;
        let variable = values_mut(variable, layout)?;
        let (first, second) = values(moments, moments_layout)?.split_at(variable.len());
        variable
            .par_chunks_mut(CHUNK)
            .zip(first.par_chunks(CHUNK).zip(second.par_chunks(CHUNK)))
            .for_each(|(variable, (first, second))| {
                Arch::new().dispatch(move || {
                    for (p, (&m, &v)) in variable.iter_mut().zip(first.iter().zip(second)) {
                        let denominator = v.sqrt() * second_correction + epsilon;
                        *p -= step_size * m / denominator;
                    }
                });
            });
        Ok(())
    }
}

fn has_failed(record: Option<&Record>) -> candle_core::Result<bool> {
    record.map_or(Ok(false), Record::has_failed)
}

fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("Adam needs contiguous tensors"),
    }
}

fn values_mut<'a>(
    storage: &'a mut CpuStorage,
    layout: &Layout,
) -> candle_core::Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((from, to))) => Ok(&mut data[from..to]),
        _ => bail!("Adam needs contiguous f32 tensors"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use candle_core::Device;

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
        let mut adam = Adam::new(config, [&p].into_iter()).unwrap();
        for _ in 0..3 {
            let loss = (p.as_tensor().sqr().unwrap() * &scale).unwrap().sum_all().unwrap();
            let gradient = loss.backward().unwrap().get(&p).cloned();
            adam.step([(&p, gradient)].into_iter(), None).unwrap();
        }
        let expected = [0.7018715770764312, -1.7008293551380453, 0.8004063467768527];
        for (got, expected) in p.to_vec1::<f32>().unwrap().iter().zip(expected) {
            // A few roundings of values around 1.
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{got} for {expected}");
        }
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = AdamConfig { learning_rate: -1.0, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "learning_rate", .. })));
        // The second is 1 as f32.
        for beta2 in [1.0, 0.999_999_99] {
            let bad = AdamConfig { beta2, ..AdamConfig::default() };
            assert!(matches!(bad.validate(), Err(Error::Setting { name: "beta2", .. })));
        }
        let bad = AdamConfig { epsilon: 1e-46, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "epsilon", .. })));
        let bad = AdamConfig { weight_decay: f64::NAN, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "weight_decay", .. })));
    }
}
