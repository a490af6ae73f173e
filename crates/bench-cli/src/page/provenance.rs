//! The provenance of the numbers of the page.

use anyhow::Result;
use candle_core::Device;
use detector::files::shown;
use detector::records::{Calibration, TrainingRecord};
use detector::{Evaluation, Origin, RuleName};
use maud::{Markup, html};
use models::device_name;
use std::path::Path;
use time::OffsetDateTime;

/// Date and time, to the second.
pub fn now() -> String {
    let now = OffsetDateTime::now_utc();
    let (date, hour, minute, second) = (now.date(), now.hour(), now.minute(), now.second());
    format!("{date} {hour:02}:{minute:02}:{second:02} UTC")
}

/// The circumstances that all parts of a page have in common.
pub struct Circumstances {
    /// The folder of the images.
    data: String,
    synthetic: bool,
    device: String,
    date: String,
}

impl Circumstances {
    /// Those of now.
    pub fn now(data: &Path, synthetic: bool, device: &Device) -> Self {
        let (data, device) = (shown(data), device_name(device));
        Self { data, synthetic, device, date: now() }
    }

    /// The first sentences of the page.
    pub fn summary(&self, parts: &[Evaluation]) -> Markup {
        let metrics = parts.first().map(|part| &part.metrics);
        html! {
            @if let Some(metrics) = metrics {
                p {
                    (metrics.images) " test images, " (metrics.defective_images) " of them with defects; "
                    (metrics.defective_pixels) " of " (metrics.pixels) " pixels are defective. "
                    @if metrics.images_without_mask > 0 {
                        (metrics.images_without_mask) " defective images have no mask: they count in the figures of images alone. "
                    }
                    @if metrics.images_left_out > 0 {
                        (metrics.images_left_out) " others are left out: they have no region of interest, or all their defects lie outside of it. "
                    }
                    "Pixels of all images are pooled."
                }
            }
            @if self.synthetic {
                p.warning { "The images are synthetic: computed, not photographed. Numbers on them say nothing of real ones." }
            }
        }
    }

    /// A row for each circumstance.
    pub fn list(&self) -> Markup {
        rows(&self.rows())
    }

    fn rows(&self) -> [(&'static str, String); 5] {
        let Self { data, synthetic, device, date } = self;
        let images = if *synthetic { "computed (synthetic)" } else { "not known to be computed" };
        [
            ("Program", format!("bench-cli {}", env!("CARGO_PKG_VERSION"))),
            ("Date", date.clone()),
            ("Data", data.clone()),
            ("Images", images.to_owned()),
            ("Inspected on", format!("{device}, {} threads", rayon::current_num_threads())),
        ]
    }
}

/// Provenance and configurations.
///
/// # Errors
/// If a path of a configuration is not Unicode.
pub fn section(circumstances: &Circumstances, parts: &[Evaluation]) -> Result<Markup> {
    let configuration =
        |part: &Evaluation| Ok((part.method().title(), part.origin.config.to_toml()?));
    let configurations = parts.iter().map(configuration).collect::<Result<Vec<_>>>()?;
    Ok(html! {
        section id="provenance" {
            h2 { "Provenance" }
            (rows(&circumstances.rows()))
            @for part in parts {
                h3 { (part.method().title()) }
                (rows(&of_model(part)))
            }
        }
        section id="configuration" {
            h2 { "Configuration" }
            @for (name, text) in configurations {
                h3 { (name) }
                pre { (text) }
            }
        }
    })
}

/// A list of names and values.
pub fn rows(rows: &[(&str, String)]) -> Markup {
    html! {
        dl { @for (name, value) in rows { dt { (name) } dd { (value) } } }
    }
}

fn of_model(evaluation: &Evaluation) -> Vec<(&'static str, String)> {
    let Origin { model, config, training, calibration } = &evaluation.origin;
    let TrainingRecord { version, patches, seconds, threads, device, loss, images, .. } = training;
    let trained = format!("{patches} patches of {images} images in {seconds:.0} s, loss {loss:.4}");
    let Calibration { threshold, rule, images, source, .. } = calibration;
    let calibrated = format!(
        "threshold {threshold} by {} from {images} good images, {}",
        RuleName(*rule),
        source.describe()
    );
    vec![
        ("Model", model.to_string_lossy().into_owned()),
        ("Method", config.method.title().to_owned()),
        ("Trained on", trained),
        ("Trained by", format!("bench-cli {version} on {device}, {threads} threads")),
        ("Seed", config.training.seed.to_string()),
        ("Training images", format!("SHA-256 {}", training.data_sha256)),
        ("Calibration", calibrated),
        ("Calibration images", format!("SHA-256 {}", calibration.data_sha256)),
        ("Weights", format!("SHA-256 {}", calibration.weights_sha256)),
        ("Inspection", format!("{:.1} s", evaluation.seconds)),
    ]
}
