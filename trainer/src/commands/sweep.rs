//! `kilornn sweep`: which size is worth its bytes?

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use shell_words::quote;

use super::request::{Request, set_options};
use super::target::Target;
use super::{Console, grouped};
use crate::data::Dataset;
use crate::data::counts::Counts;
use crate::error::InputError;
use crate::fit::checkpoint::Asked;
use crate::fit::{Interrupt, Interrupted, Material, Memory};
use crate::progress;
use crate::quantize::FileSize;
use crate::recipe::Recipe;
use crate::run_folder::{Begin, write_whole};
use crate::sweep::advice::Advice;
use crate::sweep::budget::{Deadline, parse_bytes, parse_time};
use crate::sweep::grid::{Lists, Shape, words_held, words_shown};
use crate::sweep::results::{Candidate, Row, Status, rows};
use crate::sweep::store::Store;
use crate::sweep::table::Table;
use crate::sweep::trial::{Outcome, Trial};
use crate::sweep::workers::{Job, Work};
use crate::sweep::{page, plot};
use crate::text::Encoder;

/// Try networks of many sizes: how many words, how wide an embedding, how many hidden units?
///
/// Each size is trained and quantized as `kilornn train` would do it, and judged by what the device would
/// answer to the texts that validate: the recipe's validation_split, else the dev part, else a tenth of the
/// training texts, drawn at random. The test part is never looked at: what chose the size could not
/// measure it. Test the one that you take with `kilornn evaluate`.
///
/// How large a size's file will be is known before it is trained. With --flash, sizes whose file would be
/// larger than what the engine leaves of it are listed and not trained (--engine none counts the file alone).
/// Units come in fours in a file, so 9 take the bytes of 12. With --time, nothing new is begun once the time is over; what has begun is
/// finished. Sizes are tried coarse to fine, first the ends of the lists, so that little time tells
/// something; --time 0s trains nothing, and lists how large each file would be.
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
    request: Request,
    /// Vocabularies to try; 0 is every word [default: half the recipe's, the recipe's, twice the recipe's]
    #[arg(long, value_name = "WORDS,...", value_delimiter = ',')]
    vocabulary: Vec<usize>,
    /// Widths of the embedding to try [default: half the recipe's, the recipe's]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    embedding: Vec<usize>,
    /// Numbers of hidden units to try [default: a quarter of the recipe's, half, all, twice]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    units: Vec<usize>,
    /// The most bytes of flash for a model file and the engine together, such as 64K (K is 1,024, M is 1,024 K)
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes, group = "limits")]
    flash: Option<usize>,
    #[command(flatten)]
    target: Target,
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

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report {
    /// Different words in the training texts.
    words: usize,
    /// Texts that validate with the first seed.
    validation: usize,
    /// Bytes of flash, if they are limited.
    flash: Option<usize>,
    /// The most bytes of a file, if the flash is limited.
    limit: Option<usize>,
    /// By rising bytes.
    candidates: Vec<Row>,
    /// Those on the Pareto front, by rising bytes.
    front: Vec<Shape>,
    /// None if nothing was measured.
    advice: Option<Advice>,
    /// Trains the recommended size.
    command: Option<String>,
}

/// Sweeps.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let Request { seed, .. } = args.request;
    // All input is read and checked before anything is written.
    let mut data = args.request.data()?;
    data.test = None;
    let (validation, about_validation) = args.request.validation(&data)?;
    let recipe = args.request.recipe_with(&validation)?;
    // What the sweep decides is no part of what it was asked for, and the vocabulary holds every word.
    let reference = Recipe { vocabulary: 0, embedding: 4, units: 4, ..recipe.clone() };
    let memory = Memory::default();
    let material = Material::remembering(&reference, seed, &data, &memory)?;
    let asked = Asked::of(&material.task(&reference, seed))?;
    let words = material.encoder.words();
    let (trained, validated) =
        (material.train().texts.len(), material.validation().map_or(0, |texts| texts.texts.len()));
    console.warn(&Counts::of(&data, &material.encoder).warnings())?;
    if validated == 0 {
        return Err(InputError::new("there is no text to validate on").into());
    }
    let sweep = Sweep::new(args, &validation, &recipe, words, &data.labels, memory)?;
    console.say(format!(
        "training on {} texts with {} different words, validating on {}: {about_validation}; the test part is not used",
        grouped(trained),
        grouped(words.len()),
        grouped(validated),
    ))?;
    let seeds: Vec<u64> = (seed..).take(args.seeds.get()).collect();

    let out = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-sweep", args.request.name())));
    let begin = Begin::asked(args.force, args.resume);
    let mut store = Store::open(&out, begin, asked)?;
    sweep.train(args, console, &data, &seeds, trained, &mut store)?;

    let rows = rows(&sweep.candidates, store.trials(), &seeds, sweep.limit);
    let advice = Advice::of(&rows);
    let command = advice.as_ref().map(|advice| {
        let settings = [&args.request.settings[..], &validation, &advice.recommended.settings()].concat();
        let folder = out.join(advice.recommended.to_string());
        let folder = format!("--out {}", quote(&folder.to_string_lossy()));
        args.request.train_command(&args.request.recipe, &[&set_options(&settings)[..], &[folder]].concat())
    });
    let report = Report {
        words: words.len(),
        validation: validated,
        flash: args.flash,
        limit: sweep.limit,
        front: rows.iter().filter(|row| row.on_front).map(|row| row.shape).collect(),
        candidates: rows,
        advice,
        command,
    };
    report.deliver(console, args, &out)?;
    console.conclude(&report)
}

/// Every size that was asked for, in the order in which they are tried, with its recipe.
struct Sweep {
    candidates: Vec<Candidate>,
    recipes: Vec<Recipe>,
    memory: Memory,
    /// The most bytes of a file: what the program leaves of the flash.
    limit: Option<usize>,
}

impl Sweep {
    fn new(
        args: &Args,
        validation: &[String],
        recipe: &Recipe,
        words: &[String],
        labels: &[String],
        memory: Memory,
    ) -> Result<Self> {
        let lists = Lists::around(recipe, words.len());
        let or = |given: &Vec<usize>, usual: Vec<usize>| if given.is_empty() { usual } else { given.clone() };
        let lists = Lists {
            vocabulary: or(&args.vocabulary, lists.vocabulary),
            embedding: or(&args.embedding, lists.embedding),
            units: or(&args.units, lists.units),
        }
        .for_words(words.len());
        let shapes = lists.shapes();
        let recipes = shapes
            .iter()
            .map(|shape| args.request.recipe_with(&[validation, &shape.settings()[..]].concat()))
            .collect::<Result<Vec<_>, _>>()?;

        let progress = progress::bar("sizes", shapes.len(), "files");
        let mut sizes = vec![None; shapes.len()];
        for &vocabulary in &lists.vocabulary {
            let held = words_held(vocabulary, words.len());
            let encoder = Encoder::new(recipe, words[..held].to_vec());
            let hash = encoder.perfect_hash()?;
            for ((shape, recipe), size) in shapes.iter().zip(&recipes).zip(&mut sizes) {
                if shape.vocabulary == vocabulary {
                    *size = Some(FileSize::of(recipe, held, labels, hash)?);
                    progress.inc(1);
                }
            }
        }
        progress.finish_and_clear();
        let candidates = shapes.into_iter().zip(sizes);
        let candidates =
            candidates.filter_map(|(shape, size)| Some(Candidate { shape, size: size? })).collect();
        let limit = args.flash.map(|flash| args.target.left_of(flash)).transpose()?;
        Ok(Self { candidates, recipes, memory, limit })
    }

    /// Trains what is missing and not too large.
    fn train(
        &self,
        args: &Args,
        console: Console,
        data: &Dataset,
        seeds: &[u64],
        texts: usize,
        store: &mut Store,
    ) -> Result<()> {
        let is_done = |shape: Shape, seed: u64| {
            store.trials().iter().any(|trial| trial.shape == shape && trial.seed == seed)
        };
        let mut jobs = Vec::new();
        let mut done = 0;
        for &seed in seeds {
            for (candidate, recipe) in self.candidates.iter().zip(&self.recipes) {
                let shape = candidate.shape;
                if candidate.is_too_large(self.limit) {
                    continue;
                }
                if is_done(shape, seed) {
                    done += 1;
                } else {
                    jobs.push(Job { recipe, shape, seed });
                }
            }
        }
        let too_large = self.candidates.iter().filter(|candidate| candidate.is_too_large(self.limit)).count();
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let at_a_time = args.jobs.unwrap_or_else(cores).get();
        let all = jobs.len() + done;
        let mut line = format!("{} sizes", grouped(self.candidates.len()));
        if too_large > 0 {
            line += &format!(", {} of them too large for the flash", grouped(too_large));
        }
        line += &format!("; {} trainings, {at_a_time} at a time", grouped(all));
        if done > 0 {
            line += &format!("; of them {} done already", grouped(done));
        }
        console.say(line)?;

        let epochs = jobs.first().map_or(0, |job| job.recipe.epochs);
        let progress = progress::bar("trainings", jobs.len() * epochs * texts, "examples");
        let interrupt = Interrupt::listen()?;
        let work = Work {
            jobs: &jobs,
            data,
            memory: &self.memory,
            at_a_time,
            deadline: Deadline::after(args.time),
            interrupt: &interrupt,
        };
        let worked = work.run(
            || progress.inc(texts as u64),
            |trial| {
                if let Outcome::Measured(measured) = &trial.outcome {
                    // Epochs that early stopping left out.
                    progress.inc((epochs.saturating_sub(measured.epochs) * texts) as u64);
                }
                done += 1;
                let line = trial_line(&trial, done, all);
                store.add(trial)?;
                progress.suspend(|| console.say(line))
            },
        );
        progress.finish_and_clear();
        if worked.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            console.say(format!("interrupted after {done} of {all} trainings; to go on:\n  {}", again()))?;
        }
        worked?;
        if done < all {
            console.say(format!(
                "the time is over: {} trainings are missing; to go on:\n  {}",
                all - done,
                again()
            ))?;
        }
        Ok(())
    }
}

/// The command that goes on.
fn again() -> String {
    let arguments =
        std::env::args().skip(1).filter(|argument| argument != "--force" && argument != "--resume");
    format!("kilornn {} --resume", shell_words::join(arguments))
}

fn trial_line(trial: &Trial, number: usize, all: usize) -> String {
    let came_to = match &trial.outcome {
        Outcome::Measured(measured) => format!(
            "accuracy {:.4} - {} bytes - {:.1} s",
            measured.accuracy,
            grouped(measured.bytes),
            measured.seconds
        ),
        Outcome::Failed(reason) => reason.clone(),
    };
    format!("{number}/{all} - {} - seed {} - {came_to}", trial.shape.in_words(), trial.seed)
}

impl Report {
    /// Prints the table and the advice, and writes them with the picture.
    fn deliver(&self, console: Console, args: &Args, out: &Path) -> Result<()> {
        let recommended = self.advice.as_ref().map(|advice| advice.recommended);
        let table = self.table(recommended);
        console.say("")?;
        table.lines().iter().try_for_each(|line| console.say(line))?;
        let mut notes: Vec<String> = Vec::new();
        for row in &self.candidates {
            if let Status::Failed(reason) = &row.status {
                notes.push(format!("{}: {reason}", row.shape.in_words()));
            }
        }
        notes.extend(self.advice_lines());
        notes.iter().try_for_each(|line| console.say(line))?;

        let svg = plot::svg(&self.candidates, recommended, self.limit)?;
        let title = format!("{}: accuracy and bytes", args.request.name());
        write_whole(&out.join("sweep.svg"), svg.as_bytes())?;
        let page = page::html(&title, &svg, &table, &self.candidates, &notes);
        write_whole(&out.join("sweep.html"), page.as_bytes())?;
        console.say(format!("\n{}: the picture", out.join("sweep.html").display()))
    }

    fn table(&self, recommended: Option<Shape>) -> Table {
        let cells = |row: &Row| {
            let Shape { vocabulary, embedding, units, .. } = row.shape;
            let of = |cell: &dyn Fn(&crate::sweep::results::Means) -> String| {
                row.means.as_ref().map(cell).unwrap_or_default()
            };
            let accuracy = match row.status {
                Status::TooLarge => "too large".to_owned(),
                Status::NotTried => "not tried".to_owned(),
                Status::Failed(_) => "failed".to_owned(),
                Status::Measured => of(&|means| match means.spread {
                    Some(spread) => format!("{:.4} ± {spread:.4}", means.accuracy),
                    None => format!("{:.4}", means.accuracy),
                }),
            };
            let mark = match (row.on_front, Some(row.shape) == recommended) {
                (_, true) => "* recommended",
                (true, _) => "*",
                _ => "",
            };
            vec![
                words_shown(vocabulary),
                embedding.to_string(),
                units.to_string(),
                of(&|means| means.accuracies.len().to_string()),
                grouped(row.bytes),
                of(&|means| grouped(means.ram)),
                of(&|means| grouped(means.macs_per_word.round() as usize)),
                accuracy,
                mark.to_owned(),
            ]
        };
        Table {
            head: vec![
                "vocabulary",
                "embedding",
                "units",
                "seeds",
                "bytes",
                "RAM",
                "MACs/word",
                "accuracy",
                "* Pareto front",
            ],
            rows: self.candidates.iter().map(cells).collect(),
        }
    }

    fn advice_lines(&self) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            "bytes: of the whole file, in flash; RAM: of the classifier, at most; MACs/word: multiply-accumulates of".into(),
            "the recurrence and the input for a word, those with zeros left out where the device leaves them out".into(),
        ];
        let (Some(advice), Some(command)) = (&self.advice, &self.command) else {
            lines.extend([String::new(), "nothing was trained, so there is nothing to advise".into()]);
            return lines;
        };
        let error = advice.standard_error;
        lines.extend([
            String::new(),
            format!("best         {:.4} with {}", advice.best_accuracy, advice.best.in_words()),
            format!("recommended  {}: the smallest within one", advice.recommended.in_words()),
            format!(
                "             standard error of the best, {error:.4} on {} texts",
                grouped(self.validation)
            ),
            String::new(),
        ]);
        let Shape { vocabulary, embedding, .. } = advice.best;
        let words = words_shown(vocabulary);
        lines.push(format!(
            "How many hidden units? With {words} words and an embedding of {embedding}, as the best:"
        ));
        for of in &advice.by_units {
            let mark = if of.units == advice.enough_units { "  enough" } else { "" };
            lines.push(format!(
                "  {:>3} units  {:.4}  {:>9} bytes{mark}",
                of.units,
                of.accuracy,
                grouped(of.bytes)
            ));
        }
        let largest = advice.by_units.last().is_some_and(|of| of.units == advice.enough_units);
        lines.push(if largest && advice.by_units.len() > 1 {
            "Fewer are worse by more than a standard error; more may be better still: try --units beyond these.".into()
        } else {
            format!("More than {} gain less than a standard error.", advice.enough_units)
        });
        lines.extend([String::new(), "To train the recommended size:".into(), format!("  {command}")]);
        lines
    }
}
