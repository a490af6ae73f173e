//! The benchmark cases and their opponents.

/// A benchmark case.
pub struct Case {
    pub name: &'static str,
    pub goal: &'static str,
    pub kind: Kind,
}

pub enum Kind {
    /// `bench-cli bench` against other programs.
    Compared {
        /// Arguments of `bench-cli bench`.
        ours: &'static [&'static str],
        opponents: &'static [Opponent],
        /// The largest number of rounds; few if each is long.
        most_rounds: usize,
    },
    /// The time until `bench-cli --help` has ended.
    StartUp,
    /// The time to build a library into an empty folder.
    Build { package: &'static str },
}

/// A program that computes the same.
pub struct Opponent {
    pub name: &'static str,
    /// In `xtask/opponents`.
    pub script: &'static str,
    pub args: &'static [&'static str],
}

/// Programs whose runs take seconds.
const SLOW: usize = 3;

/// The device that computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first GPU.
    Cuda,
    /// The same, with convolutions by cuDNN on our side, too.
    Cudnn,
}

impl Device {
    /// The features that bench-cli is built with.
    pub fn features(self) -> &'static [&'static str] {
        match self {
            Self::Cpu => &[],
            Self::Cuda => &["cuda"],
            Self::Cudnn => &["cudnn"],
        }
    }

    /// Its cases, in the order of the page.
    fn cases(self) -> &'static [Case] {
        match self {
            Self::Cpu => CASES,
            Self::Cuda => CUDA_CASES,
            Self::Cudnn => CUDNN_CASES,
        }
    }
}

/// All cases of all devices, in the order of the page.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [Device::Cpu, Device::Cuda, Device::Cudnn].into_iter().flat_map(Device::cases)
}

/// The cases of a device whose name begins with one of `names`; all of them without any. The names that no case begins with are an
/// error.
///
/// # Errors
/// The first such name.
pub fn select(device: Device, names: &[String]) -> Result<Vec<&'static Case>, &String> {
    let begins = |case: &Case, name: &String| case.name.starts_with(name.as_str());
    let cases = device.cases();
    match names.iter().find(|&name| !cases.iter().any(|case| begins(case, name))) {
        Some(unknown) => Err(unknown),
        None => {
            let wanted =
                |case: &&Case| names.is_empty() || names.iter().any(|name| begins(case, name));
            Ok(cases.iter().filter(wanted).collect())
        }
    }
}

const fn compared(
    name: &'static str,
    goal: &'static str,
    ours: &'static [&'static str],
    opponents: &'static [Opponent],
) -> Case {
    Case { name, goal, kind: Kind::Compared { ours, opponents, most_rounds: usize::MAX } }
}

const fn slow(
    name: &'static str,
    goal: &'static str,
    ours: &'static [&'static str],
    opponents: &'static [Opponent],
) -> Case {
    Case { name, goal, kind: Kind::Compared { ours, opponents, most_rounds: SLOW } }
}

const fn plain(name: &'static str, goal: &'static str, kind: Kind) -> Case {
    Case { name, goal, kind }
}

const fn opponent(
    name: &'static str,
    script: &'static str,
    args: &'static [&'static str],
) -> Opponent {
    Opponent { name, script, args }
}

/// A training step in both of PyTorch's memory formats.
macro_rules! train_step {
    ($($arg:literal),*) => {
        &[
            opponent(
                "PyTorch, channels last",
                "train_step.py",
                &["--variant", "channels-last" $(, $arg)*],
            ),
            opponent("PyTorch, contiguous", "train_step.py", &["--variant", "contiguous" $(, $arg)*]),
        ]
    };
}

const TRAIN_SSIM: &[Opponent] = train_step!();
const TRAIN_L2: &[Opponent] = train_step!("--method", "l2");
const TRAIN_VAE: &[Opponent] = train_step!("--method", "vae");
const TRAIN_ALEXNET: &[Opponent] = train_step!("--method", "feature-matching");
const TRAIN_SQUEEZENET: &[Opponent] =
    train_step!("--method", "feature-matching", "--extractor", "squeezenet");
const FORWARD: &[Opponent] = &[opponent("PyTorch, channels last", "forward.py", &[])];
const INSPECT: &[Opponent] =
    &[opponent("PyTorch, NumPy stitching, OpenCV opening", "inspection.py", &[])];
const SSIM_7: &[Opponent] = &[
    opponent("OpenCV", "ssim_opencv.py", &["--window", "7"]),
    opponent("scikit-image", "ssim_scikit_image.py", &["--window", "7"]),
];
const SSIM_11: &[Opponent] = &[
    opponent("OpenCV", "ssim_opencv.py", &[]),
    opponent("scikit-image", "ssim_scikit_image.py", &[]),
];
const SSIM_21: &[Opponent] = &[
    opponent("OpenCV", "ssim_opencv.py", &["--window", "21"]),
    opponent("scikit-image", "ssim_scikit_image.py", &["--window", "21"]),
];
const SSIM_LOSS: &[Opponent] = &[
    opponent("PyTorch, cumulative sums", "ssim_loss.py", &["--variant", "sums"]),
    opponent("PyTorch, convolutions", "ssim_loss.py", &["--variant", "convolutions"]),
    opponent("pytorch-msssim", "ssim_loss.py", &["--variant", "pytorch-msssim"]),
];

/// A training step on a GPU: layers in channels-last maps, compiled, without and with CUDA graphs.
macro_rules! train_step_cuda {
    ($($arg:literal),*) => {
        &[
            opponent(
                "PyTorch, compiled",
                "train_step.py",
                &["--device", "cuda", "--variant", "compiled" $(, $arg)*],
            ),
            opponent(
                "PyTorch, compiled, CUDA graphs",
                "train_step.py",
                &["--device", "cuda", "--variant", "graphs" $(, $arg)*],
            ),
        ]
    };
}

const TRAIN_CUDA_F32: &[Opponent] = train_step_cuda!();
const TRAIN_CUDA_TF32: &[Opponent] = train_step_cuda!("--precision", "tf32");

/// Our arguments of a training step on a GPU.
macro_rules! step_on_cuda {
    ($($arg:literal),*) => {
        &["train-step", "--device", "cuda", "--latent-dim", "500" $(, $arg)*]
    };
}

const CUDA_GOAL: &str = "1 times PyTorch, compiled, TF32; 0.72 ms: 125,000 steps in 90 s";

/// The paper's network and loss, in steps of 16 patches as on the CPU, and of 128.
macro_rules! cases_on_cuda {
    ($suffix:literal) => {
        &[
            compared(
                concat!("train-step-ssim-500-f32-", $suffix),
                CUDA_GOAL,
                step_on_cuda!(),
                TRAIN_CUDA_F32,
            ),
            compared(
                concat!("train-step-ssim-500-tf32-", $suffix),
                CUDA_GOAL,
                step_on_cuda!("--precision", "tf32"),
                TRAIN_CUDA_TF32,
            ),
            compared(
                concat!("train-step-ssim-500-tf32-128-", $suffix),
                "",
                step_on_cuda!("--precision", "tf32", "--batch", "128"),
                TRAIN_CUDA_TF32,
            ),
        ]
    };
}

/// With our own convolutions.
const CUDA_CASES: &[Case] = cases_on_cuda!("cuda");
/// With cuDNN.
const CUDNN_CASES: &[Case] = cases_on_cuda!("cudnn");

const STEP_GOAL: &str = "1, then 1.3 times PyTorch, channels last";
const SSIM_GOAL: &str = "3 times OpenCV, 20 times scikit-image";

/// All cases of the CPU, in the order of the page.
const CASES: &[Case] = &[
    compared("train-step-ssim-100", STEP_GOAL, &["train-step"], TRAIN_SSIM),
    compared("train-step-ssim-500", STEP_GOAL, &["train-step", "--latent-dim", "500"], TRAIN_SSIM),
    compared("train-step-l2-100", STEP_GOAL, &["train-step", "--method", "l2"], TRAIN_L2),
    compared("train-step-vae-100", STEP_GOAL, &["train-step", "--method", "vae"], TRAIN_VAE),
    compared(
        "train-step-alexnet-100",
        STEP_GOAL,
        &["train-step", "--method", "feature-matching"],
        TRAIN_ALEXNET,
    ),
    compared(
        "train-step-squeezenet-100",
        STEP_GOAL,
        &["train-step", "--method", "feature-matching", "--extractor", "squeezenet"],
        TRAIN_SQUEEZENET,
    ),
    compared("forward-16", "", &["forward", "--batch", "16"], FORWARD),
    compared("forward-64", "", &["forward", "--batch", "64"], FORWARD),
    compared("inspect", "2 times; under 300 MB", &["inspect"], INSPECT),
    compared("ssim-512", SSIM_GOAL, &["ssim", "--size", "512"], SSIM_11),
    compared("ssim-1024", SSIM_GOAL, &["ssim"], SSIM_11),
    compared("ssim-1024-window-7", SSIM_GOAL, &["ssim", "--window", "uniform:7"], SSIM_7),
    compared("ssim-1024-window-21", SSIM_GOAL, &["ssim", "--window", "uniform:21"], SSIM_21),
    compared("ssim-loss", "under 5 % of a training step", &["ssim-loss"], SSIM_LOSS),
    slow("roc", "10 times", &["roc"], &[opponent("scikit-learn", "roc.py", &[])]),
    slow("au-pro", "10 times", &["au-pro"], &[opponent("NumPy and SciPy", "au_pro.py", &[])]),
    plain("start-up", "under 20 ms", Kind::StartUp),
    plain("build-ssim", "under 20 s on two cores", Kind::Build { package: "ssim" }),
    plain("build-metrics", "under 20 s on two cores", Kind::Build { package: "metrics" }),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn names(begins: &[&str]) -> Vec<&'static str> {
        let begins: Vec<String> = begins.iter().map(ToString::to_string).collect();
        select(Device::Cpu, &begins).unwrap().iter().map(|case| case.name).collect()
    }

    #[test]
    fn cases_are_selected_by_how_their_names_begin() {
        assert_eq!(names(&[]).len(), CASES.len());
        assert_eq!(names(&["roc", "build"]), ["roc", "build-ssim", "build-metrics"]);
        let unknown = ["roc".into(), "rock".into()];
        assert_eq!(select(Device::Cpu, &unknown).err(), Some(&"rock".to_owned()));
        assert!(select(Device::Cuda, &["roc".into()]).is_err());
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = all().map(|case| case.name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
