//! Huffman codes and the bits that they are read from (ITU-T T.81, F.2.2).

use crate::Result;
use crate::error::{Context, bail, ensure};
use crate::images::refusal::EARLY;

/// Codes up to this length are looked up at once.
const SHORT: u32 = 9;

/// The most bytes of no meaning behind a scan: some cameras leave one or two, which libjpeg passes over. More are pixels that are not
/// where they belong.
const MOST_STRAY: usize = 4;

/// A table of codes.
#[derive(Clone)]
pub struct Huffman {
    /// For each beginning of `SHORT` bits: the symbol and the length of its code, or a length of 0 for a longer code.
    short: Vec<(u8, u8)>,
    /// For each length from 1 to 16: one more than the largest code, aligned to 16 bits.
    ends: [u32; 16],
    /// For each length: what is added to a code to give its symbol's number.
    offsets: [i32; 16],
    symbols: Vec<u8>,
}

impl Huffman {
    /// Of the number of codes of each length, and the symbols in the order of their codes.
    ///
    /// # Errors
    /// If there are more codes of a length than fit.
    pub fn new(counts: &[u8; 16], symbols: &[u8]) -> Result<Self> {
        let mut table = Self {
            short: vec![(0, 0); 1 << SHORT],
            ends: [0; 16],
            offsets: [0; 16],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut index) = (0_u32, 0_usize);
        for (length, &count) in (1_u32..).zip(counts) {
            let row = length as usize - 1;
            table.offsets[row] = index as i32 - code as i32;
            for &symbol in &symbols[index..index + usize::from(count)] {
                ensure!(code < 1 << length, "a Huffman table has too many codes");
                if length <= SHORT {
                    let first = (code << (SHORT - length)) as usize;
                    table.short[first..first + (1 << (SHORT - length))]
                        .fill((symbol, length as u8));
                }
                code += 1;
            }
            index += usize::from(count);
            table.ends[row] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// The next symbol.
    ///
    /// # Errors
    /// If the bits are no code, or end.
    pub fn read(&self, bits: &mut Bits<'_>) -> Result<u8> {
        let ahead = bits.peek();
        let (symbol, length) = self.short[(ahead >> (16 - SHORT)) as usize];
        if length > 0 {
            bits.skip(length.into())?;
            return Ok(symbol);
        }
        let row = (SHORT as usize..16).find(|&row| ahead < self.ends[row]);
        let Some(row) = row else {
            // Zeros stand for bits that are missing, and ones that pad the last byte are no code.
            ensure!(bits.available() >= 16, "{EARLY}");
            bail!("the data are damaged: a code is not in its Huffman table");
        };
        let length = row as u32 + 1;
        bits.skip(length)?;
        let index = (ahead >> (16 - length)) as i32 + self.offsets[row];
        let symbol = usize::try_from(index).ok().and_then(|index| self.symbols.get(index));
        symbol.copied().context("the data are damaged: a code is not in its Huffman table")
    }
}

/// The bits of entropy-coded data up to the next marker.
pub struct Bits<'a> {
    data: &'a [u8],
    /// The next byte that is not yet in `buffer`.
    next: usize,
    /// The next bits, from the highest on.
    buffer: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    /// From a place in the data on.
    pub fn new(data: &'a [u8], start: usize) -> Self {
        Self { data, next: start, buffer: 0, count: 0 }
    }

    /// Takes bytes while there are any before the next marker; 0xFF stands for itself if 0 follows.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.data[self.next.min(self.data.len())..] {
                [0xFF, 0, ..] => {
                    self.next += 2;
                    0xFF
                }
                [0xFF, ..] | [] => return,
                [byte, ..] => {
                    self.next += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next 16 bits, zeros for those that are missing.
    fn peek(&mut self) -> u32 {
        if self.count < 16 {
            self.fill();
        }
        (self.buffer >> 48) as u32
    }

    /// Bits that have been taken from the data and not been read.
    fn available(&self) -> u32 {
        self.count
    }

    fn skip(&mut self, count: u32) -> Result<()> {
        ensure!(count <= self.count, "{EARLY}");
        self.buffer <<= count;
        self.count -= count;
        Ok(())
    }

    /// The next up to 16 bits as a number.
    ///
    /// # Errors
    /// If they are missing.
    pub fn take(&mut self, count: u32) -> Result<i32> {
        if count == 0 {
            return Ok(0);
        }
        let value = self.peek() >> (16 - count);
        self.skip(count)?;
        Ok(value as i32)
    }

    /// A signed number of up to 16 bits, as a difference or a coefficient is stored (F.2.2.1, EXTEND).
    ///
    /// # Errors
    /// If bits are missing.
    pub fn take_signed(&mut self, count: u32) -> Result<i32> {
        let value = self.take(count)?;
        Ok(if count > 0 && value < 1 << (count - 1) { value - (1 << count) + 1 } else { value })
    }

    /// Passes the restart marker of a number, which is the next thing in the data.
    ///
    /// # Errors
    /// If it is not.
    pub fn restart(&mut self, number: u8) -> Result<()> {
        self.fill();
        ensure!(self.count < 8, "the data are damaged: a restart marker is missing");
        (self.buffer, self.count) = (0, 0);
        while self.data[self.next.min(self.data.len())..].starts_with(&[0xFF, 0xFF]) {
            self.next += 1;
        }
        let found = self.data.get(self.next..self.next + 2);
        ensure!(found.is_some(), "{EARLY}");
        let is_next = found == Some(&[0xFF, 0xD0 + number]);
        ensure!(is_next, "the data are damaged: a restart marker is missing");
        self.next += 2;
        Ok(())
    }

    /// The place of the next marker, or the end of the data. A row of units takes at least `row` bits.
    ///
    /// # Errors
    /// If there are more data before it than bits that fill up and a few bytes that are no row: the header's size is not that of the
    /// picture.
    pub fn end(self, row: usize) -> Result<usize> {
        let is_marker = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF | 0xD0..=0xD7);
        let rest = &self.data[self.next.min(self.data.len())..];
        let length = rest.windows(2).position(is_marker).unwrap_or(rest.len());
        // Bits of the last byte that was begun fill it up.
        let buffer = (self.buffer << (self.count % 8)).to_be_bytes();
        let ahead = &buffer[..(self.count / 8) as usize];
        let count = ahead.len() + length;
        let are_stray = count <= MOST_STRAY && 8 * (count + 1) <= row;
        ensure!(
            are_stray || ahead.iter().chain(&rest[..length]).all(|byte| matches!(byte, 0 | 0xFF)),
            "the data go on after the end of the picture: the size in its header is wrong"
        );
        Ok(self.next + length)
    }
}
