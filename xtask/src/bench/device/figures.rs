//! What a bench says, and what its program file says.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use object::{Object as _, ObjectSymbol as _, SymbolKind};

/// The figures of one model on one board.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Figures {
    /// A hash of all states.
    pub(super) states: u32,
    pub(super) zeros_permille: u32,
    /// Instructions of a time step of the network.
    pub(super) step: f64,
    /// The same with numbers that are in the memory already, if a step reads numbers.
    pub(super) frame: Option<f64>,
    /// Instructions to split and hash text, a byte.
    pub(super) byte: f64,
    /// Instructions from text to answer, a word.
    pub(super) word: f64,
    /// Bytes of the engine's functions and named constants.
    pub(super) code: u64,
    /// Bytes of a classifier.
    pub(super) ram: u64,
    /// Bytes of stack from loading the model to the answer, the classifier on it included.
    pub(super) stack: u64,
}

impl Figures {
    /// From the console of a bench and its program.
    pub(super) fn read(said: &str, elf: &Path) -> Result<Self> {
        let value = |name: &str| {
            said.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('=')?.trim().parse::<u32>().ok())
                .with_context(|| format!("no line `{name}=...`"))
        };
        let tenths = |name| Ok::<_, anyhow::Error>(f64::from(value(name)?) / 10.0);
        Ok(Self {
            states: value("states")?,
            zeros_permille: value("zeros_permille")?,
            step: tenths("step_tenths")?,
            frame: tenths("frame_tenths").ok(),
            byte: tenths("byte_tenths")?,
            word: tenths("word_tenths")?,
            code: engine(&fs::read(elf)?)?,
            ram: value("ram")?.into(),
            stack: value("stack")?.into(),
        })
    }
}

/// Mangled names hold each path segment behind its length.
const ENGINE: [&str; 7] =
    ["7kilornn", "13kilornn_bench", "8postcard", "10serde_core", "3crc", "8heapless", "9micromath"];

/// Bytes of the engine in a program: its functions, which may have others of `core` within them, and its
/// constants. The few functions of the bench itself count as well.
fn engine(elf: &[u8]) -> Result<u64> {
    let file = object::File::parse(elf)?;
    let of_engine = |name: &str| ENGINE.iter().any(|segment| name.contains(segment));
    let mut symbols: Vec<_> = file
        .symbols()
        .filter(|symbol| matches!(symbol.kind(), SymbolKind::Text | SymbolKind::Data))
        .filter(|symbol| {
            symbol.name().is_ok_and(of_engine) && !symbol.name().is_ok_and(|n| n.contains("5MODEL"))
        })
        .map(|symbol| (symbol.address(), symbol.size()))
        .collect();
    // Functions that are alike share one body.
    symbols.sort_unstable();
    symbols.dedup_by_key(|(address, _)| *address);
    Ok(symbols.iter().map(|(_, size)| size).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_or_missed_by_name() {
        let said = "states=4000000000\nzeros_permille=654\nstep_tenths=12449\nbyte_tenths=620\nword_tenths=16756\nstack=708\nram=112\n";
        let elf = std::env::current_exe().unwrap();
        let figures = Figures::read(said, &elf).unwrap();
        assert_eq!((figures.step, figures.stack, figures.ram), (1244.9, 708, 112));
        let error = Figures::read(&said.replace("stack=708\n", ""), &elf).unwrap_err();
        assert_eq!(error.to_string(), "no line `stack=...`");
    }
}
