/// A pixel type: `f32`, or `f64` for reference computations.
///
/// Whatever the type, moments are summed in `f64`: in `f32` the difference E\[x²\] − μ² loses more
/// than 1e-5 of an SSIM.
///
/// ```
/// use ssim::Sample;
///
/// assert_eq!(f32::saturating_from(0.25), 0.25);
/// assert_eq!(f32::saturating_from(-1e300), f32::MIN);
/// ```
pub trait Sample: Copy + Into<f64> + Send + Sync + sealed::Ordered {
    /// The nearest value of this type; values out of range become the largest finite one.
    fn saturating_from(value: f64) -> Self;
}

pub(crate) mod sealed {
    /// An integer image of the floats in IEEE 754 total order.
    ///
    /// Minimum and maximum of integers vectorise, and NaN sorts beyond the infinities instead of
    /// vanishing from comparisons.
    pub trait Ordered: Sized {
        type Key: Ord + Copy + Send + Sync;
        const KEYS: (Self::Key, Self::Key);
        const ZERO: Self;
        /// The distance from 1 to the next value.
        const ULP: f64;
        fn key(self) -> Self::Key;
        fn from_key(key: Self::Key) -> Self;
    }
}

macro_rules! impl_sample {
    ($float:ty, $int:ty, $uint:ty) => {
        impl sealed::Ordered for $float {
            type Key = $int;
            const KEYS: (Self::Key, Self::Key) = (<$int>::MIN, <$int>::MAX);
            const ZERO: Self = 0.0;
            const ULP: f64 = <$float>::EPSILON as f64;

            #[inline(always)]
            fn key(self) -> Self::Key {
                let bits = self.to_bits() as $int;
                // Negative floats sort in reverse: flip all bits below the sign.
                bits ^ ((bits >> (<$int>::BITS - 1)) as $uint >> 1) as $int
            }

            fn from_key(key: Self::Key) -> Self {
                let bits = key ^ ((key >> (<$int>::BITS - 1)) as $uint >> 1) as $int;
                Self::from_bits(bits as $uint)
            }
        }
    };
}

impl_sample!(f32, i32, u32);
impl_sample!(f64, i64, u64);

impl Sample for f32 {
    #[inline(always)]
    fn saturating_from(value: f64) -> Self {
        value.clamp(f64::from(Self::MIN), f64::from(Self::MAX)) as Self
    }
}

impl Sample for f64 {
    #[inline(always)]
    fn saturating_from(value: f64) -> Self {
        value.clamp(Self::MIN, Self::MAX)
    }
}
