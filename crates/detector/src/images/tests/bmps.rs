//! BMP files of all layouts.

use inspect::{Image, Plane};

const SIZE: (usize, usize) = (13, 7);

/// A kind of file: bits a pixel, compression, and whether rows go from the top down.
struct Kind {
    name: &'static str,
    bits: u16,
    compression: u32,
    /// Of red, green, blue and alpha.
    masks: [u32; 4],
}

const KINDS: [Kind; 10] = [
    Kind { name: "palette, 1 bit", bits: 1, compression: 0, masks: [0; 4] },
    Kind { name: "palette, 4 bits", bits: 4, compression: 0, masks: [0; 4] },
    Kind { name: "palette, 8 bits", bits: 8, compression: 0, masks: [0; 4] },
    Kind { name: "palette, 8 bits, run lengths", bits: 8, compression: 1, masks: [0; 4] },
    Kind { name: "palette, 4 bits, run lengths", bits: 4, compression: 2, masks: [0; 4] },
    Kind { name: "RGB, 5 bits each", bits: 16, compression: 0, masks: [0x7C00, 0x3E0, 0x1F, 0] },
    Kind {
        name: "RGB, 5, 6 and 5 bits",
        bits: 16,
        compression: 3,
        masks: [0xF800, 0x7E0, 0x1F, 0],
    },
    Kind { name: "RGB, 8 bits each", bits: 24, compression: 0, masks: [0; 4] },
    Kind {
        name: "RGB, 8 bits each of 32",
        bits: 32,
        compression: 0,
        masks: [0xFF_0000, 0xFF00, 0xFF, 0],
    },
    Kind {
        name: "RGB and alpha, 8 bits each",
        bits: 32,
        compression: 3,
        masks: [0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000],
    },
];

fn sample(x: usize, y: usize) -> u32 {
    (x * x * 7001 + y * 5003 + x * y * 13 + 3 * (x / 4)) as u32
}

/// Colours of a palette.
fn colour(index: u32) -> [u8; 3] {
    [index * 73, index * 41 + 9, 255 - index].map(|value| value as u8)
}

/// Names, files, and the pictures that they hold.
pub fn bmps() -> Vec<(&'static str, Vec<u8>, Image)> {
    let file = |kind: &Kind, is_top_down: bool| (kind.name, bmp(kind, is_top_down), picture(kind));
    let both = |kind| {
        // Run lengths go from the bottom up.
        let directions = if matches!(kind, &Kind { compression: 1 | 2, .. }) { 1 } else { 2 };
        (0..directions).map(move |direction| file(kind, direction == 1))
    };
    KINDS.iter().flat_map(both).collect()
}

fn is_palette(kind: &Kind) -> bool {
    kind.bits <= 8
}

/// The value of a pixel: the index of a colour, or red, green, blue and alpha.
fn value(kind: &Kind, x: usize, y: usize) -> u32 {
    let value = sample(x, y);
    match kind.bits {
        ..=8 => value % (1 << kind.bits),
        16 => {
            value.wrapping_mul(40_503) >> 3
                & 0xFFFF
                & !(if kind.compression == 0 { 0x8000 } else { 0 })
        }
        24 => value.wrapping_mul(2_654_435_761) >> 8,
        _ => {
            value.wrapping_mul(2_654_435_761)
                & if kind.masks[3] == 0 { 0xFF_FFFF } else { u32::MAX }
        }
    }
}

fn bmp(kind: &Kind, is_top_down: bool) -> Vec<u8> {
    let palette: Vec<u8> = match is_palette(kind) {
        true => (0..1 << kind.bits)
            .flat_map(|index| {
                let [red, green, blue] = colour(index);
                [blue, green, red, 0]
            })
            .collect(),
        false => Vec::new(),
    };
    let masks: Vec<u8> = kind.masks.iter().flat_map(|mask| mask.to_le_bytes()).collect();
    // The fourth version of the header has all masks.
    let header_size = if kind.compression == 3 { 108_u32 } else { 40 };
    let data = pixels(kind, is_top_down);
    let start = 14 + header_size + palette.len() as u32;
    let height = if is_top_down { -(SIZE.1 as i32) } else { SIZE.1 as i32 };
    let mut bytes = b"BM".to_vec();
    bytes.extend((start + data.len() as u32).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(start.to_le_bytes());
    bytes.extend(header_size.to_le_bytes());
    bytes.extend((SIZE.0 as u32).to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([1, 0]);
    bytes.extend(kind.bits.to_le_bytes());
    bytes.extend(kind.compression.to_le_bytes());
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend([0; 16]);
    if header_size > 40 {
        bytes.extend(masks);
        bytes.resize(14 + header_size as usize, 0);
    }
    [bytes, palette, data].concat()
}

fn pixels(kind: &Kind, is_top_down: bool) -> Vec<u8> {
    let mut data = Vec::new();
    for row in 0..SIZE.1 {
        let y = if is_top_down { row } else { SIZE.1 - 1 - row };
        let values: Vec<u32> = (0..SIZE.0).map(|x| value(kind, x, y)).collect();
        match kind.compression {
            1 => {
                data.extend(
                    values.chunk_by(|a, b| a == b).flat_map(|run| [run.len() as u8, run[0] as u8]),
                );
                data.extend([0, 0]);
            }
            2 => {
                // Two pixels alternate in a run.
                data.extend(values.chunks(2).flat_map(|pair| {
                    [pair.len() as u8, (pair[0] << 4 | pair.get(1).unwrap_or(&0)) as u8]
                }));
                data.extend([0, 0]);
            }
            _ => {
                let bits = usize::from(kind.bits);
                let mut line = match bits {
                    ..8 => vec![0; (SIZE.0 * bits).div_ceil(8)],
                    _ => values
                        .iter()
                        .flat_map(|value| value.to_le_bytes()[..bits / 8].to_vec())
                        .collect(),
                };
                if bits < 8 {
                    for (x, value) in values.iter().enumerate() {
                        line[x * bits / 8] |= (value << (8 - bits - x * bits % 8)) as u8;
                    }
                }
                line.resize(line.len().next_multiple_of(4), 0);
                data.extend(line);
            }
        }
    }
    if matches!(kind.compression, 1 | 2) {
        data.extend([0, 1]);
    }
    data
}

fn picture(kind: &Kind) -> Image {
    Plane::from_fn(SIZE.0, SIZE.1, |x, y| {
        let value = value(kind, x, y);
        let of_mask = |mask: u32| {
            let max = mask >> mask.trailing_zeros();
            let level = (value & mask) >> mask.trailing_zeros();
            // As 8 bits, rounded.
            (f64::from(level) * 255.0 / f64::from(max)).round()
        };
        let [red, green, blue] = match kind.bits {
            ..=8 => colour(value).map(f64::from),
            24 => [value >> 16 & 255, value >> 8 & 255, value & 255].map(f64::from),
            _ => [0, 1, 2].map(|channel| of_mask(kind.masks[channel])),
        };
        ((0.299 * red + 0.587 * green + 0.114 * blue) / 255.0) as f32
    })
}
