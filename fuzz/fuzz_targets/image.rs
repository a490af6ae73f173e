//! Bytes as an image file: refused, or a plane of intensities in [0, 1].
#![no_main]

#[path = "../../crates/bench-cli/src/io/decode.rs"]
mod decode;
#[allow(dead_code)]
#[path = "../../crates/bench-cli/src/io/read.rs"]
mod read;
#[path = "../../crates/bench-cli/src/io/shown.rs"]
mod shown;

use libfuzzer_sys::fuzz_target;
use shown::shown;

fuzz_target!(|bytes: &[u8]| {
    let Ok(image) = decode::decode(bytes) else { return };
    let (width, height) = (image.width() as usize, image.height() as usize);
    let Ok(plane) = read::grey(&image) else { return };
    assert_eq!(plane.size(), (width, height));
    assert!(plane.data().iter().all(|value| (0.0..=1.0).contains(value)));
});
