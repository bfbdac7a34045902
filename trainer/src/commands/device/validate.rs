//! `kilornn device TARGET validate`: the device's predictions beside the host's.

use std::path::Path;

use anyhow::{Result, ensure};
use kilornn_host::compare::{self, Difference};
use kilornn_host::cost::Cost;
use serde::Serialize;

use super::{Session, shown};
use crate::commands::tested::Tested;
use crate::commands::{labels, parse_model, read_model};
use crate::data::Test;
use crate::numbers::grouped;
use crate::predict::predict_all;
use crate::progress;
use crate::warning::Warning;

/// Compare the device's answers with the host's, text by text
///
/// Every text of DATA is classified on the host and on the device, which must run MODEL; class, words, known words and
/// the logits of all classes must be the same. Ends with exit code 1 if anything is not, and shows the first texts where
/// that is so. In QEMU the firmware is built with MODEL.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    tested: Tested,
    /// Only the first N texts
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

impl Args {
    pub(super) fn model(&self) -> &Path {
        &self.tested.model
    }
}

#[derive(Debug, Serialize)]
struct Report {
    board: String,
    texts: usize,
    words: u64,
    mismatches: usize,
    microseconds_per_word: f64,
    milliseconds_per_text: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions_per_word: Option<f64>,
    stack_bytes: u32,
    frames_repeated: u64,
    /// What a person should know before trusting the rest.
    warnings: Vec<Warning>,
}

/// How many texts with another prediction are shown.
const SHOWN: usize = 5;

/// Compares.
pub(super) fn run(args: &Args, open: impl FnOnce() -> Result<Session>) -> Result<()> {
    let (path, bytes) = read_model(&args.tested.model)?;
    let model = parse_model(&path, &bytes)?;
    let Test { mut examples, warnings } = args.tested.read(&labels(&model))?;
    examples.truncate(args.limit.map_or(usize::MAX, |limit| limit as usize));
    let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();

    let mut session = open()?;
    session.console.warn(&warnings)?;
    compare::runs(&session.info, &bytes)?;
    let host = predict_all(&model, &texts, &indicatif::ProgressBar::hidden());
    let progress = progress::bar(session.target.as_str(), texts.len(), "texts");
    let classes = session.classes()?;
    let device = compare::classify(&mut session.client, classes, &texts, || progress.inc(1))?;
    progress.finish_and_clear();
    let statistics = session.client.statistics()?;

    let mut mismatches = 0;
    for (number, ((text, host), device)) in (1..).zip(texts.iter().zip(&host).zip(&device)) {
        let differences = compare::differences(host, &device.prediction);
        mismatches += usize::from(!differences.is_empty());
        if !differences.is_empty() && mismatches <= SHOWN {
            let begin: String = text.chars().take(60).collect();
            session.console.say(format!("text {}, `{}`:", grouped(number), begin.escape_debug()))?;
            for Difference { what, host, device } in differences {
                session.console.say(format!("  {what}: the host says {host}, the device {device}"))?;
            }
        }
    }
    let Cost { words, per_text, per_word, instructions_per_word, .. } = session.cost(&device);
    let counted =
        instructions_per_word.map_or_else(String::new, |count| format!(", {count:.0} instructions"));
    session.console.say(format!(
        "{} ({}): {} of {} texts differ from the host's answers (class, words, known words, all logits); a text takes \
         {}, a word {}{counted}, over {} words; peak stack {} bytes",
        session.target,
        session.info.board,
        grouped(mismatches),
        grouped(texts.len()),
        shown(per_text),
        shown(per_word),
        grouped(words as usize),
        statistics.stack,
    ))?;
    session.console.conclude(&Report {
        board: session.info.board.clone(),
        texts: texts.len(),
        words,
        mismatches,
        microseconds_per_word: 1e6 * per_word.as_secs_f64(),
        milliseconds_per_text: 1e3 * per_text.as_secs_f64(),
        instructions_per_word,
        stack_bytes: statistics.stack,
        frames_repeated: session.client.traffic().repeated,
        warnings,
    })?;
    ensure!(mismatches == 0, "host and device disagree on {mismatches} texts");
    Ok(())
}
