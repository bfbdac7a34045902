//! The boards, as `boards.toml` in the firmware's folder lists them.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::error::InputError;

/// The list, in the firmware's folder.
const LIST: &str = "boards.toml";

/// A board that the firmware runs on. Of what the list says, only what is needed here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Board {
    /// What a person calls it; also the firmware's feature.
    pub name: String,
    /// The Rust target of its processor.
    pub target: String,
    /// The model that is built in where none is named: a file of `models/` without its ending.
    pub model: String,
    /// How QEMU emulates it, if it does.
    pub qemu: Option<Emulation>,
}

/// How QEMU emulates a board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Emulation {
    /// The QEMU program for its processor.
    pub program: String,
    /// QEMU's name for it.
    pub machine: String,
    /// An instruction takes `1 << icount` nanoseconds of the emulated time.
    pub icount: u32,
    /// Whether the firmware may use the host's files.
    #[serde(default)]
    pub semihosting: bool,
    /// A tick of the firmware's clock takes so many nanoseconds of that time, for who has not asked the firmware.
    #[serde(default = "tick_ns")]
    pub tick_ns: u32,
}

/// SysTick at the MPS2 boards' 25 MHz.
const fn tick_ns() -> u32 {
    40
}

impl Emulation {
    /// How many instructions fit into ticks of the firmware's clock, of which there are so many in a second; rounded.
    #[must_use]
    pub fn instructions(&self, ticks: u64, ticks_per_second: u32) -> u64 {
        let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second.max(1));
        let half = 1_u128 << self.icount >> 1;
        u64::try_from((nanoseconds + half) >> self.icount).unwrap_or(u64::MAX)
    }

    /// Ticks of the firmware's clock in a second, for who has not asked the firmware.
    #[must_use]
    pub fn ticks_per_second(&self) -> u32 {
        1_000_000_000 / self.tick_ns.max(1)
    }
}

#[derive(Debug, Deserialize)]
struct List {
    board: Vec<Board>,
}

/// All boards of the firmware in a folder.
///
/// # Errors
///
/// If its list cannot be read or is wrong.
pub fn read(firmware: &Path) -> Result<Vec<Board>, InputError> {
    let path = firmware.join(LIST);
    let text = fs::read_to_string(&path).map_err(|error| {
        InputError::in_file(
            &path,
            format!("{error} (--firmware DIR names the folder with the firmware's sources)"),
        )
    })?;
    parse(&path, &text)
}

fn parse(path: &Path, text: &str) -> Result<Vec<Board>, InputError> {
    let list: List = toml::from_str(text).map_err(|error| {
        let reason = error.message().to_owned();
        match error.span() {
            Some(span) => InputError::at_line(path, 1 + text[..span.start].matches('\n').count(), reason),
            None => InputError::in_file(path, reason),
        }
    })?;
    Ok(list.board)
}

/// The board of this name that QEMU emulates.
///
/// # Errors
///
/// If there is none; it says which there are.
pub fn emulated(firmware: &Path, name: &str) -> Result<(Board, Emulation), InputError> {
    find(read(firmware)?, name)
}

fn find(mut boards: Vec<Board>, name: &str) -> Result<(Board, Emulation), InputError> {
    let names = |boards: &[Board]| {
        let names = boards.iter().filter(|board| board.qemu.is_some()).map(|board| board.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    match boards.iter().position(|board| board.name == name) {
        None => {
            Err(InputError::new(format!("no board is called {name}; in QEMU there are {}", names(&boards))))
        }
        Some(index) => match boards[index].qemu.clone() {
            Some(emulation) => Ok((boards.swap_remove(index), emulation)),
            None => {
                let reason = format!("QEMU has no {name}; it has {}", names(&boards));
                Err(InputError::new(reason))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"
        [[board]]
        name = "one"
        about = "what else is said of a board does not matter here"
        target = "thumbv7em-none-eabihf"
        model = "imdb-compact"
        qemu = { program = "qemu-system-arm", machine = "mps2-an386", icount = 6, semihosting = true }
        [board.memory]
        flash = { origin = 0, length = 1 }
        [[board]]
        name = "two"
        target = "thumbv6m-none-eabi"
        model = "imdb-8k"
    "#;

    #[test]
    fn boards_are_found_by_name() {
        let boards = || parse(Path::new("boards.toml"), LISTED).unwrap();
        let (board, emulation) = find(boards(), "one").unwrap();
        assert_eq!((board.target.as_str(), board.model.as_str()), ("thumbv7em-none-eabihf", "imdb-compact"));
        assert!(emulation.semihosting);
        let refused = |name| find(boards(), name).unwrap_err().to_string();
        assert_eq!(refused("abacus"), "no board is called abacus; in QEMU there are one");
        assert_eq!(refused("two"), "QEMU has no two; it has one");
        let error = parse(Path::new("b.toml"), "[[board]]\nname = 3\n").unwrap_err().to_string();
        assert!(error.starts_with("b.toml:2: "), "{error}");
    }

    #[test]
    fn ticks_are_instructions() {
        let (_, emulation) = find(parse(Path::new("b"), LISTED).unwrap(), "one").unwrap();
        // 160 ticks of 40 ns are 100 instructions of 64 ns; 2^32 ticks are 2^32 * 5 / 8.
        assert_eq!(emulation.ticks_per_second(), 25_000_000);
        assert_eq!(emulation.instructions(160, 25_000_000), 100);
        assert_eq!(emulation.instructions(1 << 32, 25_000_000), 2_684_354_560);
        assert_eq!(emulation.instructions(1, 1_000_000), 16);
        assert_eq!(emulation.instructions(u64::MAX, 1), u64::MAX);
    }

    #[test]
    fn the_project_s_own_list_can_be_read() {
        let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-example");
        for board in read(&firmware).unwrap() {
            let model = firmware.join("../models").join(format!("{}.kilo", board.model));
            assert!(model.is_file(), "{} has no model {}", board.name, board.model);
        }
        assert!(read(Path::new("nowhere")).unwrap_err().to_string().contains("--firmware"));
    }
}
