//! `cargo xtask images`: image files as other programs write and read them.

use crate::command::repository;
use crate::python::{Python, PythonArgs, report};
use crate::terminal::tell;
use crate::{files, machine};
use anyhow::{Context, Result, bail};
use detector::read_image;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// Compare image files with Pillow, tifffile and OpenCV.
///
/// A script writes files of all kinds that they know, with the planes that they read of them. Each has to be read alike or refused by
/// name. Writes the counts to `results/images/README.md`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    python: PythonArgs,
}

/// Values that differ by less are equal: luma is a sum of three products of 32-bit floats.
const ROUNDING: f32 = 2e-6;

/// YCbCr without JPEG becomes red, green and blue by the roundings of each program.
const ONE_LEVEL: f32 = 1.01 / 255.0;

/// The report of the script.
#[derive(serde::Deserialize)]
struct Findings {
    versions: BTreeMap<String, String>,
    files: Vec<File>,
}

#[derive(serde::Deserialize)]
struct File {
    name: String,
    width: usize,
    height: usize,
    /// Programs that read another plane.
    differ: Vec<String>,
}

/// Numbers of files.
#[derive(Default)]
struct Counts {
    equal: usize,
    one_level: usize,
    refusals: BTreeMap<String, usize>,
    /// Files that other programs do not read alike.
    disputed: BTreeMap<String, usize>,
}

/// # Errors
/// If a program is missing or fails, or a file is read otherwise.
pub fn images(args: &Args) -> Result<()> {
    let work = repository().join("target").join("images");
    let scripts = repository().join("xtask").join("images");
    let python = Python::of(&args.python, &work.join("venv"), &scripts.join("requirements.txt"))?;
    let folder = work.join("files");
    files::remove(&folder)?;
    let findings: Findings = report(python.script(&scripts.join("files.py")).arg(&folder))?;
    let counts = compare(&findings.files, &folder)?;
    let path = repository().join("results").join("images").join("README.md");
    files::replace(&path, &page(&findings, &counts)?)?;
    tell!("{}", path.display());
    Ok(())
}

fn compare(files: &[File], folder: &Path) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut different = Vec::new();
    for file in files {
        for program in &file.differ {
            *counts.disputed.entry(program.clone()).or_default() += 1;
        }
        match read_image(&folder.join(&file.name)) {
            Ok(image) if image.size() == (file.width, file.height) => {
                match difference(image.data(), &plane(folder, file)?) {
                    ..ROUNDING => counts.equal += 1,
                    ..ONE_LEVEL if file.name.contains("YCbCr") => counts.one_level += 1,
                    _ => different.push(&*file.name),
                }
            }
            Ok(_) => different.push(&file.name),
            Err(error) => *counts.refusals.entry(reason(&error)).or_default() += 1,
        }
    }
    if !different.is_empty() {
        bail!("{} files are read otherwise: {}", different.len(), different.join(", "));
    }
    Ok(counts)
}

/// The plane that other programs read.
fn plane(folder: &Path, file: &File) -> Result<Vec<f32>> {
    let path = folder.join(format!("{}.f32", file.name));
    let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
    Ok(bytes.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)).collect())
}

/// The largest difference, infinite if the numbers of values differ.
fn difference(got: &[f32], expected: &[f32]) -> f32 {
    if got.len() != expected.len() {
        return f32::INFINITY;
    }
    let differences = got.iter().zip(expected).map(|(got, expected)| (got - expected).abs());
    differences
        .fold(0.0, |most, value| if value.is_nan() { f32::INFINITY } else { most.max(value) })
}

/// The refusal without the name of the file.
fn reason(error: &dyn Error) -> String {
    let mut causes = std::iter::successors(error.source(), |&cause| cause.source());
    let first = causes.next().map_or_else(|| error.to_string(), ToString::to_string);
    causes.fold(first, |sentence, cause| format!("{sentence}: {cause}"))
}

fn page(findings: &Findings, counts: &Counts) -> Result<String> {
    let Counts { equal, one_level, refusals, disputed } = counts;
    let refused: usize = refusals.values().sum();
    let mut page = format!(
        "# Image files of other programs\n\n\
         Written by `cargo xtask images` on {}, of {}, on {}.\n\n\
         Pillow, tifffile and OpenCV write {} PNG, TIFF, BMP and JPEG files. {equal} are read as the picture that they were made of, to \
         the rounding of 32-bit floats, or, if they are JPEG, as Pillow reads them, by libjpeg. {one_level} of YCbCr without JPEG are read \
         alike to one of 255 levels: programs round them each in its way. {refused} are refused by name. None is read otherwise.\n\n\
         | refusal | files |\n|---|---|\n",
        machine::date(),
        machine::commit()?,
        machine::processor(),
        findings.files.len(),
    );
    for (sentence, count) in refusals {
        writeln!(page, "| {sentence} | {count} |")?;
    }
    page.push_str("\nThe programs themselves read another plane in some files, most of them of alpha or of 0 for white:\n\n");
    for (program, count) in disputed {
        writeln!(page, "- {program}: {count}")?;
    }
    let versions: Vec<String> =
        findings.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    writeln!(page, "\nWith {}.", versions.join(", "))?;
    Ok(page)
}
