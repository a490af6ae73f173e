use super::{Defective, Drawing, DrawnKind, draw_kinds};
use inspect::Image;

fn stripes(width: usize, height: usize) -> Image {
    Image::from_fn(width, height, |x, y| if (x + y / 3) % 8 < 4 { 0.4 } else { 0.6 })
}

fn drawing(contrast: f32) -> Drawing {
    let (kinds, contrasts) = (DrawnKind::ALL.to_vec(), vec![contrast]);
    Drawing { seed: 7, kinds, contrasts, sizes: vec![1.0], most: 100 }
}

#[test]
fn only_masked_pixels_change() {
    for (width, height) in [(32, 40), (250, 170), (700, 500)] {
        let good = stripes(width, height);
        let Defective { image, defects } = draw_kinds(&good, &drawing(3.0), 0);
        let cells = (width / 160).max(1) * (height / 160).max(1);
        assert!(!defects.is_empty() && defects.len() <= cells, "{width}x{height}");
        let mut changed = vec![false; width * height];
        for (x, y) in defects.iter().flat_map(|defect| defect.pixels()) {
            assert!(!std::mem::replace(&mut changed[y * width + x], true), "defects overlap");
        }
        let pixels = image.data().iter().zip(good.data()).zip(&changed);
        for ((new, old), changed) in pixels {
            assert_eq!(new != old, *changed);
            assert!((0.0..=1.0).contains(new));
        }
    }
}

#[test]
fn every_kind_leaves_a_trace_of_its_contrast() {
    let good = stripes(160 * 8, 160);
    let strength = |contrast: f32| {
        let Defective { image, defects } = draw_kinds(&good, &drawing(contrast), 0);
        let kinds: Vec<DrawnKind> = defects.iter().map(|defect| defect.kind).collect();
        assert_eq!(kinds, DrawnKind::ALL);
        let change = |(x, y): (usize, usize)| (image.get(x, y) - good.get(x, y)).abs();
        let largest = defects.iter().map(|defect| defect.pixels().map(change).fold(0.0, f32::max));
        largest.collect::<Vec<f32>>()
    };
    // The stripes' deviation is 0.1: a contrast of 1 is a difference of 0.1 to the mean, and so of at most 0.2 to a stripe.
    let (faint, clear) = (strength(1.0), strength(4.0));
    assert!(faint[..2].iter().all(|change| (0.1..0.21).contains(change)), "{faint:?}");
    assert!((faint[3] - 0.05).abs() < 1e-3 && (clear[3] - 0.2).abs() < 1e-3, "stains keep texture");
    assert!(faint.iter().zip(&clear).all(|(faint, clear)| faint < clear), "{faint:?} {clear:?}");
}

#[test]
fn kinds_and_contrasts_take_turns_by_number() {
    let drawing = Drawing { contrasts: vec![1.0, 3.0], most: 3, ..drawing(0.0) };
    let Defective { defects, .. } = draw_kinds(&stripes(160 * 6, 160), &drawing, 7);
    let drawn: Vec<_> = defects.iter().map(|d| (d.kind, d.contrast, d.left)).collect();
    assert_eq!(
        drawn,
        [(DrawnKind::Rotated, 1.0, 0), (DrawnKind::Stroke, 3.0, 320), (DrawnKind::Blob, 3.0, 640)]
    );
}

#[test]
fn a_larger_defect_covers_more() {
    let covered = |size: f32| {
        let drawing = Drawing { sizes: vec![size], ..drawing(4.0) };
        let Defective { defects, .. } = draw_kinds(&stripes(160 * 8, 160), &drawing, 0);
        defects.iter().map(|defect| defect.pixels().count()).collect::<Vec<_>>()
    };
    let (small, large) = (covered(0.5), covered(1.0));
    assert!(small.iter().zip(&large).all(|(small, large)| small < large), "{small:?} {large:?}");
}

#[test]
fn the_seed_and_the_number_decide() {
    let good = stripes(400, 200);
    let drawn = draw_kinds(&good, &drawing(2.0), 0);
    assert_eq!(drawn, draw_kinds(&good, &drawing(2.0), 0));
    assert_ne!(drawn, draw_kinds(&good, &Drawing { seed: 8, ..drawing(2.0) }, 0));
    assert_ne!(drawn.image, draw_kinds(&good, &drawing(2.0), 16).image);
}

/// A surface of one tone has no deviation; defects on it have one of 255 levels.
#[test]
fn a_constant_image_gets_defects() {
    let good = Image::filled(320, 160, 0.5);
    let Defective { image, defects } = draw_kinds(&good, &drawing(5.0), 0);
    assert_eq!(defects.len(), 2);
    let largest = image.data().iter().map(|value| (value - 0.5).abs()).fold(0.0, f32::max);
    assert!((largest - 5.0 / 255.0).abs() < 1e-6, "{largest}");
}
