//! The numbers of the page.

use crate::drawing::short;
use crate::terminal::decimals;
use detector::Evaluation;
use detector::records::{AtThreshold, DefectType, GoodImages, Metrics};
use maud::{Markup, html};

/// A row for each number, a column for each part.
pub fn numbers(parts: &[Evaluation]) -> Markup {
    type Number = fn(&Metrics) -> String;
    let rows: [(&str, Number); 9] = [
        ("Pixel ROC-AUC", |m| decimals(m.of_pixels(|p| p.pixel_au_roc))),
        ("Pixel ROC-AUC of the residual map", |m| decimals(m.of_pixels(|p| p.pixel_au_roc_raw))),
        ("Pixel average precision", |m| decimals(m.of_pixels(|p| p.pixel_average_precision))),
        ("Largest pixel F1, test labels in view", |m| decimals(m.of_pixels(|p| p.pixel_f1_max))),
        ("AU-PRO up to a false-positive rate of 0.3", |m| decimals(m.of_pixels(|p| p.au_pro))),
        (image_name(parts), |m| decimals(m.image_au_roc)),
        ("Pixel F1 at the calibrated threshold", |m| decimals(m.at_threshold.f1)),
        ("Defects found at the calibrated threshold", |m| found(&m.at_threshold)),
        ("False alarms per image there", |m| {
            format!("{:.2}", m.at_threshold.false_alarms_per_image)
        }),
    ];
    let heads = parts.iter().map(|part| part.method().title());
    html! {
        div.scroll {
            table.figures {
                thead { tr { th {} @for head in heads { th.number { (head) } } } }
                tbody {
                    @for (name, number) in rows {
                        tr { th { (name) } @for part in parts { td.number { (number(&part.metrics)) } } }
                    }
                }
            }
        }
    }
}

fn image_name(parts: &[Evaluation]) -> &'static str {
    let good = parts.first().and_then(|part| part.metrics.image_au_roc_good);
    match good {
        Some(GoodImages::HeldOut) => "Image ROC-AUC, good images held out from training",
        Some(GoodImages::Test) | None => "Image ROC-AUC",
    }
}

/// A row for each threshold.
pub fn thresholds(metrics: &Metrics) -> Markup {
    let heads = [
        "Threshold",
        "Precision",
        "Recall",
        "F1",
        "IoU",
        "Defects found",
        "False alarms per image",
        "Defective images hit",
        "Good images flagged",
    ];
    html! {
        div.scroll {
            table {
                thead { tr { th { "Rule" } @for head in heads { th.number { (head) } } } }
                tbody {
                    @for (name, threshold, result) in metrics.thresholds() {
                        (threshold_row(&name, threshold, result, metrics))
                    }
                }
            }
        }
    }
}

fn threshold_row(name: &str, threshold: f32, result: &AtThreshold, metrics: &Metrics) -> Markup {
    let defective = metrics.defective_images;
    let alarms = metrics.of_pixels(|_| result.false_alarms_per_image);
    html! {
        tr {
            th { (name) }
            td.number { (short(threshold)) }
            @for ratio in [result.precision, result.recall, result.f1, result.iou] {
                td.number { (decimals(ratio)) }
            }
            td.number { (found(result)) }
            td.number { (alarms.map_or_else(|| "–".to_owned(), |alarms| format!("{alarms:.2}"))) }
            td.number { (part_of(result.defective_images_hit, defective)) }
            td.number { (part_of(result.good_images_flagged, metrics.good_images())) }
        }
    }
}

/// A row for each type of test image, at the calibrated threshold.
pub fn defect_types(metrics: &Metrics) -> Markup {
    let heads =
        ["Images", "Images flagged", "Defects found", "Recall", "Precision", "IoU", "False alarms"];
    html! {
        div.scroll {
            table {
                thead { tr { th { "Type" } @for head in heads { th.number { (head) } } } }
                tbody { @for found in &metrics.defect_types { (defect_type(found)) } }
            }
        }
    }
}

fn defect_type(of_type: &DefectType) -> Markup {
    let DefectType { defect, images, result, .. } = of_type;
    html! {
        tr {
            th { (defect) }
            td.number { (images) }
            td.number { (result.images_flagged) }
            td.number { (found(result)) }
            @for ratio in [result.recall, result.precision, result.iou] {
                td.number { (decimals(ratio)) }
            }
            td.number { (result.false_alarms) }
        }
    }
}

fn found(result: &AtThreshold) -> String {
    part_of(result.regions_found, result.regions)
}

/// A part of a number of things, if there are any.
fn part_of(part: usize, all: usize) -> String {
    if all == 0 { "–".to_owned() } else { format!("{part} of {all}") }
}
