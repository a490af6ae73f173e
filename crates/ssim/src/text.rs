//! Settings in configuration files (feature `serde`): the text that each is read from and printed as.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Border, Constants, Window};

macro_rules! as_text {
    ($($setting:ty),*) => {$(
        impl Serialize for $setting {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $setting {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

as_text!(Window, Border, Constants);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use crate::{Border, Constants, Exponents, Params, Window};
    use serde::{Deserialize, Serialize};

    /// The table `[ssim]` of a configuration.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Config {
        window: Window,
        constants: Constants,
        exponents: Exponents,
    }

    const TEXT: &str = r#"window = "gaussian:11:1.5"
constants = "0.1,0.2"
exponents = [1.0, 0.5, 2.0]
"#;

    #[test]
    fn settings_are_written_as_they_are_read() {
        let config: Config = toml::from_str(TEXT).unwrap();
        let expected = Config {
            window: Window::Gaussian { size: 11, sigma: 1.5 },
            constants: Constants::given(0.1, 0.2),
            exponents: Exponents { alpha: 1.0, beta: 0.5, gamma: 2.0 },
        };
        assert_eq!(config, expected);
        assert_eq!(toml::to_string(&config).unwrap(), TEXT);
    }

    #[test]
    fn constants_keep_their_names() {
        for constants in ["paper", "squared", "0.1,0.2,0.3"] {
            let text = TEXT.replace("0.1,0.2", constants);
            let config: Config = toml::from_str(&text).unwrap();
            assert_eq!(toml::to_string(&config).unwrap(), text);
        }
    }

    #[test]
    fn settings_out_of_range_are_refused_with_what_was_got() {
        for (from, to, expected) in [
            ("gaussian:11:1.5", "uniform:10", "the window size must be odd, got 10"),
            (
                "gaussian:11:1.5",
                "round:3",
                "`uniform:SIZE` or `gaussian:SIZE:SIGMA`, got \"round:3\"",
            ),
            (
                "0.1,0.2",
                "-0.1,0.2",
                "constant c1 must lie between 1.1754944e-38 and 3.4028235e38, got -0.1",
            ),
            ("2.0]", "-2.0]", "exponent gamma must lie between 0 and 3.4028235e38, got -2"),
            ("0.5, 2.0]", "0.5]", "3"),
        ] {
            let error = toml::from_str::<Config>(&TEXT.replace(from, to)).unwrap_err();
            assert!(error.message().contains(expected), "{to}: {error}");
        }
    }

    #[test]
    fn parameters_are_a_table_of_their_parts() {
        let text = TEXT.replace("constants", "border = \"valid\"\nconstants");
        let params: Params = toml::from_str(&text).unwrap();
        assert_eq!((params.border, params.window.size()), (Border::Valid, 11));
        assert_eq!(toml::to_string(&params).unwrap(), text);
        assert!(toml::from_str::<Params>(&format!("{text}range = 1")).is_err());
    }
}
