//! Small files that ask for much memory or time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Instant;

use super::jpegs::{Jpeg, Scans, busy, flat, segment};
use super::tiffs::Tiff;
use crate::error::message;
use crate::images::decode_image;

/// The refusal of a file, which does not take long.
fn refusal(bytes: &[u8]) -> String {
    let start = Instant::now();
    let read = decode_image(bytes).map(|image| image.size());
    let message = message(&read.unwrap_err());
    // Unguarded, each of them takes minutes without optimisation, or all memory.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    message.strip_prefix("expected a complete TIFF image: ").map(str::to_owned).unwrap_or(message)
}

/// A TIFF of one tile that is as large as `tile`, but for its data.
fn of_tile(tile: (u64, u64), size: (usize, usize)) -> Tiff {
    Tiff {
        width: size.0,
        height: size.1,
        tile: Some((16, 16)),
        compression: 8,
        tags: vec![(322, 4, vec![tile.0]), (323, 4, vec![tile.1])],
        ..Tiff::default()
    }
}

#[test]
fn tiles_are_not_much_larger_than_the_picture() {
    assert_eq!(
        refusal(&of_tile((1 << 26, 1), (16, 1)).encode()),
        "strips or tiles of 67108864x1 pixels are too large for a picture of 16x1"
    );
    // Rows below the picture are left packed.
    let tall = of_tile((16, 1 << 31), (16, 16));
    assert_eq!(decode_image(&tall.encode()).unwrap().size(), (16, 16));
    let small = of_tile((1, 1), (2048, 1024));
    assert_eq!(refusal(&small.encode()), "expected fewer than 2048x1024 strips or tiles");
}

/// Two thousand directories, each with the same list of two thousand directories below it.
#[test]
fn directories_below_others_are_counted_in_all() {
    const COUNT: u32 = 2000;
    let tag = |number: u16, count: u32, value: u32| {
        let [number, kind] = [number, 4].map(u16::to_le_bytes);
        [&number[..], &kind, &count.to_le_bytes(), &value.to_le_bytes()].concat()
    };
    let list = 8_u32;
    let below = list + 4 * COUNT;
    let first = below + 6;
    let mut bytes = [b"II*\0", &first.to_le_bytes()[..]].concat();
    (0..COUNT).for_each(|_| bytes.extend(below.to_le_bytes()));
    bytes.extend([0; 6]);
    for index in 1..=COUNT {
        bytes.extend(2_u16.to_le_bytes());
        bytes.extend([tag(254, 1, 1), tag(330, COUNT, list)].concat());
        let next = if index < COUNT { first + 30 * index } else { 0 };
        bytes.extend(next.to_le_bytes());
    }
    assert_eq!(refusal(&bytes), "the file has too many directories");
}

#[test]
fn tiles_share_few_bytes() {
    let mut shared = of_tile((1, 1 << 24), (4000, 1));
    let packed = shared.encode().len() as u64;
    shared.tags.extend([(324, 4, vec![8; 4000]), (325, 4, vec![packed; 4000])]);
    let mut bytes = shared.encode();
    bytes.extend(vec![0; 16 << 10]);
    // The lengths reach up to the end of the file, which has 48 KB.
    shared.tags.pop();
    shared.tags.push((325, 4, vec![bytes.len() as u64; 4000]));
    let mut bytes = shared.encode();
    bytes.extend(vec![0; 16 << 10]);
    assert_eq!(refusal(&bytes), "the strips or tiles share too many of their bytes");
}

#[test]
fn jpeg_in_tiff_is_no_larger_than_its_tile() {
    let large = Jpeg { width: 4096, height: 2048, ..flat(&[100]) }.encode();
    let tile = Tiff {
        width: 16,
        height: 16,
        tile: Some((16, 16)),
        compression: 7,
        tags: vec![(325, 4, vec![large.len() as u64])],
        ..Tiff::default()
    };
    let mut bytes = tile.encode();
    let place = bytes.len() as u64;
    bytes =
        Tiff { tags: [tile.tags.clone(), vec![(324, 4, vec![place])]].concat(), ..tile }.encode();
    bytes.resize(place as usize, 0);
    bytes.extend(large);
    assert_eq!(
        refusal(&bytes),
        "tile 0: the JPEG data have 4096x2048 pixels of 1 components, expected 16x16 of 1"
    );
}

/// Directories of 60,000 tags each, which begin 12 bytes apart.
#[test]
fn directories_share_few_tags() {
    const TAGS: usize = 60_000;
    const DIRECTORIES: usize = 4_000;
    let start = 8;
    let mut bytes = vec![0; start + 2 + 12 * (TAGS + DIRECTORIES) + 16];
    bytes[..8].copy_from_slice(b"II*\0\x08\0\0\0");
    bytes[start..start + 2].copy_from_slice(&(TAGS as u16).to_le_bytes());
    for tag in 0..TAGS + DIRECTORIES {
        let place = start + 2 + 12 * tag;
        bytes[place..place + 2].copy_from_slice(&(tag as u16).to_le_bytes());
        // The last bytes of a tag are the number of tags of the directory that begins there.
        bytes[place + 10..place + 12].copy_from_slice(&(TAGS as u16).to_le_bytes());
    }
    for directory in 0..DIRECTORIES - 1 {
        let place = start + 12 * directory + 2 + 12 * TAGS;
        let next = (start + 12 * (directory + 1)) as u32;
        bytes[place..place + 4].copy_from_slice(&next.to_le_bytes());
    }
    assert_eq!(refusal(&bytes), "the directories have too many tags");
}

/// A progressive JPEG that brings each bit of each coefficient in a scan of its own.
#[test]
fn scans_of_a_picture_are_bounded() {
    // 8,192 blocks, each of which is empty in 2 bytes a scan.
    let mut jpeg = Jpeg {
        width: 1024,
        height: 512,
        components: vec![(1, 1, 1)],
        scans: Scans::Progressive,
        process: 0xC2,
        ..flat(&[128])
    }
    .encode();
    let first = jpeg.windows(4).position(|marker| marker == [0xFF, 0xDA, 0, 8]).unwrap();
    let second = first + 4 + jpeg[first + 4..].windows(2).position(|m| m == [0xFF, 0xDA]).unwrap();
    jpeg.truncate(second);
    // One code, a zero, for 8,192 empty blocks and up to as many more, as 13 bits say.
    segment(&mut jpeg, 0xC4, &[&[0x10, 1][..], &[0; 15], &[0xD0]].concat());
    for shift in (0..14).rev() {
        for place in 1..64 {
            let before = if shift == 13 { 0 } else { shift + 1 };
            segment(&mut jpeg, 0xDA, &[1, 1, 0, place, place, before << 4 | shift]);
            jpeg.extend([0, 0]);
        }
    }
    jpeg.extend([0xFF, 0xD9]);
    let refusal = refusal(&jpeg);
    assert!(refusal.ends_with("the picture comes in too many scans"), "{refusal}");
}

/// Behind a picture, thousands of starts that lead through the same thousands of segments.
#[test]
fn what_follows_a_jpeg_is_searched_once() {
    const STARTS: usize = 10_000;
    let mut bytes = busy().encode();
    for start in 0..STARTS {
        let length = ((STARTS - start) * 6 - 4) as u16;
        bytes.extend([0xFF, 0xD8, 0xFF, 0xE0]);
        bytes.extend(length.to_be_bytes());
    }
    bytes.extend([0xFF, 0xE1, 0, 2].repeat(250_000));
    assert_eq!(refusal(&bytes), "expected a single image, got several pictures in one file");
}
