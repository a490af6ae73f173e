//! The kernels for CUDA, compiled for the CPU with sanitizers.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;

/// The C++ program, built once.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = std::env::current_exe().unwrap().with_file_name("models-emulation");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulation/main.cpp");
        let compiler = std::env::var_os("CXX").unwrap_or_else(|| OsString::from("c++"));
        let mut command = Command::new(&compiler);
        command.args(["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Werror"]);
        command.arg("-Wno-unknown-pragmas");
        // A contraction to fused operations would round otherwise.
        command.args(["-ffp-contract=off", "-fsanitize=address,undefined"]);
        command.args(["-fno-sanitize-recover=all", "-o"]).args([&program, &source]);
        let status = command.status().unwrap();
        assert!(status.success(), "{compiler:?}: {status}");
        program
    })
}

/// Runs a kernel with the arguments that `tests/emulation/main.cpp` describes, and returns the arrays that it writes.
pub(crate) fn run(kernel: &str, numbers: &[u32], input: Vec<u8>) -> Vec<u8> {
    let mut command = Command::new(program());
    command.arg(kernel).args(numbers.iter().map(u32::to_string));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{kernel}: {}:\n{complaint}", output.status);
    output.stdout
}

pub(crate) fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_ne_bytes()).collect()
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect()
}
