//! All layouts of files against the pictures that they were made of, and the table of them in the documentation.

use std::collections::BTreeMap;
use std::fmt::Write;

use inspect::Image;

use super::bmps::bmps;
use super::jpegs::{Jpeg, Scans, busy};
use super::pngs::pngs;
use super::refusals::refusals;
use super::tiffs::Tiff;
use crate::error::message;
use crate::images::decode_image;

/// The samples of a file, and their numbers in its tags.
#[derive(Clone, Copy, Debug)]
struct Meaning {
    name: &'static str,
    photometric: u64,
    samples: usize,
    extra: &'static [u64],
    is_opaque: bool,
}

const GREY: Meaning =
    Meaning { name: "grey", photometric: 1, samples: 1, extra: &[], is_opaque: false };
const RGB: Meaning = Meaning { name: "RGB", photometric: 2, samples: 3, ..GREY };
const RGB_AND_MORE: Meaning = Meaning { name: "RGB, alpha", samples: 4, extra: &[2], ..RGB };

const MEANINGS: [Meaning; 10] = [
    GREY,
    Meaning { name: "grey, 0 is white", photometric: 0, ..GREY },
    Meaning { name: "grey, alpha", samples: 2, extra: &[2], ..GREY },
    RGB,
    RGB_AND_MORE,
    Meaning { name: "RGB, associated alpha, opaque", extra: &[1], is_opaque: true, ..RGB_AND_MORE },
    Meaning { name: "RGB, unspecified sample", extra: &[0], ..RGB_AND_MORE },
    Meaning {
        name: "grey, unspecified sample of one value",
        samples: 2,
        extra: &[0],
        is_opaque: true,
        ..GREY
    },
    Meaning { name: "palette", photometric: 3, ..GREY },
    Meaning { name: "YCbCr, not subsampled", photometric: 6, ..RGB },
];

/// Bits a sample, and the sample format.
const DEPTHS: [(usize, u64); 11] =
    [(1, 1), (2, 1), (4, 1), (6, 1), (8, 1), (10, 1), (12, 1), (14, 1), (16, 1), (32, 3), (64, 3)];

const COMPRESSIONS: [(u64, &str); 6] =
    [(1, "none"), (32_773, "PackBits"), (5, "LZW"), (8, "Deflate"), (4, "CCITT G4"), (7, "JPEG")];

/// The files of a cell of the table.
fn variants(meaning: Meaning, (bits, format): (usize, u64), compression: u64) -> Vec<Tiff> {
    let predictors: &[u64] = match (compression, format) {
        (5 | 8, 3) => &[1, 2, 3],
        (5 | 8, _) if matches!(bits, 8 | 16) => &[1, 2],
        _ => &[1],
    };
    let mut files = Vec::new();
    for (is_big_endian, is_big_tiff) in [(false, false), (true, false), (false, true), (true, true)]
    {
        for tile in [None, Some((16, 16))] {
            for is_planar in if meaning.samples > 1 { &[false, true][..] } else { &[false] } {
                for &predictor in predictors {
                    for fill_order in if is_big_endian { &[1][..] } else { &[1, 2] } {
                        let colours = |index: usize| (index * 73 % 256) as u64 * 257;
                        let map = (0..3 << bits.min(8)).map(colours).collect();
                        let tags = match meaning.photometric {
                            3 => vec![(320, 3, map)],
                            6 => vec![(530, 3, vec![1, 1])],
                            _ => Vec::new(),
                        };
                        files.push(Tiff {
                            bits,
                            format,
                            samples: meaning.samples,
                            photometric: meaning.photometric,
                            extra: meaning.extra.to_vec(),
                            is_opaque: meaning.is_opaque,
                            is_big_endian,
                            is_big_tiff,
                            is_planar: *is_planar,
                            tile,
                            compression,
                            predictor,
                            fill_order: *fill_order,
                            tags,
                            ..Tiff::default()
                        });
                    }
                }
            }
        }
    }
    files
}

/// The intensity of a pixel by the definition of the format.
fn expected(tiff: &Tiff, x: usize, y: usize) -> f64 {
    let sample = |channel: usize| tiff.sample(x, y, channel) as f64;
    let max = ((1_u64 << tiff.bits.min(16)) - 1) as f64;
    let luma = |[red, green, blue]: [f64; 3]| (0.299 * red + 0.587 * green + 0.114 * blue) / 255.0;
    match tiff.photometric {
        0 => 1.0 - sample(0) / max,
        1 => sample(0) / max,
        2 => (0.299 * sample(0) + 0.587 * sample(1) + 0.114 * sample(2)) / max,
        3 => {
            let count = 1 << tiff.bits;
            let colour = |index: usize| (index * 73 % 256) as f64;
            luma([0, 1, 2].map(|channel| colour(channel * count + sample(0) as usize)))
        }
        _ => {
            let (cb, cr) = (sample(1) - 128.0, sample(2) - 128.0);
            let rgb = [
                sample(0) + 1.402 * cr,
                sample(0) - 0.344_14 * cb - 0.714_14 * cr,
                sample(0) + 1.772 * cb,
            ];
            luma(rgb.map(|value| value.round().clamp(0.0, 255.0)))
        }
    }
}

/// `read`, or the refusal.
fn outcome(tiff: &Tiff) -> String {
    let image = match decode_image(&tiff.encode()) {
        Ok(image) => image,
        Err(error) => return message(&error),
    };
    assert_eq!(image.size(), (tiff.width, tiff.height), "{tiff:?}");
    for (x, y) in (0..tiff.height).flat_map(|y| (0..tiff.width).map(move |x| (x, y))) {
        let (got, expected) = (f64::from(image.get(x, y)), expected(tiff, x, y));
        // Sums of three products in f32; YCbCr is rounded to integers on the way, some of them to the other neighbour.
        let tolerance = if tiff.photometric == 6 { 1.0 / 255.0 } else { 1e-6 };
        assert!((got - expected).abs() < tolerance, "{got} for {expected} at {x}, {y}: {tiff:?}");
    }
    "read".to_owned()
}

/// Sentences that cells refer to.
#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn cell(&mut self, outcomes: &BTreeMap<String, usize>) -> String {
        let parts = outcomes.iter().map(|(outcome, count)| match outcome.as_str() {
            "read" => format!("read ({count})"),
            sentence => {
                let known = self.0.iter().position(|other| other == sentence);
                let number = known.unwrap_or_else(|| {
                    self.0.push(sentence.to_owned());
                    self.0.len() - 1
                });
                format!("[{}]", number + 1)
            }
        });
        parts.collect::<Vec<_>>().join(", ")
    }
}

fn tiff_table(page: &mut String, notes: &mut Notes) {
    page.push_str("| samples | bits |");
    COMPRESSIONS.iter().for_each(|(_, name)| write!(page, " {name} |").unwrap());
    page.push_str("\n|---|---|---|---|---|---|---|---|\n");
    for meaning in MEANINGS {
        for depth in DEPTHS {
            let kind = if depth.1 == 3 { " float" } else { "" };
            write!(page, "| {} | {}{kind} |", meaning.name, depth.0).unwrap();
            for (compression, _) in COMPRESSIONS {
                let mut outcomes = BTreeMap::new();
                for tiff in variants(meaning, depth, compression) {
                    *outcomes.entry(outcome(&tiff)).or_insert(0) += 1;
                }
                write!(page, " {} |", notes.cell(&outcomes)).unwrap();
            }
            page.push('\n');
        }
    }
}

/// Sampling factors of luma and of the two chroma planes.
const SAMPLINGS: [(&str, [(usize, usize); 3]); 9] = [
    ("4:4:4", [(1, 1), (1, 1), (1, 1)]),
    ("4:2:2", [(2, 1), (1, 1), (1, 1)]),
    ("4:4:0", [(1, 2), (1, 1), (1, 1)]),
    ("4:2:0", [(2, 2), (1, 1), (1, 1)]),
    ("4:1:1", [(4, 1), (1, 1), (1, 1)]),
    ("4:1:0", [(4, 2), (1, 1), (1, 1)]),
    ("luma halved", [(1, 1), (2, 2), (2, 2)]),
    ("chroma of two kinds", [(2, 2), (2, 1), (1, 2)]),
    ("factors 3 and 2", [(3, 1), (2, 1), (1, 1)]),
];

const SCANS: [(&str, Scans, u8); 4] = [
    ("one scan", Scans::Interleaved, 0xC0),
    ("a scan each", Scans::Separate, 0xC0),
    ("luma, then chroma", Scans::FirstAlone, 0xC1),
    ("progressive", Scans::Progressive, 0xC2),
];

/// The same coefficients in any order of scans give the same pixels; those of the first order are compared with libjpeg elsewhere.
fn jpeg_table(page: &mut String, notes: &mut Notes) {
    page.push_str("| sampling |");
    SCANS.iter().for_each(|(name, ..)| write!(page, " {name} |").unwrap());
    page.push_str("\n|---|---|---|---|---|\n");
    let grey = ("grey", vec![(1, 1, 1)]);
    let odd_grey = ("grey, factors 2×2", vec![(1, 2, 2)]);
    let colours = SAMPLINGS.map(|(name, factors)| {
        (name, (1..).zip(factors).map(|(id, (h, v))| (id, h, v)).collect::<Vec<_>>())
    });
    for (name, components) in [grey, odd_grey].into_iter().chain(colours) {
        write!(page, "| {name} |").unwrap();
        for (scan_name, scans, process) in SCANS {
            if scans == Scans::FirstAlone && components.len() == 1 {
                page.push_str(" |");
                continue;
            }
            let mut outcomes = BTreeMap::new();
            for (width, height) in [(45, 37), (16, 16), (1, 1), (3, 50), (64, 9), (33, 18)] {
                let plain = Jpeg { width, height, components: components.clone(), ..busy() };
                let reference = decode_image(&plain.encode());
                for restart_interval in [0, 1, 3] {
                    for code_length in [9, 13] {
                        let jpeg =
                            Jpeg { restart_interval, code_length, scans, process, ..plain.clone() };
                        let outcome = match (decode_image(&jpeg.encode()), &reference) {
                            (Ok(image), Ok(reference)) => {
                                assert_eq!(image, *reference, "{name}, {scan_name}: {jpeg:?}");
                                "read".to_owned()
                            }
                            (Err(error), Err(_)) => message(&error),
                            (got, reference) => panic!("{got:?} for {reference:?}: {jpeg:?}"),
                        };
                        *outcomes.entry(outcome).or_insert(0) += 1;
                    }
                }
            }
            write!(page, " {} |", notes.cell(&outcomes)).unwrap();
        }
        page.push('\n');
    }
}

/// Named files and the pictures that they hold, as rows of a table.
fn listed(page: &mut String, files: Vec<(&'static str, Vec<u8>, Image)>) {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (name, bytes, expected) in files {
        let image =
            decode_image(&bytes).unwrap_or_else(|error| panic!("{name}: {}", message(&error)));
        assert_eq!(image.size(), expected.size(), "{name}");
        for (got, expected) in image.data().iter().zip(expected.data()) {
            assert!((got - expected).abs() < 1e-6, "{name}: {got} for {expected}");
        }
        match counts.last_mut() {
            Some((last, count)) if *last == name => *count += 1,
            _ => counts.push((name, 1)),
        }
    }
    page.push_str("| file | |\n|---|---|\n");
    for (name, count) in counts {
        writeln!(page, "| {name} | read ({count}) |").unwrap();
    }
}

fn page() -> String {
    let mut page = include_str!("images.md").to_owned();
    let mut notes = Notes::default();
    page.push_str("\n## TIFF\n\n");
    page.push_str(
        "Each cell stands for files of both byte orders, of TIFF and BigTIFF, in strips and in tiles, side by side and in planes, with each \
         predictor that is read, and with the bits of a byte in either order.\n\n",
    );
    tiff_table(&mut page, &mut notes);
    page.push_str("\n## JPEG\n\nEach cell stands for files of six sizes, with and without restart markers, with short and long codes.\n\n");
    jpeg_table(&mut page, &mut notes);
    page.push_str("\n## PNG\n\n");
    listed(&mut page, pngs());
    page.push_str("\n## BMP\n\n");
    listed(&mut page, bmps());
    page.push_str("\n## Refusals in these tables\n\n");
    for (number, sentence) in (1..).zip(&notes.0) {
        writeln!(page, "{number}. {sentence}").unwrap();
    }
    page.push_str("\n## Other refusals\n\n| file | what is said |\n|---|---|\n");
    let mut others = Vec::new();
    for (name, bytes, expected) in refusals() {
        let said = decode_image(&bytes).map_or_else(|error| message(&error), |_| "read".to_owned());
        writeln!(page, "| {name} | {said} |").unwrap();
        if said != expected {
            others.push((name, said));
        }
    }
    assert_eq!(others, []);
    page
}

/// `UPDATE_IMAGES=1 cargo test -p detector` writes the table anew.
#[test]
fn the_table_says_what_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/IMAGES.md");
    let page = page();
    if std::env::var_os("UPDATE_IMAGES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "IMAGES.md is not what the tests find: UPDATE_IMAGES=1 writes it anew"
    );
}
