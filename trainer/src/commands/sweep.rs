//! `kilornn sweep`: which size is worth its bytes?

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::Console;
use super::quantities::{parse_bytes, parse_time};
use crate::footprint::Platform;
use crate::request::RequestArgs;
use crate::run_folder::{Begin, write_whole};
use crate::search::{CellName, Deadline, Lists, Pace, Sweep};

/// Try networks of many sizes: how many words, how wide an embedding, which cell, how many hidden units?
///
/// Each size is trained and quantized as `kilornn train` would do it, and judged by what the device would
/// answer to the texts that validate: the recipe's validation_split, else the dev part, else a tenth of the
/// training texts, drawn at random. The test part is not used, so that it can still measure the size that
/// you choose (with `kilornn evaluate`).
///
/// The cells are relu and tanh (a SimpleRNN with that activation), gru, lstm and fastgrnn; all layers have
/// the same.
/// The recipe's number of layers stays: --units is that of the last, and the layers below it grow and
/// shrink in proportion.
///
/// The bytes of a file are known before training. With --flash, sizes whose file would be larger than the
/// flash that the engine leaves are listed but not trained (--engine none counts the file alone). The
/// engine that runs gates or several layers is larger. A file has units in multiples of four, so 9
/// take the bytes of 12. With --time, no new training begins once the
/// time is over; those that have begun are finished. Sizes are tried coarse to fine, first the ends of the
/// lists, so that even a short sweep gives an overview; --time 0s trains nothing and lists the bytes of
/// each file.
///
/// As many are trained at a time as there are cores. Each finished one is kept at once: after Ctrl-C or
/// anything worse, or for longer lists, more seeds, more time, the same command with --resume trains
/// only what is missing.
///
/// At the end there are a table by bytes, with the Pareto front marked (no other size is as small and
/// better), the smallest size within one standard error of the best, with the command that trains it, and
/// what more or fewer hidden units come to. The output folder has the same as sweep.html, the picture
/// alone as sweep.svg, and every trial in results.json.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Vocabularies to try; 0 is every word [default: half the recipe's, the recipe's, twice the recipe's]
    #[arg(long, value_name = "WORDS,...", value_delimiter = ',')]
    vocabulary: Vec<usize>,
    /// Widths of the embedding to try [default: half the recipe's, the recipe's]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    embedding: Vec<usize>,
    /// Cells to try: relu, tanh, gru, lstm, fastgrnn [default: the recipe's]
    #[arg(long, value_name = "CELL,...", value_delimiter = ',')]
    cell: Vec<CellName>,
    /// Numbers of hidden units to try [default: a quarter of the recipe's, half, all, twice]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    units: Vec<usize>,
    /// The most bytes of flash for a model file and the engine together, such as 64K (K is 1,024, M is 1,024 K)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, group = "limits")]
    flash: Option<usize>,
    #[command(flatten)]
    platform: Platform,
    /// How long to begin new trainings, such as 90s, 10m or 1.5h
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    time: Option<Duration>,
    /// Train each size with so many seeds, from --seed on, and judge it by the mean: sizes differ by little, and so do
    /// seeds. Every size is tried with one seed before any is with the next
    #[arg(long, value_name = "N", default_value = "1")]
    seeds: NonZeroUsize,
    /// How many to train at a time [default: the number of cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Output folder [default: runs/DATA-RECIPE-sweep]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Begin anew, if there is a sweep in the output folder
    #[arg(long)]
    force: bool,
    /// Go on with the sweep in the output folder, or begin if there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    // All input is read and checked before anything is written.
    let (request, mut data) = args.request.read(Some("compact"))?;
    data.test = None;
    let lists = Lists {
        vocabulary: args.vocabulary.clone(),
        embedding: args.embedding.clone(),
        cell: args.cell.iter().copied().map(Some).collect(),
        units: args.units.clone(),
    };
    let say = |line: &str| console.say(line);
    let sweep = Sweep::new(&request, &data, lists, args.flash, &args.platform, &say)?;
    let out =
        args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-sweep", request.name())));
    let mut store = sweep.open(&out, Begin::asked(args.force, args.resume))?;
    let seeds: Vec<u64> = (request.seed()..).take(args.seeds.get()).collect();
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let pace = Pace {
        at_a_time: args.jobs.unwrap_or_else(cores).get(),
        deadline: Deadline::after(args.time),
        to_go_on: &again(),
    };
    sweep.train(&seeds, &pace, &mut store, &say)?;

    let report = sweep.report(&store, &seeds, &out);
    report.lines().iter().try_for_each(|line| console.say(line))?;
    let svg = report.svg()?;
    write_whole(&out.join("sweep.svg"), svg.as_bytes())?;
    let page = report.page(&format!("{}: accuracy and bytes", request.name()), &svg);
    write_whole(&out.join("sweep.html"), page.as_bytes())?;
    console.say(format!("\n{}: the picture", out.join("sweep.html").display()))?;
    console.conclude(&report)
}

/// The command that goes on.
fn again() -> String {
    let arguments =
        std::env::args().skip(1).filter(|argument| argument != "--force" && argument != "--resume");
    format!("kilornn {} --resume", shell_words::join(arguments))
}
