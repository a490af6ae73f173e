//! The sentences that files of other programs may be refused in. Another one, such as a library's own or that of a panic, is a fault.

/// In the order of the alphabet.
pub const REFUSALS: [&str; 16] = [
    "JPEG with 2 components is not supported, only grey and colour; convert it, for example to PNG",
    "TIFF whose colours are multiplied with alpha (associated alpha) is read where it is opaque only; convert it, for example to PNG",
    "TIFF with CCITT Group 3 compression is not supported; convert it, for example to PNG",
    "TIFF with CCITT modified Huffman compression is not supported; convert it, for example to PNG",
    "TIFF with JPEG compression is read with 8 bits a sample and without alpha only; convert it, for example to PNG",
    "TIFF with LZMA compression is not supported; convert it, for example to PNG",
    "TIFF with Zstandard compression is not supported; convert it, for example to PNG",
    "expected a complete JPEG image: the data end before the picture does",
    "expected a complete JPEG image: the data end before the picture does: a scan is missing",
    "expected a complete TIFF image: strip 0: the data end before the picture does",
    "expected a grey image, got 16 channels",
    "expected a grey image, got a second channel, of which the file does not say that it is alpha",
    "expected a single image, got a volume of 16 slices",
    "expected a single image, got several pages",
    "expected a single image, got several pictures in one file",
    "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says",
];
