//! PNG files of all layouts.

use std::io::Write;

use flate2::write::ZlibEncoder;
use inspect::{Image, Plane};
use png::{BitDepth, ColorType, Encoder};

const SIZE: (u32, u32) = (13, 7);

const KINDS: [(&str, ColorType, BitDepth); 15] = [
    ("grey, 1 bit", ColorType::Grayscale, BitDepth::One),
    ("grey, 2 bits", ColorType::Grayscale, BitDepth::Two),
    ("grey, 4 bits", ColorType::Grayscale, BitDepth::Four),
    ("grey, 8 bits", ColorType::Grayscale, BitDepth::Eight),
    ("grey, 16 bits", ColorType::Grayscale, BitDepth::Sixteen),
    ("palette, 1 bit", ColorType::Indexed, BitDepth::One),
    ("palette, 2 bits", ColorType::Indexed, BitDepth::Two),
    ("palette, 4 bits", ColorType::Indexed, BitDepth::Four),
    ("palette, 8 bits", ColorType::Indexed, BitDepth::Eight),
    ("grey and alpha, 8 bits", ColorType::GrayscaleAlpha, BitDepth::Eight),
    ("grey and alpha, 16 bits", ColorType::GrayscaleAlpha, BitDepth::Sixteen),
    ("RGB, 8 bits", ColorType::Rgb, BitDepth::Eight),
    ("RGB, 16 bits", ColorType::Rgb, BitDepth::Sixteen),
    ("RGB and alpha, 8 bits", ColorType::Rgba, BitDepth::Eight),
    ("RGB and alpha, 16 bits", ColorType::Rgba, BitDepth::Sixteen),
];

/// Colours of a palette.
fn colour(index: u32) -> [u8; 3] {
    [index * 73, index * 41 + 9, 255 - index].map(|value| value as u8)
}

/// A sample of a picture.
fn sample(x: u32, y: u32, channel: u32, max: u32) -> u32 {
    (x * x * 7001 + y * 5003 + x * y * 13 + channel * 977) % (max + 1)
}

/// Names, files, and the pictures that they hold.
pub fn pngs() -> Vec<(&'static str, Vec<u8>, Image)> {
    let plain = KINDS.iter().flat_map(|&(name, colours, depth)| {
        let all = [(false, 0), (true, 0), (false, 1)].into_iter();
        let all = all.filter(move |&(_, frames)| frames == 0 || colours == ColorType::Grayscale);
        all.filter(|&(is_transparent, frames)| !is_transparent || frames == 0)
            .map(move |(is_transparent, frames)| png(name, colours, depth, is_transparent, frames))
    });
    plain.chain([interlaced(1), interlaced(8)]).collect()
}

/// Grey in the seven passes of Adam7. Each is a picture of some columns and rows: every second, fourth or eighth, from a first one on.
fn interlaced(bits: usize) -> (&'static str, Vec<u8>, Image) {
    let passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    let max = (1 << bits) - 1;
    let mut data = Vec::new();
    for (left, top, across, down) in passes {
        for y in (top..SIZE.1).step_by(down) {
            let columns = (left..SIZE.0).step_by(across);
            let mut row = vec![0; (columns.clone().count() * bits).div_ceil(8)];
            for (x, place) in columns.zip(0..) {
                row[place * bits / 8] |=
                    (sample(x, y, 0, max) << (8 - bits - place * bits % 8)) as u8;
            }
            // Without a filter.
            data.extend([&[0][..], &row].concat());
        }
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&data).unwrap();
    let sides = [SIZE.0.to_be_bytes(), SIZE.1.to_be_bytes()].concat();
    let header = chunk(b"IHDR", &[&sides[..], &[bits as u8, 0, 0, 0, 1]].concat());
    let parts = [header, chunk(b"IDAT", &encoder.finish().unwrap()), chunk(b"IEND", &[])];
    let picture = Plane::from_fn(SIZE.0 as usize, SIZE.1 as usize, |x, y| {
        sample(x as u32, y as u32, 0, max) as f32 / max as f32
    });
    ("grey, interlaced", [&b"\x89PNG\r\n\x1a\n"[..], &parts.concat()].concat(), picture)
}

fn png(
    name: &'static str,
    colours: ColorType,
    depth: BitDepth,
    is_transparent: bool,
    frames: u32,
) -> (&'static str, Vec<u8>, Image) {
    let bits = depth as u32;
    let max = (1_u32 << bits) - 1;
    let channels = colours.samples() as u32;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, SIZE.0, SIZE.1);
    encoder.set_color(colours);
    encoder.set_depth(depth);
    if frames > 0 {
        encoder.set_animated(frames, 0).unwrap();
    }
    if colours == ColorType::Indexed {
        encoder.set_palette((0..=max).flat_map(colour).collect::<Vec<_>>());
    }
    match colours {
        // The first level or colour is transparent.
        ColorType::Grayscale if is_transparent => encoder.set_trns(vec![0, 0]),
        ColorType::Rgb if is_transparent => encoder.set_trns(vec![0; 6]),
        ColorType::Indexed if is_transparent => encoder.set_trns(vec![0]),
        _ => {}
    }
    let mut writer = encoder.write_header().unwrap();
    let mut data = Vec::new();
    for y in 0..SIZE.1 {
        let samples: Vec<u32> = (0..SIZE.0 * channels)
            .map(|index| sample(index / channels, y, index % channels, max))
            .collect();
        let mut row = vec![0; (samples.len() * bits as usize).div_ceil(8)];
        for bit in 0..samples.len() as u32 * bits {
            let is_set = samples[(bit / bits) as usize] >> (bits - 1 - bit % bits) & 1 == 1;
            row[bit as usize / 8] |= u8::from(is_set) << (7 - bit % 8);
        }
        data.extend(row);
    }
    writer.write_image_data(&data).unwrap();
    drop(writer);
    let luma =
        |[red, green, blue]: [f64; 3], max: f64| (0.299 * red + 0.587 * green + 0.114 * blue) / max;
    let intensity = |x: usize, y: usize| {
        let sample = |channel| sample(x as u32, y as u32, channel, max);
        (match colours {
            ColorType::Indexed => luma(colour(sample(0)).map(f64::from), 255.0),
            _ if channels < 3 => f64::from(sample(0)) / f64::from(max),
            _ => luma([0, 1, 2].map(|channel| sample(channel).into()), max.into()),
        }) as f32
    };
    let image = Plane::from_fn(SIZE.0 as usize, SIZE.1 as usize, intensity);
    (name, bytes, image)
}

/// A chunk of a PNG file, with its checksum (CRC-32).
pub fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut checksum = u32::MAX;
    for &byte in kind.iter().chain(content) {
        checksum ^= u32::from(byte);
        for _ in 0..8 {
            checksum = checksum >> 1 ^ if checksum & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&length, &kind[..], content, &(!checksum).to_be_bytes()].concat()
}
