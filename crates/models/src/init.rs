//! Random initial weights.

use crate::architecture::LEAKY_SLOPE;
use crate::conv::Conv2d;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// Normal weights of variance `2 / ((1 + slope²) · fan_in)` for layers with leaky rectifiers (He et al. 2015, equation 15).
pub(crate) fn he_normal(conv: &Conv2d, fan_in: f64, rng: &mut impl Rng) -> Vec<f32> {
    let slope = f64::from(LEAKY_SLOPE);
    let deviation = (2.0 / ((1.0 + slope * slope) * fan_in)).sqrt();
    let weight = |_| {
        let normal: f64 = StandardNormal.sample(rng);
        (normal * deviation) as f32
    };
    (0..conv.weight_count()).map(weight).collect()
}
