//! Bytes as an image file: refused, or a plane of intensities in [0, 1].
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(image) = detector::decode_image(bytes) else { return };
    let (width, height) = image.size();
    assert_eq!(image.data().len(), width * height);
    assert!(image.data().iter().all(|value| (0.0..=1.0).contains(value)));
});
