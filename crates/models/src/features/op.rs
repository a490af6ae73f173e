//! All stages as one candle operation on the CPU.
//!
//! candle adds every gradient to zeros that it first makes, on one thread, and maps between stages are large: here only the
//! gradient of the patches meets candle's, and what lies between stages stays in the cache.

use super::stages::{Kept, Stages};
use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};
use convolutions::{Mode, contiguous, with_values};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// Extracts the features of contiguous patches `(N, 1, H, W)` on the CPU.
pub(super) fn apply(stages: Arc<Stages>, patches: &Tensor, mode: Mode) -> Result<Tensor> {
    let op = Extract { stages, mode, kept: Mutex::default() };
    match mode {
        Mode::Training => patches.apply_op1(op),
        Mode::Inference => patches.apply_op1_no_bwd(&op),
    }
}

/// An extractor at work on some patches.
struct Extract {
    stages: Arc<Stages>,
    mode: Mode,
    /// For each group of patches, what the gradients of the stages need.
    kept: Mutex<Vec<Vec<Kept>>>,
}

impl CustomOp1 for Extract {
    fn name(&self) -> &'static str {
        "features"
    }

    fn cpu_fwd(&self, patches: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let patches = contiguous(patches, layout)?;
        let shape = self.stages.output(layout.dims()[0]);
        let mut output = vec![0.0; shape.elem_count()];
        let (group, features) = self.stages.group();
        let groups = patches.par_chunks(group).zip_eq(output.par_chunks_mut(features));
        let kept = groups.map(|(patches, output)| self.stages.forward(patches, self.mode, output));
        let kept = kept.collect();
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok((CpuStorage::F32(output), shape))
    }

    fn bwd(&self, patches: &Tensor, output: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (group, features) = self.stages.group();
        let mut of_patches = vec![0.0; patches.elem_count()];
        with_values([output, &gradient.contiguous()?], |[outputs, gradients]| {
            let results = outputs.par_chunks(features).zip_eq(gradients.par_chunks(features));
            let targets = of_patches.par_chunks_mut(group).zip_eq(&*kept);
            targets.zip_eq(results).for_each(|((target, kept), (output, gradient))| {
                self.stages.backward(kept, output, gradient, target);
            });
        })?;
        Ok(Some(Tensor::from_vec(of_patches, patches.shape(), patches.device())?))
    }
}
