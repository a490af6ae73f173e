//! Arguments of what is made for other programs.

use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// Write the network of a model as ONNX, for other runtimes.
///
/// It reconstructs patches; tiling, residual maps and thresholds are the caller's.
#[derive(Args, Debug)]
#[command(
    after_help = "Examples:\n  bench-cli export model\n  bench-cli export model --out line-3.onnx --json"
)]
pub struct ExportArgs {
    /// Folder of the model.
    pub model: PathBuf,
    /// The file; by default `model.onnx` in the folder of the model.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Print completions for a shell.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  bench-cli completions bash > ~/.local/share/bash-completion/completions/bench-cli"
)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// Write manual pages.
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  bench-cli man --out ~/.local/share/man/man1\n  man bench-cli-predict"
)]
pub struct ManArgs {
    /// Folder for the pages, one for the program and one for each subcommand.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
