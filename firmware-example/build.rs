//! Puts one model and one board's memory map where the firmware finds them.
//!
//! The model is named by `KILORNN_MODEL`. It is checked here with the same code that checks it again on the
//! device, and the firmware's buffers get exactly the size that it needs.

use std::path::{Path, PathBuf};
use std::{env, fs};

use kilornn::Model;

/// The model of a plain `cargo build`, relative to this package.
const DEFAULT_MODEL: &str = "../models/imdb-compact.kilo";

/// Flash kept for the program itself. An estimate with some room: the linker has the last word.
const CODE: u64 = 56 << 10;

/// Stack kept for calls, interrupts and the loader, besides the classifier's buffers.
const FRAMES: u64 = 2 << 10;

fn main() {
    if let Err(message) = build() {
        // One directive a line; a message of several lines would lose its tail.
        println!("cargo::error={}", message.replace('\n', " "));
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);

    let memory_x = root.join("boards").join(board(&root)?).join("memory.x");
    println!("cargo::rerun-if-changed={}", memory_x.display());
    let memory_map =
        fs::read_to_string(&memory_x).map_err(|error| format!("{}: {error}", memory_x.display()))?;
    write(&out.join("memory.x"), memory_map.as_bytes())?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg=-Tlink.x");
    // Sections need not begin at a page in the file: a ROM is not paged.
    println!("cargo::rustc-link-arg=--nmagic");

    println!("cargo::rerun-if-env-changed=KILORNN_MODEL");
    let named = env::var_os("KILORNN_MODEL").filter(|path| !path.is_empty());
    let path = root.join(named.clone().unwrap_or_else(|| DEFAULT_MODEL.into()));
    println!("cargo::rerun-if-changed={}", path.display());
    let bytes = fs::read(&path).map_err(|error| {
        let which = if named.is_some() { "named by KILORNN_MODEL" } else { "the default" };
        format!(
            "cannot read the model {} ({which}): {error}. Make one with `kilornn train`, then build with \
             KILORNN_MODEL=/path/to/model.kilo",
            path.display()
        )
    })?;
    let model = Model::from_bytes(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let (units, window) = (model.contents().inputs(), model.contents().sequence.window());

    fits("flash", bytes.len() as u64, CODE, region(&memory_map, "FLASH")?)?;
    // The classifier: up to nine bytes an input, and four a remembered word.
    fits("RAM", 9 * u64::from(units) + 4 * u64::from(window), FRAMES, region(&memory_map, "RAM")?)?;

    write(&out.join("model.kilo"), &bytes)?;
    let dimensions = format!(
        "/// Inputs of the model's step: hidden units, and numbers of a word where the embedding is not folded.\npub(super) const UNITS: usize = {units};\n\
         /// Words that the model remembers before its first step.\npub(super) const WINDOW: usize = {window};\n"
    );
    write(&out.join("dimensions.rs"), dimensions.as_bytes())
}

/// The one board whose feature is on: a folder in `boards/` of the same name.
fn board(root: &Path) -> Result<String, String> {
    let folder = root.join("boards");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut boards: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let feature = name.to_uppercase().replace('-', "_");
            env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
        })
        .collect();
    match (boards.pop(), boards.pop()) {
        (Some(board), None) => Ok(board),
        (None, _) => Err("no board: build with `--features <a folder of boards/>`".into()),
        (Some(one), Some(other)) => {
            Err(format!("two boards, {one} and {other}: add --no-default-features to choose one"))
        }
    }
}

/// An error that says by how much `needed` bytes and `reserve` exceed `available`.
fn fits(memory: &str, needed: u64, reserve: u64, available: u64) -> Result<(), String> {
    if needed + reserve <= available {
        return Ok(());
    }
    Err(format!(
        "the model does not fit this board: it needs {needed} bytes of {memory} and the program about {reserve}, \
         the board has {available}, {} too few",
        needed + reserve - available
    ))
}

/// The size of a memory region, from its line in memory.x: `NAME : ORIGIN = ..., LENGTH = 256K`.
fn region(memory_x: &str, name: &str) -> Result<u64, String> {
    let line = memory_x
        .lines()
        .map(str::trim_start)
        .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', ':', '('])));
    let length = line.and_then(|line| line.rsplit_once("LENGTH")).map(|(_, length)| length);
    let length = length.map(|length| length.trim_matches([' ', '=', '\t']));
    let size = length.and_then(|length| {
        let digits = length.trim_end_matches(['K', 'M']);
        let factor = match &length[digits.len()..] {
            "" => 1,
            "K" => 1 << 10,
            "M" => 1 << 20,
            _ => return None,
        };
        let hex = digits.strip_prefix("0x").map(|hex| u64::from_str_radix(hex, 16));
        Some(hex.unwrap_or_else(|| digits.parse()).ok()? * factor)
    });
    size.ok_or_else(|| format!("memory.x has no `{name} : ORIGIN = ..., LENGTH = <number>[K|M]` in one line"))
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| format!("{name}: {error}"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
