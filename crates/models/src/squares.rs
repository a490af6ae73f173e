//! The squared distance of two tensors, in one pass over them.

use crate::Result;
use candle_core::backend::BackendStorage as _;
use candle_core::{
    CpuStorage, CustomOp2, DType, Error as CandleError, Layout, Result as CandleResult, Shape,
    Tensor, WithDType,
};
use rayon::prelude::*;

/// Values that one task takes: the order of additions depends on it alone.
const CHUNK: usize = 1 << 13;

/// Σ (x − y)² of two tensors of the same shape, a scalar of their type, `f32` or `f64`.
///
/// Summed in `f64`, to the same bits for any number of threads. Composed of candle's operations it would take several passes
/// over the tensors and their gradients.
///
/// # Errors
/// [`crate::Error::Tensor`] for tensors of different shapes or types, or of other types.
pub fn squared_distance(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    if x.shape() != y.shape() {
        let (lhs, rhs, op) = (x.shape().clone(), y.shape().clone(), SquaredDistance.name());
        return Err(CandleError::ShapeMismatchBinaryOp { lhs, rhs, op }.bt().into());
    }
    Ok(x.contiguous()?.apply_op2(&y.contiguous()?, SquaredDistance)?)
}

/// The mean of (x − y)² over all values of two tensors, as [`squared_distance`].
///
/// # Errors
/// As [`squared_distance`].
pub fn mean_squares(x: &Tensor, y: &Tensor) -> Result<Tensor> {
    Ok((squared_distance(x, y)? / x.elem_count() as f64)?)
}

/// Two tensors → scalar.
struct SquaredDistance;

impl CustomOp2 for SquaredDistance {
    fn name(&self) -> &'static str {
        "squared-distance"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (x, y) = ((x, x_layout), (y, y_layout));
        let storage = match x.0.dtype() {
            DType::F32 => CpuStorage::F32(vec![sum(values::<f32>(x)?, values(y)?) as f32]),
            DType::F64 => CpuStorage::F64(vec![sum(values::<f64>(x)?, values(y)?)]),
            other => return Err(CandleError::UnsupportedDTypeForOp(other, self.name()).bt()),
        };
        Ok((storage, Shape::from(())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        y: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> CandleResult<(Option<Tensor>, Option<Tensor>)> {
        let upstream = grad.to_dtype(DType::F64)?.to_scalar::<f64>()?;
        let gradient = |of: &Tensor, factor| {
            of.track_op().then(|| x.apply_op2_no_bwd(y, &Difference { factor })).transpose()
        };
        Ok((gradient(x, 2.0 * upstream)?, gradient(y, -2.0 * upstream)?))
    }
}

/// (x − y) · `factor`.
struct Difference {
    factor: f64,
}

impl CustomOp2 for Difference {
    fn name(&self) -> &'static str {
        "squared-distance-gradient"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        y: &CpuStorage,
        y_layout: &Layout,
    ) -> CandleResult<(CpuStorage, Shape)> {
        let (shape, x, y) = (x_layout.shape().clone(), (x, x_layout), (y, y_layout));
        let storage = match x.0.dtype() {
            DType::F32 => {
                let factor = self.factor as f32;
                CpuStorage::F32(map(values::<f32>(x)?, values(y)?, |x, y| (x - y) * factor))
            }
            DType::F64 => {
                CpuStorage::F64(map(values::<f64>(x)?, values(y)?, |x, y| (x - y) * self.factor))
            }
            other => return Err(CandleError::UnsupportedDTypeForOp(other, self.name()).bt()),
        };
        Ok((storage, shape))
    }
}

/// The elements of a contiguous tensor.
fn values<'a, T: WithDType>((storage, layout): (&'a CpuStorage, &Layout)) -> CandleResult<&'a [T]> {
    let op = "squared-distance";
    let offsets = layout.contiguous_offsets();
    let (start, end) = offsets.ok_or_else(|| CandleError::RequiresContiguous { op }.bt())?;
    Ok(&T::cpu_storage_as_slice(storage)?[start..end])
}

/// Independent partial sums: additions need not wait for one another.
const LANES: usize = 8;

fn sum<T: Copy + Into<f64> + Sync>(x: &[T], y: &[T]) -> f64 {
    let sum_chunk = |(x, y): (&[T], &[T])| {
        let mut lanes = [0.0; LANES];
        for (x, y) in x.chunks(LANES).zip(y.chunks(LANES)) {
            for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
                let difference = x.into() - y.into();
                *lane += difference * difference;
            }
        }
        lanes.iter().sum::<f64>()
    };
    // Collected first: a parallel sum would add in an order that depends on the threads.
    let sums: Vec<f64> = x.par_chunks(CHUNK).zip(y.par_chunks(CHUNK)).map(sum_chunk).collect();
    sums.iter().sum()
}

fn map<T: Copy + Send + Sync>(x: &[T], y: &[T], value: impl Fn(T, T) -> T + Sync) -> Vec<T> {
    x.par_iter().zip(y).with_min_len(CHUNK).map(|(&x, &y)| value(x, y)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use candle_core::{Device, Var};

    fn composed(x: &Tensor, y: &Tensor) -> Tensor {
        (x - y).unwrap().sqr().unwrap().sum_all().unwrap()
    }

    #[test]
    fn sum_and_gradients_are_those_of_candle() {
        let size = (3, 2, 70, 70);
        let tensor = || Tensor::randn(0.0_f64, 1.0, size, &Device::Cpu).unwrap();
        let (x, y) = (Var::from_tensor(&tensor()).unwrap(), Var::from_tensor(&tensor()).unwrap());
        let transposed = |tensor: &Tensor| tensor.transpose(2, 3).unwrap();
        let ours = squared_distance(&transposed(&x), &transposed(&y)).unwrap();
        let theirs = composed(&x, &y);
        let scalar = |tensor: &Tensor| tensor.to_scalar::<f64>().unwrap();
        // Rounding: 29,400 terms of 2 on average, in another order.
        assert!((scalar(&ours) - scalar(&theirs)).abs() < 1e-9);
        let [ours, theirs] = [ours, theirs].map(|loss| (loss * 0.5).unwrap().backward().unwrap());
        for var in [&x, &y] {
            let [ours, theirs] = [&ours, &theirs].map(|store| {
                store.get(var).unwrap().flatten_all().unwrap().to_vec1::<f64>().unwrap()
            });
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn what_is_constant_gets_no_gradient() {
        let x = Var::ones((2, 2), DType::F32, &Device::Cpu).unwrap();
        let y = Tensor::zeros((2, 2), DType::F32, &Device::Cpu).unwrap();
        let gradients = squared_distance(&x, &y).unwrap().backward().unwrap();
        let gradient = gradients.get(&x).unwrap().to_vec2::<f32>().unwrap();
        assert_eq!(gradient, [[2.0, 2.0], [2.0, 2.0]]);
        assert!(gradients.get(&y).is_none());
    }

    #[test]
    fn other_shapes_and_types_are_refused() {
        let zeros = |shape, dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        let x = zeros(4, DType::F32);
        for other in [zeros(5, DType::F32), zeros(4, DType::F64)] {
            assert!(squared_distance(&x, &other).is_err());
        }
        let x = zeros(4, DType::U8);
        assert!(squared_distance(&x, &x).is_err());
    }
}
