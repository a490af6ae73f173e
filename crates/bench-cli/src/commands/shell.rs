//! `bench-cli completions` and `bench-cli man`: the command line, for shells and for `man`.

use super::Context;
use crate::args::{Cli, CompletionsArgs, ManArgs};
use anyhow::{Context as _, Result};
use clap::CommandFactory;
use clap_mangen::Man;
use detector::files::{prepare_folder, shown, write_atomic};
use std::io::Write;

/// Writes a shell's completions to standard output.
///
/// # Errors
/// If it cannot be written to.
pub fn completions(args: &CompletionsArgs) -> Result<()> {
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    std::io::stdout().write_all(&script).context("cannot write to standard output")
}

/// Writes a page for the program and one for each of its subcommands.
///
/// # Errors
/// If one cannot be written.
pub fn man(context: &Context, args: &ManArgs) -> Result<()> {
    prepare_folder(&args.out)?;
    let mut command = Cli::command().disable_help_subcommand(true);
    // Subcommands learn their whole names and the options of all.
    command.build();
    let mut pages = Vec::new();
    collect_pages(command, &mut pages);
    for (name, page) in &pages {
        write_atomic(&args.out.join(name), |file| Ok(file.write_all(page)?))?;
    }
    context.terminal.text(&format!("{} pages in {}", pages.len(), shown(&args.out)))
}

/// The pages of a command and of all below it, with the names of their files.
fn collect_pages(command: clap::Command, pages: &mut Vec<(String, Vec<u8>)>) {
    for subcommand in command.get_subcommands() {
        collect_pages(subcommand.clone(), pages);
    }
    let man = Man::new(command);
    let mut page = Vec::new();
    // Writing to memory does not fail.
    if man.render(&mut page).is_ok() {
        pages.push((man.get_filename(), page));
    }
}
