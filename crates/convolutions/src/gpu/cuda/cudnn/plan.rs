//! Descriptors and algorithms, found once for each problem.

use crate::geometry::Conv2d;
use crate::gpu::cuda::device::Cuda;
use crate::gpu::problem::Problem;
use crate::precision::Precision;
use candle_core::cuda_backend::DeviceId;
use candle_core::cuda_backend::cudarc::cudnn::sys::{
    cudnnConvolutionBwdDataAlgo_t as DataAlgorithm,
    cudnnConvolutionBwdFilterAlgo_t as FilterAlgorithm, cudnnConvolutionFwdAlgo_t as Algorithm,
    cudnnConvolutionMode_t as ConvolutionMode, cudnnMathType_t as Math,
    cudnnTensorFormat_t as Format,
};
use candle_core::cuda_backend::cudarc::cudnn::{
    ConvBackwardData, ConvBackwardFilter, ConvDescriptor, ConvForward, Cudnn, CudnnError,
    FilterDescriptor, TensorDescriptor,
};
use candle_core::{Error, Result};
use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

/// The fastest first; all others for channels-last maps, or all others at all, add in an order that changes.
const FORWARD: [Algorithm; 2] = [
    Algorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
    Algorithm::CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM,
];
const INPUT_GRADIENT: [DataAlgorithm; 1] = [DataAlgorithm::CUDNN_CONVOLUTION_BWD_DATA_ALGO_1];
const WEIGHT_GRADIENT: [FilterAlgorithm; 1] =
    [FilterAlgorithm::CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1];

/// The most bytes of an algorithm's workspace.
const MOST_WORKSPACE: usize = 1 << 28;

/// The problem that a plan is made for: the convolution, the number of maps, the sizes of maps and results, and the precision.
type Key = (Conv2d, usize, [usize; 4], Precision);

thread_local! {
    /// Handles are for one thread, and so is what is made with them.
    static HANDLES: RefCell<HashMap<DeviceId, Handle>> = RefCell::default();
}

/// A handle of a device, and the plans that were made with it.
struct Handle {
    cudnn: Arc<Cudnn>,
    plans: HashMap<Key, Rc<Plan>>,
}

/// An algorithm, and the bytes that it needs.
pub type Choice<A> = Option<(A, usize)>;

/// A convolution and its gradients.
pub struct Plan {
    pub descriptors: Descriptors,
    pub forward: Choice<Algorithm>,
    pub input_gradient: Choice<DataAlgorithm>,
    pub weight_gradient: Choice<FilterAlgorithm>,
}

pub struct Descriptors {
    conv: ConvDescriptor<f32>,
    input: TensorDescriptor<f32>,
    weights: FilterDescriptor<f32>,
    output: TensorDescriptor<f32>,
}

/// The plan of a problem, made at its first use. `None` where cuDNN is not used.
pub fn plan(cuda: &Cuda, problem: &Problem) -> Result<Option<Rc<Plan>>> {
    let Problem { conv, maps, input, output } = *problem;
    if cuda.precision == Precision::Bf16 || conv.is_dense(input) {
        return Ok(None);
    }
    let sizes = [input.height, input.width, output.height, output.width];
    let key = (conv, maps, sizes, cuda.precision);
    HANDLES.with_borrow_mut(|handles| {
        let device = cuda.device.id();
        let handle = match handles.entry(device) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let cudnn = Cudnn::new(cuda.device.cuda_stream())?;
                entry.insert(Handle { cudnn, plans: HashMap::new() })
            }
        };
        if let Some(plan) = handle.plans.get(&key) {
            return Ok(Some(plan.clone()));
        }
        let plan = Rc::new(Plan::new(&handle.cudnn, problem, cuda.precision)?);
        handle.plans.insert(key, plan.clone());
        Ok(Some(plan))
    })
}

impl Plan {
    fn new(cudnn: &Arc<Cudnn>, problem: &Problem, precision: Precision) -> Result<Self> {
        let descriptors = Descriptors::new(cudnn, problem, precision)?;
        let (forward, input_gradient, weight_gradient) = (
            choose(FORWARD, |algorithm| descriptors.forward().get_workspace_size(algorithm)),
            choose(INPUT_GRADIENT, |algorithm| {
                descriptors.input_gradient().get_workspace_size(algorithm)
            }),
            choose(WEIGHT_GRADIENT, |algorithm| {
                descriptors.weight_gradient().get_workspace_size(algorithm)
            }),
        );
        Ok(Self { descriptors, forward, input_gradient, weight_gradient })
    }
}

/// The first algorithm whose workspace is not too large. cuDNN has no size of a workspace for what it cannot do.
fn choose<A: Copy, const N: usize>(
    algorithms: [A; N],
    workspace: impl Fn(A) -> std::result::Result<usize, CudnnError>,
) -> Choice<A> {
    let known = algorithms
        .into_iter()
        .filter_map(|algorithm| Some((algorithm, workspace(algorithm).ok()?)));
    known.into_iter().find(|&(_, bytes)| bytes <= MOST_WORKSPACE)
}

impl Descriptors {
    fn new(cudnn: &Arc<Cudnn>, problem: &Problem, precision: Precision) -> Result<Self> {
        let Problem { conv, maps, input, output } = *problem;
        let number = |value: usize| i32::try_from(value).map_err(Error::wrap);
        let [padding, stride, kernel] =
            [number(conv.padding)?, number(conv.stride)?, number(conv.kernel)?];
        let [inputs, outputs, maps] =
            [number(conv.in_channels)?, number(conv.out_channels)?, number(maps)?];
        let input = [maps, inputs, number(input.height)?, number(input.width)?];
        let output = [maps, outputs, number(output.height)?, number(output.width)?];
        let mode = ConvolutionMode::CUDNN_CROSS_CORRELATION;
        let mut conv = cudnn.create_conv2d([padding; 2], [stride; 2], [1; 2], mode)?;
        conv.set_math_type(math(precision))?;
        let weights = [outputs, inputs, kernel, kernel];
        Ok(Self {
            conv,
            input: cudnn.create_4d_tensor(Format::CUDNN_TENSOR_NHWC, input)?,
            weights: cudnn.create_4d_filter(Format::CUDNN_TENSOR_NHWC, weights)?,
            output: cudnn.create_4d_tensor(Format::CUDNN_TENSOR_NHWC, output)?,
        })
    }

    pub fn forward(&self) -> ConvForward<'_, f32, f32, f32> {
        let Self { conv, input, weights, output } = self;
        ConvForward { conv, x: input, w: weights, y: output }
    }

    pub fn input_gradient(&self) -> ConvBackwardData<'_, f32, f32, f32> {
        let Self { conv, input, weights, output } = self;
        ConvBackwardData { conv, dx: input, w: weights, dy: output }
    }

    pub fn weight_gradient(&self) -> ConvBackwardFilter<'_, f32, f32, f32> {
        let Self { conv, input, weights, output } = self;
        ConvBackwardFilter { conv, x: input, dw: weights, dy: output }
    }
}

/// cuDNN's default would be TF32 for single precision, too.
fn math(precision: Precision) -> Math {
    match precision {
        Precision::F32 => Math::CUDNN_FMA_MATH,
        Precision::Tf32 | Precision::Bf16 => Math::CUDNN_TENSOR_OP_MATH,
    }
}
