//! TIFF files of all layouts.

use std::io::Write;

use fax::encoder::Encoder;
use fax::{Color, VecWriter};
use flate2::write::ZlibEncoder;

use super::jpegs::{Jpeg, flat};

/// A picture as a TIFF file has it.
#[derive(Clone, Debug)]
pub struct Tiff {
    pub width: usize,
    pub height: usize,
    pub bits: usize,
    /// Samples of a pixel.
    pub samples: usize,
    /// PhotometricInterpretation.
    pub photometric: u64,
    /// 1 unsigned, 2 signed, 3 float.
    pub format: u64,
    /// ExtraSamples.
    pub extra: Vec<u64>,
    pub is_big_endian: bool,
    pub is_big_tiff: bool,
    pub is_planar: bool,
    /// Width and height of tiles.
    pub tile: Option<(usize, usize)>,
    pub rows_per_strip: usize,
    pub compression: u64,
    pub predictor: u64,
    pub fill_order: u64,
    /// Further tags: number, type and values.
    pub tags: Vec<(u16, u16, Vec<u64>)>,
    /// Whether the samples that are no colours are as large as they can be.
    pub is_opaque: bool,
    /// Tags that are left out.
    pub without: Vec<u16>,
}

impl Default for Tiff {
    fn default() -> Self {
        Self {
            width: 21,
            height: 13,
            bits: 8,
            samples: 1,
            photometric: 1,
            format: 1,
            extra: Vec::new(),
            is_big_endian: false,
            is_big_tiff: false,
            is_planar: false,
            tile: None,
            rows_per_strip: 5,
            compression: 1,
            predictor: 1,
            fill_order: 1,
            tags: Vec::new(),
            is_opaque: false,
            without: Vec::new(),
        }
    }
}

impl Tiff {
    /// A sample of the picture: gradients, and noise in the lower bits.
    pub fn sample(&self, x: usize, y: usize, channel: usize) -> u64 {
        let max = (1_u64 << self.bits.min(16)) - 1;
        let noise = (x * x * 7 + y * y * 13 + x * y * (channel + 3) + 29 * channel) as u64;
        let part = self.tile.unwrap_or((self.width, self.rows_per_strip));
        match self.compression {
            _ if self.is_opaque && channel >= self.samples - self.extra.len() => max,
            // Lossy: flat blocks come back as they were. Each strip or tile has a level of its own.
            7 => (40 + 60 * channel + 13 * (x / part.0) + 7 * (y / part.1)) as u64,
            _ => (noise * 37 + (x / 4) as u64 * max / 7) & max,
        }
    }

    /// The bits of a sample: floats lie in [0, 1].
    fn stored(&self, x: usize, y: usize, channel: usize) -> u64 {
        let value = self.sample(x, y, channel);
        match (self.format, self.bits) {
            (3, 32) => u64::from((value as f32 / 65_535.0).to_bits()),
            (3, _) => (value as f64 / 65_535.0).to_bits(),
            _ => value,
        }
    }

    fn number(&self, value: u64, bytes: usize) -> Vec<u8> {
        match self.is_big_endian {
            true => value.to_be_bytes()[8 - bytes..].to_vec(),
            false => value.to_le_bytes()[..bytes].to_vec(),
        }
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let parts = self.parts();
        let entry_width = if self.is_big_tiff { 8 } else { 4 };
        let mut bytes = if self.is_big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        bytes.extend(self.number(if self.is_big_tiff { 43 } else { 42 }, 2));
        if self.is_big_tiff {
            bytes.extend([self.number(8, 2), self.number(0, 2)].concat());
        }
        let pointer = bytes.len();
        bytes.extend(vec![0; entry_width]);
        let mut places = Vec::new();
        for part in &parts {
            places.push(bytes.len() as u64);
            bytes.extend(part);
        }
        let lengths = parts.iter().map(|part| part.len() as u64).collect();
        let tags = self.directory(places, lengths);
        let mut entries = Vec::new();
        for (tag, kind, values) in tags {
            let width = [0, 1, 1, 2, 4, 8, 1, 1][usize::from(kind)];
            let count = values.len() as u64;
            let value: Vec<u8> = values
                .iter()
                .flat_map(|&value| match kind {
                    5 => [self.number(value, 4), self.number(1, 4)].concat(),
                    _ => self.number(value, width),
                })
                .collect();
            entries.extend([self.number(tag.into(), 2), self.number(kind.into(), 2)].concat());
            entries.extend(self.number(count, entry_width));
            if value.len() <= entry_width {
                entries.extend([&value[..], &vec![0; entry_width - value.len()]].concat());
            } else {
                entries.extend(self.number(bytes.len() as u64, entry_width));
                bytes.extend(value);
            }
        }
        let start = self.number(bytes.len() as u64, entry_width);
        bytes[pointer..pointer + entry_width].copy_from_slice(&start);
        let (count_width, each) = if self.is_big_tiff { (8, 20) } else { (2, 12) };
        bytes.extend(self.number((entries.len() / each) as u64, count_width));
        bytes.extend(entries);
        bytes.extend(vec![0; entry_width]);
        bytes
    }

    fn directory(&self, places: Vec<u64>, lengths: Vec<u64>) -> Vec<(u16, u16, Vec<u64>)> {
        let same = |value: usize| vec![value as u64; self.samples];
        let mut tags = vec![
            (256, 4, vec![self.width as u64]),
            (257, 4, vec![self.height as u64]),
            (258, 3, same(self.bits)),
            (259, 3, vec![self.compression]),
            (262, 3, vec![self.photometric]),
            (266, 3, vec![self.fill_order]),
            (277, 3, vec![self.samples as u64]),
            (284, 3, vec![if self.is_planar { 2 } else { 1 }]),
            (317, 3, vec![self.predictor]),
            (339, 3, same(self.format as usize)),
        ];
        match self.tile {
            Some((width, height)) => tags.extend([
                (322, 3, vec![width as u64]),
                (323, 3, vec![height as u64]),
                (324, 4, places),
                (325, 4, lengths),
            ]),
            None => tags.extend([
                (273, 4, places),
                (278, 3, vec![self.rows_per_strip as u64]),
                (279, 4, lengths),
            ]),
        }
        if !self.extra.is_empty() {
            tags.push((338, 3, self.extra.clone()));
        }
        tags.retain(|(tag, ..)| self.tags.iter().all(|(other, ..)| other != tag));
        tags.extend(self.tags.clone());
        tags.retain(|(tag, ..)| !self.without.contains(tag));
        tags.sort();
        tags
    }

    /// The packed strips or tiles, plane by plane.
    fn parts(&self) -> Vec<Vec<u8>> {
        let (width, height) = self.tile.unwrap_or((self.width, self.rows_per_strip));
        let planes = if self.is_planar { self.samples } else { 1 };
        let (columns, rows) = (self.width.div_ceil(width), self.height.div_ceil(height));
        let place =
            |index: usize| (index / (columns * rows), index / columns % rows, index % columns);
        let part = |index: usize| {
            let (plane, row, column) = place(index);
            let height = match self.tile {
                Some(_) => height,
                None => height.min(self.height - row * height),
            };
            self.part(
                plane,
                (column * width, row * self.tile.map_or(self.rows_per_strip, |tile| tile.1)),
                (width, height),
            )
        };
        (0..planes * columns * rows).map(part).collect()
    }

    fn part(
        &self,
        plane: usize,
        (left, top): (usize, usize),
        (width, height): (usize, usize),
    ) -> Vec<u8> {
        if self.compression == 7 {
            let channels: Vec<usize> =
                if self.is_planar { vec![plane] } else { (0..self.samples).collect() };
            let levels: Vec<i16> =
                channels.iter().map(|&channel| self.sample(left, top, channel) as i16).collect();
            return Jpeg { width, height, ..flat(&levels) }.encode();
        }
        let channels = if self.is_planar { plane..plane + 1 } else { 0..self.samples };
        let count = channels.len();
        let mut bytes = Vec::new();
        for y in top..top + height {
            let pixels = (left..left + width)
                .flat_map(|x| channels.clone().map(move |channel| (x, channel)));
            let values: Vec<u64> = pixels.map(|(x, channel)| self.stored(x, y, channel)).collect();
            bytes.extend(self.row(&values, count));
        }
        let row_bytes = bytes.len() / height;
        let mut packed = self.pack(&bytes, width, row_bytes);
        if self.fill_order == 2 {
            packed.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        packed
    }

    /// The bytes of a row, after the predictor.
    fn row(&self, values: &[u64], distance: usize) -> Vec<u8> {
        let bytes = self.bits / 8;
        if self.predictor == 3 {
            let big: Vec<Vec<u8>> =
                values.iter().map(|value| value.to_be_bytes()[8 - bytes..].to_vec()).collect();
            let planes: Vec<u8> =
                (0..bytes).flat_map(|place| big.iter().map(move |value| value[place])).collect();
            let before =
                |index: usize| index.checked_sub(distance).map_or(0, |before| planes[before]);
            return (0..planes.len())
                .map(|index| planes[index].wrapping_sub(before(index)))
                .collect();
        }
        let before = |index: usize| index.checked_sub(distance).map_or(0, |before| values[before]);
        let value = |index: usize| match self.predictor {
            2 => values[index].wrapping_sub(before(index)),
            _ => values[index],
        };
        if self.bits.is_multiple_of(8) {
            return (0..values.len()).flat_map(|index| self.number(value(index), bytes)).collect();
        }
        let mut row = vec![0; (values.len() * self.bits).div_ceil(8)];
        for bit in 0..values.len() * self.bits {
            let is_set = values[bit / self.bits] >> (self.bits - 1 - bit % self.bits) & 1 == 1;
            row[bit / 8] |= u8::from(is_set) << (7 - bit % 8);
        }
        row
    }

    fn pack(&self, bytes: &[u8], width: usize, row_bytes: usize) -> Vec<u8> {
        match self.compression {
            4 => group4(bytes, width, row_bytes),
            5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
                .encode(bytes)
                .unwrap(),
            8 | 32_946 => {
                let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            // Runs of equal bytes, and bytes for themselves.
            32_773 => bytes
                .chunk_by(|a, b| a == b)
                .flat_map(|run| run.chunks(128))
                .flat_map(|run| match run.len() {
                    1 => vec![0, run[0]],
                    length => vec![(257 - length) as u8, run[0]],
                })
                .collect(),
            _ => bytes.to_vec(),
        }
    }
}

/// A file with a directory below that of its picture, and the kind of each (NewSubfileType).
pub fn with_directory_below(above: u64, below: u8) -> Vec<u8> {
    let file = |place| Tiff {
        tags: vec![(254, 4, vec![above]), (330, 4, vec![place])],
        ..Tiff::default()
    };
    let mut bytes = file(0).encode();
    bytes = file(bytes.len() as u64).encode();
    // One tag, and no directory behind.
    bytes.extend([1, 0, 254, 0, 4, 0, 1, 0, 0, 0, below, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

fn group4(bytes: &[u8], width: usize, row_bytes: usize) -> Vec<u8> {
    let mut encoder = Encoder::new(VecWriter::new());
    for row in bytes.chunks_exact(row_bytes) {
        let pixel = |x: usize| match row[x / 8] >> (7 - x % 8) & 1 {
            1 => Color::Black,
            _ => Color::White,
        };
        encoder.encode_line((0..width).map(pixel), width as u16).unwrap();
    }
    encoder.finish().unwrap().finish()
}
