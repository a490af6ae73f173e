//! The network as an ONNX model.

mod proto;

use crate::Result;
use crate::architecture::{Architecture, Latent};
use crate::autoencoder::Autoencoder;
use crate::autoencoder::half::Half;
use crate::posterior::MAX_LOG_VARIANCE;
use candle_core::Tensor;
use convolutions::Direction;
use prost::Message;
use proto::{Attribute, Graph, Model, Node, OperatorSet, TensorData, Value};

/// The version of ONNX's operators; all runtimes since 2021 have it.
const OPERATORS: i64 = 13;
/// The version of the format that came with them.
const FORMAT: i64 = 7;

/// The names of the model's inputs and outputs.
const PATCHES: &str = "patches";
const NOISE: &str = "noise";
const RECONSTRUCTIONS: &str = "reconstructions";

impl Autoencoder {
    /// The network as an ONNX model, of operator set 13, with all weights in it.
    ///
    /// It takes `patches` `(N, 1, patch_size, patch_size)` with intensities in [0, 1] and gives `reconstructions` of the same
    /// shape, as [`forward`](candle_core::Module::forward) does, but for rounding. With [`Latent::Normal`] it also takes `noise`
    /// `(N, latent_dim)`: standard normal values give the reconstruction of a latent vector drawn from the posterior, zeros that
    /// of its mean. Weights carry the names of [`to_safetensors`](Self::to_safetensors).
    ///
    /// ```
    /// use candle_core::{DType, Device};
    /// use candle_nn::VarBuilder;
    /// use models::{Architecture, Autoencoder};
    ///
    /// let architecture = Architecture { patch_size: 32, latent_dim: 4, ..Architecture::default() };
    /// let vb = VarBuilder::zeros(DType::F32, &Device::Cpu);
    /// let model = Autoencoder::new(&architecture, vb)?.to_onnx()?;
    /// let names = |name: &[u8]| model.windows(name.len()).any(|bytes| bytes == name);
    /// assert!(names(b"patches") && names(b"encoder.0.weight") && !names(b"noise"));
    /// # Ok::<(), models::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::Error::Tensor`] if the device fails.
    pub fn to_onnx(&self) -> Result<Vec<u8>> {
        let model = Model {
            ir_version: FORMAT,
            producer_name: env!("CARGO_PKG_NAME").to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(self.graph()?),
            opset_import: vec![OperatorSet { domain: String::new(), version: OPERATORS }],
        };
        Ok(model.encode_to_vec())
    }

    fn graph(&self) -> Result<Graph> {
        let Architecture { patch_size, latent_dim, latent } = self.architecture();
        let patches = |name| Value::floats(name, &[Architecture::CHANNELS, patch_size, patch_size]);
        let mut graph = Graph {
            name: "autoencoder".to_owned(),
            input: vec![patches(PATCHES)],
            output: vec![patches(RECONSTRUCTIONS)],
            ..Graph::default()
        };
        for (name, tensor) in self.named_tensors()? {
            graph.initializer.push(floats(name, &tensor)?);
        }
        let codes = match latent {
            Latent::Vector => "codes",
            Latent::Normal => "posterior",
        };
        let [encoder, decoder] = self.halves();
        append(&mut graph.node, encoder, PATCHES, codes);
        if latent == Latent::Normal {
            graph.input.push(Value::floats(NOISE, &[latent_dim]));
            draw_codes(&mut graph);
        }
        append(&mut graph.node, decoder, "codes", RECONSTRUCTIONS);
        Ok(graph)
    }
}

/// Adds the layers of half a network.
fn append(nodes: &mut Vec<Node>, half: &Half, input: &str, output: &str) {
    let layers = half.chain().layers();
    let mut maps = input.to_owned();
    for (i, layer) in layers.iter().enumerate() {
        let name = half.layer_name(i);
        let sums = if i + 1 == layers.len() { output.to_owned() } else { format!("{name}.sums") };
        let operator = match layer.direction {
            Direction::Convolution => "Conv",
            Direction::Transposed => "ConvTranspose",
        };
        let [weight, bias] = ["weight", "bias"].map(|tensor| format!("{name}.{tensor}"));
        let mut node = Node::new(operator, &[&maps, &weight, &bias], &[&sums]);
        let [kernel, stride, padding] =
            [layer.conv.kernel, layer.conv.stride, layer.conv.padding].map(|size| size as i64);
        node.attribute = vec![
            Attribute::ints("kernel_shape", [kernel; 2]),
            Attribute::ints("strides", [stride; 2]),
            Attribute::ints("pads", [padding; 4]),
        ];
        nodes.push(node);
        maps = sums;
        if let Some(slope) = layer.slope {
            let rectified = format!("{name}.maps");
            let mut node = Node::new("LeakyRelu", &[&maps], &[&rectified]);
            node.attribute = vec![Attribute::float("alpha", slope)];
            nodes.push(node);
            maps = rectified;
        }
    }
}

/// Adds the drawing of latent vectors, as [`crate::Posterior`] does it: from maps `(N, 2 · latent_dim, 1, 1)` to `(N, latent_dim, 1, 1)`.
fn draw_codes(graph: &mut Graph) {
    graph.initializer.extend([
        scalar("smallest", -MAX_LOG_VARIANCE as f32),
        scalar("largest", MAX_LOG_VARIANCE as f32),
        scalar("half", 0.5),
        // The first two sizes are kept and found out.
        TensorData::integers("noise.shape", &[0, -1, 1, 1]),
    ]);
    let mut split = Node::new("Split", &["posterior"], &["mean", "log_variance"]);
    split.attribute = vec![Attribute::int("axis", 1)];
    graph.node.extend([
        split,
        Node::new("Clip", &["log_variance", "smallest", "largest"], &["log_variance.clipped"]),
        Node::new("Mul", &["log_variance.clipped", "half"], &["log_deviation"]),
        Node::new("Exp", &["log_deviation"], &["deviation"]),
        Node::new("Reshape", &[NOISE, "noise.shape"], &["noise.maps"]),
        Node::new("Mul", &["deviation", "noise.maps"], &["deviation.drawn"]),
        Node::new("Add", &["mean", "deviation.drawn"], &["codes"]),
    ]);
}

fn scalar(name: &str, value: f32) -> TensorData {
    TensorData::floats(name.to_owned(), &[], &[value])
}

fn floats(name: String, tensor: &Tensor) -> Result<TensorData> {
    let values = tensor.flatten_all()?.to_vec1::<f32>()?;
    Ok(TensorData::floats(name, tensor.dims(), &values))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use candle_core::{DType, Device};
    use candle_nn::VarBuilder;
    use std::collections::HashSet;

    fn graph(latent: Latent) -> Graph {
        let architecture = Architecture { patch_size: 64, latent_dim: 5, latent };
        let vb = VarBuilder::zeros(DType::F32, &Device::Cpu);
        let model = Autoencoder::new(&architecture, vb).unwrap();
        Model::decode(model.to_onnx().unwrap().as_slice()).unwrap().graph.unwrap()
    }

    /// Each value is an input, a weight or the output of an earlier node, and has one origin.
    #[test]
    fn nodes_are_in_order_and_nothing_is_missing() {
        for latent in [Latent::Vector, Latent::Normal] {
            let graph = graph(latent);
            let inputs = graph.input.iter().map(|value| value.name.clone());
            let weights = graph.initializer.iter().map(|tensor| tensor.name.clone());
            let mut known: HashSet<String> = inputs.chain(weights).collect();
            let mut used = HashSet::new();
            for node in &graph.node {
                for input in &node.input {
                    assert!(known.contains(input), "{input} is not known before {}", node.op_type);
                    used.insert(input.clone());
                }
                for output in &node.output {
                    assert!(known.insert(output.clone()), "{output} has two origins");
                }
            }
            used.insert(RECONSTRUCTIONS.to_owned());
            assert_eq!(used, known, "nothing is superfluous");
        }
    }

    #[test]
    fn weights_have_pytorchs_shapes_and_bytes() {
        let graph = graph(Latent::Vector);
        let weight = |name: &str| {
            graph.initializer.iter().find(|tensor| tensor.name == name).unwrap().clone()
        };
        assert_eq!(weight("encoder.0.weight").dims, [32, 1, 4, 4]);
        assert_eq!(weight("decoder.0.weight").dims, [5, 32, 8, 8]);
        assert_eq!(weight("decoder.14.weight").raw_data.len(), 4 * 32 * 4 * 4);
        assert_eq!(weight("decoder.14.bias").raw_data, 0f32.to_le_bytes());
    }

    /// Every layer of the paper's Table 1 but the first, which patches of 64 pixels go without, in both directions.
    #[test]
    fn layers_are_those_of_table_1() {
        let graph = graph(Latent::Vector);
        let count = |operator| graph.node.iter().filter(|node| node.op_type == operator).count();
        assert_eq!((count("Conv"), count("ConvTranspose"), count("LeakyRelu")), (8, 8, 14));
        let inputs = |latent| self::graph(latent).input.len();
        assert_eq!((inputs(Latent::Vector), inputs(Latent::Normal)), (1, 2));
    }
}
