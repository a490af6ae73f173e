//! The program that runs the kernels.
#![expect(unsafe_code, reason = "the kernels' arguments are passed as bytes")]

use std::{iter, path::Path, slice, sync::OnceLock};

use emulation::{Program, floats};

use crate::{
    Components, Params,
    device::{
        Arguments,
        arguments::{Formula, Geometry},
        tiling::Tiles,
    },
};

/// As `Case` in `tests/emulation/main.cpp`.
#[repr(C)]
struct Case {
    geometry: Geometry,
    maps: Tiles,
    images: Tiles,
    formula: Formula,
    wanted: u32,
    planes: i32,
    per_window: i32,
    factor: f32,
}

impl Case {
    fn bytes(&self) -> &[u8] {
        // SAFETY: all fields are numbers of four bytes, or arrays and `repr(C)` structs of such, so that there is no padding; the
        // bytes live as long as `self`.
        unsafe { slice::from_raw_parts((&raw const *self).cast(), size_of::<Self>()) }
    }
}

/// A pair of batches of images.
pub(super) struct Batches {
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<f32>,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// The kernels' results.
pub(super) struct Results {
    /// The wanted maps of all planes.
    pub(super) maps: Vec<f32>,
    /// The loss as found with the maps, if there are any, and with the gradient.
    pub(super) losses: [f32; 2],
    pub(super) gradient: Vec<f32>,
}

/// Runs the kernels; without components, only those for the gradient. The gradient is that of the mean loss, or of Σ cotangent · SSIM.
pub(super) fn emulate(
    params: &Params,
    batches: &Batches,
    components: Option<Components>,
    cotangent: Option<&[f32]>,
) -> Results {
    let plane = batches.width * batches.height;
    let shape = [batches.x.len() / plane, 1, batches.height, batches.width];
    let arguments = Arguments::new(params, shape).unwrap();
    let (windows, wanted) = (arguments.windows(), components.map_or(0, Components::bits));
    let case = Case {
        geometry: arguments.geometry,
        maps: arguments.maps.tiles,
        images: arguments.images.tiles,
        formula: arguments.formula,
        wanted: wanted.into(),
        planes: arguments.planes as i32,
        per_window: cotangent.is_some().into(),
        factor: if cotangent.is_some() { 1.0 } else { -1.0 / windows as f32 },
    };
    let planes = [&batches.x, &batches.y, cotangent.unwrap_or(&[1.0])];
    let pixels = planes.into_iter().flatten().flat_map(|value| value.to_ne_bytes());
    let input: Vec<u8> = case.bytes().iter().copied().chain(pixels).collect();
    let output = run(input);
    let (maps, rest) = output.split_at(wanted.count_ones() as usize * windows);
    let (losses, gradient) = rest.split_at(2);
    assert_eq!(gradient.len(), batches.x.len());
    Results { maps: maps.to_vec(), losses: [losses[0], losses[1]], gradient: gradient.to_vec() }
}

fn run(input: Vec<u8>) -> Vec<f32> {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| Program::compile(Path::new(env!("CARGO_MANIFEST_DIR"))));
    floats(&program.run(iter::empty(), input))
}
