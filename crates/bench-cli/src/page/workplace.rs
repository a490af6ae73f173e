//! Images with a threshold and a least area that can be moved.

use super::exhibits::{Exhibit, exhibit, legend};
use super::levels::Levels;
use crate::drawing::{inferno, short};
use crate::terminal::decimals;
use detector::files::{shown_argument, shown_word};
use detector::records::{AtThreshold, Calibration, CalibrationSource};
use detector::{CalibrationConfig, Config, Decision, Scores};
use maud::{Markup, PreEscaped, html};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;

/// Images of a model, and what it decided.
pub struct Workplace<'a> {
    pub exhibits: &'a [Exhibit],
    pub levels: &'a Levels,
    pub decision: Decision,
    /// The counts of the images shown, if their ground truth is known.
    pub counts: Option<&'a AtThreshold>,
    /// Good and defective images among those shown, if it is known which are.
    pub images: [usize; 2],
    /// For the command that makes a threshold the model's own.
    pub recalibration: Recalibration,
    /// The number of the colour of the model's curves, from 0.
    pub colour: usize,
}

/// The inputs that a command spells out, at most.
const INPUTS: usize = 20;

/// Tables of the configuration that a calibration may change.
pub const RECALIBRATED: [&str; 4] = ["residual", "inspection", "calibration", "data.region"];

/// The command that makes a threshold the model's own.
#[derive(Clone)]
pub struct Recalibration {
    /// `bench-cli calibrate` with the model, and the good images if the calibration is by given ones.
    call: String,
    /// Settings of the inspection that are not the model's, as further words.
    settings: String,
    /// The score that is 1 in the units of the new calibration.
    unit: f32,
}

impl Recalibration {
    /// For scores of this calibration. A threshold of one's own is measured in the unit of the default rule.
    pub fn of(model: &Path, scores: Scores, calibration: Option<&Calibration>) -> Self {
        let default = CalibrationConfig::default().threshold;
        let rules = calibration.map_or(&[][..], |calibration| &calibration.rules);
        let of_default = rules.iter().find(|of| of.rule == default);
        let unit = match (scores, of_default) {
            (Scores::Relative, Some(of)) if of.threshold > 0.0 => of.threshold,
            _ => 1.0,
        };
        let mut call = format!("bench-cli calibrate {}", shown_argument(model));
        if let Some(Calibration { source: CalibrationSource::Given, good, .. }) = calibration {
            let mut inputs: Vec<String> = good.iter().map(|input| shown_word(input)).collect();
            // Earlier versions did not keep them, and thousands are no command that one copies.
            if inputs.is_empty() || inputs.len() > INPUTS {
                inputs = vec!["GOOD".to_owned()];
            }
            call += &format!(" --good {}", inputs.join(" "));
        }
        Self { call, settings: String::new(), unit }
    }

    /// With those of the settings of an evaluation that a calibration takes.
    #[must_use]
    pub fn with_settings(mut self, settings: &[String]) -> Self {
        let is_taken = |setting: &&String| Config::is_setting_of(setting, &RECALIBRATED);
        let words = settings.iter().filter(is_taken);
        self.settings = words.map(|word| format!(" --set {}", shown_word(word))).collect();
        self
    }

    fn command(&self, decision: Decision) -> String {
        let (threshold, min_area) = (decision.threshold / self.unit, decision.min_area.max(1));
        let Self { call, settings, .. } = self;
        format!("{call} --rule manual:{threshold} --set calibration.min_area={min_area}{settings}")
    }
}

impl Workplace<'_> {
    /// Controls and images.
    pub fn markup(&self) -> Markup {
        let data = json!({
            "edges": self.levels.edges(),
            "level": self.levels.calibrated(),
            "area": self.decision.min_area.max(1),
            "call": self.recalibration.call,
            "settings": self.recalibration.settings,
            "unit": self.recalibration.unit,
            "range": [self.levels.range().low, self.levels.range().high],
        });
        // `<` would end the element in the name of a model.
        let data = data.to_string().replace('<', "\\u003c");
        html! {
            div.workplace data-series=(self.colour + 1) {
                script.data type="application/json" { (PreEscaped(data)) }
                (self.controls())
                (self.scale())
                (legend(self.exhibits))
                div.exhibits { @for image in self.exhibits { (exhibit(image)) } }
            }
        }
    }

    fn controls(&self) -> Markup {
        let Decision { threshold, min_area } = self.decision;
        let kinds: BTreeSet<&str> =
            self.exhibits.iter().filter_map(|exhibit| exhibit.kind.as_deref()).collect();
        html! {
            div.controls {
                div.sliders data-script {
                    label {
                        span { "Threshold " output.threshold { (short(threshold)) } }
                        input.threshold type="range" min="1" max="256" step="1" value=(self.levels.calibrated());
                    }
                    label {
                        span { "Smallest region " output.area { (min_area.max(1)) " pixels" } }
                        input.area type="range" min="0" max="60" step="1" value="0";
                    }
                    button.reset type="button" { "As calibrated" }
                }
                (self.counts())
                p.command {
                    code { (self.recalibration.command(self.decision)) }
                    button.copy type="button" data-script { "Copy" }
                }
                div.choices data-script {
                    @if kinds.len() > 1 {
                        label { "Kind " select.kind { option value="" { "all" } @for kind in kinds { option { (kind) } } } }
                    }
                    label { "Outcome " select.outcome { (self.outcomes()) } }
                    label {
                        "Order "
                        select.order {
                            option value="" { "as listed" }
                            option value="down" { "highest score first" }
                            option value="up" { "lowest score first" }
                            option value="name" { "name" }
                        }
                    }
                    output.shown {}
                }
            }
        }
    }

    fn outcomes(&self) -> Markup {
        let outcomes: &[(&str, &str)] = match self.counts {
            Some(_) => &[
                ("", "all"),
                ("missed", "a defect missed"),
                ("alarm", "a false alarm"),
                ("success", "all defects found, no false alarm"),
                ("quiet", "good and not flagged"),
            ],
            None => &[("", "all"), ("flagged", "flagged"), ("quiet", "not flagged")],
        };
        html! { @for (value, name) in outcomes { option value=(value) { (name) } } }
    }

    fn counts(&self) -> Markup {
        let [good, defective] = self.images;
        let rows: Vec<(&str, &str, String)> = match self.counts {
            Some(found) => vec![
                ("found", "defects found", format!("{} of {}", found.regions_found, found.regions)),
                ("missed", "missed", (found.regions - found.regions_found).to_string()),
                ("alarms", "false alarms", found.false_alarms.to_string()),
                (
                    "hit",
                    "defective images hit",
                    format!("{} of {defective}", found.defective_images_hit),
                ),
                ("good", "good images flagged", format!("{} of {good}", found.good_images_flagged)),
                ("precision", "pixel precision", decimals(found.precision)),
                ("recall", "pixel recall", decimals(found.recall)),
                ("f1", "pixel F1", decimals(found.f1)),
            ],
            None => {
                let Decision { threshold, .. } = self.decision;
                let flagged = self.exhibits.iter().filter(|exhibit| exhibit.score >= threshold);
                let flagged = format!("{} of {}", flagged.count(), self.exhibits.len());
                vec![("flagged", "images flagged, of those shown", flagged)]
            }
        };
        html! {
            dl.counts {
                @for (key, name, value) in rows {
                    div { dt { (name) } dd data-count=(key) { (value) } }
                }
            }
        }
    }

    /// The colours of anomaly maps, with the threshold, and the limits of what the page knows of scores.
    fn scale(&self) -> Markup {
        let range = self.levels.range();
        let colours: Vec<String> = (0..=16)
            .map(|i| inferno(i as f32 / 16.0).map(|channel| channel as u8))
            .map(|[r, g, b]| format!("rgb({r} {g} {b})"))
            .collect();
        let style = format!("background: linear-gradient(to right, {})", colours.join(", "));
        let mark = format!("left: {:.2}%", 100.0 * range.position(self.decision.threshold));
        let last = self.levels.edges().last().copied().unwrap_or(0.0);
        html! {
            div.scale {
                span { (short(range.low)) }
                span.bar style=(style) { span.mark style=(mark) title="threshold" {} }
                span { (short(range.high)) }
                span.words {
                    "colours of anomaly maps; the line is the threshold. Scores are known here in steps of "
                    (short(self.levels.step())) ", up to " (short(last)) "."
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_keeps_the_settings_that_a_calibration_takes() {
        let settings =
            ["residual.measure=l2", "inspection.smoothing=[0,4]", "data.root=x", "vae.samples=4"]
                .map(String::from);
        let recalibration = Recalibration::of(Path::new("model"), Scores::Residual, None);
        let decision = Decision { threshold: 1.5, min_area: 4 };
        assert_eq!(
            recalibration.with_settings(&settings).command(decision),
            "bench-cli calibrate model --rule manual:1.5 --set calibration.min_area=4 --set residual.measure=l2 \
             --set 'inspection.smoothing=[0,4]'"
        );
    }

    #[test]
    fn the_command_names_a_model_with_spaces_in_quotes() {
        let command = |model: &str| {
            let decision = Decision { threshold: 1.5, min_area: 4 };
            Recalibration::of(Path::new(model), Scores::Residual, None).command(decision)
        };
        let rest = "--rule manual:1.5 --set calibration.min_area=4";
        assert_eq!(command("model"), format!("bench-cli calibrate model {rest}"));
        assert_eq!(
            command("my 'model'"),
            format!("bench-cli calibrate 'my '\\''model'\\''' {rest}")
        );
    }
}
