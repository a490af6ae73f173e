//! The candle operations against the slice functions, and their gradients against central differences.

use crate::common::{distance, related, to_f32};
use candle_core::{DType, Device, Error, Tensor, Var};
use ssim::{
    Border, Constants, Input, Params, Window, loss, loss_and_gradient,
    tensor::{ssim_loss, ssim_map},
};

const SHAPE: (usize, usize, usize, usize) = (2, 3, 8, 9);
const PLANES: usize = SHAPE.0 * SHAPE.1;
const LEN: usize = PLANES * SHAPE.2 * SHAPE.3;

fn params(border: Border) -> Params {
    Params::new(Window::Uniform { size: 5 }, border, Constants::squared())
}

fn tensor(values: &[f64]) -> Tensor {
    Tensor::from_slice(values, SHAPE, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn scalar(tensor: &Tensor) -> f64 {
    tensor.to_dtype(DType::F64).unwrap().to_scalar().unwrap()
}

/// Applies a slice function to every plane and concatenates the results.
fn per_plane(x: &[f64], y: &[f64], f: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Vec<f64> {
    let length = LEN / PLANES;
    x.chunks(length).zip(y.chunks(length)).flat_map(|(x, y)| f(x, y)).collect()
}

#[test]
fn operations_apply_to_every_plane() {
    let (x, y) = related(41, LEN);
    let (_, _, height, width) = SHAPE;
    for border in [Border::Valid, Border::Reflect] {
        let params = params(border);
        let expected =
            per_plane(&x, &y, |x, y| ssim::ssim_map(x, y, width, height, &params).unwrap().values);
        let map = ssim_map(&tensor(&x), &tensor(&y), &params).unwrap();
        let (map_width, map_height) = params.map_size(width, height).unwrap();
        assert_eq!(map.dims(), [SHAPE.0, SHAPE.1, map_height, map_width]);
        assert_eq!(values(&map), expected);

        let losses = per_plane(&x, &y, |x, y| vec![loss(x, y, width, height, &params).unwrap()]);
        let mean = losses.iter().sum::<f64>() / PLANES as f64;
        let got = ssim_loss(&tensor(&x), &tensor(&y), &params).unwrap();
        assert!(got.dims().is_empty());
        assert!((scalar(&got) - mean).abs() < 1e-14, "six additions apart");
    }
}

#[test]
fn loss_gradients_of_both_images() {
    let (x, y) = related(42, LEN);
    let (_, _, height, width) = SHAPE;
    let params = params(Border::Valid);
    let (a, b) = (Var::from_tensor(&tensor(&x)).unwrap(), Var::from_tensor(&tensor(&y)).unwrap());
    // A factor behind the loss must arrive at the gradient.
    let objective = (ssim_loss(&a, &b, &params).unwrap() * 3.0).unwrap();
    let gradients = objective.backward().unwrap();
    for (var, wrt) in [(&a, Input::First), (&b, Input::Second)] {
        let expected = per_plane(&x, &y, |x, y| {
            let (_, gradient) = loss_and_gradient(x, y, width, height, &params, wrt).unwrap();
            gradient.iter().map(|value| value * 3.0 / PLANES as f64).collect()
        });
        // Derivatives are of the order of 0.1; the factors are multiplied in another order.
        assert!(distance(values(gradients.get(var).unwrap()), expected) < 1e-15, "{wrt}");
    }
}

/// The gradient of one image alone is found in the forward pass.
#[test]
fn loss_gradients_of_one_image() {
    let (x, y) = related(44, LEN);
    let params = params(Border::Valid);
    let both = |x: &Tensor, y: &Tensor, factor: f64| {
        (ssim_loss(x, y, &params).unwrap() * factor).unwrap().backward().unwrap()
    };
    for factor in [1.0, 3.0] {
        let (a, b) =
            (Var::from_tensor(&tensor(&x)).unwrap(), Var::from_tensor(&tensor(&y)).unwrap());
        let first = both(&a, &tensor(&y), factor);
        let second = both(&tensor(&x), &b, factor);
        for (var, alone) in [(&a, first), (&b, second)] {
            let [alone, expected] =
                [alone, both(&a, &b, factor)].map(|store| values(store.get(var).unwrap()));
            // The factor is multiplied before or after everything else.
            assert!(distance(alone, expected) < 1e-16 * factor, "factor {factor}");
        }
    }
}

/// Central differences through candle's own graph, with a weight for every value of the map.
#[test]
fn map_gradients_by_differences() {
    let (x, y) = related(43, LEN);
    let params = params(Border::Reflect);
    let weights = tensor(&crate::common::noise(44, LEN));
    let objective = |x: &Tensor, y: &Tensor| {
        ssim_map(x, y, &params).unwrap().mul(&weights).unwrap().sum_all().unwrap()
    };
    let (a, b) = (Var::from_tensor(&tensor(&x)).unwrap(), Var::from_tensor(&tensor(&y)).unwrap());
    let gradients = objective(&a, &b).backward().unwrap();
    let step = 1e-5;
    for index in (0..LEN).step_by(37) {
        let moved = |values: &[f64], by: f64| {
            let mut values = values.to_vec();
            values[index] += by;
            tensor(&values)
        };
        let along_x =
            scalar(&objective(&moved(&x, step), &b)) - scalar(&objective(&moved(&x, -step), &b));
        let along_y =
            scalar(&objective(&a, &moved(&y, step))) - scalar(&objective(&a, &moved(&y, -step)));
        for (var, difference) in [(&a, along_x), (&b, along_y)] {
            let got = values(gradients.get(var).unwrap())[index];
            // Truncation: step² / c2 relative to derivatives of the order of 1.
            assert!((got - difference / (2.0 * step)).abs() < 1e-6, "index {index}: {got}");
        }
    }
}

/// A variable may come by way of a view: transposed, it is not contiguous.
#[test]
fn tensors_that_are_not_contiguous() {
    let (x, y) = related(46, LEN);
    let (x, y) = (Var::from_tensor(&tensor(&x)).unwrap(), tensor(&y));
    let transposed = |tensor: &Tensor| tensor.transpose(2, 3).unwrap();
    let params = params(Border::Valid);
    let loss = ssim_loss(&transposed(&x), &transposed(&y), &params).unwrap();
    let straight = ssim_loss(&x, &y, &params).unwrap();
    assert!((scalar(&loss) - scalar(&straight)).abs() < 1e-14);
    let (got, expected) = (loss.backward().unwrap(), straight.backward().unwrap());
    assert!(distance(values(got.get(&x).unwrap()), values(expected.get(&x).unwrap())) < 1e-15);

    // A narrowed tensor starts in the middle of its storage.
    let second = |tensor: &Tensor| tensor.narrow(0, 1, 1).unwrap();
    let narrowed = ssim_map(&second(&x), &second(&y), &params).unwrap();
    let whole = ssim_map(&x, &y, &params).unwrap();
    assert_eq!(values(&narrowed), values(&second(&whole)));
}

#[test]
fn single_precision() {
    let (x, y) = related(47, LEN);
    let single = |values: &[f64]| Tensor::from_vec(to_f32(values), SHAPE, &Device::Cpu).unwrap();
    let params = params(Border::Valid);
    let loss = ssim_loss(&Var::from_tensor(&single(&x)).unwrap(), &single(&y), &params).unwrap();
    assert_eq!(loss.dtype(), DType::F32);
    let exact = scalar(&ssim_loss(&tensor(&x), &tensor(&y), &params).unwrap());
    // The images of `related` are not all exact in f32: 6e-8 of a pixel moves SSIM by some 1e-6 at most.
    assert!((scalar(&loss) - exact).abs() < 1e-6);
}

fn cause(result: candle_core::Result<Tensor>) -> Error {
    match result.unwrap_err() {
        Error::WithBacktrace { inner, .. } => *inner,
        error => error,
    }
}

#[test]
fn refusals() {
    let params = params(Border::Valid);
    let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
    let x = zeros(&[1, 1, 8, 8], DType::F32);
    let loss = |x: &Tensor, y: &Tensor| cause(ssim_loss(x, y, &params));
    assert!(matches!(
        loss(&x, &zeros(&[1, 1, 8, 9], DType::F32)),
        Error::ShapeMismatchBinaryOp { .. }
    ));
    assert!(matches!(
        loss(&x, &zeros(&[1, 1, 8, 8], DType::F64)),
        Error::DTypeMismatchBinaryOp { .. }
    ));
    let plane = zeros(&[8, 8], DType::F32);
    assert!(matches!(
        loss(&plane, &plane),
        Error::UnexpectedNumberOfDims { expected: 4, got: 2, .. }
    ));
    let bytes = zeros(&[1, 1, 8, 8], DType::U8);
    assert!(matches!(loss(&bytes, &bytes), Error::UnsupportedDTypeForOp(DType::U8, "ssim-loss")));

    let message = |x: &Tensor| loss(x, x).to_string();
    assert_eq!(
        message(&zeros(&[1, 1, 8, 4], DType::F32)),
        "the 5x5 window is larger than the 4x8 image"
    );
    let mut pixels = vec![0.0_f32; 2 * 64];
    pixels[70] = f32::NAN;
    let spoilt = Tensor::from_vec(pixels, (2, 1, 8, 8), &Device::Cpu).unwrap();
    assert!(message(&spoilt).starts_with("the first image holds NaN at index 70;"));
}
