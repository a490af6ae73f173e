//! Whether a JPEG's components are YCbCr, and YCbCr as red, green and blue.

use super::frame::Frame;

/// The meaning of three components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Rgb,
    YCbCr,
}

/// The segments that tell the meaning of components.
#[derive(Clone, Copy, Debug, Default)]
pub struct Application {
    pub has_jfif: bool,
    /// The transform of Adobe's segment.
    pub adobe: Option<u8>,
}

impl Application {
    /// Looks at an application segment, of which JFIF has APP0 and Adobe APP14.
    pub fn note(&mut self, marker: u8, content: &[u8]) {
        match marker {
            0xE0 if content.len() >= 14 && content.starts_with(b"JFIF\0") => self.has_jfif = true,
            0xEE if content.len() >= 12 && content.starts_with(b"Adobe") => {
                self.adobe = Some(content[11]);
            }
            _ => {}
        }
    }

    /// As libjpeg decides (`default_decompress_parms`): JFIF is YCbCr; else Adobe's transform tells, and else the components'
    /// names.
    pub fn colour(self, frame: &Frame) -> Colour {
        let names: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        match self.adobe {
            _ if self.has_jfif => Colour::YCbCr,
            Some(0) => Colour::Rgb,
            None if names == *b"RGB" => Colour::Rgb,
            _ => Colour::YCbCr,
        }
    }
}

/// Red, green and blue, rounded as libjpeg does (`jdcolor.c`).
pub fn rgb_of_ycbcr([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}
