//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use candle_core::Device;
use shell_words::quote;

use super::budget::BudgetArgs;
use super::data::show;
use super::delivery::{Delivery, Metrics, TriedOn};
use super::{Console, grouped};
use crate::data::Dataset;
use crate::data::counts::Counts;
use crate::fit::checkpoint::{self, Asked};
use crate::fit::{Epoch, Interrupt, Interrupted, Material, Memory, Task, TrainingState, fit};
use crate::hints::before_training;
use crate::network::Ruined;
use crate::processor::Processor;
use crate::request::{Request, RequestArgs, set_options};
use crate::run_folder::{Begin, RunFolder};
use crate::search::{ChosenSize, SearchResult, take_best};
use crate::verdict;

/// Train a model: fit the float network, quantize it, test both.
///
/// DATA is a folder, or one or more files to train on, or - for standard input. Files are
///
///   .tsv, .csv   with a header that names the columns (choose with --text and --label), or without
///                one (--no-header); a .csv may have semicolons, tabs or | for commas (--delimiter)
///   .jsonl       one JSON object a line, with keys of these names
///   .txt         one text a line, all of the class that the file's name says
///
/// and may be compressed (.csv.gz). They are in UTF-8, in UTF-16 with a byte order mark, or in what
/// --encoding says. For standard input, the content decides which of these it is. A folder has
///
///   train.csv (or .tsv, .jsonl), or
///   train/ with a folder for each class, one text a file (train/pos/1.txt), or
///   train/ with a file for each class, one text a line (train/pos.txt), or
///   such folders or files without train/ around them: all of it is to train on
///
/// and, where there are any, dev (or val, validation) and test in one of these forms, and labels.txt,
/// which names the classes in order, one a line. Anything else in the folder is not read; a warning names it.
///
/// A label is the name of a class or its number, from 0: all labels of all files are names, or all are
/// numbers. `kilornn data DATA` shows what is found.
///
/// Without --recipe, the recipe is chosen for the data: up to three kinds of recipes are trained and
/// compared by what the device would answer to the texts that validate (the dev part, or a tenth of the
/// training texts). What was chosen and why is printed and kept, as a recipe, in config.toml. --set
/// changes a key of all of them. With --recipe, nothing is chosen. With a budget it is compact.
///
/// The output folder keeps config.toml, vocabulary.json, weights.safetensors, metrics.json, model.kilo
/// and report.html, which a browser shows.
///
/// A checkpoint is written after every epoch: after Ctrl-C or a crash, the same command with --resume
/// goes on with the training, to the same model, bit for bit. `kilornn recipes` lists the built-in
/// recipes, and `kilornn recipes --keys` all keys of a recipe.
///
/// With a budget (--flash, --ram, --instructions-per-word, --latency, or several of them), `train`
/// chooses how many words, how wide an embedding, of how many bits or folded, which cell (the recipe's
/// own, or a GRU instead of a ReLU), and how many hidden units. It tries about fourteen sizes that fit,
/// first with few epochs, compares them by what the device would answer to the texts that validate, and
/// then trains the best one. Keys that --set gives stay as they are. At the end it prints the bill,
/// part by part, and the command that trains the same model without a search. A budget that nothing can
/// fit is refused, with the least that would be enough.
///
///   kilornn train DATA --flash 64K --ram 2K
///   kilornn train DATA --flash 32K --engine small --core m0 --set units=16
///   kilornn train DATA --latency 2ms --core m0 --clock 48MHz
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    request: RequestArgs,
    /// Output folder [default: runs/DATA-RECIPE, or runs/DATA if no recipe is named]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the model or the interrupted training in the output folder, if there is one
    #[arg(long)]
    force: bool,
    /// Go on with the interrupted training in the output folder, or begin if there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Where to compute: cpu, cuda or cuda:N (in a program that was built with --features cuda). Evaluation, quantized
    /// epochs, the embedding and the optimizer always stay on the CPU
    #[arg(long, value_name = "PROCESSOR", default_value = "cpu")]
    device: Processor,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
    #[command(flatten, next_help_heading = "A budget")]
    budget: BudgetArgs,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let processor = args.device.open()?;
    // All input is read and checked before anything is written.
    let budget = args.budget.budget();
    // A search begins with one recipe for all sizes.
    let otherwise = budget.is_some().then_some("compact");
    let (mut request, data) = args.request.read(otherwise)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(request.name()));
    let begin = Begin::asked(args.force, args.resume);
    RunFolder::check(&out, begin)?;
    let memory = Memory::default();
    take_best(&mut request, &data, &memory, &|line| console.say(line))?;
    request.about().iter().try_for_each(|line| console.say(line))?;
    let request = &request;
    let run = |settings: Vec<String>, begin| TrainRun {
        console,
        request,
        data: &data,
        memory: &memory,
        processor: processor.clone(),
        out: &out,
        begin,
        settings,
    };
    let Some(budget) = budget else {
        let settings = request.settings().to_vec();
        return run(settings, begin).train(None).map(drop);
    };
    let found = budget.search(request, &data, &memory, &out, &|line| console.say(line))?;
    for (index, choice) in found.choices.iter().enumerate() {
        let begin = if index == 0 { begin } else { Begin::Replace };
        if run(choice.settings.clone(), begin).train(Some((&found, choice)))? {
            return Ok(());
        }
        console.say("trained on all texts, it is beyond the budget after all: on to the next best")?;
    }
    bail!("none of the {} sizes that were tried is within the budget in the end", found.choices.len())
}

/// One training.
struct TrainRun<'a> {
    console: Console,
    request: &'a Request<'a>,
    data: &'a Dataset,
    memory: &'a Memory,
    processor: Device,
    out: &'a Path,
    begin: Begin,
    /// All of them: those of the request, and those that a budget chose.
    settings: Vec<String>,
}

impl TrainRun<'_> {
    /// Trains, and delivers the model if it is within the budget, if there is one. Returns whether it is.
    fn train(self, budget: Option<(&SearchResult, &ChosenSize)>) -> Result<bool> {
        let Self { console, request, data, memory, processor, out, begin, settings } = self;
        let seed = request.seed();
        let recipe = request.recipe_of(&settings)?;
        let material = Material::remembering(&recipe, seed, data, memory)?;
        let counts = Counts::of(data, &material.encoder);
        show(console, &counts, 10)?;
        let warnings = before_training(&recipe, data, &counts, &material.held);
        console.warn(&warnings)?;
        let folder = RunFolder::open(out, begin)?;

        let task = Task { processor, ..material.task(&recipe, seed) };
        let mut network = material.network(&recipe, seed);
        let parameters = network.parameters().iter().map(|p| p.values.len()).sum();
        console.say(format!(
            "training on {} texts, validating on {}; vocabulary {} words, {} parameters",
            grouped(task.train.texts.len()),
            grouped(task.validation.map_or(0, |v| v.texts.len())),
            grouped(material.encoder.words().len()),
            grouped(parameters),
        ))?;
        let vocabulary = material.encoder.words().len();
        let mut metrics = Metrics::new(task.train.texts.len(), vocabulary, parameters, counts, warnings);
        metrics.suggestion = request.suggestion().cloned();
        let asked = Asked::of(&task)?;
        let state = match folder.read_checkpoint()? {
            Some((path, bytes)) if begin == Begin::Resume => {
                let state = checkpoint::read(&path, &bytes, &asked, &mut network)?;
                metrics.epochs.clone_from(&state.history);
                console.say(format!("going on after epoch {}", state.history.len()))?;
                state
            }
            _ => {
                folder.remove_checkpoint()?;
                TrainingState::new(&task, &network)
            }
        };
        let comment = [&[request.command_in_file()][..], &request.about()].concat().join("\n");
        folder.write_config(&recipe, &comment)?;
        let interrupt = Interrupt::listen()?;
        let fitted = fit(&mut network, &task, state, &interrupt, |network, state| {
            folder.write_checkpoint(|file| checkpoint::write(file, &asked, network, state))?;
            if let Some(epoch) = state.history.last() {
                console.say(epoch_line(epoch, recipe.epochs, task.train.texts.len()))?;
            }
            metrics.epochs.clone_from(&state.history);
            folder.write_json("metrics.json", &metrics)
        });
        if fitted.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
            let folder = format!("--out {}", quote(&out.to_string_lossy()));
            let more = [&set_options(&settings)[..], &[folder, "--resume".to_owned()]].concat();
            let again = request.train_command(out, &more);
            console
                .say(format!("interrupted after {} epochs; to go on:\n  {again}", metrics.epochs.len()))?;
        }
        let advise = |error: anyhow::Error| match error.downcast_ref::<Ruined>() {
            Some(Ruined(reason)) => {
                anyhow!("{reason} ({})", verdict::of_divergence(&metrics.trained(&recipe, data)))
            }
            None => error,
        };
        let TrainingState { grid, best_epoch, .. } = fitted.map_err(advise)?;
        if let Some(epoch) = best_epoch {
            console.say(format!(
                "the network is that of epoch {epoch}, the best by {}",
                recipe.early_stopping.word()
            ))?;
        }
        let delivery = Delivery {
            name: &request.name(),
            network: &network,
            encoder: &material.encoder,
            recipe: &recipe,
            grid: grid.as_ref(),
            data,
            sample: &material.sample(data),
            tried_on: &TriedOn::of(data, &material),
            is_trained: true,
        };
        let exported = delivery.export(console).map_err(advise)?;
        if let Some((found, choice)) = budget {
            let proof = found.proof(choice, &exported)?;
            if !proof.holds() {
                return Ok(false);
            }
            metrics.budget = Some(proof);
        }
        delivery.deliver(console, &folder, &exported, metrics)?;
        folder.remove_checkpoint()?;
        Ok(true)
    }
}

fn epoch_line(epoch: &Epoch, epochs: usize, examples: usize) -> String {
    let mut line = format!(
        "epoch {}/{epochs} - {:.1} s - {} examples/s - loss {:.4} - accuracy {:.4}",
        epoch.epoch,
        epoch.seconds,
        grouped((examples as f64 / epoch.seconds.max(1e-3)) as usize),
        epoch.loss,
        epoch.accuracy
    );
    if let (Some(loss), Some(accuracy)) = (epoch.val_loss, epoch.val_accuracy) {
        line += &format!(" - val_loss {loss:.4} - val_accuracy {accuracy:.4}");
    }
    line
}
