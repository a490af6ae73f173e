//! Weighted sums of a window that slides along one axis.

use crate::{
    Error, Window,
    lanes::{Lanes, add, difference, scaled},
};

/// A window in the form that it is applied in.
#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    /// Sums over `size` neighbours, of which each is added and nothing is ever subtracted.
    Box { size: usize },
    /// The same as running sums, which keep the rounding errors of what they have left behind.
    Running { size: usize },
    /// The weights along one axis.
    Taps(Vec<f64>),
}

impl Kernel {
    pub(crate) fn new(window: &Window) -> Result<Self, Error> {
        Ok(match *window {
            Window::Uniform { size } => Self::Box { size },
            Window::Gaussian { .. } => Self::Taps(window.weights()?),
        })
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Box { size } | Self::Running { size } => *size,
            Self::Taps(weights) => weights.len(),
        }
    }

    /// The number of items under `windows` neighbouring windows.
    pub(crate) fn items(&self, windows: usize) -> usize {
        windows + self.size() - 1
    }

    /// The length of the buffer that [`Self::slide`] needs for `windows` windows.
    pub(crate) fn buffer_len(&self, windows: usize) -> usize {
        match self {
            Self::Box { size } => *size,
            Self::Running { .. } => 0,
            Self::Taps(_) => self.items(windows),
        }
    }

    /// The factor that turns sums along both axes into means.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Box { size } | Self::Running { size } => 1.0 / (size * size) as f64,
            Self::Taps(_) => 1.0,
        }
    }

    /// Hands the sum of each of `windows` windows to `store(window, sum)`, over items that `load(index)` yields.
    ///
    /// `buffer` is at least [`Self::buffer_len`] long, whatever it holds.
    #[inline(always)]
    pub(crate) fn slide<const C: usize, const L: usize>(
        &self,
        windows: usize,
        buffer: &mut [Lanes<C, L>],
        load: impl Fn(usize) -> Lanes<C, L>,
        store: impl FnMut(usize, Lanes<C, L>),
    ) {
        match self {
            Self::Box { size } => slide_box(windows, &mut buffer[..*size], load, store),
            Self::Running { size } => slide_running(windows, *size, load, store),
            Self::Taps(weights) => {
                slide_taps(weights, windows, &mut buffer[..self.items(windows)], load, store);
            }
        }
    }
}

/// Van Herk's scheme: items are grouped into blocks as long as the window, and every window is the end
/// of one block plus the start of the next.
///
/// Three additions per item whatever the size, but nothing is ever subtracted as it is from a running
/// sum: a huge pixel leaves no rounding error behind once the window has passed it.
#[inline(always)]
fn slide_box<const C: usize, const L: usize>(
    windows: usize,
    ends: &mut [Lanes<C, L>],
    load: impl Fn(usize) -> Lanes<C, L>,
    mut store: impl FnMut(usize, Lanes<C, L>),
) {
    let size = ends.len();
    for block in (0..windows).step_by(size) {
        let mut end = [[0.0; L]; C];
        for (index, sum) in ends.iter_mut().enumerate().rev() {
            end = add(end, load(block + index));
            *sum = end;
        }
        store(block, end);
        let mut start = [[0.0; L]; C];
        for (window, end) in (block + 1..windows).zip(&ends[1..]) {
            start = add(start, load(window + size - 1));
            store(window, add(*end, start));
        }
    }
}

/// Two additions per item, and no buffer.
#[inline(always)]
fn slide_running<const C: usize, const L: usize>(
    windows: usize,
    size: usize,
    load: impl Fn(usize) -> Lanes<C, L>,
    mut store: impl FnMut(usize, Lanes<C, L>),
) {
    let mut sum = [[0.0; L]; C];
    for index in 0..size {
        sum = add(sum, load(index));
    }
    store(0, sum);
    for window in 1..windows {
        // One addition to the sum, so that the next does not wait for two.
        sum = add(sum, difference(load(window + size - 1), load(window - 1)));
        store(window, sum);
    }
}

#[inline(always)]
fn slide_taps<const C: usize, const L: usize>(
    weights: &[f64],
    windows: usize,
    buffer: &mut [Lanes<C, L>],
    load: impl Fn(usize) -> Lanes<C, L>,
    mut store: impl FnMut(usize, Lanes<C, L>),
) {
    for (index, lanes) in buffer.iter_mut().enumerate() {
        *lanes = load(index);
    }
    for (window, items) in buffer.windows(weights.len()).take(windows).enumerate() {
        let mut sum = [[0.0; L]; C];
        for (&weight, item) in weights.iter().zip(items) {
            sum = add(sum, scaled(*item, weight));
        }
        store(window, sum);
    }
}
