use super::kernels::Usage;
use super::pack::Packed;
use super::toolkit::Toolkit;
use crate::command::{output, repository, strings};
use crate::terminal::tell;
use crate::{files, machine};
use anyhow::Result;
use std::fmt::Write;

/// Writes `results/cuda/check.md`.
///
/// # Errors
/// If versions cannot be found out, or the file cannot be written.
pub fn write(toolkit: &Toolkit, usages: &[Usage], packed: &[Packed]) -> Result<()> {
    let mut page = introduction(toolkit)?;
    page += &kernels(usages);
    page += &programs(packed, toolkit.capability());
    let path = repository().join("results").join("cuda").join("check.md");
    files::replace(&path, &page)?;
    tell!("{}", path.display());
    Ok(())
}

fn introduction(toolkit: &Toolkit) -> Result<String> {
    let rustc = output("rustc", &strings(["--version"]))?;
    Ok(format!(
        "# The CUDA code, checked without a GPU\n\n\
         Written by `cargo xtask cuda-check` on {}, of {}.\n\
         {}; {}.\n\n\
         This check runs nothing on a GPU; `results/benchmarks/cuda.md` says what ran on one.\n",
        machine::date(),
        machine::commit()?,
        toolkit.version()?,
        rustc.trim()
    ))
}

fn kernels(usages: &[Usage]) -> String {
    let mut text = String::from(
        "\n## Kernels\n\nWarnings were errors. Registers are those of a thread, shared memory is that of a block.\n\n\
         | kernel | architecture | registers | shared memory, bytes | spilled, bytes |\n|---|---|---|---|---|\n",
    );
    for Usage { kernel, architecture, registers, shared, spilled } in usages {
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "| `{kernel}` | {architecture} | {registers} | {shared} | {spilled} |");
    }
    text
}

fn programs(packed: &[Packed], capability: u32) -> String {
    if packed.is_empty() {
        return String::from("\n## Programs\n\nNot built in this run.\n");
    }
    let mut text = format!(
        "\n## Programs\n\nBuilt for compute capability {capability}, linked, and started with stubs in place of the driver: tests that \
         need no device passed, others were ignored.\n\n\
         | program | MB without symbols | MB packed |\n|---|---|---|\n"
    );
    for Packed { name, stripped, compressed } in packed {
        let [stripped, compressed] = [stripped, compressed].map(|&bytes| bytes as f64 / 1e6);
        let _ = writeln!(text, "| `{name}` | {stripped:.1} | {compressed:.1} |");
    }
    text
}
