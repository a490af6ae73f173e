//! The numbers of an evaluation for a person.

use crate::terminal::decimals;
use detector::records::{AtThreshold, GoodImages, Metrics};

/// All numbers, one on a line, and below them a row for each threshold.
pub fn table(metrics: &Metrics, title: &str) -> String {
    let AtThreshold { precision, recall, iou, regions_found, regions, .. } = metrics.at_threshold;
    let AtThreshold { defective_images_hit: hit, good_images_flagged: flagged, .. } =
        metrics.at_threshold;
    let rows = [
        ("pixel ROC-AUC", metrics.of_pixels(|p| p.pixel_au_roc)),
        ("pixel ROC-AUC, residual map", metrics.of_pixels(|p| p.pixel_au_roc_raw)),
        ("pixel average precision", metrics.of_pixels(|p| p.pixel_average_precision)),
        ("largest pixel F1", metrics.of_pixels(|p| p.pixel_f1_max)),
        ("AU-PRO to 0.3", metrics.of_pixels(|p| p.au_pro)),
        (image_row(metrics), metrics.image_au_roc),
        ("precision at the threshold", precision),
        ("recall at the threshold", recall),
        ("IoU at the threshold", iou),
    ];
    let lines = rows.map(|(name, number)| format!("{name:<30} {}\n", decimals(number)));
    format!(
        "{title}: {} images, {} with defects\n{}{:<30} {regions_found}/{regions}\n{:<30} {hit}/{}\n{:<30} {flagged}/{}\n\n{}",
        metrics.images,
        metrics.defective_images,
        lines.concat(),
        "defects found",
        "defective images hit",
        metrics.defective_images,
        "good images flagged",
        metrics.images - metrics.defective_images,
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

/// A row for each threshold.
fn thresholds(metrics: &Metrics) -> String {
    let rows = metrics.thresholds().map(|(name, threshold, result)| {
        let &AtThreshold { precision, recall, f1, iou, false_alarms_per_image, .. } = result;
        let ratios = [precision, recall, f1, iou].map(|ratio| format!("{:>10}", decimals(ratio)));
        let found = format!("{}/{}", result.regions_found, result.regions);
        let ratios = ratios.concat();
        format!("\n{name:<30}{threshold:>10.4}{ratios}{found:>9}{false_alarms_per_image:>20.2}")
    });
    let heads = ["threshold", "precision", "recall", "F1", "IoU"].map(|head| format!("{head:>10}"));
    let (heads, rows) = (heads.concat(), rows.collect::<String>());
    format!("{:<30}{heads}{:>9}{:>20}{rows}", "threshold by", "found", "false alarms/image")
}
