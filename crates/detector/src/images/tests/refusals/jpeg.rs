//! JPEG files that are refused.

use super::super::jpegs::{Jpeg, Scans, busy, flat};
use super::Refusal;

pub fn jpegs() -> Vec<Refusal> {
    [kinds(), cut_jpegs()].concat()
}

fn kinds() -> Vec<Refusal> {
    let process = |process| Jpeg { process, ..busy() }.encode();
    let precision = |precision: u8| {
        let mut jpeg = busy().encode();
        let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 4] = precision;
        jpeg
    };
    let height_later = {
        let mut jpeg = busy().encode();
        let frame = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
        jpeg[frame + 5..frame + 7].fill(0);
        jpeg
    };
    let uneven = Jpeg { components: vec![(1, 3, 1), (2, 2, 1), (3, 1, 1)], ..busy() };
    vec![
        (
            "JPEG, lossless",
            process(0xC3),
            "lossless JPEG is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, hierarchical",
            process(0xC5),
            "hierarchical JPEG is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, arithmetic-coded",
            process(0xC9),
            "arithmetic-coded JPEG is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, arithmetic-coded, progressive",
            process(0xCA),
            "arithmetic-coded JPEG is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, 12 bits",
            precision(12),
            "JPEG with 12 bits a sample is not supported, only 8; convert it, for example to PNG",
        ),
        (
            "JPEG, inks",
            flat(&[9, 9, 9, 9]).encode(),
            "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says",
        ),
        (
            "JPEG, two components",
            flat(&[9, 9]).encode(),
            "JPEG with 2 components is not supported, only grey and colour; convert it, for example to PNG",
        ),
        (
            "JPEG, factors 3 and 2",
            uneven.encode(),
            "JPEG with sampling factors that do not divide each other is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, height behind the data",
            height_later,
            "JPEG whose height follows its data is not supported; convert it, for example to PNG",
        ),
        (
            "JPEG, two pictures",
            [busy().encode(), flat(&[9]).encode()].concat(),
            "expected a single image, got several pictures in one file",
        ),
    ]
}

fn cut_jpegs() -> Vec<Refusal> {
    let end = [0xFF, 0xD9];
    let whole = busy().encode();
    let scans = Jpeg { scans: Scans::Separate, ..busy() }.encode();
    let last = scans.windows(2).rposition(|marker| marker == [0xFF, 0xDA]).unwrap();
    let progressive = Jpeg { scans: Scans::Progressive, process: 0xC2, ..busy() }.encode();
    let last_progressive =
        progressive.windows(2).rposition(|marker| marker == [0xFF, 0xDA]).unwrap();
    let mut restarts = Jpeg { restart_interval: 2, ..busy() }.encode();
    let restart = restarts.windows(2).position(|marker| marker == [0xFF, 0xD1]).unwrap();
    restarts[restart + 1] = 0xD2;
    let mut lower = whole.clone();
    let frame = lower.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    lower[frame + 6] = 8;
    vec![
        (
            "JPEG, cut off",
            whole[..whole.len() / 2].to_vec(),
            "expected a complete JPEG image: the data end before the picture does",
        ),
        (
            "JPEG without its end",
            whole[..whole.len() - 2].to_vec(),
            "expected a complete JPEG image: the data end before the picture does",
        ),
        (
            "JPEG, cut off and closed",
            [&whole[..whole.len() - 200], &end].concat(),
            "expected a complete JPEG image: the data end before the picture does",
        ),
        (
            "JPEG, a scan is missing",
            [&scans[..last], &end].concat(),
            "expected a complete JPEG image: the data end before the picture does: a scan is missing",
        ),
        (
            "JPEG, progressive, the last bits are missing",
            [&progressive[..last_progressive], &end].concat(),
            "expected a complete JPEG image: the data end before the picture does: a scan is missing",
        ),
        (
            "JPEG, a restart marker is missing",
            restarts,
            "expected a complete JPEG image: the data are damaged: a restart marker is missing",
        ),
        (
            "JPEG, lower than its data",
            lower,
            "expected a complete JPEG image: the data go on after the end of the picture: the size in its header is wrong",
        ),
    ]
}
