//! The firmware's sources: where they are, and building them around a model.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt, fs};

use anyhow::{Context as _, Result, bail};
use kilornn::file;

use crate::boards::{Board, TABLE};

/// The firmware's folder in the project.
pub const FOLDER: &str = "firmware-example";

/// The environment variable that names the firmware's folder.
pub const VARIABLE: &str = "KILORNN_FIRMWARE";

/// The firmware's sources are neither named nor found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFound;

impl fmt::Display for NotFound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "running the firmware in QEMU needs its sources, which are not part of this program and not in this folder \
             or one above it. Get them:\n\n  git clone https://github.com/kilornn/kilornn\n\nand add \
             `--firmware kilornn/{FOLDER}` to the command, or set {VARIABLE} to that folder"
        )
    }
}

impl std::error::Error for NotFound {}

/// The firmware's folder: the one that is given, or else that of the nearest project around the folder `from`.
///
/// # Errors
///
/// If none is given and there is no project around.
pub fn find(given: Option<&Path>, from: &Path) -> Result<PathBuf, NotFound> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    let mut folders = from.ancestors().map(|folder| folder.join(FOLDER));
    folders.find(|folder| folder.join(TABLE).is_file()).ok_or(NotFound)
}

/// The model that the firmware for `board` has where none is named.
#[must_use]
pub fn default_model(board: &Board, firmware: &Path) -> PathBuf {
    // Beside the firmware's folder, wherever that is: a short path, if it is there at all.
    let project = fs::canonicalize(firmware).ok().and_then(|firmware| Some(firmware.parent()?.to_owned()));
    project.unwrap_or_else(|| firmware.join("..")).join("models").join(format!("{}.kilo", board.model))
}

/// A program of the firmware's crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// The application: texts in, labels out.
    Firmware,
    /// The program that counts instructions.
    Bench,
    /// The same for models of every kind, by which the one that is built in is replaced.
    BenchOfAll,
}

impl Program {
    const fn name(self) -> &'static str {
        match self {
            Self::Firmware => "kilornn-firmware",
            Self::Bench | Self::BenchOfAll => "kilornn-bench",
        }
    }
}

/// A build of the firmware.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The firmware's folder.
    pub folder: &'a Path,
    /// The board.
    pub board: &'a Board,
    /// The model to build in, instead of the board's own.
    pub model: Option<&'a Path>,
    /// The program.
    pub program: Program,
}

impl Build<'_> {
    /// The command that builds it, with the cargo that started this program, or that of PATH.
    ///
    /// # Errors
    ///
    /// If the folder or the model is not there.
    pub fn command(&self) -> Result<Command> {
        let Self { folder, board, model, program } = *self;
        let folder = fs::canonicalize(folder)
            .with_context(|| format!("the firmware's sources are not in {}", folder.display()))?;
        let mut features = match program {
            Program::Firmware => vec![],
            Program::Bench | Program::BenchOfAll => vec!["bench"],
        };
        features.extend(match program {
            Program::BenchOfAll => ALL.to_vec(),
            _ if board.program.is_some() => needed(model.unwrap_or(&default_model(board, &folder))),
            // Other models may be sent to it.
            Program::Firmware => ALL.to_vec(),
            Program::Bench if model.is_some_and(has_cells) => ALL.to_vec(),
            Program::Bench => vec!["unicode"],
        });
        features.push(&board.name);
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let mut command = Command::new(cargo);
        command
            .current_dir(&folder)
            .args(["build", "--profile", board.profile(), "--bin", program.name(), "--no-default-features"])
            .args(["--features", &features.join(","), "--target", &board.target, "--target-dir"])
            // A folder for each board, so that they do not undo each other's builds.
            .arg(Path::new("target").join(&board.name));
        if let Some(model) = model {
            let model = fs::canonicalize(model)
                .with_context(|| format!("cannot read the model {}", model.display()))?;
            command.env("KILORNN_MODEL", model);
        }
        // RUSTFLAGS in the environment are meant for this machine (a target-cpu, say), not for the board.
        command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        Ok(command)
    }

    /// Where the program's ELF file is once it is built. The next build for the same board replaces it.
    #[must_use]
    pub fn elf(&self) -> PathBuf {
        let Self { folder, board, program, .. } = *self;
        let built = folder.join("target").join(&board.name).join(&board.target);
        built.join(board.profile()).join(program.name())
    }

    /// Builds it without a word; the ELF file.
    ///
    /// # Errors
    ///
    /// If it does not build, with cargo's own words.
    pub fn run(&self) -> Result<PathBuf> {
        let output = self
            .command()?
            .arg("--quiet")
            .stdin(Stdio::null())
            .output()
            .context("cannot start cargo to build the firmware")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let Board { name, target, .. } = self.board;
            // rustc's number of "can't find crate for `core`".
            let advice = match said.contains("E0463") {
                true => format!(
                    "\nThe target {target} is not installed: run `rustup target add {target}`, or \
                     `cargo xtask setup {target}` in KiloRNN's sources"
                ),
                false => String::new(),
            };
            bail!("the firmware for {name} does not build:\n{}{advice}", said.trim_end());
        }
        Ok(self.elf())
    }
}

/// The firmware's features for models of every kind.
const ALL: [&str; 2] = ["cells", "unicode"];

/// Those that a model needs. If its file cannot be read, all: the firmware's build script says what is wrong with it.
fn needed(model: &Path) -> Vec<&'static str> {
    let Ok(bytes) = fs::read(model) else { return ALL.to_vec() };
    let Ok(contents) = file::decode(&bytes) else { return ALL.to_vec() };
    let mut needed: Vec<&str> = file::features(&contents).collect();
    needed.sort_unstable();
    needed.dedup();
    needed
}

/// Whether a model may have other layers than one SimpleRNN: whether its file is of format 4 or later.
fn has_cells(model: &Path) -> bool {
    let mut header = [0; 6];
    let read = fs::File::open(model).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && u16::from_le_bytes([header[4], header[5]]) >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_given_one_or_the_nearest() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let deep = root.join("outer/inner/src");
        for project in ["outer", "outer/inner"] {
            let folder = root.join(project).join(FOLDER);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(TABLE), "").unwrap();
        }
        fs::create_dir_all(&deep).unwrap();
        let inner = root.join("outer/inner").join(FOLDER);
        assert_eq!(find(None, &deep), Ok(inner.clone()));
        assert_eq!(find(None, &inner), Ok(inner.clone()), "within the firmware's own folder");
        assert_eq!(find(None, &root.join("outer")), Ok(root.join("outer").join(FOLDER)));
        assert_eq!(find(Some(Path::new("elsewhere")), &deep), Ok("elsewhere".into()));
        // A folder without the table is not the firmware's.
        fs::remove_file(inner.join(TABLE)).unwrap();
        assert_eq!(find(None, &deep), Ok(root.join("outer").join(FOLDER)));
    }

    #[test]
    fn what_is_not_found_can_be_got_as_it_is_printed() {
        let root = tempfile::tempdir().unwrap();
        let said = find(None, root.path()).unwrap_err().to_string();
        assert!(said.contains("git clone https://github.com/kilornn/kilornn\n"), "{said}");
        assert!(said.contains("--firmware kilornn/firmware-example"), "{said}");
        assert!(said.contains("KILORNN_FIRMWARE"), "{said}");
    }

    #[test]
    fn a_build_names_board_target_and_model() {
        let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let board = Board {
            name: "board".into(),
            about: String::new(),
            target: "thumbv6m-none-eabi".into(),
            clock: 1,
            core: "m0".into(),
            model: "imdb-16k".into(),
            program: None,
            linker: String::new(),
            memory: crate::boards::Memory {
                flash: crate::boards::Region { origin: 0, length: 1 },
                slots: None,
                ram: crate::boards::Region { origin: 0, length: 1 },
            },
            qemu: None,
            chip: None,
            openocd: None,
            image: None,
        };
        let build = Build { folder: &firmware, board: &board, model: None, program: Program::Bench };
        let command = build.command().unwrap();
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(
            words.join(" "),
            "build --profile release --bin kilornn-bench --no-default-features --features bench,unicode,board \
             --target thumbv6m-none-eabi --target-dir target/board"
        );
        assert!(build.elf().ends_with("target/board/thumbv6m-none-eabi/release/kilornn-bench"));
        let firmware_build = Build { program: Program::Firmware, ..build }.command().unwrap();
        assert!(firmware_build.get_args().any(|word| word == "cells,unicode,board"));
        let missing = Build { model: Some(Path::new("no.kilo")), ..build }.command().unwrap_err();
        assert!(missing.to_string().contains("no.kilo"), "{missing}");
    }
}
