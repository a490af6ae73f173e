//! Progress bars on a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for bytes, of which there are `total` if that is known; it vanishes when it is dropped.
pub fn bytes(total: Option<u64>, what: &'static str) -> ProgressBar {
    let style = match total {
        Some(_) => "{msg} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        None => "{msg} {spinner} {bytes}, {bytes_per_sec}",
    };
    bar(total, style).with_message(what)
}

/// A bar for files.
pub fn files(total: Option<u64>, what: &'static str) -> ProgressBar {
    bar(total, "{msg} {wide_bar} {human_pos}/{human_len} files").with_message(what)
}

fn bar(total: Option<u64>, style: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(style);
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    // The templates above are right, and a plain bar would do as well.
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_finish(indicatif::ProgressFinish::AndClear)
}
