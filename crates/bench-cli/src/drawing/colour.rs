//! The colours of heat maps.

/// matplotlib's "inferno" (by Smith and van der Walt, CC0), perceptually uniform, at 17 equal
/// steps; between them linear interpolation stays within 7 of 255 of the original.
const INFERNO: [[u8; 3]; 17] = [
    [0, 0, 4],
    [11, 7, 36],
    [33, 12, 74],
    [61, 9, 101],
    [87, 16, 110],
    [113, 25, 110],
    [138, 34, 106],
    [163, 44, 97],
    [188, 55, 84],
    [208, 69, 69],
    [227, 89, 51],
    [241, 113, 31],
    [249, 140, 10],
    [252, 170, 15],
    [249, 201, 50],
    [242, 232, 101],
    [252, 255, 164],
];

/// The scores that are shown as the darkest and the brightest colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// Scores from here down are darkest.
    pub low: f32,
    /// Scores from here up are brightest.
    pub high: f32,
}

impl ScoreRange {
    /// Dark up to half of what good images reach, so that a clean image does not glow, and brightest from twice of it.
    /// [`Calibration::good_unit`] is what they reach.
    ///
    /// [`Calibration::good_unit`]: detector::records::Calibration::good_unit
    pub fn of_good(unit: f32) -> Self {
        Self { low: 0.5 * unit, high: 2.0 * unit }
    }

    /// Whether a scale with these ends says the same. Thresholds of 1 may differ in their last digit.
    pub fn looks_like(self, other: Self) -> bool {
        self.to_string() == other.to_string()
    }

    /// The position of `score` between the ends: 0 to 1, and 0 for NaN.
    pub fn position(self, score: f32) -> f32 {
        let position = (score - self.low) / (self.high - self.low);
        if position.is_nan() { 0.0 } else { position.clamp(0.0, 1.0) }
    }
}

impl std::fmt::Display for ScoreRange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} to {}", short(self.low), short(self.high))
    }
}

/// A score in at most four digits: those of squared differences are far below 1.
pub fn short(score: f32) -> String {
    let rounded = format!("{score:.3e}").parse().unwrap_or(score);
    rounded.to_string()
}

/// The colour at `position` in [0, 1], each channel 0 to 255.
pub fn inferno(position: f32) -> [f32; 3] {
    let steps = INFERNO.len() - 1;
    let scaled = position * steps as f32;
    let below = (scaled as usize).min(steps - 1);
    let weight = scaled - below as f32;
    let [low, high] = [INFERNO[below], INFERNO[below + 1]];
    std::array::from_fn(|channel| {
        let [low, high] = [f32::from(low[channel]), f32::from(high[channel])];
        low + (high - low) * weight
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_middle_have_inferno_colours() {
        assert_eq!(inferno(0.0), [0.0, 0.0, 4.0]);
        assert_eq!(inferno(0.5), [188.0, 55.0, 84.0]);
        assert_eq!(inferno(1.0), [252.0, 255.0, 164.0]);
        assert_eq!(inferno(1.5 / 16.0), [22.0, 9.5, 55.0]);
    }

    #[test]
    fn scores_outside_the_range_take_its_ends() {
        let range = ScoreRange { low: 1.0, high: 3.0 };
        let positions = [-5.0, 1.0, 1.5, 3.0, 9.0, f32::NAN].map(|score| range.position(score));
        assert_eq!(positions, [0.0, 0.0, 0.25, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn scores_are_written_without_needless_zeros() {
        assert_eq!(
            [0.5, 2.0, 10.0, 1.000_000_1, 0.000_123_45].map(short),
            ["0.5", "2", "10", "1", "0.0001234"]
        );
        assert_eq!(ScoreRange::of_good(1.0).to_string(), "0.5 to 2");
    }

    #[test]
    fn a_range_without_extent_gives_colours_too() {
        let range = ScoreRange { low: 0.0, high: 0.0 };
        assert_eq!([0.0, 1.0].map(|score| range.position(score)), [0.0, 1.0]);
    }
}
