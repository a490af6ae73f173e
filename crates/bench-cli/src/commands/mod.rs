//! The subcommands: arguments to a plan, the plan's execution, its report.

mod calibrate;
mod train;

pub use calibrate::calibrate;
pub use train::train;

use crate::report::Reporter;
use candle_core::Device;

/// What every subcommand knows.
#[derive(Clone, Debug)]
pub struct Context {
    pub reporter: Reporter,
    pub device: Device,
}
