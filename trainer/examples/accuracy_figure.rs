//! The picture of what accuracy costs in bytes, our models beside fastText's: `cargo xtask bench accuracy --figure`.
//!
//!     accuracy_figure MEASURED.json RECORD.json OUT.svg
//!
//! MEASURED is what `cargo xtask bench accuracy --json` prints, RECORD what `xtask/peers/fasttext_points.py` does.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use kilornn_trainer::numbers::grouped;
use kilornn_trainer::plot::{self, COLOURS, text};
use plotters::prelude::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;

const SIZE: (u32, u32) = (960, 560);

const OURS: RGBColor = COLOURS[1];
const THEIRS: RGBColor = RGBColor(190, 80, 20);

/// Sizes of the labels' letters, and the share of it that one letter is wide, rather too much than too little: nothing
/// here measures fonts.
const LETTERS: u32 = 15;
const WIDTH: f64 = 0.6;

/// A model of ours.
#[derive(Deserialize)]
struct Measured {
    model: String,
    bytes: u64,
    examples: usize,
    accuracy: f64,
}

/// What fastText came to.
#[derive(Deserialize)]
struct Record {
    package: String,
    version: String,
    points: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    bytes: u64,
    accuracy: f64,
}

fn main() -> Result<()> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let mut next = || paths.next().context("accuracy_figure MEASURED.json RECORD.json OUT.svg");
    let (measured, record, out) = (next()?, next()?, next()?);
    let picture = svg(&read::<Vec<Measured>>(&measured)?, &read(&record)?)?;
    std::fs::write(&out, picture).with_context(|| format!("cannot write {}", out.display()))
}

fn read<T: DeserializeOwned>(path: &PathBuf) -> Result<T> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// A point and what stands at it.
struct Point {
    bytes: f64,
    accuracy: f64,
    label: String,
    colour: RGBColor,
    /// Where its label is best.
    above: bool,
}

fn svg(measured: &[Measured], record: &Record) -> Result<String> {
    let examples = measured.first().context("no model was measured")?.examples;
    ensure!(!record.points.is_empty(), "the record has no points");
    let ours = measured.iter().map(|model| Point {
        bytes: model.bytes as f64,
        accuracy: model.accuracy,
        label: format!("{} {:.3}", model.model, model.accuracy),
        colour: OURS,
        above: true,
    });
    let theirs = record.points.iter().map(|peer| Point {
        bytes: peer.bytes as f64,
        accuracy: peer.accuracy,
        label: format!("{:.3}", peer.accuracy),
        colour: THEIRS,
        above: false,
    });
    let (ours, theirs): (Vec<Point>, Vec<Point>) = (ours.collect(), theirs.collect());
    let all = || ours.iter().chain(&theirs);
    let bounds = |of: &dyn Fn(&Point) -> f64| {
        all().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)))
    };
    let ((smallest, largest), (worst, best)) =
        (bounds(&|point| point.bytes), bounds(&|point| point.accuracy));
    let room = ((best - worst) * 0.15).max(0.002);

    let mut out = String::new();
    {
        let root = SVGBackend::with_string(&mut out, SIZE).into_drawing_area();
        // The page behind it may be dark.
        root.fill(&WHITE)?;
        let accuracy = format!("accuracy on {} test reviews of IMDB", grouped(examples));
        let names = ["bytes of the model file, vocabulary included (k = 1,000; logarithmic)", &accuracy];
        let mut chart = plot::axes(&root, smallest / 1.6..largest * 1.6, worst - room..best + room, names)?;
        for points in [&ours, &theirs] {
            let mut sorted: Vec<&Point> = points.iter().collect();
            sorted.sort_by(|a, b| a.bytes.total_cmp(&b.bytes));
            // A line where one kind of model grows; ours are several recipes, and stand alone.
            if points[0].colour == THEIRS {
                let line = sorted.iter().map(|point| (point.bytes, point.accuracy));
                chart.draw_series(LineSeries::new(line, THEIRS.mix(0.5).stroke_width(2)))?;
            }
            for point in sorted {
                let at = (point.bytes, point.accuracy);
                chart.draw_series([Circle::new(at, 5, point.colour.filled())])?;
            }
        }
        let places: Vec<(i32, i32)> =
            all().map(|point| chart.backend_coord(&(point.bytes, point.accuracy))).collect();
        let width = SIZE.0 as i32;
        for (point, label) in all().zip(arranged(&all().collect::<Vec<_>>(), &places, width)) {
            let style = text(LETTERS).color(&point.colour);
            root.draw(&Text::new(point.label.clone(), (label.left, label.top), style))?;
        }
        // What the colours mean: below the curves, where nothing is.
        let (x, y) = (SIZE.0 as i32 - 480, SIZE.1 as i32 - 125);
        let theirs =
            format!("fastText, word bigrams, pruned and quantized ({} {})", record.package, record.version);
        for (row, (name, colour)) in [("KiloRNN, as shipped", OURS), (&*theirs, THEIRS)].iter().enumerate() {
            let y = y + 22 * row as i32;
            root.draw(&Circle::new((x, y), 5, colour.filled()))?;
            root.draw(&Text::new(*name, (x + 12, y - 7), text(LETTERS).color(colour)))?;
        }
        root.present()?;
    }
    Ok(out)
}

/// The rectangle that a label or a point covers.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Place {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
}

impl Place {
    fn meets(&self, other: &Self) -> bool {
        let apart = self.left + self.width <= other.left
            || other.left + other.width <= self.left
            || self.top + self.height <= other.top
            || other.top + other.height <= self.top;
        !apart
    }
}

/// Where labels go: each at the first place around its point that covers neither a point nor another label.
fn arranged(points: &[&Point], places: &[(i32, i32)], width: i32) -> Vec<Place> {
    let dots = places.iter().map(|&(x, y)| Place { left: x - 6, top: y - 6, width: 12, height: 12 });
    let mut taken: Vec<Place> = dots.collect();
    let mut labels = Vec::new();
    for (point, &(x, y)) in points.iter().zip(places) {
        let long = (point.label.chars().count() as f64 * f64::from(LETTERS) * WIDTH) as i32;
        let high = LETTERS as i32 + 3;
        let at = |left: i32, top: i32| Place { left: x + left, top: y + top, width: long, height: high };
        // A curve that rises leaves room above to the left and below to the right; then farther and farther away.
        let tries = (0..6).flat_map(|step| {
            let (up, down) = (-8 - high - step * high, 8 + step * high);
            let rows = if point.above { [up, down] } else { [down, up] };
            let columns = if point.above { [-long / 2, -long - 4, 4] } else { [4, -long / 2, -long - 4] };
            rows.into_iter().flat_map(move |top| columns.map(|left| (left, top)))
        });
        let mut tries = tries.map(|(left, top)| at(left, top));
        let is_free = |place: &Place| {
            place.left > 90 && place.left + long < width && !taken.iter().any(|other| other.meets(place))
        };
        let place = tries.find(is_free).unwrap_or_else(|| at(-long / 2, -8 - high));
        taken.push(place);
        labels.push(place);
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(label: &str, above: bool) -> Point {
        Point { bytes: 1.0, accuracy: 0.5, label: label.into(), colour: OURS, above }
    }

    #[test]
    fn labels_cover_neither_points_nor_each_other() {
        let points: Vec<Point> = (0..8).map(|i| point("imdb-something 0.887", i % 2 == 0)).collect();
        let places: Vec<(i32, i32)> = (0..8).map(|i| (400 + 15 * i, 300 - 3 * i)).collect();
        let labels = arranged(&points.iter().collect::<Vec<_>>(), &places, 960);
        for (i, label) in labels.iter().enumerate() {
            assert!(!labels[..i].iter().any(|other| other.meets(label)), "{i}: {labels:?}");
            for &(x, y) in &places {
                let dot = Place { left: x - 6, top: y - 6, width: 12, height: 12 };
                assert!(!dot.meets(label), "{i}: {labels:?}");
            }
        }
    }

    #[test]
    fn every_point_is_drawn_with_its_accuracy() {
        let measured =
            [Measured { model: "imdb-x".into(), bytes: 70_373, examples: 20_000, accuracy: 0.88665 }];
        let points = vec![Peer { bytes: 30_000, accuracy: 0.861 }, Peer { bytes: 900_000, accuracy: 0.9 }];
        let drawn = svg(&measured, &Record { package: "p".into(), version: "1".into(), points }).unwrap();
        for text in ["imdb-x 0.887", "0.861", "0.900", "accuracy on 20,000 test reviews", "(p 1)"] {
            assert!(drawn.contains(text), "no {text}");
        }
        // Three points, and two that say what the colours mean.
        assert_eq!(drawn.matches("<circle").count(), 5);
    }
}
