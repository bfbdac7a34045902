//! Prepares the build for one board and one model: memory map, the board's module, the model file, sizes of buffers.
//!
//! The board is the row of `boards.toml` whose feature is on. The model is the one that the row names, or that
//! `KILORNN_MODEL` names. It is checked here with the same code that checks it again on the device, and the
//! firmware's buffers get exactly the size that it needs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use kilornn::{Model, file};
use kilornn_host::boards::{self, Board, Memory, Region};

/// Flash kept for the program itself, which takes up to 93 kB (`cargo xtask size`). The linker has the last word.
const CODE: u64 = 92 << 10;

/// Flash kept for layers with gates, where the board's row says what the program takes without.
const GATES: u64 = 14 << 10;

/// RAM kept for variables, calls and interrupts, besides the classifier's buffers: on the micro:bit they take up to
/// 4.8 kB (`cargo xtask test microbit` measures that).
const FRAMES: u64 = 6 << 10;

/// Flash kept for the program of the bench, which has no serial line and stores no models.
const BENCH_CODE: u64 = 56 << 10;

/// Stack that is painted at the start, to find later how much of it was used, in addition to what the classifier needs.
/// Painting all of a large RAM would only delay the start.
const PAINTED: u64 = 64 << 10;

/// Where models can be sent, there is room for at least so many hidden units (and numbers of an embedding), also if the
/// built-in model needs fewer.
const ROOM: u32 = 64;

fn main() {
    if let Err(message) = build() {
        // One directive a line; a message of several lines would lose its tail.
        println!("cargo::error={}", message.replace('\n', " "));
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);

    let mut board = board(&root)?;
    // The bench takes no models that are sent. Their room lies behind the program.
    let is_bench = is_on("bench");
    if is_bench {
        board.memory.flash.length += board.memory.slots.take().map_or(0, |slots| slots.length);
    }
    let target = variable("TARGET")?;
    if target != board.target {
        return Err(format!("{} is built with `--target {}`, not for {target}", board.name, board.target));
    }
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg=-Tlink.x");
    // Sections need not begin at a page in the file: a ROM is not paged.
    println!("cargo::rustc-link-arg=--nmagic");

    let module = root.join("src/boards").join(board.name.replace('-', "_")).with_extension("rs");
    let module = format!(
        "#[path = {module:?}]\nmod board;\n\n/// What a person calls the board.\nconst NAME: &str = {:?};\n",
        board.name
    );
    write(&out.join("board.rs"), module.as_bytes())?;

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
    // Behind the model there may be room for a longer one, by which the bench replaces it.
    let of_model = file::length(&bytes).ok().and_then(|length| bytes.get(..length)).unwrap_or(&bytes);
    let model = Model::from_bytes(of_model).map_err(|error| format!("{}: {error}", path.display()))?;
    if let Some(feature) = file::features(model.contents()).find(|feature| !is_on(feature)) {
        return Err(format!("{} needs what `--features {feature}` brings: build with it", path.display()));
    }
    let (mut units, window) = (model.contents().inputs(), model.contents().window());
    if board.memory.slots.is_some() {
        units = units.max(ROOM);
    }

    let gates = if ["fastgrnn", "gru", "lstm"].into_iter().any(is_on) { GATES } else { 0 };
    let code = match board.program {
        _ if is_bench => BENCH_CODE,
        Some(most) => most + gates,
        None => CODE,
    };
    fits(&board.name, "flash", bytes.len() as u64, code, board.memory.flash.length)?;
    // Up to nine bytes an input, and four a remembered word.
    let classifier = 9 * u64::from(units) + 4 * u64::from(window);
    fits(&board.name, "RAM", classifier, FRAMES, board.memory.ram.length)?;

    write(&out.join("memory.x"), memory_map(&board, classifier + PAINTED).as_bytes())?;
    write(&out.join("model.kilo"), &bytes)?;
    let dimensions = format!(
        "/// Room for inputs of a model's step: hidden units, and numbers of a word where the embedding is not folded.\npub(super) const UNITS: usize = {units};\n\
         /// Words that the model remembers before its first step.\npub(super) const WINDOW: usize = {window};\n"
    );
    write(&out.join("dimensions.rs"), dimensions.as_bytes())
}

/// The one board whose feature is on.
fn board(root: &Path) -> Result<Board, String> {
    println!("cargo::rerun-if-changed={}", root.join(boards::TABLE).display());
    let boards = boards::read(root).map_err(|error| error.to_string())?;
    let mut chosen = boards.into_iter().filter(|board| is_on(&board.name));
    match (chosen.next(), chosen.next()) {
        (Some(board), None) => Ok(board),
        (None, _) => Err("no board: build with `--features <a name from boards.toml>`".into()),
        (Some(one), Some(other)) => Err(format!(
            "two boards, {} and {}: add --no-default-features to choose one",
            one.name, other.name
        )),
    }
}

/// Whether a feature of the firmware is on.
fn is_on(feature: &str) -> bool {
    env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase().replace('-', "_"))).is_some()
}

/// The part of the linker script that depends on the board.
///
/// Where the RAM is much larger than `painted`, only so many bytes of the stack are painted.
fn memory_map(board: &Board, painted: u64) -> String {
    let Memory { flash, slots, ram } = &board.memory;
    let mut map = format!(
        "MEMORY\n{{\n  FLASH : ORIGIN = {:#x}, LENGTH = {:#x}\n  RAM : ORIGIN = {:#x}, LENGTH = {:#x}\n}}\n",
        flash.origin, flash.length, ram.origin, ram.length
    );
    if let Some(Region { origin, length }) = slots {
        let end = origin + length;
        let _ = write!(map, "_slots_start = {origin:#x};\n_slots_end = {end:#x};\n");
    }
    if board.target.starts_with("riscv") {
        for (alias, region) in [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "RAM"),
        ] {
            let _ = writeln!(map, "REGION_ALIAS(\"REGION_{alias}\", {region});");
        }
    } else if ram.length > 2 * painted {
        // In words.
        let end = (ram.origin + ram.length - painted) / 4 * 4;
        let _ = writeln!(map, "_stack_end = {end:#x};");
    }
    map + &board.linker
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
