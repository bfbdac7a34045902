//! `cargo xtask bench accuracy`: what models are worth in their bytes, by the device's own code on the host.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use kilornn_host::numbers::grouped;
use serde::Serialize;

use crate::manifest::{self, Metric, Model};
use crate::process::{self, cargo, root, target_dir};
use crate::trainer::{Test, Trainer};
use crate::{model, peers};

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a> {
    /// The folder of the data sets.
    pub(crate) data: &'a Path,
    /// Also the models that are not shipped.
    pub(crate) all: bool,
    /// Train fastText again.
    pub(crate) peers: bool,
    /// Draw the figure again.
    pub(crate) figure: bool,
    pub(crate) json: bool,
}

/// The data of the figure and of the peers.
const IMDB: &str = "imdb";

/// What fastText came to, and the figure that shows it beside ours.
const RECORD: &str = "xtask/peers/fasttext_points.json";
const FIGURE: &str = "docs/images/accuracy.svg";

/// A model and what was measured.
#[derive(Debug, Serialize)]
struct Row {
    model: String,
    data: String,
    bytes: u64,
    examples: u64,
    accuracy: f64,
    macro_f1: f64,
}

/// Measures, prints, and compares with the marks.
pub(crate) fn run(args: Args<'_>) -> Result<()> {
    let models: Vec<Model> =
        manifest::read()?.into_iter().filter(|model| model.shipped || args.all).collect();
    let trainer = if args.json { Trainer::build_aside()? } else { Trainer::build()? };
    if args.peers {
        measure_peers(args.data)?;
    }
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for model in &models {
        // What is missing is a fault, but no reason to leave the rest unmeasured.
        if let Err(missing) = model::present(model, args.data) {
            faults.push(missing.to_string());
            continue;
        }
        let file = if model.shipped { model.file() } else { model::made(&trainer, model, args.data)? };
        let tested = trainer.test(&file, &model.data(args.data), model.without.as_deref())?;
        let row = row(model, fs::metadata(root().join(&file))?.len(), tested);
        faults.extend(missed(model, &row));
        rows.push(row);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        print!("\n{}\n", table(&rows));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("; "));
    }
    if args.figure {
        let is_shipped = |row: &&Row| models.iter().any(|model| model.shipped && model.name == row.model);
        draw(&rows.iter().filter(is_shipped).collect::<Vec<_>>())?;
    }
    if !args.json {
        let models = if rows.len() == 1 { "model" } else { "models" };
        println!("bench: PASS - {} {models} on the test parts, every mark met", rows.len());
    }
    Ok(())
}

fn row(model: &Model, bytes: u64, tested: Test) -> Row {
    let Test { examples, accuracy, macro_f1 } = tested;
    Row { model: model.name.clone(), data: model.data.clone(), bytes, examples, accuracy, macro_f1 }
}

/// The marks that a model misses.
fn missed(model: &Model, row: &Row) -> Vec<String> {
    let (name, figure) = match model.metric {
        Metric::Accuracy => ("accuracy", row.accuracy),
        Metric::MacroF1 => ("macro F1", row.macro_f1),
    };
    let mut missed = Vec::new();
    if let Some(least) = model.at_least.filter(|&least| figure < least) {
        missed.push(format!("{}: {name} {figure:.4}, the mark is at least {least}", row.model));
    }
    if let Some(most) = model.at_most_bytes.filter(|&most| row.bytes > most) {
        let (bytes, most) = (grouped(row.bytes as usize), grouped(most as usize));
        missed.push(format!("{}: {bytes} bytes, the mark is at most {most}", row.model));
    }
    missed
}

/// One line a model.
fn table(rows: &[Row]) -> String {
    let width = |title: &str, of: &dyn Fn(&Row) -> usize| rows.iter().map(of).fold(title.len(), usize::max);
    let model = width("model", &|row| row.model.len());
    let data = width("data", &|row| row.data.len());
    let mut table = format!(
        "  {:<model$}  {:<data$}  {:>9}  {:>8}  {:>8}  {:>8}\n",
        "model", "data", "bytes", "examples", "accuracy", "macro F1"
    );
    for row in rows {
        table += &format!(
            "  {:<model$}  {:<data$}  {:>9}  {:>8}  {:>8.4}  {:>8.4}\n",
            row.model,
            row.data,
            grouped(row.bytes as usize),
            grouped(row.examples as usize),
            row.accuracy,
            row.macro_f1
        );
    }
    table
}

/// Trains fastText in many sizes and records what it comes to.
fn measure_peers(sets: &Path) -> Result<()> {
    let folder = target_dir(&root())?.join("bench-accuracy");
    let python = peers::python(&folder, "fasttext_requirements.txt")?;
    let mut points = Command::new(python);
    points.current_dir(root()).arg(peers::file("fasttext_points.py"));
    points.arg(sets.join(IMDB)).arg(folder.join("fasttext")).arg(RECORD);
    process::run_aside(&mut points)
}

/// Draws ours beside the record.
fn draw(rows: &[&Row]) -> Result<()> {
    let measured = target_dir(&root())?.join("bench-accuracy/measured.json");
    let folder = measured.parent().context("no folder")?;
    fs::create_dir_all(folder)?;
    let ours: Vec<&&Row> = rows.iter().filter(|row| row.data == IMDB).collect();
    fs::write(&measured, serde_json::to_string_pretty(&ours)?)?;
    let example = ["run", "--release", "--quiet", "--package", "kilornn-cli", "--example", "accuracy_figure"];
    let mut draw = cargo(&root(), example);
    process::run_aside(draw.arg("--").arg(&measured).args([RECORD, FIGURE]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(marks: &str) -> Model {
        toml::from_str(&format!("name = 'a'\ndata = 'd'\nshipped = true\n{marks}")).unwrap()
    }

    fn measured(model: &Model) -> Row {
        row(model, 70_373, Test { examples: 20_000, accuracy: 0.88666, macro_f1: 0.7 })
    }

    #[test]
    fn marks_are_compared_with_the_metric_they_are_about() {
        let of = |marks: &str| {
            let model = model(marks);
            missed(&model, &measured(&model))
        };
        assert_eq!(of(""), [""; 0]);
        assert_eq!(of("at_least = 0.88\nat_most_bytes = 70373"), [""; 0]);
        assert_eq!(of("at_least = 0.89"), ["a: accuracy 0.8867, the mark is at least 0.89"]);
        assert_eq!(
            of("at_least = 0.8\nmetric = 'macro_f1'\nat_most_bytes = 16384"),
            ["a: macro F1 0.7000, the mark is at least 0.8", "a: 70,373 bytes, the mark is at most 16,384"]
        );
    }

    #[test]
    fn the_table_is_aligned_and_the_keys_are_those_promised() {
        let row = measured(&model(""));
        let table = table(std::slice::from_ref(&row));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0].len(), lines[1].len());
        assert!(lines[1].ends_with("70,373    20,000    0.8867    0.7000"), "{table}");
        let value = serde_json::to_value(&row).unwrap();
        let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["accuracy", "bytes", "data", "examples", "macro_f1", "model"]);
    }

    /// Who ships another model has to draw the figure again: `cargo xtask bench accuracy --figure`.
    #[test]
    fn the_figure_shows_every_shipped_model_of_its_data_and_every_recorded_point() {
        let figure = fs::read_to_string(root().join(FIGURE)).unwrap();
        for model in manifest::read().unwrap().iter().filter(|model| model.shipped && model.data == IMDB) {
            assert!(figure.contains(&model.name), "{FIGURE} does not show {}", model.name);
        }
        let record = fs::read_to_string(root().join(RECORD)).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        let points = record["points"].as_array().unwrap();
        assert!(points.len() > 2, "{RECORD} has {} points", points.len());
        for point in points {
            let accuracy = format!("{:.3}", point["accuracy"].as_f64().unwrap());
            assert!(figure.contains(&accuracy), "{FIGURE} does not show fastText's {accuracy}");
        }
    }
}
