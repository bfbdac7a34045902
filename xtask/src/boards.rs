//! The boards that the firmware runs on: the rows of `firmware-example/boards.toml`.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::process::{self, firmware_dir};
use crate::setup::{self, Emulator};

/// The board that runs where none is named.
pub(crate) const DEFAULT: &str = "mps2-an386";

/// A board. The table's head says what is what.
#[derive(Clone, Deserialize, Debug)]
pub(crate) struct Board {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) target: String,
    pub(crate) model: String,
    pub(crate) memory: Memory,
    pub(crate) qemu: Option<Qemu>,
    pub(crate) chip: Option<String>,
    pub(crate) openocd: Option<String>,
    pub(crate) image: Option<Image>,
}

/// Its memory.
#[derive(Clone, Deserialize, Debug)]
pub(crate) struct Memory {
    pub(crate) flash: Region,
    pub(crate) slots: Option<Region>,
    pub(crate) ram: Region,
}

/// A part of its memory.
#[derive(Clone, Copy, Deserialize, Debug)]
pub(crate) struct Region {
    pub(crate) length: u64,
}

/// How it runs in QEMU.
#[derive(Clone, Deserialize, Debug)]
pub(crate) struct Qemu {
    program: String,
    pub(crate) machine: String,
    /// An instruction takes `2^icount` nanoseconds of its time.
    pub(crate) icount: u32,
    /// The firmware may use the host's files, and ends when it is asked to.
    #[serde(default)]
    pub(crate) semihosting: bool,
}

/// What its drive takes.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Image {
    Hex,
    Uf2,
}

#[derive(Deserialize)]
struct Table {
    board: Vec<Board>,
}

impl Board {
    /// All of them, in the table's order.
    pub(crate) fn all() -> Result<Vec<Self>> {
        let path = firmware_dir().join("boards.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let table: Table = toml::from_str(&text).with_context(|| format!("{}", path.display()))?;
        Ok(table.board)
    }

    /// The one of this name.
    pub(crate) fn find(name: &str) -> Result<Self> {
        let boards = Self::all()?;
        let names: Vec<_> = boards.iter().map(|board| board.name.clone()).collect();
        boards
            .into_iter()
            .find(|board| board.name == name)
            .with_context(|| format!("no board is called {name}; there is {}", names.join(", ")))
    }

    /// How it runs in QEMU, if it does.
    pub(crate) fn emulated(&self) -> Result<&Qemu> {
        self.qemu.as_ref().with_context(|| {
            format!("QEMU has no {}: connect one and use `cargo xtask flash {}`", self.name, self.name)
        })
    }

    /// The model that is built in where none is named.
    pub(crate) fn shipped_model(&self) -> PathBuf {
        process::root().join("models").join(&self.model).with_extension("kilo")
    }

    /// Installs what building for it, and running it in QEMU, needs.
    pub(crate) fn set_up(&self) -> Result<()> {
        setup::target(&self.target)?;
        self.qemu.as_ref().map_or(Ok(()), |qemu| setup::emulator(qemu.emulator()?))
    }
}

impl Qemu {
    pub(crate) fn emulator(&self) -> Result<Emulator> {
        match Emulator::of(&self.program) {
            Some(emulator) => Ok(emulator),
            None => bail!("boards.toml: no emulator is called {}", self.program),
        }
    }
}

/// `cargo xtask boards`.
pub(crate) fn list() -> Result<()> {
    for Board { name, about, target, model, qemu, chip, openocd, image, .. } in Board::all()? {
        let ways = [
            qemu.is_some().then(|| "run in QEMU".to_owned()),
            chip.map(|_| "flash by probe-rs".to_owned()),
            openocd.map(|_| "flash by OpenOCD".to_owned()),
            image.map(|image| format!("{image:?} for its drive").to_lowercase()),
        ];
        let ways: Vec<_> = ways.into_iter().flatten().collect();
        println!("{name:<14} {about}");
        println!("{:<14} {target}, {model}: {}", "", ways.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_makes_sense() {
        let boards = Board::all().unwrap();
        assert!(boards.iter().any(|board| board.name == DEFAULT));
        for board in boards {
            assert!(board.shipped_model().is_file(), "{}", board.name);
            let Memory { flash, slots, ram } = board.memory;
            assert!(flash.length > 0 && ram.length > 0, "{}", board.name);
            assert!(slots.is_none_or(|slots| slots.length.is_multiple_of(2048)), "{}", board.name);
            if let Some(qemu) = board.qemu {
                qemu.emulator().unwrap();
            } else {
                assert!(board.chip.is_some(), "{} can neither run nor be flashed", board.name);
            }
            let source = board.name.replace('-', "_") + ".rs";
            assert!(firmware_dir().join("src").join("boards").join(source).is_file(), "{}", board.name);
        }
    }

    #[test]
    fn an_unknown_board_is_an_error_that_names_all() {
        let error = Board::find("nonesuch").unwrap_err().to_string();
        assert!(error.contains("nonesuch") && error.contains(DEFAULT), "{error}");
    }
}
