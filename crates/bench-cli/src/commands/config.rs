//! `bench-cli config`

use super::Context;
use crate::args::PrintConfigArgs;
use anyhow::{Result, ensure};
use detector::Config;

/// Prints the defaults, or a configuration with the defaults of the keys that it leaves out.
///
/// # Errors
/// If the configuration cannot be read, or a setting is out of range.
pub fn config(context: &Context, args: &PrintConfigArgs) -> Result<()> {
    let (file, settings) = (args.config.config.as_deref(), &args.config.settings);
    ensure!(
        args.defaults || file.is_some() || !settings.is_empty(),
        "which configuration? --defaults, --config FILE or --set KEY=VALUE"
    );
    let config = Config::load(file, settings)?;
    config.validate()?;
    context.terminal.text(config.to_toml()?.trim_end())?;
    context.terminal.record(&config)
}
