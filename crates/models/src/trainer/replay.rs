//! Training steps that a GPU repeats.
//!
//! A step of few patches takes a GPU less time than it takes the processor to launch its kernels one by one. Since a step's launches are
//! the same each time, all that changes lying on the device, they are recorded once as a CUDA graph, which is launched as a whole.

use super::{Result, Trainer};
use crate::Error;
#[cfg(feature = "cuda")]
use crate::cuda::graph::Graph;
use candle_core::Tensor;
use std::ops::Range;

/// How far steps can be repeated.
#[derive(Debug, Default)]
pub(super) enum Replay {
    /// Nothing was launched yet.
    #[default]
    Unprepared,
    /// A step was: libraries have allocated what they need, and small arguments lie on the device.
    #[cfg(feature = "cuda")]
    Prepared,
    #[cfg(feature = "cuda")]
    Ready(Graph),
    /// Steps are launched kernel by kernel.
    #[cfg(feature = "cuda")]
    Impossible(Error),
}

impl Trainer {
    /// Why a GPU is told to launch the kernels of a step one by one; `None` if it repeats steps as a whole, has not begun to, or where
    /// there is none. It makes small batches slower, and changes nothing else.
    pub fn why_not_repeated(&self) -> Option<&Error> {
        match &self.replay {
            #[cfg(feature = "cuda")]
            Replay::Impossible(error) => Some(error),
            _ => None,
        }
    }

    /// Takes a step over a whole batch, as [`compute`](Self::compute) does, and tells whether it did: otherwise nothing has happened.
    pub(super) fn replay(&mut self, range: &Range<usize>, noise: Option<&Tensor>) -> Result<bool> {
        #[cfg(feature = "cuda")]
        if let candle_core::Device::Cuda(device) = self.model.device().clone() {
            return self.replay_on(&device, range, noise);
        }
        let _ = (range, noise);
        Ok(false)
    }

    #[cfg(feature = "cuda")]
    fn replay_on(
        &mut self,
        device: &candle_core::CudaDevice,
        range: &Range<usize>,
        noise: Option<&Tensor>,
    ) -> Result<bool> {
        // Arguments that candle copies to the device with each launch are kept there by the first step for the graph.
        let steps = self.adam.steps;
        match std::mem::take(&mut self.replay) {
            // A graph would repeat what was copied when it was recorded.
            Replay::Unprepared if !self.source.is_on_device() => {
                let message = "the device has no room for the images: patches are copied to it";
                let error = candle_core::Error::Msg(message.to_owned());
                self.replay = Replay::Impossible(Error::Tensor(error));
            }
            Replay::Unprepared => {
                let _kept = device.enable_cuda_graph_htod_cache();
                self.compute(range.clone(), noise)?;
                self.replay = Replay::Prepared;
            }
            Replay::Prepared => {
                let kept = device.enable_cuda_graph_htod_cache();
                let recorded =
                    Graph::record(device, || self.compute(range.clone(), noise).map(drop));
                drop(kept);
                // Nothing was computed yet.
                self.adam.steps = steps;
                match recorded {
                    Ok(graph) => {
                        self.replay = Replay::Ready(graph);
                        return self.replay_on(device, range, noise);
                    }
                    Err(error) => self.replay = Replay::Impossible(error),
                }
            }
            Replay::Ready(mut graph) => {
                graph.launch()?;
                self.adam.steps += 1;
                self.replay = Replay::Ready(graph);
            }
            impossible @ Replay::Impossible(_) => self.replay = impossible,
        }
        Ok(!matches!(self.replay, Replay::Impossible(_)))
    }
}
