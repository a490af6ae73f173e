//! Opens a score map, thresholds it, and measures the regions, so that other libraries can be compared with this one:
//! see `compare.py` beside this file.
//!
//! ```text
//! postprocess SCORES WIDTH HEIGHT DIAMETER THRESHOLD OUT
//! ```
//!
//! SCORES holds little-endian f32 values, row by row. OUT, a folder, gets `opened.f32` and `labels.u32` in the same
//! layout and `regions.txt` with the columns label, area, x0, y0, x1, y1, centroid x, centroid y, mean, maximum.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use inspect::{Connectivity, Disk, Image, label, open, regions, threshold_mask};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scores, width, height, diameter, threshold, out] = &arguments[..] else {
        return Err("usage: postprocess SCORES WIDTH HEIGHT DIAMETER THRESHOLD OUT".into());
    };
    let (bytes, out) = (fs::read(scores)?, Path::new(out));
    let values = bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    let scores = Image::new(width.parse()?, height.parse()?, values)?;

    let opened = open(&scores, Disk::with_diameter(diameter.parse()?));
    let mask = threshold_mask(&opened, threshold.parse()?);
    let labels = label(&mask, Connectivity::Eight);
    let mut table = String::new();
    for r in regions(&mask, &opened, Connectivity::Eight)?.regions {
        write!(table, "{} {} {} {} {} {} ", r.label, r.area, r.x0, r.y0, r.x1, r.y1)?;
        writeln!(
            table,
            "{} {} {} {}",
            r.centroid_x,
            r.centroid_y,
            r.mean_score,
            f64::from(r.max_score)
        )?;
    }

    fs::create_dir_all(out)?;
    fs::write(
        out.join("opened.f32"),
        opened.data().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(),
    )?;
    fs::write(
        out.join("labels.u32"),
        labels.data().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>(),
    )?;
    fs::write(out.join("regions.txt"), table)?;
    Ok(())
}
