//! BMP files that are refused.

use super::Refusal;

/// The headers of a picture of 16x16 pixels, and what follows them.
fn bmp(bits: u8, compression: u8, colours: u8, rest: &[u8]) -> Vec<u8> {
    let start = 54 + 4 * u32::from(colours);
    let mut bytes = b"BM\0\0\0\0\0\0\0\0".to_vec();
    bytes.extend(start.to_le_bytes());
    bytes.extend(b"\x28\0\0\0\x10\0\0\0\x10\0\0\0\x01\0");
    bytes.extend([bits, 0, compression, 0, 0, 0]);
    bytes.extend([0; 12]);
    bytes.extend([colours, 0, 0, 0, 0, 0, 0, 0]);
    [&bytes, rest].concat()
}

pub fn bmps() -> Vec<Refusal> {
    // Black and white, and a pixel of a third colour.
    let palette = [0, 0, 0, 0, 255, 255, 255, 0];
    let third = [&palette[..], &[1; 100], &[2], &[0; 155]].concat();
    vec![
        (
            "BMP that holds a JPEG",
            bmp(24, 4, 0, &[]),
            "BMP that holds a JPEG is not supported; convert it, for example to PNG",
        ),
        (
            "BMP that holds a PNG",
            bmp(24, 5, 0, &[]),
            "BMP that holds a PNG is not supported; convert it, for example to PNG",
        ),
        (
            "BMP, unknown compression",
            bmp(24, 9, 0, &[]),
            "BMP with compression number 9 is not supported; convert it, for example to PNG",
        ),
        (
            "BMP, cut off within its header",
            bmp(24, 0, 0, &[]),
            "expected a complete BMP image: 54 bytes cannot hold 16x16 pixels",
        ),
        (
            "BMP, cut off",
            bmp(24, 0, 0, &[0; 16 * 16 * 3 - 1]),
            "expected a complete BMP image: the data end before the picture does",
        ),
        (
            "BMP with a palette, cut off",
            bmp(8, 0, 2, &third[..third.len() - 1]),
            "expected a complete BMP image: the data end before the picture does",
        ),
        (
            "BMP, palette without one of its colours",
            bmp(8, 0, 2, &third),
            "expected a complete BMP image: the data are damaged: a colour is not in the palette",
        ),
        (
            "BMP, palette cut off",
            bmp(8, 1, 200, &[0; 400]),
            "expected a complete BMP image: the palette is cut off",
        ),
        (
            "BMP, run lengths that leave the picture",
            bmp(8, 1, 2, &[&palette[..], &[17, 1, 0, 1]].concat()),
            "expected a complete BMP image: the data are damaged: a run leaves the picture",
        ),
        (
            "BMP, run lengths cut off",
            bmp(8, 1, 2, &[&palette[..], &[16, 1]].concat()),
            "expected a complete BMP image: the data end before the picture does",
        ),
        (
            "BMP, 7 bits a pixel",
            bmp(7, 0, 0, &[0; 16 * 16]),
            "expected a complete BMP image: the header or the data make no sense",
        ),
    ]
}
