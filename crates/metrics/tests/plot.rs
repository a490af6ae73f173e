//! Figures on disk.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::fs;
use std::path::Path;

use metrics::{
    Error, Figure, HistogramStyle, Points, RankedScores, Scale, ScoredImage, plot_histogram,
    plot_pr, plot_pro, plot_roc, pro_curve,
};
use tempfile::tempdir;

const SCORES: [f32; 4] = [0.1, 0.4, 0.35, 0.8];
const LABELS: [bool; 4] = [false, false, true, true];

fn ranked() -> RankedScores {
    RankedScores::new(&SCORES, &LABELS).unwrap()
}

/// Width and height in the header of a PNG file.
fn png_size(path: &Path) -> (u32, u32) {
    let bytes = fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn roc_names_curves_with_their_areas() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.svg");
    let curve = ranked().roc(Points::Corners);
    plot_roc(&path, &Figure::new("Fabric"), &[("SSIM-AE", &curve), ("l2-AE", &curve)]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for part in [
        "Fabric",
        "SSIM-AE (AUC 0.750)",
        "l2-AE (AUC 0.750)",
        "False-positive rate",
        "#0072B2",
        "#D55E00",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn pr_and_pro_name_their_areas() {
    let folder = tempdir().unwrap();
    let figure = Figure::new("Fabric");

    let path = folder.path().join("pr.svg");
    plot_pr(&path, &figure, &[("a", &ranked().precision_recall(Points::Corners))]).unwrap();
    // (1 + 2/3) / 2
    assert!(fs::read_to_string(&path).unwrap().contains("a (AP 0.833)"));

    let path = folder.path().join("pro.svg");
    let image = ScoredImage { width: 4, height: 1, scores: &SCORES, labels: &LABELS };
    let curve = pro_curve(&[image]).unwrap();
    plot_pro(&path, &figure, &[("a", &curve)], 0.3).unwrap();
    // One region of two pixels, half of it covered up to a rate of 0.5.
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("a (AU-PRO 0.500)"));
    assert!(text.contains(">\n0.3\n<"), "the axis ends at the limit");

    let result = plot_pro(&path, &figure, &[("a", &curve)], 0.0);
    assert!(matches!(result, Err(Error::InvalidLimit { .. })));
}

#[test]
fn histogram_draws_the_threshold_on_both_scales() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("scores.SVG");
    let lists = [("good", &[0.1_f32, 0.2, 0.2][..]), ("defective", &[0.9][..])];
    for scale in [Scale::Linear, Scale::Logarithmic] {
        let style = HistogramStyle { scale, threshold: Some(0.5), ..HistogramStyle::default() };
        plot_histogram(&path, &Figure::new("Fabric"), &lists, &style).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for part in ["good (n = 3)", "defective (n = 1)", "threshold 0.5000", "Score"] {
            assert!(text.contains(part), "{part}");
        }
        assert_eq!(text.contains("e-1\n"), scale == Scale::Logarithmic);
    }
}

#[test]
fn png_has_the_size_of_the_figure() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.png");
    let figure = Figure { width: 321, height: 240, ..Figure::new("Small") };
    plot_roc(&path, &figure, &[("a", &ranked().roc(Points::All))]).unwrap();
    assert_eq!(png_size(&path), (321, 240));
}

#[test]
fn only_the_figure_is_left_in_the_folder() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.png");
    let curve = ranked().roc(Points::All);
    for title in ["first", "second"] {
        plot_roc(&path, &Figure::new(title), &[("a", &curve)]).unwrap();
    }
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["roc.png"]);
}

/// A million corners, drawn with at most four points for each of 1,600
/// half-pixel columns of at most 9 bytes each.
#[test]
fn long_curves_are_thinned() {
    let count = 1_000_000;
    let scores: Vec<f32> = (0..count).map(|i| i as f32).collect();
    let labels: Vec<bool> = (0..count).map(|i| i % 2 == 1).collect();
    let curve = RankedScores::new(&scores, &labels).unwrap().roc(Points::Corners);
    assert!(curve.fpr().len() >= count);

    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.svg");
    plot_roc(&path, &Figure::new("Long"), &[("a", &curve)]).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 4 * 1_600 * 9 + 10_000);
}

#[test]
fn titles_are_escaped() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.svg");
    plot_roc(&path, &Figure::new("a<b & c"), &[("<x>", &ranked().roc(Points::All))]).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("a&lt;b &amp; c") && text.contains("&lt;x&gt;"));
}

#[test]
fn sizes_are_checked_and_the_smallest_holds_any_legend() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.png");
    let curve = ranked().roc(Points::All);
    for (width, height) in [(0, 0), (199, 800), (800, 8193), (u32::MAX, u32::MAX)] {
        let figure = Figure { width, height, ..Figure::new("Wrong") };
        let result = plot_roc(&path, &figure, &[("a", &curve)]);
        assert!(matches!(result, Err(Error::FigureSize { smallest: 200, largest: 8192, .. })));
    }
    let figure = Figure { width: 200, height: 200, ..Figure::new("Tiny") };
    for count in [1, 3, 5, 30] {
        let result = plot_roc(&path, &figure, &vec![("a", &curve); count]);
        assert!(matches!(result, Ok(()) | Err(Error::Draw { .. })), "{count}: {result:?}");
    }
}

#[test]
fn mistakes_name_the_path() {
    let folder = tempdir().unwrap();
    let curve = ranked().roc(Points::All);
    let figure = Figure::new("Fabric");
    let path = folder.path().join("roc.gif");
    let result = plot_roc(&path, &figure, &[("a", &curve)]);
    assert!(matches!(&result, Err(Error::UnknownFormat { path: named }) if *named == path));

    let path = folder.path().join("missing").join("roc.png");
    let result = plot_roc(&path, &figure, &[("a", &curve)]);
    assert!(matches!(&result, Err(Error::Write { path: named, .. }) if *named == path));

    let path = folder.path().join("roc.png");
    let result = plot_roc(&path, &figure, &[]);
    assert!(matches!(&result, Err(Error::NothingToPlot { path: named }) if *named == path));
    let style = HistogramStyle::default();
    let result = plot_histogram(&path, &figure, &[("none", &[])], &style);
    assert!(matches!(&result, Err(Error::NothingToPlot { .. })));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn histograms_refuse_what_has_no_place() {
    let path = Path::new("never-written.png");
    let figure = Figure::new("Fabric");
    let style = HistogramStyle::default();
    let lists = [("good", &[0.1][..]), ("defective", &[0.2, f32::NAN][..])];
    let result = plot_histogram(path, &figure, &lists, &style);
    assert!(matches!(result, Err(Error::NonFiniteScore { image: 1, index: 1, .. })));
    let endless = HistogramStyle { threshold: Some(f32::INFINITY), ..style };
    let result = plot_histogram(path, &figure, &lists[..1], &endless);
    assert!(matches!(result, Err(Error::InvalidThreshold)));
}
