//! Runs the real program on tiny images: what it writes, what it says, how it ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod archives;
mod bad_input;
mod bench;
mod calibration;
mod comparison;
mod config;
mod evaluation;
mod export;
mod extractor;
mod folders;
mod formats;
mod hostile;
mod image_files;
mod images;
mod integrity;
#[cfg(unix)]
mod interruption;
mod kills;
mod methods;
mod pages;
mod prediction;
mod region;
mod report;
#[cfg(unix)]
mod results;
mod speed;
#[cfg(unix)]
mod storage;
mod streams;
mod toy;
mod training;
mod tune;
#[cfg(unix)]
mod watching;
