use super::Cli;
use clap::{Command, CommandFactory, Parser};

#[test]
fn every_help_ends_with_examples_that_can_be_typed() {
    for_each_command("bench-cli", &Cli::command(), &mut |path, command| {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples: Vec<&str> = help.lines().filter_map(arguments).collect();
        assert!(examples.iter().any(|example| example.starts_with(path)), "{path}: {help}");
        for example in examples {
            let words = example.split_whitespace().map(|word| word.trim_matches('\''));
            let parsed = Cli::try_parse_from(words).map_err(|error| error.to_string());
            assert!(parsed.is_ok(), "{example}: {parsed:?}");
        }
    });
}

#[test]
fn the_readme_lists_every_subcommand() {
    const README: &str = include_str!("../../README.md");
    for subcommand in Cli::command().get_subcommands() {
        let name = subcommand.get_name();
        assert!(README.contains(&format!("\n| `{name}` |")), "{name}");
    }
}

/// Visits a command and all below it with the words that call them.
fn for_each_command(path: &str, command: &Command, visit: &mut impl FnMut(&str, &Command)) {
    visit(path, command);
    for subcommand in command.get_subcommands() {
        for_each_command(&format!("{path} {}", subcommand.get_name()), subcommand, visit);
    }
}

/// The program's part of a line of an example, which may be one of several in a pipe.
fn arguments(line: &str) -> Option<&str> {
    let start = line.find("bench-cli ")?;
    line[start..].split(['|', '>']).next()
}
