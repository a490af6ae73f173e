//! JPEG files of all layouts, of given coefficients.

/// Coefficients of a block in zigzag order.
pub type Block = [i16; 64];

/// A picture as a JPEG file has it.
#[derive(Clone, Debug)]
pub struct Jpeg {
    pub width: usize,
    pub height: usize,
    /// Name, and horizontal and vertical sampling factors, of each component.
    pub components: Vec<(u8, usize, usize)>,
    /// Application segments.
    pub segments: Vec<(u8, Vec<u8>)>,
    pub restart_interval: usize,
    pub scans: Scans,
    /// The length of all codes of coefficients but the first: 9 to 15 bits.
    pub code_length: u32,
    /// The marker of the frame.
    pub process: u8,
    pub content: Content,
}

/// The order of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scans {
    Interleaved,
    /// One for each component.
    Separate,
    /// The first component, then the others.
    FirstAlone,
    /// In several scans of more and more bits.
    Progressive,
}

#[derive(Clone, Debug)]
pub enum Content {
    /// The level of each component.
    Flat(Vec<i16>),
    /// Coefficients of a generator.
    Busy,
}

/// A flat picture, with a level for each component.
pub fn flat(levels: &[i16]) -> Jpeg {
    let components = (1..=levels.len() as u8).map(|id| (id, 1, 1)).collect();
    Jpeg { components, content: Content::Flat(levels.to_vec()), ..busy() }
}

/// A picture of many coefficients.
pub fn busy() -> Jpeg {
    Jpeg {
        width: 45,
        height: 37,
        components: vec![(1, 2, 2), (2, 1, 1), (3, 1, 1)],
        segments: Vec::new(),
        restart_interval: 0,
        scans: Scans::Interleaved,
        code_length: 9,
        process: 0xC0,
        content: Content::Busy,
    }
}

/// Bits, with a zero behind each byte of ones.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    buffer: u8,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            self.buffer = self.buffer << 1 | (value >> bit & 1) as u8;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.buffer);
                if self.buffer == 0xFF {
                    self.bytes.push(0);
                }
                (self.buffer, self.count) = (0, 0);
            }
        }
    }

    /// Fills up the last byte with ones.
    fn end(&mut self) {
        while self.count > 0 {
            self.put(1, 1);
        }
    }
}

/// The bits of a value's length, and those of the value.
fn magnitude(value: i32) -> (u32, u32) {
    let length = 32 - value.unsigned_abs().leading_zeros();
    let bits = if value < 0 { value - 1 } else { value };
    (length, bits as u32 & ((1 << length) - 1))
}

impl Jpeg {
    fn largest(&self) -> (usize, usize) {
        let factors = self.components.iter();
        factors.fold((1, 1), |most, &(_, h, v)| (most.0.max(h), most.1.max(v)))
    }

    /// Columns and rows of the blocks that a component has, without and with those that fill up units.
    fn blocks(&self, index: usize) -> [(usize, usize); 2] {
        let ((h_max, v_max), (_, h, v)) = (self.largest(), self.components[index]);
        let (width, height) = ((self.width * h).div_ceil(h_max), (self.height * v).div_ceil(v_max));
        let units = (self.width.div_ceil(8 * h_max), self.height.div_ceil(8 * v_max));
        [(width.div_ceil(8), height.div_ceil(8)), (units.0 * h, units.1 * v)]
    }

    fn block(&self, index: usize, x: usize, y: usize) -> Block {
        let mut block = [0; 64];
        match &self.content {
            // Quantised by 8: the mean of a block is a sixty-fourth of its sum, and the transform's scale is 8.
            Content::Flat(levels) => block[0] = levels[index] - 128,
            Content::Busy => {
                // Blocks that fill up a unit are not shown, nor are they in scans of one component.
                let mut state = (1 + index + 31 * x + 1009 * y) as u32;
                for (place, value) in block.iter_mut().enumerate() {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let is_kept = place < 3 || (state >> 8).is_multiple_of(7);
                    let range = if place == 0 { 41 } else { 15 };
                    *value = if is_kept { (state >> 16) as i16 % range - range / 2 } else { 0 };
                }
            }
        }
        block
    }

    /// The file.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        for (marker, content) in &self.segments {
            segment(&mut bytes, *marker, content);
        }
        segment(&mut bytes, 0xDB, &[&[0][..], &[8; 64]].concat());
        let components = self.components.iter().flat_map(|&(id, h, v)| [id, (h << 4 | v) as u8, 0]);
        let (height, width) =
            ((self.height as u16).to_be_bytes(), (self.width as u16).to_be_bytes());
        let head = [8, height[0], height[1], width[0], width[1], self.components.len() as u8];
        segment(&mut bytes, self.process, &head.into_iter().chain(components).collect::<Vec<_>>());
        for (kind, length, symbols) in [(0, 5, 16), (0x10, self.code_length, 256)] {
            let mut table = vec![kind];
            table.extend((1..=16).map(|other| {
                if other == length { (symbols - 1) as u8 } else { u8::from(other == 16) }
            }));
            // The last symbol, which is not used, has a code of its own: a byte cannot count 256.
            table.extend((0..symbols).map(|symbol| symbol as u8));
            segment(&mut bytes, 0xC4, &table);
        }
        if self.restart_interval > 0 {
            segment(&mut bytes, 0xDD, &(self.restart_interval as u16).to_be_bytes());
        }
        let all: Vec<usize> = (0..self.components.len()).collect();
        match self.scans {
            Scans::Interleaved => self.scan(&mut bytes, &all, (0, 63), (0, 0)),
            Scans::Separate => {
                all.iter().for_each(|&index| self.scan(&mut bytes, &[index], (0, 63), (0, 0)));
            }
            Scans::FirstAlone => {
                self.scan(&mut bytes, &all[..1], (0, 63), (0, 0));
                self.scan(&mut bytes, &all[1..], (0, 63), (0, 0));
            }
            Scans::Progressive => self.progressive(&mut bytes, &all),
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    fn progressive(&self, bytes: &mut Vec<u8>, all: &[usize]) {
        self.scan(bytes, all, (0, 0), (0, 1));
        for &index in all {
            self.scan(bytes, &[index], (1, 5), (0, 2));
        }
        for &index in all {
            self.scan(bytes, &[index], (6, 63), (0, 2));
            self.scan(bytes, &[index], (1, 63), (2, 1));
        }
        self.scan(bytes, all, (0, 0), (1, 0));
        for &index in all {
            self.scan(bytes, &[index], (1, 63), (1, 0));
        }
    }

    fn scan(&self, bytes: &mut Vec<u8>, parts: &[usize], band: (usize, usize), shifts: (u32, u32)) {
        let mut head = vec![parts.len() as u8];
        head.extend(parts.iter().flat_map(|&index| [self.components[index].0, 0]));
        head.extend([band.0 as u8, band.1 as u8, (shifts.0 << 4 | shifts.1) as u8]);
        segment(bytes, 0xDA, &head);
        let [(mut columns, mut rows), _] = self.blocks(parts[0]);
        if parts.len() > 1 {
            let (h_max, v_max) = self.largest();
            (columns, rows) = (self.width.div_ceil(8 * h_max), self.height.div_ceil(8 * v_max));
        }
        let mut bits = Bits::default();
        let mut before = vec![0; parts.len()];
        for unit in 0..columns * rows {
            if self.restart_interval > 0 && unit > 0 && unit.is_multiple_of(self.restart_interval) {
                bits.end();
                bits.bytes.extend([0xFF, 0xD0 + ((unit / self.restart_interval - 1) % 8) as u8]);
                before.fill(0);
            }
            for (number, &index) in parts.iter().enumerate() {
                let (_, h, v) = self.components[index];
                let (h, v) = if parts.len() > 1 { (h, v) } else { (1, 1) };
                for (dy, dx) in (0..v).flat_map(|dy| (0..h).map(move |dx| (dy, dx))) {
                    let (x, y) = (unit % columns * h + dx, unit / columns * v + dy);
                    let block = self.block(index, x, y);
                    self.put(&mut bits, &block, band, shifts, &mut before[number]);
                }
            }
        }
        bits.end();
        bytes.extend(bits.bytes);
    }

    fn put(
        &self,
        bits: &mut Bits,
        block: &Block,
        band: (usize, usize),
        shifts: (u32, u32),
        before: &mut i32,
    ) {
        let is_progressive = self.scans == Scans::Progressive;
        if band.0 == 0 && shifts.0 > 0 {
            bits.put(u32::from((i32::from(block[0]) >> shifts.1) & 1 == 1), 1);
            return;
        }
        if band.0 == 0 {
            let value = i32::from(block[0]) >> shifts.1;
            let (length, value_bits) = magnitude(value - *before);
            *before = value;
            bits.put(length, 5);
            bits.put(value_bits, length);
        }
        if !is_progressive || band.0 > 0 {
            self.put_band(bits, block, (band.0.max(1), band.1), shifts);
        }
    }

    /// The coefficients of a band: their first bits, or the next one of each (ITU-T T.81, G.1.2).
    fn put_band(&self, bits: &mut Bits, block: &Block, band: (usize, usize), shifts: (u32, u32)) {
        let level = |place: usize, shift: u32| i32::from(block[place]).unsigned_abs() >> shift;
        let signed =
            |place: usize| i32::from(block[place]).signum() * level(place, shifts.1) as i32;
        let is_old = |place: usize| shifts.0 > 0 && level(place, shifts.0) > 0;
        let is_new = |place: &usize| !is_old(*place) && level(*place, shifts.1) > 0;
        let last = (band.0..=band.1).rev().find(is_new);
        let (mut run, mut corrections) = (0, Vec::new());
        for place in band.0..=last.unwrap_or(0) {
            if is_old(place) {
                corrections.push(level(place, shifts.1) & 1);
            } else if is_new(&place) {
                let (length, value) = magnitude(signed(place));
                bits.put(run << 4 | length, self.code_length);
                bits.put(value, length);
                corrections.drain(..).for_each(|bit| bits.put(bit, 1));
                run = 0;
            } else if run == 15 {
                bits.put(0xF0, self.code_length);
                corrections.drain(..).for_each(|bit| bits.put(bit, 1));
                run = 0;
            } else {
                run += 1;
            }
        }
        if last != Some(band.1) {
            bits.put(0, self.code_length);
            let rest = last.map_or(band.0, |last| last + 1)..=band.1;
            rest.filter(|&place| is_old(place))
                .for_each(|place| bits.put(level(place, shifts.1) & 1, 1));
        }
    }
}

/// Appends a segment.
pub fn segment(bytes: &mut Vec<u8>, marker: u8, content: &[u8]) {
    let length = (content.len() as u16 + 2).to_be_bytes();
    bytes.extend([0xFF, marker, length[0], length[1]]);
    bytes.extend(content);
}
