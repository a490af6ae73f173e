//! The colours of a chart.

use plotters::style::RGBColor;

/// A colour of printed charts, and its custom property in the style sheets of
/// HTML pages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour {
    property: &'static str,
    pub rgb: RGBColor,
}

pub(super) const INK: Colour = Colour { property: "ink", rgb: RGBColor(40, 40, 40) };
pub(super) const PAPER: Colour = Colour { property: "paper", rgb: RGBColor(255, 255, 255) };
pub(super) const GRID: Colour = Colour { property: "grid", rgb: RGBColor(225, 225, 225) };
pub(super) const REFERENCE: Colour = Colour { property: "reference", rgb: RGBColor(120, 120, 120) };

/// Colours that are told apart with any colour vision (Okabe and Ito, 2008),
/// the lighter ones last.
pub(super) const SERIES: [Colour; 7] = [
    Colour { property: "series-1", rgb: RGBColor(0, 114, 178) },
    Colour { property: "series-2", rgb: RGBColor(213, 94, 0) },
    Colour { property: "series-3", rgb: RGBColor(0, 158, 115) },
    Colour { property: "series-4", rgb: RGBColor(204, 121, 167) },
    Colour { property: "series-5", rgb: RGBColor(0, 0, 0) },
    Colour { property: "series-6", rgb: RGBColor(86, 180, 233) },
    Colour { property: "series-7", rgb: RGBColor(230, 159, 0) },
];

impl Colour {
    /// The colour as plotters writes it in SVG.
    fn hexadecimal(self) -> String {
        let RGBColor(red, green, blue) = self.rgb;
        format!("#{red:02X}{green:02X}{blue:02X}")
    }
}

/// The SVG with a custom property in place of each colour, which is its
/// fallback.
pub(super) fn with_properties(svg: &str) -> String {
    let all = [INK, PAPER, GRID, REFERENCE].into_iter().chain(SERIES);
    all.fold(svg.to_owned(), |svg, colour| {
        let (name, rgb) = (colour.property, colour.hexadecimal());
        // In quotes it is an attribute: quotes in texts are escaped.
        svg.replace(&format!("\"{rgb}\""), &format!("\"var(--{name}, {rgb})\""))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_become_properties_and_texts_stay() {
        let svg = "<text fill=\"#282828\">\n#282828 &quot;#282828&quot;\n</text>";
        let expected = "<text fill=\"var(--ink, #282828)\">\n#282828 &quot;#282828&quot;\n</text>";
        assert_eq!(with_properties(svg), expected);
    }

    #[test]
    fn each_colour_is_another() {
        let all: Vec<Colour> = [INK, PAPER, GRID, REFERENCE].into_iter().chain(SERIES).collect();
        for (index, colour) in all.iter().enumerate() {
            let is_other =
                |other: &Colour| other.rgb != colour.rgb && other.property != colour.property;
            assert!(all[..index].iter().all(is_other), "{colour:?}");
        }
    }
}
