//! `bench-cli demo`

use super::distinct::distinct;
use super::evaluate::evaluate_on;
use super::synthesize::make;
use super::{Context, train};
use crate::args::DemoArgs;
use crate::drawing::{Cell, Figure, ScoreRange, write_figure};
use crate::page::{Circumstances, Page, write_page};
use crate::terminal::decimals;
use anyhow::{Result, ensure};
use detector::files::{FileSet, FolderLock, remove_if_present, shown, write_atomic};
use detector::records::DemoRecord;
use detector::synthetic::{Spec, SyntheticKind};
use detector::{Config, Dataset, Evaluation, InspectedSample, Method, ModelFolder, Origin, Split};
use metrics::Chart;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

/// Images of the figure.
const SHOWN: usize = 4;
const ROC: &str = "roc.png";
const FIGURE: &str = "figure.png";
const PAGE: &str = "report.html";
/// The file that comes last: where it is, all that belongs to it is there.
const TABLE: &str = "table.md";

/// Makes synthetic fabric, trains methods on it, evaluates them and draws the results.
///
/// # Errors
/// If the folder cannot be written.
pub fn demo(context: &Context, args: &DemoArgs) -> Result<()> {
    let methods = distinct(&args.methods);
    let has_features = methods.contains(&Method::FeatureMatching);
    ensure!(
        has_features || args.features_weights.is_none(),
        "--features-weights is for the method feature-matching, which is not among --methods"
    );
    ensure!(
        !has_features || args.features_weights.is_some(),
        "the method feature-matching needs the weights of a network: --features-weights FILE"
    );
    let _lock = FolderLock::take(&args.out)?;
    let data = args.out.join("fabric");
    context.terminal.note("making synthetic fabric");
    let full = Spec::full(SyntheticKind::Plain, args.seed);
    make(context, &Spec { good: 20, defective: 12, ..full }, &data)?;
    // Those of an earlier run, which would lie beside other models until this one ends.
    [TABLE, PAGE, FIGURE, ROC]
        .iter()
        .try_for_each(|name| remove_if_present(&args.out.join(name)))?;
    let outcomes = methods.iter().map(|&method| run(context, args, &data, method));
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;

    let set = FileSet::begin(&args.out)?;
    draw_roc(&set.path().join(ROC), &outcomes)?;
    draw_figure(&set.path().join(FIGURE), &outcomes)?;
    let circumstances = Circumstances::now(&data, true, &context.device);
    let page =
        Page { title: "Synthetic plain weave", circumstances, parts: &outcomes, settings: &[] };
    write_page(&set.path().join(PAGE), &page)?;
    let table = table(args.patches, &outcomes);
    write_atomic(&set.path().join(TABLE), |file| Ok(file.write_all(table.as_bytes())?))?;
    set.publish(&[], TABLE)?;
    context.terminal.text(&format!("\n{table}\n{}", files(&args.out, &methods)))?;
    for evaluation in &outcomes {
        context.terminal.record(&DemoRecord {
            method: evaluation.method().title().to_owned(),
            synthetic: true,
            training_seconds: evaluation.origin.training.seconds,
            metrics: evaluation.metrics.clone(),
        })?;
    }
    Ok(())
}

/// The files to look at.
fn files(out: &Path, methods: &[Method]) -> String {
    let titles: Vec<_> = methods.iter().map(|method| method.title()).collect();
    format!(
        "{}: image, then reconstruction and anomaly map of {}, then ground truth\n{}: ROC curves\n{}: \
         all of it on a page",
        shown(&out.join(FIGURE)),
        titles.join(" and of "),
        shown(&out.join(ROC)),
        shown(&out.join(PAGE))
    )
}

fn run(context: &Context, args: &DemoArgs, data: &Path, method: Method) -> Result<Evaluation> {
    context.terminal.note(method.title());
    let folder = ModelFolder::new(args.out.join(method.key()));
    let mut config = Config::default().with_method(method);
    config.data.root = Some(std::path::absolute(data)?);
    config.data.size = Some([256, 256]);
    config.features.extractor = args.extractor;
    config.features.weights =
        args.features_weights.as_deref().map(std::path::absolute).transpose()?;
    config.training.patches = args.patches;
    config.training.seed = args.seed;
    config.training.patches_per_epoch = 1_000;
    // The paper's step size is made for 2 million patches.
    config.training.batch_size = 8;
    config.optimiser.learning_rate = 1e-3;
    train::train_model(context, &folder, &config)?;
    let inspector = context.calibrated(&folder, &config)?;
    let dataset = Dataset::open(data, None)?;
    let (Split { held_out, .. }, ..) = config.split()?;
    let origin = Origin::of(&folder, config)?;
    evaluate_on(context, &dataset, &held_out, &inspector, origin)
}

fn draw_roc(path: &Path, outcomes: &[Evaluation]) -> Result<()> {
    let titled = outcomes.iter().map(|outcome| (outcome.method().title(), outcome.curves.as_ref()));
    let curves: Vec<_> = titled.filter_map(|(title, curves)| Some((title, &curves?.roc))).collect();
    let colours: Vec<usize> = outcomes.iter().map(|of| of.method().colour()).collect();
    Ok(Chart::roc(&curves)?
        .in_colours(&colours)
        .save(path, &metrics::Figure::new("Synthetic plain weave: pixel ROC"))?)
}

/// Rows of image, then reconstruction and anomaly map of each method, then ground truth.
fn draw_figure(path: &Path, outcomes: &[Evaluation]) -> Result<()> {
    let range =
        |evaluation: &Evaluation| ScoreRange::of_good(evaluation.origin.calibration.good_unit());
    let row = |index: usize| {
        let cells = outcomes.iter().flat_map(|evaluation| {
            let InspectedSample { reconstruction, anomaly_map, .. } =
                &evaluation.test_set.samples[index];
            [Cell::Grey8(reconstruction), Cell::Heat(anomaly_map, range(evaluation))]
        });
        let InspectedSample { image, mask, .. } = &outcomes[0].test_set.samples[index];
        [Cell::Grey8(image)].into_iter().chain(cells).chain(mask.as_ref().map(Cell::Mask)).collect()
    };
    let of_methods = outcomes.iter().flat_map(|evaluation| {
        let title = evaluation.method().title();
        [format!("{title}: reconstruction"), format!("{title}: anomaly map")]
    });
    let headings = std::iter::once("image".to_owned()).chain(of_methods);
    let first = &outcomes[0];
    let is_common = outcomes.iter().all(|other| range(other).looks_like(range(first)));
    let scale = (range(first), Some(first.test_set.decision.threshold));
    let figure = Figure {
        headings: headings.chain(["ground truth".to_owned()]).collect(),
        rows: telling_images(first)?.into_iter().map(row).collect(),
        scale: is_common.then_some(scale),
    };
    write_figure(path, &figure)
}

/// Of each kind of defect the image that the first method decides on best: first all defects found, then no false alarm, then the
/// highest score. At most [`SHOWN`].
fn telling_images(evaluation: &Evaluation) -> Result<Vec<usize>> {
    let test_set = &evaluation.test_set;
    let mut best: BTreeMap<&str, (_, usize)> = BTreeMap::new();
    for (index, sample) in test_set.samples.iter().enumerate() {
        if sample.sample.is_good() {
            continue;
        }
        let found = test_set.judge(&[sample])?;
        let missed = found.regions - found.regions_found;
        let score = test_set.decision.score(&sample.anomaly_map);
        let rank = (missed, found.false_alarms, Reverse((score * 1e3) as i64));
        let entry = best.entry(&sample.sample.defect).or_insert((rank, index));
        if rank < entry.0 {
            *entry = (rank, index);
        }
    }
    let mut ranked: Vec<_> = best.into_values().collect();
    ranked.sort();
    Ok(ranked.into_iter().take(SHOWN).map(|(_, index)| index).collect())
}

fn table(patches: u64, outcomes: &[Evaluation]) -> String {
    let rows: String = outcomes
        .iter()
        .map(|evaluation| {
            let metrics = &evaluation.metrics;
            format!(
                "| {} | {} | {} | {} | {} | {}/{} | {} | {:.0} |\n",
                evaluation.method().title(),
                decimals(metrics.of_pixels(|p| p.pixel_au_roc)),
                decimals(metrics.of_pixels(|p| p.pixel_au_roc_raw)),
                decimals(metrics.of_pixels(|p| p.pixel_f1_max)),
                decimals(metrics.of_pixels(|p| p.au_pro)),
                metrics.at_threshold.regions_found,
                metrics.at_threshold.regions,
                metrics.at_threshold.false_alarms,
                evaluation.origin.training.seconds
            )
        })
        .collect();
    format!(
        "Synthetic plain weave (computed images, not photographs), {patches} patches, pixels of {} images pooled:\n\n\
         | method | ROC-AUC | residual map | F1 max | AU-PRO | defects found | false alarms | training s |\n\
         |---|---|---|---|---|---|---|---|\n{rows}",
        outcomes[0].metrics.images
    )
}
