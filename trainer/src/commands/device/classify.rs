//! `kilornn device TARGET classify`: texts to the device.

use std::path::PathBuf;

use anyhow::Result;
use kilornn_host::prediction::Measured;
use serde::Serialize;

use super::{Session, shown};
use crate::commands::given::answer;
use crate::data::{Encoding, read_document};
use crate::numbers::grouped;

/// Classify texts on the device
///
/// Without TEXT and --file every line of standard input is a text. Prints label, probability and text, and below it the
/// words of the text, those that the vocabulary has, and how long the device computed. A text may be of any length:
/// the device reads it piece by piece.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Texts
    #[arg(value_name = "TEXT", conflicts_with = "file")]
    texts: Vec<String>,
    /// A file as one text, without line ends behind it (- is standard input)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What the file, or standard input, is encoded in if it is not UTF-8, such as windows-1252
    #[arg(long, value_name = "NAME")]
    encoding: Option<Encoding>,
    /// Show the probability and the logit of every class
    #[arg(long)]
    scores: bool,
}

/// A prediction as it is printed.
#[derive(Debug, Serialize)]
struct Printed<'a> {
    text: &'a str,
    label: &'a str,
    class: u32,
    score: f32,
    words: u32,
    known_words: u32,
    milliseconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Vec<Score<'a>>>,
}

/// Probability and logit of a class.
#[derive(Debug, Serialize)]
struct Score<'a> {
    label: &'a str,
    probability: f32,
    logit: i32,
}

/// Classifies.
pub(super) fn run(args: &Args, open: impl FnOnce() -> Result<Session>) -> Result<()> {
    let given = match &args.file {
        Some(path) => vec![read_document(path, args.encoding)?],
        None => args.texts.clone(),
    };
    let mut session = open()?;
    let mut labels = Labels(vec![None; session.classes()? as usize]);
    let json = session.console.json;
    answer(&given, args.encoding, json, |texts| classify(&mut session, &mut labels, texts, args.scores))
}

/// The names of classes; the device is asked for each when it is first needed.
struct Labels(Vec<Option<String>>);

impl Labels {
    fn fetch(&mut self, session: &mut Session, class: usize) -> Result<()> {
        if let Some(label @ None) = self.0.get_mut(class) {
            *label = Some(session.client.label(class as u32)?);
        }
        Ok(())
    }

    fn of(&self, class: usize) -> &str {
        self.0.get(class).and_then(Option::as_deref).unwrap_or_default()
    }
}

fn classify(session: &mut Session, labels: &mut Labels, texts: &[String], with_scores: bool) -> Result<()> {
    let classes = if with_scores { session.classes()? } else { 0 };
    let mut answers = Vec::with_capacity(texts.len());
    for text in texts {
        let answer = session.client.classify(text.as_bytes(), classes)?;
        labels.fetch(session, answer.prediction.class as usize)?;
        for class in 0..classes {
            labels.fetch(session, class as usize)?;
        }
        if !session.console.json {
            show(session, &prediction(session, labels, text, &answer, with_scores))?;
        }
        answers.push(answer);
    }
    let predictions: Vec<Printed<'_>> = texts
        .iter()
        .zip(&answers)
        .map(|(text, answer)| prediction(session, labels, text, answer, with_scores))
        .collect();
    session.console.conclude(&serde_json::json!({ "predictions": predictions }))
}

fn prediction<'a>(
    session: &Session,
    labels: &'a Labels,
    text: &'a str,
    answer: &Measured,
    with_scores: bool,
) -> Printed<'a> {
    let Measured { prediction: found, probabilities, ticks } = answer;
    let scores = probabilities.iter().zip(&found.logits).enumerate();
    let scores =
        scores.map(|(class, (&probability, &logit))| Score { label: labels.of(class), probability, logit });
    Printed {
        text,
        label: labels.of(found.class as usize),
        class: found.class,
        score: found.score,
        words: found.words,
        known_words: found.known_words,
        milliseconds: 1e3 * session.info.time(*ticks).as_secs_f64(),
        instructions: session.instructions(*ticks),
        scores: with_scores.then(|| scores.collect()),
    }
}

fn show(session: &Session, prediction: &Printed<'_>) -> Result<()> {
    let Printed { text, label, score, words, known_words, milliseconds, instructions, scores, .. } =
        prediction;
    let console = session.console;
    console.say(format!("{label}\t{score:.4}\t{text}"))?;
    let time = shown(std::time::Duration::from_secs_f64(milliseconds / 1e3));
    let instructions =
        instructions.map_or_else(String::new, |count| format!(", {} instructions", grouped(count as usize)));
    console.say(format!("  {words} words, {known_words} known, {time}{instructions}"))?;
    for Score { label, probability, logit } in scores.iter().flatten() {
        console.say(format!("  {probability:>7.4} {logit:>10}  {label}"))?;
    }
    Ok(())
}
