//! Launches that are repeated as a whole.
#![expect(unsafe_code, reason = "the driver's graphs are pointers")]

use crate::{Error, Result};
use candle_core::CudaDevice;
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::driver::CudaGraph;
use candle_core::cuda_backend::cudarc::driver::sys::{
    CUgraphInstantiate_flags as Flags, CUstreamCaptureMode as Mode,
};
use std::fmt;

/// A recorded sequence of launches, ready to be launched on the same device.
pub(crate) struct Graph(CudaGraph);

// SAFETY: the driver lets any thread use a graph, as long as only one does so at a time; what uses it takes it by `&mut`.
unsafe impl Send for Graph {}
// SAFETY: a reference does nothing with it.
unsafe impl Sync for Graph {}

impl Graph {
    /// Records what `launch` launches, without running it. All memory that `launch` allocates must be freed when it returns.
    pub fn record(device: &CudaDevice, launch: impl FnOnce() -> Result<()>) -> Result<Self> {
        let stream = device.cuda_stream();
        // Libraries may allocate memory for themselves meanwhile.
        stream.begin_capture(Mode::CU_STREAM_CAPTURE_MODE_RELAXED).w()?;
        let launched = launch();
        // In any case: until then, the stream takes nothing else.
        let recorded = stream.end_capture(Flags(0)).w();
        if launched.is_err() || recorded.is_err() {
            // What was allocated could not be freed; it never was there.
            let _ = stream.context().check_err();
        }
        launched?;
        match recorded? {
            Some(graph) => Ok(Self(graph)),
            None => Err(Error::Tensor(candle_core::Error::Msg("nothing was launched".to_owned()))),
        }
    }

    pub fn launch(&mut self) -> Result<()> {
        Ok(self.0.launch().w()?)
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Graph")
    }
}
