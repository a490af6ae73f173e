//! `bench-cli export`

use super::Context;
use crate::args::ExportArgs;
use crate::io::write_atomic;
use crate::model_folder::ModelFolder;
use anyhow::{Result, bail};
use models::Latent;
use serde::Serialize;
use std::io::Write;
use std::path::Path;

/// What was written.
#[derive(Serialize)]
struct Export {
    onnx: String,
    /// The names of what the network takes.
    inputs: &'static [&'static str],
    patch_size: usize,
    latent_dim: usize,
}

/// Writes the network of a model as ONNX.
///
/// # Errors
/// If the model cannot be read or the file cannot be written.
pub fn export(context: &Context, args: &ExportArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = folder.config()?;
    let model = folder.model(&config, &context.device)?;
    let out = args.out.clone().unwrap_or_else(|| args.model.join("model.onnx"));
    expect_file(&out)?;
    let bytes = model.to_onnx()?;
    write_atomic(&out, |file| Ok(file.write_all(&bytes)?))?;
    let architecture = model.architecture();
    let export = Export {
        onnx: out.display().to_string(),
        inputs: match architecture.latent {
            Latent::Vector => &["patches"],
            Latent::Normal => &["patches", "noise"],
        },
        patch_size: architecture.patch_size,
        latent_dim: architecture.latent_dim,
    };
    let inputs = export.inputs.join(" and ");
    context.reporter.text(&format!("{}: takes {inputs}, gives reconstructions", export.onnx))?;
    context.reporter.record(&export)
}

fn expect_file(path: &Path) -> Result<()> {
    match path.is_dir() {
        true => bail!("{}: is a folder; expected the name of a file", path.display()),
        false => Ok(()),
    }
}
