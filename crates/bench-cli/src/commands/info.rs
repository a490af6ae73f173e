//! `bench-cli info`

use super::Context;
use super::calibrate::found;
use crate::args::InfoArgs;
use anyhow::Result;
use detector::records::{Calibration, ModelInfo, TrainingRecord};
use detector::{Config, ModelFolder};

/// Prints the content of a model's folder.
///
/// # Errors
/// If a file of the model cannot be read or understood.
pub fn info(context: &Context, args: &InfoArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = folder.config()?;
    // Read the weights too: a folder that cannot be used should not look as if it could.
    let model = folder.model(&config, &context.device)?;
    let info = ModelInfo {
        parameters: model.architecture().parameter_count(),
        training: folder.record()?,
        calibration: folder.is_calibrated().then(|| folder.calibration()).transpose()?,
        config,
    };
    context.terminal.text(&text(&info)?)?;
    context.terminal.record(&info)
}

fn text(info: &ModelInfo<Config>) -> Result<String> {
    let TrainingRecord { patches, seconds, device, loss, collapsed, images, features, .. } =
        &info.training;
    let state = if *collapsed { ", no better than constant grey" } else { "" };
    let calibration = match &info.calibration {
        Some(calibration) => {
            let Calibration { threshold, images, source, drawn, .. } = calibration;
            let drawn = drawn.iter().map(|drawn| format!("; {}", found(drawn)));
            let doubts = calibration.doubt().into_iter().chain(calibration.uncertainty());
            let more: String = drawn.chain(doubts.map(|doubt| format!("\n{doubt}"))).collect();
            format!(
                "threshold {threshold:.6} from {images} good images, {}{more}",
                source.describe()
            )
        }
        None => "not calibrated".to_owned(),
    };
    let features = features.as_ref().map_or_else(String::new, |features| {
        format!("\nmatched features of {}, SHA-256 {}", features.extractor, features.sha256)
    });
    Ok(format!(
        "{} parameters, trained on {patches} patches of {images} images in {seconds:.0} s on {device}, loss {loss:.4}{state}{features}\n\
         {calibration}\n\n{}",
        info.parameters,
        info.config.to_toml()?.trim_end()
    ))
}
