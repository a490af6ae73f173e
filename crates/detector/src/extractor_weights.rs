//! Weights of feature extractors, as torchvision distributes them.

use crate::error::{Context, ensure};
use crate::files::{read_file, sha256, shown};
use crate::pickle::{self, StoredTensor};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use models::Extractor;
use std::collections::HashMap;
use std::io::{Cursor, Read};
use std::path::Path;
use zip::ZipArchive;

/// The tensors that an extractor needs, and the hash of their file.
pub struct ExtractorWeights {
    /// By torchvision's names, on the CPU.
    pub tensors: HashMap<String, Tensor>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The longest file of weights that is read, in bytes: eight times AlexNet's.
const MAX_BYTES: u64 = 2 << 30;

/// How a zip archive begins, in which PyTorch has kept its pickles since 1.6.
const ZIP: &[u8] = b"PK";
/// How a bare pickle begins, as PyTorch wrote them before.
const PICKLE: &[u8] = b"\x80";

/// Reads the extractor's tensors from a PyTorch file or a safetensors file, told apart by content. Those that are missing are
/// left out. A name that ends in `-` and eight hexadecimal digits, as torchvision's do, must begin the file's hash.
///
/// # Errors
/// If the file cannot be read, is of another format, is damaged, or has another hash; the error names it.
pub fn read_extractor_weights(path: &Path, extractor: Extractor) -> Result<ExtractorWeights> {
    let bytes = read_file(path, MAX_BYTES)?;
    let sha256 = sha256(&bytes);
    if let Some(expected) = hash_in_name(path)
        && !sha256.starts_with(expected)
    {
        let expected = format!(
            "expected a file whose SHA-256 begins with {expected}, as its name says, got {sha256}"
        );
        return Err(Error::file(path, expected));
    }
    let name = shown(path);
    let tensors = match &*bytes {
        bytes if bytes.starts_with(ZIP) => from_pytorch(bytes, extractor).with_context(|| {
            format!("{name}: expected a complete PyTorch file with the weights of {extractor}")
        })?,
        bytes if bytes.starts_with(PICKLE) => {
            let expected = "expected a PyTorch file of version 1.6 or later; `torch.save(torch.load(old), new)` makes one \
                            of an older file";
            return Err(Error::file(path, expected));
        }
        bytes => from_safetensors(bytes, extractor)
            .with_context(|| format!("{name}: expected a PyTorch or safetensors file"))?,
    };
    Ok(ExtractorWeights { tensors, sha256 })
}

/// The digits of a name such as `alexnet-owt-7be5be79.pth`.
fn hash_in_name(path: &Path) -> Option<&str> {
    let (_, digits) = path.file_stem()?.to_str()?.rsplit_once('-')?;
    let is_hash = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(digits)
}

/// Of a zip archive whose files are stored as they are, so that none is larger than the archive.
fn from_pytorch(bytes: &[u8], extractor: Extractor) -> Result<HashMap<String, Tensor>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let names = archive.file_names().map(|name| Ok(name?.into_owned()));
    let names = names.collect::<Result<Vec<String>>>()?;
    let folder = names.iter().find_map(|name| name.strip_suffix("data.pkl"));
    let folder = folder.context("expected a file `data.pkl`")?.to_owned();
    let mut pickle = Vec::new();
    let entry = archive.by_name(&format!("{folder}data.pkl"))?;
    entry.take(pickle::LONGEST + 1).read_to_end(&mut pickle)?;
    let stored = pickle::state_dict(&pickle).context("data.pkl")?;
    let mut tensors = HashMap::new();
    for (name, shape) in extractor.tensors() {
        if let Some(stored) = stored.get(&name) {
            let tensor = read_stored(&mut archive, &folder, stored, &shape);
            let tensor = tensor.with_context(|| format!("tensor `{name}`"))?;
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
}

fn read_stored(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    folder: &str,
    stored: &StoredTensor,
    shape: &[usize],
) -> Result<Tensor> {
    let StoredTensor { storage, offset, shape: got } = stored;
    ensure!(got == shape, "expected shape {shape:?}, got {got:?}");
    let skipped = offset.checked_mul(size_of::<f32>()).context("it lies too far behind")?;
    let length = shape.iter().product::<usize>() * size_of::<f32>();
    let mut entry = archive.by_name(&format!("{folder}data/{storage}"))?;
    std::io::copy(&mut entry.by_ref().take(skipped as u64), &mut std::io::sink())?;
    let mut values = Vec::new();
    entry.take(length as u64).read_to_end(&mut values)?;
    ensure!(values.len() == length, "expected {length} bytes, got {}", values.len());
    let values = values.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    Ok(Tensor::from_vec(values.collect(), shape, &Device::Cpu)?)
}

fn from_safetensors(bytes: &[u8], extractor: Extractor) -> Result<HashMap<String, Tensor>> {
    let mut all = candle_core::safetensors::load_buffer(bytes, &Device::Cpu)?;
    let wanted = extractor.tensors().into_iter();
    Ok(wanted.filter_map(|(name, _)| Some((name.clone(), all.remove(&name)?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_recognised() {
        let hash = |name: &'static str| hash_in_name(Path::new(name));
        assert_eq!(hash("weights/alexnet-owt-7be5be79.pth"), Some("7be5be79"));
        assert_eq!(hash("squeezenet1_1-b8a52dc0.pth"), Some("b8a52dc0"));
        for name in
            ["squeezenet1_1_features.pth", "alexnet-owt.pth", "a-1234567g.pth", "7be5be79.pth"]
        {
            assert_eq!(hash(name), None, "{name}");
        }
    }
}
