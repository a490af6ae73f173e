//! The command line as a library, for the programs of this crate: `bench-cli` and, with the feature `cuda`, `bench-cli-cuda`.
//! See `bench-cli --help`.

mod args;
mod commands;
mod curve_points;
mod drawing;
mod interrupt;
mod page;
mod progress;
mod terminal;
mod threads;

use anyhow::Result;
use args::{Cli, Command};
use candle_core::Device;
use clap::Parser;
use commands::{Context, Outcome};
use interrupt::Interrupted;
use std::process::ExitCode;
use terminal::Terminal;

/// Training allocates and frees the same large buffers in every step; the system's allocator gives them back to the
/// kernel each time, which clears their pages anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of every error.
const ERROR: u8 = 2;
/// The exit code of a prediction that found a defect, where it is asked for.
const DEFECT_FOUND: u8 = 1;

/// Does what the arguments of the process say, and gives its exit code: see the crate's README.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(code) => code,
        Err(error) => match error.downcast_ref::<Interrupted>() {
            Some(last_words) => {
                terminal::say(&last_words.to_string());
                interrupt::exit_code().into()
            }
            None => {
                terminal::error(&error);
                ERROR.into()
            }
        },
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let context = context(cli)?;
    interrupt::listen()?;
    match &cli.command {
        Command::Demo(args) => commands::demo(&context, args)?,
        Command::Train(args) => commands::train(&context, args)?,
        Command::Tune(args) => commands::tune(&context, args)?,
        Command::Calibrate(args) => commands::calibrate(&context, args)?,
        Command::Evaluate(args) => commands::evaluate(&context, args)?,
        Command::Figure(args) => commands::figure(&context, args)?,
        Command::Predict(args) => {
            return Ok(match commands::predict(&context, args)? {
                Outcome::Incomplete => ERROR.into(),
                Outcome::Defective if args.exit_code => DEFECT_FOUND.into(),
                Outcome::Defective | Outcome::Good => ExitCode::SUCCESS,
            });
        }
        Command::Merge(args) => {
            return Ok(match commands::merge(&context, args)? {
                Outcome::Incomplete => ERROR.into(),
                Outcome::Defective | Outcome::Good => ExitCode::SUCCESS,
            });
        }
        Command::Ssim(args) => commands::ssim(&context, args)?,
        Command::Synthesize(args) => commands::synthesize(&context, args)?,
        Command::Toy(args) => commands::toy(&context, args)?,
        Command::Info(args) => commands::info(&context, args)?,
        Command::Config(args) => commands::config(&context, args)?,
        Command::Export(args) => commands::export(&context, args)?,
        Command::Bench(args) => commands::bench(&context, args)?,
        Command::Completions(args) => commands::completions(args)?,
        Command::Man(args) => commands::man(&context, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn context(cli: &Cli) -> Result<Context> {
    let common = &cli.common;
    common.log.as_deref().map(terminal::log_to).transpose()?;
    // First, before anything starts threads.
    common.threads.map(threads::limit).transpose()?;
    let device = match cli.command.runs_network() {
        true => common.device.open()?,
        false => Device::Cpu,
    };
    let terminal = Terminal { json: common.json, quiet: common.quiet };
    Ok(Context { terminal, device })
}
