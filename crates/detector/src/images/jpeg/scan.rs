//! Scans: the entropy-coded coefficients of components (ITU-T T.81, F.2 and G.2).

use super::frame::{Component, Frame};
use super::huffman::{Bits, Huffman};
use crate::Result;
use crate::error::{Context, bail, ensure};

/// The place of a coefficient in its block, row by row, by its number in zigzag order.
pub const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// The coefficients of a block, row by row.
pub type Block = [i16; 64];

/// Huffman tables by their numbers.
#[derive(Clone, Default)]
pub struct Tables {
    pub dc: [Option<Huffman>; 4],
    pub ac: [Option<Huffman>; 4],
}

/// The scan header.
pub struct Scan {
    /// The index of each component, and the numbers of its tables.
    pub components: Vec<(usize, usize, usize)>,
    /// The first and the last coefficient, in zigzag order.
    pub band: (usize, usize),
    /// Bits of precision that are left to later scans, before this scan (0 if it is the first) and after it.
    pub shifts: (u32, u32),
}

impl Scan {
    /// Reads a header, without its length.
    ///
    /// # Errors
    /// If it does not fit the frame.
    pub fn parse(header: &[u8], frame: &Frame) -> Result<Self> {
        const DAMAGED: &str = "a scan header is damaged";
        let (&count, rest) = header.split_first().context(DAMAGED)?;
        let (listed, rest) = rest.split_at_checked(2 * usize::from(count)).context(DAMAGED)?;
        let &[first, last, shifts] = rest else { bail!("{DAMAGED}") };
        let mut components: Vec<(usize, usize, usize)> = Vec::new();
        for part in listed.chunks_exact(2) {
            let index = frame.components.iter().position(|component| component.id == part[0]);
            let index = index.context(DAMAGED)?;
            ensure!(components.iter().all(|&(other, ..)| other != index), "{DAMAGED}");
            components.push((index, usize::from(part[1] >> 4), usize::from(part[1] & 15)));
        }
        ensure!(!components.is_empty(), "{DAMAGED}");
        ensure!(components.iter().all(|&(_, dc, ac)| dc < 4 && ac < 4), "{DAMAGED}");
        let scan = match frame.is_progressive {
            false => Self { components, band: (0, 63), shifts: (0, 0) },
            true => {
                let band = (usize::from(first), usize::from(last));
                let shifts = (u32::from(shifts >> 4), u32::from(shifts & 15));
                Self { components, band, shifts }
            }
        };
        let (first, last) = scan.band;
        let is_band = last < 64
            && first <= last
            && (!frame.is_progressive || (first == 0) == (last == 0))
            && (first == 0 || scan.components.len() == 1);
        ensure!(is_band && scan.shifts.1 < 14, "{DAMAGED}");
        Ok(scan)
    }

    /// The least bits of a row of units. A block of a sequential frame takes two codes or more, one of a progressive frame may take
    /// nothing.
    pub fn least_row(&self, frame: &Frame) -> usize {
        let blocks = match self.components[..] {
            _ if frame.is_progressive => 0,
            [(index, ..)] => frame.components[index].blocks.0,
            _ => {
                let parts = self.components.iter().map(|&(index, ..)| &frame.components[index]);
                let of_unit = |part: &Component| part.sampling.0 * part.sampling.1;
                frame.units().0 * parts.map(of_unit).sum::<usize>()
            }
        };
        2 * blocks
    }
}

/// Calls `place` for each block of a scan in the order of the data, with the number of its component within the scan and its
/// column and row.
///
/// # Errors
/// If a restart marker is missing, or `place` fails.
pub fn walk<'a>(
    frame: &Frame,
    scan: &Scan,
    restart_interval: usize,
    bits: &mut Bits<'a>,
    mut place: impl FnMut(&mut Decoder, &mut Bits<'a>, usize, usize, usize) -> Result<()>,
) -> Result<()> {
    let parts: Vec<&Component> =
        scan.components.iter().map(|&(index, ..)| &frame.components[index]).collect();
    let is_interleaved = parts.len() > 1;
    let (columns, rows) = if is_interleaved { frame.units() } else { parts[0].blocks };
    let mut decoder = Decoder::default();
    for unit in 0..columns * rows {
        if restart_interval > 0 && unit > 0 && unit.is_multiple_of(restart_interval) {
            bits.restart(((unit / restart_interval - 1) % 8) as u8)?;
            decoder = Decoder::default();
        }
        let (x, y) = (unit % columns, unit / columns);
        for (number, part) in parts.iter().enumerate() {
            let (h, v) = if is_interleaved { part.sampling } else { (1, 1) };
            for (dx, dy) in (0..v).flat_map(|dy| (0..h).map(move |dx| (dx, dy))) {
                place(&mut decoder, bits, number, x * h + dx, y * v + dy)?;
            }
        }
    }
    Ok(())
}

/// The state between the blocks of a scan.
#[derive(Default)]
pub struct Decoder {
    /// The last DC coefficient of each component.
    dc: [i32; 4],
    /// Blocks to come whose band is at its end.
    empty_blocks: u32,
}

impl Decoder {
    fn dc(&mut self, bits: &mut Bits<'_>, table: &Huffman, number: usize) -> Result<i32> {
        let length = table.read(bits)?;
        ensure!(length <= 15, "the data are damaged: a difference is out of range");
        self.dc[number] = self.dc[number].wrapping_add(bits.take_signed(length.into())?);
        Ok(self.dc[number])
    }

    /// A block of a sequential frame.
    ///
    /// # Errors
    /// If the data are damaged or end.
    pub fn sequential(
        &mut self,
        bits: &mut Bits<'_>,
        (dc, ac): (&Huffman, &Huffman),
        number: usize,
        block: &mut Block,
    ) -> Result<()> {
        block[0] = self.dc(bits, dc, number)? as i16;
        let mut index = 1;
        while index < 64 {
            let symbol = ac.read(bits)?;
            let (run, length) = (usize::from(symbol >> 4), u32::from(symbol & 15));
            match (run, length) {
                (15, 0) => index += 16,
                (_, 0) => break,
                _ => {
                    index += run;
                    *coefficient(block, index)? = bits.take_signed(length)? as i16;
                    index += 1;
                }
            }
        }
        Ok(())
    }

    /// The DC coefficient of a block, or its next bit.
    ///
    /// # Errors
    /// If the data are damaged or end.
    pub fn progressive_dc(
        &mut self,
        bits: &mut Bits<'_>,
        table: Option<&Huffman>,
        number: usize,
        shift: u32,
        block: &mut Block,
    ) -> Result<()> {
        match table {
            Some(table) => block[0] = (self.dc(bits, table, number)? << shift) as i16,
            None => block[0] |= (bits.take(1)? << shift) as i16,
        }
        Ok(())
    }

    /// The first bits of a band of a block.
    ///
    /// # Errors
    /// If the data are damaged or end.
    pub fn progressive_ac(
        &mut self,
        bits: &mut Bits<'_>,
        table: &Huffman,
        scan: &Scan,
        block: &mut Block,
    ) -> Result<()> {
        if self.empty_blocks > 0 {
            self.empty_blocks -= 1;
            return Ok(());
        }
        let (mut index, last) = scan.band;
        while index <= last {
            let symbol = table.read(bits)?;
            let (run, length) = (u32::from(symbol >> 4), u32::from(symbol & 15));
            match (run, length) {
                (15, 0) => index += 16,
                (_, 0) => {
                    self.empty_blocks = (1 << run) - 1 + bits.take(run)? as u32;
                    break;
                }
                _ => {
                    index += run as usize;
                    *coefficient(block, index)? =
                        (bits.take_signed(length)? << scan.shifts.1) as i16;
                    index += 1;
                }
            }
        }
        Ok(())
    }

    /// The next bits of a band of a block (G.1.2.3): those of coefficients that are not 0 lie between the others.
    ///
    /// # Errors
    /// If the data are damaged or end.
    pub fn refine_ac(
        &mut self,
        bits: &mut Bits<'_>,
        table: &Huffman,
        scan: &Scan,
        block: &mut Block,
    ) -> Result<()> {
        let (first, last) = scan.band;
        let one = 1_i16 << scan.shifts.1;
        let mut index = first;
        if self.empty_blocks == 0 {
            while index <= last {
                let symbol = table.read(bits)?;
                let (mut run, length) = (u32::from(symbol >> 4), symbol & 15);
                let value = match (run, length) {
                    (15, 0) => 0,
                    (_, 0) => {
                        self.empty_blocks = (1 << run) + bits.take(run)? as u32;
                        break;
                    }
                    _ if bits.take(1)? == 1 => one,
                    _ => -one,
                };
                while index <= last {
                    let place = coefficient(block, index)?;
                    index += 1;
                    if *place != 0 {
                        refine(bits, one, place)?;
                    } else if run == 0 {
                        *place = value;
                        break;
                    } else {
                        run -= 1;
                    }
                }
            }
        }
        if self.empty_blocks > 0 {
            for index in index..=last {
                let place = coefficient(block, index)?;
                if *place != 0 {
                    refine(bits, one, place)?;
                }
            }
            self.empty_blocks -= 1;
        }
        Ok(())
    }
}

/// Adds a bit to a coefficient that is not 0.
fn refine(bits: &mut Bits<'_>, one: i16, value: &mut i16) -> Result<()> {
    if bits.take(1)? == 1 && *value & one == 0 {
        *value = value.wrapping_add(if *value > 0 { one } else { -one });
    }
    Ok(())
}

/// A coefficient by its number in zigzag order.
fn coefficient(block: &mut Block, index: usize) -> Result<&mut i16> {
    let place =
        ZIGZAG.get(index).context("the data are damaged: a block has too many coefficients")?;
    Ok(&mut block[usize::from(*place)])
}
