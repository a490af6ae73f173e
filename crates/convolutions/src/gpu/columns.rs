//! Convolutions as matrix products.
//!
//! The inputs of each pixel of a convolution's result are copied to a row of a matrix, the columns; `(pixels, kernel · kernel · C_in)`
//! times the weights `(kernel · kernel · C_in, C_out)` is the result. Both gradients are products with the same matrix, or make it.
//! Where the kernel covers the whole input, as in the middle of an autoencoder, maps are such rows already.

use super::array::{ArrayView, ArrayViewMut};
use super::backend::{Backend, Epilogue};
use super::problem::{Geometry, MatrixProduct, Problem, TransposedFactor};
use crate::geometry::Conv2d;
use candle_core::{Result, bail};
use std::ops::Range;

/// Groups of maps whose columns fit into the memory that columns may take. They are computed one after the other.
struct Groups {
    geometry: Geometry,
    /// Values of a convolved map.
    input: usize,
    /// Values of a result.
    output: usize,
    /// Values of the columns of a map.
    columns: usize,
    /// Pixels of a result.
    pixels: usize,
    /// Values that a pixel of a result depends on.
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
    fn allocate<B: Backend>(&self, backend: &B) -> Result<B::Array> {
        backend.allocate(self.most * self.columns)
    }

    /// The product of columns and weights.
    fn forward(&self, maps: usize, conv: &Conv2d) -> MatrixProduct {
        MatrixProduct {
            rows: maps * self.pixels,
            inner: self.taps,
            columns: conv.out_channels,
            transposed: TransposedFactor::Neither,
            is_added: false,
        }
    }

    /// The product of the result's gradient and the transposed weights.
    fn backward(&self, maps: usize, conv: &Conv2d) -> MatrixProduct {
        MatrixProduct {
            rows: maps * self.pixels,
            inner: conv.out_channels,
            columns: self.taps,
            transposed: TransposedFactor::Right,
            is_added: false,
        }
    }

    /// The product of the transposed columns and the result's gradient; those of all groups are added up.
    fn weights(&self, maps: &Range<usize>, conv: &Conv2d) -> MatrixProduct {
        MatrixProduct {
            rows: self.taps,
            inner: maps.len() * self.pixels,
            columns: conv.out_channels,
            transposed: TransposedFactor::Left,
            is_added: maps.start > 0,
        }
    }
}

pub fn convolution<B: Backend>(
    backend: &B,
    problem: &Problem,
    input: ArrayView<'_, B::Array>,
    weights: ArrayView<'_, B::Array>,
    epilogue: Epilogue<'_, B::Array>,
    result: &mut B::Array,
) -> Result<()> {
    let (groups, conv) = (Groups::new(problem, backend.most_columns())?, &problem.conv);
    if conv.is_dense(problem.input) {
        let result = ArrayViewMut::new(result, 0..problem.maps * groups.output);
        backend.multiply(&groups.forward(problem.maps, conv), input, weights, result)?;
    } else {
        let mut columns = groups.allocate(backend)?;
        for maps in groups.iter() {
            backend.unfold(&groups.geometry, input.part(groups.inputs(&maps)), &mut columns)?;
            let columns = ArrayView::new(&columns, 0..maps.len() * groups.columns);
            let result = ArrayViewMut::new(result, groups.outputs(&maps));
            backend.multiply(&groups.forward(maps.len(), conv), columns, weights, result)?;
        }
    }
    backend.finish(conv.out_channels, epilogue, result)
}

pub fn input_gradient<B: Backend>(
    backend: &B,
    problem: &Problem,
    gradient: ArrayView<'_, B::Array>,
    weights: ArrayView<'_, B::Array>,
    epilogue: Epilogue<'_, B::Array>,
    result: &mut B::Array,
) -> Result<()> {
    let (groups, conv) = (Groups::new(problem, backend.most_columns())?, &problem.conv);
    if conv.is_dense(problem.input) {
        let whole = ArrayViewMut::new(result, 0..problem.maps * groups.input);
        backend.multiply(&groups.backward(problem.maps, conv), gradient, weights, whole)?;
        return backend.finish(conv.in_channels, epilogue, result);
    }
    let mut columns = groups.allocate(backend)?;
    for maps in groups.iter() {
        let gradient = gradient.part(groups.outputs(&maps));
        let whole = ArrayViewMut::new(&mut columns, 0..maps.len() * groups.columns);
        backend.multiply(&groups.backward(maps.len(), conv), gradient, weights, whole)?;
        let epilogue = epilogue.part(groups.inputs(&maps));
        let result = ArrayViewMut::new(result, groups.inputs(&maps));
        backend.fold(&groups.geometry, &columns, epilogue, result)?;
    }
    Ok(())
}

pub fn weight_gradient<B: Backend>(
    backend: &B,
    problem: &Problem,
    input: ArrayView<'_, B::Array>,
    gradient: ArrayView<'_, B::Array>,
    mut result: ArrayViewMut<'_, B::Array>,
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
        let columns = ArrayView::new(&columns, 0..maps.len() * groups.columns);
        let gradient = gradient.part(groups.outputs(&maps));
        backend.multiply(&groups.weights(&maps, conv), columns, gradient, result.reborrow())?;
    }
    Ok(())
}
