//! Text as a configuration: refused on one line, or one that is written and read again the same.
#![no_main]

use detector::Config;
use detector::records::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // The last line is taken as a setting, too.
    let text = String::from_utf8_lossy(bytes);
    let settings: Vec<String> = text.lines().last().into_iter().map(str::to_owned).collect();
    for settings in [&[], &settings[..]] {
        match Config::from_toml(&text).and_then(|config| config.with_settings(settings)) {
            Err(error) => assert_eq!(error.to_string().lines().count(), 1),
            Ok(config) if config.validate().is_ok() => check(&config),
            Ok(_) => {}
        }
    }
});

fn check(config: &Config) {
    let text = config.to_toml().expect("it was text");
    let again = Config::from_toml(&text).expect("what was written can be read");
    assert_eq!(again, *config);
    again.validate().expect("it was valid");
    for of in [Settings::of_learning, Settings::of_scoring] {
        let [before, after] = [config, &again].map(|config| of(config).expect("it was text"));
        before.expect(&after).expect("it is the same");
    }
}
