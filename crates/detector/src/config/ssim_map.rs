//! The parameters of a residual map.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use ssim::{Constants, Window};
use std::fmt;
use std::str::FromStr;

/// The constants of an SSIM residual map, and its window if it has one of its own.
///
/// Reads and prints as the constants, with the window behind them if there is one.
///
/// ```
/// use detector::SsimMap;
/// use ssim::Window;
///
/// let fine: SsimMap = "0.01,0.3 uniform:3".parse()?;
/// assert_eq!((fine.constants.c2, fine.window), (0.3, Some(Window::Uniform { size: 3 })));
/// assert_eq!("squared".parse::<SsimMap>()?.window, None);
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SsimMap {
    /// The constants.
    pub constants: Constants,
    /// The window; that of the other maps if left out.
    pub window: Option<Window>,
}

impl From<Constants> for SsimMap {
    fn from(constants: Constants) -> Self {
        Self { constants, window: None }
    }
}

impl fmt::Display for SsimMap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.constants)?;
        self.window.map_or(Ok(()), |window| write!(formatter, " {window}"))
    }
}

impl FromStr for SsimMap {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Constants may have blanks behind their commas.
        let (constants, window) = match text.trim().rsplit_once(char::is_whitespace) {
            Some((constants, window)) if window.contains(':') => (constants, Some(window)),
            _ => (text, None),
        };
        Ok(Self {
            constants: constants.trim().parse()?,
            window: window.map(str::parse).transpose()?,
        })
    }
}

impl From<SsimMap> for String {
    fn from(map: SsimMap) -> Self {
        map.to_string()
    }
}

impl TryFrom<String> for SsimMap {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_are_printed_as_they_are_read() -> Result<()> {
        for text in
            ["squared", "paper", "0.01,0.3", "0.01,0.3 uniform:3", "squared gaussian:11:1.5"]
        {
            assert_eq!(text.parse::<SsimMap>()?.to_string(), text);
        }
        assert_eq!(" 0.01, 0.3  uniform:3".parse::<SsimMap>()?.to_string(), "0.01,0.3 uniform:3");
        assert_eq!("0.01, 0.3".parse::<SsimMap>()?, Constants::given(0.01, 0.3).into());
        for (text, expected) in [
            ("uniform:3", "`squared`, `C1,C2`"),
            ("squared uniform:4", "must be odd, got 4"),
            ("squared 3", "got \"squared 3\""),
        ] {
            let error = text.parse::<SsimMap>().map_err(|error| error.to_string());
            assert!(error.as_ref().is_err_and(|error| error.contains(expected)), "{error:?}");
        }
        Ok(())
    }
}
