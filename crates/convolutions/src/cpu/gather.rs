//! Where the output pixels of a convolution find their inputs.

/// The inputs of one output pixel: `rows` runs of `run` consecutive values, `row_stride` apart.
#[derive(Clone, Copy, Debug)]
pub struct Taps {
    pub rows: usize,
    pub row_stride: usize,
    pub run: usize,
}

impl Taps {
    /// The number of inputs of one output pixel.
    pub fn len(&self) -> usize {
        self.rows * self.run
    }

    /// The distance from an output pixel's first input to one past its last.
    fn extent(&self) -> usize {
        if self.len() == 0 { 0 } else { (self.rows - 1) * self.row_stride + self.run }
    }
}

/// The offset of a pixel in a buffer: `origin + y * row + x * column`.
#[derive(Clone, Copy, Debug)]
pub struct Steps {
    pub origin: usize,
    pub row: usize,
    pub column: usize,
}

impl Steps {
    #[inline(always)]
    fn at(&self, y: usize, x: usize) -> usize {
        self.origin + y * self.row + x * self.column
    }
}

/// A grid of output pixels, with the place of each pixel's first input and first output channel.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    pub height: usize,
    pub width: usize,
    pub source: Steps,
    pub target: Steps,
}

impl Grid {
    /// The rows of a matrix, which are `source` values apart, those of the result `target` values.
    pub fn rows(count: usize, source: usize, target: usize) -> Self {
        Self {
            height: 1,
            width: count,
            source: Steps { origin: 0, row: 0, column: source },
            target: Steps { origin: 0, row: 0, column: target },
        }
    }

    pub fn len(&self) -> usize {
        self.height * self.width
    }

    /// The source and target offsets of `M` consecutive pixels from `first` on, in row-major order. Past the end of the
    /// grid the last pixel is repeated.
    #[inline(always)]
    pub fn offsets<const M: usize>(&self, first: usize) -> ([usize; M], [usize; M]) {
        let (mut y, mut x) = match self.height {
            1 => (0, first),
            _ => (first / self.width, first % self.width),
        };
        let (mut source, mut target) = ([0; M], [0; M]);
        if x + M <= self.width {
            for m in 0..M {
                (source[m], target[m]) = (self.source.at(y, x + m), self.target.at(y, x + m));
            }
            return (source, target);
        }
        for m in 0..M {
            (source[m], target[m]) = (self.source.at(y, x), self.target.at(y, x));
            if x + 1 < self.width {
                x += 1;
            } else if y + 1 < self.height {
                (y, x) = (y + 1, 0);
            }
        }
        (source, target)
    }

    /// One past the largest source offset that a pixel of the grid reads.
    pub fn source_end(&self, taps: &Taps) -> usize {
        if self.len() == 0 {
            return 0;
        }
        self.source.at(self.height - 1, self.width - 1) + taps.extent()
    }
}
