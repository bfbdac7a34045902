//! Charts as SVG. Colours are names for the style sheet: `style.css` says what they are in a light and in a dark page.

use std::ops::Range;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::prelude::*;

/// Text and axes.
const INK: RGBColor = RGBColor(1, 1, 1);
/// The mesh behind a chart.
const MESH: RGBColor = RGBColor(2, 2, 2);
/// What is compared, in order.
pub(super) const SERIES: [RGBColor; 4] =
    [RGBColor(11, 11, 11), RGBColor(12, 12, 12), RGBColor(13, 13, 13), RGBColor(14, 14, 14)];

/// What stands at an axis.
pub(super) struct Axis<'a> {
    pub(super) name: &'a str,
    pub(super) range: Range<f64>,
    /// Digits behind the point; with none, only whole numbers are named.
    pub(super) digits: usize,
}

/// Points of one kind.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) drawn: Drawn,
}

/// How points are drawn.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Drawn {
    /// As a line with a dot at each point.
    Line,
    /// As a line without dots that is no measurement, but what one is compared with.
    Guide,
    /// As dots.
    Dots,
    /// As bars from zero, of this width, centred.
    Bars(f64),
}

/// A chart; a vertical line stands at `mark`, with its name.
pub(super) fn chart(
    size: (u32, u32),
    x: &Axis<'_>,
    y: &Axis<'_>,
    series: &[Series<'_>],
    mark: Option<(f64, &str)>,
) -> Result<String> {
    let mut svg = String::new();
    {
        let root: DrawingArea<SVGBackend<'_>, Shift> =
            SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let text = |size: u32| ("sans-serif", size).into_font().color(&INK);
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(18)
            .x_label_area_size(44)
            .y_label_area_size(64)
            .build_cartesian_2d(x.range.clone(), y.range.clone())?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(MESH)
            .axis_style(INK)
            .x_desc(x.name)
            .y_desc(y.name)
            .x_label_formatter(&|value| number(*value, x.digits))
            .y_label_formatter(&|value| number(*value, y.digits))
            .x_labels(10)
            .y_labels(6)
            .label_style(text(13))
            .axis_desc_style(text(14))
            .draw()?;
        let names = series.iter().filter(|series| !series.name.is_empty()).count();
        for (index, Series { name, points, drawn }) in series.iter().enumerate() {
            let colour = SERIES[index % SERIES.len()];
            let drawn = match drawn {
                Drawn::Line => {
                    let dots = points.iter().map(|&point| Circle::new(point, 3, colour.filled()));
                    chart.draw_series(dots)?;
                    chart.draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
                }
                Drawn::Guide => chart.draw_series(DashedLineSeries::new(
                    points.iter().copied(),
                    5,
                    4,
                    INK.stroke_width(1),
                ))?,
                Drawn::Dots => {
                    chart.draw_series(points.iter().map(|&point| Circle::new(point, 2, colour.filled())))?
                }
                Drawn::Bars(width) => chart.draw_series(points.iter().map(|&(x, y)| {
                    Rectangle::new([(x - width / 2.0, 0.0), (x + width / 2.0, y)], colour.filled())
                }))?,
            };
            if names > 1 && !name.is_empty() {
                drawn
                    .label(*name)
                    .legend(move |(x, y)| Rectangle::new([(x, y - 4), (x + 12, y + 4)], colour.filled()));
            }
        }
        if let Some((at, name)) = mark {
            let line = [(at, y.range.start), (at, y.range.end)];
            chart.draw_series(DashedLineSeries::new(line, 4, 4, INK.stroke_width(1)))?;
            let beside = EmptyElement::at((at, y.range.end)) + Text::new(name.to_owned(), (5, 0), text(12));
            chart.draw_series([beside])?;
        }
        if names > 1 {
            chart.configure_series_labels().border_style(TRANSPARENT).label_font(text(13)).draw()?;
        }
        root.present()?;
    }
    Ok(scalable(&svg, size))
}

/// Squares, as dark as their share of their row.
pub(super) fn heat_map(rows: &[Vec<usize>], side: u32) -> Result<String> {
    let count = rows.len().max(1);
    let cell = (side / count as u32).max(3);
    let size = (cell * count as u32, cell * count as u32);
    let mut svg = String::new();
    {
        let root: DrawingArea<SVGBackend<'_>, Shift> =
            SVGBackend::with_string(&mut svg, size).into_drawing_area();
        for (y, row) in rows.iter().enumerate() {
            let all = row.iter().sum::<usize>().max(1) as f64;
            for (x, &texts) in row.iter().enumerate().filter(|(_, texts)| **texts > 0) {
                let (left, top) = (x as i32 * cell as i32, y as i32 * cell as i32);
                let colour = SERIES[usize::from(x != y)].mix((texts as f64 / all).sqrt().clamp(0.08, 1.0));
                let corners = [(left, top), (left + cell as i32 - 1, top + cell as i32 - 1)];
                root.draw(&Rectangle::new(corners, colour.filled()))?;
            }
        }
        root.present()?;
    }
    Ok(scalable(&svg, size))
}

/// `0.25` with two digits, `-12,500` with none; nothing for what would then be rounded.
fn number(value: f64, digits: usize) -> String {
    if digits > 0 {
        return format!("{value:.digits$}");
    }
    let whole = value.round();
    if (value - whole).abs() > 1e-6 {
        return String::new();
    }
    format!("{}{}", if whole < 0.0 { "-" } else { "" }, super::grouped(whole.abs() as usize))
}

/// An SVG that is as wide as its place, but not wider than it was drawn.
fn scalable(svg: &str, (width, height): (u32, u32)) -> String {
    let fixed = format!("<svg width=\"{width}\" height=\"{height}\"");
    svg.trim_end().replacen(&fixed, &format!("<svg style=\"max-width:{width}px\" role=\"img\""), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charts_scale_and_have_no_colours_of_their_own() {
        let axis = |name| Axis { name, range: 0.0..10.0, digits: 0 };
        let series = |drawn| Series { name: "", points: vec![(1.0, 2.0), (3.0, 4.0)], drawn };
        for drawn in [Drawn::Line, Drawn::Guide, Drawn::Dots, Drawn::Bars(0.5)] {
            let svg =
                chart((300, 200), &axis("x"), &axis("y"), &[series(drawn)], Some((5.0, "here"))).unwrap();
            assert!(svg.contains("style=\"max-width:300px\"") && svg.contains("viewBox"), "{svg}");
            assert!(svg.contains("here") && svg.ends_with("</svg>"));
            let mut colours = svg.split("=\"#").skip(1).map(|rest| &rest[..6]);
            assert!(colours.all(|colour| colour.starts_with('0')), "{svg}");
        }
        let numbers = [number(-12_500.0, 0), number(0.254, 2), number(-1e-12, 0), number(1.5, 0)];
        assert_eq!(numbers, ["-12,500", "0.25", "0", ""]);
        assert!(heat_map(&[vec![3, 1], vec![0, 2]], 200).unwrap().matches("<rect").count() == 3);
    }
}
