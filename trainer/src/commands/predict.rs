//! `kilornn predict`: what the device would answer.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use console::Style;
use indicatif::ProgressBar;
use kilornn::Model;
use kilornn_host::OwnedPrediction;
use serde::Serialize;

use super::given::answer;
use super::{parse_model, read_model};
use crate::data::{Encoding, read_lines};
use crate::explain::{Effect, explain};
use crate::predict::predict_all;

/// Classify texts as the device does.
///
/// Without TEXT and --file every line of standard input is a text, and is answered as soon as it is there. Prints label,
/// probability and text. Line ends of any kind and a byte order mark are no part of a text, as when a model is trained.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model: a .kilo file, or the folder of a run
    model: PathBuf,
    /// Texts
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    texts: Vec<String>,
    /// A file with one text a line
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What the file, or standard input, is encoded in if it is not UTF-8, such as windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// Show what each word does to the probability: green words raise it, red ones lower it, underlined ones are
    /// not in the vocabulary
    #[arg(long)]
    explain: bool,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct TextPrediction<'a> {
    text: &'a str,
    label: &'a str,
    class: u32,
    score: f32,
    logits: &'a [i32],
    words: u32,
    known_words: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Vec<Word<'a>>>,
}

/// A word of the explanation.
#[derive(Debug, Serialize)]
struct Word<'a> {
    word: &'a str,
    known: bool,
    score: f32,
    change: f32,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let (path, bytes) = read_model(&args.model)?;
    let model = parse_model(&path, &bytes)?;
    match &args.file {
        Some(file) => print(&model, &read_lines(file, args.encoding)?, args),
        None => answer(&args.texts, args.encoding, args.json, |texts| print(&model, texts, args)),
    }
}

fn print(model: &Model<'_>, texts: &[String], args: &Args) -> Result<()> {
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let found = predict_all(model, &borrowed, &ProgressBar::hidden());
    let predictions: Vec<TextPrediction<'_>> = borrowed
        .iter()
        .zip(&found)
        .map(|(&text, OwnedPrediction { class, score, words, known_words, logits })| TextPrediction {
            text,
            label: model.label(*class),
            class: *class,
            score: *score,
            logits,
            words: *words,
            known_words: *known_words,
            explanation: (args.explain && args.json).then(|| words_of(model, text, *class)),
        })
        .collect();
    let mut out = std::io::stdout().lock();
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&serde_json::json!({ "predictions": predictions }))?)?;
    } else {
        for TextPrediction { text, label, class, score, .. } in predictions {
            writeln!(out, "{label}\t{score:.4}\t{text}")?;
            if args.explain {
                show(&mut out, model, text, class)?;
            }
        }
    }
    Ok(())
}

fn words_of<'t>(model: &Model<'_>, text: &'t str, class: u32) -> Vec<Word<'t>> {
    let (effects, _) = explain(model, text, class);
    let word = |Effect { word, known, score, change, .. }| Word { word, known, score, change };
    effects.into_iter().map(word).collect()
}

/// The text in colours, then a line for each word.
fn show(out: &mut impl Write, model: &Model<'_>, text: &str, class: u32) -> Result<()> {
    let (effects, rest) = explain(model, text, class);
    write!(out, "  ")?;
    for effect in &effects {
        write!(out, "{}{}", effect.between, style(effect).apply_to(effect.word))?;
    }
    writeln!(out, "{rest}")?;
    writeln!(out, "  {:>7} {:>7}", model.label(class), "change")?;
    for effect in &effects {
        let unknown = if effect.known { "" } else { "  (not in the vocabulary)" };
        let Effect { word, score, change, .. } = effect;
        writeln!(out, "  {score:>7.4} {change:>+7.4}  {}{unknown}", style(effect).apply_to(word))?;
    }
    Ok(())
}

/// The stronger the effect, the stronger the colour; none where the output is no terminal.
fn style(effect: &Effect<'_>) -> Style {
    let style = Style::new();
    let style = match effect.change {
        change if change >= 0.02 => style.green(),
        change if change <= -0.02 => style.red(),
        _ => style,
    };
    let style = if effect.change.abs() >= 0.1 { style.bold() } else { style };
    if effect.known { style } else { style.underlined() }
}
