//! `kilornn`: what the command line looks like. What the commands do is in `commands`.

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use kilornn_trainer::commands::{
    completions, data, device, evaluate, import, inspect, predict, recipes, starter, sweep, train,
};
use kilornn_trainer::error::InputError;
use kilornn_trainer::fit::Interrupted;
use kilornn_trainer::memory;

/// Trains a recurrent text classifier and makes it run in kilobytes on a microcontroller.
///
/// A session from nothing to a prediction:
///
///   kilornn starter data/starter
///   kilornn train data/starter --recipe starter --out runs/starter
///   kilornn evaluate runs/starter data/starter
///   kilornn predict runs/starter "not bad at all"
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Data(data::Args),
    Train(train::Args),
    Sweep(sweep::Args),
    Import(import::Args),
    Evaluate(evaluate::Args),
    Predict(predict::Args),
    Inspect(inspect::Args),
    Device(device::Args),
    Recipes(recipes::Args),
    Starter(starter::Args),
    Completions(completions::Args),
}

fn main() -> ExitCode {
    memory::keep_freed();
    let result = match Cli::parse().command {
        Command::Data(args) => data::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Import(args) => import::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Device(args) => device::run(&args),
        Command::Recipes(args) => recipes::run(&args),
        Command::Starter(args) => starter::run(&args),
        Command::Completions(args) => completions::run(&args, Cli::command()),
    };
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Whoever reads our output may stop early: `kilornn predict ... | head`.
    let pipe = error.chain().filter_map(|e| e.downcast_ref::<std::io::Error>());
    if pipe.into_iter().any(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::SUCCESS;
    }
    if error.is::<Interrupted>() {
        return ExitCode::from(Interrupted::EXIT_CODE);
    }
    eprintln!("error: {error:#}");
    let input = error.chain().any(|e| e.downcast_ref::<InputError>().is_some());
    ExitCode::from(if input { 2 } else { 1 })
}
