//! Rules that the sources of all crates keep.

mod graph;
mod modules;
mod tokens;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folders of all packages of the workspace.
fn packages() -> Vec<PathBuf> {
    let crates = fs::read_dir(repository().join("crates")).expect("the crates are there");
    let mut packages: Vec<_> = crates.map(|entry| entry.expect("a folder").path()).collect();
    packages.push(repository().join("xtask"));
    packages.sort();
    packages
}

/// No two files of a crate use each other, directly or through others: see [`modules`] for the rule.
#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles: Vec<String> =
        packages().iter().flat_map(|package| modules::uses(&package.join("src"))).collect();
    assert!(circles.is_empty(), "circles of files:\n{}", circles.join("\n"));
}

/// Names of files may hold what forges lines: these two crates show them by `files::shown`. Tests know their names.
#[test]
fn names_of_files_are_escaped() {
    let mut files = Vec::new();
    for package in ["detector", "bench-cli"] {
        modules::collect(&repository().join("crates").join(package).join("src"), &mut files);
    }
    let is_test = |path: &PathBuf| path.iter().any(|part| part == "tests" || part == "tests.rs");
    let found: Vec<PathBuf> = files
        .into_iter()
        .filter(|path| !is_test(path))
        .filter(|path| {
            let text = fs::read_to_string(path).expect("a file of the repository");
            tokens::tokens(&text).windows(3).any(|words| words == [".", "display", "("])
        })
        .collect();
    assert!(found.is_empty(), "`.display()` in the place of `shown`:\n{found:?}");
}

/// Doc comments name their subject and their numbers.
#[test]
fn doc_comments_are_in_plain_order() {
    let mut files = Vec::new();
    packages().iter().for_each(|package| modules::collect(package, &mut files));
    modules::collect(&repository().join("fuzz"), &mut files);
    let mut found = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("a file of the repository");
        let name = path.display().to_string();
        let name = name.split("/../").last().unwrap_or_default();
        found.extend(words::riddles(&text).map(|(line, words)| format!("{name}:{line}: {words}")));
    }
    assert!(found.is_empty(), "doc comments:\n{}", found.join("\n"));
}
