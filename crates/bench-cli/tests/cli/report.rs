//! The page that `bench-cli evaluate` writes.

use crate::bench::{Bench, number};
use crate::images::{defective, mask, save, texture};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;

/// Everything that lies between two texts.
fn between<'a>(page: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let pieces = page.split(start).skip(1);
    pieces.map(|piece| piece.split(end).next().unwrap()).collect()
}

fn page(bench: &Bench) -> String {
    bench.run("evaluate model --out results").done();
    bench.text("results/report.html")
}

/// Neither the page nor its script asks anybody for anything.
pub fn assert_alone(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"));
    for word in ["<script src", "<link", "url(", "@import", "fetch(", "XMLHttp", "import("] {
        assert!(!page.contains(word), "{word}");
    }
    // The name of a namespace is no address that is asked.
    let named = page.matches("http://www.w3.org/2000/svg").count();
    assert_eq!(page.matches("http:").count() + page.matches("https:").count(), named);
}

#[test]
fn the_page_needs_nothing_else() {
    let bench = Bench::with_model();
    let page = page(&bench);
    assert_alone(&page);
    let sources = between(&page, "src=\"", "\"");
    assert!(sources.iter().all(|source| source.starts_with("data:image/")), "{sources:?}");
    assert!(page.contains("prefers-color-scheme: dark") && page.contains("@media print"));
    assert_eq!(page.matches("<svg ").count(), 5);
    // The charts take their colours from the style sheet.
    for colour in between(&page, "=\"var(--", ",") {
        assert_eq!(
            page.matches(&format!("--{colour}: ")).count(),
            3,
            "{colour}: light, dark, print"
        );
    }
    // Every element that is opened is closed; those without content are not opened.
    let (page, _) = page.rsplit_once("<script>").unwrap();
    for name in ["svg", "text", "div", "section", "figure", "table", "ul", "label", "select"] {
        let opened =
            page.matches(&format!("<{name} ")).count() + page.matches(&format!("<{name}>")).count();
        assert_eq!(opened, page.matches(&format!("</{name}>")).count(), "{name}");
    }
}

#[test]
fn the_page_shows_the_numbers_of_the_evaluation() {
    let bench = Bench::with_model();
    let page = page(&bench);
    let metrics = bench.json("results/metrics.json");
    for key in ["pixel_au_roc", "pixel_average_precision", "au_pro", "image_au_roc"] {
        let cell = format!(">{:.3}</td>", number(&metrics, key));
        assert!(page.contains(&cell), "{key}: {cell}");
    }
    for rule in metrics["rules"].as_array().unwrap() {
        // In four digits.
        let threshold: f64 = format!("{:.3e}", number(rule, "threshold")).parse().unwrap();
        let cell = format!(">{threshold}</td>");
        assert!(page.contains(&cell), "{cell}");
    }
    assert!(page.contains("false_alarms:20 (calibrated)") && page.contains("test labels in view"));
    let titles = between(&page, "<figcaption><strong>", "</strong>");
    for title in ["Pixel ROC", "Precision and recall of pixels", "Per-region overlap"] {
        assert!(titles.contains(&title), "{title}: {titles:?}");
    }
    assert!(page.contains("good images (n = 1)") && page.contains("defective images (n = 2)"));
    for hash in ["data_sha256", "weights_sha256"] {
        assert!(page.contains(bench.json("model/calibration.json")[hash].as_str().unwrap()));
    }
    assert!(page.contains("latent_dim = 8") && page.contains("8 patches of 4 images"));
    assert!(!page.contains("are synthetic"));
}

/// The numbers of the colours of pictures that are told by their class.
fn numbers(page: &str, class: &str) -> Vec<Vec<u8>> {
    let sources =
        between(page, &format!("<img class=\"{class}\" src=\"data:image/png;base64,"), "\"");
    let decoded = sources.iter().map(|source| {
        let bytes = STANDARD.decode(source).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    });
    decoded.collect()
}

/// Of the two defective images and the good one, at thresholds that flag nothing, and everything.
#[test]
fn images_are_shown_with_what_was_decided() {
    let bench = Bench::with_model();
    bench.run("calibrate model --rule manual:1e9").done();
    let nothing = page(&bench);
    assert_eq!(nothing.matches("0 of 1 defects found, 0 false alarms").count(), 2);
    assert_eq!(nothing.matches("<figure class=\"exhibit\"").count(), 3);
    assert_eq!(nothing.matches("<img ").count(), 3 * 4);
    // The mask of a miss, 48 by 40 pixels, in the colour of what was missed.
    let masks = numbers(&nothing, "mask");
    let counts =
        |mask: &[u8]| [0, 1, 2, 3].map(|n| mask.iter().filter(|&&pixel| pixel == n).count());
    assert_eq!(counts(&masks[0]), [48 * 40 - 120, 0, 120, 0]);

    bench.run("calibrate model --rule manual:-1e9").done();
    let everything = page(&bench);
    assert_eq!(everything.matches("1 of 1 defects found, 0 false alarms").count(), 2);
    assert!(
        numbers(&everything, "mask").iter().any(|mask| counts(mask) == [0, 0, 0, 48 * 40]),
        "good"
    );
}

/// Data that the script counts by: levels of the maps, the scores that they begin at, and the threshold's level.
#[test]
fn maps_travel_in_levels_that_the_threshold_is_one_of() {
    let bench = Bench::with_model();
    bench.run("evaluate model --out results --maps").done();
    let page = bench.text("results/report.html");
    let data = between(&page, "<script class=\"data\" type=\"application/json\">", "</script>")[0];
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let edges: Vec<f32> = data["edges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|edge| edge.as_f64().unwrap() as f32)
        .collect();
    let (level, metrics) =
        (data["level"].as_u64().unwrap() as usize, bench.json("results/metrics.json"));
    let threshold = number(&metrics, "threshold") as f32;
    assert_eq!((edges.len(), edges[level - 1]), (255, threshold));
    let names = between(&page, "data-name=\"", "\"");
    for (name, levels) in names.iter().zip(numbers(&page, "map")) {
        let (map, _) = bench.map(&format!("results/maps/cloth/test/{name}.tiff"));
        for (&score, &level) in map.iter().zip(&levels) {
            let reached = edges.iter().filter(|&&edge| score >= edge).count();
            assert_eq!(usize::from(level), reached, "{name}: {score}");
        }
    }
    let command = "bench-cli calibrate model --rule manual:1 --set calibration.min_area=1";
    assert!(page.contains(command));
}

#[test]
fn names_of_files_are_no_markup() {
    let bench = Bench::with_model();
    let name = "<b>&\"'";
    let folder = format!("{name}/test/{name}");
    fs::rename(bench.path("cloth"), bench.path(name)).unwrap();
    save(&bench.path(&format!("{folder}/{name}.png")), &defective(3));
    save(&bench.path(&format!("{name}/ground_truth/{name}/{name}_mask.png")), &mask());
    save(&bench.path(&format!("{name}/test/good/{name}.png")), &texture(3));
    bench.run(&format!("evaluate model --data {name} --out results")).done();
    let page = bench.text("results/report.html");
    assert!(!page.contains("<b>"));
    assert!(page.contains("<title>&lt;b&gt;&amp;&quot;'</title>"), "{}", &page[..400]);
    assert!(page.contains("&lt;b&gt;&amp;&quot;'/&lt;b&gt;&amp;&quot;'</strong>"));
}
