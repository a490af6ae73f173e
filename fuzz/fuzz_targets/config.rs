//! Text as a configuration: refused on one line, or one that is written and read again the same.
#![no_main]
#![allow(dead_code, unused_imports)]

/// Modules of the program, which call each other by their place in the crate.
#[path = "../../crates/bench-cli/src"]
mod program {
    pub mod config;
    pub mod data;
    pub mod io;
}

use config::Config;
use libfuzzer_sys::fuzz_target;
use program::{config, data, io};
use std::path::PathBuf;
use std::sync::LazyLock;

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("fuzz-config-{}.toml", std::process::id())));

fuzz_target!(|bytes: &[u8]| {
    std::fs::write(&*FILE, bytes).expect("a temporary file");
    // The last line is taken as a setting, too.
    let text = String::from_utf8_lossy(bytes);
    let settings: Vec<String> = text.lines().last().into_iter().map(str::to_owned).collect();
    for settings in [&[], &settings[..]] {
        match Config::load(Some(&FILE), settings) {
            Err(error) => drop(format!("{error:#}")),
            Ok(config) if config.validate().is_ok() => {
                std::fs::write(&*FILE, config.to_toml().expect("it was text")).expect("a temporary file");
                let again = Config::read(&FILE).expect("what was written can be read");
                assert_eq!(again, config);
                again.validate().expect("it was valid");
                for of in [config::Settings::of_learning, config::Settings::of_scoring] {
                    let [before, after] = [&config, &again].map(|config| of(config).expect("it was text"));
                    before.expect(&after).expect("it is the same");
                }
            }
            Ok(_) => {}
        }
    }
});
