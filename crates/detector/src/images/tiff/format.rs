//! How the values of a TIFF file are stored.

/// The type of all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Of 1 to 16 bits.
    Integer { bits: usize },
    /// Of 4 or 8 bytes.
    Float { bytes: usize },
}

impl Format {
    pub fn bits(self) -> usize {
        match self {
            Self::Integer { bits } => bits,
            Self::Float { bytes } => 8 * bytes,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Group4,
    Lzw,
    Deflate,
    PackBits,
    Jpeg,
}
