//! How far a run is: a bar on a terminal, a line a minute where standard error goes elsewhere.

use crate::terminal::Terminal;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::cell::Cell;
use std::fmt::Write;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How often a line is printed where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(60);

/// The progress of some work.
pub struct Progress {
    terminal: Terminal,
    bar: ProgressBar,
    lines: Option<Lines>,
}

/// Where there is no terminal.
struct Lines {
    /// The work, as `training`, and what is counted, as `patches`.
    names: [&'static str; 2],
    pace: Pace,
    last: Cell<Instant>,
}

/// How fast it goes on average, so that the figure does not jump.
#[derive(Clone, Copy)]
struct Pace {
    started: Instant,
    first: u64,
}

impl Pace {
    fn per_second(self, position: u64) -> f64 {
        (position - self.first.min(position)) as f64
            / self.started.elapsed().as_secs_f64().max(1e-3)
    }
}

impl Progress {
    /// Progress from a first number to a last one, which is 0 if nobody knows. `names` are the work, as `training`, and what is counted,
    /// as `patches`. The template is indicatif's, with `rate` for the average number per second.
    pub fn new(
        terminal: Terminal,
        names: [&'static str; 2],
        (first, length): (u64, u64),
        template: &str,
    ) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = match is_terminal && !terminal.quiet {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let pace = Pace { started: Instant::now(), first };
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let style = style.with_key("rate", move |state: &ProgressState, to: &mut dyn Write| {
            let _ = write!(to, "{:.1}/s", pace.per_second(state.pos()));
        });
        let bar = ProgressBar::with_draw_target(Some(length), target).with_style(style);
        bar.set_position(first);
        bar.reset_eta();
        let lines = Lines { names, pace, last: Cell::new(Instant::now()) };
        Self { terminal, bar, lines: (!is_terminal).then_some(lines) }
    }

    pub fn set_position(&self, position: u64) {
        self.bar.set_position(position);
        self.say();
    }

    pub fn increment(&self) {
        self.bar.inc(1);
        self.say();
    }

    pub fn set_message(&self, message: String) {
        self.bar.set_message(message);
    }

    /// Prints what `print` prints where no bar is in its way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub fn abandon(&self) {
        self.bar.abandon();
    }

    /// Prints a line, if the last one is a minute old.
    fn say(&self) {
        let Some(lines) = &self.lines else { return };
        if lines.last.get().elapsed() >= INTERVAL {
            lines.last.set(Instant::now());
            let message = self.bar.message();
            self.terminal.note(&lines.text(self.bar.position(), self.bar.length(), &message));
        }
    }
}

impl Lines {
    fn text(&self, position: u64, length: Option<u64>, message: &str) -> String {
        let ([work, unit], rate) = (self.names, self.pace.per_second(position));
        let length = length.filter(|&length| length > 0);
        let of = length.map_or_else(String::new, |length| {
            format!(" of {length} {unit} ({:.0} %)", 100.0 * position as f64 / length as f64)
        });
        let unit = if length.is_none() { format!(" {unit}") } else { String::new() };
        let left = length.filter(|_| rate > 0.0).map_or_else(String::new, |length| {
            format!(", {} left", duration((length - position.min(length)) as f64 / rate))
        });
        let message = if message.is_empty() { String::new() } else { format!(", {message}") };
        format!("{work}: {position}{of}{unit}, {rate:.1} a second{left}{message}")
    }
}

/// A duration in the largest unit of which there are two.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_far_it_is_and_how_long_it_takes() {
        let started = Instant::now().checked_sub(Duration::from_secs(100));
        let started = started.unwrap_or_else(Instant::now);
        let pace = Pace { started, first: 1000 };
        let lines = Lines { names: ["training", "patches"], pace, last: Cell::new(Instant::now()) };
        let text = lines.text(3000, Some(10_000), "loss 0.5");
        assert!(
            text.starts_with("training: 3000 of 10000 patches (30 %), 20.0 a second, "),
            "{text}"
        );
        assert!(text.ends_with(" min left, loss 0.5"), "{text}");
        assert!(lines.text(3000, None, "").ends_with("3000 patches, 20.0 a second"));
        assert_eq!([90.0, 600.0, 9000.0].map(duration), ["90 s", "10 min", "2.5 h"]);
    }
}
