//! Compiles the kernels for CUDA, with feature `cuda` only.

#[cfg(feature = "cuda")]
fn main() -> cudaforge::Result<()> {
    println!("cargo::rerun-if-env-changed=NVCC");
    // The oldest architecture that the kernels run on, Ampere; drivers compile for newer ones.
    let builder = cudaforge::KernelBuilder::new().compute_cap(80);
    // cargo knows when to compile anew.
    let builder = builder.source_dir("kernels").watch(["kernels"]).no_incremental();
    builder.args(["-O3", "-std=c++17", "-Werror=all-warnings"]).build_ptx()?;
    Ok(())
}

#[cfg(not(feature = "cuda"))]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
