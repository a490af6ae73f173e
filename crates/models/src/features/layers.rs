//! The layers of the extractors, by torchvision's names.

use super::pool::Rounding;
use crate::conv::Conv2d;
use serde::{Deserialize, Serialize};

/// The first layers of a network trained on ImageNet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extractor {
    /// AlexNet (Krizhevsky et al., 2012) as torchvision has it, up to the rectifier of its third convolution: the paper's
    /// (section 4.2).
    #[default]
    Alexnet,
    /// SqueezeNet 1.1 (Iandola et al., 2016), up to and including its third fire module. Its weights are a hundredth of
    /// AlexNet's in size.
    Squeezenet,
}

/// A step of an extractor. A rectifier follows every convolution.
pub(super) enum Step {
    Convolution {
        name: &'static str,
        conv: Conv2d,
    },
    /// A 1×1 convolution to `squeeze` channels, and from these one of 1×1 and one of 3×3 to `expand` channels each, side by
    /// side.
    Fire {
        name: &'static str,
        inputs: usize,
        squeeze: usize,
        expand: usize,
    },
    /// The largest value of 3×3 at a stride of 2.
    Pool(Rounding),
}

impl Extractor {
    pub(super) fn steps(self) -> &'static [Step] {
        match self {
            Self::Alexnet => ALEXNET,
            Self::Squeezenet => SQUEEZENET,
        }
    }
}

const fn convolution(
    name: &'static str,
    (in_channels, out_channels): (usize, usize),
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Step {
    Step::Convolution { name, conv: Conv2d { in_channels, out_channels, kernel, stride, padding } }
}

const fn fire(name: &'static str, inputs: usize, squeeze: usize, expand: usize) -> Step {
    Step::Fire { name, inputs, squeeze, expand }
}

const ALEXNET: &[Step] = &[
    convolution("features.0", (3, 64), 11, 4, 2),
    Step::Pool(Rounding::Down),
    convolution("features.3", (64, 192), 5, 1, 2),
    Step::Pool(Rounding::Down),
    convolution("features.6", (192, 384), 3, 1, 1),
];

const SQUEEZENET: &[Step] = &[
    convolution("features.0", (3, 64), 3, 2, 0),
    Step::Pool(Rounding::Up),
    fire("features.3", 64, 16, 64),
    fire("features.4", 128, 16, 64),
    Step::Pool(Rounding::Up),
    fire("features.6", 128, 32, 128),
];
