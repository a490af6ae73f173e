//! The frame of a JPEG: its size and components (ITU-T T.81, B.2.2).

use crate::Result;
use crate::error::{bail, ensure};
use crate::images::refusal::{CONVERT, demand, refuse};

/// The frame header.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// Whether coefficients come in several scans.
    pub is_progressive: bool,
    pub components: Vec<Component>,
    /// The largest sampling factors.
    pub sampling: (usize, usize),
}

/// One of the planes.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    pub id: u8,
    /// Horizontal and vertical sampling factors.
    pub sampling: (usize, usize),
    /// The number of the quantisation table.
    pub quantisation: usize,
    /// Samples a row, and rows.
    pub size: (usize, usize),
    /// Blocks of 8×8 samples that hold them.
    pub blocks: (usize, usize),
    /// Blocks with those that fill up the last units of interleaved scans.
    pub padded_blocks: (usize, usize),
}

impl Frame {
    /// Reads the header of a frame of the kind that `marker` tells, without its length.
    ///
    /// # Errors
    /// If it is of a kind that is not read, or makes no sense.
    pub fn parse(marker: u8, header: &[u8]) -> Result<Self> {
        check_process(marker)?;
        let Some((&[precision, h0, h1, w0, w1, count], listed)) = header.split_first_chunk() else {
            bail!("the frame header is cut off");
        };
        let (height, width) = (u16::from_be_bytes([h0, h1]), u16::from_be_bytes([w0, w1]));
        demand!(
            precision == 8,
            "JPEG with {precision} bits a sample is not supported, only 8; {CONVERT}"
        );
        demand!(height > 0, "JPEG whose height follows its data is not supported; {CONVERT}");
        ensure!(width > 0 && height > 0, "the header gives a size of {width}x{height} pixels");
        check_count(count)?;
        ensure!(listed.len() == 3 * usize::from(count), "the frame header is damaged");
        let factors = listed.chunks_exact(3).map(|part| (part[1] >> 4, part[1] & 15));
        let factors: Vec<(usize, usize)> = factors.map(|(h, v)| (h.into(), v.into())).collect();
        let is_factor = |factor: usize| (1..=4).contains(&factor);
        ensure!(
            factors.iter().all(|&(h, v)| is_factor(h) && is_factor(v)),
            "the frame header has sampling factors out of 1 to 4"
        );
        let largest = factors.iter().fold((1, 1), |most, &(h, v)| (most.0.max(h), most.1.max(v)));
        let size = (usize::from(width), usize::from(height));
        let component = |(part, sampling): (&[u8], (usize, usize))| {
            Component::new(part[0], sampling, part[2], size, largest)
        };
        let components: Vec<_> =
            listed.chunks_exact(3).zip(factors).map(component).collect::<Result<_>>()?;
        let is_progressive = marker == 0xC2;
        let frame =
            Self { width: size.0, height: size.1, is_progressive, components, sampling: largest };
        frame.check_components()?;
        Ok(frame)
    }

    fn check_components(&self) -> Result<()> {
        for (index, component) in self.components.iter().enumerate() {
            let (h, v) = component.sampling;
            demand!(
                self.sampling.0.is_multiple_of(h) && self.sampling.1.is_multiple_of(v),
                "JPEG with sampling factors that do not divide each other is not supported; {CONVERT}"
            );
            ensure!(
                self.components[..index].iter().all(|other| other.id != component.id),
                "the frame header names a component twice"
            );
        }
        Ok(())
    }

    /// Units of an interleaved scan a row, and rows of them.
    pub fn units(&self) -> (usize, usize) {
        let (h, v) = self.sampling;
        (self.width.div_ceil(8 * h), self.height.div_ceil(8 * v))
    }
}

impl Component {
    fn new(
        id: u8,
        sampling: (usize, usize),
        quantisation: u8,
        (width, height): (usize, usize),
        (h_max, v_max): (usize, usize),
    ) -> Result<Self> {
        ensure!(quantisation < 4, "the frame header names a quantisation table out of 0 to 3");
        let (h, v) = sampling;
        let size = ((width * h).div_ceil(h_max), (height * v).div_ceil(v_max));
        Ok(Self {
            id,
            sampling,
            quantisation: quantisation.into(),
            size,
            blocks: (size.0.div_ceil(8), size.1.div_ceil(8)),
            padded_blocks: (width.div_ceil(8 * h_max) * h, height.div_ceil(8 * v_max) * v),
        })
    }
}

/// Whether a marker starts a frame.
pub fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC)
}

fn check_process(marker: u8) -> Result<()> {
    let kind = match marker {
        0xC0..=0xC2 => return Ok(()),
        0xC3 => "lossless",
        0xC5..=0xC7 => "hierarchical",
        _ => "arithmetic-coded",
    };
    refuse!("{kind} JPEG is not supported; {CONVERT}");
}

fn check_count(count: u8) -> Result<()> {
    match count {
        1 | 3 => Ok(()),
        4 => refuse!(
            "expected grey or red, green and blue, got inks (CMYK), whose brightness no file says"
        ),
        _ => refuse!(
            "JPEG with {count} components is not supported, only grey and colour; {CONVERT}"
        ),
    }
}
