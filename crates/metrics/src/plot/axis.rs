//! Axes and their ticks.

use std::ops::Range;

/// An axis in the units that lines are drawn in: those of a logarithmic axis
/// are logarithms.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub label: String,
    pub range: Range<f64>,
    pub ticks: Vec<Tick>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub position: f64,
    pub text: String,
}

impl Axis {
    /// An axis with ticks at round numbers.
    pub fn linear(label: &str, range: Range<f64>) -> Self {
        let step = round_step(&range);
        Self::in_steps(label, range, step)
    }

    /// An axis with ticks at the multiples of a round step.
    pub fn in_steps(label: &str, range: Range<f64>, step: f64) -> Self {
        let places = decimal_places(step);
        let ticks = multiples(&range, step, |value| decimal(value, places));
        Self { label: label.to_owned(), range, ticks }
    }

    /// An axis of counts, from 0 to `end`, with ticks at whole numbers.
    pub fn counts(label: &str, end: f64) -> Self {
        let range = 0.0..end;
        let step = round_step(&range).max(1.0);
        Self::in_steps(label, range, step)
    }

    /// An axis of rates, from 0 to `end`.
    pub fn rate(label: &str, end: f64) -> Self {
        Self::linear(label, 0.0..end)
    }

    /// A logarithmic axis over a range of decimal logarithms, with ticks at 1, 2
    /// and 5 times the powers of ten, or at the powers alone if these are many.
    pub fn logarithmic(label: &str, range: Range<f64>) -> Self {
        let fine = decades(&range, &[1, 2, 5]);
        let ticks = if fine.len() <= 9 { fine } else { decades(&range, &[1]) };
        Self { label: label.to_owned(), range, ticks }
    }

    /// The text of the tick nearest to a position.
    pub fn text_at(&self, position: f64) -> &str {
        let distance = |tick: &&Tick| (tick.position - position).abs();
        let nearest = self.ticks.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.map_or("", |tick| &tick.text)
    }
}

/// The ticks in a range at the multiples of a step.
fn multiples(range: &Range<f64>, step: f64, text: impl Fn(f64) -> String) -> Vec<Tick> {
    // A tick at an end of the range may lie beyond it by its rounding.
    let slack = 1e-9 * step;
    let first = ((range.start - slack) / step).ceil() as i64;
    let last = ((range.end + slack) / step).floor() as i64;
    let tick = |number: i64| {
        let value = number as f64 * step;
        Tick { position: value.clamp(range.start, range.end), text: text(value) }
    };
    (first..=last).map(tick).collect()
}

/// The ticks in a range of decimal logarithms at multiples of the powers of ten.
fn decades(range: &Range<f64>, factors: &[u8]) -> Vec<Tick> {
    let decades = range.start.floor() as i32..=range.end.ceil() as i32;
    let numbers = decades.flat_map(|decade| factors.iter().map(move |&f| (f, decade)));
    let ticks = numbers.map(|(factor, decade)| Tick {
        position: f64::from(factor).log10() + f64::from(decade),
        text: scientific(factor, decade),
    });
    ticks.filter(|tick| (range.start..=range.end).contains(&tick.position)).collect()
}

/// `factor` times ten to the power of `decade`.
fn scientific(factor: u8, decade: i32) -> String {
    if (-3..=4).contains(&decade) {
        decimal(f64::from(factor) * 10_f64.powi(decade), 3)
    } else {
        format!("{factor}e{decade}")
    }
}

/// The smallest 1, 2 or 5 times a power of ten of which at most seven fit in
/// the range.
pub(super) fn round_step(range: &Range<f64>) -> f64 {
    let least = (range.end - range.start) / 7.0;
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|factor| factor * power);
    // A seventh of the range that is itself a round step may be off by its rounding.
    let fits = |step: &f64| *step >= least * (1.0 - 1e-9);
    steps.into_iter().find(fits).unwrap_or(10.0 * power)
}

/// The decimals of the multiples of a round step.
fn decimal_places(step: f64) -> usize {
    // Of a step that is a power of ten, the logarithm may be off by its rounding.
    (-(step.log10() + 1e-9).floor()).max(0.0) as usize
}

/// A number with as many decimals as it needs, `places` at most.
pub(super) fn decimal(value: f64, places: usize) -> String {
    let text = format!("{value:.places$}");
    let text = if places > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(range: Range<f64>) -> Vec<String> {
        Axis::linear("", range).ticks.into_iter().map(|tick| tick.text).collect()
    }

    #[test]
    fn decimals_are_short() {
        let texts = [0.0, -0.0, 1.0, 0.25, -1.5, 12.0625, 100.0].map(|value| decimal(value, 3));
        assert_eq!(texts, ["0", "0", "1", "0.25", "-1.5", "12.062", "100"]);
        assert_eq!([-0.2, 100.0].map(|value| decimal(value, 0)), ["0", "100"]);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(0.0..1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(texts(0.0..0.3), ["0", "0.05", "0.1", "0.15", "0.2", "0.25", "0.3"]);
        assert_eq!(texts(0.9..1.0), ["0.9", "0.92", "0.94", "0.96", "0.98", "1"]);
        assert_eq!(texts(-30.0..120.0), ["0", "50", "100"]);
        assert_eq!(texts(0.0..0.0005), ["0", "0.0001", "0.0002", "0.0003", "0.0004", "0.0005"]);
    }

    #[test]
    fn ticks_do_not_leave_the_range() {
        for end in [0.3, 0.7, 1.1, 4.9e-7, 3e9] {
            let axis = Axis::rate("", end);
            assert!((3..=8).contains(&axis.ticks.len()), "{end}");
            assert!(axis.ticks.iter().all(|tick| (0.0..=end).contains(&tick.position)), "{end}");
        }
    }
}
