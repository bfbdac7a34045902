//! The tests of the firmware in QEMU, each with a name.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::board::{Answer, Board};
use crate::demo::SENTENCES;
use crate::host::Trainer;

/// What a check works with.
pub(crate) struct Bench {
    pub(crate) trainer: Trainer,
    pub(crate) model: PathBuf,
    pub(crate) elf: PathBuf,
}

/// One check.
pub(crate) type Check = (&'static str, fn(&Bench) -> Result<()>);

/// All checks, in the order in which they run.
pub(crate) const CHECKS: [Check; 5] = [
    ("the board answers like the host", answers_like_the_host),
    ("hostile texts are answered like the host", hostile_texts),
    ("a text leaves no trace in the next answer", no_trace),
    ("line ends of every kind, and empty lines", line_ends),
    ("a damaged model is refused", damaged_model),
];

fn answers_like_the_host(bench: &Bench) -> Result<()> {
    compare(bench, &SENTENCES.map(str::to_owned))
}

/// Blank, very long, one endless word, bytes outside ASCII, letters in disguise, digits and marks only.
fn hostile_texts(bench: &Bench) -> Result<()> {
    compare(
        bench,
        &[
            "   ".to_owned(),
            "good bad ".repeat(1500),
            "abcdefgh".repeat(1000),
            "Ein schöner Film — très réussi 😀 хорошо".to_owned(),
            "GOOD Good gOOD g\u{301}ood \u{212a}ind \u{130}deal".to_owned(),
            "!!! ... 12 345 <br /><br /> -- '' \"\" don't o'clock".to_owned(),
            "tab\tbetween\twords".to_owned(),
        ],
    )
}

fn no_trace(bench: &Bench) -> Result<()> {
    let mut board = Board::start(&bench.elf)?;
    let alone = board.ask(SENTENCES[0])?;
    for text in SENTENCES {
        board.ask(text)?;
        let again = board.ask(SENTENCES[0])?;
        // The stack's peak belongs to the whole run, and a tick may fall to either side.
        if (&again.label, &again.score, &again.logits) != (&alone.label, &alone.score, &alone.logits) {
            bail!("{:?} is answered {again:?} after {text:?}, and {alone:?} before", SENTENCES[0]);
        }
    }
    Ok(())
}

fn line_ends(bench: &Bench) -> Result<()> {
    let mut board = Board::start(&bench.elf)?;
    let expected = board.ask(SENTENCES[0])?.logits;
    for (before, end) in [("", "\r\n"), ("", "\r"), ("\n\r\n\n", "\n")] {
        board.type_in(&format!("{before}{}{end}", SENTENCES[0]))?;
        let logits = board.wait_for("label=")?.parse::<Answer>()?.logits;
        if logits != expected {
            bail!("logits are {logits:?} with {before:?} before and {end:?} after, and {expected:?} else");
        }
    }
    Ok(())
}

/// Flips one bit of the model in the flash image, at its head, in its middle and at its end.
fn damaged_model(bench: &Bench) -> Result<()> {
    let (image, model) = (fs::read(&bench.elf)?, fs::read(&bench.model)?);
    let start = image
        .windows(model.len())
        .position(|window| window == model)
        .context("the firmware does not hold the model file as it is")?;
    let scratch = tempfile::tempdir()?;
    let damaged_elf = scratch.path().join("damaged.elf");
    for offset in [0, model.len() / 2, model.len() - 1] {
        let mut damaged = image.clone();
        damaged[start + offset] ^= 0x10;
        fs::write(&damaged_elf, damaged)?;
        let error = Board::launch(&damaged_elf)?
            .wait_for("error:")
            .with_context(|| format!("byte {offset} of the model is damaged"))?;
        println!("    byte {offset}: {error}");
    }
    Ok(())
}

/// Asks the board and the host, and names every difference.
fn compare(bench: &Bench, texts: &[String]) -> Result<()> {
    let host = bench.trainer.predict(&bench.model, texts)?;
    let mut board = Board::start(&bench.elf)?;
    let mut differences = Vec::new();
    for (text, host) in texts.iter().zip(&host) {
        for difference in board.ask(text)?.differences(host) {
            differences.push(format!("{text:.40?} {difference}"));
        }
    }
    if !differences.is_empty() {
        bail!("{}", differences.join("; "));
    }
    println!("    all {} answers equal the host's", texts.len());
    Ok(())
}
