// The state of a PyTorch module as `torch.save(model.state_dict(), path)` writes it: a zip archive without compression, of a pickle that
// names the tensors, and of a file of numbers for each of them. Only the bytes that no reader looks at are left out.

use std::io::Write as _;

/// Output channels, kernel, stride and padding of the encoder's layers but the last: the paper's Table 1.
const TABLE_1: [[usize; 4]; 8] = [
    [32, 4, 2, 1],
    [32, 4, 2, 1],
    [32, 3, 1, 1],
    [64, 4, 2, 1],
    [64, 3, 1, 1],
    [128, 4, 2, 1],
    [64, 3, 1, 1],
    [32, 3, 1, 1],
];

/// Multiples of 2⁻²³ in [-1, 1), exact in f32.
pub fn noise(seed: u64, count: usize) -> impl Iterator<Item = f32> {
    let mut state = 2 * seed + 1;
    (0..count).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

/// The weights of the network of Table 1 as `fill` in `data/pytorch.py` makes them: names, shapes and values in PyTorch's layout and order.
pub fn table_1(patch_size: usize, latent_dim: usize) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let skipped = (128 / patch_size).ilog2() as usize;
    let mut table = TABLE_1[skipped..].to_vec();
    table.push([latent_dim, 8, 1, 0]);
    let inputs = std::iter::once(1).chain(table.iter().map(|layer| layer[0]));
    let layers: Vec<_> = inputs.zip(&table).map(|(inputs, layer)| (inputs, *layer)).collect();
    let encoder = layers.iter().enumerate().map(|(i, &(inputs, [outputs, kernel, ..]))| {
        (format!("encoder.{}", 2 * i), [outputs, inputs, kernel, kernel], outputs, 1)
    });
    let decoder = layers.iter().rev().enumerate();
    let decoder = decoder.map(|(i, &(outputs, [inputs, kernel, stride, _]))| {
        (format!("decoder.{}", 2 * i), [inputs, outputs, kernel, kernel], outputs, stride)
    });

    let mut tensors = Vec::new();
    for (layer, (name, shape, outputs, stride)) in encoder.chain(decoder).enumerate() {
        let seed = 2 * layer as u64;
        let inputs = if name.starts_with("encoder") { shape[1] } else { shape[0] };
        let fan_in = inputs * shape[2] * shape[2] / (stride * stride);
        let scale = (6.0 / fan_in as f64).sqrt().log2().round().exp2() as f32;
        let weight = noise(seed, shape.iter().product()).map(|value| scale * value);
        tensors.push((format!("{name}.weight"), shape.to_vec(), weight.collect()));
        let bias = noise(seed + 1, outputs).map(|value| value / 8.0);
        tensors.push((format!("{name}.bias"), vec![outputs], bias.collect()));
    }
    tensors
}

/// Writes tensors as PyTorch does.
pub fn write_state_dict(
    path: &std::path::Path,
    tensors: &[(String, Vec<usize>, Vec<f32>)],
) -> std::io::Result<()> {
    let mut archive = zip::ZipWriter::new(std::fs::File::create(path)?);
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("model/data.pkl", stored)?;
    archive.write_all(&pickle(tensors))?;
    for (number, (_, _, values)) in tensors.iter().enumerate() {
        archive.start_file(format!("model/data/{number}"), stored)?;
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.write_all(&bytes)?;
    }
    archive.start_file("model/version", stored)?;
    archive.write_all(b"3\n")?;
    archive.finish()?;
    Ok(())
}

/// An ordered dictionary of calls to `torch._utils._rebuild_tensor_v2`, in protocol 2 (Python's `pickletools` names the opcodes).
fn pickle(tensors: &[(String, Vec<usize>, Vec<f32>)]) -> Vec<u8> {
    const EMPTY_ORDERED_DICT: &[u8] = b"ccollections\nOrderedDict\n)R";
    let mut bytes = b"\x80\x02".to_vec();
    bytes.extend(EMPTY_ORDERED_DICT);
    bytes.push(b'(');
    for (number, (name, shape, values)) in tensors.iter().enumerate() {
        text(&mut bytes, name);
        bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut bytes, "storage");
        bytes.extend(b"ctorch\nFloatStorage\n");
        text(&mut bytes, &number.to_string());
        text(&mut bytes, "cpu");
        integer(&mut bytes, values.len());
        bytes.extend(b"tQ");
        integer(&mut bytes, 0);
        tuple(&mut bytes, shape);
        let strides: Vec<usize> =
            (1..=shape.len()).map(|dim| shape[dim..].iter().product()).collect();
        tuple(&mut bytes, &strides);
        // It has no gradient, and no hooks.
        bytes.push(b'\x89');
        bytes.extend(EMPTY_ORDERED_DICT);
        bytes.extend(b"tR");
    }
    bytes.extend(b"u.");
    bytes
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'X');
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn integer(bytes: &mut Vec<u8>, value: usize) {
    bytes.push(b'J');
    bytes.extend((value as i32).to_le_bytes());
}

fn tuple(bytes: &mut Vec<u8>, values: &[usize]) {
    bytes.push(b'(');
    values.iter().for_each(|&value| integer(bytes, value));
    bytes.push(b't');
}
