//! The kernels of layers, on the CPU, against the backend for tests. Both add in the same order: not a bit differs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use super::columns::Geometry;
use super::reference;
use super::rows::Rows;
use crate::conv::tests::noise;
use crate::emulation::{bytes, floats, run};

/// Maps, height, width, channels, kernel, stride, padding.
const CASES: [[u32; 7]; 8] = [
    [2, 7, 5, 4, 3, 1, 1],
    [1, 9, 12, 8, 4, 2, 1],
    [3, 8, 8, 1, 4, 2, 1],
    [2, 9, 6, 3, 3, 2, 0],
    [1, 31, 18, 2, 11, 4, 2],
    [2, 6, 7, 12, 5, 3, 2],
    [1, 4, 4, 4, 1, 1, 0],
    // Its padding is wider than its kernel reaches: some rows of columns are zeros alone.
    [1, 2, 3, 4, 2, 1, 2],
];

const SLOPE: f32 = 0.2;

fn geometry([_, height, width, channels, kernel, stride, padding]: [u32; 7]) -> Geometry {
    let side = |size: u32| (size + 2 * padding - kernel) / stride + 1;
    let (rows, columns) = (side(height), side(width));
    Geometry { height, width, channels, rows, columns, kernel, stride, padding }
}

fn values(seed: u64, count: usize) -> Vec<f32> {
    noise(seed, &[count]).to_vec1().unwrap()
}

/// Lanes, maps and the geometry.
fn numbers(lanes: u32, maps: u32, g: &Geometry) -> Vec<u32> {
    let Geometry { height, width, channels, rows, columns, kernel, stride, padding } = *g;
    vec![lanes, maps, height, width, channels, rows, columns, kernel, stride, padding]
}

/// One value at a time, and four where channels allow it.
fn lanes(channels: u32) -> &'static [u32] {
    if channels.is_multiple_of(4) { &[1, 4] } else { &[1] }
}

fn input(parts: &[&[f32]]) -> Vec<u8> {
    parts.iter().flat_map(|values| bytes(values)).collect()
}

#[test]
#[ignore = "needs a C++ compiler"]
fn columns_are_those_of_the_reference() {
    for case in CASES {
        let (maps, g) = (case[0], geometry(case));
        let (of_map, of_columns) = g.lengths();
        let values = values(1, maps as usize * of_map);
        let mut expected = vec![0.0; maps as usize * of_columns];
        reference::unfold(&g, &values, &mut expected);
        for &lanes in lanes(g.channels) {
            let got = floats(&run("unfold", &numbers(lanes, maps, &g), bytes(&values)));
            assert!(got == expected, "{case:?}, {lanes} lanes");
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn folded_columns_are_those_of_the_reference() {
    for case in CASES {
        let (maps, g) = (case[0], geometry(case));
        let (of_map, of_columns) = g.lengths();
        let columns = values(2, maps as usize * of_columns);
        let bias = values(3, g.channels as usize);
        for (bias, slope) in [(Some(bias.as_slice()), SLOPE), (None, 1.0)] {
            let mut expected = vec![0.0; maps as usize * of_map];
            reference::fold(&g, &columns, bias, slope, &mut expected);
            let bias = bias.unwrap_or_default();
            for &lanes in lanes(g.channels) {
                let mut numbers = numbers(lanes, maps, &g);
                numbers.push(bias.len() as u32);
                let got = floats(&run("fold", &numbers, input(&[&[slope], bias, &columns])));
                assert!(got == expected, "{case:?}, {lanes} lanes, slope {slope}");
            }
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn finished_sums_are_those_of_the_reference() {
    for (rows, channels) in [(1, 1), (300, 3), (70, 32), (9, 500)] {
        let mut sums = values(4, rows * channels);
        // On the kink.
        sums[0] = 0.0;
        let bias = values(5, channels);
        for (bias, slope) in [(bias.as_slice(), SLOPE), (&[], SLOPE), (&bias, 1.0)] {
            let mut expected = sums.clone();
            let given = (!bias.is_empty()).then_some(bias);
            reference::finish(&mut expected, channels, given, slope);
            for &lanes in lanes(channels as u32) {
                let numbers = [lanes, sums.len() as u32, channels as u32, bias.len() as u32];
                let got = floats(&run("finish", &numbers, input(&[&[slope], bias, &sums])));
                assert!(got == expected, "{rows}x{channels}, {lanes} lanes");
            }
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn gradients_of_rectifiers_and_biases_are_those_of_the_reference() {
    for (count, channels) in [(1, 1), (5000, 1), (130, 32), (1000, 64), (77, 100), (40, 500)] {
        let total = (count * channels) as usize;
        let (mut output, gradient) = (values(6, total), values(7, total));
        output[0] = 0.0;
        let rows = Rows::split(count, channels);
        let rectified = reference::rectify_backward(&output, &gradient, SLOPE);
        let blocks = reference::sum_rows(&rows, &rectified);
        assert_eq!(blocks.len(), (rows.blocks() * channels) as usize);
        let sums = reference::sum_rows(&Rows::whole(rows.blocks(), channels), &blocks);
        let input = input(&[&[SLOPE], &output, &gradient]);
        for (is_summed, sums) in [(true, sums), (false, Vec::new())] {
            let (blocks, grid) = (rows.blocks(), rows.grid());
            let numbers = [count, channels, rows.per_block, blocks, grid, is_summed.into()];
            let got = floats(&run("rectify", &numbers, input.clone()));
            assert!(got == [&rectified[..], &sums].concat(), "{numbers:?}");
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn transposed_matrices_have_rows_as_columns() {
    let (rows, columns) = (27, 40);
    let matrix = values(8, rows * columns);
    let got = floats(&run("transpose", &[rows as u32, columns as u32], bytes(&matrix)));
    let expected: Vec<f32> = (0..columns)
        .flat_map(|column| matrix.iter().skip(column).step_by(columns).copied())
        .collect();
    assert!(got == expected);
}
