//! `cargo xtask cuda-check`: checks all that can be checked of the CUDA code without a GPU.

mod kernels;
mod pack;
mod programs;
mod report;
mod stubs;
mod toolkit;

use crate::command::repository;
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use toolkit::Toolkit;

/// Compile the CUDA kernels and everything with feature `cuda`, start it as far as it goes without a GPU, and pack it for a machine
/// that has one.
///
/// Installs the CUDA toolkit (500 MB) if it is not there. Writes the registers, memory and spills of each kernel to
/// `results/cuda/check.md`, and the programs with a script that runs them to `target/cuda/package`.
#[derive(clap::Args)]
pub struct Args {
    /// Folder of a CUDA toolkit; by default one is installed by pip in `target/cuda/toolkit`.
    #[arg(long, value_name = "DIR")]
    toolkit: Option<PathBuf>,
    /// Compute capability of the GPU that candle's own kernels are compiled for.
    #[arg(long, value_name = "N", default_value_t = 90)]
    capability: u32,
    /// Python that installs the toolkit.
    #[arg(long, value_name = "EXE", default_value = "python3")]
    python: String,
    /// Compile the kernels, but neither build nor pack programs.
    #[arg(long)]
    kernels_only: bool,
}

/// # Errors
/// If the toolkit cannot be installed, something does not compile, a kernel spills registers, or a program does not start.
pub fn check(args: &Args) -> Result<()> {
    let work = repository().join("target").join("cuda");
    fs::create_dir_all(&work).with_context(|| format!("cannot make {}", work.display()))?;
    let toolkit = match &args.toolkit {
        Some(folder) => Toolkit::at(&std::path::absolute(folder)?, args.capability)?,
        None => Toolkit::installed(&work.join("toolkit"), &args.python, args.capability)?,
    };
    let usages = kernels::check(&toolkit, &work)?;
    let packed = if args.kernels_only {
        Vec::new()
    } else {
        stubs::make(&toolkit)?;
        let programs = programs::build(&toolkit, &work.join("build"))?;
        programs::start(&toolkit, &programs)?;
        pack::pack(&programs, &work.join("package"))?
    };
    report::write(&toolkit, &usages, &packed)
}
