//! The tests of the firmware in QEMU, each with a name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::board::{Answer, Board};
use crate::demo::SENTENCES;
use crate::firmware::replace_model;
use crate::host::Trainer;
use crate::process;
use crate::report::Outcome;
use crate::{bench, examples};

/// What a check works with.
pub(crate) struct Bench {
    pub(crate) trainer: Trainer,
    pub(crate) model: PathBuf,
    pub(crate) elf: PathBuf,
}

/// One check.
pub(crate) type Check = (&'static str, fn(&Bench) -> Result<Outcome>);

/// All checks, in the order in which they run.
pub(crate) const CHECKS: [Check; 9] = [
    ("the board answers like the host", answers_like_the_host),
    ("every kernel computes what the host's does", kernels_agree),
    ("the examples print what they should", |_| examples::check()),
    ("hostile texts are answered like the host", hostile_texts),
    ("a text leaves no trace in the next answer", no_trace),
    ("line ends of every kind, and empty lines", line_ends),
    ("a damaged, truncated, foreign or newer model is refused", bad_models),
    ("a whole data set in one run", whole_data_set),
    ("shipped models on IMDB's test reviews", shipped_models),
];

/// Real data, which is no part of the repository: beside it, where there is any.
const IMDB: &str = "../shared/data/imdb";

fn answers_like_the_host(bench: &Bench) -> Result<Outcome> {
    compare(bench, &SENTENCES.map(str::to_owned))
}

fn kernels_agree(_: &Bench) -> Result<Outcome> {
    bench::device::parity()?;
    Ok(Outcome::Passed)
}

/// Blank, very long, one endless word, bytes outside ASCII, letters in disguise, digits and marks only.
fn hostile_texts(bench: &Bench) -> Result<Outcome> {
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

fn no_trace(bench: &Bench) -> Result<Outcome> {
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
    Ok(Outcome::Passed)
}

fn line_ends(bench: &Bench) -> Result<Outcome> {
    let mut board = Board::start(&bench.elf)?;
    let expected = board.ask(SENTENCES[0])?.logits;
    for (before, end) in [("", "\r\n"), ("", "\r"), ("\n\r\n\n", "\n")] {
        board.type_in(&format!("{before}{}{end}", SENTENCES[0]))?;
        let logits = board.wait_for("label=")?.parse::<Answer>()?.logits;
        if logits != expected {
            bail!("logits are {logits:?} with {before:?} before and {end:?} after, and {expected:?} else");
        }
    }
    Ok(Outcome::Passed)
}

/// Changes a byte of the model in the flash image; the device must say what the host says of such a file.
fn bad_models(bench: &Bench) -> Result<Outcome> {
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
        let said = Board::launch(&bad_elf)?
            .wait_for("error:")
            .with_context(|| format!("byte {offset} of the model is changed"))?;
        println!("    byte {offset}: {said}");
        let reason = said.trim_start_matches("error:").trim();
        let host = bench.trainer.refusal(&bad_model)?;
        if !reason.contains(fault) || !host.ends_with(reason) {
            bail!(
                "with byte {offset} changed the device says `{reason}`, the host `{host}`; expected: {fault}"
            );
        }
    }
    Ok(Outcome::Passed)
}

/// The starter corpus's test part through batch mode.
fn whole_data_set(bench: &Bench) -> Result<Outcome> {
    evaluate(bench, &bench.model, &bench.trainer.starter_data(), 0.85)
}

/// The claims of two model cards: accuracy, and equality on all 20,000 reviews. One model has its words folded into
/// biases, the other has pairs of words and four bits a number.
fn shipped_models(bench: &Bench) -> Result<Outcome> {
    let data = process::root().join(IMDB);
    if !data.is_dir() {
        println!("    SKIPPED: there is no {IMDB}");
        return Ok(Outcome::Skipped);
    }
    for (model, at_least) in [("models/imdb-compact.kilo", 0.87), ("models/imdb-16k.kilo", 0.89)] {
        evaluate(bench, &process::root().join(model), &data, at_least)?;
    }
    Ok(Outcome::Passed)
}

fn evaluate(bench: &Bench, model: &Path, data: &Path, at_least: f64) -> Result<Outcome> {
    let found = bench.trainer.evaluate(model, data, "mps2-an386")?;
    println!(
        "    {} texts: accuracy {:.4}, {} differ from the host's, {:.0} instructions per word",
        found.examples, found.accuracy, found.mismatches, found.instructions_per_word
    );
    if found.mismatches > 0 || found.accuracy < at_least {
        bail!("expected an accuracy of at least {at_least} and no difference, found {found:?}");
    }
    Ok(Outcome::Passed)
}

/// Asks the board and the host, and names every difference.
fn compare(bench: &Bench, texts: &[String]) -> Result<Outcome> {
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
    Ok(Outcome::Passed)
}
