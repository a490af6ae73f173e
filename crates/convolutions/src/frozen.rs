//! Chains whose weights do not change.

use super::chain::{Stage, Step, rectify};
use super::{Buffer, Chain, Epilogue, Kernel, Mode};
use candle_core::{Result, Shape};

/// A chain on the CPU for maps of one size, its weights already in the orders in which they are read.
pub struct Frozen {
    chain: Chain,
    parameters: Vec<f32>,
    stages: Vec<Stage>,
    forward: Vec<Step>,
    /// The input gradient of each layer.
    backward: Vec<Kernel>,
}

impl Frozen {
    /// The chain for maps like `input`, `(N, H, W, C)`.
    ///
    /// # Errors
    /// As [`Chain::apply`].
    pub fn new(chain: &Chain, input: &Shape, parameters: Vec<f32>) -> Result<Self> {
        let stages = chain.stages(input, parameters.len())?;
        let layers = chain.layers().iter().zip(chain.places());
        let backward = layers.zip(stages.windows(2)).map(|((layer, (weights, _)), stages)| {
            let (input, output) = (stages[0].size, stages[1].size);
            layer.input_gradient(&parameters[weights], input, output, &chain.buffers)
        });
        let (backward, forward) = (backward.collect(), chain.steps(&stages, &parameters));
        Ok(Self { chain: chain.clone(), parameters, stages, forward, backward })
    }

    /// The shape of the output for so many maps.
    pub fn output(&self, maps: usize) -> Shape {
        self.stages[self.stages.len() - 1].shape(maps)
    }

    /// Writes the output of the last layer, and returns those of all others if the gradient will need them.
    pub fn forward(&self, input: &[f32], mode: Mode, output: &mut [f32]) -> Vec<Buffer> {
        self.chain.run(&self.forward, &self.parameters, input, mode, output)
    }

    /// The gradient of the input for that of the output. `outputs` are those of all layers.
    pub fn backward(&self, outputs: &[&[f32]], mut gradient: Buffer) -> Buffer {
        let buffers = &self.chain.buffers;
        let layers = self.chain.layers().iter().zip(&self.backward);
        for ((layer, kernel), (output, stages)) in
            layers.zip(outputs.iter().zip(self.stages.windows(2))).rev()
        {
            if let Some(slope) = layer.slope {
                rectify(&mut gradient, output, slope);
            }
            let (input, output) = (stages[0].len(), stages[1].len());
            let mut next = buffers.take(gradient.len() / output * input);
            kernel.run(&gradient, Epilogue::default(), buffers, &mut next);
            gradient = next;
        }
        gradient
    }
}
