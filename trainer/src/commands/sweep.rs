//! `kilornn sweep`: how large must the network be?

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;

use super::request::{Request, set_options};
use super::{Console, grouped};
use crate::data::Dataset;
use crate::fit::checkpoint::Asked;
use crate::fit::{Interrupt, Interrupted, Material};
use crate::progress;
use crate::quantize::{FileSize, PerfectHash};
use crate::recipe::{Recipe, Validation};
use crate::run_folder::{Begin, write_whole};
use crate::sweep::advice::Advice;
use crate::sweep::budget::{Deadline, parse_bytes, parse_time};
use crate::sweep::grid::{Lists, Shape};
use crate::sweep::page::{self, Table};
use crate::sweep::plot;
use crate::sweep::results::{Candidate, Row, Status, rows};
use crate::sweep::store::Store;
use crate::sweep::trial::{Outcome, Trial};
use crate::sweep::workers::{Job, Work};

/// What is held out where there is nothing to validate on.
const HELD_OUT: f64 = 0.1;

/// Try networks of many sizes, and show what accuracy costs in bytes.
///
/// Each size is trained and quantized as `kilornn train` does it, and judged by the int8 model on the texts that
/// validate: a dev part, the recipe's validation_split, or else a tenth of the training texts. The test part is never
/// looked at: it is for the one that you choose.
///
/// Sizes that do not fit --flash are known before training and left out. Those that tell most come first, so that a
/// sweep that --time or Ctrl-C ends has something to say; the same command with --resume goes on. The output folder has
/// results.json, sweep.svg and sweep.html.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    request: Request,
    /// Vocabularies to try, 0 for every word [default: half, once and twice the recipe's]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    vocabulary: Vec<usize>,
    /// Widths of the embedding to try [default: half and once the recipe's]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    embedding: Vec<usize>,
    /// Numbers of hidden units to try [default: from a quarter to twice the recipe's]
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    units: Vec<usize>,
    /// The most bytes that the model file may have, for example 64K
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    flash: Option<usize>,
    /// When to begin nothing new any more, for example 10m
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    time: Option<Duration>,
    /// Trainings of each size, with one seed after the other: how much is chance?
    #[arg(long, value_name = "N", default_value = "1")]
    seeds: NonZeroUsize,
    /// Trainings at a time, each on one core [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Output folder [default: runs/DATA-RECIPE-sweep]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the sweep in the output folder, if there is one
    #[arg(long)]
    force: bool,
    /// Go on with the sweep in the output folder, or begin if there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    rows: &'a [Row],
    advice: Option<&'a Advice>,
    /// What trains the recommended size.
    command: Option<String>,
}

/// Sweeps.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let request = &args.request;
    let data = request.data()?;
    let mut held_out = Vec::new();
    let mut recipe = request.recipe_with(&[])?;
    if recipe.validation_split == 0.0 && data.dev.is_none() {
        held_out = vec![format!("validation_split={HELD_OUT}"), "validation=random".to_owned()];
        recipe = Recipe { validation_split: HELD_OUT, validation: Validation::Random, ..recipe };
        console
            .say("there is no dev part and no validation_split: a tenth of the training texts validates")?;
    }
    let base = Material::new(&recipe, request.seed, &data)?;
    let asked = Asked::of(&base.task(&recipe, request.seed))?;

    // Every recipe is checked before any is trained.
    let words = Recipe { vocabulary: 0, ..recipe.clone() };
    let words = Material::new(&words, request.seed, &data)?.encoder.words().len();
    let shapes = lists(args, &recipe, words).shapes();
    let recipe_of = |shape: &Shape| request.recipe_with(&[&held_out[..], &shape.settings()].concat());
    let recipes: Vec<Recipe> = shapes.iter().map(recipe_of).collect::<Result<_, _>>()?;
    let candidates = candidates(&shapes, &recipes, request.seed, &data)?;
    let fit = candidates.iter().filter(|candidate| !candidate.is_too_large(args.flash)).count();
    console.say(format!(
        "{} sizes, {fit} of them within the budget; {} seeds of each",
        candidates.len(),
        args.seeds
    ))?;

    let folder =
        args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-sweep", request.name())));
    let begin = match (args.force, args.resume) {
        (true, _) => Begin::Replace,
        (_, true) => Begin::Resume,
        _ => Begin::New,
    };
    let mut store = Store::open(&folder, begin, asked)?;
    let seeds: Vec<u64> = (request.seed..).take(args.seeds.get()).collect();
    let is_done = |shape: Shape, seed: u64| {
        store.trials().iter().any(|trial| (trial.shape, trial.seed) == (shape, seed))
    };
    let jobs: Vec<Job<'_>> = seeds
        .iter()
        .flat_map(|&seed| {
            recipes.iter().zip(&candidates).map(move |(recipe, candidate)| (recipe, candidate, seed))
        })
        .filter(|(_, candidate, seed)| {
            !candidate.is_too_large(args.flash) && !is_done(candidate.shape, *seed)
        })
        .map(|(recipe, candidate, seed)| Job { recipe, shape: candidate.shape, seed })
        .collect();
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let interrupt = Interrupt::listen()?;
    let work = Work {
        jobs: &jobs,
        data: &data,
        at_a_time: args.jobs.unwrap_or(cores).get(),
        deadline: Deadline::after(args.time),
        interrupt: &interrupt,
    };
    let epochs: usize = jobs.iter().map(|job| job.recipe.epochs).sum();
    let bar = progress::bar("sweep", epochs, "epochs");
    let ended = work.run(
        || bar.inc(1),
        |trial| {
            bar.suspend(|| console.say(trial_line(&trial)))?;
            store.add(trial)
        },
    );
    bar.finish_and_clear();
    if ended.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        console.say("interrupted; the same command with --resume goes on")?;
    }

    let rows = rows(&candidates, store.trials(), &seeds, args.flash);
    let advice = Advice::of(&rows);
    let command = advice.as_ref().map(|advice| {
        let settings = [&request.settings[..], &held_out, &advice.recommended.settings()].concat();
        request.train_command(&request.recipe, &set_options(&settings))
    });
    let table = table(&rows);
    show(console, &table, &rows)?;
    let told = told(advice.as_ref(), command.as_deref());
    told.iter().try_for_each(|line| console.say(line))?;
    let svg = plot::svg(&rows, advice.as_ref().map(|advice| advice.recommended), args.flash)?;
    write_whole(&folder.join("sweep.svg"), svg.as_bytes())?;
    let title = format!("{}: accuracy against bytes", request.name());
    let page = page::html(&title, &svg, &table, &rows, &told);
    write_whole(&folder.join("sweep.html"), page.as_bytes())?;
    console.say(format!("{}: the picture", folder.join("sweep.html").display()))?;
    ended?;
    console.conclude(&Report { rows: &rows, advice: advice.as_ref(), command })
}

/// The sizes to try.
fn lists(args: &Args, recipe: &Recipe, words: usize) -> Lists {
    let around = Lists::around(recipe, words);
    let or = |given: &[usize], usual: Vec<usize>| if given.is_empty() { usual } else { given.to_vec() };
    Lists {
        vocabulary: or(&args.vocabulary, around.vocabulary),
        embedding: or(&args.embedding, around.embedding),
        units: or(&args.units, around.units),
    }
    .for_words(words)
}

/// Each size with the size of its file. The perfect hash of a vocabulary is the same for all of them.
fn candidates(shapes: &[Shape], recipes: &[Recipe], seed: u64, data: &Dataset) -> Result<Vec<Candidate>> {
    let mut hashes = std::collections::HashMap::new();
    shapes
        .iter()
        .zip(recipes)
        .map(|(&shape, recipe)| {
            let (encoder, hash) = match hashes.entry(shape.vocabulary) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => {
                    let encoder = Material::new(recipe, seed, data)?.encoder;
                    let hash = PerfectHash::build(encoder.words(), recipe.fingerprint_bytes())?;
                    new.insert((encoder, hash))
                }
            };
            Ok(Candidate { shape, size: FileSize::of(recipe, encoder, &data.labels, hash)? })
        })
        .collect()
}

/// What became of one training.
fn trial_line(trial: &Trial) -> String {
    let Trial { shape, seed, outcome } = trial;
    match outcome {
        Outcome::Measured(measured) => format!(
            "{shape} seed {seed}: accuracy {:.4}, {} bytes, {:.0} s",
            measured.accuracy,
            grouped(measured.bytes),
            measured.seconds
        ),
        Outcome::Failed(reason) => format!("{shape} seed {seed}: {reason}"),
    }
}

/// All sizes by rising bytes.
fn table(rows: &[Row]) -> Table {
    let head =
        vec!["vocabulary", "embedding", "units", "bytes", "RAM", "MACs a word", "accuracy", "spread", ""];
    let cells = |row: &Row| {
        let Shape { vocabulary, embedding, units } = row.shape;
        let vocabulary = if vocabulary == 0 { "all".to_owned() } else { grouped(vocabulary) };
        let mut cells = vec![vocabulary, embedding.to_string(), units.to_string(), grouped(row.bytes)];
        let means = row.means.as_ref();
        let of = |value: Option<String>| value.unwrap_or_default();
        cells.push(of(means.map(|means| grouped(means.ram))));
        cells.push(of(means.map(|means| format!("{:.0}", means.macs_per_word))));
        cells.push(of(means.map(|means| format!("{:.4}", means.accuracy))));
        cells.push(of(means.and_then(|means| means.spread).map(|spread| format!("{spread:.4}"))));
        cells.push(match &row.status {
            Status::Measured if row.on_front => "on the front".to_owned(),
            Status::Measured => String::new(),
            Status::TooLarge => "too large".to_owned(),
            Status::NotTried => "not tried".to_owned(),
            Status::Failed(_) => "failed".to_owned(),
        });
        cells
    };
    Table { head, rows: rows.iter().map(cells).collect() }
}

fn show(console: Console, table: &Table, rows: &[Row]) -> Result<()> {
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells.map(|cell| format!("{cell:>12}")).collect();
        cells.trim_end().to_owned()
    };
    console.say(line(&mut table.head.iter().copied()))?;
    for cells in &table.rows {
        console.say(line(&mut cells.iter().map(String::as_str)))?;
    }
    for row in rows {
        if let Status::Failed(reason) = &row.status {
            console.say(format!("{}: {reason}", row.shape))?;
        }
    }
    Ok(())
}

/// What a person takes home.
fn told(advice: Option<&Advice>, command: Option<&str>) -> Vec<String> {
    let (Some(advice), Some(command)) = (advice, command) else {
        return vec!["nothing was measured: allow more --flash or --time".to_owned()];
    };
    let by_units = advice.by_units.iter().map(|of| format!("{} units {:.4}", of.units, of.accuracy));
    vec![
        format!(
            "best: {} with {:.4}; a standard error of such an accuracy is {:.4}",
            advice.best, advice.best_accuracy, advice.standard_error
        ),
        format!(
            "how many hidden units, beside the best's vocabulary and embedding: {}; {} are enough, within a standard \
             error",
            by_units.collect::<Vec<_>>().join(", "),
            advice.enough_units
        ),
        format!("recommended, the smallest within a standard error of the best: {}", advice.recommended),
        format!("  {command}"),
    ]
}
