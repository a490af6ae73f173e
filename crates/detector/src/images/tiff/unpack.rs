//! The bytes of strips and tiles.

use super::format::Compression;
use super::layout::Layout;
use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::{CONVERT, EARLY, demand};
use fax::Color;
use fax::decoder::{DecodeStatus, Group4Decoder};
use flate2::bufread::ZlibDecoder;
use std::borrow::Cow;
use std::convert::Infallible;
use std::io::Read;
use weezl::{BitOrder, LzwStatus};

/// At least the first `length` bytes that packed ones stand for.
///
/// # Errors
/// If they are damaged, or fewer.
pub fn unpack<'a>(packed: &'a [u8], layout: &Layout, length: usize) -> Result<Cow<'a, [u8]>> {
    let most = most_bytes(layout, packed.len());
    ensure!(length as u64 <= most, "{EARLY}: {} bytes cannot hold it", packed.len());
    let packed = match layout.is_reversed {
        true => Cow::Owned(packed.iter().map(|byte| byte.reverse_bits()).collect()),
        false => Cow::Borrowed(packed),
    };
    let bytes = match layout.compression {
        Compression::None => return Ok(packed),
        Compression::PackBits => pack_bits(&packed, length),
        Compression::Lzw => lzw(&packed, length)?,
        Compression::Deflate => deflate(&packed, length)?,
        Compression::Group4 => group4(&packed, layout, length)?,
        Compression::Jpeg => bail!("JPEG is not packed bytes"),
    };
    ensure!(bytes.len() >= length, "{EARLY}");
    Ok(Cow::Owned(bytes))
}

/// More bytes than packed ones can stand for.
fn most_bytes(layout: &Layout, packed: usize) -> u64 {
    let factor = match layout.compression {
        Compression::None => 1,
        // Two bytes repeat one up to 128 times.
        Compression::PackBits => 64,
        // A code of 12 bits stands for at most as many bytes as there are codes.
        Compression::Lzw => 4096,
        // Two bits repeat 258 bytes.
        Compression::Deflate => 1032,
        // A row takes a bit.
        Compression::Group4 => 8 * layout.row_bytes() as u64,
        Compression::Jpeg => u64::MAX,
    };
    factor.saturating_mul(packed as u64)
}

/// Apple's run lengths (TIFF 6.0, section 9).
fn pack_bits(mut packed: &[u8], length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    while let (true, Some((&head, rest))) = (bytes.len() < length, packed.split_first()) {
        let head = head.cast_signed();
        packed = match (head, rest) {
            (-128, _) => rest,
            (0.., _) => {
                let (copied, rest) = rest.split_at(rest.len().min(head as usize + 1));
                bytes.extend(copied);
                rest
            }
            (_, &[value, ref rest @ ..]) => {
                bytes.resize(bytes.len() + 1 + usize::from(head.unsigned_abs()), value);
                rest
            }
            (_, []) => rest,
        };
    }
    bytes
}

fn lzw(packed: &[u8], length: usize) -> Result<Vec<u8>> {
    // Before version 6.0 of the format, bits came in reverse order, and codes grew later.
    let is_old = matches!(packed, [0, second, ..] if second & 1 == 1);
    demand!(!is_old, "TIFF with old-style LZW compression is not supported; {CONVERT}");
    let mut decoder = weezl::decode::Configuration::with_tiff_size_switch(BitOrder::Msb, 8).build();
    let (mut bytes, mut read, mut written) = (vec![0; length], 0, 0);
    while written < length {
        let result = decoder.decode_bytes(&packed[read..], &mut bytes[written..]);
        (read, written) = (read + result.consumed_in, written + result.consumed_out);
        match result.status {
            Ok(LzwStatus::Ok) => {}
            Ok(LzwStatus::Done | LzwStatus::NoProgress) => break,
            Err(_) => bail!("the data are damaged: an LZW code is not known"),
        }
    }
    bytes.truncate(written);
    Ok(bytes)
}

fn deflate(packed: &[u8], length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(length);
    let unpacked = ZlibDecoder::new(packed).take(length as u64).read_to_end(&mut bytes);
    match unpacked {
        Ok(_) => Ok(bytes),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => bail!("{EARLY}"),
        Err(_) => bail!("the data are damaged: they are no Deflate stream"),
    }
}

/// Rows of white (0) and black (1) bits (ITU-T T.6).
fn group4(packed: &[u8], layout: &Layout, length: usize) -> Result<Vec<u8>> {
    let (width, row_bytes) = (layout.part.0, layout.row_bytes());
    let input = packed.iter().map(|&byte| Ok::<u8, Infallible>(byte));
    let Ok(columns) = u16::try_from(width) else {
        bail!("expected tiles of at most {} columns with CCITT compression, got {width}", u16::MAX);
    };
    let Ok(mut decoder) = Group4Decoder::new(input, columns);
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        match decoder.advance() {
            Ok(DecodeStatus::Incomplete) => {}
            Ok(DecodeStatus::End) => bail!("{EARLY}"),
            Err(_) => bail!("the data are damaged or end before the picture does"),
        }
        let start = bytes.len();
        bytes.resize(start + row_bytes, 0);
        let pixels = fax::decoder::pels(decoder.transition(), columns);
        for (x, _) in pixels.enumerate().filter(|(_, colour)| *colour == Color::Black) {
            bytes[start + x / 8] |= 0x80 >> (x % 8);
        }
    }
    Ok(bytes)
}
