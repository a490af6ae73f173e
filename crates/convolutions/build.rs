//! Compiles the kernels for CUDA, with feature `cuda` only. As in `ssim`: each crate is to be packaged alone.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The oldest architecture that the kernels run on, Ampere; drivers compile for newer ones.
const ARCHITECTURE: &str = "-arch=compute_80";

/// Files of `kernels`, each a module.
const MODULES: [&str; 3] = ["convolutions", "layers", "sums"];

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_CUDA").is_none() {
        return ExitCode::SUCCESS;
    }
    println!("cargo::rerun-if-changed=kernels");
    for name in ["NVCC", "PATH", "CUDA_HOME", "NVCC_CCBIN"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let Some(folder) = env::var_os("OUT_DIR") else {
        println!("cargo::error=OUT_DIR is not set: this program is for cargo to run");
        return ExitCode::FAILURE;
    };
    match MODULES.iter().try_for_each(|module| compile(&nvcc(), Path::new(&folder), module)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

/// Where candle looks for it, too.
fn nvcc() -> PathBuf {
    let given = env::var_os("NVCC").map(PathBuf::from).filter(|nvcc| nvcc.exists());
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path =
        || env::split_paths(&path).map(|folder| folder.join("nvcc")).find(|nvcc| nvcc.is_file());
    let at_home = || Some(PathBuf::from(env::var_os("CUDA_HOME")?).join("bin").join("nvcc"));
    given.or_else(on_path).or_else(at_home).unwrap_or_else(|| "/usr/local/cuda/bin/nvcc".into())
}

fn compile(nvcc: &Path, folder: &Path, module: &str) -> Result<(), String> {
    let source = Path::new("kernels").join(module).with_extension("cu");
    let status = Command::new(nvcc)
        .args(["--ptx", "-O3", "-std=c++17", ARCHITECTURE, "-Werror=all-warnings", "-o"])
        .args([&folder.join(module).with_extension("ptx"), &source])
        .status()
        .map_err(|error| {
            format!("feature `cuda` needs nvcc: cannot run {}: {error}", nvcc.display())
        })?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", nvcc.display())) }
}
