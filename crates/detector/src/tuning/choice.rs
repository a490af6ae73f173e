//! Choices that need no training.

use crate::config::{Config, InspectionConfig, Measure, ResidualConfig, Scores, SsimMap};
use crate::{Method, Result};
use inspect::{Averaging, Residual};
use serde::{Deserialize, Serialize};
use ssim::{Constants, Exponents, Window};
use std::fmt;

/// How images and reconstructions are compared, which can be changed without training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResidualChoice {
    /// The table `residual`.
    pub residual: ResidualConfig,
    /// The setting `inspection.smoothing`.
    pub smoothing: Vec<f64>,
}

/// How many choices are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Some 30, which tell good models from bad ones.
    Quick,
    /// Some hundreds.
    Thorough,
}

impl ResidualChoice {
    /// Of the [`choices`], the one that inspects as the defaults do.
    pub fn usual(method: Method) -> Self {
        let (default, inspection) = (ResidualConfig::default(), InspectionConfig::default());
        let residual = match method {
            Method::Ssim => ResidualConfig {
                measure: Measure::Ssim,
                window: uniform(11),
                exponents: Some(Exponents::ONE),
                ..default
            },
            Method::L2 | Method::FeatureMatching => l2(),
            Method::Vae => default,
        };
        Self { residual, smoothing: inspection.smoothing }
    }

    /// A configuration that inspects with this choice, with scores relative to good images.
    #[must_use]
    pub fn applied_to(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.residual = self.residual.clone();
        config.inspection.smoothing = self.smoothing.clone();
        config.inspection.scores = Scores::Relative;
        config.inspection.opening_diameter = 0;
        if self.is_of_reconstructions() {
            config.inspection.averaging = Averaging::Reconstruction;
        }
        config
    }

    /// Whether the residual is of averaged reconstructions, as all are but that of a variational autoencoder's samples.
    fn is_of_reconstructions(&self) -> bool {
        self.residual.measure != Measure::Method
    }

    /// Whether the windows of SSIM fit into images of a size.
    pub(super) fn fits(&self, (width, height): (usize, usize)) -> bool {
        let of_maps = self.residual.constants.iter().filter_map(|map| map.window);
        of_maps.chain(self.residual.window).all(|window| window.size() <= width.min(height))
    }

    /// The residual maps that are smoothed and compared, each under each Gaussian.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub(super) fn channels(&self, config: &Config) -> Result<Vec<(Residual, f64)>> {
        let residuals = self.applied_to(config).residuals()?;
        let under_all = |residual| self.smoothing.iter().map(move |&sigma| (residual, sigma));
        Ok(residuals.into_iter().flat_map(under_all).collect())
    }
}

impl ResidualChoice {
    /// As settings of the form `table.key=value`.
    ///
    /// ```
    /// use detector::{Method, ResidualChoice};
    ///
    /// let settings = ResidualChoice::usual(Method::L2).settings();
    /// let of_inspection = ["smoothing=[2.0, 8.0, 20.0]", "scores=relative", "opening_diameter=0", "averaging=reconstruction"];
    /// assert_eq!(settings[0], "residual.measure=l2");
    /// assert_eq!(settings[1..], of_inspection.map(|setting| format!("inspection.{setting}")));
    /// ```
    pub fn settings(&self) -> Vec<String> {
        let ResidualConfig { measure, window, constants, exponents } = &self.residual;
        let quoted: Vec<String> = constants.iter().map(|map| format!("\"{map}\"")).collect();
        let measure = match measure {
            Measure::Method => "method",
            Measure::L2 => "l2",
            Measure::Ssim => "ssim",
        };
        let is_ssim = measure == "ssim";
        let mut settings = vec![format!("residual.measure={measure}")];
        settings
            .extend(window.filter(|_| is_ssim).map(|window| format!("residual.window={window}")));
        if is_ssim {
            settings.push(format!("residual.constants=[{}]", quoted.join(", ")));
        }
        settings.extend(exponents.filter(|_| is_ssim).map(|Exponents { alpha, beta, gamma }| {
            format!("residual.exponents=[{alpha:?}, {beta:?}, {gamma:?}]")
        }));
        settings.push(format!("inspection.smoothing={:?}", self.smoothing));
        settings.extend(
            ["inspection.scores=relative", "inspection.opening_diameter=0"].map(str::to_owned),
        );
        if self.is_of_reconstructions() {
            settings.push("inspection.averaging=reconstruction".to_owned());
        }
        settings
    }
}

impl fmt::Display for ResidualChoice {
    /// Measure, window, constants, exponents unless they are 1, and Gaussians.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ResidualConfig { measure, window, constants, exponents } = &self.residual;
        match measure {
            Measure::Method => write!(formatter, "of the method")?,
            Measure::L2 => write!(formatter, "l2")?,
            Measure::Ssim => {
                let maps: Vec<String> = constants.iter().map(ToString::to_string).collect();
                let window = window.map_or_else(String::new, |window| format!(" {window}"));
                write!(formatter, "ssim{window} {}", maps.join(" and "))?;
            }
        }
        if let Some(Exponents { alpha, beta, gamma }) = exponents.filter(|e| *e != Exponents::ONE) {
            write!(formatter, " exponents {alpha}, {beta}, {gamma}")?;
        }
        let sigmas: Vec<String> = self.smoothing.iter().map(ToString::to_string).collect();
        write!(formatter, ", σ {}", sigmas.join(" and "))
    }
}

/// The choices to compare for a model of a method, the default one among them. A variational autoencoder's residual is that of its
/// samples.
pub fn choices(method: Method, effort: Effort) -> Vec<ResidualChoice> {
    let gaussians: &[f64] = match effort {
        Effort::Quick => &[8.0, 20.0],
        Effort::Thorough => &[2.0, 4.0, 8.0, 20.0],
    };
    let mut smoothings = one_or_two(gaussians);
    smoothings.push(InspectionConfig::default().smoothing);
    let residuals = match method {
        Method::Vae => vec![ResidualConfig::default()],
        _ => residuals(effort),
    };
    let smoothed = |residual: ResidualConfig| {
        let choice = move |smoothing: &Vec<f64>| ResidualChoice {
            residual: residual.clone(),
            smoothing: smoothing.clone(),
        };
        smoothings.iter().map(choice)
    };
    residuals.into_iter().flat_map(smoothed).collect()
}

fn residuals(effort: Effort) -> Vec<ResidualConfig> {
    let textures = [Constants::squared().into(), Constants::paper().into()];
    let smooth: SsimMap = Constants::given(0.01, 0.3).into();
    let alike = [&textures[..], &[smooth]].concat();
    let with_fine = [&textures[..], &[SsimMap { window: uniform(3), ..smooth }]].concat();
    let without_luminance = Exponents { alpha: 0.0, ..Exponents::ONE };
    let windows: &[(usize, &[SsimMap], Exponents)] = match effort {
        Effort::Quick => &[(11, &with_fine, Exponents::ONE)],
        Effort::Thorough => &[
            (11, &with_fine, Exponents::ONE),
            (3, &alike, Exponents::ONE),
            (21, &alike, Exponents::ONE),
            (11, &with_fine, without_luminance),
        ],
    };
    let ssim = windows.iter().flat_map(|&(window, maps, exponents)| {
        one_or_two(maps).into_iter().map(move |constants| ResidualConfig {
            measure: Measure::Ssim,
            window: uniform(window),
            constants,
            exponents: Some(exponents),
        })
    });
    std::iter::once(l2()).chain(ssim).collect()
}

fn l2() -> ResidualConfig {
    ResidualConfig { measure: Measure::L2, ..ResidualConfig::paper() }
}

fn uniform(size: usize) -> Option<Window> {
    Some(Window::Uniform { size })
}

/// Each value, and each pair of them.
fn one_or_two<T: Clone>(values: &[T]) -> Vec<Vec<T>> {
    let singles = values.iter().map(|value| vec![value.clone()]);
    let pairs = values.iter().enumerate().flat_map(|(index, first)| {
        values[index + 1..].iter().map(|second| vec![first.clone(), second.clone()])
    });
    singles.chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_choice_is_compared_and_none_twice() {
        for effort in [Effort::Quick, Effort::Thorough] {
            for method in [Method::Ssim, Method::L2, Method::Vae] {
                let config = Config { method, ..Config::default() };
                let all = choices(method, effort);
                for (index, choice) in all.iter().enumerate() {
                    assert!(choice.channels(&config).is_ok() && !all[..index].contains(choice));
                }
                let usual = ResidualChoice::usual(method);
                assert!(all.contains(&usual), "{method}");
                let channels = |choice: ResidualChoice| choice.channels(&config).ok();
                let default = ResidualChoice {
                    residual: config.residual.clone(),
                    smoothing: config.inspection.smoothing.clone(),
                };
                assert_eq!(channels(usual), channels(default), "{method}");
            }
        }
        assert_eq!(choices(Method::Ssim, Effort::Quick).len(), 7 * 4);
        assert_eq!(choices(Method::Ssim, Effort::Thorough).len(), (1 + 4 * 6) * 11);
    }
}
