//! The picture of a sweep: accuracy against bytes, and the Pareto front.

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::cell::CellName;
use super::results::Row;
use super::size::Size;
use crate::plot::{self, Area, COLOURS, INK, text};

/// Width and height of the picture, and of the part to the right that explains it.
const SIZE: (u32, u32) = (960, 560);
const LEGEND: u32 = 150;

/// The room that a point's label takes.
const LABEL: (i32, i32) = (90, 15);

const FRONT: RGBColor = RGBColor(120, 120, 120);

/// Draws it as SVG; nothing is drawn where nothing was measured.
pub(super) fn svg(rows: &[Row], recommended: Option<Size>, flash: Option<usize>) -> Result<String> {
    let points: Vec<Point<'_>> = rows.iter().filter_map(Point::of).collect();
    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(SIZE.0 - LEGEND);
        let mut units: Vec<usize> = points.iter().map(|point| point.row.size.units).collect();
        units.sort_unstable();
        units.dedup();
        let mut cells: Vec<Option<CellName>> = points.iter().map(|point| point.row.size.cell).collect();
        cells.sort_unstable();
        cells.dedup();
        chart(&left, &points, (&units, &cells), recommended, flash)?;
        let floor = floor(&points);
        let marks = Marks {
            seeds: points.iter().any(|point| point.least < point.most),
            arrows: points.iter().any(|point| point.accuracy < floor),
        };
        legend(&right, (&units, &cells), marks)?;
        root.present()?;
    }
    Ok(out)
}

/// A row that has an accuracy.
struct Point<'a> {
    row: &'a Row,
    bytes: f64,
    accuracy: f64,
    /// Of its seeds.
    least: f64,
    most: f64,
}

impl<'a> Point<'a> {
    fn of(row: &'a Row) -> Option<Self> {
        let accuracy = row.accuracy()?;
        let seeds = row.means.iter().flat_map(|means| &means.accuracies);
        let (least, most) = seeds.fold((accuracy, accuracy), |(least, most), &x| (least.min(x), most.max(x)));
        Some(Self { row, bytes: row.bytes as f64, accuracy, least, most })
    }
}

fn chart(
    area: &Area<'_>,
    points: &[Point<'_>],
    (units, cells): (&[usize], &[Option<CellName>]),
    recommended: Option<Size>,
    flash: Option<usize>,
) -> Result<()> {
    if points.is_empty() {
        return Ok(());
    }
    let bounds = |of: &dyn Fn(&Point<'_>) -> f64| {
        let all = points.iter().map(of);
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)))
    };
    let (smallest, largest) = bounds(&|point| point.bytes);
    let (_, best) = bounds(&|point| point.accuracy);
    let worst = floor(points);
    let (smallest, largest) = (smallest / 1.25, largest * 1.25);
    let room = ((best - worst) * 0.08).max(0.002);
    let (floor, worst, best) = (worst, (worst - room).max(0.0), (best + 1.5 * room).min(1.0 + room));

    let names = ["bytes of model.kilo", "accuracy on the texts that validate (int8)"];
    let mut chart = plot::axes(area, smallest..largest, worst..best, names)?;

    if let Some(flash) = flash.map(|flash| flash as f64).filter(|flash| (smallest..largest).contains(flash)) {
        chart.draw_series(DashedLineSeries::new(
            [(flash, worst), (flash, best)],
            5,
            4,
            INK.stroke_width(1),
        ))?;
        let anchor = text(13).pos(Pos::new(HPos::Right, VPos::Top));
        chart.draw_series([EmptyElement::at((flash, best)) + Text::new("--flash", (-4, 2), anchor)])?;
    }

    // Between two sizes nothing better is known than the smaller one: the front is a staircase.
    let mut front: Vec<&Point<'_>> = points.iter().filter(|point| point.row.on_front).collect();
    front.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
    let mut stairs = Vec::new();
    for point in &front {
        stairs.extend(stairs.last().map(|&(_, accuracy)| (point.bytes, accuracy)));
        stairs.push((point.bytes, point.accuracy));
    }
    stairs.extend(stairs.last().map(|&(_, accuracy)| (largest, accuracy)));
    chart.draw_series(LineSeries::new(stairs, FRONT.stroke_width(2)))?;

    for point in points {
        let colour = colour(units, point.row.size.units);
        if point.least < point.most && point.most > worst {
            let bar = [(point.bytes, point.least.max(worst)), (point.bytes, point.most.min(best))];
            chart.draw_series([PathElement::new(bar, colour.stroke_width(1))])?;
        }
        if point.accuracy < floor {
            let arrow = Polygon::new([(-6, -10), (6, -10), (0, 0)], colour.filled());
            chart.draw_series([EmptyElement::at((point.bytes, worst)) + arrow])?;
            continue;
        }
        let at = (point.bytes, point.accuracy);
        let (radius, style) = match point.row.on_front {
            true => (6, colour.filled()),
            false => (4, colour.mix(0.75).filled()),
        };
        match mark(cells, point.row.size.cell, radius) {
            None => chart.draw_series([Circle::new(at, radius, style)])?,
            Some(corners) => chart.draw_series([EmptyElement::at(at) + Polygon::new(corners, style)])?,
        };
        if Some(point.row.size) == recommended {
            chart.draw_series([Circle::new(at, 10, INK.stroke_width(2))])?;
        }
    }

    // Above and to the left of the front there is nothing, but labels of neighbours: those that would cover one are
    // left out, the recommended size's first of all kept.
    front.sort_by_key(|point| Some(point.row.size) != recommended);
    let mut taken: Vec<(i32, i32)> = Vec::new();
    for point in front {
        let at = chart.backend_coord(&(point.bytes, point.accuracy));
        if taken.iter().any(|(x, y)| (x - at.0).abs() < LABEL.0 && (y - at.1).abs() < LABEL.1) {
            continue;
        }
        taken.push(at);
        let is_at_the_edge = at.0 - chart.plotting_area().get_pixel_range().0.start < LABEL.0;
        let (side, aside) = if is_at_the_edge { (HPos::Left, 6) } else { (HPos::Right, -7) };
        let anchor = text(12).pos(Pos::new(side, VPos::Bottom));
        let label = Text::new(label(point.row.size, cells), (aside, -10), anchor);
        chart.draw_series([EmptyElement::at((point.bytes, point.accuracy)) + label])?;
    }
    Ok(())
}

/// The lowest accuracy that is drawn where it is. What is far below most, such as the mean of a size with which one
/// seed came to nothing, would leave no room for the differences of the rest.
fn floor(points: &[Point<'_>]) -> f64 {
    let mut sorted: Vec<f64> = points.iter().map(|point| point.accuracy).collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(&worst), Some(&best)) = (sorted.first(), sorted.last()) else { return 0.0 };
    let quartile = sorted[sorted.len() / 4];
    let front = points.iter().filter(|point| point.row.on_front).map(|point| point.accuracy);
    let lowest = front.fold(best - 4.0 * (best - quartile), f64::min);
    sorted.into_iter().find(|&accuracy| accuracy >= lowest).unwrap_or(worst)
}

/// Marks that not every picture has.
struct Marks {
    seeds: bool,
    arrows: bool,
}

/// Explains colours and marks.
fn legend(area: &Area<'_>, (units, cells): (&[usize], &[Option<CellName>]), marks: Marks) -> Result<()> {
    let (text, small) = (text(14), text(12));
    let mut y = 24;
    area.draw(&Text::new("hidden units", (0, y), text.clone()))?;
    for &count in units {
        y += 22;
        area.draw(&Circle::new((8, y + 6), 6, colour(units, count).filled()))?;
        area.draw(&Text::new(count.to_string(), (22, y), text.clone()))?;
    }
    for &cell in cells.iter().filter(|_| cells.len() > 1) {
        y += if cells.first() == Some(&cell) { 30 } else { 22 };
        match mark(cells, cell, 6) {
            None => area.draw(&Circle::new((8, y + 6), 6, INK.filled()))?,
            Some(corners) => {
                area.draw(&Polygon::new(corners.map(|(x, up)| (8 + x, y + 6 + up)), INK.filled()))?
            }
        }
        let name = cell.map_or_else(|| "recipe's".to_owned(), |cell| cell.to_string());
        area.draw(&Text::new(name, (22, y), text.clone()))?;
    }
    y += 36;
    area.draw(&PathElement::new([(0, y + 6), (16, y + 6)], FRONT.stroke_width(2)))?;
    area.draw(&Text::new("Pareto front", (22, y), text.clone()))?;
    y += 24;
    area.draw(&Circle::new((8, y + 6), 8, INK.stroke_width(2)))?;
    area.draw(&Text::new("recommended", (22, y), text.clone()))?;
    if marks.seeds {
        y += 24;
        area.draw(&PathElement::new([(8, y - 2), (8, y + 14)], INK.stroke_width(1)))?;
        area.draw(&Text::new("from seed to seed", (22, y), text.clone()))?;
    }
    if marks.arrows {
        y += 24;
        area.draw(&Polygon::new([(2, y + 2), (14, y + 2), (8, y + 12)], INK.filled()))?;
        area.draw(&Text::new("far below", (22, y), text))?;
    }
    y += 36;
    let last = if cells.len() > 1 { "embedding / units / cell" } else { "embedding / units" };
    for line in ["at a point:", "vocabulary /", last] {
        area.draw(&Text::new(line, (0, y), small.clone()))?;
        y += 16;
    }
    Ok(())
}

/// The colour of a number of units, among all that there are.
fn colour(units: &[usize], of: usize) -> RGBColor {
    let place = units.iter().position(|&count| count == of).unwrap_or(0) as f64;
    let along = place / (units.len().max(2) - 1) as f64 * (COLOURS.len() - 1) as f64;
    let below = (along as usize).min(COLOURS.len() - 2);
    let (RGBColor(r, g, b), RGBColor(to_r, to_g, to_b)) = (COLOURS[below], COLOURS[below + 1]);
    let share = along - below as f64;
    let mix = |from: u8, to: u8| (f64::from(from) * (1.0 - share) + f64::from(to) * share).round() as u8;
    RGBColor(mix(r, to_r), mix(g, to_g), mix(b, to_b))
}

/// The corners of a cell's mark, around its middle; none for the first of the cells, whose mark is a circle.
fn mark(cells: &[Option<CellName>], of: Option<CellName>, radius: i32) -> Option<[(i32, i32); 4]> {
    let r = radius;
    match cells.iter().position(|&cell| cell == of).unwrap_or(0) % 4 {
        0 => None,
        1 => Some([(-r, -r), (r, -r), (r, r), (-r, r)]),
        2 => Some([(0, -r - 2), (r + 2, 0), (0, r + 2), (-r - 2, 0)]),
        _ => Some([(-r, r), (0, -r), (r, r), (0, r / 3)]),
    }
}

fn label(size: Size, cells: &[Option<CellName>]) -> String {
    let vocabulary = if size.vocabulary == 0 { "all".to_owned() } else { size.vocabulary.to_string() };
    let cell = size.cell.filter(|_| cells.len() > 1);
    let cell = cell.map_or_else(String::new, |cell| format!(" / {cell}"));
    format!("{vocabulary} / {} / {}{cell}", size.embedding, size.units)
}

#[cfg(test)]
mod tests {
    use super::super::cell::GRU;
    use super::super::results::rows;
    use super::super::results::tests::{candidate, size, trial};
    use super::*;

    #[test]
    fn colours_keep_their_order() {
        assert_eq!(colour(&[4, 8, 16], 4), COLOURS[0]);
        assert_eq!(colour(&[4, 8, 16], 8), COLOURS[2]);
        assert_eq!(colour(&[4, 8, 16], 16), COLOURS[4]);
        assert_eq!(colour(&[4], 4), COLOURS[0]);
    }

    #[test]
    fn every_measured_size_is_drawn() {
        let sizes = [size(10, 4), size(10, 8), size(0, 8)];
        let candidates: Vec<_> =
            sizes.iter().zip([1000, 2000, 3000]).map(|(size, bytes)| candidate(*size, bytes)).collect();
        let trials = [trial(sizes[0], 0, 1000, 0.7), trial(sizes[2], 0, 3000, 0.9)];
        let rows = rows(&candidates, &trials, &[0]);
        let drawn = svg(&rows, Some(sizes[2]), Some(2500)).unwrap();
        assert!(drawn.contains("10 / 8 / 4") && drawn.contains("all / 8 / 8") && drawn.contains("--flash"));
        // Two points, the recommended one's ring, and the legend: two colours and a ring.
        assert_eq!(drawn.matches("<circle").count(), 3 + 3, "{drawn}");
        assert_eq!(drawn.matches("<polygon").count(), 0, "nothing is far below");
        assert!(svg(&[], None, None).unwrap().contains("</svg>"), "nothing is a picture, too");
    }

    #[test]
    fn cells_have_marks_of_their_own() {
        let sizes = [size(10, 4), Size { cell: Some(GRU), ..size(10, 4) }];
        let candidates: Vec<_> =
            sizes.iter().zip([1000, 2000]).map(|(size, bytes)| candidate(*size, bytes)).collect();
        let trials = [trial(sizes[0], 0, 1000, 0.7), trial(sizes[1], 0, 2000, 0.9)];
        let drawn = svg(&rows(&candidates, &trials, &[0]), None, None).unwrap();
        assert!(drawn.contains("10 / 8 / 4 / gru") && drawn.contains("10 / 8 / 4 / relu"), "{drawn}");
        // The ReLU's point and its mark in the legend.
        assert_eq!(drawn.matches("<polygon").count(), 2, "{drawn}");
    }

    #[test]
    fn what_is_far_below_leaves_room_for_the_rest() {
        let accuracies = [0.85, 0.6, 0.87, 0.88, 0.86, 0.9];
        let sizes: Vec<_> = (1..=6).map(|units| size(10, 4 * units)).collect();
        let candidates: Vec<_> =
            sizes.iter().enumerate().map(|(i, size)| candidate(*size, 1000 * (i + 1))).collect();
        let trials: Vec<_> = sizes
            .iter()
            .zip(accuracies)
            .enumerate()
            .map(|(i, (size, accuracy))| trial(*size, 0, 1000 * (i + 1), accuracy))
            .collect();
        let rows = rows(&candidates, &trials, &[0]);
        let points: Vec<_> = rows.iter().filter_map(Point::of).collect();
        assert_eq!(floor(&points), 0.85);
        // An arrow at the size and one in the legend.
        assert_eq!(svg(&rows, None, None).unwrap().matches("<polygon").count(), 2);
    }
}
