//! The kernels on the CPU against the backend for tests. Both add in the same order, so that not a bit differs. Products of gathered
//! tiles are the exception: their factors are shorter and they are added in parts, so that they differ by as much as the precision allows.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use super::array::{ArrayView, ArrayViewMut};
use super::backend::{Backend, Epilogue};
use super::columns;
use super::problem::{Geometry, Problem};
use super::reference::{self, EpilogueValues, Reference};
use super::rows::Rows;
use super::tiles::{Division, Launch, MANY_ROWS, ROWS, Shapes, turns};
use crate::geometry::{Conv2d, Size};
use crate::precision::Precision;
use crate::tests::noise;
use emulation::{Program, bytes, floats};
use rayon::prelude::*;
use std::iter::once;
use std::path::Path;
use std::sync::OnceLock;

/// Runs a kernel for the arguments that `tests/emulation/main.cpp` describes.
fn run(kernel: &str, numbers: &[u32], input: Vec<u8>) -> Vec<u8> {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| Program::compile(Path::new(env!("CARGO_MANIFEST_DIR"))));
    program.run(once(kernel.to_owned()).chain(numbers.iter().map(u32::to_string)), input)
}

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

/// None, that of a layer forwards, and that of a gradient.
fn epilogues<'a>(bias: &'a [f32], outputs: &'a [f32]) -> [EpilogueValues<'a>; 3] {
    [
        EpilogueValues { bias: &[], outputs: &[], slope: 1.0 },
        EpilogueValues { bias, outputs: &[], slope: SLOPE },
        EpilogueValues { bias: &[], outputs, slope: SLOPE },
    ]
}

fn epilogue_numbers(how: &EpilogueValues<'_>) -> [u32; 2] {
    [how.bias.len() as u32, how.outputs.len() as u32]
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
        let outputs = values(4, maps as usize * of_map);
        for how in epilogues(&bias, &outputs) {
            let mut expected = vec![0.0; maps as usize * of_map];
            reference::fold(&g, &columns, &how, &mut expected);
            for &lanes in lanes(g.channels) {
                let mut numbers = numbers(lanes, maps, &g);
                numbers.extend(epilogue_numbers(&how));
                let EpilogueValues { bias, outputs, slope } = how;
                let input = input(&[&[slope], bias, outputs, &columns]);
                let got = floats(&run("fold", &numbers, input));
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
        let outputs = values(6, sums.len());
        for how in epilogues(&bias, &outputs) {
            let mut expected = sums.clone();
            reference::finish(&mut expected, channels, &how);
            for &lanes in lanes(channels as u32) {
                let mut numbers = vec![lanes, sums.len() as u32, channels as u32];
                numbers.extend(epilogue_numbers(&how));
                let EpilogueValues { bias, outputs, slope } = how;
                let got =
                    floats(&run("finish", &numbers, input(&[&[slope], bias, outputs, &sums])));
                assert!(got == expected, "{rows}x{channels}, {lanes} lanes");
            }
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn gradients_of_rectifiers_are_those_of_the_reference() {
    let (mut output, gradient) = (values(6, 700), values(7, 700));
    // On the kink.
    output[0] = 0.0;
    let [outputs, gradients] = [&output, &gradient].map(|values| ArrayView::new(values, 0..700));
    let expected = Reference::new(usize::MAX).rectify_backward(SLOPE, outputs, gradients).unwrap();
    let got = floats(&run("rectify", &[700], input(&[&[SLOPE], &output, &gradient])));
    assert!(got == expected);
}

#[test]
#[ignore = "needs a C++ compiler"]
fn sums_of_rows_are_those_of_the_reference() {
    let sizes = [(1, 1), (70_000, 1), (130, 32), (40_000, 64), (77, 100), (40, 500), (64, 3000)];
    let matrices: Vec<Vec<f32>> =
        (10..).zip(sizes).map(|(seed, (rows, columns))| values(seed, rows * columns)).collect();
    let mut expected = Vec::new();
    let mut numbers = vec![sizes.len() as u32];
    for (matrix, (rows, columns)) in matrices.iter().zip(sizes) {
        expected.extend(reference::add_rows(matrix, rows, columns));
        let rows = Rows::split(rows as u32, columns as u32);
        numbers.extend([rows.rows, rows.columns, rows.per_part, rows.parts(), rows.groups()]);
    }
    let matrices: Vec<&[f32]> = matrices.iter().map(Vec::as_slice).collect();
    let got = floats(&run("sums", &numbers, input(&matrices)));
    assert!(got == expected);
}

/// The convolution of a case, to `outputs` channels.
fn problem(case: [u32; 7], outputs: usize) -> Problem {
    let g = geometry(case);
    let [kernel, stride, padding] = [g.kernel, g.stride, g.padding].map(|number| number as usize);
    let size = |height: u32, width: u32| Size { height: height as usize, width: width as usize };
    Problem {
        conv: Conv2d {
            in_channels: g.channels as usize,
            out_channels: outputs,
            kernel,
            stride,
            padding,
        },
        maps: case[0] as usize,
        input: size(g.height, g.width),
        output: size(g.rows, g.columns),
    }
}

/// Several tiles and chunks in each direction, remainders of all of them, strides that leave some, and all layers that are gathered
/// value by value or have narrow tiles.
const GATHERED: [([u32; 7], usize); 9] = [
    ([2, 16, 16, 32, 4, 2, 1], 32),
    ([3, 8, 8, 64, 3, 1, 1], 40),
    ([3, 18, 14, 1, 4, 2, 1], 32),
    ([2, 9, 12, 8, 4, 2, 1], 4),
    ([2, 31, 18, 3, 11, 4, 2], 36),
    ([2, 6, 7, 12, 5, 3, 2], 8),
    ([1, 5, 4, 4, 1, 1, 0], 68),
    ([1, 9, 7, 4, 3, 2, 0], 4),
    // Lower than its stride.
    ([2, 1, 5, 4, 3, 2, 1], 4),
];

/// How far each precision is from the exact products, as a part of the sum of their sizes: half a unit in the last place of each
/// of two factors, and in F32 what is left out and the roundings of the sum.
const PRECISIONS: [(Precision, f32); 3] = [
    (Precision::F32, 1.0 / (1 << 19) as f32),
    (Precision::Tf32, 1.0 / (1 << 10) as f32),
    (Precision::Bf16, 1.0 / (1 << 7) as f32),
];

/// All shapes, and the precision's number.
fn shape_numbers(shapes: &Shapes, precision: Precision) -> Vec<u32> {
    let numbers = numbers(0, shapes.maps, &shapes.geometry);
    let precision = PRECISIONS.iter().position(|&(other, _)| other == precision).unwrap();
    [&numbers[2..], &[shapes.outputs, shapes.maps, precision as u32]].concat()
}

/// The results of the reference for values, and for their sizes.
fn with_sizes(
    [left, right]: [&[f32]; 2],
    compute: impl Fn(ArrayView<'_, Vec<f32>>, ArrayView<'_, Vec<f32>>) -> Vec<f32>,
) -> [Vec<f32>; 2] {
    let sizes = |values: &[f32]| values.iter().map(|value| value.abs()).collect::<Vec<_>>();
    [[left.to_vec(), right.to_vec()], [sizes(left), sizes(right)]].map(|[left, right]| {
        compute(ArrayView::new(&left, 0..left.len()), ArrayView::new(&right, 0..right.len()))
    })
}

fn assert_close(got: &[f32], [expected, sizes]: [&[f32]; 2], unit: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (place, ((got, expected), size)) in got.iter().zip(expected).zip(sizes).enumerate() {
        let difference = (got - expected).abs();
        assert!(difference <= unit * size, "{what}: {got} for {expected} at {place}");
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn gathered_convolutions_are_those_of_columns() {
    GATHERED.into_par_iter().for_each(|(case, outputs)| {
        let problem = problem(case, outputs);
        let shapes = Shapes::of(&problem, &[0, 4]).unwrap().unwrap();
        let (large, small) = problem.lengths();
        let weights = values(1, problem.conv.weight_count());
        for is_transposed in [false, true] {
            let (from, to, channels) = match is_transposed {
                true => (small, large, problem.conv.in_channels),
                false => (large, small, problem.conv.out_channels),
            };
            let maps = values(2, problem.maps * from);
            let sums = with_sizes([&maps, &weights], |maps, weights| {
                let (backend, none) = (Reference::new(usize::MAX), Epilogue::none());
                let mut result = vec![0.0; problem.maps * to];
                let compute =
                    if is_transposed { columns::input_gradient } else { columns::convolution };
                compute(&backend, &problem, maps, weights, none, &mut result).unwrap();
                result
            });
            let (bias, outputs) = (values(3, channels), values(4, sums[0].len()));
            let product = if is_transposed { shapes.transposed() } else { shapes.convolution() };
            // Each of both sizes, of all epilogues and of all precisions.
            let [none, forwards, backwards] = epilogues(&bias, &outputs);
            for (rows, how, (precision, unit)) in [
                (ROWS, &backwards, PRECISIONS[0]),
                (MANY_ROWS, &forwards, PRECISIONS[0]),
                (ROWS, &forwards, PRECISIONS[1]),
                (MANY_ROWS, &none, PRECISIONS[2]),
            ] {
                let mut expected = sums[0].clone();
                reference::finish(&mut expected, channels, how);
                let launch = product.launch_in(rows, precision);
                let mut numbers = shape_numbers(&shapes, precision);
                numbers.push(is_transposed.into());
                numbers.extend(launch_numbers(&launch));
                numbers.extend(epilogue_numbers(how));
                let input = input(&[&[how.slope], how.bias, how.outputs, &weights, &maps]);
                let got = floats(&run("convolve", &numbers, input));
                // Rectified sums are no farther from each other than the sums themselves.
                let what = format!("{problem:?}, {launch:?}");
                assert_close(&got, [&expected, &sums[1]], unit, &what);
            }
        }
    });
}

/// Lanes, rows of a tile, blocks, the division and turns.
fn launch_numbers(launch: &Launch) -> [u32; 7] {
    let part = |n| launch.kernel.split('_').nth(n).unwrap().parse().unwrap();
    let Division { tiles, shares, chunks } = launch.division;
    [part(1), part(2), launch.blocks, tiles, shares, chunks, turns(shares)]
}

#[test]
#[ignore = "needs a C++ compiler"]
fn gathered_gradients_of_weights_are_those_of_columns() {
    GATHERED.into_par_iter().for_each(|(case, outputs)| {
        let problem = problem(case, outputs);
        let shapes = Shapes::of(&problem, &[0]).unwrap().unwrap();
        let (large, small) = problem.lengths();
        let (maps, gradient) = (values(1, problem.maps * large), values(2, problem.maps * small));
        let [expected, sizes] = with_sizes([&maps, &gradient], |maps, gradient| {
            let mut result = vec![0.0; problem.conv.weight_count()];
            let whole = 0..result.len();
            let result_part = ArrayViewMut::new(&mut result, whole);
            columns::weight_gradient(
                &Reference::new(usize::MAX),
                &problem,
                maps,
                gradient,
                result_part,
            )
            .unwrap();
            result
        });
        for (precision, unit) in PRECISIONS {
            let launch = shapes.weight_gradient(precision);
            let mut numbers = shape_numbers(&shapes, precision);
            numbers.extend(launch_numbers(&launch));
            let got = floats(&run("weigh", &numbers, input(&[&maps, &gradient])));
            assert_close(&got, [&expected, &sizes], unit, &format!("{problem:?}, {launch:?}"));
        }
    });
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
