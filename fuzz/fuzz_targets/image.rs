//! Bytes as an image file: refused, or a plane of intensities in [0, 1]. No decoder panics, although a panic would be a refusal.
#![no_main]

use detector::{Channel, Conversion, Error, Image, Levels, Result};
use libfuzzer_sys::fuzz_target;
use std::error::Error as _;

fuzz_target!(|bytes: &[u8]| {
    let file = tempfile::NamedTempFile::new().expect("a folder for temporary files");
    std::fs::write(file.path(), bytes).expect("room for a temporary file");
    check(detector::decode_image(bytes));
    for (levels, channel) in
        [(Levels::Bits(4), Channel::Saturation), (Levels::Range([0.25, 200.0]), Channel::Lightness)]
    {
        check(detector::read_image_with(file.path(), Conversion { levels, channel }));
    }
    if let Err(error) = detector::read_mask(file.path()) {
        check_refusal(&error);
    }
});

fn check(image: Result<Image>) {
    match image {
        Ok(image) => {
            let (width, height) = image.size();
            assert_eq!(image.data().len(), width * height);
            assert!(image.data().iter().all(|value| (0.0..=1.0).contains(value)));
        }
        Err(error) => check_refusal(&error),
    }
}

fn check_refusal(error: &Error) {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    assert!(
        !causes.any(|cause| cause.to_string().starts_with("the decoder failed")),
        "a decoder panicked"
    );
}
