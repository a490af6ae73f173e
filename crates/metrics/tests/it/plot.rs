//! Charts as files and as parts of pages.

use std::fs;

use metrics::{
    Chart, Error, Figure, Height, HistogramStyle, LineAxis, LineChart, Points, RankedScores,
    ScoredImage, Series, SeriesStyle, Spacing, pro_curve,
};
use tempfile::tempdir;

const SCORES: [f32; 4] = [0.1, 0.4, 0.35, 0.8];
const LABELS: [bool; 4] = [false, false, true, true];

fn ranked() -> RankedScores {
    RankedScores::new(&SCORES, &LABELS).unwrap()
}

fn roc() -> Chart {
    Chart::roc(&[("a", &ranked().roc(Points::All))]).unwrap()
}

fn svg(chart: &Chart) -> String {
    chart.to_svg(&Figure::new("Fabric")).unwrap()
}

/// Width and height in the header of a PNG file.
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn roc_names_curves_with_their_areas() {
    let curve = ranked().roc(Points::Corners);
    let text = svg(&Chart::roc(&[("SSIM-AE", &curve), ("l2-AE", &curve)]).unwrap());
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
    let curve = ranked().precision_recall(Points::Corners);
    let text = svg(&Chart::precision_recall(&[("a", &curve)]).unwrap());
    // (1 + 2/3) / 2
    assert!(text.contains("a (AP 0.833)"));

    let image = ScoredImage { width: 4, height: 1, scores: &SCORES, labels: &LABELS };
    let curve = pro_curve(&[image]).unwrap();
    // One region of two pixels, half of it covered up to a rate of 0.5.
    let text = svg(&Chart::pro(&[("a", &curve)], 0.3).unwrap());
    assert!(text.contains("a (AU-PRO 0.500)"));
    assert!(text.contains(">\n0.3\n<"), "the axis ends at the limit");

    let result = Chart::pro(&[("a", &curve)], 0.0);
    assert!(matches!(result, Err(Error::InvalidLimit { .. })));
}

#[test]
fn histogram_draws_the_threshold_at_any_height() {
    let lists = [("good", &[0.1_f32, 0.2, 0.2][..]), ("defective", &[0.9][..])];
    for (height, tick) in
        [(Height::Count, "2"), (Height::Share, "0.8"), (Height::LogarithmicShare, "0.5")]
    {
        let style = HistogramStyle { height, threshold: Some(0.5), ..HistogramStyle::default() };
        let text = svg(&Chart::histogram(&lists, &style).unwrap());
        for part in ["good (n = 3)", "defective (n = 1)", "threshold 0.5000", "Score"] {
            assert!(text.contains(part), "{part}");
        }
        assert!(text.contains(&format!(">\n{tick}\n<")), "{height:?}: {tick}");
    }
}

#[test]
fn a_list_without_scores_keeps_its_colour() {
    let lists = [("good", &[0.0_f32; 0][..]), ("defective", &[0.2, 0.9][..])];
    let chart = Chart::histogram(&lists, &HistogramStyle::default()).unwrap();
    let text = svg(&chart);
    assert_eq!(chart.legend_entries(), 1);
    assert!(!text.contains("good") && !text.contains("#0072B2") && text.contains("#D55E00"));
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
    let text = svg(&Chart::lines(&ablation()).unwrap());
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
}

#[test]
fn curves_of_files_are_lines() {
    let chart = LineChart {
        x: LineAxis::rate("False-positive rate"),
        y: LineAxis::rate("True-positive rate"),
        series: vec![
            Series::new("chance", SeriesStyle::Reference, [(0.0, 0.0), (1.0, 1.0)]),
            Series::new("VAE (AUC 0.850)", SeriesStyle::Plain, [(0.1, 0.8), (0.9, 0.95)]),
        ],
    };
    let text = svg(&Chart::lines(&chart).unwrap());
    assert!(text.contains("VAE (AUC 0.850)") && !text.contains("<circle"));
    // On both axes.
    assert_eq!([text.matches(">\n0\n<").count(), text.matches(">\n1\n<").count()], [2, 2]);
}

#[test]
fn lines_refuse_what_has_no_place() {
    let with = |x: LineAxis<'static>, point: (f64, f64, f64)| {
        let series = vec![Series::new("ours", SeriesStyle::Marked, [point])];
        Chart::lines(&LineChart { x, series, ..ablation() })
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
    assert!(matches!(Chart::lines(&empty), Err(Error::NothingToPlot)));
}

#[test]
fn histograms_refuse_what_has_no_place() {
    let style = HistogramStyle::default();
    let lists = [("good", &[0.1][..]), ("defective", &[0.2, f32::NAN][..])];
    let result = Chart::histogram(&lists, &style);
    assert!(matches!(result, Err(Error::NonFiniteScore { image: 1, index: 1, .. })));
    let endless = HistogramStyle { threshold: Some(f32::INFINITY), ..style };
    assert!(matches!(Chart::histogram(&lists[..1], &endless), Err(Error::InvalidThreshold)));
    assert!(matches!(Chart::histogram(&[("none", &[])], &style), Err(Error::NothingToPlot)));
    assert!(matches!(Chart::roc(&[]), Err(Error::NothingToPlot)));
}

#[test]
fn files_have_the_size_of_the_figure() {
    let figure = Figure { width: 321, height: 240, ..Figure::new("Small") };
    assert_eq!(png_size(&roc().to_png(&figure).unwrap()), (321, 240));
    let text = roc().to_svg(&figure).unwrap();
    assert!(text.starts_with("<svg width=\"321\" height=\"240\" viewBox=\"0 0 1284 960\" xmlns="));
    assert!(text.ends_with("</svg>\n"));
}

#[test]
fn pages_set_the_colours() {
    let figure = Figure::new("#0072B2");
    let (file, inline) = (roc().to_svg(&figure).unwrap(), roc().to_inline_svg(&figure).unwrap());
    assert!(!file.contains("var(") && !inline.contains("http"));
    assert_eq!(file.matches("\"#").count(), inline.matches("\"var(--").count());
    for property in ["ink, #282828", "paper, #FFFFFF", "grid, #E1E1E1", "series-1, #0072B2"] {
        assert!(inline.contains(&format!("\"var(--{property})\"")), "{property}");
    }
    assert!(inline.contains("\n#0072B2\n"), "the title stays");
}

#[test]
fn only_the_figure_is_left_in_the_folder() {
    let folder = tempdir().unwrap();
    for title in ["first", "second"] {
        for name in ["roc.png", "roc.SVG"] {
            roc().save(folder.path().join(name), &Figure::new(title)).unwrap();
        }
    }
    let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<_> = names.collect();
    names.sort();
    assert_eq!(names, ["roc.SVG", "roc.png"]);
    assert!(fs::read_to_string(folder.path().join("roc.SVG")).unwrap().contains("second"));
}

/// A million corners, drawn with at most four points for each of 1,600
/// half-pixel columns of at most 10 bytes each.
#[test]
fn long_curves_are_thinned() {
    let count = 1_000_000;
    let scores: Vec<f32> = (0..count).map(|i| i as f32).collect();
    let labels: Vec<bool> = (0..count).map(|i| i % 2 == 1).collect();
    let curve = RankedScores::new(&scores, &labels).unwrap().roc(Points::Corners);
    assert!(curve.fpr().len() >= count);
    assert!(svg(&Chart::roc(&[("a", &curve)]).unwrap()).len() < 4 * 1_600 * 10 + 10_000);
}

#[test]
fn titles_are_escaped() {
    let chart = Chart::roc(&[("<x>", &ranked().roc(Points::All))]).unwrap();
    let text = chart.to_svg(&Figure::new("a<b & c")).unwrap();
    assert!(text.contains("a&lt;b &amp; c") && text.contains("&lt;x&gt;"));
}

#[test]
fn sizes_are_checked_and_the_smallest_holds_any_legend() {
    for (width, height) in [(0, 0), (199, 800), (800, 8193), (u32::MAX, u32::MAX)] {
        let result = roc().to_png(&Figure { width, height, ..Figure::new("Wrong") });
        assert!(matches!(result, Err(Error::FigureSize { smallest: 200, largest: 8192, .. })));
    }
    let figure = Figure { width: 200, height: 200, ..Figure::new("Tiny") };
    let curve = ranked().roc(Points::All);
    for count in [1, 3, 5, 30] {
        let result = Chart::roc(&vec![("a", &curve); count]).unwrap().to_png(&figure);
        assert!(matches!(result, Ok(_) | Err(Error::Draw { .. })), "{count}: {result:?}");
    }
}

#[test]
fn mistakes_name_the_path() {
    let folder = tempdir().unwrap();
    let figure = Figure::new("Fabric");
    let path = folder.path().join("roc.gif");
    let result = roc().save(&path, &figure);
    assert!(matches!(&result, Err(Error::UnknownFormat { path: named }) if *named == path));

    let path = folder.path().join("missing").join("roc.png");
    let result = roc().save(&path, &figure);
    assert!(matches!(&result, Err(Error::Write { path: named, .. }) if *named == path));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
