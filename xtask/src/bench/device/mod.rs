//! `cargo xtask bench device`: executed instructions, memory and code of the engine on every kind of processor.

mod accounting;
mod figures;
mod marks;
mod synthetic;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, ensure};
use kilornn::layers::Activation;
use kilornn_host::cores::Shape as StepShape;
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

const LARGE: Shape =
    Shape { name: "128x100", units: 100, rows: 10_000, zeros: &[0, 50, 70, 90], ..Shape::FOLDED };
const SMALL: Shape = Shape { name: "32x32", units: 32, ..LARGE };
const TANH: Shape = Shape { name: "32x32 tanh", activation: Activation::Tanh, zeros: &[0], ..SMALL };
/// A narrow embedding of four bits a number.
const NARROW: Shape =
    Shape { name: "4x16 int4", units: 16, numbers: Some((4, 4)), zeros: &[0, 50, 75], ..LARGE };
/// A wider one of eight bits.
const WIDE: Shape =
    Shape { name: "8x32 int8", units: 32, numbers: Some((8, 8)), zeros: &[0, 50, 75], rows: 2_000, ..LARGE };
/// Hardly any step at all: what remains are the costs of a word.
const TINY: Shape = Shape { name: "8x8", units: 8, zeros: &[0, 50], rows: 2_000, ..LARGE };

/// With as many words as fit beside the program in 256 kB.
const fn fewer_words(shape: Shape) -> Shape {
    Shape { rows: 5_000, ..shape }
}

const BOARDS: [Board; 4] = [
    Board {
        name: "mps2-an386",
        machine: "mps2-an386",
        emulator: Emulator::Arm,
        target: "thumbv7em-none-eabihf",
        shapes: &[LARGE, SMALL, TANH, NARROW, WIDE, TINY],
    },
    Board {
        name: "mps2-an385",
        machine: "mps2-an385",
        emulator: Emulator::Arm,
        target: "thumbv7m-none-eabi",
        shapes: &[LARGE, SMALL, TANH, NARROW, WIDE, TINY],
    },
    Board {
        name: "microbit",
        machine: "microbit",
        emulator: Emulator::Arm,
        target: "thumbv6m-none-eabi",
        shapes: &[fewer_words(SMALL), fewer_words(TANH), fewer_words(NARROW), WIDE, TINY],
    },
    Board {
        name: "hifive1",
        machine: "sifive_e",
        emulator: Emulator::Riscv32,
        target: "riscv32imac-unknown-none-elf",
        shapes: &[SMALL, TANH, NARROW, WIDE, TINY],
    },
];

/// The models whose figures count most: trained ones, on sentences.
fn shipped() -> Result<Vec<PathBuf>> {
    let folder = fs::read_dir(process::root().join("models"))?;
    let mut models = folder.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    models.retain(|path| path.extension().is_some_and(|extension| extension == "kilo"));
    models.sort();
    Ok(models)
}

/// One line of the table.
struct Row {
    board: &'static str,
    shape: String,
    /// Whether the model is in the repository.
    is_shipped: bool,
    /// Percent of zeros in the states: as asked for in synthetic models, as measured in others.
    zeros: f64,
    units: usize,
    /// What the trainer's accounting needs to know.
    step: StepShape,
    figures: Figures,
}

/// Builds, runs, and prints the table, or the same as JSON.
pub(crate) fn run(json: bool, only: Option<&str>) -> Result<()> {
    if let Some(name) = only {
        ensure!(
            BOARDS.iter().any(|board| board.name == name),
            "no board is called {name}; there is {}",
            BOARDS.map(|board| board.name).join(", ")
        );
    }
    if json {
        process::run_aside(Command::new(env::current_exe()?).args(["setup", "--all"]))?;
    }
    let mut rows = Vec::new();
    for board in BOARDS.iter().filter(|board| only.is_none_or(|name| board.name == name)) {
        if !json {
            board.set_up()?;
        }
        for model in shipped()? {
            rows.push(board.shipped(&model)?);
        }
        for shape in board.shapes {
            rows.extend(board.synthetic(shape)?);
        }
    }
    let mut exceeded = marks::exceeded(&rows);
    exceeded.extend(accounting::departures(&rows));
    if json {
        let rows: Vec<_> = rows.iter().map(Row::json).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!();
        Row::print_head();
        rows.iter().for_each(Row::print);
    }
    ensure!(exceeded.is_empty(), "{}", exceeded.join("; "));
    if !json {
        println!(
            "bench: PASS - {} measurements, none above its mark, and all as the trainer reckons",
            rows.len()
        );
    }
    Ok(())
}

/// Installs what any board needs.
pub(crate) fn set_up() -> Result<()> {
    BOARDS.iter().try_for_each(Board::set_up)
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
        board.set_up()?;
        let sizes = if index == 0 { &SIZES[..] } else { &FEW_SIZES[..] };
        for &(units, numbers) in sizes {
            board.parity(Shape { name: "wild", units, numbers, ..Shape::FOLDED })?;
        }
        println!("    {}: {} models take the host's states", board.name, sizes.len() * WILD as usize);
    }
    Ok(())
}

impl Board {
    fn set_up(&self) -> Result<()> {
        setup::target(self.target)?;
        setup::emulator(self.emulator)
    }

    /// Measures a model that is in the repository.
    fn shipped(&self, path: &Path) -> Result<Row> {
        let shape = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let figures = self.measure(&self.build(path)?)?;
        let file = fs::read(path)?;
        self.compare(&figures, &file, &shape)?;
        let zeros = f64::from(figures.zeros_permille) / 10.0;
        let step = synthetic::step(&file)?;
        Ok(Row { board: self.name, shape, is_shipped: true, zeros, units: step.units, step, figures })
    }

    /// Measures synthetic models of a shape, with one build.
    fn synthetic(&self, shape: &Shape) -> Result<Vec<Row>> {
        let scratch = tempfile::tempdir()?;
        let (first, other) = (scratch.path().join("first.kilo"), scratch.path().join("other.elf"));
        let models: Vec<_> = shape.zeros.iter().map(|&zeros| (zeros, shape.model(zeros))).collect();
        let (_, template) = models.first().context("a shape without models")?;
        fs::write(&first, template)?;
        let elf = self.build(&first)?;
        let measure = |(zeros, model): &(u32, Vec<u8>)| {
            replace_model(&elf, template, model, &other)?;
            let figures = self.measure(&other)?;
            self.compare(&figures, model, shape.name)?;
            ensure!(
                figures.zeros_permille.abs_diff(10 * zeros) <= 5,
                "the states have {} per mille of zeros instead of {zeros} %",
                figures.zeros_permille
            );
            let (zeros, units, step) = (f64::from(*zeros), shape.units, synthetic::step(model)?);
            Ok(Row {
                board: self.name,
                shape: shape.name.to_owned(),
                is_shipped: false,
                zeros,
                units,
                step,
                figures,
            })
        };
        models.iter().map(measure).collect()
    }

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
        let Figures { states: _, zeros_permille: _, step, byte, word, code, ram, stack } = self.figures;
        json!({
            "board": self.board,
            "shape": self.shape,
            "zeros": self.zeros,
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
        let Figures { states: _, zeros_permille: _, step, byte, word, code, ram, stack } = self.figures;
        let zeros = self.zeros;
        println!(
            "{:<11} {:<14} {zeros:>7.1} {step:>13.1} {byte:>9.1} {word:>9.1} {code:>6} {ram:>6} {stack:>6}",
            self.board, self.shape,
        );
    }
}
