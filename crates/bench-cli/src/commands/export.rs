//! `bench-cli export`

use super::Context;
use crate::args::ExportArgs;
use anyhow::{Result, ensure};
use detector::ModelFolder;
use detector::files::{folder_of, is_same_folder, shown, write_atomic};
use detector::records::ExportRecord;
use models::Latent;
use std::io::Write;

/// Writes the network of a model as ONNX.
///
/// # Errors
/// If the model cannot be read or the file cannot be written.
pub fn export(context: &Context, args: &ExportArgs) -> Result<()> {
    let folder = ModelFolder::open(&args.model)?;
    let config = folder.config()?;
    let model = folder.model(&config, &context.device)?;
    let out = args.out.clone().unwrap_or_else(|| args.model.join("model.onnx"));
    ensure!(!out.is_dir(), "{}: is a folder; expected the name of a file", shown(&out));
    // A training may replace the model meanwhile, and sweeps the folder before it begins.
    let is_in_folder = is_same_folder(folder_of(&out), folder.path());
    let _lock = is_in_folder.then(|| folder.lock()).transpose()?;
    let bytes = model.to_onnx()?;
    write_atomic(&out, |file| Ok(file.write_all(&bytes)?))?;
    let architecture = model.architecture();
    let export = ExportRecord {
        onnx: out.to_string_lossy().into_owned(),
        inputs: match architecture.latent {
            Latent::Vector => vec!["patches".to_owned()],
            Latent::Normal => vec!["patches".to_owned(), "noise".to_owned()],
        },
        patch_size: architecture.patch_size,
        latent_dim: architecture.latent_dim,
    };
    let inputs = export.inputs.join(" and ");
    context.terminal.text(&format!("{}: takes {inputs}, gives reconstructions", shown(&out)))?;
    context.terminal.record(&export)
}
