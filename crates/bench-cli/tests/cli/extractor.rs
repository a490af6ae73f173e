//! Files with weights of SqueezeNet 1.1, as torchvision distributes them.

use candle_core::{Device, Tensor};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub type Weights = Vec<(String, Tensor)>;

/// Small weights by formula, by torchvision's names and in its layouts.
pub fn squeezenet() -> Weights {
    let mut layers = vec![("features.0".to_owned(), vec![64, 3, 3, 3])];
    for (module, inputs, squeeze, expand) in [(3, 64, 16, 64), (4, 128, 16, 64), (6, 128, 32, 128)]
    {
        let name = |part: &str| format!("features.{module}.{part}");
        layers.push((name("squeeze"), vec![squeeze, inputs, 1, 1]));
        layers.push((name("expand1x1"), vec![expand, squeeze, 1, 1]));
        layers.push((name("expand3x3"), vec![expand, squeeze, 3, 3]));
    }
    let tensor = |shape: &[usize]| {
        let value = |i: usize| ((i * 7919) % 201) as f32 / 1000.0 - 0.1;
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    };
    let both = layers.into_iter().flat_map(|(name, shape)| {
        let bias = (format!("{name}.bias"), tensor(&shape[..1]));
        [(format!("{name}.weight"), tensor(&shape)), bias]
    });
    both.collect()
}

pub fn write_safetensors(path: &Path, weights: &Weights) {
    let tensors = weights.iter().map(|(name, tensor)| (name.clone(), tensor.clone()));
    std::fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

/// A file as `torch.save(state_dict, path)` writes it since PyTorch 1.6: a zip archive, stored, with a pickle that refers to
/// storages in files of their own.
pub fn write_pytorch(path: &Path, weights: &Weights) {
    let mut archive = ZipWriter::new(File::create(path).unwrap());
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: &str, bytes: &[u8]| {
        archive.start_file(format!("archive/{name}"), options).unwrap();
        archive.write_all(bytes).unwrap();
    };
    add("data.pkl", &pickle(weights));
    add("byteorder", b"little");
    for (storage, (_, tensor)) in weights.iter().enumerate() {
        let values = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let bytes: Vec<u8> = values.into_iter().flat_map(f32::to_le_bytes).collect();
        add(&format!("data/{storage}"), &bytes);
    }
    add("version", b"3\n");
    archive.finish().unwrap();
}

/// Protocol 2: an `OrderedDict` of `torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())`.
fn pickle(weights: &Weights) -> Vec<u8> {
    const EMPTY_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";
    let mut bytes = [b"\x80\x02", EMPTY_DICT, b"("].concat();
    for (storage, (name, tensor)) in weights.iter().enumerate() {
        bytes.extend(text(name));
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        bytes.extend([text("storage"), b"ctorch\nFloatStorage\n".to_vec()].concat());
        bytes.extend([text(&storage.to_string()), text("cpu")].concat());
        bytes.extend([integer(tensor.elem_count()), b"tQ".to_vec(), integer(0)].concat());
        bytes.extend([tuple(tensor.dims()), tuple(tensor.stride())].concat());
        bytes.extend([b"\x89", EMPTY_DICT, b"tR"].concat());
    }
    bytes.extend(b"u.");
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [b"X", &(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

fn integer(number: usize) -> Vec<u8> {
    [b"J", &(number as i32).to_le_bytes()[..]].concat()
}

fn tuple(numbers: &[usize]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|&number| integer(number)).collect();
    [b"(".to_vec(), numbers, b"t".to_vec()].concat()
}
