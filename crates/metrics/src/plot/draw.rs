//! Drawing of a chart on any plotters backend.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Once;

use plotters::chart::ChartBuilder;
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{Circle, DashedPathElement, PathElement, Text};
use plotters::prelude::{DrawingBackend, FontStyle, IntoTextStyle};
use plotters::series::AreaSeries;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, TextStyle, register_font};

use super::axis::Axis;
use super::chart::{Chart, ErrorBar, Fill, Line, Marks, Stroke};
use super::colours::{GRID, INK, PAPER};
use super::thin::thin;

type Drawn<DB, T = ()> = Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
/// Position from the left and from the top.
type Pixel = (i32, i32);

const FONT: &str = "sans-serif";

/// Lengths and text sizes.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    /// Units of the canvas per pixel of the figure.
    scale: u32,
    title: u32,
    label: u32,
    tick: u32,
    margin: u32,
    /// Room for tick labels and the name of an axis.
    x_labels: u32,
    y_labels: u32,
    legend_row: u32,
    /// The piece of line in the legend.
    sample: u32,
    dash: u32,
    gap: u32,
    line: u32,
    /// The radius of a mark, and half the width of an error bar.
    mark: u32,
    tick_mark: u32,
}

impl Sizes {
    /// The sizes on a canvas of `scale` units per pixel.
    pub(super) fn scaled(scale: u32) -> Self {
        Self {
            scale,
            title: 28 * scale,
            label: 22 * scale,
            tick: 19 * scale,
            margin: 20 * scale,
            x_labels: 65 * scale,
            y_labels: 85 * scale,
            legend_row: 30 * scale,
            sample: 40 * scale,
            dash: 8 * scale,
            gap: 6 * scale,
            line: 2 * scale,
            mark: 5 * scale,
            tick_mark: 6 * scale,
        }
    }
}

/// Columns and rows of the canvas between the axes.
pub(super) type Plotted = (Range<i32>, Range<i32>);

/// Draws the title, the axes with the lines, and below them, where it hides no
/// line, the legend. Returns where the axes span.
pub(super) fn draw<DB>(
    chart: &Chart,
    title: &str,
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB, Plotted>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    register_fonts();
    area.fill(&PAPER.rgb)?;
    let legend_height = sizes.legend_row * chart.legend_entries() as u32 + sizes.margin;
    let (_, height) = area.dim_in_pixel();
    let (upper, lower) = area.split_vertically(height.saturating_sub(legend_height));
    let plotted = draw_axes(chart, title, &upper, sizes)?;
    for (row, line) in chart.labelled().enumerate() {
        draw_legend_row(line, row as u32, &lower, sizes)?;
    }
    Ok(plotted)
}

/// plotters looks fonts up by name; with this one of its own, the figures need
/// none of the system and look the same everywhere.
fn register_fonts() {
    static FONTS: Once = Once::new();
    FONTS.call_once(|| {
        // A font that cannot be read shows as an error of the first drawing.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

fn draw_axes<DB>(
    chart: &Chart,
    title: &str,
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB, Plotted>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let mut builder = ChartBuilder::on(area);
    if !title.is_empty() {
        builder.caption(title, text(sizes.title));
    }
    let mut axes = builder
        .margin(sizes.margin)
        .margin_bottom(0)
        .x_label_area_size(sizes.x_labels)
        .y_label_area_size(sizes.y_labels)
        .build_cartesian_2d(Coordinate::new(&chart.x), Coordinate::new(&chart.y))?;
    axes.configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID.rgb.stroke_width(sizes.scale))
        .axis_style(INK.rgb.stroke_width(sizes.scale))
        .set_all_tick_mark_size(sizes.tick_mark)
        .label_style(text(sizes.tick))
        .axis_desc_style(text(sizes.label))
        .x_desc(&chart.x.label)
        .y_desc(&chart.y.label)
        .x_label_formatter(&|&position| chart.x.text_at(position).to_owned())
        .y_label_formatter(&|&position| chart.y.text_at(position).to_owned())
        .draw()?;
    for line in &chart.lines {
        let points = visible_points(line, &chart.x, area, sizes);
        if line.fill == Fill::Below {
            let tint = line.colour.rgb.mix(0.25);
            let floor = chart.y.range.start;
            axes.draw_series(AreaSeries::new(points.iter().copied(), floor, tint))?;
        }
        let pixels: Vec<Pixel> = points.iter().map(|point| axes.backend_coord(point)).collect();
        draw_line(line, pixels.iter().copied(), area, sizes)?;
        for &ErrorBar { x, low, high } in &line.error_bars {
            let ends = [low, high].map(|y| axes.backend_coord(&(x, y)));
            draw_error_bar(line, ends, area, sizes)?;
        }
        draw_marks(line, &pixels, area, sizes)?;
    }
    Ok(axes.plotting_area().get_pixel_range())
}

/// The points of a line that are seen: all that have marks, otherwise those that
/// are left of thinning by columns of half a pixel at most.
fn visible_points<'a, DB: DrawingBackend>(
    line: &'a Line,
    x: &Axis,
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Cow<'a, [(f64, f64)]> {
    if line.marks == Marks::Dots {
        return Cow::Borrowed(&line.points);
    }
    let columns = 2 * area.dim_in_pixel().0 / sizes.scale;
    Cow::Owned(thin(line.points.iter().copied(), columns, (x.range.start, x.range.end)))
}

/// An axis as plotters knows it, with the ticks of ours.
struct Coordinate {
    range: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Coordinate {
    fn new(axis: &Axis) -> Self {
        let ticks = axis.ticks.iter().map(|tick| tick.position).collect();
        Self { range: axis.range.clone().into(), ticks }
    }
}

impl Ranged for Coordinate {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.range.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.range.range()
    }
}

fn draw_line<DB>(
    line: &Line,
    pixels: impl IntoIterator<Item = Pixel>,
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let style = line.colour.rgb.stroke_width(sizes.line);
    for part in without_spikes(pixels) {
        match line.stroke {
            Stroke::Solid => area.draw(&PathElement::new(part, style))?,
            Stroke::Dashed => {
                area.draw(&DashedPathElement::new(part, sizes.dash, sizes.gap, style))?;
            }
        }
    }
    Ok(())
}

/// A vertical line with a bar across either end.
fn draw_error_bar<DB>(
    line: &Line,
    [low, high]: [Pixel; 2],
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let style = line.colour.rgb.stroke_width(sizes.line);
    let half = sizes.mark as i32;
    let across = |(x, y): Pixel| vec![(x - half, y), (x + half, y)];
    for part in [vec![low, high], across(low), across(high)] {
        area.draw(&PathElement::new(part, style))?;
    }
    Ok(())
}

fn draw_marks<DB>(
    line: &Line,
    pixels: &[Pixel],
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    if line.marks == Marks::Dots {
        for &pixel in pixels {
            area.draw(&Circle::new(pixel, sizes.mark, line.colour.rgb.filled()))?;
        }
    }
    Ok(())
}

/// Splits a line where it turns back. plotters extends the edges of a stroke
/// to where they meet, which makes long spikes of acute angles.
fn without_spikes(pixels: impl IntoIterator<Item = Pixel>) -> Vec<Vec<Pixel>> {
    let mut parts = Vec::new();
    let mut part: Vec<Pixel> = Vec::new();
    for pixel in pixels {
        match part[..] {
            [.., last] if last == pixel => continue,
            [.., before, last] if turns_back(before, last, pixel) => {
                parts.push(std::mem::replace(&mut part, vec![last]));
            }
            _ => {}
        }
        part.push(pixel);
    }
    parts.push(part);
    parts
}

fn turns_back(a: Pixel, b: Pixel, c: Pixel) -> bool {
    (b.0 - a.0) * (c.0 - b.0) + (b.1 - a.1) * (c.1 - b.1) < 0
}

fn draw_legend_row<DB>(
    line: &Line,
    row: u32,
    area: &DrawingArea<DB, Shift>,
    sizes: Sizes,
) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let left = (sizes.margin + sizes.y_labels) as i32;
    let right = left + sizes.sample as i32;
    let middle = (row * sizes.legend_row + sizes.legend_row / 2) as i32;
    let sample = [(left, middle), (right, middle)];
    draw_line(line, sample, area, sizes)?;
    draw_marks(line, &[(left.midpoint(right), middle)], area, sizes)?;
    let label = line.label.clone().unwrap_or_default();
    let start = right + sizes.sample as i32 / 4;
    let beside = text(sizes.tick).pos(Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(label, (start, middle), beside))
}

fn text(size: u32) -> TextStyle<'static> {
    (FONT, size, &INK.rgb).into_text_style(&(800, 800))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_where_they_turn_back() {
        let staircase = [(0, 9), (0, 5), (0, 5), (4, 5), (4, 0)];
        let kept = vec![(0, 9), (0, 5), (4, 5), (4, 0)];
        assert_eq!(without_spikes(staircase), [kept]);
        let spike = [(0, 9), (1, 0), (2, 9)];
        assert_eq!(without_spikes(spike), [vec![(0, 9), (1, 0)], vec![(1, 0), (2, 9)]]);
    }
}
