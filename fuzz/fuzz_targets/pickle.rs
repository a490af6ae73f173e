//! Bytes as the pickle of a PyTorch file: refused, or tensors whose shapes have a size.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(tensors) = detector::pickle::state_dict(bytes) else { return };
    for (name, tensor) in tensors {
        assert!(name.len() + tensor.storage.len() + tensor.shape.len() <= bytes.len());
    }
});
