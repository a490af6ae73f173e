//! Project tasks: `cargo xtask --help`.

mod bench;
mod command;
#[cfg(target_os = "linux")]
mod cuda;
mod datasets;
mod difference;
mod download;
mod files;
mod images;
mod interop;
mod machine;
mod pages;
mod progress;
mod python;
mod reproduce;
mod weights;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tasks of the project.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Bench(bench::Args),
    #[cfg(target_os = "linux")]
    CudaCheck(cuda::Args),
    Datasets(datasets::Args),
    Images(images::Args),
    Interop(interop::Args),
    Pages(pages::Args),
    Reproduce(reproduce::Args),
    Weights(weights::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Bench(args) => bench::bench(&args),
        #[cfg(target_os = "linux")]
        Task::CudaCheck(args) => cuda::check(&args),
        Task::Datasets(args) => datasets::datasets(&args),
        Task::Images(args) => images::images(&args),
        Task::Interop(args) => interop::interop(&args),
        Task::Pages(args) => pages::pages(&args),
        Task::Reproduce(args) => reproduce::reproduce(&args),
        Task::Weights(args) => weights::weights(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
