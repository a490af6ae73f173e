use super::{MOST, Tiling};
use crate::{Border, Error, Params, formula};

/// Sizes of images, map and window, as `Geometry` in `kernels/geometry.cuh`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Geometry {
    width: i32,
    height: i32,
    map_width: i32,
    map_height: i32,
    size: i32,
    /// From a window's place in the map to the pixel at its centre.
    offset: i32,
    mirrored: i32,
    weights: [f32; MOST],
}

/// Constants and exponents, as `Formula` in `kernels/geometry.cuh`.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Formula {
    constants: [f32; 3],
    exponents: [f32; 3],
    joint: i32,
}

/// The arguments of the kernels beside a batch's pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arguments {
    pub(crate) geometry: Geometry,
    pub(crate) formula: Formula,
    /// Blocks for the windows of all maps.
    pub(crate) maps: Tiling,
    /// Blocks for the pixels of all images.
    pub(crate) images: Tiling,
    pub(crate) planes: usize,
    pub(crate) map_width: usize,
    pub(crate) map_height: usize,
}

impl Arguments {
    /// For a batch of the given shape (N, C, H, W).
    pub(crate) fn new(params: &Params, shape: [usize; 4]) -> Result<Self, Error> {
        let [images, channels, height, width] = shape;
        let (map_width, map_height) = params.map_size(width, height)?;
        let planes = images * channels;
        if planes == 0 {
            return Err(Error::EmptyBatch { shape: shape.to_vec() });
        }
        let size = params.window.size();
        if size > MOST {
            return Err(Error::DeviceWindow { size, most: MOST });
        }
        let too_large = || Error::DeviceBatch { shape: shape.to_vec() };
        Ok(Self {
            geometry: Geometry::new(params, [width, height], [map_width, map_height])
                .ok_or_else(too_large)?,
            formula: Formula::new(params),
            maps: Tiling::new(map_width, map_height, planes, size).ok_or_else(too_large)?,
            images: Tiling::new(width, height, planes, size).ok_or_else(too_large)?,
            planes,
            map_width,
            map_height,
        })
    }

    /// Windows in the whole batch.
    pub(crate) fn windows(&self) -> usize {
        self.planes * self.map_width * self.map_height
    }
}

impl Geometry {
    /// For validated parameters; `None` if the kernels cannot count that far.
    fn new(params: &Params, image: [usize; 2], map: [usize; 2]) -> Option<Self> {
        let size = params.window.size();
        let mut weights = [0.0; MOST];
        for (to, weight) in weights.iter_mut().zip(params.window.weights().ok()?) {
            *to = weight as f32;
        }
        let mirrored = params.border == Border::Reflect;
        let [width, height] = image.map(count);
        let [map_width, map_height] = map.map(count);
        Some(Self {
            width: width?,
            height: height?,
            map_width: map_width?,
            map_height: map_height?,
            size: count(size)?,
            offset: if mirrored { 0 } else { count(size / 2)? },
            mirrored: mirrored.into(),
            weights,
        })
    }
}

/// A length that the kernels can double, as they do to mirror an index.
fn count(length: usize) -> Option<i32> {
    i32::try_from(length).ok().filter(|&length| length < i32::MAX / 4)
}

impl Formula {
    fn new(params: &Params) -> Self {
        let (constants, exponents) = (params.constants, params.exponents);
        // They are valid, and so within the range of f32.
        let single = |value: f64| value as f32;
        Self {
            constants: [constants.c1, constants.c2, constants.c3].map(single),
            exponents: [exponents.alpha, exponents.beta, exponents.gamma].map(single),
            joint: formula::Formula::new(params, [0.0; 2]).is_joint().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Constants, Window};

    fn refused(window: Window, shape: [usize; 4]) -> Error {
        let params = Params::new(window, Border::Reflect, Constants::squared());
        Arguments::new(&params, shape).expect_err("the kernels cannot do that")
    }

    #[test]
    fn what_the_kernels_have_no_room_for_is_refused() {
        let uniform = |size| Window::Uniform { size };
        assert_eq!(
            refused(uniform(33), [1, 1, 64, 64]),
            Error::DeviceWindow { size: 33, most: 31 }
        );
        assert_eq!(
            refused(Window::Gaussian { size: 33, sigma: 1.5 }, [1, 1, 64, 64]),
            Error::DeviceWindow { size: 33, most: 31 }
        );
        // Refused as on the CPU.
        assert_eq!(
            refused(uniform(33), [1, 1, 8, 64]).to_string(),
            "the 33x33 window is larger than the 64x8 image"
        );
        let empty = vec![0, 3, 64, 64];
        assert_eq!(refused(uniform(3), [0, 3, 64, 64]), Error::EmptyBatch { shape: empty });
        for shape in [[1, 1, 3, 1 << 30], [1 << 26, 1 << 8, 3, 3]] {
            assert_eq!(refused(uniform(3), shape), Error::DeviceBatch { shape: shape.to_vec() });
        }
    }
}
