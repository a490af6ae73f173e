//! Project tasks: `cargo xtask --help`.

mod command;
mod measure;

use clap::{Parser, Subcommand};

/// Tasks of the project; each drives `bench-cli` and reads its JSON.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    Measure(measure::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Measure(args) => measure::measure(&args),
    }
}
