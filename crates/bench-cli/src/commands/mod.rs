//! The subcommands: arguments to a plan, the plan's execution, its report.

mod bench;
mod calibrate;
mod config;
mod context;
mod demo;
mod distinct;
mod evaluate;
mod export;
mod figure;
mod info;
mod predict;
mod region;
mod shell;
mod ssim;
mod synthesize;
mod toy;
mod train;
mod tune;

pub use bench::bench;
pub use calibrate::calibrate;
pub use config::config;
pub use context::{Context, prepare_results, warn_of_smaller_batches};
pub use demo::demo;
pub use evaluate::evaluate;
pub use export::export;
pub use figure::figure;
pub use info::info;
pub use predict::{Outcome, merge, predict};
pub use shell::{completions, man};
pub use ssim::ssim;
pub use synthesize::synthesize;
pub use toy::toy;
pub use train::train;
pub use tune::tune;
