use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io, process};

use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::drawing::IntoDrawingArea;

use super::chart::Chart;
use super::colours::with_properties;
use super::draw::{Plotted, Sizes, draw};
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
    /// Written above the axes; an empty one takes no room.
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

    fn check(&self) -> Result<(), Error> {
        const SMALLEST: u32 = 200;
        const LARGEST: u32 = 8192;
        let Self { width, height, .. } = *self;
        if [width, height].iter().all(|side| (SMALLEST..=LARGEST).contains(side)) {
            return Ok(());
        }
        Err(Error::FigureSize { smallest: SMALLEST, largest: LARGEST, width, height })
    }
}

impl Chart {
    /// Writes the chart as PNG or SVG, by the extension of the file name. The
    /// file appears only when it is complete.
    ///
    /// # Errors
    /// [`Error::UnknownFormat`] unless the path ends in `.png` or `.svg`,
    /// [`Error::FigureSize`], [`Error::Draw`] and [`Error::Write`].
    pub fn save(&self, path: impl AsRef<Path>, figure: &Figure<'_>) -> Result<(), Error> {
        let path = path.as_ref();
        let extension = path.extension().map(|extension| extension.to_ascii_lowercase());
        let bytes = match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("png") => self.to_png(figure)?,
            Some("svg") => self.to_svg(figure)?.into_bytes(),
            _ => return Err(Error::UnknownFormat { path: path.to_owned() }),
        };
        replace(path, &bytes).map_err(|source| Error::Write { path: path.to_owned(), source })
    }

    /// The chart as a PNG file.
    ///
    /// # Errors
    /// [`Error::FigureSize`] and [`Error::Draw`].
    pub fn to_png(&self, figure: &Figure<'_>) -> Result<Vec<u8>, Error> {
        figure.check()?;
        draw_png(self, figure).map_err(|source| Error::Draw { source })
    }

    /// The chart as an SVG file.
    ///
    /// # Errors
    /// [`Error::FigureSize`] and [`Error::Draw`].
    pub fn to_svg(&self, figure: &Figure<'_>) -> Result<String, Error> {
        let attributes = "xmlns=\"http://www.w3.org/2000/svg\"";
        figure.check()?;
        let svg = draw_svg(self, figure).map_err(|source| Error::Draw { source })?;
        Ok(svg.element(attributes))
    }

    /// The chart as an `svg` element of an HTML page, in colours that the style
    /// sheet of the page can set, for example for a dark theme: `--ink` for
    /// texts and axes, `--paper`, `--grid`, `--reference` and `--series-1` to
    /// `--series-7`.
    ///
    /// For scripts that add to it, `data-area` has the left, top, right and bottom
    /// of the area between the axes in units of the `viewBox`, `data-x` and
    /// `data-y` the first and the last value of an axis, logarithms of a
    /// logarithmic one.
    ///
    /// ```
    /// use metrics::{Chart, Figure, roc};
    ///
    /// let curve = roc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true])?;
    /// let svg = Chart::roc(&[("SSIM-AE", &curve)])?.to_inline_svg(&Figure::new("Fabric"))?;
    /// assert!(svg.starts_with("<svg ") && svg.contains("stroke=\"var(--series-1, #0072B2)\""));
    /// assert!(svg.contains("data-x=\"0 1\" data-y=\"0 1\""));
    /// # Ok::<(), metrics::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::FigureSize`] and [`Error::Draw`].
    pub fn to_inline_svg(&self, figure: &Figure<'_>) -> Result<String, Error> {
        figure.check()?;
        let svg = draw_svg(self, figure).map_err(|source| Error::Draw { source })?;
        let (columns, rows) = &svg.plotted;
        let (x, y) = (&self.x.range, &self.y.range);
        let attributes = format!(
            "data-area=\"{} {} {} {}\" data-x=\"{} {}\" data-y=\"{} {}\"",
            columns.start, rows.start, columns.end, rows.end, x.start, x.end, y.start, y.end
        );
        Ok(with_properties(&svg.element(&attributes)))
    }
}

/// Writes a file through a temporary one in the same folder.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_beside(path);
    let written = fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It may not exist; the first error is the one to report.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A name in the same folder that no other figure is written to.
fn temporary_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(format!(".{}-{number}-", process::id()));
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

type Drawn<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A chart as SVG, without the tag that opens it.
struct Svg {
    size: String,
    content: String,
    plotted: Plotted,
}

impl Svg {
    fn element(&self, attributes: &str) -> String {
        format!("<svg {} {attributes}>{}", self.size, self.content)
    }
}

/// plotters places everything at whole units, of which a pixel gets four here,
/// so that curves are smooth on any screen.
fn draw_svg(chart: &Chart, figure: &Figure<'_>) -> Drawn<Svg> {
    const SCALE: u32 = 4;
    let (width, height) = (figure.width, figure.height);
    let (wide, high) = (width * SCALE, height * SCALE);
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (wide, high)).into_drawing_area();
    let plotted = draw(chart, figure.title, &area, Sizes::scaled(SCALE))?;
    area.present()?;
    drop(area);
    let (_, content) = text.split_once('>').unwrap_or_default();
    let size = format!("width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {wide} {high}\"");
    Ok(Svg { size, content: content.to_owned(), plotted })
}

/// plotters draws lines on bitmaps without smoothing. Drawing three times as
/// large and averaging smooths lines and text alike.
fn draw_png(chart: &Chart, figure: &Figure<'_>) -> Drawn<Vec<u8>> {
    const SCALE: u32 = 3;
    let (width, height) = (figure.width, figure.height);
    let (wide, high) = (width * SCALE, height * SCALE);
    let mut large = vec![0; wide as usize * high as usize * RGB];
    let canvas = BitMapBackend::with_buffer(&mut large, (wide, high)).into_drawing_area();
    draw(chart, figure.title, &canvas, Sizes::scaled(SCALE))?;
    canvas.present()?;
    drop(canvas);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&averaged(&large, wide as usize, SCALE as usize))?;
    writer.finish()?;
    Ok(file)
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
