//! The layers of the extractors, by torchvision's names.

use super::pool::{MaxPool, Rounding};
use crate::{Error, Result};
use convolutions::{Conv2d, Size};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The first layers of a network trained on ImageNet.
///
/// ```
/// use models::Extractor;
///
/// let extractor: Extractor = "squeezenet".parse()?;
/// let (name, shape) = &extractor.tensors()[0];
/// assert_eq!((name.as_str(), &shape[..]), ("features.0.weight", &[64, 3, 3, 3][..]));
/// # Ok::<(), models::Error>(())
/// ```
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

    /// The weights that [`Features::new`](crate::Features::new) needs: torchvision's names with shapes in its layouts.
    pub fn tensors(self) -> Vec<(String, Vec<usize>)> {
        let of_step = |step: &Step| -> Vec<(String, Vec<usize>)> {
            let of_convolution = |(name, conv): (String, Conv2d)| {
                let Conv2d { in_channels, out_channels, kernel, .. } = conv;
                let weight = vec![out_channels, in_channels, kernel, kernel];
                [(format!("{name}.weight"), weight), (format!("{name}.bias"), vec![out_channels])]
            };
            step.convolutions().into_iter().flat_map(of_convolution).collect()
        };
        self.steps().iter().flat_map(of_step).collect()
    }

    /// Multiply-adds of the convolutions, as torchvision has them, for the features of one square patch by the plain
    /// algorithm. The gradient with respect to the patch has as many.
    pub(crate) fn multiply_adds(self, patch_size: usize) -> u64 {
        let mut maps = Size { height: patch_size, width: patch_size };
        let mut count = 0;
        for step in self.steps() {
            if let Step::Pool(rounding) = *step {
                let pool = MaxPool { rounding };
                let side = |size| pool.output(size).unwrap_or(0);
                maps = Size { height: side(maps.height), width: side(maps.width) };
            }
            let input = maps;
            for (_, conv) in step.convolutions() {
                let Some(output) = conv.output(input) else { return count };
                count += (output.height * output.width * conv.weight_count()) as u64;
                maps = output;
            }
        }
        count
    }
}

impl Step {
    /// The convolutions with torchvision's names; those of a fire module have results of one size.
    fn convolutions(&self) -> Vec<(String, Conv2d)> {
        match *self {
            Self::Convolution { name, conv } => vec![(name.to_owned(), conv)],
            Self::Fire { name, inputs, squeeze, expand } => {
                let conv = |part, in_channels, out_channels, kernel| {
                    let conv = Conv2d {
                        in_channels,
                        out_channels,
                        kernel,
                        stride: 1,
                        padding: kernel / 2,
                    };
                    (format!("{name}.{part}"), conv)
                };
                vec![
                    conv("squeeze", inputs, squeeze, 1),
                    conv("expand1x1", squeeze, expand, 1),
                    conv("expand3x3", squeeze, expand, 3),
                ]
            }
            Self::Pool(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Extractor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Alexnet => "alexnet",
            Self::Squeezenet => "squeezenet",
        })
    }
}

impl FromStr for Extractor {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "alexnet" => Ok(Self::Alexnet),
            "squeezenet" => Ok(Self::Squeezenet),
            _ => Err(Error::setting("extractor", "alexnet or squeezenet", name)),
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    /// By hand: kernel² · inputs · outputs · side², for patches of 64 pixels.
    #[test]
    fn multiply_adds_are_counted() {
        let alexnet: u64 = 121 * 3 * 64 * 15 * 15 + 25 * 64 * 192 * 7 * 7 + 9 * 192 * 384 * 3 * 3;
        assert_eq!(Extractor::Alexnet.multiply_adds(64), alexnet);
        let fire = |inputs: u64, squeeze, expand| inputs * squeeze + squeeze * expand * 10;
        let pixels = [31 * 31, 15 * 15, 7 * 7];
        let squeezenet = 27 * 64 * pixels[0]
            + (fire(64, 16, 64) + fire(128, 16, 64)) * pixels[1]
            + fire(128, 32, 128) * pixels[2];
        assert_eq!(Extractor::Squeezenet.multiply_adds(64), squeezenet);
        assert_eq!(Extractor::Alexnet.multiply_adds(3), 0);
    }

    #[test]
    fn names_read_back() {
        for extractor in [Extractor::Alexnet, Extractor::Squeezenet] {
            assert_eq!(extractor.to_string().parse::<Extractor>().unwrap(), extractor);
        }
        let message = "vgg".parse::<Extractor>().unwrap_err().to_string();
        assert_eq!(message, "extractor must be alexnet or squeezenet, got vgg");
    }
}
