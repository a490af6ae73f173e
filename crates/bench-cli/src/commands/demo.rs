//! `bench-cli demo`

use super::{Context, train};
use crate::args::DemoArgs;
use crate::config::{Config, Method};
use crate::data::Dataset;
use crate::evaluation::{self, Curves, Evaluation, Inspection, Metrics};
use crate::io::{Cell, ScoreRange, write_atomic, write_figure};
use crate::model_folder::ModelFolder;
use crate::page::{Circumstances, Origin, Page, Part, write_page};
use crate::pipeline::Inspector;
use crate::synthetic::{Spec, SyntheticKind, generate};
use anyhow::Result;
use metrics::{Figure, plot_roc};
use serde::Serialize;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// What one method reached.
struct Outcome {
    method: Method,
    evaluation: Evaluation,
    metrics: Metrics,
    curves: Curves,
    origin: Origin,
}

impl Outcome {
    fn part(&self) -> Part<'_> {
        let Self { method, evaluation, metrics, curves, origin } = self;
        Part { name: method.title(), evaluation, metrics, curves, origin }
    }
}

/// A line of the JSON output.
#[derive(Serialize)]
struct Row<'a> {
    method: &'static str,
    synthetic: bool,
    training_seconds: f64,
    #[serde(flatten)]
    metrics: &'a Metrics,
}

/// Makes synthetic fabric, trains methods on it, evaluates both and draws what came out.
///
/// # Errors
/// If the folder cannot be written.
pub fn demo(context: &Context, args: &DemoArgs) -> Result<()> {
    let data = args.out.join("fabric");
    context.reporter.note("making synthetic fabric");
    let full = Spec::full(SyntheticKind::Plain, args.seed);
    generate(&Spec { good: 20, defective: 12, ..full }, &data)?;
    let methods = distinct(&args.methods);
    let outcomes = methods.iter().map(|&method| run(context, args, &data, method));
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;

    draw_roc(&args.out.join("roc.png"), &outcomes)?;
    draw_figure(&args.out.join("figure.png"), &outcomes)?;
    let circumstances = Circumstances::now(&data, true, &context.device);
    write_report(&args.out.join("report.html"), circumstances, &outcomes)?;
    let table = table(args.patches, &outcomes);
    write_atomic(&args.out.join("table.md"), |file| Ok(file.write_all(table.as_bytes())?))?;
    context.reporter.text(&format!("\n{table}"))?;
    let titles: Vec<_> = methods.iter().map(|method| method.title()).collect();
    context.reporter.text(&format!(
        "{}: image, then reconstruction and residual map of {}, then ground truth\n{}: ROC curves\n{}: \
         all of it on a page",
        args.out.join("figure.png").display(),
        titles.join(" and of "),
        args.out.join("roc.png").display(),
        args.out.join("report.html").display()
    ))?;
    for Outcome { method, metrics, origin, .. } in &outcomes {
        let (method, training_seconds) = (method.title(), origin.training.seconds);
        context.reporter.record(&Row { method, synthetic: true, training_seconds, metrics })?;
    }
    Ok(())
}

/// The methods in the order given, each once.
fn distinct(methods: &[Method]) -> Vec<Method> {
    let mut distinct = Vec::new();
    for &method in methods {
        if !distinct.contains(&method) {
            distinct.push(method);
        }
    }
    distinct
}

fn run(context: &Context, args: &DemoArgs, data: &Path, method: Method) -> Result<Outcome> {
    context.reporter.note(&format!("{}: training on {} patches", method.title(), args.patches));
    let folder = ModelFolder::new(&args.out.join(method.key()));
    let mut config = Config { method, ..Config::default() };
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
    let training = train::train_model(context, &folder, &config)?;
    let calibration = folder.calibration()?;
    let inspector = Inspector::new(folder.model(&config, &context.device)?, &config)?;
    let dataset = Dataset::open(data, None)?;
    let (_, held_out) = train::split_images(&config)?;
    let start = Instant::now();
    let evaluation =
        evaluation::evaluate(context.reporter, &inspector, &dataset, &calibration, &held_out)?;
    let seconds = start.elapsed().as_secs_f64();
    let (metrics, curves) = evaluation.measure()?;
    let origin = Origin { model: folder.path().to_owned(), config, training, calibration, seconds };
    Ok(Outcome { method, evaluation, metrics, curves, origin })
}

fn draw_roc(path: &Path, outcomes: &[Outcome]) -> Result<()> {
    let curves: Vec<_> =
        outcomes.iter().map(|outcome| (outcome.method.title(), &outcome.curves.roc)).collect();
    plot_roc(path, &Figure::new("Synthetic plain weave: pixel ROC"), &curves)?;
    Ok(())
}

/// Rows of image, then reconstruction and residual map of each method, then ground truth.
fn draw_figure(path: &Path, outcomes: &[Outcome]) -> Result<()> {
    let row = |&index: &usize| {
        let cells = outcomes.iter().flat_map(|Outcome { evaluation, .. }| {
            let Inspection { reconstruction, residual, .. } = &evaluation.inspections[index];
            let range = ScoreRange::around(evaluation.threshold);
            [Cell::Grey8(reconstruction), Cell::Heat(residual, range)]
        });
        let Inspection { image, mask, .. } = &outcomes[0].evaluation.inspections[index];
        [Cell::Grey8(image)].into_iter().chain(cells).chain([Cell::Mask(mask)]).collect()
    };
    let rows: Vec<Vec<Cell<'_>>> = outcomes[0].evaluation.shown.iter().map(row).collect();
    write_figure(path, &rows)
}

/// A page with a part for each method.
fn write_report(path: &Path, circumstances: Circumstances, outcomes: &[Outcome]) -> Result<()> {
    let parts: Vec<Part<'_>> = outcomes.iter().map(Outcome::part).collect();
    write_page(path, &Page { title: "Synthetic plain weave", circumstances, parts: &parts })
}

fn table(patches: u64, outcomes: &[Outcome]) -> String {
    let rows: String = outcomes
        .iter()
        .map(|Outcome { method, metrics, origin, .. }| {
            format!(
                "| {} | {:.3} | {:.3} | {:.3} | {:.3} | {}/{} | {:.0} |\n",
                method.title(),
                metrics.pixel_au_roc,
                metrics.pixel_au_roc_raw,
                metrics.pixel_f1_max,
                metrics.au_pro,
                metrics.at_threshold.regions_found,
                metrics.at_threshold.regions,
                origin.training.seconds
            )
        })
        .collect();
    format!(
        "Synthetic plain weave (computed images, not photographs), {patches} patches, pixels of {} images pooled:\n\n\
         | method | ROC-AUC | before opening | F1 max | AU-PRO | defects found | training s |\n\
         |---|---|---|---|---|---|---|\n{rows}",
        outcomes[0].metrics.images
    )
}
