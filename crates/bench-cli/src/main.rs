//! The command line; see `bench-cli --help`.
fn main() {}
