//! The tests of the firmware in QEMU, each with a name: those of every board, and those that one board stands for.

mod everywhere;
pub(crate) mod leds;
mod once;
mod update;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::boards::Board;
use crate::demo::SENTENCES;
use crate::host::Trainer;
use crate::machine::Machine;
use crate::process;
use crate::report::Outcome;

pub(crate) use everywhere::{EVERYWHERE, OTHER_CORES};
pub(crate) use once::ONCE;

/// What a check works with.
pub(crate) struct Bench<'t> {
    pub(crate) trainer: &'t Trainer,
    pub(crate) board: Board,
    pub(crate) model: PathBuf,
    pub(crate) elf: PathBuf,
}

/// One check.
pub(crate) type Check = (&'static str, fn(&Bench<'_>) -> Result<Outcome>);

/// Real data, which is no part of the repository: beside it, where there is any.
fn imdb() -> Option<PathBuf> {
    let data = process::root().join("../shared/data/imdb");
    data.is_dir().then_some(data)
}

/// Asks the board and the host, and names every difference.
fn compare(bench: &Bench<'_>, texts: &[String]) -> Result<Outcome> {
    let host = bench.trainer.predict(&bench.model, texts)?;
    let mut machine = Machine::start(&bench.board, &bench.elf)?;
    let mut differences = Vec::new();
    for (text, host) in texts.iter().zip(&host) {
        for difference in machine.classify(text.as_bytes())?.differences(host) {
            differences.push(format!("{text:.40?} {difference}"));
        }
    }
    if !differences.is_empty() {
        bail!("{}", differences.join("; "));
    }
    println!("    all {} answers equal the host's", texts.len());
    Ok(Outcome::Passed)
}
