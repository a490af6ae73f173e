//! TIFF files that are refused.

use super::super::tiffs::{Tiff, with_directory_below};
use super::Refusal;

pub fn tiffs() -> Vec<Refusal> {
    [contents(), compressions()].concat()
}

/// A TIFF with a further tag.
fn tagged(tag: u16, kind: u16, values: &[u64]) -> Tiff {
    Tiff { tags: vec![(tag, kind, values.to_vec())], ..Tiff::default() }
}

fn text(tag: u16, text: &str) -> Tiff {
    tagged(tag, 2, &text.bytes().map(u64::from).collect::<Vec<_>>())
}

fn ycbcr(tag: u16, values: &[u64]) -> Tiff {
    let kind = if tag == 530 { 3 } else { 5 };
    Tiff { photometric: 6, samples: 3, ..tagged(tag, kind, values) }
}

fn photometric(photometric: u64, samples: usize) -> Tiff {
    Tiff { photometric, samples, ..Tiff::default() }
}

fn contents() -> Vec<Refusal> {
    let whole = Tiff::default().encode();
    let files: Vec<(&str, Tiff, &str)> = vec![
        (
            "TIFF, inks",
            photometric(5, 4),
            "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says",
        ),
        (
            "TIFF, L*a*b*",
            photometric(8, 3),
            "TIFF with CIE L*a*b* colours is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, Bayer pattern",
            photometric(32_803, 1),
            "expected grey or red, green and blue, got the raw values of a colour filter array (Bayer pattern)",
        ),
        (
            "TIFF, raw values of a camera",
            photometric(34_892, 3),
            "expected grey or red, green and blue, got the raw values of a camera (LinearRaw)",
        ),
        (
            "TIFF, transparency mask",
            photometric(4, 1),
            "expected an image, got a transparency mask",
        ),
        (
            "TIFF, LogLuv",
            photometric(32_845, 3),
            "TIFF with photometric interpretation 32845 is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF that does not say what 0 is",
            Tiff { without: vec![262], ..Tiff::default() },
            "expected a complete TIFF image: the file does not say what its values mean (PhotometricInterpretation)",
        ),
        (
            "TIFF, grey with five channels",
            photometric(1, 5),
            "expected a grey image, got 5 channels",
        ),
        (
            "TIFF, RGB with five channels",
            Tiff { extra: vec![2, 0], ..photometric(2, 5) },
            "expected red, green and blue, got 5 channels",
        ),
        (
            "TIFF, grey with a second channel",
            photometric(1, 2),
            "expected a grey image, got a second channel, of which the file does not say that it is alpha",
        ),
        (
            "TIFF, associated alpha",
            Tiff { extra: vec![1], ..photometric(2, 4) },
            "TIFF whose colours are multiplied with alpha (associated alpha) is read where it is opaque only; convert it, for example to PNG",
        ),
        (
            "TIFF, RGB with two samples",
            photometric(2, 2),
            "expected a complete TIFF image: expected at least 3 samples a pixel, got 2",
        ),
        (
            "TIFF, palette and alpha",
            Tiff { tags: vec![(320, 3, vec![0; 768])], ..photometric(3, 2) },
            "TIFF with 2 samples a pixel, of which 1 are colours, is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF without its palette",
            photometric(3, 1),
            "expected a complete TIFF image: the palette is missing",
        ),
        (
            "TIFF, 16-bit palette",
            Tiff { bits: 16, ..photometric(3, 1) },
            "expected a complete TIFF image: expected integers of at most 8 bits a pixel with a palette",
        ),
        (
            "TIFF, signed integers",
            Tiff { format: 2, ..Tiff::default() },
            "signed integers are not read, only unsigned ones of up to 16 bits and floats",
        ),
        (
            "TIFF, 32-bit integers",
            Tiff { bits: 32, ..Tiff::default() },
            "32-bit integers are not read, only those of up to 16 bits and floats",
        ),
        (
            "TIFF, 16-bit floats",
            Tiff { bits: 16, format: 3, ..Tiff::default() },
            "16-bit floats are not read, only those of 32 and 64 bits; convert it, for example to PNG",
        ),
        (
            "TIFF, complex numbers",
            Tiff { bits: 64, format: 6, ..Tiff::default() },
            "complex numbers are not read, only integers and floats",
        ),
        (
            "TIFF, floats in which 0 is white",
            Tiff { bits: 32, format: 3, photometric: 0, ..Tiff::default() },
            "TIFF of floats in which 0 is white is not supported",
        ),
        (
            "TIFF, samples of different depths",
            Tiff { samples: 3, photometric: 2, ..tagged(258, 3, &[5, 6, 5]) },
            "TIFF whose samples have different depths is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, samples of different formats",
            Tiff { samples: 3, photometric: 2, ..tagged(339, 3, &[1, 1, 2]) },
            "TIFF whose samples have different formats is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, volume",
            tagged(32_997, 4, &[3]),
            "expected a single image, got a volume of 3 slices",
        ),
        (
            "TIFF, ImageJ stack",
            text(270, "ImageJ=1.53t\nimages=2\nslices=2\n\0"),
            "expected a single image, got an ImageJ stack of 2 images",
        ),
        (
            "TIFF, tifffile stack",
            text(270, "{\"shape\": [3, 13, 21]}\0"),
            "expected a single image, got a tifffile stack of 3 images",
        ),
        (
            "TIFF, MetaMorph stack",
            tagged(33_629, 5, &[1, 1, 1]),
            "expected a single image, got a MetaMorph stack of 3 images",
        ),
        (
            "TIFF, nothing but a smaller copy",
            tagged(254, 4, &[1]),
            "expected a picture of full size, got nothing but what is marked as a smaller copy or as a mask (NewSubfileType)",
        ),
        (
            "TIFF, YCbCr, Rec. 709",
            ycbcr(529, &[0, 1, 0]),
            "TIFF with YCbCr colours other than Rec. 601 is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, YCbCr, 16 to 235",
            ycbcr(532, &[16, 235, 128, 240, 128, 240]),
            "TIFF with YCbCr colours that do not use the whole range is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, YCbCr, 16 bits",
            Tiff { bits: 16, ..photometric(6, 3) },
            "TIFF with YCbCr colours of other than 8 bits is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, YCbCr, subsampled planes",
            Tiff { is_planar: true, ..ycbcr(530, &[2, 2]) },
            "TIFF with fewer samples of chroma is not supported in planes or with a predictor; convert it, for example to PNG",
        ),
        (
            "TIFF, strips of no rows",
            Tiff { tags: vec![(278, 3, vec![0])], ..Tiff::default() },
            "expected a complete TIFF image: the strips or tiles have 21x0 pixels",
        ),
        (
            "TIFF, no strips",
            Tiff { without: vec![273], ..Tiff::default() },
            "expected a complete TIFF image: the places of the data are missing",
        ),
        (
            "TIFF, too few strips",
            tagged(273, 4, &[8]),
            "expected a complete TIFF image: expected 3 strips or tiles, got 1",
        ),
        (
            "TIFF, a strip that is not stored",
            tagged(273, 4, &[8, 0, 100]),
            "expected a complete TIFF image: the data lie outside of the file",
        ),
        (
            "TIFF, a strip that is too short",
            tagged(279, 4, &[105, 100, 63]),
            "expected a complete TIFF image: strip 1: the data end before the picture does: 100 bytes cannot hold it",
        ),
        (
            "TIFF, no size",
            tagged(256, 3, &[0]),
            "expected a complete TIFF image: the header gives a size of 0x13 pixels",
        ),
        (
            "TIFF, too wide",
            tagged(256, 4, &[1 << 24]),
            "expected a complete TIFF image: the image has 16777216x13 pixels, at most 32768 a side, 268435456 in all and 1024 MiB are read",
        ),
    ];
    let mut refusals: Vec<Refusal> =
        files.into_iter().map(|(name, tiff, sentence)| (name, tiff.encode(), sentence)).collect();
    refusals.push((
        "TIFF without a directory",
        b"II*\0\0\0\0\0".to_vec(),
        "expected a complete TIFF image: the file has no directory",
    ));
    refusals.push((
        "TIFF, cut off",
        whole[..whole.len() - 100].to_vec(),
        "expected a complete TIFF image: the file is cut off within a directory",
    ));
    refusals.push((
        "TIFF, picture below a smaller copy (DNG)",
        with_directory_below(1, 0),
        "TIFF with pictures below others (SubIFDs), as DNG, is not supported; convert it, for example to PNG",
    ));
    let mut circle = whole;
    let start = circle[4..8].to_vec();
    let end = circle.len() - 4;
    circle[end..].copy_from_slice(&start);
    refusals.push((
        "TIFF, circle of directories",
        circle,
        "expected a complete TIFF image: the directories form a circle",
    ));
    refusals
}

fn compressions() -> Vec<Refusal> {
    let packed = |compression| Tiff { compression, ..Tiff::default() };
    let files: Vec<(&str, Tiff, &str)> = vec![
        (
            "TIFF, CCITT modified Huffman",
            packed(2),
            "TIFF with CCITT modified Huffman compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, CCITT Group 3",
            packed(3),
            "TIFF with CCITT Group 3 compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, old-style JPEG",
            packed(6),
            "TIFF with old-style JPEG compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, JPEG 2000",
            packed(34_712),
            "TIFF with JPEG 2000 compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, LERC",
            packed(34_887),
            "TIFF with LERC compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, LZMA",
            packed(34_925),
            "TIFF with LZMA compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, Zstandard",
            packed(50_000),
            "TIFF with Zstandard compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, WebP",
            packed(50_001),
            "TIFF with WebP compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, JPEG XL",
            packed(50_002),
            "TIFF with JPEG XL compression is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, ThunderScan",
            packed(32_809),
            "TIFF with compression number 32809 is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, predictor without compression",
            Tiff { predictor: 2, ..packed(1) },
            "TIFF with a predictor is not supported unless its compression is LZW or Deflate; convert it, for example to PNG",
        ),
        (
            "TIFF, predictor of 12 bits",
            Tiff { predictor: 2, bits: 12, ..packed(5) },
            "TIFF with predictor 2 on 12 bits a sample is not supported; convert it, for example to PNG",
        ),
        (
            "TIFF, unknown predictor",
            Tiff { predictor: 4, ..packed(5) },
            "expected a complete TIFF image: expected predictor 1, 2 or 3, got 4",
        ),
    ];
    let mut refusals: Vec<Refusal> =
        files.into_iter().map(|(name, tiff, sentence)| (name, tiff.encode(), sentence)).collect();
    // The first code of old writers, which clears the table, begins with zeros.
    let mut old = Tiff { rows_per_strip: 13, ..packed(5) }.encode();
    old[8..10].copy_from_slice(&[0, 1]);
    refusals.push((
        "TIFF, old-style LZW",
        old,
        "TIFF with old-style LZW compression is not supported; convert it, for example to PNG",
    ));
    let mut damaged = Tiff { rows_per_strip: 13, ..packed(8) }.encode();
    damaged[8] = 0xFF;
    refusals.push((
        "TIFF, damaged Deflate",
        damaged,
        "expected a complete TIFF image: strip 0: the data are damaged: they are no Deflate stream",
    ));
    refusals
}
