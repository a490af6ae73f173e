//! The tags that are looked at (TIFF 6.0, and libtiff's `tiff.h`).

pub const NEW_SUBFILE_TYPE: u16 = 254;
pub const SUBFILE_TYPE: u16 = 255;
pub const WIDTH: u16 = 256;
pub const LENGTH: u16 = 257;
pub const BITS_PER_SAMPLE: u16 = 258;
pub const COMPRESSION: u16 = 259;
pub const PHOTOMETRIC: u16 = 262;
pub const FILL_ORDER: u16 = 266;
pub const DESCRIPTION: u16 = 270;
pub const STRIP_OFFSETS: u16 = 273;
pub const ORIENTATION: u16 = 274;
pub const SAMPLES_PER_PIXEL: u16 = 277;
pub const ROWS_PER_STRIP: u16 = 278;
pub const STRIP_BYTE_COUNTS: u16 = 279;
pub const PLANAR_CONFIGURATION: u16 = 284;
pub const PREDICTOR: u16 = 317;
pub const COLOR_MAP: u16 = 320;
pub const TILE_WIDTH: u16 = 322;
pub const TILE_LENGTH: u16 = 323;
pub const TILE_OFFSETS: u16 = 324;
pub const TILE_BYTE_COUNTS: u16 = 325;
pub const SUB_DIRECTORIES: u16 = 330;
pub const EXTRA_SAMPLES: u16 = 338;
pub const SAMPLE_FORMAT: u16 = 339;
pub const JPEG_TABLES: u16 = 347;
pub const YCBCR_COEFFICIENTS: u16 = 529;
pub const YCBCR_SUBSAMPLING: u16 = 530;
pub const REFERENCE_BLACK_WHITE: u16 = 532;
pub const IMAGE_DEPTH: u16 = 32_997;
pub const TILE_DEPTH: u16 = 32_998;
/// MetaMorph: values of each plane of a stack.
pub const UIC2: u16 = 33_629;
