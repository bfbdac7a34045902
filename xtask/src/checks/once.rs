//! Checks that run on one board only, with a model that was just trained.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::{Bench, Check, compare, imdb};
use crate::firmware::replace_model;
use crate::report::Outcome;
use crate::sentences::SENTENCES;
use crate::terminal::Terminal;
use crate::{bench, examples, process};

/// All of them, in the order in which they run.
pub(crate) const ONCE: [Check; 8] = [
    ("the board answers like the host", answers_like_the_host),
    ("every kernel computes what the host's does", kernels_agree),
    ("the examples print what they should", |_| examples::check()),
    ("hostile texts are answered like the host", hostile_texts),
    ("a text leaves no trace in the next answer", no_trace),
    ("a damaged, truncated, foreign or newer model is refused", bad_models),
    ("a whole data set in one run", whole_data_set),
    ("shipped models on IMDB's test reviews", shipped_models),
];

fn answers_like_the_host(bench: &Bench<'_>) -> Result<Outcome> {
    compare(bench, &SENTENCES.map(str::to_owned))
}

fn kernels_agree(_: &Bench<'_>) -> Result<Outcome> {
    bench::device::parity()?;
    Ok(Outcome::Passed)
}

/// Nothing, blank, very long, one endless word, bytes outside ASCII, letters in disguise, digits and marks only.
fn hostile_texts(bench: &Bench<'_>) -> Result<Outcome> {
    compare(
        bench,
        &[
            String::new(),
            "   ".to_owned(),
            "good bad ".repeat(1500),
            "abcdefgh".repeat(1000),
            "Ein schöner Film — très réussi 😀 хорошо".to_owned(),
            "GOOD Good gOOD g\u{301}ood \u{212a}ind \u{130}deal".to_owned(),
            "!!! ... 12 345 <br /><br /> -- '' \"\" don't o'clock".to_owned(),
            "tab\tbetween\twords, and\nlines\r\nof any kind \u{4}\u{1b}[A".to_owned(),
        ],
    )
}

fn no_trace(bench: &Bench<'_>) -> Result<Outcome> {
    let mut terminal = bench.terminal()?;
    let [first, ..] = SENTENCES;
    // Without the ticks, of which one may fall to either side.
    let (alone, _) = terminal.classify(first.as_bytes())?;
    for text in SENTENCES {
        terminal.classify(text.as_bytes())?;
        let (again, _) = terminal.classify(first.as_bytes())?;
        if again != alone {
            bail!("{first:?} is answered {again:?} after {text:?}, and {alone:?} before");
        }
    }
    Ok(Outcome::Passed)
}

/// Changes a byte of the model in the flash image; the device must refuse it with the same words as the host.
fn bad_models(bench: &Bench<'_>) -> Result<Outcome> {
    let model = fs::read(&bench.model)?;
    let scratch = tempfile::tempdir()?;
    let (bad_elf, bad_model) = (scratch.path().join("bad.elf"), scratch.path().join("bad.kilo"));
    // Magic, version, length (a MiB more), content, checksum.
    let faults = [
        (0, "not a KiloRNN model"),
        (4, "format version"),
        (10, "cut short"),
        (model.len() / 2, "damaged"),
        (model.len() - 1, "damaged"),
    ];
    for (offset, fault) in faults {
        let mut damaged = model.clone();
        damaged[offset] ^= 0x10;
        fs::write(&bad_model, &damaged)?;
        replace_model(&bench.elf, &model, &damaged, &bad_elf)?;
        let mut terminal = Terminal::launch(bench.emulation()?, &bad_elf)?;
        let said = terminal
            .wait_for("error: no model runs: ")
            .and_then(|_| terminal.wait_for("\n"))
            .with_context(|| format!("byte {offset} of the model is changed"))?;
        println!("    byte {offset}: {}", said.trim());
        let host = bench.trainer.refusal(&bad_model)?;
        if !said.contains(fault) || !host.ends_with(said.trim()) {
            bail!(
                "with byte {offset} changed the device says `{said}`, the host `{host}`; expected: {fault}"
            );
        }
    }
    Ok(Outcome::Passed)
}

/// The starter corpus's test part through batch mode.
fn whole_data_set(bench: &Bench<'_>) -> Result<Outcome> {
    evaluate(bench, &bench.model, &bench.trainer.starter_data(), 0.85)
}

/// The claims of two model cards: accuracy, and equality on all 20,000 reviews. One model has its words folded into
/// biases, the other has pairs of words and four bits a number.
fn shipped_models(bench: &Bench<'_>) -> Result<Outcome> {
    let Some(data) = imdb() else {
        println!("    SKIPPED: there is no ../shared/data/imdb");
        return Ok(Outcome::Skipped);
    };
    for (model, at_least) in [("models/imdb-compact.kilo", 0.87), ("models/imdb-16k.kilo", 0.89)] {
        evaluate(bench, &process::root().join(model), &data, at_least)?;
    }
    Ok(Outcome::Passed)
}

fn evaluate(bench: &Bench<'_>, model: &Path, data: &Path, at_least: f64) -> Result<Outcome> {
    let found = bench.trainer.evaluate(model, data, &bench.board.name)?;
    println!(
        "    {} texts: accuracy {:.4}, {} differ from the host's, {:.0} instructions per word",
        found.examples, found.accuracy, found.mismatches, found.instructions_per_word
    );
    if found.mismatches > 0 || found.accuracy < at_least {
        bail!("expected an accuracy of at least {at_least} and no difference, found {found:?}");
    }
    Ok(Outcome::Passed)
}
