//! `bench-cli merge`

use super::coco::Coco;
use super::failures::Failures;
use super::list::read_run;
use super::run::Outcome;
use super::tables::{has_regions, records_in, write_tables};
use crate::args::MergeArgs;
use crate::commands::Context;
use anyhow::{Context as _, Result, bail, ensure};
use detector::Shard;
use detector::files::{FolderLock, shown, shown_text};
use detector::records::{FailureRecord, MergeRecord, PredictionRecord, RunRecord};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The results of a shard.
struct Part {
    shard: Shard,
    folder: PathBuf,
    run: RunRecord,
    records: Vec<PredictionRecord>,
    failures: Vec<FailureRecord>,
}

/// Joins the tables of all shards in a folder, and says what is missing or occurs twice.
///
/// # Errors
/// If there are no shards, or not of one run; if a table cannot be read or written.
pub fn merge(context: &Context, args: &MergeArgs) -> Result<Outcome> {
    let folder = &args.folder;
    let count = shard_count(folder)?;
    ensure!(
        read_run(folder)?.is_none(),
        "{}: holds the results of a run without shards, which merging would replace; give shards an --out of their own",
        shown(folder)
    );
    let _lock = FolderLock::take(folder)?;
    let shards = (1..=count).map(|index| Shard { index, count });
    let (mut parts, mut problems) = (Vec::new(), Vec::new());
    for shard in shards {
        match Part::read(folder, shard)? {
            Some(part) => parts.push(part),
            None => problems.push(format!("shard {shard} is missing")),
        }
    }
    expect_same_settings(&parts)?;
    problems.extend(problems_of(&parts));
    let shards = parts.len();
    let images = write(folder, parts)?;
    let defective = images.iter().filter(|record| record.defective).count();
    problems.iter().for_each(|problem| context.terminal.warn(problem));
    let outcome = if problems.is_empty() { Outcome::Good } else { Outcome::Incomplete };
    let images = images.len();
    context.terminal.record(&MergeRecord { shards, images, defective, problems })?;
    context.terminal.text(&format!(
        "{shards} of {count} shards, {images} images, {defective} of them defective"
    ))?;
    Ok(outcome)
}

/// The number of shards that those in a folder are of.
fn shard_count(folder: &Path) -> Result<usize> {
    let cannot_read = || format!("cannot read folder {}", shown(folder));
    let mut counts = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot_read)? {
        let name = entry.with_context(cannot_read)?.file_name();
        counts.extend(name.to_str().and_then(Shard::of_folder).map(|shard| shard.count));
    }
    counts.sort_unstable();
    counts.dedup();
    match counts[..] {
        [] => bail!("{}: expected folders of shards such as shard-1-of-8, got none", shown(folder)),
        [count] => Ok(count),
        [one, other, ..] => bail!(
            "{}: expected the shards of one run, got some of {one} and some of {other}",
            shown(folder)
        ),
    }
}

impl Part {
    fn read(folder: &Path, shard: Shard) -> Result<Option<Self>> {
        let folder = folder.join(shard.folder());
        let Some(run) = read_run(&folder)? else { return Ok(None) };
        let mut records: Vec<PredictionRecord> = records_in(&folder)?.collect::<Result<_>>()?;
        if run.finished {
            // What else is there is of images that are listed no longer: those that are, were done again.
            records.retain(|record| record.settings.as_deref() == Some(&*run.settings));
        }
        let failures = Failures::read(&folder)?;
        Ok(Some(Self { shard, folder, run, records, failures }))
    }
}

/// # Errors
/// If results depend on different settings.
fn expect_same_settings(parts: &[Part]) -> Result<()> {
    let expected = parts.first().map(|part| &*part.run.settings);
    for part in parts {
        let of_images = part.records.iter().map(|record| record.settings.as_deref());
        ensure!(
            of_images.chain([Some(&*part.run.settings)]).all(|settings| settings == expected),
            "{}: has results of another model or other options than shard {}; run both again with --resume",
            shown(&part.folder),
            parts[0].shard
        );
    }
    Ok(())
}

/// A message for each image or shard that is missing, and for each image that occurs twice.
fn problems_of(parts: &[Part]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for Part { shard, run, records, failures, .. } in parts {
        let found = records.len() + failures.len();
        if !run.finished {
            problems.push(format!("shard {shard} is not finished: run it with --resume"));
        } else if found < run.images {
            problems.push(format!("shard {shard} has results of {found} of {} images", run.images));
        }
        problems.extend(failures.iter().map(|failure| format!("shard {shard}: {}", failure.error)));
        records.iter().for_each(|record| *counts.entry(&record.image).or_default() += 1);
    }
    let finished = || parts.iter().filter(|part| part.run.finished);
    if let Some(first) = finished().next()
        && let Some(other) = finished().find(|part| part.run.listed != first.run.listed)
    {
        problems.push(format!(
            "shard {} is of a list of {} images, shard {} of one of {}",
            first.shard, first.run.listed, other.shard, other.run.listed
        ));
    }
    let repeated = counts.into_iter().filter(|&(_, count)| count > 1);
    problems.extend(
        repeated.map(|(image, count)| format!("{}: has {count} records", shown_text(image))),
    );
    problems
}

/// Writes the tables of all images, in the order of the list that the shards were cut from.
fn write(folder: &Path, parts: Vec<Part>) -> Result<Vec<PredictionRecord>> {
    let with_regions = parts.iter().all(|part| has_regions(&part.folder));
    let with_coco = parts.iter().all(|part| Coco::is_in(&part.folder));
    let mut failures = Failures::begin(folder)?;
    for failure in parts.iter().flat_map(|part| &part.failures) {
        failures.append(failure)?;
    }
    let mut records: Vec<_> = parts.into_iter().flat_map(moved).collect();
    records.sort_by(|a, b| (a.position, &a.image).cmp(&(b.position, &b.image)));
    records.iter_mut().for_each(|record| record.position = None);
    Coco::forget(folder)?;
    write_tables(folder, with_regions, &records)?;
    if with_coco {
        Coco::of(records.iter().cloned().map(Ok))?.write(folder)?;
    }
    Ok(records)
}

/// The records of a shard, with names that lead from the folder of all shards to the files.
fn moved(part: Part) -> impl Iterator<Item = PredictionRecord> {
    let folder = part.shard.folder().to_string_lossy().into_owned();
    part.records.into_iter().map(move |record| PredictionRecord {
        id: format!("{folder}/{}", record.id),
        files: record.files.iter().map(|file| format!("{folder}/{file}")).collect(),
        ..record
    })
}
