//! Figures on disk.
#![cfg(feature = "plot")]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use std::fs;
use std::path::Path;

use metrics::{
    Error, Figure, HistogramStyle, LineAxis, LineChart, Points, RankedScores, Scale, ScoredImage,
    Series, SeriesStyle, Spacing, plot_histogram, plot_lines, plot_pr, plot_pro, plot_roc,
    pro_curve,
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

/// An ablation: two measurements with error bars, one without, and what
/// others have published.
fn ablation() -> LineChart<'static> {
    let ours = [(3.0, 0.91, 0.01), (7.0, 0.95, 0.0), (11.0, 0.96, 0.005)];
    let published = [(3.0, 0.9), (7.0, 0.94), (11.0, 0.96)];
    LineChart {
        x: LineAxis { spacing: Spacing::Even, ..LineAxis::new("Window size") },
        y: LineAxis::new("ROC-AUC"),
        series: vec![
            Series::new("published", SeriesStyle::Reference, published),
            Series::new("ours", SeriesStyle::Marked, ours),
        ],
    }
}

#[test]
fn lines_have_marks_error_bars_and_a_legend() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ablation.svg");
    plot_lines(&path, &Figure::new("Fabric"), &ablation()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    for part in [
        "Fabric",
        "Window size",
        "ROC-AUC",
        "published",
        "ours",
        ">\n3\n<",
        ">\n7\n<",
        ">\n11\n<",
        ">\n0.96\n<",
        // The first colour, whatever references there are.
        "#0072B2",
        "#787878",
    ] {
        assert!(text.contains(part), "{part}");
    }
    // Three points and the legend.
    assert_eq!(text.matches("<circle").count(), 4);
    // A line and two error bars of three strokes each; and the legend.
    let strokes =
        text.lines().filter(|line| line.contains("<polyline") && line.contains("#0072B2"));
    assert_eq!(strokes.count(), 1 + 2 * 3 + 1);
    let path = folder.path().join("ablation.png");
    plot_lines(&path, &Figure::new("Fabric"), &ablation()).unwrap();
    assert_eq!(png_size(&path), (800, 800));
}

#[test]
fn curves_of_files_are_lines() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("roc.svg");
    let chart = LineChart {
        x: LineAxis::rate("False-positive rate"),
        y: LineAxis::rate("True-positive rate"),
        series: vec![
            Series::new("chance", SeriesStyle::Reference, [(0.0, 0.0), (1.0, 1.0)]),
            Series::new("VAE (AUC 0.850)", SeriesStyle::Plain, [(0.1, 0.8), (0.9, 0.95)]),
        ],
    };
    plot_lines(&path, &Figure::new("Fabric"), &chart).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("VAE (AUC 0.850)") && !text.contains("<circle"));
    // On both axes.
    assert_eq!([text.matches(">\n0\n<").count(), text.matches(">\n1\n<").count()], [2, 2]);
}

#[test]
fn lines_refuse_what_has_no_place() {
    let path = Path::new("never-written.png");
    let figure = Figure::new("Fabric");
    let with = |x: LineAxis<'static>, point: (f64, f64, f64)| {
        let series = vec![Series::new("ours", SeriesStyle::Marked, [point])];
        plot_lines(path, &figure, &LineChart { x, series, ..ablation() })
    };
    let logarithmic =
        LineAxis { spacing: Spacing::Logarithmic, ..LineAxis::new("Latent dimension") };
    for (x, point) in [
        (LineAxis::new("d"), (f64::NAN, 0.5, 0.0)),
        (LineAxis::new("d"), (1.0, f64::INFINITY, 0.0)),
        (LineAxis::new("d"), (1.0, 0.5, f64::NAN)),
        (LineAxis::new("d"), (1.0, 0.5, -0.1)),
        (logarithmic, (0.0, 0.5, 0.0)),
    ] {
        assert!(matches!(with(x, point), Err(Error::InvalidPoint { .. })), "{point:?}");
    }
    let endless = LineAxis { range: Some((0.0, f64::INFINITY)), ..LineAxis::new("d") };
    assert!(matches!(with(endless, (1.0, 0.5, 0.0)), Err(Error::InvalidAxis { .. })));
    let empty = LineChart { series: Vec::new(), ..ablation() };
    assert!(matches!(plot_lines(path, &figure, &empty), Err(Error::NothingToPlot { .. })));
    let result = plot_lines("lines.gif", &figure, &ablation());
    assert!(matches!(result, Err(Error::UnknownFormat { .. })));
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
