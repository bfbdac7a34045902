//! `cargo xtask demo`: from nothing to predictions on a microcontroller, compared with the host's.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};
use kilornn_host::Emulation;

use crate::firmware::{self, Size};
use crate::labelled::{Labelled, differences};
use crate::sentences::SENTENCES;
use crate::terminal::Terminal;
use crate::trainer::Trainer;
use crate::{boards, process, setup};

/// Runs everything and closes with one verdict line.
pub(crate) fn run() -> Result<()> {
    let started = Instant::now();
    heading(1, "What is missing is installed");
    setup::firmware()?;
    heading(2, "The trainer is compiled (the first time this takes minutes)");
    let trainer = Trainer::build()?;
    heading(3, "A model is trained on the starter corpus, quantized and written");
    let model = trainer.starter_model()?;
    heading(4, "The firmware is built with that model in it");
    let board = boards::find(boards::DEFAULT)?;
    let elf = firmware::build(&board, Some(&model))?;
    heading(5, "The board (a Cortex-M4F in QEMU) reads sentences");
    let texts = SENTENCES.map(str::to_owned);
    let host = trainer.predict(&model, &texts)?;
    let emulation = boards::emulation(&board)?;
    let mut terminal = Terminal::start(emulation, &elf)?;
    let answers = texts.iter().map(|text| terminal.classify(text.as_bytes())).collect::<Result<Vec<_>>>()?;
    let client = terminal.client();
    let run = Run { emulation, hertz: client.info()?.ticks_per_second, stack: client.statistics()?.stack };
    drop(terminal);

    println!("\n{}", run.table(&texts, &host, &answers));
    println!("{}\n", run.figures(&elf, &model, &answers)?);

    let mut equal = 0;
    for ((text, host), (answer, _)) in texts.iter().zip(&host).zip(&answers) {
        let differences = differences(host, answer);
        if differences.is_empty() {
            equal += 1;
        } else {
            println!("  {text:?}: {}", differences.join("; "));
        }
    }
    let all = texts.len();
    let verdict = format!("{equal} of {all} predictions equal on host and device (Cortex-M4F in QEMU)");
    if equal < all {
        bail!("{verdict}");
    }
    println!("demo: PASS - {verdict}, in {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn heading(number: usize, text: &str) {
    println!("\n[{number}/5] {text}");
}

/// What was run, for the figures.
struct Run<'b> {
    emulation: &'b Emulation,
    /// Ticks of the board's clock in a second.
    hertz: u32,
    /// The most bytes of stack that were in use.
    stack: u32,
}

impl Run<'_> {
    /// Executed instructions that took so many ticks, rounded down.
    fn instructions(&self, ticks: u64) -> u64 {
        (ticks * 1_000_000_000 / u64::from(self.hertz)) >> self.emulation.icount
    }

    /// One row a sentence.
    fn table(&self, texts: &[String], host: &[Labelled], answers: &[(Labelled, u64)]) -> String {
        const TEXT: usize = 56;
        let label =
            answers.iter().map(|(answer, _)| answer.label.len()).max().unwrap_or(0).max("label".len());
        let mut table = format!(
            "  {:<TEXT$}  {:<label$}  {:>6}  {:>5}  {:>10}  host\n",
            "text", "label", "score", "words", "instr/word"
        );
        for ((text, host), (answer, ticks)) in texts.iter().zip(host).zip(answers) {
            let same = if differences(host, answer).is_empty() { "equal" } else { "DIFFERENT" };
            let Labelled { label: name, prediction } = answer;
            let per_word = self.instructions(*ticks).checked_div(prediction.words.into());
            table += &format!(
                "  {:<TEXT$}  {:<label$}  {:>6.4}  {:>5}  {:>10}  {same}\n",
                shortened(text, TEXT),
                name,
                prediction.score,
                prediction.words,
                per_word.map_or_else(|| "-".to_owned(), |instructions| instructions.to_string())
            );
        }
        table
    }

    /// Flash, RAM and the model's part of the flash.
    fn figures(&self, elf: &Path, model: &Path, answers: &[(Labelled, u64)]) -> Result<String> {
        let size = Size::of(elf)?;
        let model_bytes = fs::metadata(model)?.len();
        let words: u64 = answers.iter().map(|(answer, _)| u64::from(answer.prediction.words)).sum();
        let instructions: u64 = answers.iter().map(|&(_, ticks)| self.instructions(ticks)).sum();
        Ok(format!(
            "  flash         {:>8} bytes, of which the model {model_bytes} ({})\n  \
               RAM           {:>8} bytes of variables and {} of stack at its deepest\n  \
               instructions  {:>8} per word, the mean over {words} words",
            size.flash,
            model.strip_prefix(process::root()).unwrap_or(model).display(),
            size.ram,
            self.stack,
            instructions.checked_div(words).unwrap_or(0),
        ))
    }
}

fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let start: String = text.chars().take(length - 3).collect();
    format!("{}...", start.trim_end())
}

#[cfg(test)]
mod tests {
    use kilornn_host::OwnedPrediction;

    use super::*;

    #[test]
    fn the_table_is_aligned_and_marks_what_differs() {
        let board = boards::find(boards::DEFAULT).unwrap();
        let run = Run { emulation: boards::emulation(&board).unwrap(), hertz: 25_000_000, stack: 0 };
        assert_eq!(run.instructions(160), 100, "ticks of 40 ns, instructions of 64 ns");
        let labelled = |logit| Labelled {
            label: "good".into(),
            prediction: OwnedPrediction {
                class: 1,
                score: 0.9,
                words: 0,
                known_words: 0,
                logits: vec![logit],
            },
        };
        let texts = ["short".to_owned(), "long ".repeat(30)];
        let answers = [(labelled(5), 160), (labelled(5), 160)];
        let table = run.table(&texts, &[labelled(5), labelled(6)], &answers);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].find("good"), lines[2].find("good"));
        assert!(lines[1].ends_with("-  equal") && lines[2].ends_with("-  DIFFERENT"), "{table}");
        assert!(lines[2].contains("..."));
    }
}
