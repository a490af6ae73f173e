//! The command line; see `bench-cli --help`.
//!
//! A program that was linked with CUDA does not start where the NVIDIA driver is missing. With the feature `cuda`, this is
//! therefore a launcher, which is not linked with it: it looks for the libraries, and then becomes `bench-cli-cuda`.

#[cfg(all(any(feature = "cuda", test), target_os = "linux", target_env = "gnu"))]
mod launcher;

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(feature = "cuda", target_os = "linux", target_env = "gnu"))]
    return launcher::launch();
    #[cfg(not(all(feature = "cuda", target_os = "linux", target_env = "gnu")))]
    return bench_cli::main();
}
