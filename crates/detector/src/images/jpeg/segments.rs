//! The marker segments of a JPEG (ITU-T T.81, annex B).

use super::colour::Application;
use super::frame::{Frame, is_frame};
use super::huffman::{Bits, Huffman};
use super::planes::{Planes, Quantisation};
use super::scan::{Scan, Tables, ZIGZAG};
use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::limits::Size;
use crate::images::refusal::{CONVERT, EARLY, refuse};
use memchr::memmem;

const START: u8 = 0xD8;
const END: u8 = 0xD9;

/// Tables and settings, each in force until another one replaces it.
#[derive(Default)]
pub struct State {
    tables: Tables,
    quantisation: Quantisation,
    restart_interval: usize,
    pub application: Application,
}

/// A decoded picture.
pub struct Picture {
    pub frame: Frame,
    pub planes: Planes,
    /// Whether its end marker was found.
    pub has_end: bool,
    /// The place behind it.
    pub end: usize,
}

/// A marker, and the segment that follows it.
struct Segment<'a> {
    marker: u8,
    content: &'a [u8],
    /// The place behind the segment.
    end: usize,
}

/// The next segment from a place on; none at the end of the bytes.
fn segment(bytes: &[u8], place: usize) -> Result<Option<Segment<'_>>> {
    let mut rest = &bytes[place.min(bytes.len())..];
    // Any number of 0xFF may stand before a marker; some writers leave other bytes between segments, too.
    let Some(marker) =
        rest.windows(2).position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))
    else {
        return Ok(None);
    };
    rest = &rest[marker + 1..];
    let (marker, start) = (rest[0], bytes.len() - rest.len() + 1);
    if matches!(marker, 0x01 | 0xD0..=0xD7 | START | END) {
        return Ok(Some(Segment { marker, content: &[], end: start }));
    }
    let length =
        rest.get(1..3).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])));
    let Some(content) =
        length.filter(|&length| length >= 2).and_then(|length| rest.get(3..1 + length))
    else {
        bail!("{EARLY}: a segment is cut off");
    };
    Ok(Some(Segment { marker, content, end: start + 2 + content.len() }))
}

/// Whether bytes behind a picture hold another one. Those that are made to be searched again and again count as pictures.
pub fn has_picture(bytes: &[u8]) -> bool {
    let mut left = 1_usize << 22;
    memmem::find_iter(bytes, &[0xFF, START]).any(|start| {
        let mut place = start + 2;
        loop {
            let ones = bytes[place.min(bytes.len())..].iter().take_while(|&&byte| byte == 0xFF);
            let marker = place + ones.count();
            left = left.saturating_sub(1 + marker - place);
            if left == 0 {
                return true;
            }
            if marker == place || matches!(bytes.get(marker), None | Some(0)) {
                return false;
            }
            match segment(bytes, marker - 1) {
                Ok(Some(segment)) if is_frame(segment.marker) => {
                    return Frame::parse(segment.marker, segment.content).is_ok();
                }
                Ok(Some(segment)) if !matches!(segment.marker, START | END | 0xDA) => {
                    place = segment.end;
                }
                _ => return false,
            }
        }
    })
}

/// The size of a picture, and its Exif block; none if its frame header is not among the bytes.
pub fn header(bytes: &[u8]) -> Option<(Size, Option<&[u8]>)> {
    let (mut place, mut exif) = (2, None);
    loop {
        let segment = segment(bytes, place).ok()??;
        place = segment.end;
        match segment.marker {
            marker if is_frame(marker) => {
                let Frame { width, height, .. } = Frame::parse(marker, segment.content).ok()?;
                return Some(((width, height), exif));
            }
            0xE1 => exif = exif.or(segment.content.strip_prefix(b"Exif\0\0")),
            START | END | 0xDA => return None,
            _ => {}
        }
    }
}

impl State {
    /// Reads a stream of tables only.
    ///
    /// # Errors
    /// If they are damaged.
    pub fn tables(&mut self, bytes: &[u8]) -> Result<()> {
        let mut place = 0;
        while let Some(segment) = segment(bytes, place)? {
            place = segment.end;
            self.note(&segment)?;
        }
        Ok(())
    }

    /// Reads a picture. `check` is called with its frame and the number of bytes before memory is taken.
    ///
    /// # Errors
    /// If the picture is damaged, incomplete or of a kind that is not read.
    pub fn picture(
        &mut self,
        bytes: &[u8],
        check: impl Fn(&Frame, usize) -> Result<()>,
    ) -> Result<Picture> {
        ensure!(bytes.starts_with(&[0xFF, START]), "the start marker is missing");
        let (mut place, mut found) = (2, None::<(Frame, Planes)>);
        let mut has_end = false;
        while let Some(segment) = segment(bytes, place)? {
            place = segment.end;
            match segment.marker {
                END => {
                    has_end = true;
                    break;
                }
                START => bail!("the data are damaged: a picture begins within another"),
                marker if is_frame(marker) => {
                    ensure!(found.is_none(), "the data are damaged: there are two frame headers");
                    let frame = Frame::parse(marker, segment.content)?;
                    check(&frame, bytes.len())?;
                    let planes = Planes::new(&frame);
                    found = Some((frame, planes));
                }
                0xDA => {
                    let (frame, planes) = found.as_mut().context("the frame header is missing")?;
                    let scan = Scan::parse(segment.content, frame)?;
                    let mut bits = Bits::new(bytes, place);
                    let (tables, quantisation) = (&self.tables, &self.quantisation);
                    let interval = self.restart_interval;
                    planes.decode(frame, &scan, tables, quantisation, interval, &mut bits)?;
                    place = bits.end(scan.least_row(frame))?;
                }
                _ => self.note(&segment)?,
            }
        }
        let (frame, planes) = found.context(EARLY)?;
        Ok(Picture { frame, planes, has_end, end: place })
    }

    /// Keeps what a segment defines.
    fn note(&mut self, segment: &Segment<'_>) -> Result<()> {
        match segment.marker {
            0xC4 => self.huffman(segment.content),
            0xDB => self.quantisation(segment.content),
            0xDD => {
                let &[high, low] = segment.content else { bail!("a restart interval is damaged") };
                self.restart_interval = u16::from_be_bytes([high, low]).into();
                Ok(())
            }
            0xCC => refuse!("arithmetic-coded JPEG is not supported; {CONVERT}"),
            0xDC => refuse!("JPEG whose height follows its data is not supported; {CONVERT}"),
            marker => {
                self.application.note(marker, segment.content);
                Ok(())
            }
        }
    }

    fn huffman(&mut self, mut rest: &[u8]) -> Result<()> {
        const DAMAGED: &str = "a Huffman table is damaged";
        while let Some((&kind, after)) = rest.split_first() {
            let (counts, after) = after.split_first_chunk::<16>().context(DAMAGED)?;
            let length = counts.iter().map(|&count| usize::from(count)).sum();
            let (symbols, after) = after.split_at_checked(length).context(DAMAGED)?;
            let tables = match kind >> 4 {
                0 => &mut self.tables.dc,
                1 => &mut self.tables.ac,
                _ => bail!("{DAMAGED}"),
            };
            let place = tables.get_mut(usize::from(kind & 15)).context(DAMAGED)?;
            *place = Some(Huffman::new(counts, symbols)?);
            rest = after;
        }
        Ok(())
    }

    fn quantisation(&mut self, mut rest: &[u8]) -> Result<()> {
        const DAMAGED: &str = "a quantisation table is damaged";
        while let Some((&kind, after)) = rest.split_first() {
            let width = match kind >> 4 {
                0 => 1,
                1 => 2,
                _ => bail!("{DAMAGED}"),
            };
            let (factors, after) = after.split_at_checked(64 * width).context(DAMAGED)?;
            let mut table = [0; 64];
            for (&place, factor) in ZIGZAG.iter().zip(factors.chunks_exact(width)) {
                let factor = factor.iter().fold(0, |sum, &byte| sum << 8 | u16::from(byte));
                table[usize::from(place)] = factor;
            }
            let place = self.quantisation.get_mut(usize::from(kind & 15)).context(DAMAGED)?;
            *place = Some(table);
            rest = after;
        }
        Ok(())
    }
}
