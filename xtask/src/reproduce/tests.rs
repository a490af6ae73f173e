//! Matrices, and cells that are run by a program that only pretends to train.

use super::cell::Cell;
use super::cell::tests::defaults;
use super::*;
#[cfg(unix)]
use detector::Method;
#[cfg(unix)]
use detector::records::{AtThreshold, EvaluationRecord, Metrics, Oracle, PixelMetrics};
use std::fs;
#[cfg(unix)]
use std::path::Path;
#[cfg(unix)]
use tempfile::TempDir;

const MATRIX: &str = r#"
description = "A test."
seeds = [0, 1]
[config.training]
patches = 8
[[experiment]]
key = "methods"
title = "Methods"
sets = ["nanotwice"]
methods = ["l2", "ssim"]
[[experiment]]
key = "stride"
title = "Stride"
sets = ["nanotwice"]
methods = ["ssim"]
seeds = [0]
vary = { key = "inspection.stride", values = [30, 64] }
"#;

fn matrix(text: &str) -> Result<Matrix> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("matrix.toml");
    fs::write(&path, text)?;
    Matrix::read(&path)
}

#[test]
fn a_matrix_stands_for_every_cell_once() {
    let matrix = matrix(MATRIX).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    // Two methods with two seeds each; another stride. The stride 30 is there already.
    assert_eq!(plan.cells().len(), 5);
    let strides: Vec<i64> =
        plan.cells().iter().map(|cell| cell.config.integer("inspection.stride")).collect();
    assert_eq!(strides, [30, 30, 30, 30, 64]);
    // What the data set says holds unless the matrix says otherwise.
    assert_eq!(plan.cells()[0].config.integer("model.latent_dim"), 500);
    assert_eq!(plan.cells()[0].config.integer("training.patches"), 8);
    let first = plan.cells()[0].hash();
    assert_eq!(plan.cell(&first[..6]).map(Cell::hash).ok(), Some(first));
    assert!(plan.cell("x").is_err() && plan.cell("").is_err());
}

#[test]
fn cells_that_share_a_model_are_in_one_shard() {
    let matrix = matrix(MATRIX).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let shards = [1, 2, 3].map(|index| plan.shard(Shard { index, count: 3 }));
    assert_eq!(shards.iter().map(Vec::len).sum::<usize>(), 5);
    for shard in &shards {
        for other in shards.iter().filter(|other| !std::ptr::eq(*other, shard)) {
            let shares = |cell: &&Cell| other.iter().any(|c| c.model_hash() == cell.model_hash());
            assert!(!shard.iter().any(shares));
        }
    }
}

#[test]
fn what_is_no_matrix_is_refused() {
    let message = |from: &str, to: &str| {
        let changed = MATRIX.replacen(from, to, 1);
        assert_ne!(changed, MATRIX);
        let plan = matrix(&changed)
            .and_then(|matrix| Plan::new(&matrix, &defaults(), None, None).map(drop));
        format!("{:#}", plan.expect_err("it must be refused"))
    };
    assert!(message("nanotwice", "nanothrice").contains("nanothrice"));
    assert!(message("key = \"stride\"", "key = \"methods\"").contains("two experiments"));
    assert!(message("key = \"stride\"", "key = \"../stride\"").contains("letters, digits"));
    assert!(message("inspection.stride\"", "inspection\"").contains("inspection"));
    assert!(message("seeds = [0, 1]", "seed = 0").contains("seed"));
    assert!(message("seeds = [0, 1]", "seeds = [1, 1]").contains("different seeds"));
    assert!(message("seeds = [0, 1]", "seeds = []").contains("at least one"));
    assert!(message("inspection.stride\"", "training.seed\"").contains("lists of their own"));
    assert!(message("inspection.stride\"", "preset\"").contains("names of presets"));
    let preset = "preset = \"recommended\"\nkey = \"stride\"";
    assert!(message("key = \"stride\"", preset).contains("the preset sets"));
    assert!(!message("key = \"methods\"", "key = ").contains('\n'), "one line");
}

#[test]
fn the_presets_are_matrices() {
    let files = fs::read_dir(repository().join("results/matrix")).expect("it is there");
    let paths = files.map(|file| file.expect("it can be read").path());
    // What others have published is no matrix.
    for path in paths.filter(|path| !path.ends_with("published.toml")) {
        let matrix = Matrix::read(&path).expect("it is part of the repository");
        assert!(
            !Plan::new(&matrix, &defaults(), None, None)
                .expect("the sets are known")
                .cells()
                .is_empty()
        );
    }
}

/// Says that it trained and evaluated, and notes what it was asked for. Fails if there is a file `broken`.
#[cfg(unix)]
const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/calls"
[ -e "$here/broken" ] && exit 2
out=
while [ $# -gt 0 ]; do
  case $1 in
    train|calibrate|evaluate) task=$1 ;;
    --out) out=$2 ;;
  esac
  shift
done
[ "$task" = calibrate ] && echo '{}' && exit
mkdir -p "$out"
if [ "$task" = train ]; then
  echo '{"version": "0", "patches": 8, "seconds": 2.0, "threads": 1, "loss": 0.5, "collapsed": false, "images": 1,
    "data_sha256": ""}' > "$out/training.json"
  echo '{}' > "$out/calibration.json"
  touch "$out/config.toml" "$out/checkpoint.safetensors" "$out/log.jsonl"
  echo '{"model": "", "patches": 8, "seconds": 2.0, "loss": 0.5, "collapsed": false, "threshold": 0.5}'
else
  cat "$here/metrics.json"
fi
"#;

/// The record that the program prints for an evaluation.
#[cfg(unix)]
fn evaluation() -> EvaluationRecord {
    let nothing = AtThreshold::default();
    let metrics = Metrics {
        pixel: Some(PixelMetrics {
            pixel_au_roc: 0.9,
            pixel_au_roc_raw: 0.8,
            pixel_average_precision: 0.7,
            pixel_f1_max: 0.5,
            pixel_f1_max_threshold: 0.5,
            au_pro: 0.6,
            oracle: Oracle { threshold: 0.5, result: nothing },
        }),
        image_au_roc: None,
        image_au_roc_good: None,
        threshold: 0.5,
        min_area: 1,
        at_threshold: nothing,
        rules: Vec::new(),
        defect_types: Vec::new(),
        images: 1,
        defective_images: 1,
        images_left_out: 0,
        images_without_mask: 0,
        pixels: 1,
        defective_pixels: 1,
    };
    EvaluationRecord {
        data: String::new(),
        synthetic: false,
        method: Method::Ssim,
        patches: 8,
        training_seconds: 2.0,
        seconds: 1.0,
        metrics,
    }
}

/// A runner of that program, and a store with a set of one good and one defective image.
#[cfg(unix)]
fn runner(folder: &Path) -> Runner {
    use std::os::unix::fs::PermissionsExt;

    let program = folder.join("bench-cli");
    fs::write(&program, PROGRAM).expect("the folder can be written");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let printed = serde_json::to_string(&evaluation()).expect("a record");
    fs::write(folder.join("metrics.json"), printed + "\n").expect("the folder can be written");
    let set = folder.join("set");
    for file in ["Normal/a.tif", "Anomalous/images/b.tif", "Anomalous/gt/b_gt.png"] {
        let path = set.join(file);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
        fs::write(path, "").expect("the folder can be written");
    }
    let images = folder.join("images");
    fs::create_dir(&images).expect("the folder can be written");
    let record =
        format!("root = {:?}\ndate = \"2026-01-01\"\nlicence = \"\"\n", set.display().to_string());
    fs::write(images.join("nanotwice.toml"), record).expect("the folder can be written");
    Runner {
        store: Store::new(&folder.join("work")),
        bench_cli: program,
        commit: "a commit".into(),
        images: Some(images),
        features_weights: None,
        device: None,
    }
}

/// The words of each call, and how often the program was called since the last look.
#[cfg(unix)]
fn calls(folder: &TempDir) -> Vec<String> {
    let path = folder.path().join("calls");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let _ = fs::remove_file(path);
    text.lines().map(String::from).collect()
}

#[cfg(unix)]
#[test]
fn cells_are_trained_once_resumed_and_tried_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = runner(folder.path());
    let matrix = matrix(MATRIX).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let cells = plan.cells();
    let (cell, other_stride) = (cells[2], cells[4]);
    assert_eq!((cell.method(), cell.model_hash()), ("ssim", other_stride.model_hash()));

    // A failure is noted, and the next try begins where this one stopped.
    let broken = folder.path().join("broken");
    fs::write(&broken, "").expect("the folder can be written");
    assert!(matches!(runner.run(cell, None), Ok(Outcome::Failed(_))));
    assert!(runner.store.failure(cell).is_some_and(|reason| reason.contains("bench-cli")));
    assert!(runner.store.finished(cell).is_none());
    fs::remove_file(&broken).expect("it was written above");
    fs::create_dir_all(runner.store.model(cell)).expect("the folder can be written");
    fs::write(runner.store.model(cell).join("config.toml"), "").expect("the folder can be written");
    calls(&folder);
    assert_eq!(runner.run(cell, None).expect("the folder can be written"), Outcome::Finished);
    let resumed = calls(&folder);
    assert!(resumed[0].contains("train") && resumed[0].contains("--resume"), "{resumed:?}");
    assert_eq!(runner.store.failure(cell), None);

    // Another stride takes the same model.
    assert_eq!(
        runner.run(other_stride, None).expect("the folder can be written"),
        Outcome::Finished
    );
    let evaluated = calls(&folder);
    assert_eq!(evaluated.len(), 1, "{evaluated:?}");
    assert!(evaluated[0].contains("--set inspection.stride=64"), "{evaluated:?}");

    let finished = runner.store.finished(cell).expect("it is finished");
    assert_eq!(finished.metrics, evaluation());
    let commands = [finished.trained.command, finished.evaluated.command].join("\n");
    assert!(!commands.contains(&*folder.path().to_string_lossy()), "{commands}");
    let model = cell.model_hash();
    assert!(commands.contains(&format!("--data DIR --out models/{model}")), "{commands}");
}

#[cfg(unix)]
#[test]
fn a_longer_training_goes_on_where_a_shorter_one_ended() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = runner(folder.path());
    let vary = r#"{ key = "training.patches", values = [8, 32, 16] }"#;
    let text = MATRIX.replace(r#"{ key = "inspection.stride", values = [30, 64] }"#, vary);
    let matrix = matrix(&text).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let of = |patches| {
        let mut cells = plan.cells().into_iter().filter(|cell| cell.method() == "ssim");
        cells.find(|cell| cell.patches() == patches).expect("the matrix has it")
    };
    let (short, middle, long) = (of(8), of(16), of(32));
    assert_eq!(plan.earlier(short), None);
    assert_eq!(plan.earlier(middle), Some(short), "the longest before it is longer than itself");
    assert_eq!(plan.earlier(long), Some(short));
    let shards = [1, 2, 3].map(|index| plan.shard(Shard { index, count: 3 }));
    assert!(shards.iter().any(|shard| [short, middle, long].iter().all(|c| shard.contains(c))));

    // An earlier training that is not there is none.
    assert_eq!(runner.run(long, Some(middle)).expect("it can be written"), Outcome::Finished);
    assert!(!calls(&folder)[0].contains("--resume"));
    assert_eq!(runner.run(short, None).expect("it can be written"), Outcome::Finished);
    calls(&folder);
    assert_eq!(runner.run(middle, Some(short)).expect("it can be written"), Outcome::Finished);
    let prolonged = calls(&folder);
    assert!(prolonged[0].contains("--resume"), "{prolonged:?}");
    assert!(prolonged[0].contains("--patches 16"), "{prolonged:?}");
    assert!(prolonged[0].contains(&middle.model_hash()), "{prolonged:?}");
    let finished = runner.store.finished(middle).expect("it is finished");
    assert!(!finished.trained.command.contains("--resume"), "what anyone would do at once");
}

/// An experiment with a preset shares its models with one without.
#[test]
fn an_experiment_may_have_a_preset() {
    let preset = "preset = \"recommended\"\nkey = \"methods\"";
    let text = MATRIX.replace("key = \"methods\"", preset);
    let [by_paper, by_preset] = [MATRIX, &text].map(|text| {
        let matrix = matrix(text).expect("it is a matrix");
        let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
        plan.experiments[0].1.iter().flat_map(|row| row.cells.clone()).collect::<Vec<_>>()
    });
    assert_eq!((by_paper.len(), by_preset.len()), (4, 4));
    for (paper, recommended) in by_paper.iter().zip(&by_preset) {
        assert_ne!(paper.hash(), recommended.hash());
        assert_eq!(paper.model_hash(), recommended.model_hash());
        assert_eq!([&paper.preset, &recommended.preset], [&None, &Some("recommended".to_owned())]);
    }
}

/// The paper's inspection and another one of the same model.
#[cfg(unix)]
#[test]
fn a_preset_calibrates_a_copy_of_the_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = runner(folder.path());
    let vary = r#"{ key = "preset", values = ["paper", "recommended"] }"#;
    let text = MATRIX.replace(r#"{ key = "inspection.stride", values = [30, 64] }"#, vary);
    let matrix = matrix(&text).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let (experiment, rows) = &plan.experiments[1];
    let [paper, recommended] = [0, 1].map(|row| &rows[row].cells[0]);
    assert!(plan.cells()[..4].contains(&paper), "a cell like those without a preset");
    assert_eq!(paper.model_hash(), recommended.model_hash());
    for cell in [paper, recommended] {
        assert_eq!(runner.run(cell, None).expect("it can be written"), Outcome::Finished);
    }
    let calls = calls(&folder);
    let tasks: Vec<_> = calls.iter().filter_map(|call| call.split(' ').next()).collect();
    assert_eq!(tasks, ["train", "evaluate", "calibrate", "evaluate"]);
    let copy = runner.store.cell(recommended).join("model");
    assert!(calls[2].ends_with(&format!("--set preset=recommended {}", copy.display())));
    assert!(calls[3].ends_with(&*copy.to_string_lossy()) && !calls[3].contains("inspection"));
    assert!(copy.join("config.toml").exists() && !copy.join("checkpoint.safetensors").exists());
    let finished = runner.store.finished(recommended).expect("it is finished");
    let command = &finished.evaluated.command;
    assert!(command.contains("calibrate") && command.contains(" && bench-cli evaluate"));

    let publications = published::Publications::read().expect("it is part of the repository");
    let table = table::Table::new(experiment, rows, &runner, &publications);
    let table = table.expect("the results can be read");
    let published: Vec<bool> = table.lines.iter().map(|line| line.published.is_some()).collect();
    assert_eq!(published, [true, false], "figures of the paper are of its inspection");
    assert!(table.markdown().contains("| 0 of 1 |"), "{}", table.markdown());
}

#[test]
fn features_of_other_weights_make_other_cells() {
    let text = MATRIX.replace("\"ssim\"", "\"feature-matching\"");
    let matrix = matrix(&text).expect("it is a matrix");
    let hashes = |weights| {
        let plan = Plan::new(&matrix, &defaults(), None, weights).expect("the set is known");
        let of = |method: &'static str| {
            let cells = plan.cells().into_iter().filter(move |cell| cell.method() == method);
            cells.map(|cell| (cell.hash(), cell.model_hash())).collect::<Vec<_>>()
        };
        (of("feature-matching"), of("l2"))
    };
    let [(one, plain), (other, plain_too)] = [Some("1"), Some("2")].map(hashes);
    assert!(!one.is_empty() && one.iter().zip(&other).all(|(a, b)| a.0 != b.0 && a.1 != b.1));
    assert!(!plain.is_empty() && plain == plain_too);
}

#[cfg(unix)]
#[test]
fn the_device_is_passed_on_and_noted() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = Runner { device: Some("cuda:1".into()), ..runner(folder.path()) };
    let matrix = matrix(MATRIX).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let cell = plan.cells()[0];
    assert_eq!(runner.run(cell, None).expect("the folder can be written"), Outcome::Finished);
    let calls = calls(&folder);
    assert_eq!(calls.len(), 2, "{calls:?}");
    let finished = runner.store.finished(cell).expect("it is finished");
    for words in calls.iter().chain([&finished.trained.command, &finished.evaluated.command]) {
        assert!(words.ends_with(" --device cuda:1"), "{words}");
    }
}

#[cfg(unix)]
#[test]
fn the_table_has_the_published_figure_beside_ours() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = runner(folder.path());
    let matrix = matrix(MATRIX).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    for cell in &plan.cells()[..3] {
        assert_eq!(runner.run(cell, None).expect("the folder can be written"), Outcome::Finished);
    }
    let publications = published::Publications::read().expect("it is part of the repository");
    let (experiment, rows) = &plan.experiments[0];
    let table = table::Table::new(experiment, rows, &runner, &publications);
    let markdown = table.expect("the results can be read").markdown();
    let rows: Vec<&str> = markdown.lines().filter(|line| line.contains("nanotwice")).collect();
    let part = "nanotwice, part: 1 of 5 training images and 1 of 40 test images";
    assert!(
        rows[0].starts_with(&format!("| {part} | l2 | 0.900 ± 0.000 | 0.688 | +0.212 |")),
        "{}",
        rows[0]
    );
    assert!(
        rows[1].starts_with(&format!("| {part} | ssim | 0.900 | 0.966 | -0.066 |")),
        "{}",
        rows[1]
    );
    assert!(rows[1].ends_with("| 1/2 | 2 |"), "{}", rows[1]);
}

#[cfg(unix)]
#[test]
fn what_a_cell_lacks_is_said() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = Runner { images: Some(folder.path().join("none")), ..runner(folder.path()) };
    let matrix = matrix(&MATRIX.replace("\"l2\"", "\"feature-matching\"")).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    let missing = |runner: &Runner| runner.missing(plan.cells()[0]).expect("the set is known");
    assert_eq!(missing(&runner).as_deref(), Some("cargo xtask datasets fetch nanotwice"));
    let runner = Runner { images: Some(folder.path().join("images")), ..runner };
    assert!(missing(&runner).is_some_and(|missing| missing.contains("--features-weights")));
    let runner = Runner { features_weights: Some("weights".into()), ..runner };
    assert_eq!(missing(&runner), None);
}

#[cfg(unix)]
#[test]
fn the_page_has_tables_charts_and_commands() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runner = runner(folder.path());
    let text = MATRIX.replace("A test.", "A <b>test</b>.").replace("[30, 64]", "[30, 60]");
    let matrix = matrix(&text).expect("it is a matrix");
    let plan = Plan::new(&matrix, &defaults(), None, None).expect("the set is known");
    for cell in plan.cells() {
        assert_eq!(runner.run(cell, None).expect("the folder can be written"), Outcome::Finished);
        let curve = runner.store.evaluation(cell).join("roc.csv");
        fs::write(curve, "fpr,tpr,threshold\n0,0,1\n1,1,0\n").expect("the folder can be written");
    }
    let report = report::Report { name: "q", command: "task".into(), matrix: &matrix, plan: &plan };
    let page = report.write(&runner, &folder.path().join("out"), false).expect("it is finished");
    let page = fs::read_to_string(page).expect("it was written");
    assert!(page.contains("A &lt;b&gt;test&lt;/b&gt;.") && !page.contains("http"));
    for cell in plan.cells() {
        let hash = cell.hash();
        assert_eq!(page.matches(&format!("<tr id=\"cell-{hash}\">")).count(), 1);
        assert!(page.contains(&format!("<a href=\"#cell-{hash}\">")));
    }
    assert_eq!(page.matches("<figure><svg ").count(), 2, "a chart for each experiment");
    assert!(page.contains("var(--series-1,") && page.contains("nanotwice, ssim"));
    for file in ["methods-nanotwice-roc.svg", "stride.svg", "methods.md", "stride.csv"] {
        assert!(folder.path().join("out").join(file).exists(), "{file}");
    }
}
