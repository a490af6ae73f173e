//! A step of Adam in place, on the CPU.

use super::config::AdamConfig;
use candle_core::{CpuStorage, InplaceOp2, InplaceOp3, Layout, Result, Tensor, Var, bail};
use convolutions::contiguous;
use pulp::Arch;
use rayon::prelude::*;

/// Values that a task handles.
const CHUNK: usize = 1 << 14;

/// Updates both moments `(2, …)` of a gradient, and moves the variable.
pub(super) fn update(
    config: &AdamConfig,
    step: u64,
    (moments, variable): (&Tensor, &Var),
    gradient: &Tensor,
) -> Result<()> {
    moments.inplace_op3(gradient, variable, &UpdateMoments { config: *config })?;
    let [step_size, second_correction] = config.step_size().at(step as f64).map(|x| x as f32);
    let epsilon = config.epsilon as f32;
    variable.inplace_op2(moments, &Descend { step_size, second_correction, epsilon })
}

/// Updates both moments of a gradient.
struct UpdateMoments {
    config: AdamConfig,
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
    ) -> Result<()> {
        let AdamConfig { beta1, beta2, weight_decay, .. } = self.config;
        let (beta1, beta2, weight_decay) = (beta1 as f32, beta2 as f32, weight_decay as f32);
        let (gradient, variable) =
            (contiguous(gradient, gradient_layout)?, contiguous(variable, variable_layout)?);
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
struct Descend {
    step_size: f32,
    /// 1/√(1 − β₂ᵗ)
    second_correction: f32,
    epsilon: f32,
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
    ) -> Result<()> {
        let &Self { step_size, second_correction, epsilon, .. } = self;
        let variable = values_mut(variable, layout)?;
        let (first, second) = contiguous(moments, moments_layout)?.split_at(variable.len());
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

fn values_mut<'a>(storage: &'a mut CpuStorage, layout: &Layout) -> Result<&'a mut [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(data), Some((from, to))) => Ok(&mut data[from..to]),
        _ => bail!("Adam needs contiguous f32 tensors"),
    }
}
