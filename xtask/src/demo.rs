//! `cargo xtask demo`: from nothing to predictions on a microcontroller, compared with the host's.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::board::{Answer, Board};
use crate::firmware;
use crate::host::{Prediction, Trainer};
use crate::process;
use crate::setup;
use crate::size::Size;

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
    let elf = firmware::build(&model)?;
    heading(5, "The board (a Cortex-M4F in QEMU) reads sentences");
    let texts = SENTENCES.map(str::to_owned);
    let host = trainer.predict(&model, &texts)?;
    let mut board = Board::start(&elf)?;
    let answers = texts.iter().map(|text| board.ask(text)).collect::<Result<Vec<_>>>()?;
    drop(board);

    println!("\n{}", table(&texts, &host, &answers));
    println!("{}\n", figures(&elf, &model, &answers)?);

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

/// One row a sentence.
fn table(texts: &[String], host: &[Prediction], answers: &[Answer]) -> String {
    const TEXT: usize = 56;
    let label = answers.iter().map(|answer| answer.label.len()).max().unwrap_or(0).max("label".len());
    let mut table = format!(
        "  {:<TEXT$}  {:<label$}  {:>6}  {:>5}  {:>10}  host\n",
        "text", "label", "score", "words", "instr/word"
    );
    for ((text, host), answer) in texts.iter().zip(host).zip(answers) {
        let same = if answer.differences(host).is_empty() { "equal" } else { "DIFFERENT" };
        let per_word = match answer.words {
            0 => "-".to_owned(),
            words => (answer.instructions() / words).to_string(),
        };
        table += &format!(
            "  {:<TEXT$}  {:<label$}  {:>6}  {:>5}  {:>10}  {same}\n",
            shortened(text, TEXT),
            answer.label,
            answer.score,
            answer.words,
            per_word
        );
    }
    table
}

fn shortened(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let start: String = text.chars().take(length - 3).collect();
    format!("{}...", start.trim_end())
}

/// Flash, RAM and the model's part of the flash.
fn figures(elf: &Path, model: &Path, answers: &[Answer]) -> Result<String> {
    let size = Size::of(elf)?;
    let model_bytes = fs::metadata(model)?.len();
    let stack = answers.iter().map(|answer| answer.stack).max().unwrap_or(0);
    let (words, instructions) = answers
        .iter()
        .fold((0, 0), |(words, sum), answer| (words + answer.words, sum + answer.instructions()));
    Ok(format!(
        "  flash         {:>8} bytes, of which the model {model_bytes} ({})\n  \
           RAM           {:>8} bytes of variables and {stack} of stack at its deepest\n  \
           instructions  {:>8} per word, the mean over {words} words",
        size.flash,
        model.strip_prefix(process::root()).unwrap_or(model).display(),
        size.ram,
        instructions.checked_div(words).unwrap_or(0),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_aligned_and_marks_what_differs() {
        let answer: Answer = "label=good score=0.9000 logits=5 words=0 ticks=160 stack=1".parse().unwrap();
        let host = Prediction { label: "good".into(), score: 0.9, logits: vec![5], words: 0 };
        let other = Prediction { logits: vec![6], ..host.clone() };
        let texts = ["short".to_owned(), "long ".repeat(30)];
        let table = table(&texts, &[host, other], &[answer.clone(), answer]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].find("good"), lines[2].find("good"));
        assert!(lines[1].ends_with("-  equal") && lines[2].ends_with("-  DIFFERENT"), "{table}");
        assert!(lines[2].contains("..."));
    }
}
