//! Records of what is drawn, computed or compared.

use crate::Method;
use serde::{Deserialize, Serialize};

/// A figure of several models.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FigureRecord {
    /// The file.
    pub figure: String,
    /// Number of models.
    pub models: usize,
    /// Number of images.
    pub images: usize,
}

/// The similarity of two images: means over the maps, and how they were computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsimRecord {
    /// Mean structural similarity.
    pub ssim: f64,
    /// Mean luminance.
    pub luminance: f64,
    /// Mean contrast.
    pub contrast: f64,
    /// Mean structure.
    pub structure: f64,
    /// `uniform:SIZE` or `gaussian:SIZE:SIGMA`.
    pub window: String,
    /// `valid` or `reflect`.
    pub border: String,
    /// The constant of the luminance.
    pub c1: f64,
    /// The constant of the contrast.
    pub c2: f64,
    /// Width of the maps in pixels.
    pub width: usize,
    /// Height of the maps in pixels.
    pub height: usize,
}

/// A synthetic data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntheticRecord {
    /// The folder.
    pub data: String,
    /// The seed of the images.
    pub seed: u64,
    /// Number of good images.
    pub good: usize,
    /// Number of defective images.
    pub defective: usize,
}

/// Defects drawn into a good image, and how residual maps show them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToyRecord {
    /// The file of the figure.
    pub figure: String,
    /// The good image.
    pub image: String,
    /// The model's method.
    pub method: Method,
    /// The seed of the defects.
    pub seed: u64,
    /// Width and height of each picture in pixels.
    pub side: usize,
    /// Pixels that were painted.
    pub defective_pixels: usize,
    /// In the order of the figure.
    pub maps: Vec<ToyMap>,
}

/// A residual map on the drawn defects and beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToyMap {
    /// `l2`, `luminance`, `contrast`, `structure` or `ssim`.
    pub map: String,
    /// Mean over the painted pixels.
    pub mean_inside: f64,
    /// Mean over all other pixels.
    pub mean_outside: f64,
    /// The largest residual.
    pub maximum: f32,
    /// The residual of the brightest colour; the darkest one stands for 0.
    pub scale: f32,
}
