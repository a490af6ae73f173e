//! Weighted sums of a window that slides along one axis.

use crate::{
    Error, Window,
    lanes::{Lanes, ZERO, add, scaled},
};

/// A window in the form that it is applied in.
#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    /// Sums over `size` neighbours.
    Box { size: usize },
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
            Self::Box { size } => *size,
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
            Self::Taps(_) => self.items(windows),
        }
    }

    /// What the sums of both axes are multiplied by to become means.
    pub(crate) fn scale(&self) -> f64 {
        match self {
            Self::Box { size } => 1.0 / (size * size) as f64,
            Self::Taps(_) => 1.0,
        }
    }

    /// Writes `store(sum)` of every window of `items`, each of them taken as `load(item)`.
    ///
    /// `buffer` is at least [`Self::buffer_len`] long, whatever it holds.
    #[inline(always)]
    pub(crate) fn slide<I, O, const C: usize>(
        &self,
        items: &[I],
        buffer: &mut [Lanes<C>],
        out: &mut [O],
        load: impl Fn(&I) -> Lanes<C>,
        store: impl Fn(Lanes<C>) -> O,
    ) {
        match self {
            Self::Box { .. } => slide_box(items, buffer, out, load, store),
            Self::Taps(weights) => {
                slide_taps(weights, items, &mut buffer[..items.len()], out, load, store);
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
fn slide_box<I, O, const C: usize>(
    items: &[I],
    ends: &mut [Lanes<C>],
    out: &mut [O],
    load: impl Fn(&I) -> Lanes<C>,
    store: impl Fn(Lanes<C>) -> O,
) {
    let size = ends.len();
    for (block, out) in out.chunks_mut(size).enumerate() {
        let (ending, starting) = items[block * size..].split_at(size);
        let mut end = [ZERO; C];
        for (sum, item) in ends.iter_mut().zip(ending).rev() {
            end = add(end, load(item));
            *sum = end;
        }
        if let Some((first, rest)) = out.split_first_mut() {
            *first = store(end);
            let mut start = [ZERO; C];
            for ((out, end), item) in rest.iter_mut().zip(&ends[1..]).zip(starting) {
                start = add(start, load(item));
                *out = store(add(*end, start));
            }
        }
    }
}

#[inline(always)]
fn slide_taps<I, O, const C: usize>(
    weights: &[f64],
    items: &[I],
    buffer: &mut [Lanes<C>],
    out: &mut [O],
    load: impl Fn(&I) -> Lanes<C>,
    store: impl Fn(Lanes<C>) -> O,
) {
    for (lanes, item) in buffer.iter_mut().zip(items) {
        *lanes = load(item);
    }
    for (out, window) in out.iter_mut().zip(buffer.windows(weights.len())) {
        let mut sum = [ZERO; C];
        for (&weight, item) in weights.iter().zip(window) {
            sum = add(sum, scaled(*item, weight));
        }
        *out = store(sum);
    }
}
