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

#[test]
fn the_page_needs_nothing_else() {
    let bench = Bench::with_model();
    let page = page(&bench);
    assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"));
    for word in ["<script", "<link", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
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
    for name in ["svg", "text", "div", "section", "figure", "table", "ul"] {
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
        let cell = format!(">{:.4}</td>", number(rule, "threshold"));
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

/// Of the two defective images, at thresholds that flag nothing, and everything.
#[test]
fn mistakes_are_shown_as_pictures() {
    let bench = Bench::with_model();
    bench.run("calibrate model --rule manual:1e9").done();
    let nothing = page(&bench);
    assert_eq!(nothing.matches("0 of 120 pixels found").count(), 2);
    assert!(nothing.contains("There was none."));
    assert_eq!(nothing.matches("<img ").count(), 2 * 4);
    // The mask of a miss, 48 by 40 pixels, in the colour of what was missed.
    let mask = between(&nothing, "data:image/png;base64,", "\"")[0];
    let mask = image::load_from_memory(&STANDARD.decode(mask).unwrap()).unwrap().into_rgb8();
    let missed = mask.pixels().filter(|pixel| pixel.0 == [213, 94, 0]).count();
    assert_eq!((mask.dimensions(), missed), ((48, 40), 120));

    bench.run("calibrate model --rule manual:-1e9").done();
    let everything = page(&bench);
    assert!(everything.contains("Every defect was found completely."));
    assert_eq!(everything.matches("1920 pixels flagged").count(), 1, "on the good image");
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
