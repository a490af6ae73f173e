//! Project tasks: `cargo xtask --help`.

mod bench;
mod command;
mod datasets;
mod download;
mod files;
mod machine;
mod measure;
mod methods;
mod progress;
mod weights;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tasks of the project; each drives `bench-cli` and reads its JSON.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Bench(bench::Args),
    Datasets(datasets::Args),
    Measure(measure::Args),
    Methods(methods::Args),
    Weights(weights::Args),
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Bench(args) => bench::bench(&args),
        Task::Datasets(args) => datasets::datasets(&args),
        Task::Measure(args) => measure::measure(&args),
        Task::Methods(args) => methods::methods(&args),
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
