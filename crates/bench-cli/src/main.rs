//! The command line; see `bench-cli --help`.
#![allow(dead_code, unused_imports, reason = "nothing calls these modules yet")]

mod data;
mod io;
mod synthetic;

fn main() {}
