//! The planes of a JPEG's components, scan by scan.

use super::frame::{Component, Frame};
use super::huffman::{Bits, Huffman};
use super::idct;
use super::scan::{Block, Decoder, Scan, Tables, walk};
use crate::Result;
use crate::error::{Context, ensure};
use crate::images::refusal::EARLY;

/// The quantisation tables, row by row, by their numbers.
pub type Quantisation = [Option<[u16; 64]>; 4];

/// The most scans of all blocks: a progressive picture may come in 2,000, and most come in 10. Small pictures may have more.
const MOST_SCANS: u64 = 64;
const BLOCKS_BESIDE: u64 = 1 << 22;

/// The samples of a component, padded to whole blocks.
pub struct Samples {
    values: Vec<u8>,
    stride: usize,
}

impl Samples {
    /// The first samples of a row.
    pub fn row(&self, y: usize, width: usize) -> &[u8] {
        &self.values[y * self.stride..][..width]
    }
}

/// A component as far as it is decoded.
struct Plane {
    samples: Samples,
    /// Latched when the component's first scan begins.
    quantisation: Option<[u16; 64]>,
    /// All blocks of a progressive frame, row by row.
    blocks: Vec<Block>,
    /// Bits of each coefficient that are still missing; none has come if there is none.
    missing: [Option<u32>; 64],
}

impl Plane {
    fn new(component: &Component, is_progressive: bool) -> Self {
        let (columns, rows) = component.padded_blocks;
        let blocks = if is_progressive { columns * rows } else { 0 };
        let samples = Samples { values: vec![0; 64 * columns * rows], stride: 8 * columns };
        Self { samples, quantisation: None, blocks: vec![[0; 64]; blocks], missing: [None; 64] }
    }

    fn put(&mut self, block: &Block, quantisation: &[u16; 64], x: usize, y: usize) {
        let values = idct::samples(block, quantisation);
        for (dy, row) in values.chunks_exact(8).enumerate() {
            let start = (8 * y + dy) * self.samples.stride + 8 * x;
            self.samples.values[start..start + 8].copy_from_slice(row);
        }
    }
}

/// The components of a frame as far as they are decoded.
pub struct Planes {
    planes: Vec<Plane>,
    /// Blocks that scans may still come to.
    left: u64,
}

impl Planes {
    pub fn new(frame: &Frame) -> Self {
        let plane = |component| Plane::new(component, frame.is_progressive);
        let left = MOST_SCANS * blocks(frame) + BLOCKS_BESIDE;
        Self { planes: frame.components.iter().map(plane).collect(), left }
    }

    /// Memory that a frame takes, in bytes.
    pub fn bytes(frame: &Frame) -> u64 {
        let of_block = if frame.is_progressive { 3 * 64 } else { 64 };
        blocks(frame) * of_block
    }

    /// Decodes a scan.
    ///
    /// # Errors
    /// If a table is missing, the scan does not follow those before it, or the data are damaged or end early.
    pub fn decode(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &Tables,
        quantisation: &Quantisation,
        restart_interval: usize,
        bits: &mut Bits<'_>,
    ) -> Result<()> {
        for &(index, ..) in &scan.components {
            let left = self.left.checked_sub(blocks_of(&frame.components[index]));
            self.left = left.context("the picture comes in too many scans")?;
            let table = quantisation[frame.components[index].quantisation];
            let plane = &mut self.planes[index];
            plane.quantisation = plane.quantisation.or(table);
            ensure!(plane.quantisation.is_some(), "a quantisation table is missing");
            plane.follow(scan)?;
        }
        match frame.is_progressive {
            true => self.progressive(frame, scan, tables, restart_interval, bits),
            false => self.sequential(frame, scan, tables, restart_interval, bits),
        }
    }

    fn sequential(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &Tables,
        restart_interval: usize,
        bits: &mut Bits<'_>,
    ) -> Result<()> {
        let pair = |&(_, dc, ac): &(usize, usize, usize)| {
            Ok((table(&tables.dc, dc)?, table(&tables.ac, ac)?))
        };
        let pairs: Vec<(&Huffman, &Huffman)> =
            scan.components.iter().map(pair).collect::<Result<_>>()?;
        walk(frame, scan, restart_interval, bits, |decoder, bits, number, x, y| {
            let mut block = [0; 64];
            decoder.sequential(bits, pairs[number], number, &mut block)?;
            let plane = &mut self.planes[scan.components[number].0];
            let quantisation = plane.quantisation.context("a quantisation table is missing")?;
            plane.put(&block, &quantisation, x, y);
            Ok(())
        })
    }

    fn progressive(
        &mut self,
        frame: &Frame,
        scan: &Scan,
        tables: &Tables,
        restart_interval: usize,
        bits: &mut Bits<'_>,
    ) -> Result<()> {
        let is_first = scan.shifts.0 == 0;
        let (is_dc, refines) = (scan.band.0 == 0, !is_first);
        let needed = |&(_, dc, ac): &(usize, usize, usize)| match (is_dc, refines) {
            (true, true) => Ok(None),
            (true, false) => table(&tables.dc, dc).map(Some),
            (false, _) => table(&tables.ac, ac).map(Some),
        };
        let needed: Vec<Option<&Huffman>> =
            scan.components.iter().map(needed).collect::<Result<_>>()?;
        walk(frame, scan, restart_interval, bits, |decoder: &mut Decoder, bits, number, x, y| {
            let index = scan.components[number].0;
            let columns = frame.components[index].padded_blocks.0;
            let block = &mut self.planes[index].blocks[y * columns + x];
            match (is_dc, needed[number]) {
                (true, dc) => decoder.progressive_dc(bits, dc, number, scan.shifts.1, block),
                (false, Some(ac)) if refines => decoder.refine_ac(bits, ac, scan, block),
                (false, Some(ac)) => decoder.progressive_ac(bits, ac, scan, block),
                (false, None) => Ok(()),
            }
        })
    }

    /// The samples of each component.
    ///
    /// # Errors
    /// If some coefficients have not come.
    pub fn finish(mut self, frame: &Frame) -> Result<Vec<Samples>> {
        let is_whole = |plane: &Plane| plane.missing.iter().all(|&missing| missing == Some(0));
        ensure!(self.planes.iter().all(is_whole), "{EARLY}: a scan is missing");
        for (plane, component) in self.planes.iter_mut().zip(&frame.components) {
            let quantisation = plane.quantisation.context("a quantisation table is missing")?;
            for (index, block) in std::mem::take(&mut plane.blocks).iter().enumerate() {
                let columns = component.padded_blocks.0;
                plane.put(block, &quantisation, index % columns, index / columns);
            }
        }
        Ok(self.planes.into_iter().map(|plane| plane.samples).collect())
    }
}

impl Plane {
    /// Notes which coefficients a scan brings, and whether they are due.
    fn follow(&mut self, scan: &Scan) -> Result<()> {
        let (before, after) = scan.shifts;
        for missing in &mut self.missing[scan.band.0..=scan.band.1] {
            let is_due = match *missing {
                None => before == 0,
                Some(bits) => before == bits && bits == after + 1,
            };
            ensure!(is_due, "the data are damaged: a scan comes twice or out of order");
            *missing = Some(after);
        }
        Ok(())
    }
}

/// The blocks of all components.
fn blocks(frame: &Frame) -> u64 {
    frame.components.iter().map(blocks_of).sum()
}

fn blocks_of(component: &Component) -> u64 {
    let (columns, rows) = component.padded_blocks;
    columns as u64 * rows as u64
}

fn table(tables: &[Option<Huffman>; 4], number: usize) -> Result<&Huffman> {
    tables[number].as_ref().context("a Huffman table is missing")
}
