//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::PathBuf;

use anyhow::Result;
use shell_words::quote;

use super::data::show;
use super::outcome::{Metrics, Outcome, encode};
use super::{Console, grouped};
use crate::data::counts::Counts;
use crate::data::{Dataset, Inputs};
use crate::error::InputError;
use crate::fit::checkpoint::{self, Asked};
use crate::fit::{Epoch, Examples, Interrupt, Interrupted, Split, State, Stream, Task, fit, read_groups};
use crate::network::Network;
use crate::network::loss::Objective;
use crate::recipe::{EarlyStopping, Recipe, Schedule, Validation};
use crate::run_folder::{Begin, RunFolder};
use crate::text::Encoder;

/// Train a model: fit the float network, quantize it, test both.
///
/// DATA is a folder, or one or more files to train on. Files are
///
///   .tsv, .csv   with a header that names the columns (choose with --text and --label)
///   .jsonl       one JSON object a line, with keys of these names
///   .txt         one text a line, all of the class that the file's name says
///
/// and may be compressed (.csv.gz). A folder has
///
///   train.csv (or .tsv, .jsonl), or
///   train/ with a folder for each class, one text a file (train/pos/1.txt), or
///   train/ with a file for each class, one text a line (train/pos.txt), or
///   such folders or files without train/ around them: all of it is to train on
///
/// and, where there are any, dev and test in one of these forms, and labels.txt, which names the
/// classes in order, one a line. `kilornn data DATA` shows what is found.
///
/// The output folder keeps config.toml, vocabulary.json, weights.safetensors, metrics.json and
/// model.kilo.
///
/// After every epoch it has a checkpoint: a training that Ctrl-C or anything worse ended goes on with the
/// same command and --resume, to the same model, bit for bit. `kilornn recipes` shows what recipes there
/// are, and `kilornn recipes --keys` what they can say.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(flatten)]
    inputs: Inputs,
    /// A recipe's name (seed, compact, starter) or a TOML file
    #[arg(long, default_value = "compact")]
    recipe: String,
    /// Change a key of the recipe, for example --set epochs=3 (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Output folder [default: runs/DATA-RECIPE]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace the model or the interrupted training in the output folder, if there is one
    #[arg(long)]
    force: bool,
    /// Go on with the interrupted training in the output folder, or begin if there is none yet
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Keep whole groups for validation: a file with the group of each training example, a line each, without a header.
    /// The recipe's validation_split says how much
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Seed of all randomness: the same seed gives the same model
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

/// Trains.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let mut recipe = Recipe::load(&args.recipe, &args.settings)?;
    if args.groups.is_some() {
        if recipe.validation_split == 0.0 {
            return Err(
                InputError::new("--groups needs a validation_split (--set validation_split=0.1)").into()
            );
        }
        recipe.validation = Validation::Groups;
    }
    // All input is read and checked before anything is written.
    let data = Dataset::read(&args.inputs)?;
    let groups = args.groups.as_deref().map(|path| read_groups(path, data.train.len())).transpose()?;
    let split = Split::new(&recipe, args.seed, groups.as_deref(), data.train.len())?;
    if (recipe.schedule == Schedule::Plateau || recipe.early_stopping != EarlyStopping::None)
        && split.validation.is_empty()
        && data.dev.is_none()
    {
        let reason = "early stopping and schedule = \"plateau\" need validation texts: a validation_split, or a dev file";
        return Err(InputError::new(reason).into());
    }
    let trained: Vec<usize> = split.train.iter().map(|&example| data.train[example].class).collect();
    let class_weights =
        recipe.class_weight.of_classes(data.labels.len(), &trained).map_err(InputError::new)?;
    let out = args.out.clone().unwrap_or_else(|| default_out(args));
    let begin = match (args.force, args.resume) {
        (true, _) => Begin::Replace,
        (_, true) => Begin::Resume,
        _ => Begin::New,
    };
    let folder = RunFolder::open(&out, begin)?;

    let texts: Vec<&str> = data.train.iter().map(|example| example.text.as_str()).collect();
    let encoder = Encoder::fit(&recipe, texts.iter().copied());
    let counts = Counts::of(&data, &encoder);
    show(console, &counts, 10)?;
    let (mut encoded, classes) = encode(&encoder, &data.train);
    let mut take = |part: &[usize]| -> (Vec<Vec<u32>>, Vec<usize>) {
        part.iter().map(|&example| (std::mem::take(&mut encoded[example]), classes[example])).unzip()
    };
    let (train, held) = (take(&split.train), take(&split.validation));
    let train = Examples { texts: &train.0, classes: &train.1 };
    let dev = data.dev.as_deref().map(|dev| encode(&encoder, dev));
    let validation = match &dev {
        _ if !held.0.is_empty() => Some(Examples { texts: &held.0, classes: &held.1 }),
        Some((texts, classes)) => Some(Examples { texts, classes }),
        None => None,
    };

    let outputs = if data.labels.len() == 2 { 1 } else { data.labels.len() };
    let mut network = Network::new(&recipe, encoder.rows(), outputs, &mut Stream::Weights.rng(args.seed));
    let parameters = network.parameters().iter().map(|p| p.values.len()).sum();
    console.say(format!(
        "training on {} texts, validating on {}; vocabulary {} words, {} parameters",
        grouped(train.texts.len()),
        grouped(validation.map_or(0, |v| v.texts.len())),
        grouped(encoder.words().len()),
        grouped(parameters),
    ))?;
    let mut metrics = Metrics {
        examples: train.texts.len(),
        vocabulary: encoder.words().len(),
        parameters,
        epochs: Vec::new(),
        test: None,
        quantized: None,
        data: counts,
    };
    let objective = Objective { class_weights, label_smoothing: recipe.label_smoothing, l2: recipe.l2 };
    let task = Task {
        recipe: &recipe,
        objective,
        seed: args.seed,
        unknown: encoder.unknown_id(),
        train,
        validation,
    };
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
            State::new(&task, &network)
        }
    };
    folder.write_config(&recipe, &command(args, "<this file>", &[]))?;
    let interrupt = Interrupt::listen()?;
    let fitted = fit(&mut network, &task, state, &interrupt, |network, state| {
        folder.write_checkpoint(|file| checkpoint::write(file, &asked, network, state))?;
        if let Some(epoch) = state.history.last() {
            console.say(epoch_line(epoch, recipe.epochs, train.texts.len()))?;
        }
        metrics.epochs.clone_from(&state.history);
        folder.write_json("metrics.json", &metrics)
    });
    if fitted.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        let settings: Vec<String> =
            args.settings.iter().map(|setting| format!("--set {}", quote(setting))).collect();
        let out = format!("--out {}", quote(&out.to_string_lossy()));
        let again = command(args, &args.recipe, &[&settings[..], &[out, "--resume".to_owned()]].concat());
        console.say(format!("interrupted after {} epochs; to go on:\n  {again}", metrics.epochs.len()))?;
    }
    let State { grid, best_epoch, .. } = fitted?;
    if let Some(epoch) = best_epoch {
        console.say(format!(
            "the network is that of epoch {epoch}, the best by {}",
            recipe.early_stopping.word()
        ))?;
    }
    let outcome =
        Outcome { network: &network, encoder: &encoder, recipe: &recipe, grid: grid.as_ref(), data: &data };
    outcome.deliver(console, &folder, metrics)?;
    folder.remove_checkpoint()
}

fn default_out(args: &Args) -> PathBuf {
    let recipe = PathBuf::from(&args.recipe);
    let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from("runs").join(format!("{}-{recipe}", args.inputs.name()))
}

/// The command that trains this again, with another recipe and more options.
fn command(args: &Args, recipe: &str, more: &[String]) -> String {
    let mut words = vec![
        "kilornn train".to_owned(),
        args.inputs.command_line(),
        format!(
            "--recipe {}",
            if recipe.starts_with('<') { recipe.to_owned() } else { quote(recipe).into_owned() }
        ),
        format!("--seed {}", args.seed),
    ];
    words.extend(args.groups.as_ref().map(|path| format!("--groups {}", quote(&path.to_string_lossy()))));
    words.extend_from_slice(more);
    words.join(" ")
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
