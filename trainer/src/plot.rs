//! What pictures of accuracy against bytes share: ink and paper, and their axes.

use std::ops::Range;

use anyhow::Result;
use plotters::coord::Shift;
use plotters::coord::combinators::{LogCoord, WithKeyPoints};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Text and axes.
pub const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);

/// Some of matplotlib's viridis, without its palest end: an order that survives colour blindness and grey paper.
pub const COLOURS: [RGBColor; 5] = [
    RGBColor(68, 1, 84),
    RGBColor(59, 82, 139),
    RGBColor(33, 145, 140),
    RGBColor(94, 201, 98),
    RGBColor(194, 214, 35),
];

/// A picture, or a part of one.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Bytes to the right, on a logarithmic axis, and accuracy upwards.
pub type Chart<'a, 'b> =
    ChartContext<'a, SVGBackend<'b>, Cartesian2d<WithKeyPoints<LogCoord<f64>>, RangedCoordf64>>;

/// How text is written.
pub fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Draws axes with these names, and lines at round numbers.
///
/// # Errors
///
/// Those of plotters.
pub fn axes<'a, 'b>(
    area: &'a Area<'b>,
    bytes: Range<f64>,
    accuracy: Range<f64>,
    names: [&str; 2],
) -> Result<Chart<'a, 'b>> {
    let marks = ticks(bytes.start, bytes.end);
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(70)
        .build_cartesian_2d(bytes.log_scale().with_key_points(marks), accuracy)?;
    let [bytes, accuracy] = names;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_desc(bytes)
        .y_desc(accuracy)
        .x_label_formatter(&|bytes| bytes_label(*bytes))
        .y_label_formatter(&|accuracy| format!("{accuracy:.3}"))
        .y_labels(8)
        .label_style(text(14))
        .axis_desc_style(text(15))
        .draw()?;
    Ok(chart)
}

/// 1, 2 and 5 times powers of ten, in a range; 1, 1.5, 2, 3, 4, 5, 6, 8 times where that would be few.
fn ticks(from: f64, to: f64) -> Vec<f64> {
    let of = |steps: &[f64]| -> Vec<f64> {
        let powers = (0..10).map(|power| 10f64.powi(power));
        let all = powers.flat_map(|power| steps.iter().map(move |step| step * power));
        all.filter(|tick| (from..=to).contains(tick)).collect()
    };
    let few = of(&[1.0, 2.0, 5.0]);
    if few.len() >= 4 { few } else { of(&[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]) }
}

fn bytes_label(bytes: f64) -> String {
    if bytes < 1000.0 { format!("{bytes:.0}") } else { format!("{}k", bytes / 1000.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!(ticks(900.0, 120_000.0), [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5]);
        assert_eq!(ticks(9_000.0, 21_000.0), [1e4, 1.5e4, 2e4]);
        assert_eq!([bytes_label(500.0), bytes_label(1500.0), bytes_label(2e4)], ["500", "1.5k", "20k"]);
    }
}
