//! The candle operations in single precision, on the CPU and, where there is one, on a CUDA device.

use crate::common::{distance, noise, related, to_f32};
use candle_core::{DType, Device, Tensor, Var};
use ssim::{
    Border, Components, Constants, Exponents, Input, Params, Window, loss_and_gradient,
    ssim_map_gradient,
    tensor::{maps, ssim_loss, ssim_map},
};

/// Makes a test for each kind of device of functions that take one.
macro_rules! on_devices {
    ($($test:ident),+ $(,)?) => {
        mod cpu {
            $(#[test]
            fn $test() {
                super::$test(&candle_core::Device::Cpu);
            })+
        }

        #[cfg(feature = "cuda")]
        mod cuda {
            $(#[test]
            #[ignore = "needs a CUDA device"]
            fn $test() {
                super::$test(&candle_core::Device::new_cuda(0).unwrap());
            })+
        }
    };
}

on_devices!(
    maps_are_those_of_slices,
    any_set_of_maps_is_the_same,
    loss_and_gradients_of_both_images,
    gradient_of_one_image,
    gradient_of_a_map,
    views,
    the_same_bits_in_every_run,
    constant_arguments_get_no_gradient,
    empty_batches_are_refused,
);

/// Of a map, in single precision; `kernels/ssim.cu` says why.
const MAP: f64 = 1e-5;

/// Of a gradient, relative to the largest derivative.
const GRADIENT: f64 = 1e-4;

/// Several tiles of a device each way, the last of them incomplete.
const SHAPE: (usize, usize, usize, usize) = (2, 3, 61, 47);
const LEN: usize = SHAPE.0 * SHAPE.1 * SHAPE.2 * SHAPE.3;

/// A pair of batches, and the same as slices.
struct Batches {
    x: Tensor,
    y: Tensor,
    slices: [Vec<f64>; 2],
}

fn batches(seed: u64, device: &Device) -> Batches {
    let (x, y) = related(seed, LEN);
    let [x, y] = [x, y].map(|values| to_f32(&values));
    let tensor = |values: &[f32]| Tensor::from_slice(values, SHAPE, device).unwrap();
    Batches {
        x: tensor(&x),
        y: tensor(&y),
        slices: [x, y].map(|values| values.into_iter().map(f64::from).collect()),
    }
}

fn all_params() -> impl Iterator<Item = Params> {
    let windows = ["uniform:11", "gaussian:11:1.5", "uniform:3", "uniform:31"];
    let exponents = [Exponents::ONE, Exponents { alpha: 1.0, beta: 2.0, gamma: 1.0 }];
    windows.into_iter().flat_map(move |window| {
        [Border::Valid, Border::Reflect].into_iter().flat_map(move |border| {
            let params = Params::new(window.parse().unwrap(), border, Constants::squared());
            exponents.map(|exponents| Params { exponents, ..params })
        })
    })
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// Applies a function of two images and their number to every pair, and joins what comes out.
fn per_plane([x, y]: &[Vec<f64>; 2], f: impl Fn(usize, &[f64], &[f64]) -> Vec<f64>) -> Vec<f64> {
    let length = SHAPE.2 * SHAPE.3;
    let pairs = x.chunks(length).zip(y.chunks(length)).enumerate();
    pairs.flat_map(|(plane, (x, y))| f(plane, x, y)).collect()
}

/// The mean loss and its gradient.
fn reference(batches: &Batches, params: &Params, wrt: Input) -> (f64, Vec<f64>) {
    let planes = (SHAPE.0 * SHAPE.1) as f64;
    let both = per_plane(&batches.slices, |_, x, y| {
        let (loss, mut gradient) = loss_and_gradient(x, y, SHAPE.3, SHAPE.2, params, wrt).unwrap();
        gradient.push(loss);
        gradient.iter().map(|value| value / planes).collect()
    });
    let mut gradient = Vec::new();
    let mut loss = 0.0;
    for plane in both.chunks(SHAPE.2 * SHAPE.3 + 1) {
        let (last, rest) = plane.split_last().unwrap();
        gradient.extend_from_slice(rest);
        loss += last;
    }
    (loss, gradient)
}

fn agrees(got: &Tensor, expected: &[f64], what: &str) {
    let greatest = expected.iter().fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    let error = distance(values(got), expected.iter().copied()) / greatest;
    assert!(error < GRADIENT, "{what}: {error:e}");
}

fn maps_are_those_of_slices(device: &Device) {
    let batches = batches(51, device);
    for params in all_params() {
        let got = maps(&batches.x, &batches.y, &params, Components::ALL).unwrap();
        let (width, height) = params.map_size(SHAPE.3, SHAPE.2).unwrap();
        for (component, map) in [
            (Components::LUMINANCE, got.luminance),
            (Components::CONTRAST, got.contrast),
            (Components::STRUCTURE, got.structure),
            (Components::SSIM, got.ssim),
        ] {
            let map = map.unwrap();
            assert_eq!(map.dims(), [SHAPE.0, SHAPE.1, height, width]);
            let expected = per_plane(&batches.slices, |_, x, y| {
                let maps = ssim::maps(x, y, SHAPE.3, SHAPE.2, &params, component).unwrap();
                let planes = [maps.luminance, maps.contrast, maps.structure, maps.ssim];
                planes.into_iter().flatten().flatten().collect()
            });
            let error = distance(values(&map), expected);
            assert!(error < MAP, "{params:?}: {component:?} differs by {error:e}");
        }
    }
}

fn any_set_of_maps_is_the_same(device: &Device) {
    let batches = batches(52, device);
    let params = Params::new(Window::Uniform { size: 5 }, Border::Reflect, Constants::paper());
    let run = |wanted| maps(&batches.x, &batches.y, &params, wanted).unwrap();
    let all = run(Components::ALL);
    let some = run(Components::SSIM | Components::CONTRAST);
    assert!(some.luminance.is_none() && some.structure.is_none());
    let same = |a: Option<Tensor>, b: Option<Tensor>| {
        assert_eq!(values(&a.unwrap()), values(&b.unwrap()));
    };
    same(some.contrast, all.contrast);
    same(some.ssim, all.ssim);
    same(run(Components::LUMINANCE).luminance, all.luminance);
    same(run(Components::STRUCTURE).structure, all.structure);
}

fn loss_and_gradients_of_both_images(device: &Device) {
    let batches = batches(53, device);
    for params in all_params() {
        let [x, y] = [&batches.x, &batches.y].map(|image| Var::from_tensor(image).unwrap());
        let loss = ssim_loss(&x, &y, &params).unwrap();
        // A factor behind the loss must arrive at the gradient.
        let gradients = loss.affine(3.0, 0.0).unwrap().backward().unwrap();
        for (var, wrt) in [(&x, Input::First), (&y, Input::Second)] {
            let (expected, mut gradient) = reference(&batches, &params, wrt);
            gradient.iter_mut().for_each(|value| *value *= 3.0);
            assert!((values(&loss)[0] - expected).abs() < MAP, "{params:?}");
            agrees(gradients.get(var).unwrap(), &gradient, &format!("{params:?}, {wrt}"));
        }
    }
}

/// It is found along with the loss.
fn gradient_of_one_image(device: &Device) {
    let batches = batches(54, device);
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    for factor in [1.0, -2.0] {
        for wrt in [Input::First, Input::Second] {
            let [mut x, mut y] = [batches.x.clone(), batches.y.clone()];
            let image = if wrt == Input::First { &mut x } else { &mut y };
            let var = Var::from_tensor(image).unwrap();
            *image = var.as_tensor().clone();
            let loss = ssim_loss(&x, &y, &params).unwrap();
            let gradients = loss.affine(factor, 0.0).unwrap().backward().unwrap();
            let (expected, mut gradient) = reference(&batches, &params, wrt);
            gradient.iter_mut().for_each(|value| *value *= factor);
            assert!((values(&loss)[0] - expected).abs() < MAP);
            agrees(gradients.get(&var).unwrap(), &gradient, &format!("{wrt}, factor {factor}"));
        }
    }
}

fn gradient_of_a_map(device: &Device) {
    let batches = batches(55, device);
    for border in [Border::Valid, Border::Reflect] {
        let params = Params::new(Window::Uniform { size: 7 }, border, Constants::squared());
        let (width, height) = params.map_size(SHAPE.3, SHAPE.2).unwrap();
        let cotangent: Vec<f64> =
            noise(56, SHAPE.0 * SHAPE.1 * width * height).iter().map(|n| n - 0.5).collect();
        let shape = (SHAPE.0, SHAPE.1, height, width);
        let weights = Tensor::from_vec(to_f32(&cotangent), shape, device).unwrap();
        let [x, y] = [&batches.x, &batches.y].map(|image| Var::from_tensor(image).unwrap());
        let map = ssim_map(&x, &y, &params).unwrap();
        let gradients = map.mul(&weights).unwrap().sum_all().unwrap().backward().unwrap();
        for (var, wrt) in [(&x, Input::First), (&y, Input::Second)] {
            let expected = per_plane(&batches.slices, |plane, x, y| {
                let cotangent = &cotangent[plane * width * height..][..width * height];
                ssim_map_gradient(x, y, SHAPE.3, SHAPE.2, &params, cotangent, wrt).unwrap()
            });
            agrees(gradients.get(var).unwrap(), &expected, &format!("{border}, {wrt}"));
        }
    }
}

/// Transposed tensors are not contiguous, and a narrowed one starts in the middle of its storage.
fn views(device: &Device) {
    let batches = batches(57, device);
    let params = Params::new(Window::Uniform { size: 5 }, Border::Reflect, Constants::squared());
    let whole = ssim_map(&batches.x, &batches.y, &params).unwrap();
    let turned = |image: &Tensor| image.transpose(2, 3).unwrap();
    let map = turned(&ssim_map(&turned(&batches.x), &turned(&batches.y), &params).unwrap());
    // Rows and columns are summed in another order.
    assert!(distance(values(&map), values(&whole)) < MAP);
    let second = |image: &Tensor| image.narrow(0, 1, 1).unwrap();
    let map = ssim_map(&second(&batches.x), &second(&batches.y), &params).unwrap();
    assert_eq!(values(&map), values(&second(&whole)));
}

fn the_same_bits_in_every_run(device: &Device) {
    let batches = batches(58, device);
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    let run = || {
        let x = Var::from_tensor(&batches.x).unwrap();
        let loss = ssim_loss(&x, &batches.y, &params).unwrap();
        let gradients = loss.backward().unwrap();
        (values(&loss), values(gradients.get(&x).unwrap()))
    };
    let first = run();
    for _ in 0..5 {
        assert_eq!(run(), first);
    }
}

fn constant_arguments_get_no_gradient(device: &Device) {
    let batches = batches(59, device);
    let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    let x = Var::from_tensor(&batches.x).unwrap();
    for objective in [
        ssim_loss(&x, &batches.y, &params).unwrap(),
        ssim_map(&x, &batches.y, &params).unwrap().mean_all().unwrap(),
    ] {
        let gradients = objective.backward().unwrap();
        assert!(gradients.get(&x).is_some() && gradients.get(&batches.y).is_none());
    }
}

fn empty_batches_are_refused(device: &Device) {
    let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
    let empty = Tensor::zeros((0, 1, 8, 8), DType::F32, device).unwrap();
    let error = ssim_loss(&empty, &empty, &params).unwrap_err().to_string();
    assert!(
        error.starts_with("a batch without images has no SSIM, got shape [0, 1, 8, 8]"),
        "{error}"
    );
}

#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a CUDA device"]
fn what_cuda_does_not_do_is_refused() {
    let device = Device::new_cuda(0).unwrap();
    let message = |dtype, size| {
        let image = Tensor::zeros((1, 1, 40, 40), dtype, &device).unwrap();
        let params = Params::new(Window::Uniform { size }, Border::Valid, Constants::squared());
        ssim_loss(&image, &image, &params).unwrap_err().to_string()
    };
    assert!(message(DType::F64, 3).starts_with("unsupported dtype F64 for op ssim on CUDA"));
    let window = "a window on a CUDA device can have at most 31x31 pixels, got 33x33";
    assert!(message(DType::F32, 33).starts_with(window));
}
