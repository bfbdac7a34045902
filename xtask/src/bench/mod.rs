//! `cargo xtask bench device`: executed instructions, memory and code of the engine on every kind of processor.

mod figures;
mod synthetic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::firmware::{replace_model, target_dir};
use crate::process;
use crate::setup::{self, Emulator};
use figures::Figures;
use synthetic::Shape;

/// A machine that QEMU emulates.
struct Board {
    /// The firmware's feature.
    name: &'static str,
    machine: &'static str,
    emulator: Emulator,
    target: &'static str,
    /// The synthetic models that fit.
    shapes: &'static [Shape],
}

const LARGE: Shape = Shape { name: "128x100", units: 100, rows: 10_000, numbers: None };
const SMALL: Shape = Shape { name: "32x32", units: 32, rows: 10_000, numbers: None };
const SMALLER: Shape = Shape { rows: 5_000, ..SMALL };

const BOARDS: [Board; 4] = [
    Board {
        name: "mps2-an386",
        machine: "mps2-an386",
        emulator: Emulator::Arm,
        target: "thumbv7em-none-eabihf",
        shapes: &[LARGE, SMALL],
    },
    Board {
        name: "mps2-an385",
        machine: "mps2-an385",
        emulator: Emulator::Arm,
        target: "thumbv7m-none-eabi",
        shapes: &[LARGE, SMALL],
    },
    Board {
        name: "microbit",
        machine: "microbit",
        emulator: Emulator::Arm,
        target: "thumbv6m-none-eabi",
        shapes: &[SMALLER],
    },
    Board {
        name: "sifive-e",
        machine: "sifive_e",
        emulator: Emulator::Riscv32,
        target: "riscv32imac-unknown-none-elf",
        shapes: &[SMALL],
    },
];

/// Percent of zeros in the states of the synthetic models.
const ZEROS: [u32; 4] = [0, 50, 70, 90];

/// The model whose figures count most: a trained one, on sentences.
const SHIPPED: &str = "models/imdb-compact.kilo";

/// One line of the table.
struct Row {
    board: &'static str,
    shape: String,
    figures: Figures,
}

/// Builds, runs, and prints the table, or the same as JSON.
pub(crate) fn device(json: bool, only: Option<&str>) -> Result<()> {
    if let Some(name) = only {
        ensure!(
            BOARDS.iter().any(|board| board.name == name),
            "no board is called {name}; there is {}",
            BOARDS.map(|board| board.name).join(", ")
        );
    }
    let scratch = tempfile::tempdir()?;
    let mut rows = Vec::new();
    for board in BOARDS.iter().filter(|board| only.is_none_or(|name| board.name == name)) {
        if !json {
            setup::target(board.target)?;
            setup::emulator(board.emulator)?;
        }
        let shipped = process::root().join(SHIPPED);
        let name = shipped.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let figures = board.measure(&board.build(&shipped)?)?;
        board.compare(&figures, &fs::read(&shipped)?, &name)?;
        rows.push(Row { board: board.name, shape: name, figures });
        for shape in board.shapes {
            let models = ZEROS.map(|zeros| shape.model(zeros));
            let first = scratch.path().join("first.kilo");
            fs::write(&first, &models[0])?;
            let elf = board.build(&first)?;
            for (model, zeros) in models.iter().zip(ZEROS) {
                let other = scratch.path().join("other.elf");
                replace_model(&elf, &models[0], model, &other)?;
                let figures = board.measure(&other)?;
                board.compare(&figures, model, shape.name)?;
                ensure!(
                    figures.zeros_permille.abs_diff(10 * zeros) <= 5,
                    "the states have {} per mille of zeros instead of {zeros} %",
                    figures.zeros_permille
                );
                rows.push(Row { board: board.name, shape: shape.name.to_owned(), figures });
            }
        }
    }
    if json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!();
        Row::print_head();
        rows.iter().for_each(Row::print);
        println!("bench: PASS - {} measurements", rows.len());
    }
    Ok(())
}

/// Sizes of the models on which kernels are compared: units, and numbers of a row with their bits.
type Size = (usize, Option<(usize, u32)>);

/// On the board whose kernels are most intricate.
const SIZES: [Size; 12] = [
    (4, None),
    (8, None),
    (16, None),
    (36, None),
    (64, None),
    (100, None),
    (128, None),
    (4, Some((1, 8))),
    (16, Some((4, 4))),
    (16, Some((7, 8))),
    (36, Some((6, 4))),
    (100, Some((28, 8))),
];

/// On the other boards.
const FEW_SIZES: [Size; 3] = [(36, None), (16, Some((4, 4))), (100, Some((7, 8)))];

/// Models of each size.
const WILD: u32 = 16;

/// Takes models of any weights, sizes and densities through the kernel of every board and through the host's.
pub(crate) fn parity() -> Result<()> {
    for (index, board) in BOARDS.iter().enumerate() {
        setup::target(board.target)?;
        setup::emulator(board.emulator)?;
        let sizes = if index == 0 { &SIZES[..] } else { &FEW_SIZES[..] };
        for &(units, numbers) in sizes {
            board.parity(Shape { name: "wild", units, rows: 200, numbers })?;
        }
        println!("    {}: {} models take the host's states", board.name, sizes.len() * WILD as usize);
    }
    Ok(())
}

impl Board {
    /// The bench for this board with the model in it.
    fn build(&self, model: &Path) -> Result<PathBuf> {
        let features = format!("bench,{}", self.name);
        let dir = process::firmware_dir();
        let mut build = process::cargo(
            &dir,
            [
                "build",
                "--release",
                "--no-default-features",
                "--bin",
                "kilornn-bench",
                "--target",
                self.target,
            ],
        );
        build.args(["--features", &features]);
        // RUSTFLAGS in the environment are meant for this machine (a target-cpu, say), not for the board.
        process::output(build.env("KILORNN_MODEL", model).env_remove("RUSTFLAGS"))
            .with_context(|| format!("the bench for {} does not build", self.name))?;
        let target = target_dir(&dir)?;
        Ok(target.join(self.target).join("release").join("kilornn-bench"))
    }

    /// Compares states of this shape's models.
    fn parity(&self, shape: Shape) -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let (first, other) = (scratch.path().join("first.kilo"), scratch.path().join("other.elf"));
        let template = shape.wild(0);
        fs::write(&first, &template)?;
        let elf = self.build(&first)?;
        for seed in 0..WILD {
            let model = shape.wild(seed);
            replace_model(&elf, &template, &model, &other)?;
            self.compare(&self.measure(&other)?, &model, shape.name).with_context(|| {
                format!("{} units, numbers {:?}, model {seed}", shape.units, shape.numbers)
            })?;
        }
        Ok(())
    }

    /// Figures of a kernel that computes something else are worth nothing.
    fn compare(&self, figures: &Figures, model: &[u8], name: &str) -> Result<()> {
        let expected = synthetic::states(model)?;
        ensure!(figures.states == expected, "{name} has other states on {} than on the host", self.name);
        Ok(())
    }

    /// Runs a bench.
    fn measure(&self, elf: &Path) -> Result<Figures> {
        let mut qemu = Command::new(self.emulator.program()?);
        // An instruction takes 64 ns, more than a tick of any board's clock.
        qemu.args(["-machine", self.machine, "-icount", "shift=6", "-display", "none", "-monitor", "none"])
            .args(["-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel"])
            .arg(elf);
        let said =
            process::output(&mut qemu).with_context(|| format!("the bench on {} failed", self.name))?;
        Figures::read(&said, elf).with_context(|| format!("the bench on {} said:\n{said}", self.name))
    }
}

impl Row {
    fn json(&self) -> serde_json::Value {
        let Figures { states: _, zeros_permille, step, byte, word, code, ram, stack } = self.figures;
        json!({
            "board": self.board,
            "shape": self.shape,
            "zeros": f64::from(zeros_permille) / 10.0,
            "instructions_per_step": step,
            "tokenizer_instructions_per_byte": byte,
            "instructions_per_word": word,
            "code_bytes": code,
            "ram_bytes": ram,
            "stack_bytes": stack,
        })
    }

    fn print_head() {
        println!("                             zeros  instructions     text:    words:");
        println!("board       shape               %      per step  per byte  per word   code    RAM  stack");
    }

    fn print(&self) {
        let Figures { states: _, zeros_permille, step, byte, word, code, ram, stack } = self.figures;
        let zeros = f64::from(zeros_permille) / 10.0;
        println!(
            "{:<11} {:<14} {zeros:>7.1} {step:>13.1} {byte:>9.1} {word:>9.1} {code:>6} {ram:>6} {stack:>6}",
            self.board, self.shape,
        );
    }
}
