//! A folder to run the program in.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// No run takes more than seconds; one that hangs is to fail, not to block.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A configuration that trains in a moment. The model is useless.
pub const TINY: &str = "--set model.patch_size=32 --set model.latent_dim=8 --set training.batch_size=4 --set training.patches=8";

/// A folder of its own for each test. The program runs in it, so that arguments are relative to it.
pub struct Bench {
    folder: TempDir,
}

/// A run that ended.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With the data set `cloth` and the folder `model`, trained and calibrated on it: a copy of what the first test has made.
    pub fn with_model() -> Self {
        static MADE: OnceLock<(PathBuf, Files)> = OnceLock::new();
        let (place, files) = MADE.get_or_init(|| {
            let bench = Self::new();
            crate::images::write_cloth(&bench.path("cloth"));
            bench.train("model", "");
            (bench.path(""), files_below(bench.folder.path()))
        });
        let bench = Self::new();
        for (name, bytes) in files {
            let file = bench.folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
        let config = bench.text("model/config.toml");
        let moved = config.replace(place.to_str().unwrap(), bench.path("").to_str().unwrap());
        assert_ne!(config, moved, "it names the data set");
        fs::write(bench.path("model/config.toml"), moved).unwrap();
        bench
    }

    /// Trains on `cloth` in the smallest configuration.
    pub fn train(&self, model: &str, options: &str) -> Run {
        self.run(&format!("train --data cloth --out {model} {TINY} {options}")).done()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// The values of a single-channel float TIFF, with its width and height.
    pub fn map(&self, name: &str) -> (Vec<f32>, (usize, usize)) {
        let bytes = self.bytes(name);
        let mut decoder = tiff::decoder::Decoder::new(std::io::Cursor::new(bytes)).unwrap();
        assert_eq!(decoder.colortype().unwrap(), tiff::ColorType::Gray(32), "{name}");
        let (width, height) = decoder.dimensions().unwrap();
        let tiff::decoder::DecodingResult::F32(values) = decoder.read_image().unwrap() else {
            panic!("{name}: not floats")
        };
        (values, (width as usize, height as usize))
    }

    /// The names of the files in a folder, sorted, but for the lock of those who write there.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }

    /// Runs the program; arguments are separated by spaces.
    pub fn run(&self, arguments: &str) -> Run {
        self.run_with_input(arguments, b"")
    }

    /// Runs the program with these bytes on its standard input.
    pub fn run_with_input(&self, arguments: &str, input: &[u8]) -> Run {
        self.run_words(arguments.split_whitespace(), input)
    }

    fn run_words<'a>(&self, arguments: impl Iterator<Item = &'a str>, input: &[u8]) -> Run {
        let output = assert_cmd::Command::new(program())
            .args(arguments)
            .current_dir(&self.folder)
            .write_stdin(input)
            .timeout(TIMEOUT)
            .output()
            .unwrap();
        Run {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program, which is to fail, and gives what it says.
    pub fn error(&self, arguments: &str) -> String {
        self.run(arguments).error(arguments)
    }

    /// As [`Bench::error`], of arguments that may hold spaces.
    pub fn error_of(&self, arguments: &[&str]) -> String {
        self.run_words(arguments.iter().copied(), b"").error(&arguments.join(" "))
    }
}

/// The program under test.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_bench-cli"))
}

impl Run {
    /// The run itself, which is to have succeeded.
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.stderr);
        self
    }

    /// The message of a run that failed as every run should: exit code 2, and one line that says why.
    fn error(&self, arguments: &str) -> String {
        assert_eq!(self.code, 2, "{arguments}: {}", self.stderr);
        let errors: Vec<&str> =
            self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        let others = self.stderr.lines().filter(|line| !is_progress(line)).count();
        assert_eq!((errors.len(), others), (1, 1), "{arguments}: {}", self.stderr);
        assert_eq!(self.stdout, "", "{arguments}");
        errors[0].to_owned()
    }

    /// Warnings but those that a training as short as those of tests deserves.
    pub fn warnings(&self) -> Vec<&str> {
        const DESERVED: [&str; 3] = [
            "warning: the model reconstructs good images no better than a constant grey",
            "warning: the model hardly tells good from bad",
            "warning: the good images differ so much that single ones decide",
        ];
        let is_deserved = |line: &str| DESERVED.iter().any(|warning| line.starts_with(warning));
        let warnings = self.stderr.lines().filter(|line| line.starts_with("warning"));
        warnings.filter(|line| !is_deserved(line)).collect()
    }

    /// Standard output as JSON Lines.
    pub fn json(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last JSON line.
    pub fn last(&self) -> Value {
        self.json().pop().unwrap()
    }
}

/// Paths in a folder, and what the files there hold.
type Files = Vec<(PathBuf, Vec<u8>)>;

/// The files below a folder by their paths in it.
fn files_below(folder: &Path) -> Files {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        match path.is_dir() {
            true => {
                let below = files_below(&path).into_iter();
                files.extend(below.map(|(file, bytes)| (name.join(file), bytes)));
            }
            false => files.push((name, fs::read(path).unwrap())),
        }
    }
    files
}

/// Whether a line is a note on the progress of a run.
fn is_progress(line: &str) -> bool {
    ["calibrating on images", "region of interest:"].iter().any(|note| line.starts_with(note))
        || line.contains(" good images to train on and ")
}

/// The fields of a JSON object, sorted.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// A number of a JSON object.
pub fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}
