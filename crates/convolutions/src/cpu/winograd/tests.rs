use super::algorithm::{
    Algorithm, F2x5, F3x2, F4x2, F4x3, InputMatrix, Matrix, OutputMatrix, TapMatrix, Transpose,
};

/// Correlates with the matrices of F(`M`, `K`), in f64.
fn correlate<A, const M: usize, const K: usize, const T: usize>(
    x: [f64; T],
    w: [f64; K],
) -> [f64; M]
where
    A: Algorithm,
    InputMatrix<A>: Matrix<T, T>,
    TapMatrix<A>: Matrix<T, K>,
    OutputMatrix<A>: Matrix<M, T>,
{
    fn product<const R: usize, const C: usize>(matrix: [[f32; C]; R], x: [f64; C]) -> [f64; R] {
        matrix.map(|row| row.iter().zip(x).map(|(&a, x)| f64::from(a) * x).sum())
    }
    let (x, w) = (product(InputMatrix::<A>::VALUES, x), product(TapMatrix::<A>::VALUES, w));
    let mut products = [0.0; T];
    for (product, (x, w)) in products.iter_mut().zip(x.iter().zip(w)) {
        *product = x * w;
    }
    product(OutputMatrix::<A>::VALUES, products)
}

/// Whether the matrices compute correlations for all unit vectors, and so for all inputs and taps.
fn assert_correlates<A, const M: usize, const K: usize, const T: usize>()
where
    A: Algorithm,
    InputMatrix<A>: Matrix<T, T>,
    TapMatrix<A>: Matrix<T, K>,
    OutputMatrix<A>: Matrix<M, T>,
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
    assert_correlates::<F2x5, 2, 5, 6>();
    assert_correlates::<F4x2, 4, 2, 5>();
    assert_correlates::<F3x2, 3, 2, 4>();
}

#[test]
fn matrices_are_transposed() {
    let matrix = <OutputMatrix<F3x2> as Matrix<3, 4>>::VALUES;
    let transposed = <Transpose<OutputMatrix<F3x2>> as Matrix<4, 3>>::VALUES;
    assert_eq!(matrix, [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 1.0, 1.0, 1.0]]);
    assert_eq!(transposed, [[1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 1.0]]);
}

/// Values in [-1, 1] that depend on nothing but the seed.
fn noise(mut state: u64) -> impl FnMut() -> f32 {
    move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

/// `matrix · x · matrixᵀ` in f32.
fn sandwich<A: Matrix<R, C>, const R: usize, const C: usize>(x: [[f32; C]; C]) -> [[f32; R]; R] {
    let product = |x: [f32; C]| {
        A::VALUES.map(|row| row.iter().zip(x).fold(0.0, |sum, (a, x)| a.mul_add(x, sum)))
    };
    let mut columns = [[0.0; R]; C];
    for (c, column) in columns.iter_mut().enumerate() {
        *column = product(x.map(|row| row[c]));
    }
    std::array::from_fn(|r| product(columns.map(|column| column[r])))
}

/// The root-mean-square errors of an algorithm and of the plain sum over 64 channels.
fn errors<A, const M: usize, const K: usize, const T: usize>() -> (f64, f64)
where
    A: Algorithm,
    InputMatrix<A>: Matrix<T, T>,
    TapMatrix<A>: Matrix<T, K>,
    OutputMatrix<A>: Matrix<M, T>,
{
    const CHANNELS: usize = 64;
    let mut noise = noise(1);
    let (mut fast_error, mut plain_error) = (0.0, 0.0);
    for _ in 0..200 {
        let (mut products, mut plain, mut exact) =
            ([[0.0f32; T]; T], [[0.0f32; M]; M], [[0.0f64; M]; M]);
        for _ in 0..CHANNELS {
            let x: [[f32; T]; T] = std::array::from_fn(|_| std::array::from_fn(|_| noise()));
            let w: [[f32; K]; K] = std::array::from_fn(|_| std::array::from_fn(|_| noise()));
            let (u, v) = (sandwich::<TapMatrix<A>, T, K>(w), sandwich::<InputMatrix<A>, T, T>(x));
            for (i, products) in products.iter_mut().enumerate() {
                for (j, product) in products.iter_mut().enumerate() {
                    *product = u[i][j].mul_add(v[i][j], *product);
                }
            }
            for (i, j, a, b) in (0..M * M * K * K)
                .map(|at| (at / (M * K * K), at / (K * K) % M, at / K % K, at % K))
            {
                let (x, w) = (x[i + a][j + b], w[a][b]);
                plain[i][j] = x.mul_add(w, plain[i][j]);
                exact[i][j] += f64::from(x) * f64::from(w);
            }
        }
        let fast = sandwich::<OutputMatrix<A>, M, T>(products);
        for (i, exact) in exact.iter().enumerate() {
            for (j, exact) in exact.iter().enumerate() {
                fast_error += (f64::from(fast[i][j]) - exact).powi(2);
                plain_error += (f64::from(plain[i][j]) - exact).powi(2);
            }
        }
    }
    (fast_error.sqrt(), plain_error.sqrt())
}

/// The roundings that the documentation states, with room for other noise.
#[test]
fn algorithms_round_little_worse_than_plain_sums() {
    let ratio = |(fast, plain): (f64, f64)| {
        assert!(plain > 0.0);
        fast / plain
    };
    let ratios = [
        (ratio(errors::<F4x3, 4, 3, 6>()), 2.5),
        (ratio(errors::<F2x5, 2, 5, 6>()), 1.8),
        (ratio(errors::<F4x2, 4, 2, 5>()), 3.7),
        (ratio(errors::<F3x2, 3, 2, 4>()), 1.0),
    ];
    for (ratio, said) in ratios {
        assert!(ratio < 1.3 * said, "{ratios:?}");
    }
}
