//! Project tasks: `cargo xtask --help`.

mod bench;
mod command;
mod files;
mod machine;
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
    Bench(bench::Args),
    Measure(measure::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Bench(args) => bench::bench(&args),
        Task::Measure(args) => measure::measure(&args),
    }
}
