//! `cargo xtask bench device`: executed instructions, memory and code of the engine on every kind of processor.

mod accounting;
mod cycles;
mod figures;
mod fit;
mod marks;
mod peers;
mod synthetic;
mod times;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

use anyhow::{Context as _, Result, anyhow, ensure};
use kilornn::Model;
use kilornn::layers::Activation;
use kilornn_host::cores::{self, CORES, CellShape, LayerShape, Shape};
use kilornn_host::firmware::Program;
use kilornn_host::qemu::{self, Serial};
use kilornn_host::{Board, Emulation};
use serde_json::json;

use crate::firmware::{build_bench, replace_model};
use crate::{boards, process, setup};
use cycles::{Estimate, Pipeline};
use figures::Figures;
use synthetic::{Cell, Synthetic};
use times::Timed;

const LARGE: Synthetic =
    Synthetic { name: "128x100", units: 100, rows: 10_000, zeros: &[0, 50, 70, 90], ..Synthetic::FOLDED };
const SMALL: Synthetic = Synthetic { name: "32x32", units: 32, ..LARGE };
const TANH: Synthetic =
    Synthetic { name: "32x32 tanh", cell: Cell::SimpleRnn(Activation::Tanh), zeros: &[0], ..SMALL };
/// As many products as the smallest layer with gates has.
const SMALL_TANH: Synthetic = Synthetic { name: "16 tanh, text", units: 16, ..TANH };
/// A narrow embedding of four bits a number.
const NARROW: Synthetic =
    Synthetic { name: "4x16 int4", units: 16, numbers: Some((4, 4)), zeros: &[0, 50, 75], ..LARGE };
/// A wider one of eight bits.
const WIDE: Synthetic = Synthetic {
    name: "8x32 int8",
    units: 32,
    numbers: Some((8, 8)),
    zeros: &[0, 50, 75],
    rows: 2_000,
    ..LARGE
};
/// Hardly any step at all: what remains are the costs of a word.
const TINY: Synthetic = Synthetic { name: "8x8", units: 8, zeros: &[0, 50], rows: 2_000, ..LARGE };

const TANH_CELL: Cell = Cell::SimpleRnn(Activation::Tanh);

/// Steps that read frames of numbers, as other engines are measured: the numbers of a frame, and units.
const FRAMES: [Synthetic; 16] = [
    Synthetic::of_frames("9x32 lstm", 9, 32, Cell::LSTM),
    Synthetic::of_frames("13x64 lstm", 13, 64, Cell::LSTM),
    Synthetic::of_frames("16x16 lstm", 16, 16, Cell::LSTM),
    Synthetic::of_frames("128x100 lstm", 128, 100, Cell::LSTM),
    Synthetic::of_frames("9x32 gru", 9, 32, Cell::GRU),
    Synthetic::of_frames("13x64 gru", 13, 64, Cell::GRU),
    Synthetic::of_frames("16x16 gru", 16, 16, Cell::GRU),
    Synthetic::of_frames("128x100 gru", 128, 100, Cell::GRU),
    Synthetic::of_frames("9x32 fastgrnn", 9, 32, Cell::FASTGRNN),
    Synthetic::of_frames("13x64 fastgrnn", 13, 64, Cell::FASTGRNN),
    Synthetic::of_frames("16x16 fastgrnn", 16, 16, Cell::FASTGRNN),
    Synthetic::of_frames("128x100 fastgrnn", 128, 100, Cell::FASTGRNN),
    Synthetic::of_frames("9x32 tanh", 9, 32, TANH_CELL),
    Synthetic::of_frames("13x64 tanh", 13, 64, TANH_CELL),
    Synthetic::of_frames("16x16 tanh", 16, 16, TANH_CELL),
    Synthetic::of_frames("128x100 tanh", 128, 100, TANH_CELL),
];

/// Of gates, with a folded embedding.
const FOLDED_GATES: [Synthetic; 6] = [
    Synthetic { name: "16 lstm, text", units: 16, cell: Cell::LSTM, zeros: &[0], ..Synthetic::FOLDED },
    Synthetic { name: "100 lstm, text", units: 100, cell: Cell::LSTM, zeros: &[0], ..Synthetic::FOLDED },
    Synthetic { name: "16 gru, text", units: 16, cell: Cell::GRU, zeros: &[0], ..Synthetic::FOLDED },
    Synthetic { name: "100 gru, text", units: 100, cell: Cell::GRU, zeros: &[0], ..Synthetic::FOLDED },
    Synthetic {
        name: "16 fastgrnn, text",
        units: 16,
        cell: Cell::FASTGRNN,
        zeros: &[0],
        ..Synthetic::FOLDED
    },
    Synthetic {
        name: "100 fastgrnn, text",
        units: 100,
        cell: Cell::FASTGRNN,
        zeros: &[0],
        ..Synthetic::FOLDED
    },
];

/// With as many words as fit beside the program in 256 kB.
const fn fewer_words(model: Synthetic) -> Synthetic {
    Synthetic { rows: 5_000, ..model }
}

/// The synthetic models that are measured on a core: on the board of the M0 those that fit 256 kB, on that of RISC-V all but the
/// one with most words, on the others all. Frames reach a SimpleRNN's step only where it keeps all of its inputs.
fn synthetic_models(core: &str) -> Vec<Synthetic> {
    let mut models = match core {
        "m0" => vec![fewer_words(SMALL), fewer_words(TANH), fewer_words(NARROW), WIDE, TINY],
        "rv32" => vec![SMALL, TANH, NARROW, WIDE, TINY],
        _ => vec![LARGE, SMALL, TANH, NARROW, WIDE, TINY],
    };
    models
        .extend(FRAMES.into_iter().filter(|model| core == "m4" || !matches!(model.cell, Cell::SimpleRnn(_))));
    models.extend(FOLDED_GATES);
    models.push(if core == "m0" { fewer_words(SMALL_TANH) } else { SMALL_TANH });
    models
}

/// The bench on a board that QEMU emulates.
struct Bench {
    board: Board,
    emulation: Emulation,
    models: Vec<Synthetic>,
}

/// The bench on the board of each core.
fn benches() -> Result<Vec<Bench>> {
    let benches = cores::measured().map(|core| {
        let board = boards::find(core.board)?;
        // The bench always speaks through semihosting, also on boards whose firmware must not.
        let emulation = Emulation { semihosting: true, ..boards::emulation(&board)?.clone() };
        Ok(Bench { board, emulation, models: synthetic_models(core.name) })
    });
    benches.collect()
}

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
    board: String,
    model: String,
    /// Whether the model is in the repository.
    is_shipped: bool,
    /// Percent of zeros in the states: as asked for in synthetic models, as measured in others.
    zeros: f64,
    /// The model's cell, as a recipe calls it.
    cell: String,
    /// The model's dimensions, on which its costs depend.
    shape: Shape,
    /// The numbers of a frame, if steps are measured with frames.
    frame: Option<usize>,
    figures: Figures,
    /// Its estimated cycles on each core that executes these instructions.
    timed: Vec<Timed>,
}

/// Builds, runs, and prints the table, or the same as JSON.
pub(crate) fn run(json: bool, fit: bool, only: Option<&str>) -> Result<()> {
    let mut benches = benches()?;
    if let Some(name) = only {
        let names = benches.iter().map(|bench| bench.board.name.clone()).collect::<Vec<_>>().join(", ");
        benches.retain(|bench| bench.board.name == name);
        ensure!(!benches.is_empty(), "no board of the bench is called {name}; there is {names}");
    }
    if json {
        process::run_aside(Command::new(env::current_exe()?).args(["setup", "--all"]))?;
    }
    let mut rows = Vec::new();
    for bench in &benches {
        if !json {
            setup::board(&bench.board)?;
        }
        for model in shipped()? {
            rows.push(bench.shipped(&model)?);
        }
        for model in &bench.models {
            rows.extend(bench.synthetic(model)?);
        }
    }
    let mut exceeded = marks::exceeded(&rows);
    exceeded.extend(accounting::departures(&rows));
    if json {
        let boards = boards::all()?;
        let rows: Vec<_> = rows.iter().map(|row| row.json(&boards)).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        println!();
        Row::print_head();
        rows.iter().for_each(Row::print);
        times::print(&rows, &boards::all()?);
        peers::print(&rows);
    }
    if fit {
        CORES.iter().for_each(|core| fit::print(core, &rows));
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

/// Dimensions of the models on which kernels are compared: units, and numbers of a row with their bits.
type Dimensions = (usize, Option<(usize, u32)>);

/// On the board whose kernels are most intricate.
const SIZES: [Dimensions; 12] = [
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
const FEW_SIZES: [Dimensions; 3] = [(36, None), (16, Some((4, 4))), (100, Some((7, 8)))];

/// Each cell with gates, and stacks, on every board: numbers of inputs at which the kernels' loops are entered everywhere,
/// and more than a pass of each.
const GATED: [(Cell, Dimensions); 18] = [
    (Cell::GRU, (4, Some((4, 8)))),
    (Cell::LSTM, (4, Some((4, 8)))),
    (Cell::GRU, (8, Some((8, 8)))),
    (Cell::LSTM, (8, None)),
    (Cell::GRU, (36, None)),
    (Cell::LSTM, (36, Some((4, 4)))),
    (Cell::GRU, (12, Some((12, 8)))),
    (Cell::LSTM, (20, None)),
    (Cell::GRU, (28, Some((20, 8)))),
    (Cell::LSTM, (16, Some((12, 4)))),
    (Cell::GRU, (64, Some((36, 8)))),
    (Cell::LSTM, (52, Some((40, 8)))),
    (Cell::FASTGRNN, (4, Some((4, 8)))),
    (Cell::FASTGRNN, (20, None)),
    (Cell::FASTGRNN, (36, Some((8, 8)))),
    (Cell::FASTGRNN, (44, Some((12, 4)))),
    (Cell::STACK, (16, Some((8, 8)))),
    (Cell::STACK, (44, None)),
];

/// As large as layers can be, on boards with RAM for several states of them.
const LARGE_GATED: [(Cell, Dimensions); 5] = [
    (Cell::GRU, (256, None)),
    (Cell::GRU, (16, Some((256, 4)))),
    (Cell::LSTM, (256, Some((256, 4)))),
    (Cell::LSTM, (24, Some((256, 8)))),
    (Cell::FASTGRNN, (256, Some((256, 8)))),
];

/// Models of each size.
const WILD: u32 = 16;

/// Takes models of any weights, sizes and densities through the kernel of every board and through the host's.
pub(crate) fn parity() -> Result<()> {
    let benches = benches()?;
    for bench in &benches {
        setup::board(&bench.board)?;
    }
    // All boards at the same time: while one is linked, which uses one processor, another runs in QEMU.
    thread::scope(|scope| {
        let works = benches.iter().enumerate().map(|(index, bench)| {
            let sizes = if index == 0 { &SIZES[..] } else { &FEW_SIZES[..] };
            let large: &[_] = if bench.board.memory.ram.length < 64 << 10 { &[] } else { &LARGE_GATED };
            let simple = sizes.iter().map(|&size| (Synthetic::FOLDED.cell, size));
            let kinds = simple.chain(GATED.iter().chain(large).copied());
            let kinds: Vec<_> = kinds
                .map(|(cell, (units, numbers))| Synthetic { cell, units, numbers, ..Synthetic::FOLDED })
                .collect();
            scope.spawn(move || bench.parity(&kinds))
        });
        let works: Vec<_> = works.collect();
        for (bench, work) in benches.iter().zip(works) {
            let models = work.join().map_err(|_| anyhow!("{}: broke off", bench.board.name))??;
            println!("    {}: {models} models take the host's states", bench.board.name);
        }
        Ok(())
    })
}

impl Bench {
    /// Measures a model that is in the repository.
    fn shipped(&self, path: &Path) -> Result<Row> {
        let model = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (figures, timed) = self.measure(&build_bench(&self.board, path, Program::Bench)?)?;
        let file = fs::read(path)?;
        self.compare(&figures, &file, &model)?;
        let zeros = f64::from(figures.zeros_permille) / 10.0;
        let shape = synthetic::shape(&file)?;
        let board = self.board.name.clone();
        Ok(Row {
            board,
            model,
            is_shipped: true,
            zeros,
            cell: Synthetic::FOLDED.cell.name(),
            shape,
            frame: None,
            figures,
            timed,
        })
    }

    /// Measures a synthetic model with each share of zeros, with one build.
    fn synthetic(&self, kind: &Synthetic) -> Result<Vec<Row>> {
        let scratch = tempfile::tempdir()?;
        let (first, other) = (scratch.path().join("first.kilo"), scratch.path().join("other.elf"));
        let models: Vec<_> = kind.zeros.iter().map(|&zeros| (zeros, kind.model(zeros))).collect();
        let (_, template) = models.first().context("a synthetic model without shares of zeros")?;
        fs::write(&first, template)?;
        let elf = build_bench(&self.board, &first, Program::Bench)?;
        let measure = |(zeros, model): &(u32, Vec<u8>)| {
            replace_model(&elf, template, model, &other)?;
            let (figures, timed) = self.measure(&other)?;
            self.compare(&figures, model, kind.name)?;
            // Gates that stay shut leave a state of zero, which costs what any other does.
            let counts = matches!(kind.cell, Cell::SimpleRnn(_));
            ensure!(
                !counts || figures.zeros_permille.abs_diff(10 * zeros) <= 5,
                "the states have {} per mille of zeros instead of {zeros} %",
                figures.zeros_permille
            );
            Ok(Row {
                board: self.board.name.clone(),
                model: kind.name.to_owned(),
                is_shipped: false,
                zeros: f64::from(*zeros),
                cell: kind.cell.name(),
                shape: synthetic::shape(model)?,
                frame: kind.frame,
                figures,
                timed,
            })
        };
        models.iter().map(measure).collect()
    }

    /// Compares states of wild models of these kinds; returns how many there were.
    fn parity(&self, kinds: &[Synthetic]) -> Result<usize> {
        let models = kinds.iter().flat_map(|kind| (0..WILD).map(move |seed| (kind, seed, kind.wild(seed))));
        let models: Vec<_> = models.collect();
        // One program serves all: it is built with the model that needs the most memory, and has room for the longest file.
        let inputs = |file: &[u8]| Model::from_bytes(file).map_or(0, |model| model.contents().inputs());
        let most = models.iter().max_by_key(|(_, _, model)| inputs(model)).context("no models to compare")?;
        let longest = models.iter().map(|(_, _, model)| model.len()).max().unwrap_or_default();
        let in_room = |model: &[u8]| {
            let mut room = vec![0xFF; longest];
            room[..model.len()].copy_from_slice(model);
            room
        };
        let scratch = tempfile::tempdir()?;
        let (first, other) = (scratch.path().join("first.kilo"), scratch.path().join("other.elf"));
        let template = in_room(&most.2);
        fs::write(&first, &template)?;
        let elf = build_bench(&self.board, &first, Program::BenchOfAll)?;
        for (kind, seed, model) in &models {
            replace_model(&elf, &template, &in_room(model), &other)?;
            self.compare(&self.run(&other)?, model, &kind.cell.name())
                .with_context(|| format!("{} units, numbers {:?}, model {seed}", kind.units, kind.numbers))?;
        }
        Ok(models.len())
    }

    /// Figures of a kernel that computes something else are worth nothing.
    fn compare(&self, figures: &Figures, model: &[u8], name: &str) -> Result<()> {
        let expected = synthetic::states(model)?;
        ensure!(
            figures.states == expected,
            "{name} has other states on {} than on the host",
            self.board.name
        );
        Ok(())
    }

    /// Runs a bench.
    fn run(&self, elf: &Path) -> Result<Figures> {
        let name = &self.board.name;
        // An instruction takes 64 ns, more than a tick of any board's clock.
        let said = process::output(&mut qemu::command(&self.emulation, elf, Serial::None))
            .with_context(|| format!("the bench on {name} failed"))?;
        Figures::read(&said, elf).with_context(|| format!("the bench on {name} said:\n{said}"))
    }

    /// Runs a bench and estimates its cycles on each core that has its instructions and whose cycles are documented.
    fn measure(&self, elf: &Path) -> Result<(Figures, Vec<Timed>)> {
        let cores = CORES.iter().filter(|core| core.board == self.board.name);
        let cores: Vec<_> = cores.filter_map(|core| Some((core, Pipeline::of(core.name)?))).collect();
        if cores.is_empty() {
            return Ok((self.run(elf)?, Vec::new()));
        }
        let name = &self.board.name;
        let (said, traced) =
            cycles::run(&self.emulation, elf).with_context(|| format!("the bench on {name}"))?;
        let figures =
            Figures::read(&said, elf).with_context(|| format!("the bench on {name} said:\n{said}"))?;
        let timed = cores.into_iter().map(|(core, pipeline)| Timed::of(core, pipeline, &traced, &figures));
        Ok((figures, timed.collect::<Result<_>>()?))
    }
}

impl Row {
    /// Whether its only layer is a SimpleRNN; with what activation.
    fn simple(&self) -> Option<Activation> {
        match self.shape.layers {
            [Some(LayerShape { cell: CellShape::SimpleRnn { tanh, .. }, .. }), None, ..] => {
                Some(if tanh { Activation::Tanh } else { Activation::Relu })
            }
            _ => None,
        }
    }

    /// Instructions of a time step: with a frame, if steps are measured with frames.
    fn step(&self) -> f64 {
        self.frame.and(self.figures.frame).unwrap_or(self.figures.step)
    }

    /// Its cycles on a core: with a frame, as many an instruction as with a word.
    fn step_cycles(&self, timed: &Timed) -> Estimate {
        timed.step.times(self.step() / self.figures.step)
    }

    fn json(&self, boards: &[Board]) -> serde_json::Value {
        let Figures { states: _, zeros_permille: _, step: _, frame: _, byte, word, code, ram, stack } =
            self.figures;
        let step = self.step();
        let mut row = json!({
            "board": self.board,
            "shape": self.model,
            "cell": self.cell,
            "inputs": self.frame.or(self.shape.layers[0].map(|layer| layer.width)),
            "units": self.shape.layers[0].map(|layer| layer.units),
            "zeros": self.zeros,
            "instructions_per_step": step,
            "tokenizer_instructions_per_byte": byte,
            "instructions_per_word": word,
            "code_bytes": code,
            "ram_bytes": ram,
            "stack_bytes": stack,
        });
        if let (Some((name, instructions)), Some(row)) = (peers::of(self), row.as_object_mut()) {
            row.insert("peer".to_owned(), json!({ "name": name, "instructions_per_step": instructions }));
        }
        if let (Some(own), Some(row)) = (self.timed.first(), row.as_object_mut()) {
            row.extend(own.json(self.step_cycles(own)));
            row.insert("times".to_owned(), times::json(self, boards));
        }
        row
    }

    fn print_head() {
        println!(
            "                             zeros  instructions     text:    words:                         cycles"
        );
        println!(
            "board       shape               %      per step  per byte  per word   code    RAM  stack   per step  per word"
        );
    }

    fn print(&self) {
        let Figures { states: _, zeros_permille: _, step: _, frame: _, byte, word, code, ram, stack } =
            self.figures;
        let step = self.step();
        let zeros = self.zeros;
        let cycles = self.timed.first().map_or_else(String::new, |timed| {
            format!(" {:>10.0} {:>9.0}", self.step_cycles(timed).likely, timed.word.likely)
        });
        println!(
            "{:<11} {:<14} {zeros:>7.1} {step:>13.1} {byte:>9.1} {word:>9.1} {code:>6} {ram:>6} {stack:>6}{cycles}",
            self.board, self.model,
        );
    }
}
