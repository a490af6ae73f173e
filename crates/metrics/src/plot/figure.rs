use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea;

use super::chart::Chart;
use super::draw::{Sizes, draw};
use crate::Error;

/// Title and size of a figure, 200 to 8192 pixels wide and high.
///
/// The legend takes 30 pixels of the height for each of its entries.
///
/// ```
/// use metrics::Figure;
///
/// let wide = Figure { width: 1200, ..Figure::new("Fabric") };
/// assert_eq!((wide.width, wide.height), (1200, 800));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure<'a> {
    /// Written above the axes.
    pub title: &'a str,
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
}

impl<'a> Figure<'a> {
    /// A figure of 800×800 pixels.
    pub fn new(title: &'a str) -> Self {
        Self { title, width: 800, height: 800 }
    }

    fn check(&self, path: &Path) -> Result<(), Error> {
        const SMALLEST: u32 = 200;
        const LARGEST: u32 = 8192;
        let Self { width, height, .. } = *self;
        if [width, height].iter().all(|side| (SMALLEST..=LARGEST).contains(side)) {
            return Ok(());
        }
        let (smallest, largest) = (SMALLEST, LARGEST);
        Err(Error::FigureSize { path: path.to_owned(), smallest, largest, width, height })
    }
}

/// What to write, by the extension of the file name.
#[derive(Clone, Copy)]
enum Format {
    Png,
    Svg,
}

impl Format {
    fn of(path: &Path) -> Result<Self, Error> {
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => Err(Error::UnknownFormat { path: path.to_owned() }),
        }
    }
}

/// Draws a chart to a file that appears only when it is complete.
pub(super) fn save(chart: &Chart<'_>, path: &Path) -> Result<(), Error> {
    let format = Format::of(path)?;
    chart.figure.check(path)?;
    let temporary = temporary_beside(path);
    let written = write(chart, format, &temporary, path).and_then(|()| {
        fs::rename(&temporary, path)
            .map_err(|source| Error::Write { path: path.to_owned(), source })
    });
    if written.is_err() {
        // It may not exist; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A name in the same folder that no other figure is written to, with the
/// same extension.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(format!(".{}-{number}-", process::id()));
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

fn write(chart: &Chart<'_>, format: Format, file: &Path, path: &Path) -> Result<(), Error> {
    // Said here, an unwritable folder is a plain error of the file system.
    File::create(file).map_err(|source| Error::Write { path: path.to_owned(), source })?;
    let drawn = match format {
        Format::Png => draw_png(chart, file),
        Format::Svg => draw_svg(chart, file),
    };
    drawn.map_err(|source| Error::Draw { path: path.to_owned(), source })
}

type DrawResult = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn draw_svg(chart: &Chart<'_>, file: &Path) -> DrawResult {
    let size = (chart.figure.width, chart.figure.height);
    let area = SVGBackend::new(file, size).into_drawing_area();
    draw(chart, &area, Sizes::scaled(1))?;
    Ok(area.present()?)
}

/// plotters draws lines on bitmaps without smoothing. Drawing three times as
/// large and averaging smooths lines and text alike.
fn draw_png(chart: &Chart<'_>, file: &Path) -> DrawResult {
    const SCALE: u32 = 3;
    let (width, height) = (chart.figure.width, chart.figure.height);
    let (wide, high) = (width * SCALE, height * SCALE);
    let mut large = vec![0; wide as usize * high as usize * RGB];
    let canvas = BitMapBackend::with_buffer(&mut large, (wide, high)).into_drawing_area();
    draw(chart, &canvas, Sizes::scaled(SCALE))?;
    canvas.present()?;
    drop(canvas);
    let small = averaged(&large, wide as usize, SCALE as usize);
    let mut image = BitMapBackend::new(file, (width, height));
    image.blit_bitmap((0, 0), (width, height), &small)?;
    Ok(image.present()?)
}

/// Bytes per pixel.
const RGB: usize = 3;

/// The means over blocks of `scale` by `scale` pixels of an image that is a
/// multiple of it wide and high.
fn averaged(pixels: &[u8], width: usize, scale: usize) -> Vec<u8> {
    let mean = |rows: &[u8], x: usize, channel: usize| {
        let block = (0..scale * scale).map(|at| (at / scale) * width + x * scale + at % scale);
        let sum: usize = block.map(|at| usize::from(rows[at * RGB + channel])).sum();
        (sum / (scale * scale)) as u8
    };
    let rows = pixels.chunks(width * scale * RGB);
    rows.flat_map(|rows| (0..width / scale * RGB).map(move |at| mean(rows, at / RGB, at % RGB)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_averaged_per_channel() {
        let pixels: Vec<u8> = [[0, 10, 0], [4, 10, 0], [8, 10, 0], [8, 30, 200]].concat();
        assert_eq!(averaged(&pixels, 2, 2), [5, 15, 50]);
        assert_eq!(averaged(&pixels.repeat(2), 4, 2), [2, 10, 0, 8, 20, 100]);
    }
}
