use super::algorithm::{
    Algorithm, F3x2, F4x2, F4x3, Inputs, Matrix, Outputs, Taps as TapsMatrix, Transposed,
};

/// Correlates with the matrices of F(`M`, `K`), in f64.
fn correlate<A, const M: usize, const K: usize, const T: usize>(
    x: [f64; T],
    w: [f64; K],
) -> [f64; M]
where
    A: Algorithm,
    Inputs<A>: Matrix<T, T>,
    TapsMatrix<A>: Matrix<T, K>,
    Outputs<A>: Matrix<M, T>,
{
    fn product<const R: usize, const C: usize>(matrix: [[f32; C]; R], x: [f64; C]) -> [f64; R] {
        matrix.map(|row| row.iter().zip(x).map(|(&a, x)| f64::from(a) * x).sum())
    }
    let (x, w) = (product(Inputs::<A>::VALUES, x), product(TapsMatrix::<A>::VALUES, w));
    let mut products = [0.0; T];
    for (product, (x, w)) in products.iter_mut().zip(x.iter().zip(w)) {
        *product = x * w;
    }
    product(Outputs::<A>::VALUES, products)
}

/// Whether the matrices compute correlations for all unit vectors, and so for all inputs and taps.
fn assert_correlates<A, const M: usize, const K: usize, const T: usize>()
where
    A: Algorithm,
    Inputs<A>: Matrix<T, T>,
    TapsMatrix<A>: Matrix<T, K>,
    Outputs<A>: Matrix<M, T>,
{
    assert_eq!(T, M + K - 1);
    for input in 0..T {
        for tap in 0..K {
            let (mut x, mut w) = ([0.0; T], [0.0; K]);
            (x[input], w[tap]) = (1.0, 1.0);
            for (output, got) in correlate::<A, M, K, T>(x, w).into_iter().enumerate() {
                let expected = f64::from(u8::from(output + tap == input));
                // Factors like 1/3 are rounded to f32, and multiplied by at most 8.
                assert!((got - expected).abs() < 1e-6, "{input} {tap} {output}: {got}");
            }
        }
    }
}

#[test]
fn algorithms_correlate() {
    assert_correlates::<F4x3, 4, 3, 6>();
    assert_correlates::<F4x2, 4, 2, 5>();
    assert_correlates::<F3x2, 3, 2, 4>();
}

#[test]
fn matrices_are_transposed() {
    let matrix = <Outputs<F3x2> as Matrix<3, 4>>::VALUES;
    let transposed = <Transposed<Outputs<F3x2>> as Matrix<4, 3>>::VALUES;
    assert_eq!(matrix, [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 1.0, 1.0, 1.0]]);
    assert_eq!(transposed, [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 1.0]]);
}
