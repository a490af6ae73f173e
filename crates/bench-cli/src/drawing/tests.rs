#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use inspect::{Image, Mask};
use std::path::Path;

/// The error as the program prints it: one line that names the file.
fn message<T: std::fmt::Debug>(path: &Path, result: anyhow::Result<T>) -> String {
    let message = format!("{:#}", result.unwrap_err());
    assert!(message.contains(&path.display().to_string()), "{message}");
    assert!(!message.contains('\n'), "{message}");
    message
}

#[test]
fn overlay_shows_the_image_where_scores_are_low_and_outlines_regions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overlay.png");
    let image = Image::filled(5, 5, 0.4);
    let mut map = Image::filled(5, 5, 0.0);
    map.data_mut()[0] = 2.0;
    let regions = Mask::from_fn(5, 5, |x, y| (1..5).contains(&x) && (1..5).contains(&y));
    let range = ScoreRange { low: 0.0, high: 2.0 };
    let overlay =
        Overlay { image: &image, map: &map, range, inside: None, regions: &regions, caption: &[] };
    write_overlay_png(&path, &overlay).unwrap();
    let written = image::open(&path).unwrap().into_rgb8();
    assert_eq!(written.get_pixel(4, 0).0, [102, 102, 102]);
    // A quarter of 102 and three quarters of (252, 255, 164).
    assert_eq!(written.get_pixel(0, 0).0, [215, 217, 149]);
    for (x, y, is_outline) in
        [(1, 1, true), (4, 3, true), (2, 4, true), (2, 2, false), (3, 3, false)]
    {
        assert_eq!(written.get_pixel(x, y).0 == [0, 255, 255], is_outline, "({x}, {y})");
    }
    let inside = Mask::from_fn(5, 5, |x, _| x < 4);
    write_overlay_png(&path, &Overlay { inside: Some(&inside), ..overlay }).unwrap();
    let dimmed = image::open(&path).unwrap().into_rgb8();
    assert_eq!((dimmed.get_pixel(4, 0).0, dimmed.get_pixel(3, 0).0), ([40; 3], [102; 3]));
    write_overlay_png(&path, &Overlay { caption: &["score 2"], ..overlay }).unwrap();
    let captioned = image::open(&path).unwrap().into_rgb8();
    assert!(captioned.width() == 5 && captioned.height() > 5);
    assert!(captioned.enumerate_pixels().take(25).all(|(x, y, &p)| p == *written.get_pixel(x, y)));
    let small = Image::filled(4, 5, 0.0);
    let wrong = write_overlay_png(&path, &Overlay { map: &small, ..overlay });
    assert!(message(&path, wrong).contains("(4, 5) pixels over an image of (5, 5)"));
}

/// The figure as it is written.
fn written(figure: &Figure<'_>) -> image::RgbaImage {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figure.png");
    write_figure(&path, figure).unwrap();
    image::open(&path).unwrap().into_rgba8()
}

#[test]
fn figure_lays_out_rows_and_columns() {
    let (grey, mask) = (Image::filled(3, 2, 0.2), Mask::filled(2, 5, false));
    let range = ScoreRange { low: 0.0, high: 1.0 };
    let rows = vec![vec![Cell::Grey(&grey), Cell::Heat(&grey, range)], vec![Cell::Mask(&mask)]];
    let drawn = written(&Figure { rows, ..Figure::default() });
    assert_eq!(drawn.dimensions(), (3 + 4 + 3, 2 + 4 + 5));
    assert_eq!(drawn.get_pixel(2, 1).0, [51, 51, 51, 255]);
    assert_eq!(drawn.get_pixel(3, 1).0[3], 0, "no ground");
    // 3.2 of 16 steps: (61, 9, 101) and a fifth of the way to (87, 16, 110).
    assert_eq!(drawn.get_pixel(7, 0).0, [66, 10, 103, 255]);
    assert_eq!(drawn.get_pixel(1, 6).0, [0, 0, 0, 255]);
    assert_eq!(drawn.get_pixel(2, 6).0[3], 0);
    let path = Path::new("figure.png");
    let nothing = write_figure(path, &Figure::default());
    assert!(message(path, nothing).contains("a figure without images"));
}

#[test]
fn figures_have_headings_and_a_scale_and_strips_are_scaled_down() {
    let strip = Image::filled(4096, 64, 0.0);
    let range = ScoreRange { low: 0.0, high: 2.0 };
    let rows = vec![vec![Cell::Grey(&strip), Cell::Heat(&strip, range)]];
    let plain = written(&Figure { rows: rows.clone(), ..Figure::default() });
    assert_eq!(plain.dimensions(), (640 + 4 + 640, 10));
    let headings = ["image", "anomaly map"].map(String::from).into();
    let drawn = written(&Figure { headings, rows, scale: Some((range, Some(1.0))) });
    assert_eq!(drawn.width(), plain.width());
    assert!(drawn.height() > plain.height() + 40);
    let inked = |columns: std::ops::Range<u32>| {
        columns
            .flat_map(|x| (0..16).map(move |y| (x, y)))
            .any(|(x, y)| drawn.get_pixel(x, y).0[3] > 100)
    };
    assert!(
        inked(0..100) && inked(644..744) && !inked(400..640),
        "headings begin at their columns"
    );
    // The threshold is the middle of the scale, which is 16 letters of 32 pixels long.
    let marked =
        drawn.enumerate_pixels().find(|(.., pixel)| pixel.0 == [0, 255, 255, 255]).unwrap();
    assert_eq!(marked.0, 16 * 32 / 2 - 1);
}
