//! PNG files that are refused.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::super::pngs::chunk;
use super::Refusal;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The header of a picture of 4x4 pixels.
fn header(depth: u8, colours: u8, interlace: u8) -> Vec<u8> {
    chunk(b"IHDR", &[0, 0, 0, 4, 0, 0, 0, 4, depth, colours, 0, 0, interlace])
}

/// The data of some rows of four pixels each.
fn data(rows: usize) -> Vec<u8> {
    chunk(b"IDAT", &packed(rows))
}

fn packed(rows: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&[0, 0, 1, 2, 3].repeat(rows)).unwrap();
    encoder.finish().unwrap()
}

fn png(chunks: &[Vec<u8>]) -> Vec<u8> {
    [SIGNATURE, &chunks.concat(), &chunk(b"IEND", &[])].concat()
}

pub fn pngs() -> Vec<Refusal> {
    [headers(), damaged()].concat()
}

fn headers() -> Vec<Refusal> {
    let two_frames = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 0]);
    vec![
        (
            "PNG, animation",
            png(&[header(8, 0, 0), two_frames, data(4)]),
            "expected a single image, got an animation",
        ),
        (
            "PNG, two pictures",
            png(&[header(8, 0, 0), data(4)]).repeat(2),
            "expected a single image, got several pictures in one file",
        ),
        (
            "PNG of Apple's kind",
            png(&[chunk(b"CgBI", &[0; 4]), header(8, 0, 0), data(4)]),
            "PNG of Apple's own kind (CgBI) is not supported; convert it, for example to PNG",
        ),
        (
            "PNG without its header",
            png(&[data(4)]),
            "expected a complete PNG image: the header is missing",
        ),
        (
            "PNG, 3 bits",
            png(&[header(3, 0, 0), data(4)]),
            "expected a complete PNG image: the header has 3 bits a sample with colour type 0, which no PNG has",
        ),
        (
            "PNG, unknown order of rows",
            png(&[header(8, 0, 2), data(4)]),
            "expected a complete PNG image: the header has compression 0, filter 0 and interlace 2, expected 0, 0 and 0 or 1",
        ),
        (
            "PNG of no pixels",
            png(&[chunk(b"IHDR", &[0, 0, 0, 0, 0, 0, 0, 4, 8, 0, 0, 0, 0]), data(4)]),
            "expected a complete PNG image: the header gives a size of 0x4 pixels",
        ),
    ]
}

fn damaged() -> Vec<Refusal> {
    let whole = png(&[header(8, 0, 0), data(4)]);
    let mut changed = whole.clone();
    changed[29] ^= 1;
    let mut other = packed(4);
    *other.last_mut().unwrap() ^= 1;
    let palette = chunk(b"PLTE", &[50, 50, 50, 100, 100, 100, 150, 150, 150]);
    vec![
        (
            "PNG, cut off within its header",
            whole[..20].to_vec(),
            "expected a complete PNG image: the data end before the picture does",
        ),
        (
            "PNG, cut off",
            whole[..whole.len() - 20].to_vec(),
            "expected a complete PNG image: the data end before the picture does",
        ),
        (
            "PNG without its end",
            whole[..whole.len() - 12].to_vec(),
            "expected a complete PNG image: the data end before the picture does",
        ),
        (
            "PNG, a row is missing",
            png(&[header(8, 0, 0), data(3)]),
            "expected a complete PNG image: the data end before the picture does",
        ),
        (
            "PNG, a row too many",
            png(&[header(8, 0, 0), data(5)]),
            "expected a complete PNG image: the data go on after the end of the picture: the size in its header is wrong",
        ),
        (
            "PNG, damaged data",
            png(&[header(8, 0, 0), chunk(b"IDAT", &[0xFF; 20])]),
            "expected a complete PNG image: the data are damaged: they are no Deflate stream",
        ),
        (
            "PNG, wrong checksum of the data",
            png(&[header(8, 0, 0), chunk(b"IDAT", &other)]),
            "expected a complete PNG image: the data are damaged: their checksum is wrong",
        ),
        (
            "PNG, wrong checksum",
            changed,
            "expected a complete PNG image: the data are damaged: the checksum of a chunk is wrong",
        ),
        (
            "PNG without its palette",
            png(&[header(8, 3, 0), data(4)]),
            "expected a complete PNG image: the palette is missing",
        ),
        (
            "PNG, palette without one of its colours",
            png(&[header(8, 3, 0), palette, data(4)]),
            "expected a complete PNG image: the data are damaged: a colour is not in the palette",
        ),
        (
            "PNG, two headers",
            png(&[header(8, 0, 0), header(8, 0, 0), data(4)]),
            "expected a complete PNG image: the data are damaged: a chunk is missing, out of place or makes no sense",
        ),
    ]
}
