//! The tests of the firmware in QEMU, each with a name: those that run on every board, and those that run on one.

mod everywhere;
pub(crate) mod leds;
mod once;
mod update;

use std::path::PathBuf;

use anyhow::{Result, bail};
use kilornn_host::{Board, Emulation};

use crate::labelled::differences;
use crate::report::Outcome;
use crate::terminal::Terminal;
use crate::trainer::Trainer;
use crate::{boards, process};

pub(crate) use everywhere::{EVERYWHERE, OTHER_CORES};
pub(crate) use once::ONCE;

/// What a check works with.
pub(crate) struct Bench<'t> {
    pub(crate) trainer: &'t Trainer,
    pub(crate) board: Board,
    pub(crate) model: PathBuf,
    pub(crate) elf: PathBuf,
}

impl Bench<'_> {
    fn emulation(&self) -> Result<&Emulation> {
        boards::emulation(&self.board)
    }

    /// A terminal at the board, which has said that it is ready.
    fn terminal(&self) -> Result<Terminal> {
        Terminal::start(self.emulation()?, &self.elf)
    }
}

/// One check.
pub(crate) type Check = (&'static str, fn(&Bench<'_>) -> Result<Outcome>);

/// The folder of the IMDB data set, which is not part of the repository, if it lies beside it.
fn imdb() -> Option<PathBuf> {
    let data = process::root().join("../shared/data/imdb");
    data.is_dir().then_some(data)
}

/// Classifies texts on the board and on the host, and fails with every difference.
fn compare(bench: &Bench<'_>, texts: &[String]) -> Result<Outcome> {
    let host = bench.trainer.predict(&bench.model, texts)?;
    let mut terminal = bench.terminal()?;
    let mut found = Vec::new();
    for (text, host) in texts.iter().zip(&host) {
        let (board, _) = terminal.classify(text.as_bytes())?;
        found.extend(differences(host, &board).into_iter().map(|told| format!("{text:.40?} {told}")));
    }
    if !found.is_empty() {
        bail!("{}", found.join("; "));
    }
    println!("    all {} answers equal the host's", texts.len());
    Ok(Outcome::Passed)
}
