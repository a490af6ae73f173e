//! `cargo xtask pages`: the pages of bench-cli in a browser.

mod browser;
mod compare;
mod report;

use crate::command::{built_bench_cli, output_of, repository};
use crate::files;
use crate::python::{Python, PythonArgs};
use crate::terminal::tell;
use anyhow::{Context, Result, ensure};
use browser::Seen;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// Open the pages of bench-cli in a browser, and compare what they say with what bench-cli measures.
///
/// Trains a small model on synthetic images, and opens the pages of its training, its evaluation, a batch and a watch in Chromium without
/// a window, at two widths, light and dark, and reports without masks, with a region of interest, with given good images and with other
/// settings. Moves the reports' sliders, and runs the commands that the pages then show: `evaluate` must count what the page counts, and
/// points must lie on the curves where it says. Writes `results/pages/README.md` and the pictures of `docs/`. Without a browser it is skipped.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    python: PythonArgs,
    /// Chromium or Chrome; by default the first one on the PATH.
    #[arg(long, value_name = "EXE")]
    browser: Option<PathBuf>,
    /// A bench-cli that is there already, instead of building one.
    #[arg(long, value_name = "EXE")]
    program: Option<PathBuf>,
    /// Patches of the training.
    #[arg(long, value_name = "N", default_value_t = 4_000)]
    patches: u64,
}

/// How long a page that is replaced while a run goes on is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// # Errors
/// If a program is missing or fails, or a page does not show what it should.
pub fn pages(args: &Args) -> Result<()> {
    let Some(browser) = args.browser.clone().or_else(browser::installed) else {
        tell!("skipped: no Chromium or Chrome on the PATH; --browser names one");
        return Ok(());
    };
    let work = repository().join("target").join("pages");
    let scripts = repository().join("xtask").join("pages");
    let python = Python::of(&args.python, &work.join("venv"), &scripts.join("requirements.txt"))?;
    let program = match &args.program {
        Some(program) => std::path::absolute(program)?,
        None => built_bench_cli(&[])?,
    };
    let (work, shots) = (work.join("run"), work.join("shots"));
    files::remove(&work)?;
    fs::create_dir_all(&work)?;
    fs::create_dir_all(&shots)?;
    let script = scripts.join("check.py");
    let tour = Tour { program, python, script, browser, work, shots };
    let live = tour.train(args.patches)?;
    tour.prepare_cases()?;
    tour.bench_cli(&[
        "predict",
        "model",
        "cloth/test/defective",
        "cloth/test/good",
        "--out",
        "found",
    ])?;
    let watch = tour.watch()?;
    let folders = [("training", "model"), ("batch", "found")];
    let folders = folders.into_iter().chain(CASES.map(|case| (case.name, case.name)));
    let pages: Vec<_> =
        folders.map(|(name, folder)| (name, tour.work.join(folder).join("report.html"))).collect();
    let seen = tour.look(&pages)?;
    let compare = |case: &Case| {
        let positions = seen.positions.get(case.name).map_or(&[][..], Vec::as_slice);
        compare::positions(&tour, case, positions)
    };
    let compared = CASES.iter().map(compare).collect::<Result<Vec<_>>>()?;
    let compared: Vec<_> = compared.into_iter().flatten().collect();
    let all = Seen::joined([live, watch, seen])?;
    let page = report::page(&all, &compared, &tour.sizes(&pages)?, args.patches)?;
    let path = repository().join("results").join("pages").join("README.md");
    files::replace(&path, &page)?;
    tell!("{}", path.display());
    all.check()?;
    compare::check(&compared)?;
    tour.copy_pictures()
}

/// An evaluation whose page is worked with.
struct Case {
    name: &'static str,
    model: &'static str,
    data: &'static str,
    /// A setting of `evaluate`.
    setting: Option<&'static str>,
    /// A part that the command of the page must have.
    kept: &'static str,
}

const CASES: [Case; 5] = [
    Case { name: "report", model: "model", data: "cloth", setting: None, kept: "" },
    Case { name: "report-without-masks", model: "model", data: "bare", setting: None, kept: "" },
    Case { name: "report-region", model: "model-region", data: "cloth", setting: None, kept: "" },
    Case {
        name: "report-given",
        model: "model-given",
        data: "cloth",
        setting: None,
        kept: "--good cloth/test/good",
    },
    Case {
        name: "report-settings",
        model: "model-settings",
        data: "cloth",
        setting: Some("inspection.smoothing=[3]"),
        kept: "--set 'inspection.smoothing=[3]'",
    },
];

impl Case {
    /// The arguments of an evaluation into a folder.
    fn evaluate(&self, out: &'static str) -> Vec<&'static str> {
        let args = ["evaluate", self.model, "--data", self.data, "--out", out];
        args.into_iter().chain(self.setting.into_iter().flat_map(|set| ["--set", set])).collect()
    }
}

/// Programs, and the folders that they work in.
struct Tour {
    program: PathBuf,
    python: Python,
    script: PathBuf,
    browser: PathBuf,
    work: PathBuf,
    shots: PathBuf,
}

impl Tour {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).arg("--quiet").current_dir(&self.work);
        command
    }

    fn bench_cli(&self, args: &[&str]) -> Result<String> {
        output_of(&mut self.command(args))
    }

    /// Makes images and trains on them, and looks at the page meanwhile.
    fn train(&self, patches: u64) -> Result<Seen> {
        self.bench_cli(&[
            "synthesize",
            "plain",
            "--good",
            "16",
            "--defective",
            "8",
            "--out",
            "cloth",
        ])?;
        self.good_test_images()?;
        let patches = patches.to_string();
        let args = ["train", "--data", "cloth", "--out", "model", "--patches", &patches];
        let settings = [
            "data.size=[256,256]",
            "training.batch_size=8",
            "training.patches_per_epoch=500",
            "optimiser.learning_rate=1e-3",
        ];
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let args: Vec<&str> = args.into_iter().chain(settings).collect();
        let mut training = self.command(&args).spawn().context("cannot run bench-cli")?;
        let seen = self.look_meanwhile(&mut training, "training-live", "model", 8_000);
        let ended = training.wait()?;
        ensure!(ended.success(), "the training failed: {ended}");
        seen
    }

    /// Makes the models and images of all cases, and their pages.
    fn prepare_cases(&self) -> Result<()> {
        let at = |name: &str| self.work.join(name);
        for model in ["model-region", "model-given", "model-settings"] {
            copy_files(&at("model"), &at(model))?;
        }
        copy_files(&at("cloth/train/good"), &at("bare/train/good"))?;
        copy_files(&at("cloth/test/good"), &at("bare/test/good"))?;
        copy_files(&at("cloth/test/defective"), &at("bare/test/defective"))?;
        let region = "data.region={ polygons = [[[40, 60], [470, 20], [440, 490], [90, 430]]] }";
        self.bench_cli(&["calibrate", "model-region", "--set", region])?;
        self.bench_cli(&["calibrate", "model-given", "--good", "cloth/test/good"])?;
        // Scores of which 1 is the threshold are tied to the settings of the calibration.
        let residual = [
            "inspection.scores=residual",
            "inspection.smoothing=[2]",
            "residual.constants=[\"squared\"]",
        ];
        let residual = residual.iter().flat_map(|setting| ["--set", setting]);
        let calibrate: Vec<&str> =
            ["calibrate", "model-settings"].into_iter().chain(residual).collect();
        self.bench_cli(&calibrate)?;
        CASES.iter().try_for_each(|case| self.bench_cli(&case.evaluate(case.name)).map(drop))
    }

    /// Keeps four good images for the test, which the synthetic set has none for.
    fn good_test_images(&self) -> Result<()> {
        let cloth = self.work.join("cloth");
        let to = cloth.join("test").join("good");
        fs::create_dir_all(&to)?;
        for image in sorted(&cloth.join("train").join("good"))?.into_iter().take(4) {
            fs::rename(&image, to.join(image.file_name().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Watches a folder that images arrive in, and looks at the page meanwhile.
    fn watch(&self) -> Result<Seen> {
        let folder = self.work.join("line-3");
        fs::create_dir_all(&folder)?;
        let test = self.work.join("cloth").join("test");
        let good = sorted(&self.work.join("cloth").join("train").join("good"))?;
        let images = [good, sorted(&test.join("good"))?, sorted(&test.join("defective"))?].concat();
        let mut watch = self
            .command(&[
                "predict", "model", "--watch", "line-3", "--out", "watched", "--poll", "0.1",
            ])
            .stdout(std::process::Stdio::null())
            .spawn()
            .context("cannot run bench-cli")?;
        let arrive = |(number, image): (usize, &PathBuf)| {
            files::copy(image, &folder.join(format!("{number:04}.png")))
        };
        let arrived = images.iter().enumerate().try_for_each(arrive);
        let seen =
            arrived.and_then(|()| self.look_meanwhile(&mut watch, "watch-live", "watched", 12_000));
        watch.kill()?;
        watch.wait()?;
        seen
    }

    /// Opens a page some time after it appeared.
    fn look_meanwhile(&self, run: &mut Child, name: &str, folder: &str, wait: u64) -> Result<Seen> {
        let (path, start) = (self.work.join(folder).join("report.html"), Instant::now());
        while !path.is_file() {
            ensure!(run.try_wait()?.is_none(), "{name}: the run ended before there was a page");
            ensure!(start.elapsed() < PATIENCE, "{}: expected a page", path.display());
            std::thread::sleep(Duration::from_millis(100));
        }
        std::thread::sleep(Duration::from_millis(wait));
        let text = fs::read_to_string(&path)?;
        ensure!(
            text.contains("http-equiv=\"refresh\""),
            "{}: expected a live page",
            path.display()
        );
        // It may be replaced while it is looked at.
        let copy = self.work.join(format!("{name}.html"));
        files::replace(&copy, &text.replace("http-equiv=\"refresh\"", "name=\"refresh\""))?;
        self.look(&[(name, copy)])
    }

    fn look(&self, pages: &[(&str, PathBuf)]) -> Result<Seen> {
        let mut script = self.python.script(&self.script);
        script.arg(&self.browser).arg(&self.shots);
        script.args(pages.iter().map(|(name, path)| format!("{name}={}", path.display())));
        crate::python::report(&mut script)
    }

    /// The pictures of the guide.
    fn copy_pictures(&self) -> Result<()> {
        let docs = repository().join("docs").join("images");
        for (from, to) in report::PICTURES {
            files::copy(&self.shots.join(from), &docs.join(to))?;
        }
        Ok(())
    }

    /// Bytes of the pages.
    fn sizes(&self, pages: &[(&'static str, PathBuf)]) -> Result<Vec<(&'static str, u64)>> {
        pages.iter().map(|(name, path)| Ok((*name, fs::metadata(path)?.len()))).collect()
    }
}

/// Copies the files of a folder, without its subfolders.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    let files = sorted(from)?.into_iter().filter(|path| path.is_file());
    files
        .into_iter()
        .try_for_each(|file| files::copy(&file, &to.join(file.file_name().unwrap_or_default())))
}

/// The files of a folder by name.
fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let found =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = found.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
