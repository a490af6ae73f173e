//! Batches that a GPU has no memory for.

use candle_core::{Device, Tensor};
use inspect::tensor::TensorReconstructor;
use std::error::Error;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// A reconstructor that halves batches for which a GPU has no memory, down to single patches. Later batches are then cut to the
/// size that succeeded.
pub struct Halving<R> {
    reconstructor: R,
    /// Patches at once, at most.
    limit: AtomicUsize,
    /// Called with each new limit.
    note: Box<dyn Fn(usize) + Send + Sync>,
}

impl<R> Halving<R> {
    /// A reconstructor whose batches are not limited yet.
    pub fn new(reconstructor: R) -> Self {
        Self { reconstructor, limit: AtomicUsize::new(usize::MAX), note: Box::new(|_| ()) }
    }

    /// Calls `note` with each new limit.
    pub fn on_smaller_batches(self, note: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self { note: Box::new(note), ..self }
    }

    /// Runs sub-batches of `count` patches, each within the limit, and concatenates the results.
    fn in_parts(
        &self,
        count: usize,
        mut run: impl FnMut(&R, Range<usize>) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let (mut parts, mut done) = (Vec::new(), 0);
        while done < count {
            let end = count.min(done.saturating_add(self.limit.load(Ordering::Relaxed)));
            match run(&self.reconstructor, done..end) {
                Ok(part) => {
                    parts.push(part);
                    done = end;
                }
                Err(error) if is_out_of_memory(&*error) => self.halve(end - done)?,
                Err(error) => return Err(error),
            }
        }
        Ok(Tensor::cat(&parts, 0)?)
    }

    fn halve(&self, patches: usize) -> Result<()> {
        if patches == 1 {
            return Err("the GPU has no memory for a single patch".into());
        }
        // Another thread may have found less to fit.
        if self.limit.fetch_min(patches / 2, Ordering::Relaxed) > patches / 2 {
            (self.note)(patches / 2);
        }
        Ok(())
    }
}

fn is_out_of_memory(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref().is_some_and(models::Error::is_out_of_memory)
}

impl<R: TensorReconstructor> TensorReconstructor for Halving<R> {
    fn patch_size(&self) -> usize {
        self.reconstructor.patch_size()
    }

    fn device(&self) -> &Device {
        self.reconstructor.device()
    }

    fn reconstruct(&self, patches: &Tensor) -> Result<Tensor> {
        self.in_parts(patches.dim(0)?, |reconstructor, part| {
            reconstructor.reconstruct(&patches.narrow(0, part.start, part.len())?)
        })
    }

    fn sample(
        &self,
        patches: &Tensor,
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Result<Tensor> {
        self.in_parts(corners.len(), |reconstructor, part| {
            let patches = patches.narrow(0, part.start, part.len())?;
            reconstructor.sample(&patches, &corners[part], samples)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use models::{DeviceChoice, DeviceFailure};
    use std::cell::RefCell;
    use std::sync::Mutex;

    /// Negates patches of one pixel, with memory for a limited number of them.
    struct Small {
        memory: usize,
        batches: RefCell<Vec<usize>>,
    }

    fn small(memory: usize) -> Small {
        Small { memory, batches: RefCell::default() }
    }

    impl TensorReconstructor for Small {
        fn patch_size(&self) -> usize {
            1
        }

        fn device(&self) -> &Device {
            &Device::Cpu
        }

        fn reconstruct(&self, patches: &Tensor) -> Result<Tensor> {
            let count = patches.dim(0)?;
            self.batches.borrow_mut().push(count);
            if count > self.memory {
                let (device, failure) = (DeviceChoice::Cuda(0), DeviceFailure::OutOfMemory);
                return Err(models::Error::Device { device, failure }.into());
            }
            Ok(patches.neg()?)
        }

        /// The sum of the corner, so that a corner of another patch is noticed.
        fn sample(
            &self,
            patches: &Tensor,
            corners: &[(usize, usize)],
            samples: usize,
        ) -> Result<Tensor> {
            let moves =
                Tensor::from_iter(corners.iter().map(|(x, y)| (x + y) as f32), &Device::Cpu)?;
            let moved = (self.reconstruct(patches)? + moves.reshape((corners.len(), 1, 1, 1))?)?;
            Ok(moved.repeat((1, samples))?)
        }
    }

    /// Patches `(N, 1, 1, 1)` of these values.
    fn patches(values: impl IntoIterator<Item = u8>) -> Tensor {
        let values = Tensor::from_iter(values.into_iter().map(f32::from), &Device::Cpu).unwrap();
        values.reshape(((), 1, 1, 1)).unwrap()
    }

    fn values(tensor: &Tensor) -> Vec<f32> {
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    }

    static NOTED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    #[test]
    fn batches_are_halved_until_they_fit() {
        let halving =
            Halving::new(small(3)).on_smaller_batches(|limit| NOTED.lock().unwrap().push(limit));
        let expected: Vec<f32> = (0..11u8).map(|value| -f32::from(value)).collect();
        assert_eq!(values(&halving.reconstruct(&patches(0..11)).unwrap()), expected);
        assert_eq!(halving.reconstructor.batches.take(), [11, 5, 2, 2, 2, 2, 2, 1]);
        // The next batch begins with what fitted.
        assert_eq!(values(&halving.reconstruct(&patches(0..5)).unwrap()), expected[..5]);
        assert_eq!(halving.reconstructor.batches.take(), [2, 2, 1]);
        assert_eq!(*NOTED.lock().unwrap(), [5, 2]);
    }

    #[test]
    fn samples_keep_their_corners() {
        let halving = Halving::new(small(2));
        let corners: Vec<(usize, usize)> = (0..5).map(|i| (10 * i, i)).collect();
        let samples = halving.sample(&patches([0; 5]), &corners, 2).unwrap();
        assert_eq!(samples.dims(), [5, 2, 1, 1]);
        assert_eq!(values(&samples), [0.0, 0.0, 11.0, 11.0, 22.0, 22.0, 33.0, 33.0, 44.0, 44.0]);
    }

    #[test]
    fn a_patch_that_does_not_fit_and_other_errors_end_it() {
        let halving = Halving::new(small(0));
        let message = halving.reconstruct(&patches([0; 4])).unwrap_err().to_string();
        assert_eq!(message, "the GPU has no memory for a single patch");
        assert_eq!(halving.reconstructor.batches.take(), [4, 2, 1]);
        let halving = Halving::new(small(9));
        let error = halving.in_parts(4, |_, _| Err("another".into())).unwrap_err();
        assert_eq!(error.to_string(), "another");
    }
}
