//! `cargo xtask weights`: fetches the weights of feature extractors.

use crate::command::repository;
use crate::download::{self, DEFAULT_MINUTES, Patience, Wanted, download};
use crate::terminal::tell;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use detector::files::sha256_of_file;
use std::fs;
use std::path::{Path, PathBuf};

/// Download the ImageNet weights of a network whose features can be matched, and check their hash.
///
/// An interrupted download resumes where it stopped. Prints the path of the file, for `bench-cli train --features-weights`.
#[derive(clap::Args)]
pub struct Args {
    /// Network.
    #[arg(value_enum)]
    network: Network,
    /// Take this file instead of the download.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Folder for the weights; by default the repository's `target/weights`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Give the download up after this time, retries included; the next call goes on with it.
    #[arg(long, value_name = "MINUTES", default_value_t = DEFAULT_MINUTES)]
    patience: u64,
}

/// Networks of torchvision.
#[derive(Clone, Copy, ValueEnum)]
enum Network {
    /// AlexNet, 244 MB.
    Alexnet,
    /// SqueezeNet 1.1, 5 MB.
    Squeezenet,
}

impl Network {
    /// The name of the file, of which the last eight digits begin its SHA-256.
    fn file(self) -> &'static str {
        match self {
            Self::Alexnet => "alexnet-owt-7be5be79.pth",
            Self::Squeezenet => "squeezenet1_1-b8a52dc0.pth",
        }
    }
}

/// # Errors
/// If the file cannot be downloaded or read, or is another one.
pub fn weights(args: &Args) -> Result<()> {
    let name = args.network.file();
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => repository().join("target").join("weights"),
    };
    let target = folder.join(name);
    if args.file.is_none() && target.exists() {
        check(&target, name)?;
    } else {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let part = folder.join(format!("{name}.part"));
        match &args.file {
            Some(file) => copy(file, &part, name)?,
            None => fetch(name, &part, &Patience::of_minutes(args.patience))?,
        }
        fs::rename(&part, &target).with_context(|| format!("cannot write {}", target.display()))?;
        download::forget(&part)?;
    }
    tell!("{}", target.display());
    Ok(())
}

/// Copies a file that is the network `name`.
fn copy(file: &Path, part: &Path, name: &str) -> Result<()> {
    check(file, name)?;
    fs::copy(file, part).map(drop).with_context(|| format!("cannot copy {}", file.display()))
}

fn fetch(name: &str, part: &Path, patience: &Patience) -> Result<()> {
    let url = format!("https://download.pytorch.org/models/{name}");
    let wanted = Wanted {
        url: &url,
        sha256: Some(beginning(name)),
        most_bytes: 1 << 30,
        otherwise: "a file that was downloaded otherwise can be given with --file PATH",
    };
    download(&wanted, part, patience).map(drop)
}

/// The first digits of the SHA-256 of the file `name`.
fn beginning(name: &str) -> &str {
    name.trim_end_matches(".pth").rsplit('-').next().unwrap_or_default()
}

/// Checks that the SHA-256 of a file begins as `name` ends.
fn check(path: &Path, name: &str) -> Result<()> {
    let (expected, got) = (beginning(name), sha256_of_file(path)?);
    ensure!(
        got.starts_with(expected),
        "{}: expected {name}, whose SHA-256 begins with {expected}, got {got}",
        path.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_by_its_hash() {
        let path = std::env::temp_dir().join(format!("xtask-weights-{}", std::process::id()));
        fs::write(&path, "abc").expect("the folder for temporary files can be written");
        // SHA-256 of "abc": ba7816bf 8f01cfea …
        assert!(check(&path, "abc-ba7816bf.pth").is_ok());
        let error = check(&path, "abc-8f01cfea.pth").map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("8f01cfea") && error.contains("ba7816bf")));
        fs::remove_file(&path).expect("it was written above");
    }
}
