//! Convolutions as matrix products.
//!
//! The inputs of each pixel of a convolution's result are copied to a row of a matrix, the columns; `(pixels, kernel · kernel · C_in)`
//! times the weights `(kernel · kernel · C_in, C_out)` is the result. Both gradients are products with the same matrix, or make it.
//! Where the kernel covers the whole input, as in the middle of the network, maps are such rows already.

use super::{Backend, Conv2d, Epilogue, Part, PartMut, Problem};
use candle_core::{Error, Result, bail};
use std::ops::Range;

/// Maps and the pixels of their convolution; `Geometry` in `kernels/layers.cu` has the same fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Geometry {
    pub height: u32,
    pub width: u32,
    /// Of the convolved maps.
    pub channels: u32,
    pub rows: u32,
    pub columns: u32,
    pub kernel: u32,
    pub stride: u32,
    pub padding: u32,
}

impl Geometry {
    pub fn new(problem: &Problem) -> Result<Self> {
        let Problem { conv, input, output, .. } = *problem;
        let number = |value: usize| u32::try_from(value).map_err(Error::wrap);
        Ok(Self {
            height: number(input.height)?,
            width: number(input.width)?,
            channels: number(conv.in_channels)?,
            rows: number(output.height)?,
            columns: number(output.width)?,
            kernel: number(conv.kernel)?,
            stride: number(conv.stride)?,
            padding: number(conv.padding)?,
        })
    }

    /// Values of a convolved map, and of the columns of a map.
    pub fn lengths(&self) -> (usize, usize) {
        let product = |factors: &[u32]| factors.iter().map(|&factor| factor as usize).product();
        let Self { height, width, channels, rows, columns, kernel, .. } = *self;
        (product(&[height, width, channels]), product(&[rows, columns, kernel, kernel, channels]))
    }
}

/// Which factor of a product is read with its rows as columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transposed {
    Neither,
    Left,
    Right,
}

/// A product of matrices in row-major order, `(rows, inner)` times `(inner, columns)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Product {
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
    pub transposed: Transposed,
    /// Whether it is added to what is there.
    pub is_added: bool,
}

/// The arguments of BLAS for a [`Product`]: what is row-major here is a transposed matrix there, so that it computes
/// `resultᵀ = rightᵀ · leftᵀ`, of which `a` is the right factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gemm {
    pub is_a_transposed: bool,
    pub is_b_transposed: bool,
    pub m: i32,
    pub n: i32,
    pub k: i32,
    pub lda: i32,
    pub ldb: i32,
    pub ldc: i32,
}

impl Product {
    pub fn gemm(&self) -> Result<Gemm> {
        let number = |value: usize| i32::try_from(value).map_err(Error::wrap);
        let [m, n, k] = [number(self.columns)?, number(self.rows)?, number(self.inner)?];
        let (is_a_transposed, is_b_transposed) =
            (self.transposed == Transposed::Right, self.transposed == Transposed::Left);
        let lda = if is_a_transposed { k } else { m };
        let ldb = if is_b_transposed { n } else { k };
        Ok(Gemm { is_a_transposed, is_b_transposed, m, n, k, lda, ldb, ldc: m })
    }
}

/// The maps that are taken in turn, and what is needed to do so.
struct Groups {
    geometry: Geometry,
    /// Values of a convolved map, of its result and of its columns.
    input: usize,
    output: usize,
    columns: usize,
    /// Pixels of a result, and values that each depends on.
    pixels: usize,
    taps: usize,
    maps: usize,
    /// Maps of a group.
    most: usize,
}

impl Groups {
    fn new(problem: &Problem, most_columns: usize) -> Result<Self> {
        let geometry = Geometry::new(problem)?;
        let ((input, output), (_, columns)) = (problem.lengths(), geometry.lengths());
        if input.max(output).saturating_mul(problem.maps) > i32::MAX as usize {
            bail!("{} maps at once are too many for {:?}", problem.maps, problem.conv);
        }
        let (pixels, taps) = (problem.output.pixels(), columns / problem.output.pixels());
        // As equal as possible.
        let groups = (problem.maps * columns).div_ceil(most_columns).max(1);
        let most = problem.maps.div_ceil(groups);
        Ok(Self { geometry, input, output, columns, pixels, taps, maps: problem.maps, most })
    }

    fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        let (maps, most) = (self.maps, self.most);
        (0..maps).step_by(most.max(1)).map(move |first| first..maps.min(first + most))
    }

    fn inputs(&self, maps: &Range<usize>) -> Range<usize> {
        maps.start * self.input..maps.end * self.input
    }

    fn outputs(&self, maps: &Range<usize>) -> Range<usize> {
        maps.start * self.output..maps.end * self.output
    }

    /// Space for the columns of a group.
    fn allocate<B: Backend + ?Sized>(&self, backend: &B) -> Result<B::Array> {
        backend.allocate(self.most * self.columns)
    }

    /// Columns times weights.
    fn forward(&self, maps: usize, conv: &Conv2d) -> Product {
        Product {
            rows: maps * self.pixels,
            inner: self.taps,
            columns: conv.out_channels,
            transposed: Transposed::Neither,
            is_added: false,
        }
    }

    /// The gradient of the result times the weights' rows.
    fn backward(&self, maps: usize, conv: &Conv2d) -> Product {
        Product {
            rows: maps * self.pixels,
            inner: conv.out_channels,
            columns: self.taps,
            transposed: Transposed::Right,
            is_added: false,
        }
    }

    /// The columns' columns times the gradient of the result; groups are added up.
    fn weights(&self, maps: &Range<usize>, conv: &Conv2d) -> Product {
        Product {
            rows: self.taps,
            inner: maps.len() * self.pixels,
            columns: conv.out_channels,
            transposed: Transposed::Left,
            is_added: maps.start > 0,
        }
    }
}

pub(super) fn convolution<B: Backend + ?Sized>(
    backend: &B,
    problem: &Problem,
    input: Part<'_, B::Array>,
    weights: Part<'_, B::Array>,
    epilogue: Epilogue<'_, B::Array>,
    result: &mut B::Array,
) -> Result<()> {
    let (groups, conv) = (Groups::new(problem, backend.most_columns())?, &problem.conv);
    if conv.is_dense(problem.input) {
        let result = PartMut::new(result, 0..problem.maps * groups.output);
        backend.multiply(&groups.forward(problem.maps, conv), input, weights, result)?;
    } else {
        let mut columns = groups.allocate(backend)?;
        for maps in groups.iter() {
            backend.unfold(&groups.geometry, input.part(groups.inputs(&maps)), &mut columns)?;
            let columns = Part::new(&columns, 0..maps.len() * groups.columns);
            let result = PartMut::new(result, groups.outputs(&maps));
            backend.multiply(&groups.forward(maps.len(), conv), columns, weights, result)?;
        }
    }
    backend.finish(conv.out_channels, epilogue, result)
}

pub(super) fn input_gradient<B: Backend + ?Sized>(
    backend: &B,
    problem: &Problem,
    gradient: Part<'_, B::Array>,
    weights: Part<'_, B::Array>,
    epilogue: Epilogue<'_, B::Array>,
    result: &mut B::Array,
) -> Result<()> {
    let (groups, conv) = (Groups::new(problem, backend.most_columns())?, &problem.conv);
    if conv.is_dense(problem.input) {
        let whole = PartMut::new(result, 0..problem.maps * groups.input);
        backend.multiply(&groups.backward(problem.maps, conv), gradient, weights, whole)?;
        return backend.finish(conv.in_channels, epilogue, result);
    }
    let mut columns = groups.allocate(backend)?;
    for maps in groups.iter() {
        let gradient = gradient.part(groups.outputs(&maps));
        let whole = PartMut::new(&mut columns, 0..maps.len() * groups.columns);
        backend.multiply(&groups.backward(maps.len(), conv), gradient, weights, whole)?;
        let epilogue = epilogue.part(groups.inputs(&maps));
        let result = PartMut::new(result, groups.inputs(&maps));
        backend.fold(&groups.geometry, &columns, epilogue, result)?;
    }
    Ok(())
}

pub(super) fn weight_gradient<B: Backend + ?Sized>(
    backend: &B,
    problem: &Problem,
    input: Part<'_, B::Array>,
    gradient: Part<'_, B::Array>,
    mut result: PartMut<'_, B::Array>,
) -> Result<()> {
    let (groups, conv) = (Groups::new(problem, backend.most_columns())?, &problem.conv);
    if conv.is_dense(problem.input) {
        return backend.multiply(
            &groups.weights(&(0..problem.maps), conv),
            input,
            gradient,
            result,
        );
    }
    let mut columns = groups.allocate(backend)?;
    for maps in groups.iter() {
        backend.unfold(&groups.geometry, input.part(groups.inputs(&maps)), &mut columns)?;
        let columns = Part::new(&columns, 0..maps.len() * groups.columns);
        let gradient = gradient.part(groups.outputs(&maps));
        backend.multiply(&groups.weights(&maps, conv), columns, gradient, result.reborrow())?;
    }
    Ok(())
}
