//! CUDA kernels on the CPU, for the tests of the crates that have some.
//!
//! A crate with kernels has a program, `tests/emulation/main.cpp`, that includes `emulation.h` and then its kernels as C++, and runs them
//! on what it reads: threads as fibres in changing order, shared memory that begins as NaN, and sanitizers that see what leads out of an
//! array. [`Program`] compiles and runs it.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

/// The program of a crate.
pub struct Program(PathBuf);

impl Program {
    /// Compiles `tests/emulation/main.cpp` in the folder of a crate, by `$CXX` or `c++`, to a file beside the test that asks for it.
    ///
    /// # Panics
    /// If it does not compile.
    pub fn compile(crate_folder: &Path) -> Self {
        let test = std::env::current_exe().expect("a test has a file");
        let name = crate_folder.file_name().expect("a crate has a folder");
        let mut file = name.to_owned();
        file.push("-emulation");
        let program = test.with_file_name(file);
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| OsString::from("c++"));
        let mut command = Command::new(&compiler);
        command.args(["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]);
        // A contraction to fused operations would round otherwise.
        command.args(["-Wno-unknown-pragmas", "-ffp-contract=off"]);
        command.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
        command.arg("-I").arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"));
        command.arg("-o").args([&program, &crate_folder.join("tests/emulation/main.cpp")]);
        let status = command.status().expect("there is a C++ compiler");
        assert!(status.success(), "{}: {status}", compiler.display());
        Self(program)
    }

    /// The bytes that the program writes for these arguments and this input.
    ///
    /// # Panics
    /// If it fails, with what it says.
    pub fn run(&self, arguments: impl IntoIterator<Item = String>, input: Vec<u8>) -> Vec<u8> {
        let mut command = Command::new(&self.0);
        command.args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program was compiled");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // It may write before it has read everything.
        let writer = thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("its output can be read");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}:\n{complaint}", output.status);
        writer.join().expect("nothing panics there").expect("it reads all of its input");
        output.stdout
    }
}

/// Values as they lie in memory.
pub fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

/// The values that lie so in memory.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect()
}
