//! Training steps that a GPU repeats.
//!
//! A step of few patches takes a GPU less time than it takes the processor to launch its kernels one by one. A step's launches are
//! the same each time, since all that changes lies on the device. So they are recorded once as a CUDA graph, which is launched as a whole.

use crate::Result;
#[cfg(feature = "cuda")]
use crate::cuda::graph::Graph;
use candle_core::Device;

/// Launches the same step again and again.
#[derive(Debug, Default)]
pub(super) enum Replay {
    /// Kernel by kernel.
    #[default]
    Launching,
    /// On a CUDA device, to which nothing was launched yet.
    #[cfg(feature = "cuda")]
    Unprepared { are_patches_on_device: bool },
    /// A step was launched: libraries have allocated what they need, and small arguments lie on the device.
    #[cfg(feature = "cuda")]
    Prepared,
    #[cfg(feature = "cuda")]
    Recorded(Graph),
}

impl Replay {
    /// The steps of a training on `device`. A graph would repeat what was copied to the device when it was recorded, so patches must
    /// be cut there.
    pub fn new(device: &Device, are_patches_on_device: bool) -> Self {
        match device {
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => Self::Unprepared { are_patches_on_device },
            _ => {
                let _ = are_patches_on_device;
                Self::Launching
            }
        }
    }

    /// Takes a step over a whole batch, which `launch` can launch. Returns why no graph could be made, in the step that tried it.
    pub fn step(
        &mut self,
        device: &Device,
        mut launch: impl FnMut() -> Result<()>,
    ) -> Result<Option<String>> {
        #[cfg(feature = "cuda")]
        if let Device::Cuda(device) = device {
            return self.step_on_cuda(device, launch);
        }
        let _ = device;
        launch().map(|()| None)
    }

    #[cfg(feature = "cuda")]
    fn step_on_cuda(
        &mut self,
        device: &candle_core::CudaDevice,
        mut launch: impl FnMut() -> Result<()>,
    ) -> Result<Option<String>> {
        match std::mem::take(self) {
            Self::Launching => launch()?,
            Self::Unprepared { are_patches_on_device: false } => {
                launch()?;
                let message = "the device has no room for the images: patches are copied to it";
                return Ok(Some(message.to_owned()));
            }
            // The first step keeps small arguments, which candle copies to the device with each launch, for the graph.
            Self::Unprepared { are_patches_on_device: true } => {
                let _kept = device.enable_cuda_graph_htod_cache();
                launch()?;
                *self = Self::Prepared;
            }
            Self::Prepared => {
                let kept = device.enable_cuda_graph_htod_cache();
                let recorded = Graph::record(device, &mut launch);
                drop(kept);
                match recorded {
                    Ok(mut graph) => {
                        graph.launch()?;
                        *self = Self::Recorded(graph);
                    }
                    Err(error) => {
                        launch()?;
                        return Ok(Some(error.to_string()));
                    }
                }
            }
            Self::Recorded(mut graph) => {
                graph.launch()?;
                *self = Self::Recorded(graph);
            }
        }
        Ok(None)
    }
}
