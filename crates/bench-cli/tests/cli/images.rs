//! Images and data sets, small and made by formula.

use image::{GrayImage, Luma};
use std::fs;
use std::path::Path;

/// The size of all images.
pub const WIDTH: u32 = 48;
pub const HEIGHT: u32 = 40;

/// Whether a pixel belongs to the hole of a defective image.
pub fn is_hole(x: u32, y: u32) -> bool {
    (20..32).contains(&x) && (14..24).contains(&y)
}

/// A stripy texture, another one for each index.
pub fn texture(index: u32) -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([(96 + (x * 13 + y * 7 + index * 5) % 64) as u8]))
}

/// The texture with a black hole.
pub fn defective(index: u32) -> GrayImage {
    let texture = texture(index);
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| {
        if is_hole(x, y) { Luma([0]) } else { *texture.get_pixel(x, y) }
    })
}

/// The ground truth of [`defective`].
pub fn mask() -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([if is_hole(x, y) { 255 } else { 0 }]))
}

/// Writes an image, with the folders that it needs.
pub fn save(path: &Path, image: &GrayImage) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image.save(path).unwrap();
}

/// A data set in the layout of MVTec AD: four images to train on, one good and two defective ones to test.
pub fn write_cloth(root: &Path) {
    for index in 0..4 {
        save(&root.join(format!("train/good/00{index}.png")), &texture(index));
    }
    save(&root.join("test/good/000.png"), &texture(4));
    for index in 0..2 {
        save(&root.join(format!("test/hole/00{index}.png")), &defective(index + 5));
        save(&root.join(format!("ground_truth/hole/00{index}_mask.png")), &mask());
    }
}

/// The same in the layout of NanoTWICE, without good test images.
pub fn write_fibres(root: &Path) {
    for index in 0..2 {
        save(&root.join(format!("Normal/N{index}.tif")), &texture(index));
        save(&root.join(format!("Anomalous/images/A{index}.tif")), &defective(index + 5));
        save(&root.join(format!("Anomalous/gt/A{index}_gt.png")), &mask());
    }
}
