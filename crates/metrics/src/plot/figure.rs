use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::drawing::{DrawingAreaErrorKind, IntoDrawingArea};

use super::chart::Chart;
use super::draw::draw;
use crate::Error;

/// Title and size of a figure.
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
    let size = (chart.figure.width, chart.figure.height);
    let in_path = |source| Error::Draw { path: path.to_owned(), source };
    match format {
        Format::Png => present(chart, BitMapBackend::new(file, size)).map_err(in_path),
        Format::Svg => present(chart, SVGBackend::new(file, size)).map_err(in_path),
    }
}

fn present<DB>(
    chart: &Chart<'_>,
    backend: DB,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let area = backend.into_drawing_area();
    let drawn = draw(chart, &area).and_then(|()| area.present());
    drawn.map_err(|error: DrawingAreaErrorKind<DB::ErrorType>| error.into())
}
