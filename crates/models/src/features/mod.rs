//! What a network trained on ImageNet sees in a patch.

mod layers;
mod matching;
mod op;
mod pool;
mod stages;
mod weights;

pub use layers::Extractor;
pub use matching::FeatureMatching;

use crate::Result;
use candle_core::{DType, Device, Tensor};
use convolutions::{Chain, Layer, Mode};
use layers::Step;
use pool::MaxPool;
use stages::Stages;
use std::collections::HashMap;
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
/// use models::{Extractor, Features};
///
/// // In earnest, tensors come from a file of torchvision's.
/// let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu);
/// let tensors = Extractor::Alexnet.tensors().into_iter();
/// let tensors = tensors.map(|(name, shape)| Ok((name, zeros(&shape)?))).collect::<models::Result<_>>()?;
/// let features = Features::new(Extractor::Alexnet, &tensors, "none".to_owned(), &Device::Cpu)?;
/// assert_eq!((features.extractor(), features.sha256()), (Extractor::Alexnet, "none"));
///
/// let patches = zeros(&[2, 1, 128, 128])?;
/// assert_eq!(features.extract(&patches)?.dims(), [2, 7, 7, 384]);
/// assert!(!features.extract_detached(&patches)?.track_op());
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone)]
pub struct Features {
    extractor: Extractor,
    sha256: String,
    stages: Arc<[Stage]>,
    /// The same on the CPU, for patches of the last size.
    prepared: Arc<Mutex<Option<Arc<Stages>>>>,
}

/// What is applied to maps `(N, H, W, C)`.
enum Stage {
    Convolutions { chain: Chain, parameters: Tensor },
    Pool(MaxPool),
}

impl Features {
    /// The extractor with weights by torchvision's names and in its layouts; tensors of later layers are left alone.
    /// `sha256` says which weights they are: runs with others are not resumed.
    ///
    /// # Errors
    /// [`crate::Error::MissingTensor`], [`crate::Error::TensorMismatch`] and [`crate::Error::NotFinite`] for weights of another
    /// network; [`crate::Error::Tensor`] if the device fails.
    pub fn new(
        extractor: Extractor,
        tensors: &HashMap<String, Tensor>,
        sha256: String,
        device: &Device,
    ) -> Result<Self> {
        let (mut stages, mut builder) = (Vec::new(), Builder::new(tensors));
        for step in extractor.steps() {
            match *step {
                Step::Convolution { name, conv } => builder.convolution(name, conv)?,
                Step::Fire { name, inputs, squeeze, expand } => {
                    builder.fire(name, inputs, squeeze, expand)?;
                }
                Step::Pool(rounding) => {
                    stages.push(Stage::convolutions(&mut builder, device)?);
                    stages.push(Stage::Pool(MaxPool { rounding }));
                }
            }
        }
        stages.push(Stage::convolutions(&mut builder, device)?);
        let (stages, prepared) = (stages.into(), Arc::default());
        Ok(Self { extractor, sha256, stages, prepared })
    }

    /// Which layers of which network.
    pub fn extractor(&self) -> Extractor {
        self.extractor
    }

    /// Which weights.
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

    /// As [`extract`](Self::extract), but nothing is kept that a gradient would need.
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
            maps = match stage {
                Stage::Convolutions { chain, parameters } => {
                    chain.apply(&maps, parameters, mode)?
                }
                Stage::Pool(pool) => pool.compose(&maps)?,
            };
        }
        Ok(maps)
    }
}

impl Stage {
    /// All layers that were built since the last stage.
    fn convolutions(builder: &mut Builder<'_>, device: &Device) -> Result<Self> {
        let (layers, parameters): (Vec<Layer>, Vec<f32>) = builder.take();
        let chain = Chain::frozen(layers);
        let count = chain.parameter_count();
        Ok(Self::Convolutions { chain, parameters: Tensor::from_vec(parameters, count, device)? })
    }
}

/// Network and weights, without the numbers: what decides about a training run.
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
