//! `cargo xtask ...`: everything that a person or CI types in this repository.

mod bench;
mod boards;
mod checks;
mod cores;
mod demo;
mod engine;
mod examples;
mod firmware;
mod fuzz;
mod labelled;
mod lint;
mod manifest;
mod model;
mod peers;
mod process;
mod release;
mod report;
mod sentences;
mod setup;
mod terminal;
mod test;
mod trainer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::{Parser, Subcommand, ValueEnum};
use kilornn_host::Board;

/// Sets up, checks, tests and demonstrates KiloRNN.
///
/// New here? `cargo xtask demo` takes a bare machine to a prediction on a microcontroller (in QEMU) in one go;
/// `cargo xtask test` runs every test. Both install what is missing and say so.
#[derive(Parser)]
#[command(bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and running the firmware needs: the embedded target and QEMU
    ///
    /// The target comes from `rustup target add`. Where rustup cannot reach its server, the target's `core` is
    /// built once from the compiler's own source (rust-src) and put where rustup would put it. QEMU comes from
    /// the system's package manager. What is there already is left as it is.
    #[command(after_help = "Examples:\n  cargo xtask setup\n  cargo xtask setup thumbv6m-none-eabi")]
    Setup {
        /// Also what tests and benchmarks on other cores need
        #[arg(long)]
        all: bool,
        /// Further targets to install, as rustc names them
        targets: Vec<String>,
    },

    /// Train a model, build the firmware with it, run it in QEMU and compare its answers with the host's
    ///
    /// Uses the small starter corpus that comes with KiloRNN. Everything lands under target/demo; the model is
    /// target/demo/run/model.kilo. The first run installs the embedded target and QEMU where they are missing
    /// and compiles the trainer, which takes minutes; later runs take seconds and the training.
    Demo,

    /// Run every test, on the host and in QEMU
    ///
    /// Host tests are `cargo test` of all crates in the release profile, and the runtime's tests once more with overflow
    /// checks. QEMU tests run the firmware on every board that QEMU has and compare it with the host; for the other
    /// boards it is built. The table at the end says how long each step took.
    ///
    /// With --quick: the host tests, and the default board in QEMU with the shipped model. That takes two minutes on two
    /// cores once all is compiled, and is meant for the time between two changes; the rest is left to a run without it.
    #[command(
        after_help = "Examples:\n  cargo xtask test\n  cargo xtask test --quick\n  cargo xtask test host\n  \
                      cargo xtask test microbit"
    )]
    Test {
        /// Run only this part: `host`, `qemu`, or the name of a board
        part: Option<String>,
        /// Run only what gives a verdict in two minutes
        #[arg(long, conflicts_with = "part")]
        quick: bool,
    },

    /// Show the boards that the firmware runs on
    Boards,

    /// Run the firmware in QEMU, with its serial line on this terminal
    #[command(
        after_help = "Examples:\n  cargo xtask run mps2-an386\n  cargo xtask run microbit --model my/model.kilo"
    )]
    Run(OnBoard),

    /// Build the firmware for a board that is connected and flash it
    ///
    /// Through a probe, if probe-rs is on PATH; a board with a drive also gets a file for it, which can be dragged
    /// there: .hex for both micro:bits, .uf2 for the Pico.
    #[command(
        after_help = "Examples:\n  cargo xtask flash microbit\n  cargo xtask flash pico --model my/model.kilo"
    )]
    Flash(OnBoard),

    /// Show what takes how much of a board's flash and RAM
    ///
    /// Builds the firmware. A model that does not fit is refused before anything is linked, with the numbers.
    #[command(
        after_help = "Examples:\n  cargo xtask size microbit\n  cargo xtask size microbit --model my/model.kilo"
    )]
    Size(OnBoard),

    /// Check formatting, lints and documentation, on host and firmware
    ///
    /// rustfmt, clippy and rustdoc, with every warning an error; and no modules of a crate that depend on each other in
    /// a circle. All checks run, whatever the earlier ones gave.
    #[command(
        after_help = "Examples:\n  cargo xtask lint\n  cargo xtask lint circles\n  cargo xtask lint format"
    )]
    Lint {
        /// Run only the checks that have this in their name
        part: Option<String>,
    },

    /// Check that the crates could be published: licences, oldest Rust, changes of interfaces, packages
    ///
    /// Tools that are missing (cargo-deny, cargo-semver-checks) are built into target/tools first. What a machine
    /// without internet cannot check is skipped, and marked so.
    Release,

    /// Train a model of models/models.toml anew, as it is shipped
    ///
    /// The training lands in target/models/NAME; a shipped model's file then replaces models/NAME.kilo. The data sets
    /// are no part of the repository: --data says where they are. The same machine gives the same bytes, another
    /// kind of processor may round float sums otherwise.
    #[command(
        after_help = "Examples:\n  cargo xtask model imdb-compact\n  cargo xtask model imdb-compact --check\n  \
                            cargo xtask model --all --data ~/data"
    )]
    Model(model::Args),

    /// Measure: the engine on emulated microcontrollers, training beside Keras and PyTorch, or the models' accuracy
    ///
    /// `device` builds a bench firmware for Cortex-M4, M3, M0 and RISC-V, runs it in QEMU, where instructions are
    /// counted, and prints a table: time steps of synthetic models with 0, 50, 70 and 90 % zeros in the state, and the
    /// shipped model on sentences. Cycles on Arm's cores, and microseconds on the boards that have them, are estimated from
    /// a trace (docs/cycles.md). Fails if a figure exceeds its mark, or is not what the
    /// trainer reckons with. What is missing is installed first.
    ///
    /// `train` times training steps of the seed's shapes, with SimpleRNN, GRU and LSTM, and says how long their matrix
    /// products alone would take at the rate of large ones; and epochs of the compact recipe. With --peers it makes a
    /// Python environment under target/ and lets Keras and PyTorch do the same work in turn.
    ///
    /// `accuracy` tests the shipped models on their test parts, as the device computes, and fails if one misses its
    /// marks in models/models.toml or its data are missing. With --all the models that are not shipped are trained,
    /// too; they stay in target/models as long as recipe and arguments are the same (`cargo xtask model NAME` makes
    /// one anew). With --peers fastText is trained in many sizes and recorded in xtask/peers/fasttext_points.json.
    /// With --figure docs/images/accuracy.svg shows what was measured beside that record.
    /// With `--peers svm` no model is tested: a linear SVM over tf-idf is trained (scikit-learn) on the data sets by which
    /// the default of `kilornn train` is judged, and its accuracy on their test parts printed.
    #[command(after_help = "Examples:\n  cargo xtask bench device\n  cargo xtask bench device --json\n  \
                            cargo xtask bench train --peers\n  cargo xtask bench accuracy --all\n  \
                            cargo xtask bench accuracy --peers svm")]
    Bench {
        /// What to measure
        what: Subject,
        /// Print JSON instead of a table
        #[arg(long)]
        json: bool,
        /// `device`: also print the costs of instructions and cycles that fit what was measured, as the table of cores
        /// (firmware-example/host/src/cores.rs) has them
        #[arg(long, conflicts_with = "json")]
        fit: bool,
        /// `device`: only on this board
        #[arg(long, value_name = "NAME")]
        board: Option<String>,
        /// `train`: also Keras and PyTorch; `accuracy`: also fastText, or with `svm` a linear SVM instead of models
        #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "usual")]
        peers: Option<Peers>,
        /// `accuracy`: the folder of the data sets, seen from the repository's root
        #[arg(long, value_name = "DIR", default_value = manifest::DATA)]
        data: PathBuf,
        /// `accuracy`: also the models that are not shipped
        #[arg(long)]
        all: bool,
        /// `accuracy`: draw docs/images/accuracy.svg
        #[arg(long)]
        figure: bool,
    },

    /// Show what of the engine ends up in a firmware, and check that nothing of it can panic
    ///
    /// Links the engine alone for Cortex-M4, M3, M0 and RISC-V, prints its bytes of code and constants, and fails if
    /// they exceed the limits, if they are not what the trainer reckons with, or if anything that leads to a panic
    /// is linked.
    Engine,

    /// Feed the runtime with damaged files and texts, with every overflow a panic
    ///
    /// Runs on all cores until a limit is reached, an input makes the runtime panic, or Ctrl-C; prints how many
    /// inputs there were. `cargo xtask test` does it for a few seconds a target.
    #[command(after_help = "Example:\n  cargo xtask fuzz loader --executions 10000000")]
    Fuzz {
        /// What to feed
        target: fuzz::Target,
        #[command(flatten)]
        limits: fuzz::Limits,
    },

    /// Flip every bit of two shipped models and cut them at every length: none of it may load
    Damage,
}

/// A board, and a model for it.
#[derive(clap::Args)]
struct OnBoard {
    /// The board, as `cargo xtask boards` names it
    board: String,
    /// The model to build in, instead of the board's own
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
}

impl OnBoard {
    fn with(self, work: impl FnOnce(&Board, Option<&Path>) -> Result<()>) -> Result<()> {
        work(&boards::find(&self.board)?, self.model.as_deref())
    }
}

/// What is measured beside us.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Peers {
    /// What is meant without a name
    Usual,
    /// A linear SVM over tf-idf
    Svm,
}

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Subject {
    /// The engine on microcontrollers
    Device,
    /// Training on this machine
    Train,
    /// Models on their test parts
    Accuracy,
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    let is_json = matches!(task, Task::Bench { json: true, .. });
    let (name, result) = match task {
        Task::Setup { all, targets } => ("setup", setup::run(all, &targets)),
        Task::Demo => ("demo", demo::run()),
        Task::Test { quick: true, .. } => ("test", test::quick()),
        Task::Test { part, .. } => ("test", test::run(part.as_deref())),
        Task::Boards => ("boards", boards::list()),
        Task::Run(on) => ("run", on.with(firmware::run)),
        Task::Flash(on) => ("flash", on.with(firmware::flash)),
        Task::Size(on) => ("size", on.with(firmware::size)),
        Task::Lint { part } => ("lint", lint::run(part.as_deref())),
        Task::Bench { what: Subject::Device, json, fit, board, .. } => {
            ("bench", bench::device::run(json, fit, board.as_deref()))
        }
        Task::Bench { what: Subject::Accuracy, peers: Some(Peers::Svm), json, data, .. } => {
            ("bench", bench::svm::run(&data, json))
        }
        Task::Bench { what: Subject::Train, peers: Some(Peers::Svm), .. } => {
            ("bench", Err(anyhow!("only `accuracy` has an SVM to compare with")))
        }
        Task::Bench { what: Subject::Train, json, peers, .. } => {
            ("bench", bench::train::run(peers.is_some(), json))
        }
        Task::Bench { what: Subject::Accuracy, json, peers, data, all, figure, .. } => {
            let (data, peers) = (&data, peers.is_some());
            ("bench", bench::accuracy::run(bench::accuracy::Args { data, all, peers, figure, json }))
        }
        Task::Release => ("release", release::run()),
        Task::Model(args) => ("model", model::run(&args)),
        Task::Engine => ("engine", engine::run()),
        Task::Fuzz { target, limits } => ("fuzz", fuzz::run(target, limits)),
        Task::Damage => ("damage", fuzz::damage()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // On standard output, where the rest of the account is: the last line is the verdict either way. Where a
        // program reads that, aside.
        Err(error) => {
            match is_json {
                false => println!("{name}: FAIL - {error:#}"),
                true => eprintln!("{name}: FAIL - {error:#}"),
            }
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }
}
