use super::programs::Program;
use crate::command::{output_of, repository};
use crate::files;
use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A program in the package.
pub struct Packed {
    pub name: String,
    /// Bytes without symbols.
    pub stripped: u64,
    /// Bytes as packed.
    pub compressed: u64,
}

/// Strips and compresses programs into `folder`, with the script that runs them.
///
/// # Errors
/// If `strip` or `xz` fails, or the folder cannot be written.
pub fn pack(programs: &[Program], folder: &Path) -> Result<Vec<Packed>> {
    files::remove(folder)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let script = "run-on-gpu.sh";
    let from = repository().join("xtask").join("cuda").join(script);
    fs::copy(&from, folder.join(script))
        .with_context(|| format!("cannot copy {}", from.display()))?;
    programs.iter().map(|program| pack_one(program, folder)).collect()
}

fn pack_one(program: &Program, folder: &Path) -> Result<Packed> {
    let stripped = folder.join(&program.name);
    output_of(Command::new("strip").arg("-o").args([&stripped, &program.path]))?;
    let size = |path: &Path| {
        let metadata = fs::metadata(path);
        Ok::<_, anyhow::Error>(
            metadata.with_context(|| format!("cannot read {}", path.display()))?.len(),
        )
    };
    let before = size(&stripped)?;
    output_of(Command::new("xz").args(["--force", "--threads=1"]).arg(&stripped))?;
    let compressed = size(&files::with_ending(&stripped, ".xz"))?;
    Ok(Packed { name: program.name.clone(), stripped: before, compressed })
}
