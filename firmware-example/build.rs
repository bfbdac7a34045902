//! Puts one board, its memory map and one model where the firmware finds them.
//!
//! The board is the row of `boards.toml` whose name is a feature that is on. The model is named by `KILORNN_MODEL`. It
//! is checked here with the same code that checks it again on the device, and the firmware's buffers get exactly the
//! size that it needs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kilornn::Model;
use serde::Deserialize;

/// The table of boards, relative to this package.
const BOARDS: &str = "boards.toml";

/// Flash kept for the program itself. An estimate with some room: the linker has the last word.
const CODE: u64 = 80 << 10;

/// RAM kept for buffers, calls and interrupts, besides the classifier.
const FRAMES: u64 = 6 << 10;

/// Where a stack that is larger than this ends: it is painted at the start, and searched for the high-water mark.
const STACK: u64 = 1 << 20;

#[derive(Deserialize)]
struct Boards {
    board: Vec<Board>,
}

/// What this script needs of a row.
#[derive(Deserialize)]
struct Board {
    name: String,
    target: String,
    model: String,
    memory: Memory,
    #[serde(default)]
    linker: String,
}

#[derive(Deserialize)]
struct Memory {
    flash: Region,
    slots: Option<Region>,
    ram: Region,
}

#[derive(Deserialize)]
struct Region {
    origin: u64,
    length: u64,
}

fn main() {
    if let Err(message) = build() {
        // One directive a line; a message of several lines would lose its tail.
        println!("cargo::error={}", message.replace('\n', " "));
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let board = board(&root)?;

    write(&out.join("memory.x"), board.memory_x().as_bytes())?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg=-Tlink.x");
    // Sections need not begin at a page in the file: a ROM is not paged.
    println!("cargo::rustc-link-arg=--nmagic");
    let source = root.join("src").join("boards").join(board.name.replace('-', "_") + ".rs");
    write(&out.join("board.rs"), format!("#[path = {source:?}]\nmod board;\n").as_bytes())?;

    println!("cargo::rerun-if-env-changed=KILORNN_MODEL");
    let named = env::var_os("KILORNN_MODEL").filter(|path| !path.is_empty());
    let default = || format!("../models/{}.kilo", board.model).into();
    let path = root.join(named.clone().unwrap_or_else(default));
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(&path).map_err(|error| {
        let which = if named.is_some() { "named by KILORNN_MODEL" } else { "the board's default" };
        format!(
            "cannot read the model {} ({which}): {error}. Make one with `kilornn train`, then build with \
             KILORNN_MODEL=/path/to/model.kilo",
            path.display()
        )
    })?;
    let model = Model::from_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let (units, window) = (model.contents().inputs(), model.contents().sequence.window());

    let Memory { flash, ram, .. } = &board.memory;
    fits(&board.name, "flash", bytes.len() as u64, CODE, flash.length)?;
    // The classifier: up to nine bytes an input, and four a remembered word.
    let classifier = 9 * u64::from(units) + 4 * u64::from(window);
    fits(&board.name, "RAM", classifier, FRAMES, ram.length)?;

    write(&out.join("model.kilo"), &bytes)?;
    let dimensions = format!(
        "/// Inputs of the model's step: hidden units, and numbers of a word where the embedding is not folded.\npub(super) const UNITS: usize = {units};\n\
         /// Words that the model remembers before its first step.\npub(super) const WINDOW: usize = {window};\n"
    );
    write(&out.join("dimensions.rs"), dimensions.as_bytes())
}

impl Board {
    /// The memory map for the linker.
    fn memory_x(&self) -> String {
        let Memory { flash, slots, ram } = &self.memory;
        let mut text = format!(
            "MEMORY\n{{\n  FLASH : ORIGIN = {:#010x}, LENGTH = {:#x}\n  RAM : ORIGIN = {:#010x}, LENGTH = {:#x}\n}}\n",
            flash.origin, flash.length, ram.origin, ram.length
        );
        // For models that are no part of the program.
        let (start, end) = slots.as_ref().map_or((0, 0), |slots| (slots.origin, slots.origin + slots.length));
        let _ = write!(text, "_slots_start = {start:#010x};\n_slots_end = {end:#010x};\n");
        let is_riscv = self.target.starts_with("riscv");
        if is_riscv {
            for (alias, region) in [
                ("TEXT", "FLASH"),
                ("RODATA", "FLASH"),
                ("DATA", "RAM"),
                ("BSS", "RAM"),
                ("HEAP", "RAM"),
                ("STACK", "RAM"),
            ] {
                let _ = writeln!(text, "REGION_ALIAS(\"REGION_{alias}\", {region});");
            }
        } else if ram.length > STACK {
            let _ = writeln!(text, "_stack_end = _stack_start - {STACK:#x};");
        }
        text + &self.linker
    }
}

/// The one board whose feature is on.
fn board(root: &Path) -> Result<Board, String> {
    let path = root.join(BOARDS);
    println!("cargo::rerun-if-changed={}", path.display());
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let Boards { board } = toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut boards: Vec<Board> = board
        .into_iter()
        .filter(|board| {
            let feature = board.name.to_uppercase().replace('-', "_");
            env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
        })
        .collect();
    let (board, other) = (boards.pop(), boards.pop());
    match (board, other) {
        (Some(board), None) if board.target != variable("TARGET")? => {
            Err(format!("the board {} needs `--target {}`", board.name, board.target))
        }
        (Some(board), None) => Ok(board),
        (None, _) => Err(format!("no board: build with `--features <a name in {BOARDS}>`")),
        (Some(one), Some(other)) => Err(format!(
            "two boards, {} and {}: add --no-default-features to choose one",
            other.name, one.name
        )),
    }
}

/// An error that says by how much `needed` bytes and `reserve` exceed `available`.
fn fits(board: &str, memory: &str, needed: u64, reserve: u64, available: u64) -> Result<(), String> {
    if needed + reserve <= available {
        return Ok(());
    }
    Err(format!(
        "the model does not fit {board}: it needs {needed} bytes of {memory} and the program about {reserve}, \
         the board has {available}, {} too few",
        needed + reserve - available
    ))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
