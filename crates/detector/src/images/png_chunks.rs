//! The chunks of a PNG file (ISO/IEC 15948, section 5).

use std::io::{self, Read};

use flate2::Crc;
use flate2::bufread::ZlibDecoder;
use memchr::memmem;

use super::limits::Size;
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::refusal::{CONVERT, EARLY, demand};

pub const LONG: &str =
    "the data go on after the end of the picture: the size in its header is wrong";
pub const NO_DEFLATE: &str = "the data are damaged: they are no Deflate stream";
pub const CHECKSUM: &str = "the data are damaged: the checksum of a chunk is wrong";

/// A chunk, without its checksum.
struct Chunk<'a> {
    kind: &'a [u8],
    content: &'a [u8],
}

/// The chunks up to the last one that is whole, and the bytes behind each.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (Chunk<'_>, &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let (kind, after) = rest.get(4..)?.split_at_checked(4)?;
        let (content, after) = after.split_at_checked(length)?;
        rest = after.get(4..)?;
        Some((Chunk { kind, content }, rest))
    })
}

/// The header of a picture.
pub struct Header {
    pub size: Size,
    /// Bits of a sample.
    pub depth: usize,
    /// The bits of a pixel.
    pixel: usize,
    pub is_palette: bool,
    is_interlaced: bool,
}

impl Header {
    /// # Errors
    /// If it is missing, or says what no PNG has.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        let (first, _) = chunks(bytes).next().context(EARLY)?;
        demand!(
            first.kind != b"CgBI",
            "PNG of Apple's own kind (CgBI) is not supported; {CONVERT}"
        );
        let content: &[u8; 13] = first
            .content
            .try_into()
            .ok()
            .filter(|_| first.kind == b"IHDR")
            .context("the header is missing")?;
        let &[w0, w1, w2, w3, h0, h1, h2, h3, depth, colours, compression, filter, interlace] =
            content;
        let side = |bytes| u32::from_be_bytes(bytes) as usize;
        let samples = match (colours, depth) {
            (0, 1 | 2 | 4 | 8 | 16) | (3, 1 | 2 | 4 | 8) => 1,
            (2, 8 | 16) => 3,
            (4, 8 | 16) => 2,
            (6, 8 | 16) => 4,
            _ => bail!(
                "the header has {depth} bits a sample with colour type {colours}, which no PNG has"
            ),
        };
        ensure!(
            (compression, filter) == (0, 0) && interlace < 2,
            "the header has compression {compression}, filter {filter} and interlace {interlace}, expected 0, 0 and 0 or 1"
        );
        let depth = usize::from(depth);
        Ok(Self {
            size: (side([w0, w1, w2, w3]), side([h0, h1, h2, h3])),
            depth,
            pixel: depth * samples,
            is_palette: colours == 3,
            is_interlaced: interlace == 1,
        })
    }

    /// Whether the rows come in order and are not those of an animation.
    pub fn is_plain(&self, bytes: &[u8]) -> bool {
        !self.is_interlaced && chunks(bytes).all(|(chunk, _)| chunk.kind != b"fcTL")
    }

    /// The bytes of the picture as it is packed: each row begins with the number of its filter.
    pub fn bytes(&self) -> u64 {
        let (width, height) = self.size;
        // First column and row, and distances, of the passes of an interlaced picture.
        let passes: &[[usize; 4]] = match self.is_interlaced {
            false => &[[0, 0, 1, 1]],
            true => &[
                [0, 0, 8, 8],
                [4, 0, 8, 8],
                [0, 4, 4, 8],
                [2, 0, 4, 4],
                [0, 2, 2, 4],
                [1, 0, 2, 2],
                [0, 1, 1, 2],
            ],
        };
        let pass = |&[x, y, dx, dy]: &[usize; 4]| {
            let columns = width.saturating_sub(x).div_ceil(dx) as u64;
            let rows = height.saturating_sub(y).div_ceil(dy) as u64;
            if columns > 0 { rows * (1 + (columns * self.pixel as u64).div_ceil(8)) } else { 0 }
        };
        passes.iter().map(pass).sum()
    }
}

/// The Exif block, as far as it stands among the bytes and before the picture.
pub fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut before =
        chunks(bytes).map(|(chunk, _)| chunk).take_while(|chunk| chunk.kind != b"IDAT");
    before.find(|chunk| chunk.kind == b"eXIf").map(|chunk| chunk.content)
}

/// The file with a header that says one row more. The library passes over data that go on after the picture; if it finds this row, they
/// do.
///
/// # Errors
/// If the header's checksum is wrong.
pub fn with_another_row(bytes: &[u8], header: &Header) -> Result<Vec<u8>> {
    // A signature of 8 bytes, a length, and the name of the chunk are before the 13 bytes of the header.
    let (named, height, checksum) = (12..29, 20..24, 29..33);
    ensure!(bytes[checksum.clone()] == crc(&bytes[named.clone()]), "{CHECKSUM}");
    let mut file = bytes.to_vec();
    file[height].copy_from_slice(&(header.size.1 as u32 + 1).to_be_bytes());
    let changed = crc(&file[named]);
    file[checksum].copy_from_slice(&changed);
    Ok(file)
}

fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_be_bytes()
}

/// The bytes of the file up to its end.
///
/// # Errors
/// If the end is missing, or another picture follows.
pub fn whole(bytes: &[u8]) -> Result<&[u8]> {
    let end = chunks(bytes).find(|(chunk, _)| chunk.kind == b"IEND");
    let (_, behind) = end.context(EARLY)?;
    demand!(
        memmem::find(behind, &bytes[..8]).is_none(),
        "expected a single image, got several pictures in one file"
    );
    Ok(&bytes[..bytes.len() - behind.len()])
}

/// Unpacks the data, and checks that they are those of a picture of the header's size.
///
/// # Errors
/// If they are not.
pub fn check_data(bytes: &[u8], header: &Header) -> Result<()> {
    let data = chunks(bytes).map(|(chunk, _)| chunk).filter(|chunk| chunk.kind == b"IDAT");
    let data = Data { rest: &[], chunks: data.map(|chunk| chunk.content) };
    let expected = header.bytes();
    let mut unpacked =
        ZlibDecoder::new(io::BufReader::with_capacity(1 << 16, data)).take(expected + 1);
    let got = match io::copy(&mut unpacked, &mut io::sink()) {
        Ok(got) => got,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => bail!("{EARLY}"),
        Err(_) => bail!("{NO_DEFLATE}"),
    };
    ensure!(got >= expected, "{EARLY}");
    ensure!(got == expected, "{LONG}");
    Ok(())
}

/// The contents of chunks as one.
struct Data<'a, I> {
    rest: &'a [u8],
    chunks: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Read for Data<'a, I> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            let Some(next) = self.chunks.next() else { return Ok(0) };
            self.rest = next;
        }
        self.rest.read(buffer)
    }
}
