//! The configuration as the program prints it, and as the README shows it.

use crate::bench::Bench;
use std::collections::HashSet;

/// The reference that users read.
fn readme_block() -> &'static str {
    let (_, block) = include_str!("../../README.md").split_once("```toml\n").unwrap();
    block.split_once("```").unwrap().0
}

fn table(text: &str) -> toml::Table {
    text.parse().unwrap()
}

#[test]
fn the_readme_shows_the_defaults() {
    let printed = Bench::new().run("config --defaults").done().stdout;
    assert_eq!(table(readme_block()), table(&printed));
}

#[test]
fn defaults_are_printed_as_json_too() {
    let bench = Bench::new();
    let printed = bench.run("config --defaults --json").done().stdout;
    let json: toml::Table = serde_json::from_str(&printed).unwrap();
    assert_eq!(json, table(&bench.run("config --defaults").done().stdout));
}

#[test]
fn the_readme_shows_every_key() {
    // Those that are left out by default.
    let optional = "--set data.root=carpet --set data.images=[\"monday\"] --set data.only=_00 --set data.region=auto --set data.masks={folder=\"a\",suffix=\"b\"} --set data.layout=mvtec-ad --set data.size=[256,256] --set features.weights=a.pth --set data.groups=a --set inspection.stride=30 --set residual.window=uniform:5 --set residual.exponents=[1.0,1.0,1.0]";
    let printed = Bench::new().run(&format!("config {optional}")).done().stdout;
    let keys = |text: &str| {
        let lines = text.lines().map(|line| line.trim_start_matches("# "));
        let assignments = lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
        assignments.filter(|key| !key.contains(' ')).collect::<HashSet<_>>()
    };
    let missing: Vec<_> = keys(&printed).difference(&keys(readme_block())).cloned().collect();
    // The keys of a rule stand in its line.
    assert!(missing.iter().all(|key| ["rule", "images"].contains(&&**key)), "{missing:?}");
}

#[test]
fn a_printed_configuration_is_the_one_that_was_read() {
    let bench = Bench::new();
    let printed =
        bench.run("config --set method=l2 --set ssim.window=gaussian:7:1.5").done().stdout;
    std::fs::write(bench.path("fabric.toml"), &printed).unwrap();
    assert_eq!(bench.run("config --config fabric.toml").done().stdout, printed);
    let message = bench.error("config --set ssim.window=uniform:10");
    assert!(
        message.contains("--set ssim.window=uniform:10: the window size must be odd"),
        "{message}"
    );
    let message = bench.error("config");
    assert!(message.contains("which configuration? --defaults"), "{message}");
}
