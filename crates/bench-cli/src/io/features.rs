//! Weights of feature extractors, as torchvision distributes them.

use super::hash::sha256;
use anyhow::{Context, Result, bail};
use candle_core::pickle::PthTensors;
use candle_core::{Device, Tensor};
use models::Extractor;
use std::collections::HashMap;
use std::path::Path;

/// The tensors that an extractor needs, and the hash of their file.
pub struct FeatureWeights {
    pub tensors: HashMap<String, Tensor>,
    pub sha256: String,
}

/// How a zip archive begins, in which PyTorch has kept its pickles since 1.6.
const ZIP: &[u8] = b"PK";
/// How a bare pickle begins, as PyTorch wrote them before.
const PICKLE: &[u8] = b"\x80";

/// Reads the extractor's tensors from a PyTorch file or a safetensors file, told apart by content. Those that are missing are
/// left out. A name that ends in `-` and eight hexadecimal digits, as torchvision's do, must begin the file's hash.
///
/// # Errors
/// If the file cannot be read, is of another format, is damaged, or has another hash; the error names it.
pub fn read_feature_weights(path: &Path, extractor: Extractor) -> Result<FeatureWeights> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let sha256 = sha256(&bytes);
    if let Some(expected) = hash_in_name(path)
        && !sha256.starts_with(expected)
    {
        bail!(
            "{name}: expected a file whose SHA-256 begins with {expected}, as its name says, got {sha256}"
        );
    }
    let tensors = match &*bytes {
        bytes if bytes.starts_with(ZIP) => from_pytorch(path, extractor).with_context(|| {
            format!("{name}: expected a complete PyTorch file with the weights of {extractor}")
        })?,
        bytes if bytes.starts_with(PICKLE) => bail!(
            "{name}: expected a PyTorch file of version 1.6 or later; `torch.save(torch.load(old), new)` makes one of an \
             older file"
        ),
        bytes => from_safetensors(bytes, extractor)
            .with_context(|| format!("{name}: expected a PyTorch or safetensors file"))?,
    };
    Ok(FeatureWeights { tensors, sha256 })
}

/// The digits of a name such as `alexnet-owt-7be5be79.pth`.
fn hash_in_name(path: &Path) -> Option<&str> {
    let (_, digits) = path.file_stem()?.to_str()?.rsplit_once('-')?;
    let is_hash = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(digits)
}

fn from_pytorch(path: &Path, extractor: Extractor) -> Result<HashMap<String, Tensor>> {
    let file = PthTensors::new(path, None)?;
    let mut tensors = HashMap::new();
    for (name, _) in extractor.tensors() {
        if let Some(tensor) = file.get(&name).with_context(|| format!("tensor `{name}`"))? {
            tensors.insert(name, tensor);
        }
    }
    Ok(tensors)
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
