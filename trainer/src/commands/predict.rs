//! `kilornn predict`: what the device would answer.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::Result;
use indicatif::ProgressBar;
use kilornn::Model;
use serde::Serialize;

use super::{parse_model, read_model};
use crate::answer::{Answer, answer_all};
use crate::error::InputError;

/// Classify texts as the device does.
///
/// Without TEXT every line of standard input is a text. Prints label, probability and text.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: a .kilo file, or the folder of a run
    model: PathBuf,
    /// Texts
    #[arg(value_name = "TEXT")]
    texts: Vec<String>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Prediction<'a> {
    text: &'a str,
    label: &'a str,
    class: u32,
    score: f32,
    logits: &'a [i32],
    words: u32,
    known_words: u32,
}

/// Predicts.
pub fn run(args: &Args) -> Result<()> {
    let (path, bytes) = read_model(&args.model)?;
    let model = parse_model(&path, &bytes)?;
    if !args.texts.is_empty() || args.json {
        let lines = if args.texts.is_empty() { read_lines()? } else { args.texts.clone() };
        return print(&model, &lines, args.json);
    }
    // Line by line, so that a person at a terminal gets each answer at once.
    for (number, line) in (1..).zip(std::io::stdin().lock().lines()) {
        print(&model, &[valid(number, line)?], false)?;
    }
    Ok(())
}

fn read_lines() -> Result<Vec<String>> {
    (1..).zip(std::io::stdin().lock().lines()).map(|(number, line)| valid(number, line)).collect()
}

fn valid(number: usize, line: std::io::Result<String>) -> Result<String> {
    line.map_err(|error| InputError::new(format!("standard input, line {number}: {error}")).into())
}

fn print(model: &Model<'_>, texts: &[String], json: bool) -> Result<()> {
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let answers = answer_all(model, &borrowed, &ProgressBar::hidden());
    let predictions: Vec<Prediction<'_>> = borrowed
        .iter()
        .zip(&answers)
        .map(|(&text, Answer { class, score, words, known_words, logits })| Prediction {
            text,
            label: model.label(*class),
            class: *class,
            score: *score,
            logits,
            words: *words,
            known_words: *known_words,
        })
        .collect();
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&serde_json::json!({ "predictions": predictions }))?)?;
    } else {
        for Prediction { text, label, score, .. } in predictions {
            writeln!(out, "{label}\t{score:.4}\t{text}")?;
        }
    }
    Ok(())
}
