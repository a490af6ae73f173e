//! The numbers of an evaluation for a person.

use crate::terminal::decimals;
use detector::records::{AtThreshold, GoodImages, Metrics};

/// All numbers, one on a line, and below them a row for each threshold.
pub fn table(metrics: &Metrics, title: &str) -> String {
    let at = &metrics.at_threshold;
    let good = metrics.good_images();
    let rows = [
        ("pixel ROC-AUC", metrics.of_pixels(|p| p.pixel_au_roc)),
        ("pixel ROC-AUC, residual map", metrics.of_pixels(|p| p.pixel_au_roc_raw)),
        ("pixel average precision", metrics.of_pixels(|p| p.pixel_average_precision)),
        ("largest pixel F1", metrics.of_pixels(|p| p.pixel_f1_max)),
        ("AU-PRO to 0.3", metrics.of_pixels(|p| p.au_pro)),
        (image_row(metrics), metrics.image_au_roc),
        ("precision at the threshold", at.precision),
        ("recall at the threshold", at.recall),
        ("IoU at the threshold", at.iou),
    ];
    let parts = [
        ("defects found", at.regions_found, at.regions),
        ("defective images hit", at.defective_images_hit, metrics.defective_images),
        ("good images flagged", at.good_images_flagged, good),
    ];
    let lines = rows.map(|(name, number)| format!("{name:<30} {}\n", decimals(number)));
    let parts = parts.map(|(name, part, all)| format!("{name:<30} {}\n", part_of(part, all)));
    format!(
        "{title}: {} images, {} with defects\n{}{}\n{}",
        metrics.images,
        metrics.defective_images,
        lines.concat(),
        parts.concat(),
        thresholds(metrics)
    )
}

/// The name of the area under the ROC curve of images, with the good ones that it compares with.
fn image_row(metrics: &Metrics) -> &'static str {
    match metrics.image_au_roc_good {
        Some(GoodImages::HeldOut) => "image ROC-AUC, good: held out",
        Some(GoodImages::Test) | None => "image ROC-AUC",
    }
}

/// A part of a number of things, if there are any.
fn part_of(part: usize, all: usize) -> String {
    if all == 0 { "–".to_owned() } else { format!("{part}/{all}") }
}

/// A row for each threshold.
fn thresholds(metrics: &Metrics) -> String {
    let defective = metrics.defective_images;
    let good = metrics.good_images();
    let rows = metrics.thresholds().map(|(name, threshold, result)| {
        let &AtThreshold { precision, recall, f1, iou, false_alarms_per_image, .. } = result;
        let ratios = [precision, recall, f1, iou].map(|ratio| format!("{:>10}", decimals(ratio)));
        let alarms = metrics.of_pixels(|_| false_alarms_per_image);
        let alarms = alarms.map_or_else(|| "–".to_owned(), |alarms| format!("{alarms:.2}"));
        let (ratios, found) = (ratios.concat(), part_of(result.regions_found, result.regions));
        let hit = part_of(result.defective_images_hit, defective);
        let flagged = part_of(result.good_images_flagged, good);
        format!("\n{name:<30}{threshold:>10.4}{ratios}{found:>9}{alarms:>20}{hit:>12}{flagged:>14}")
    });
    let heads = ["threshold", "precision", "recall", "F1", "IoU"].map(|head| format!("{head:>10}"));
    let (heads, rows) = (heads.concat(), rows.collect::<String>());
    let [found, alarms, hit, flagged] =
        ["found", "false alarms/image", "images hit", "good flagged"];
    format!("{:<30}{heads}{found:>9}{alarms:>20}{hit:>12}{flagged:>14}{rows}", "threshold by")
}
