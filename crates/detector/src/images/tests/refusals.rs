//! A file for each sentence of a refusal.

mod bmp;
mod jpeg;
mod png;
mod tiff;

type Refusal = (&'static str, Vec<u8>, &'static str);

/// Names, files, and the sentences that are said of them.
pub fn refusals() -> Vec<Refusal> {
    [formats(), tiff::tiffs(), jpeg::jpegs(), png::pngs(), bmp::bmps()].concat()
}

fn formats() -> Vec<Refusal> {
    let head = |start: &[u8]| [start, &[0; 30]].concat();
    vec![
        ("an empty file", Vec::new(), "expected a PNG, TIFF, BMP or JPEG image, got an empty file"),
        (
            "text",
            b"a,b\n1,2\n".to_vec(),
            "expected a PNG, TIFF, BMP or JPEG image, got something else",
        ),
        (
            "GIF",
            head(b"GIF89a"),
            "expected a PNG, TIFF, BMP or JPEG image, got GIF; convert it, for example to PNG",
        ),
        (
            "WebP",
            head(b"RIFF\x20\0\0\0WEBPVP8X"),
            "expected a PNG, TIFF, BMP or JPEG image, got WebP; convert it, for example to PNG",
        ),
        (
            "JPEG 2000",
            head(b"\0\0\0\x0CjP  \r\n\x87\n"),
            "expected a PNG, TIFF, BMP or JPEG image, got JPEG 2000; convert it, for example to PNG",
        ),
        (
            "JPEG XL",
            head(&[0xFF, 0x0A]),
            "expected a PNG, TIFF, BMP or JPEG image, got JPEG XL; convert it, for example to PNG",
        ),
        (
            "AVIF",
            head(b"\0\0\0\x20ftypavif"),
            "expected a PNG, TIFF, BMP or JPEG image, got AVIF; convert it, for example to PNG",
        ),
        (
            "HEIF",
            head(b"\0\0\0\x20ftypheic"),
            "expected a PNG, TIFF, BMP or JPEG image, got HEIF; convert it, for example to PNG",
        ),
        (
            "MP4",
            head(b"\0\0\0\x18ftypmp42"),
            "expected a PNG, TIFF, BMP or JPEG image, got a video (MP4); convert it, for example to PNG",
        ),
        (
            "PGM",
            head(b"P5\n2 2\n255\n"),
            "expected a PNG, TIFF, BMP or JPEG image, got a netpbm image (PGM, PPM); convert it, for example to PNG",
        ),
        (
            "OpenEXR",
            head(&[0x76, 0x2F, 0x31, 0x01]),
            "expected a PNG, TIFF, BMP or JPEG image, got OpenEXR; convert it, for example to PNG",
        ),
        (
            "PDF",
            head(b"%PDF-1.7"),
            "expected a PNG, TIFF, BMP or JPEG image, got PDF; convert it, for example to PNG",
        ),
    ]
}
