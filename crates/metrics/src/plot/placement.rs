//! Where values lie on the axes of a line chart.

use std::ops::Range;

use super::axis::{Axis, Tick, round_step};
use crate::Error;

/// An axis of a [`LineChart`](crate::LineChart).
///
/// ```
/// use metrics::{LineAxis, Spacing};
///
/// assert_eq!(LineAxis::rate("Recall").range, Some((0.0, 1.0)));
/// let patches = LineAxis { spacing: Spacing::Logarithmic, ..LineAxis::new("Patches") };
/// assert_eq!((patches.label, patches.range), ("Patches", None));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineAxis<'a> {
    /// Written along the axis.
    pub label: &'a str,
    /// Two values that the axis has to show beside the points. If no point
    /// lies beyond them they are its ends; otherwise, and by default, its ends
    /// are round numbers.
    pub range: Option<(f64, f64)>,
    /// How values lie on the axis.
    pub spacing: Spacing,
}

/// How values lie on a [`LineAxis`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spacing {
    /// In proportion to their differences.
    #[default]
    Linear,
    /// In proportion to their ratios; all are above 0.
    Logarithmic,
    /// One beside the other at equal distances, each with its tick: few values
    /// of a parameter, such as 3, 7 and 11.
    Even,
}

impl<'a> LineAxis<'a> {
    /// A linear axis that shows all points.
    pub fn new(label: &'a str) -> Self {
        Self { label, range: None, spacing: Spacing::Linear }
    }

    /// A linear axis from 0 to 1.
    pub fn rate(label: &'a str) -> Self {
        Self { range: Some((0.0, 1.0)), ..Self::new(label) }
    }

    /// Lays out the axis for these values; `None` if there are none.
    pub(super) fn place(
        &self,
        values: impl Iterator<Item = f64>,
    ) -> Result<Option<Placement>, Error> {
        let given = self.range.map(|(a, b)| [a.min(b), a.max(b)]);
        if let Some((low, high)) =
            self.range.filter(|&(a, b)| !(self.spacing.holds(a) && self.spacing.holds(b)))
        {
            return Err(Error::InvalidAxis { label: self.label.to_owned(), low, high });
        }
        let mut values: Vec<f64> = values.collect();
        if values.is_empty() {
            return Ok(None);
        }
        values.extend(given.into_iter().flatten());
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        Ok(Some(match self.spacing {
            Spacing::Linear => Placement::linear(self.label, &values, given)?,
            Spacing::Logarithmic => Placement::logarithmic(self.label, &values, given),
            Spacing::Even => Placement::even(self.label, values),
        }))
    }
}

impl Spacing {
    /// Whether there is a place for the value.
    pub(super) fn holds(self, value: f64) -> bool {
        value.is_finite() && (self != Self::Logarithmic || value > 0.0)
    }
}

/// An axis and the places of values on it.
pub(super) struct Placement {
    pub axis: Axis,
    spacing: Spacing,
    /// Of an even axis, the values in order.
    values: Vec<f64>,
}

impl Placement {
    /// The place of a value that the axis was laid out for.
    pub fn of(&self, value: f64) -> f64 {
        match self.spacing {
            Spacing::Linear => value,
            Spacing::Logarithmic => value.log10(),
            Spacing::Even => self.values.partition_point(|&other| other < value) as f64,
        }
    }

    /// Values are in order, and at least one.
    fn linear(label: &str, values: &[f64], given: Option<[f64; 2]>) -> Result<Self, Error> {
        let ends = ends(values, if values[0] == 0.0 { 0.5 } else { 0.1 * values[0].abs() });
        let step = round_step(&ends);
        let round = ((ends.start / step).floor() * step)..((ends.end / step).ceil() * step);
        // Numbers may lie further apart, or closer together, than others can say.
        let is_drawn = step.is_normal() && round.start.is_finite() && round.end.is_finite();
        if !is_drawn {
            let label = label.to_owned();
            return Err(Error::InvalidAxis { label, low: ends.start, high: ends.end });
        }
        let axis = Axis::in_steps(label, kept(round, &ends, given), step);
        Ok(Self { axis, spacing: Spacing::Linear, values: Vec::new() })
    }

    fn logarithmic(label: &str, values: &[f64], given: Option<[f64; 2]>) -> Self {
        let logarithms: Vec<f64> = values.iter().map(|value| value.log10()).collect();
        let ends = ends(&logarithms, 0.5);
        let margin = 0.05 * (ends.end - ends.start);
        let wide = (ends.start - margin)..(ends.end + margin);
        let range = kept(wide, &ends, given.map(|given| given.map(f64::log10)));
        let axis = Axis::logarithmic(label, range);
        Self { axis, spacing: Spacing::Logarithmic, values: Vec::new() }
    }

    fn even(label: &str, values: Vec<f64>) -> Self {
        let tick = |(place, &value): (usize, &f64)| Tick {
            position: place as f64,
            text: value.to_string(),
        };
        let ticks = values.iter().enumerate().map(tick).collect();
        let range = -0.5..values.len() as f64 - 0.5;
        let axis = Axis { label: label.to_owned(), range, ticks };
        Self { axis, spacing: Spacing::Even, values }
    }
}

/// The first and the last value; both sides of it if it is a single one.
fn ends(values: &[f64], sides: f64) -> Range<f64> {
    match values {
        [low, .., high] => *low..*high,
        [only] => only - sides..only + sides,
        [] => 0.0..1.0,
    }
}

/// `range`, but with those of the outermost values that were `given` as its
/// ends.
fn kept(range: Range<f64>, outermost: &Range<f64>, given: Option<[f64; 2]>) -> Range<f64> {
    let Some([low, high]) = given else { return range };
    let start = if outermost.start == low { low } else { range.start };
    let end = if outermost.end == high { high } else { range.end };
    start..end
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]
    use super::*;

    fn place(spacing: Spacing, range: Option<(f64, f64)>, values: &[f64]) -> Placement {
        let axis = LineAxis { label: "x", range, spacing };
        axis.place(values.iter().copied()).unwrap().unwrap()
    }

    fn texts(placement: &Placement) -> Vec<String> {
        placement.axis.ticks.iter().map(|tick| tick.text.clone()).collect()
    }

    #[test]
    fn ends_are_round_unless_they_are_given() {
        let range = |given, values: &[f64]| place(Spacing::Linear, given, values).axis.range;
        assert_eq!(range(None, &[3.0, 19.0]), 0.0..20.0);
        assert_eq!(range(Some((1.0, 0.0)), &[0.3, 0.7]), 0.0..1.0);
        assert_eq!(range(Some((0.0, 1.0)), &[-0.3, 0.7]), -0.4..1.0);
    }

    #[test]
    fn a_single_value_has_an_axis() {
        let linear = |value| texts(&place(Spacing::Linear, None, &[value]));
        assert_eq!(linear(0.96), ["0.85", "0.9", "0.95", "1", "1.05", "1.1"]);
        assert_eq!(linear(0.0), ["-0.6", "-0.4", "-0.2", "0", "0.2", "0.4", "0.6"]);
        assert_eq!(texts(&place(Spacing::Logarithmic, None, &[100.0])), ["50", "100", "200"]);
        assert_eq!(texts(&place(Spacing::Even, None, &[100.0])), ["100"]);
    }

    #[test]
    fn logarithmic_ticks_are_those_that_one_expects() {
        let placement = place(Spacing::Logarithmic, None, &[50.0, 100.0, 1000.0]);
        assert_eq!(texts(&placement), ["50", "100", "200", "500", "1000"]);
        assert_eq!(placement.of(100.0), 2.0);
        let placement = place(Spacing::Logarithmic, Some((1e-6, 1.0)), &[0.01]);
        assert_eq!(texts(&placement), ["1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1"]);
    }

    #[test]
    fn even_values_have_their_ticks_at_equal_distances() {
        let placement = place(Spacing::Even, None, &[11.0, 3.0, 7.0, 3.0]);
        assert_eq!(texts(&placement), ["3", "7", "11"]);
        assert_eq!([3.0, 7.0, 11.0].map(|value| placement.of(value)), [0.0, 1.0, 2.0]);
        assert_eq!(placement.axis.range, -0.5..2.5);
    }

    #[test]
    fn an_axis_ends_at_numbers_that_it_can_show() {
        for (spacing, range) in
            [(Spacing::Linear, (0.0, f64::NAN)), (Spacing::Logarithmic, (0.0, 1.0))]
        {
            let axis = LineAxis { label: "x", range: Some(range), spacing };
            let placed = axis.place([0.5].into_iter());
            assert!(matches!(placed, Err(Error::InvalidAxis { .. })));
        }
        for values in [[-1e308, 1e308], [0.0, 5e-324]] {
            let placed = LineAxis::new("x").place(values.into_iter());
            assert!(matches!(placed, Err(Error::InvalidAxis { .. })), "{values:?}");
        }
    }
}
