//! Starts the program that is linked with CUDA, where it can start.

use detector::files::shown;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The NVIDIA driver's library; others come with the CUDA toolkit.
const DRIVER: &str = "libcuda.so.1";

/// Becomes `bench-cli-cuda`. If that cannot start, says why on one line, and gives exit code 2.
#[cfg_attr(not(feature = "cuda"), expect(dead_code, reason = "its parts are tested"))]
pub fn launch() -> ExitCode {
    let error = match program() {
        Ok(program) => match missing(&libraries(&program)).as_slice() {
            [] => start(&program),
            missing => explanation(missing),
        },
        Err(error) => error,
    };
    drop(writeln!(std::io::stderr(), "error: {error}"));
    ExitCode::from(2)
}

/// The program that lies beside this one.
fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
    let program = own.with_file_name("bench-cli-cuda");
    match program.is_file() {
        true => Ok(program),
        false => Err(format!("{} is missing: it belongs beside bench-cli", shown(&program))),
    }
}

/// The libraries of a program as the system's loader lists them, without running the program (ld.so(8)).
fn libraries(program: &Path) -> String {
    let mut loader = Command::new(program);
    loader.env("LD_TRACE_LOADED_OBJECTS", "1").stdin(Stdio::null()).stderr(Stdio::null());
    let output = loader.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).into_owned()
}

/// The libraries that the loader does not find.
fn missing(libraries: &str) -> Vec<&str> {
    libraries.lines().filter_map(|line| line.trim().strip_suffix(" => not found")).collect()
}

/// The cause of missing libraries, and a remedy.
fn explanation(missing: &[&str]) -> String {
    let cause = match missing.contains(&DRIVER) {
        true => "the NVIDIA driver is not installed",
        false => {
            "the CUDA toolkit's libraries are neither where the system nor where LD_LIBRARY_PATH looks"
        }
    };
    let names = missing.join(", ");
    format!("{cause} ({names}); bench-cli built without the feature `cuda` needs neither")
}

/// Does not return if the program starts; otherwise says why not.
fn start(program: &Path) -> String {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    let error = command.args(arguments).exec();
    format!("cannot start {}: {error}", shown(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_libraries_are_named() {
        let traced = "\tlinux-vdso.so.1 (0x00007ffd)
\tlibcuda.so.1 => not found
\tlibcublas.so.13 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f00)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f01)
";
        assert_eq!(missing(traced), ["libcuda.so.1", "libcublas.so.13"]);
        assert_eq!(
            explanation(&missing(traced)),
            "the NVIDIA driver is not installed (libcuda.so.1, libcublas.so.13); bench-cli built without the feature `cuda` \
             needs neither"
        );
        let toolkit = explanation(&["libcublas.so.13"]);
        assert!(toolkit.starts_with("the CUDA toolkit's libraries are neither"), "{toolkit}");
    }

    /// This test needs none that are missing.
    #[test]
    fn the_loader_lists_the_libraries_of_a_program() {
        let own = libraries(&std::env::current_exe().expect("a running program has a path"));
        assert!(own.contains("libc.so.6 => /"), "{own}");
        assert!(missing(&own).is_empty(), "{own}");
    }
}
