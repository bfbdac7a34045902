//! `cargo xtask demo`: from nothing to predictions on a microcontroller, compared with the host's.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::boards::{self, Board};
use crate::firmware::{self, Size};
use crate::host::{Prediction, Trainer};
use crate::machine::{Answer, Machine};
use crate::process;
use crate::setup;

/// What the board is asked: praise and blame, negations, contrasts that end on either side, a long text, and
/// words that no model knows.
pub(crate) const SENTENCES: [&str; 8] = [
    "What a wonderful film, I loved every minute of it.",
    "The soup was cold, the waiter was rude and we left hungry.",
    "I didn't like the book.",
    "This app is anything but reliable.",
    "The food was terrible, but the service won me over.",
    "I loved the music, but the film let me down.",
    "Not only was the room small and the street loud, the breakfast was cold too, and when I asked for help nobody \
     at the desk could be bothered to listen.",
    "Xylem quorble zzyzx.",
];

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
    let board = Board::find(boards::DEFAULT)?;
    let elf = firmware::build(&board, Some(&model))?;
    heading(5, "The board (a Cortex-M4F in QEMU) reads sentences");
    let texts = SENTENCES.map(str::to_owned);
    let host = trainer.predict(&model, &texts)?;
    let mut machine = Machine::start(&board, &elf)?;
    let answers = texts.iter().map(|text| machine.classify(text.as_bytes())).collect::<Result<Vec<_>>>()?;
    let run = Run { board: &board, hertz: machine.ticks_per_second()?, stack: machine.statistics()?.stack };
    drop(machine);

    println!("\n{}", run.table(&texts, &host, &answers));
    println!("{}\n", run.figures(&elf, &model, &answers)?);

    let mut equal = 0;
    for ((text, host), answer) in texts.iter().zip(&host).zip(&answers) {
        let differences = answer.differences(host);
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
    board: &'b Board,
    /// Ticks of its clock in a second.
    hertz: u64,
    /// The most bytes of stack that were in use.
    stack: u32,
}

impl Run<'_> {
    /// Executed instructions that took so many ticks: QEMU gives each a fixed time.
    fn instructions(&self, ticks: u64) -> u64 {
        let shift = self.board.qemu.as_ref().map_or(0, |qemu| qemu.icount);
        (ticks * 1_000_000_000 / self.hertz) >> shift
    }

    /// One row a sentence.
    fn table(&self, texts: &[String], host: &[Prediction], answers: &[Answer]) -> String {
        const TEXT: usize = 56;
        let label = answers.iter().map(|answer| answer.label.len()).max().unwrap_or(0).max("label".len());
        let mut table = format!(
            "  {:<TEXT$}  {:<label$}  {:>6}  {:>5}  {:>10}  host\n",
            "text", "label", "score", "words", "instr/word"
        );
        for ((text, host), answer) in texts.iter().zip(host).zip(answers) {
            let same = if answer.differences(host).is_empty() { "equal" } else { "DIFFERENT" };
            let per_word = self.instructions(answer.ticks).checked_div(answer.words.into());
            table += &format!(
                "  {:<TEXT$}  {:<label$}  {:>6.4}  {:>5}  {:>10}  {same}\n",
                shortened(text, TEXT),
                answer.label,
                answer.score,
                answer.words,
                per_word.map_or_else(|| "-".to_owned(), |instructions| instructions.to_string())
            );
        }
        table
    }

    /// Flash, RAM and the model's part of the flash.
    fn figures(&self, elf: &Path, model: &Path, answers: &[Answer]) -> Result<String> {
        let size = Size::of(elf)?;
        let model_bytes = fs::metadata(model)?.len();
        let words: u64 = answers.iter().map(|answer| u64::from(answer.words)).sum();
        let instructions: u64 = answers.iter().map(|answer| self.instructions(answer.ticks)).sum();
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
    use super::*;

    #[test]
    fn the_table_is_aligned_and_marks_what_differs() {
        let board = Board::find(boards::DEFAULT).unwrap();
        let run = Run { board: &board, hertz: 25_000_000, stack: 0 };
        assert_eq!(run.instructions(160), 100, "ticks of 40 ns, instructions of 64 ns");
        let answer = Answer { label: "good".into(), score: 0.9, logits: vec![5], words: 0, ticks: 160 };
        let host = Prediction { label: "good".into(), score: 0.9, logits: vec![5], words: 0 };
        let other = Prediction { logits: vec![6], ..host.clone() };
        let texts = ["short".to_owned(), "long ".repeat(30)];
        let table = run.table(&texts, &[host, other], &[answer.clone(), answer]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].find("good"), lines[2].find("good"));
        assert!(lines[1].ends_with("-  equal") && lines[2].ends_with("-  DIFFERENT"), "{table}");
        assert!(lines[2].contains("..."));
    }
}
