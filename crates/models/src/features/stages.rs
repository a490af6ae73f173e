//! The stages of an extractor on the CPU.

use super::pool::Windows;
use super::stage::Stage;
use candle_core::{Result, Shape};
use convolutions::{Buffer, Buffers, Mode, PreparedChain};
use std::iter::once;
use std::ops::Deref;

/// All stages for patches of one size.
pub(super) struct Stages {
    /// Height and width of a patch.
    size: (usize, usize),
    stages: Vec<Prepared>,
    buffers: Buffers,
}

/// A stage for maps of one size.
enum Prepared {
    Convolutions(PreparedChain),
    Pool(Windows),
}

/// The values that the gradient of a stage needs.
pub(super) struct Kept {
    input: Maps,
    /// The outputs of a chain's layers but the last.
    activations: Vec<Buffer>,
}

/// Maps `(N, H, W, C)`.
struct Maps {
    count: usize,
    values: Buffer,
}

impl Stages {
    /// The given stages for patches of height and width `size`.
    pub fn new(stages: &[Stage], size: (usize, usize)) -> Result<Self> {
        let mut maps = Shape::from((1, size.0, size.1, 2));
        let mut prepared = Vec::new();
        for stage in stages {
            let stage = match stage {
                Stage::Convolutions { chain, parameters } => {
                    Prepared::Convolutions(PreparedChain::new(chain, &maps, parameters.to_vec1()?)?)
                }
                Stage::Pool(pool) => Prepared::Pool(pool.windows(&maps)?),
            };
            maps = stage.output(1);
            prepared.push(stage);
        }
        Ok(Self { size, stages: prepared, buffers: Buffers::default() })
    }

    /// Height and width of the patches.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The shape of the features of `patches` patches.
    pub fn output(&self, patches: usize) -> Shape {
        let (height, width) = self.size;
        let patches_as_maps = Shape::from((patches, height, width, 2));
        self.stages.last().map_or(patches_as_maps, |stage| stage.output(patches))
    }

    /// The numbers of values of a group of patches and of their features. A group goes through all stages together. It is small, so that
    /// the maps between stages stay in the cache, but large enough that weights are not read more often than they need to be.
    pub fn group(&self) -> (usize, usize) {
        const VALUES: usize = 1 << 18;
        let largest = self.stages.iter().map(|stage| stage.output(1).elem_count()).max();
        let patches = (VALUES / largest.unwrap_or(VALUES)).max(1);
        (patches * self.size.0 * self.size.1, self.output(patches).elem_count())
    }

    /// Writes the features of some patches, and returns the values that their gradient needs, if there will be one.
    pub fn forward(&self, patches: &[f32], mode: Mode, output: &mut [f32]) -> Vec<Kept> {
        let mut maps = self.maps(patches);
        let mut kept = Vec::new();
        for stage in &self.stages {
            let (output, activations) = stage.forward(&maps, mode, &self.buffers);
            let input = std::mem::replace(&mut maps, output);
            if mode == Mode::Training {
                kept.push(Kept { input, activations });
            }
        }
        output.copy_from_slice(&maps.values);
        kept
    }

    /// Writes the gradient of some patches for that of their features.
    pub fn backward<'a>(
        &self,
        kept: &'a [Kept],
        mut output: &'a [f32],
        gradient: &[f32],
        target: &mut [f32],
    ) {
        let mut gradient = self.buffers.copy(gradient);
        for (stage, kept) in self.stages.iter().zip(kept).rev() {
            gradient = stage.backward(kept, output, gradient, &self.buffers);
            output = &kept.input.values;
        }
        // The ones beside the patches have no gradient that matters.
        for (target, &[grey, _]) in target.iter_mut().zip(gradient.as_chunks().0) {
            *target = grey;
        }
    }

    /// Patches beside ones, which carry the means of the normalisation; see [`super::weights`].
    fn maps(&self, patches: &[f32]) -> Maps {
        let mut values = self.buffers.take(2 * patches.len());
        for (pixel, &grey) in values.as_chunks_mut().0.iter_mut().zip(patches) {
            *pixel = [grey, 1.0];
        }
        Maps { count: patches.len() / (self.size.0 * self.size.1), values }
    }
}

impl Prepared {
    /// The shape of the output for `maps` maps.
    fn output(&self, maps: usize) -> Shape {
        match self {
            Self::Convolutions(chain) => chain.output(maps),
            Self::Pool(windows) => windows.output(maps),
        }
    }

    /// The maps that come out, and the outputs of layers in between.
    fn forward(&self, input: &Maps, mode: Mode, buffers: &Buffers) -> (Maps, Vec<Buffer>) {
        let count = input.count;
        let mut values = buffers.take(self.output(count).elem_count());
        let activations = match self {
            Self::Convolutions(chain) => chain.forward(&input.values, mode, &mut values),
            Self::Pool(windows) => {
                windows.pool(&input.values, &mut values);
                Vec::new()
            }
        };
        (Maps { count, values }, activations)
    }

    /// The gradient of the maps that went in, for that of those that came out.
    fn backward(
        &self,
        Kept { input, activations }: &Kept,
        output: &[f32],
        gradient: Buffer,
        buffers: &Buffers,
    ) -> Buffer {
        match self {
            Self::Convolutions(chain) => {
                let outputs = activations.iter().map(Deref::deref).chain(once(output));
                chain.backward(&outputs.collect::<Vec<_>>(), gradient)
            }
            Self::Pool(windows) => {
                let mut target = buffers.zeros(input.values.len());
                windows.spread(&input.values, output, &gradient, &mut target);
                target
            }
        }
    }
}
