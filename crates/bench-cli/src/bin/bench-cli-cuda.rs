//! The command line with CUDA, which `bench-cli` starts.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_cli::main()
}
