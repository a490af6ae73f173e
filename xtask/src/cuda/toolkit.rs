use crate::command::{output_of, repository};
use crate::files;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A CUDA toolkit, and the GPU that it is to compile for.
pub struct Toolkit {
    folder: PathBuf,
    capability: u32,
}

impl Toolkit {
    /// The toolkit in `folder`.
    ///
    /// # Errors
    /// If there is none.
    pub fn at(folder: &Path, capability: u32) -> Result<Self> {
        let nvcc = folder.join("bin").join("nvcc");
        ensure!(nvcc.exists(), "{} is not there: expected a CUDA toolkit", nvcc.display());
        Ok(Self { folder: folder.to_owned(), capability })
    }

    /// The toolkit in `folder`, installed by pip if it is missing.
    ///
    /// # Errors
    /// If that is not possible.
    pub fn installed(folder: &Path, python: &str, capability: u32) -> Result<Self> {
        if !folder.exists() {
            install(folder, python)?;
        }
        Self::at(folder, capability)
    }

    /// The folder for link-time stubs of what comes with a driver or is too large to install for linking.
    pub fn stubs(&self) -> PathBuf {
        self.folder.join("lib").join("stubs")
    }

    /// One of the toolkit's programs.
    pub fn program(&self, name: &str) -> Command {
        self.environment(Command::new(self.folder.join("bin").join(name)))
    }

    /// Sets the variables by which build scripts find the toolkit, and programs its libraries.
    pub fn environment(&self, mut command: Command) -> Command {
        let before = |name, folder: PathBuf| {
            let others = std::env::var_os(name).unwrap_or_default();
            let folders = std::iter::once(folder).chain(std::env::split_paths(&others));
            std::env::join_paths(folders).unwrap_or(others)
        };
        let libraries = self.folder.join("lib");
        command
            .env("CUDA_HOME", &self.folder)
            .env("PATH", before("PATH", self.folder.join("bin")))
            .env("LIBRARY_PATH", before("LIBRARY_PATH", self.stubs()))
            .env("CUDA_COMPUTE_CAP", self.capability.to_string())
            .env("CUDARC_CUDA_VERSION", "13000")
            .env("CUDAFORGE_THREADS", "1")
            // candle's kernels become a quarter of the size.
            .env("NVCC_APPEND_FLAGS", "--compress-mode=size")
            .env("LD_LIBRARY_PATH", format!("{}:{}", libraries.display(), self.stubs().display()));
        command
    }

    /// The version of nvcc.
    ///
    /// # Errors
    /// If it cannot be run.
    pub fn version(&self) -> Result<String> {
        let text = output_of(self.program("nvcc").arg("--version"))?;
        let line = text.lines().find(|line| line.contains("release"));
        Ok(line.context("nvcc says nothing of its release")?.trim().to_owned())
    }

    /// The compute capability of the GPU.
    pub fn capability(&self) -> u32 {
        self.capability
    }
}

/// Installs the wheels in `folder`, laid out as by NVIDIA's installer.
fn install(folder: &Path, python: &str) -> Result<()> {
    let part = files::with_ending(folder, ".part");
    files::remove(&part)?;
    let requirements = repository().join("xtask").join("cuda").join("requirements.txt");
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes"])
        .args(["--only-binary", ":all:", "--target"])
        .args([&part, Path::new("-r"), &requirements]);
    output_of(&mut pip)?;
    let toolkit = part.join("nvidia").join("cu13");
    complete(&toolkit).with_context(|| format!("cannot complete {}", toolkit.display()))?;
    fs::rename(&toolkit, folder).with_context(|| format!("cannot write {}", folder.display()))?;
    files::remove(&part)
}

/// Adds the names that linkers and build scripts look for.
fn complete(toolkit: &Path) -> std::io::Result<()> {
    symlink("lib", toolkit.join("lib64"))?;
    let libraries = toolkit.join("lib");
    fs::create_dir_all(libraries.join("stubs"))?;
    for entry in fs::read_dir(&libraries)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        if let Some((short, _)) = name.split_once(".so.")
            && !short.ends_with(".alt")
        {
            symlink(name.as_ref(), libraries.join(format!("{short}.so")))?;
        }
    }
    Ok(())
}
