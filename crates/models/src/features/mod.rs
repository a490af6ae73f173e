//! The features of patches in the layers of a network trained on ImageNet.

mod layers;
mod op;
mod pool;
mod stage;
mod stages;
mod weights;

pub use layers::Extractor;

use crate::Result;
use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use convolutions::Mode;
use layers::Step;
use pool::MaxPool;
use stage::Stage;
use stages::Stages;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use weights::Builder;

/// The frozen first layers of a network trained on ImageNet.
///
/// A grey patch with intensities in [0, 1] is taken as an image of three equal channels and normalised with the means and
/// deviations of ImageNet; both are part of the first convolution.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::VarBuilder;
/// use models::{Extractor, Features};
///
/// // In earnest, `VarBuilder::from_pth("alexnet-owt-7be5be79.pth", DType::F32, &Device::Cpu)?`.
/// let vb = VarBuilder::zeros(DType::F32, &Device::Cpu);
/// let features = Features::new(Extractor::Alexnet, "7be5be79", vb)?;
/// assert_eq!((features.extractor(), features.sha256()), (Extractor::Alexnet, "7be5be79"));
///
/// let patches = Tensor::zeros((2, 1, 128, 128), DType::F32, &Device::Cpu)?;
/// assert_eq!(features.extract(&patches)?.dims(), [2, 7, 7, 384]);
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone)]
pub struct Features {
    extractor: Extractor,
    sha256: String,
    stages: Arc<[Stage]>,
    /// On the CPU: the stages laid out for patches of the size that came last.
    prepared: Arc<Mutex<Option<Arc<Stages>>>>,
}

impl Features {
    /// Loads the extractor's weights in f32, by torchvision's names and in its layouts. `sha256` identifies them: a training is not
    /// resumed with others.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorMismatch`] and [`crate::Error::NotFinite`] for weights of another
    /// network; [`crate::Error::Tensor`] if they cannot be read or the device fails.
    pub fn new(
        extractor: Extractor,
        sha256: impl Into<String>,
        vb: VarBuilder<'_>,
    ) -> Result<Self> {
        let device = vb.device().clone();
        let (mut stages, mut builder) = (Vec::new(), Builder::new(vb));
        for step in extractor.steps() {
            match *step {
                Step::Convolution { name, conv } => builder.convolution(name, conv)?,
                Step::Fire { name, inputs, squeeze, expand } => {
                    builder.fire(name, inputs, squeeze, expand)?;
                }
                Step::Pool(rounding) => {
                    stages.push(Stage::convolutions(builder.take(), &device)?);
                    stages.push(Stage::Pool(MaxPool { rounding }));
                }
            }
        }
        stages.push(Stage::convolutions(builder.take(), &device)?);
        let (stages, prepared) = (stages.into(), Arc::default());
        Ok(Self { extractor, sha256: sha256.into(), stages, prepared })
    }

    /// The network and its layers.
    pub fn extractor(&self) -> Extractor {
        self.extractor
    }

    /// The hash of the weights.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The features `(N, H', W', C)` of patches `(N, 1, H, W)`, after the rectifier of the last layer.
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] for patches of another shape or type than f32, or too small for the layers.
    pub fn extract(&self, patches: &Tensor) -> Result<Tensor> {
        self.run(patches, Mode::Training)
    }

    /// The same features as [`extract`](Self::extract)'s, without gradients.
    ///
    /// # Errors
    /// As for [`extract`](Self::extract).
    pub fn extract_detached(&self, patches: &Tensor) -> Result<Tensor> {
        self.run(&patches.detach(), Mode::Inference)
    }

    fn run(&self, patches: &Tensor, mode: Mode) -> Result<Tensor> {
        let (_, channels, height, width) = patches.dims4()?;
        if channels != 1 {
            let message = format!("expected patches of 1 channel, got {channels}");
            return Err(candle_core::Error::Msg(message).bt().into());
        }
        match patches.device().is_cpu() {
            true => {
                let stages = self.prepared((height, width))?;
                Ok(op::apply(stages, &patches.contiguous()?, mode)?)
            }
            false => self.compose(patches, mode),
        }
    }

    /// The stages for patches of height and width `size` on the CPU.
    fn prepared(&self, size: (usize, usize)) -> Result<Arc<Stages>> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        match &*prepared {
            Some(stages) if stages.size() == size => Ok(stages.clone()),
            _ => Ok(prepared.insert(Arc::new(Stages::new(&self.stages, size)?)).clone()),
        }
    }

    /// The stages as operations of their own, for devices that [`op`] has no form for.
    fn compose(&self, patches: &Tensor, mode: Mode) -> Result<Tensor> {
        let (count, _, height, width) = patches.dims4()?;
        let grey = patches.reshape((count, height, width, 1))?;
        // The second channel carries the means of the normalisation, which end where the image does; see `weights`.
        let ones = Tensor::ones((count, height, width, 1), DType::F32, patches.device())?;
        let mut maps = Tensor::cat(&[&grey, &ones], 3)?;
        for stage in self.stages.iter() {
            maps = stage.compose(&maps, mode)?;
        }
        Ok(maps)
    }
}

/// The network and the hash of its weights, without the numbers.
impl fmt::Debug for Features {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { extractor, sha256, .. } = self;
        formatter
            .debug_struct("Features")
            .field("extractor", extractor)
            .field("sha256", sha256)
            .finish()
    }
}

impl PartialEq for Features {
    fn eq(&self, other: &Self) -> bool {
        (self.extractor, &self.sha256) == (other.extractor, &other.sha256)
    }
}
