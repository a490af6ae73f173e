use super::toolkit::Toolkit;
use crate::command::{output_of, repository};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// The architectures that kernels are compiled for: Ampere, Hopper and Blackwell. The first is the oldest that they run on.
const ARCHITECTURES: [u32; 3] = [80, 90, 120];

/// Registers and memory of a kernel on one architecture.
#[derive(Debug, PartialEq)]
pub struct Usage {
    pub kernel: String,
    pub architecture: String,
    /// Registers of each thread.
    pub registers: u32,
    /// Bytes of static shared memory of each block.
    pub shared: u32,
    /// Bytes that each thread spills for lack of registers.
    pub spilled: u32,
}

/// Compiles the kernels of all crates, with warnings as errors, for all architectures.
///
/// # Errors
/// If one does not compile, or spills registers.
pub fn check(toolkit: &Toolkit, work: &Path) -> Result<Vec<Usage>> {
    let mut usages = Vec::new();
    for source in sources()? {
        let name = source.file_stem().context("a kernel has a name")?;
        let ptx = work.join(name).with_extension("ptx");
        let mut nvcc = toolkit.program("nvcc");
        nvcc.args(["--ptx", "-O3", "-std=c++17", "-Werror=all-warnings"]);
        nvcc.arg(format!("-arch=compute_{}", ARCHITECTURES[0])).arg("-o").args([&ptx, &source]);
        output_of(&mut nvcc)?;
        for architecture in ARCHITECTURES {
            usages.extend(assemble(toolkit, &ptx, architecture)?);
        }
    }
    ensure!(!usages.is_empty(), "no crate has kernels");
    match usages.iter().find(|usage| usage.spilled > 0) {
        Some(usage) => bail!("{} spills registers on {}", usage.kernel, usage.architecture),
        None => Ok(usages),
    }
}

/// `kernels/*.cu` of all crates.
fn sources() -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(repository().join("crates"))? {
        let kernels = entry?.path().join("kernels");
        if kernels.is_dir() {
            for entry in fs::read_dir(kernels)? {
                sources.push(entry?.path());
            }
        }
    }
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "cu"));
    sources.sort();
    Ok(sources)
}

fn assemble(toolkit: &Toolkit, ptx: &Path, architecture: u32) -> Result<Vec<Usage>> {
    let mut ptxas = toolkit.program("ptxas");
    ptxas.args(["--verbose", "--output-file", "/dev/null", "--gpu-name"]);
    // It reports on standard error.
    let output = ptxas.arg(format!("sm_{architecture}")).arg(ptx).output()?;
    let report = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "ptxas failed for sm_{architecture}: {}", report.trim());
    let usages = usages(&report);
    let all = report.matches("Compiling entry function").count();
    ensure!(usages.len() == all, "ptxas reports in another form than expected:\n{report}");
    Ok(usages)
}

/// Reads what ptxas reports of each kernel.
fn usages(report: &str) -> Vec<Usage> {
    let kernels = report.split("Compiling entry function '").skip(1);
    kernels.filter_map(usage).collect()
}

fn usage(report: &str) -> Option<Usage> {
    let mut quoted = report.split('\'');
    let (kernel, architecture) = (quoted.next()?.to_owned(), quoted.nth(1)?.to_owned());
    let spilled = number_before(report, " bytes spill stores")?
        + number_before(report, " bytes spill loads")?;
    Some(Usage {
        kernel,
        architecture,
        registers: number_before(report, " registers")?,
        shared: number_before(report, " bytes smem").unwrap_or(0),
        spilled,
    })
}

fn number_before(report: &str, unit: &str) -> Option<u32> {
    let (before, _) = report.split_once(unit)?;
    before.rsplit(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read() {
        let report = "ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'a' for 'sm_80'
ptxas info    : Function properties for a
    0 bytes stack frame, 8 bytes spill stores, 16 bytes spill loads
ptxas info    : Used 71 registers, used 1 barriers, 45760 bytes smem, 560 bytes cmem[0]
ptxas info    : Compiling entry function 'b' for 'sm_80'
ptxas info    : Function properties for b
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 20 registers, used 0 barriers
";
        let usage = |kernel: &str, registers, shared, spilled| Usage {
            kernel: kernel.to_owned(),
            architecture: "sm_80".to_owned(),
            registers,
            shared,
            spilled,
        };
        assert_eq!(usages(report), [usage("a", 71, 45760, 24), usage("b", 20, 0, 0)]);
    }
}
