//! `cargo xtask images`: image files as other programs write and read them.

use crate::command::repository;
use crate::python::{Python, PythonArgs, report};
use crate::terminal::tell;
use crate::{files, machine};
use anyhow::{Context, Result, bail, ensure};
use detector::{Image, read_image};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

mod refusals;

use refusals::REFUSALS;

/// Compare image files with Pillow, tifffile and OpenCV.
///
/// A script writes files of all kinds that they know, with the planes that they read of them. Each has to be read alike within a second,
/// or refused in a sentence that is known. Writes the counts to `results/images/README.md`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    python: PythonArgs,
}

/// With fewer files, some of the programs did not write theirs.
const LEAST_FILES: usize = 1000;

/// The longest time that a file may take, of which none has more than 13,000 pixels.
const MOST_TIME: Duration = Duration::from_secs(1);

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
    /// The longest time that a file took.
    longest: Duration,
}

/// # Errors
/// If a program is missing or fails, or a file is read otherwise, in too long a time, or refused in words that are not known.
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
    ensure!(
        files.len() >= LEAST_FILES,
        "expected at least {LEAST_FILES} files, got {}",
        files.len()
    );
    let mut counts = Counts::default();
    let mut faults = Vec::new();
    for file in files {
        for program in &file.differ {
            *counts.disputed.entry(program.clone()).or_default() += 1;
        }
        let start = Instant::now();
        let image = read_image(&folder.join(&file.name));
        let time = start.elapsed();
        counts.longest = counts.longest.max(time);
        if time > MOST_TIME {
            faults.push(format!("{} takes {} ms", file.name, time.as_millis()));
        }
        if let Err(fault) = counts.add(file, folder, image) {
            faults.push(format!("{}: {fault}", file.name));
        }
    }
    if !faults.is_empty() {
        bail!("{} faults:\n{}", faults.len(), faults.join("\n"));
    }
    Ok(counts)
}

impl Counts {
    /// Counts a file as what was made of it.
    fn add(&mut self, file: &File, folder: &Path, image: detector::Result<Image>) -> Result<()> {
        match image {
            Ok(image) => {
                let size = (file.width, file.height);
                ensure!(image.size() == size, "the size is {:?} for {size:?}", image.size());
                match difference(image.data(), &plane(folder, file)?) {
                    ..ROUNDING => self.equal += 1,
                    ..ONE_LEVEL if file.name.contains("YCbCr") => self.one_level += 1,
                    difference => bail!("read otherwise, by up to {difference}"),
                }
            }
            Err(error) => {
                let reason = reason(&error);
                ensure!(
                    REFUSALS.contains(&&*reason),
                    "refused in words that are not known: {reason}"
                );
                *self.refusals.entry(reason).or_default() += 1;
            }
        }
        Ok(())
    }
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
    let Counts { equal, one_level, refusals, disputed, longest } = counts;
    let refused: usize = refusals.values().sum();
    let mut page = format!(
        "# Image files of other programs\n\n\
         Written by `cargo xtask images` on {}, of {}, on {}.\n\n\
         Pillow, tifffile, OpenCV and scripts of a few lines write {} PNG, TIFF, BMP and JPEG files. {equal} are read as the picture that \
         they were made of, to the rounding of 32-bit floats, or, if they are JPEG, as Pillow or OpenCV read them, by libjpeg. {one_level} of \
         YCbCr without JPEG are read alike to one of 255 levels: programs round them each in its way. {refused} are refused in sentences \
         that the task lists. None is read otherwise, and none takes more than {} ms in a build for development.\n\n\
         | refusal | files |\n|---|---|\n",
        machine::date(),
        machine::commit()?,
        machine::processor(),
        findings.files.len(),
        longest.as_millis() + 1,
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
