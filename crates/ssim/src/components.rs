use std::ops::BitOr;

/// A set of maps to compute.
///
/// ```
/// use ssim::Components;
///
/// let wanted = Components::LUMINANCE | Components::SSIM;
/// assert!(wanted.contains(Components::SSIM) && !wanted.contains(Components::CONTRAST));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Components(u8);

impl Components {
    /// Luminance l = (2μxμy + c1) / (μx² + μy² + c1).
    pub const LUMINANCE: Self = Self(1);
    /// Contrast c = (2σxσy + c2) / (σx² + σy² + c2).
    pub const CONTRAST: Self = Self(2);
    /// Structure s = (σxy + c3) / (σxσy + c3).
    pub const STRUCTURE: Self = Self(4);
    /// SSIM = l^α · c^β · s^γ.
    pub const SSIM: Self = Self(8);
    /// All four maps.
    pub const ALL: Self = Self(15);

    /// The number of maps.
    #[cfg(feature = "candle")]
    pub(crate) const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// One bit for each map, in the order above.
    #[cfg(any(feature = "cuda", test))]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every map of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Components {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
