use candle_core::{CpuStorage, Error as CandleError, Layout, Result, WithDType};
use rayon::prelude::*;

use crate::{Error, Params, Sample, pair::Pair, plan::Plan};

/// The planes of two tensors in memory.
pub(super) struct Batch<'a, T> {
    x: &'a [T],
    y: &'a [T],
    width: usize,
    height: usize,
    pub(super) plan: Plan,
}

impl<'a, T: Sample + WithDType> Batch<'a, T> {
    pub(super) fn new(
        params: &Params,
        (x, x_layout): (&'a CpuStorage, &Layout),
        (y, y_layout): (&'a CpuStorage, &Layout),
        op: &'static str,
    ) -> Result<Self> {
        let (planes, channels, height, width) = x_layout.shape().dims4()?;
        let plan = Plan::new(params, width, height).map_err(CandleError::wrap)?;
        if planes * channels == 0 {
            return Err(CandleError::wrap(Error::EmptyBatch { shape: x_layout.dims().to_vec() }));
        }
        Ok(Self {
            x: contiguous(x, x_layout, op)?,
            y: contiguous(y, y_layout, op)?,
            width,
            height,
            plan,
        })
    }

    /// Pixels per image.
    pub(super) fn plane_len(&self) -> usize {
        self.width * self.height
    }

    /// Pairs of images.
    pub(super) fn planes(&self) -> usize {
        self.x.len() / self.plane_len()
    }

    /// Windows in the whole batch.
    pub(super) fn windows(&self) -> usize {
        self.planes() * self.plan.map_len()
    }

    /// The pairs of images, in parallel.
    pub(super) fn pairs(&self) -> impl IndexedParallelIterator<Item = Result<Pair<'a, T>>> {
        let (width, height, length) = (self.width, self.height, self.plane_len());
        let planes = self.x.par_chunks(length).zip(self.y.par_chunks(length));
        planes.enumerate().map(move |(plane, (x, y))| {
            Pair::new(x, y, width, height)
                .map_err(|error| CandleError::wrap(in_tensor(error, plane * length)))
        })
    }
}

/// The elements of a contiguous tensor.
pub(super) fn contiguous<'a, T: WithDType>(
    storage: &'a CpuStorage,
    layout: &Layout,
    op: &'static str,
) -> Result<&'a [T]> {
    let (start, end) =
        layout.contiguous_offsets().ok_or_else(|| CandleError::RequiresContiguous { op }.bt())?;
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

/// Counts the index of an unusable pixel from the start of the tensor.
fn in_tensor(error: Error, offset: usize) -> Error {
    match error {
        Error::Pixel { input, index, value } => {
            Error::Pixel { input, index: index + offset, value }
        }
        other => other,
    }
}
