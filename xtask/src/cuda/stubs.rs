//! Stub libraries to link with where there is no driver: each function returns an error.

use super::toolkit::Toolkit;
use crate::command::{output, output_of, strings};
use crate::files;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A module of cudarc, the library whose functions it declares, and the status that the stubs return.
const LIBRARIES: [(&str, &str, u32); 5] = [
    // CUDA_ERROR_NO_DEVICE
    ("driver", "libcuda.so.1", 100),
    // CUBLAS_STATUS_NOT_INITIALIZED
    ("cublas", "libcublas.so.13", 1),
    ("cublaslt", "libcublasLt.so.13", 1),
    // CURAND_STATUS_INITIALIZATION_FAILED
    ("curand", "libcurand.so.10", 203),
    // CUDNN_STATUS_NOT_INITIALIZED
    ("cudnn", "libcudnn.so.9", 1001),
];

/// Makes the stubs that are missing.
///
/// # Errors
/// If the sources of cudarc are not there, or the C compiler fails.
pub fn make(toolkit: &Toolkit) -> Result<()> {
    let (folder, cudarc) = (toolkit.stubs(), cudarc()?);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (module, library, status) in LIBRARIES {
        if !folder.join(library).exists() {
            let source = cudarc.join("src").join(module).join("sys").join("mod.rs");
            let source = fs::read_to_string(&source)
                .with_context(|| format!("cannot read {}", source.display()))?;
            let names = declared(&source);
            ensure!(!names.is_empty(), "cudarc's module {module} declares no functions");
            compile(&folder, library, &stub(&names, status))?;
        }
    }
    Ok(())
}

/// The folder of cudarc's sources.
fn cudarc() -> Result<PathBuf> {
    let args = ["metadata", "--locked", "--format-version", "1", "--features", "ssim/cuda"];
    let metadata: Value = serde_json::from_str(&output("cargo", &strings(args))?)?;
    let packages = metadata["packages"].as_array().context("cargo names no packages")?;
    let cudarc = packages.iter().find(|package| package["name"] == "cudarc");
    let manifest = cudarc.and_then(|package| package["manifest_path"].as_str());
    let folder = manifest.and_then(|path| Path::new(path).parent());
    Ok(folder.context("nothing depends on cudarc")?.to_owned())
}

/// The functions that a module declares in `extern` blocks of their own, as cudarc does.
fn declared(source: &str) -> BTreeSet<&str> {
    let blocks = source.split("extern \"C\" {").skip(1);
    blocks
        .filter_map(|block| {
            let (_, rest) = block.split_once("fn ")?;
            Some(rest.split_once('(')?.0)
        })
        .collect()
}

/// The C source of a library whose functions return `status`.
fn stub(names: &BTreeSet<&str>, status: u32) -> String {
    let mut source = String::new();
    for name in names {
        // Those whose result is read even after a failure.
        let _ = match *name {
            "cuGetErrorName" | "cuGetErrorString" => writeln!(
                source,
                "int {name}(int status, const char **text) {{ *text = \"a stub: there is no driver\"; return 0; }}"
            ),
            _ => writeln!(source, "int {name}(void) {{ return {status}; }}"),
        };
    }
    source
}

fn compile(folder: &Path, library: &str, source: &str) -> Result<()> {
    let file = folder.join(format!("{library}.c"));
    files::replace(&file, source)?;
    let mut compiler = Command::new("cc");
    // Some names are those of built-in functions of other types.
    compiler.args(["-shared", "-fPIC", "-w"]).arg(format!("-Wl,-soname,{library}"));
    output_of(compiler.arg("-o").args([&folder.join(library), &file]))?;
    files::remove(&file)?;
    let short = library.split_once(".so").map_or(library, |(short, _)| short);
    let link = folder.join(format!("{short}.so"));
    files::remove(&link)?;
    symlink(library, &link).with_context(|| format!("cannot make {}", link.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_in_their_blocks() {
        let source = "pub unsafe fn cuInit(flags: c_uint) -> CUresult {\n extern \"C\" {\n fn cuInit(flags: c_uint) -> CUresult;\n }\n cuInit(flags)\n}\nfn other() {}";
        assert_eq!(declared(source), BTreeSet::from(["cuInit"]));
    }

    #[test]
    fn stubs_fail() {
        let source = stub(&BTreeSet::from(["cuGetErrorName", "cuInit"]), 100);
        assert!(source.contains("int cuInit(void) { return 100; }"));
        assert!(source.contains("int cuGetErrorName(int status, const char **text)"));
    }
}
