//! Drawing of a chart on any plotters backend.

use std::sync::Once;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::element::{DashedPathElement, PathElement, Text};
use plotters::prelude::{DrawingBackend, FontStyle, IntoTextStyle};
use plotters::series::{AreaSeries, DashedLineSeries, LineSeries};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, TextStyle, register_font};

use super::chart::{Chart, Fill, Line, Stroke};

type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
type Axes<'a, DB> = ChartContext<'a, DB, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

const FONT: &str = "sans-serif";
const TITLE_SIZE: u32 = 28;
const LABEL_SIZE: u32 = 22;
const TICK_SIZE: u32 = 19;
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
const PAPER: RGBColor = RGBColor(255, 255, 255);
const MARGIN: u32 = 20;
/// Room for tick labels and the name of an axis.
const X_LABELS: u32 = 65;
const Y_LABELS: u32 = 85;
const LEGEND_ROW: u32 = 30;
/// Length of the piece of line in the legend.
const SAMPLE: i32 = 40;
const DASH: u32 = 8;
const GAP: u32 = 6;

/// Draws the title, the axes with the lines, and below them, where it hides no
/// line, the legend.
pub(super) fn draw<DB>(chart: &Chart<'_>, area: &DrawingArea<DB, Shift>) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    register_fonts();
    area.fill(&PAPER)?;
    let labelled: Vec<&Line> = chart.lines.iter().filter(|line| line.label.is_some()).collect();
    let legend_height = LEGEND_ROW * labelled.len() as u32 + MARGIN;
    let (_, height) = area.dim_in_pixel();
    let (upper, lower) = area.split_vertically(height.saturating_sub(legend_height));
    draw_axes(chart, &upper)?;
    for (row, line) in labelled.iter().enumerate() {
        draw_legend_row(line, row as i32, &lower)?;
    }
    Ok(())
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

fn draw_axes<DB>(chart: &Chart<'_>, area: &DrawingArea<DB, Shift>) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let mut axes = ChartBuilder::on(area)
        .margin(MARGIN)
        .margin_bottom(0)
        .caption(chart.figure.title, text(TITLE_SIZE))
        .x_label_area_size(X_LABELS)
        .y_label_area_size(Y_LABELS)
        .build_cartesian_2d(chart.x.range.clone(), chart.y.range.clone())?;
    axes.configure_mesh()
        .max_light_lines(0)
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_labels(6)
        .y_labels(6)
        .label_style(text(TICK_SIZE))
        .axis_desc_style(text(LABEL_SIZE))
        .x_desc(chart.x.label)
        .y_desc(chart.y.label)
        .x_label_formatter(&|&value| (chart.x.tick)(value))
        .y_label_formatter(&|&value| (chart.y.tick)(value))
        .draw()?;
    chart.lines.iter().try_for_each(|line| draw_line(line, chart.y.range.start, &mut axes))
}

fn draw_line<DB>(line: &Line, floor: f64, axes: &mut Axes<'_, DB>) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let points = line.points.iter().copied();
    if line.fill == Fill::Below {
        axes.draw_series(AreaSeries::new(points.clone(), floor, line.colour.mix(0.25)))?;
    }
    match line.stroke {
        Stroke::Solid => axes.draw_series(LineSeries::new(points, stroke(line)))?,
        Stroke::Dashed => {
            axes.draw_series(DashedLineSeries::new(points, DASH, GAP, stroke(line)))?
        }
    };
    Ok(())
}

fn draw_legend_row<DB>(line: &Line, row: i32, area: &DrawingArea<DB, Shift>) -> Drawn<DB>
where
    DB: DrawingBackend<ErrorType: 'static>,
{
    let left = (MARGIN + Y_LABELS) as i32;
    let middle = row * LEGEND_ROW as i32 + LEGEND_ROW as i32 / 2;
    let sample = [(left, middle), (left + SAMPLE, middle)];
    match line.stroke {
        Stroke::Solid => area.draw(&PathElement::new(sample, stroke(line)))?,
        Stroke::Dashed => area.draw(&DashedPathElement::new(sample, DASH, GAP, stroke(line)))?,
    }
    let label = line.label.clone().unwrap_or_default();
    let beside = Pos::new(HPos::Left, VPos::Center);
    area.draw(&Text::new(label, (left + SAMPLE + 12, middle), text(TICK_SIZE).pos(beside)))
}

fn stroke(line: &Line) -> ShapeStyle {
    line.colour.stroke_width(2)
}

fn text(size: u32) -> TextStyle<'static> {
    (FONT, size, &INK).into_text_style(&(800, 800))
}
