//! The table of the boards that the firmware runs on: `boards.toml` in the firmware's folder.
//!
//! The comment at the head of that file describes every column.

use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use serde::Deserialize;

/// The table's file in the firmware's folder.
pub const TABLE: &str = "boards.toml";

/// A board that the firmware runs on: a row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What a person calls it; also the firmware's feature.
    pub name: String,
    /// One line that describes it.
    pub about: String,
    /// The Rust target of its processor.
    pub target: String,
    /// The name of its processor core in the table of what the engine takes, as `m4`.
    pub core: String,
    /// The frequency in Hz at which the firmware runs it.
    pub clock: u32,
    /// The model that is built in where none is named: a file of `models/` without its ending.
    pub model: String,
    /// The most bytes of flash that the program may take beside the model, where flash is scarce.
    ///
    /// It is then tuned for size, and cannot do what its model does not need; with layers that have gates it takes more.
    pub program: Option<u64>,
    /// What else its linker script needs.
    #[serde(default)]
    pub linker: String,
    /// Its memory map.
    pub memory: Memory,
    /// How QEMU emulates it, if it does.
    pub qemu: Option<Emulation>,
    /// What probe-rs calls its processor, if it flashes it.
    pub chip: Option<String>,
    /// OpenOCD's script for the board, where probe-rs does not know it.
    pub openocd: Option<String>,
    /// The kind of file that the board's drive takes, if it has a drive.
    pub image: Option<Image>,
}

impl Board {
    /// The profile of Cargo that its program is built with.
    #[must_use]
    pub const fn profile(&self) -> &'static str {
        if self.program.is_some() { "small" } else { "release" }
    }
}

/// The memory map of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Flash for the program and the model that is built in.
    pub flash: Region,
    /// Flash for two models that are sent, half of it each, where the board's flash can be written.
    pub slots: Option<Region>,
    /// RAM.
    pub ram: Region,
}

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// The first address.
    pub origin: u64,
    /// Its length in bytes.
    pub length: u64,
}

/// A kind of file that a board's drive takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Image {
    /// Intel HEX.
    Hex,
    /// Microsoft's UF2.
    Uf2,
}

/// How QEMU emulates a board.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emulation {
    /// The QEMU program for its processor.
    pub program: String,
    /// QEMU's name for the board.
    pub machine: String,
    /// An instruction takes `1 << icount` nanoseconds of the emulated time.
    pub icount: u32,
    /// Whether the firmware may use files, console and exit code of the machine that runs QEMU.
    #[serde(default)]
    pub semihosting: bool,
    /// Nanoseconds of emulated time in a tick of the firmware's clock, for programs that have not asked the firmware.
    #[serde(default = "systick")]
    pub tick_ns: u32,
}

/// SysTick at the MPS2 boards' 25 MHz.
const fn systick() -> u32 {
    40
}

impl Emulation {
    /// The number of instructions in so many ticks of the firmware's clock, rounded.
    #[must_use]
    pub fn instructions(&self, ticks: u64, ticks_per_second: u32) -> u64 {
        let nanoseconds = u128::from(ticks) * 1_000_000_000 / u128::from(ticks_per_second.max(1));
        let half = 1_u128 << self.icount >> 1;
        u64::try_from((nanoseconds + half) >> self.icount).unwrap_or(u64::MAX)
    }

    /// Ticks of the firmware's clock in a second, for programs that have not asked the firmware.
    #[must_use]
    pub fn ticks_per_second(&self) -> u32 {
        1_000_000_000 / self.tick_ns.max(1)
    }
}

/// Why there is no such board.
#[derive(Debug)]
pub enum Error {
    /// The table cannot be read.
    Unreadable {
        /// Its file.
        path: PathBuf,
        /// The reason.
        error: io::Error,
    },
    /// The table is wrong.
    Malformed {
        /// Its file.
        path: PathBuf,
        /// The line of the fault, counted from 1.
        line: Option<usize>,
        /// The reason.
        reason: String,
    },
    /// No board has this name.
    Unknown {
        /// The name.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// QEMU does not emulate the board.
    NotEmulated {
        /// Its name.
        name: String,
        /// The boards that QEMU emulates.
        emulated: Vec<String>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, error } => write!(f, "{}: {error}", path.display()),
            Self::Malformed { path, line: Some(line), reason } => {
                write!(f, "{}:{line}: {reason}", path.display())
            }
            Self::Malformed { path, line: None, reason } => write!(f, "{}: {reason}", path.display()),
            Self::Unknown { name, known } => {
                write!(f, "no board is called {name}; there is {}", known.join(", "))
            }
            Self::NotEmulated { name, emulated } => {
                write!(f, "QEMU has no {name}; it has {}", emulated.join(", "))
            }
        }
    }
}

impl std::error::Error for Error {}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    board: Vec<Board>,
}

/// All boards of the firmware in this folder, in the table's order.
///
/// # Errors
///
/// If the table cannot be read or is wrong.
pub fn read(firmware: &Path) -> Result<Vec<Board>, Error> {
    let path = firmware.join(TABLE);
    match fs::read_to_string(&path) {
        Ok(text) => parse(&path, &text),
        Err(error) => Err(Error::Unreadable { path, error }),
    }
}

fn parse(path: &Path, text: &str) -> Result<Vec<Board>, Error> {
    let table: Table = toml::from_str(text).map_err(|error| Error::Malformed {
        path: path.to_owned(),
        line: error.span().map(|span| 1 + text[..span.start].matches('\n').count()),
        reason: error.message().to_owned(),
    })?;
    Ok(table.board)
}

/// The board of this name.
///
/// # Errors
///
/// If there is none; the error names all.
pub fn find(boards: &[Board], name: &str) -> Result<Board, Error> {
    boards.iter().find(|board| board.name == name).cloned().ok_or_else(|| Error::Unknown {
        name: name.to_owned(),
        known: boards.iter().map(|board| board.name.clone()).collect(),
    })
}

/// The board of this name, and how QEMU emulates it.
///
/// # Errors
///
/// If there is no such board or QEMU does not have it; the error names those that it has.
pub fn emulated(boards: &[Board], name: &str) -> Result<(Board, Emulation), Error> {
    let all = || boards.iter().filter(|board| board.qemu.is_some()).map(|board| board.name.clone()).collect();
    match boards.iter().find(|board| board.name == name) {
        None => Err(Error::Unknown { name: name.to_owned(), known: all() }),
        Some(board) => match &board.qemu {
            Some(emulation) => Ok((board.clone(), emulation.clone())),
            None => Err(Error::NotEmulated { name: name.to_owned(), emulated: all() }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = r#"
        [[board]]
        name = "one"
        about = "the first"
        target = "thumbv7em-none-eabihf"
        core = "m4"
        clock = 25_000_000
        model = "imdb-compact"
        qemu = { program = "qemu-system-arm", machine = "mps2-an386", icount = 6, semihosting = true }
        [board.memory]
        flash = { origin = 0, length = 1 }
        ram = { origin = 0x2000_0000, length = 0x4000 }
        [[board]]
        name = "two"
        about = "the second"
        target = "thumbv6m-none-eabi"
        core = "m0"
        clock = 16_000_000
        model = "imdb-8k"
        image = "uf2"
        [board.memory]
        flash = { origin = 0, length = 1 }
        slots = { origin = 1, length = 2 }
        ram = { origin = 0x2000_0000, length = 0x4000 }
    "#;

    fn listed() -> Vec<Board> {
        parse(Path::new("boards.toml"), LISTED).unwrap()
    }

    #[test]
    fn boards_are_found_by_name() {
        let boards = listed();
        let (board, emulation) = emulated(&boards, "one").unwrap();
        assert_eq!((board.target.as_str(), board.model.as_str()), ("thumbv7em-none-eabihf", "imdb-compact"));
        assert!(emulation.semihosting);
        assert_eq!(board.memory.ram, Region { origin: 0x2000_0000, length: 0x4000 });
        let two = find(&boards, "two").unwrap();
        assert_eq!((two.image, two.memory.slots.map(|slots| slots.length)), (Some(Image::Uf2), Some(2)));
        let refused = |name| emulated(&boards, name).unwrap_err().to_string();
        assert_eq!(refused("abacus"), "no board is called abacus; there is one");
        assert_eq!(refused("two"), "QEMU has no two; it has one");
        assert_eq!(find(&boards, "x").unwrap_err().to_string(), "no board is called x; there is one, two");
    }

    #[test]
    fn faults_of_the_table_are_told_with_their_line() {
        let fault = |text: &str| parse(Path::new("b.toml"), text).unwrap_err().to_string();
        assert!(fault("[[board]]\nname = 3\n").starts_with("b.toml:2: "));
        let misspelled = fault(&LISTED.replace("image", "imgae"));
        assert!(misspelled.contains("imgae"), "{misspelled}");
        let missing = fault(&LISTED.replace("about = \"the second\"", ""));
        assert!(missing.contains("about"), "{missing}");
        let absent = read(Path::new("nowhere")).unwrap_err().to_string();
        assert!(absent.contains("boards.toml"), "{absent}");
    }

    #[test]
    fn ticks_are_instructions() {
        let (_, emulation) = emulated(&listed(), "one").unwrap();
        // 160 ticks of 40 ns are 100 instructions of 64 ns; 2^32 ticks are 2^32 * 5 / 8.
        assert_eq!(emulation.ticks_per_second(), 25_000_000);
        assert_eq!(emulation.instructions(160, 25_000_000), 100);
        assert_eq!(emulation.instructions(1 << 32, 25_000_000), 2_684_354_560);
        assert_eq!(emulation.instructions(1, 1_000_000), 16);
        assert_eq!(emulation.instructions(u64::MAX, 1), u64::MAX);
    }
}
