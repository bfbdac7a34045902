//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::{Metrics, Outcome, encode};
use super::{Console, grouped};
use crate::data::{Dataset, Example};
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
/// DATA is a folder with train.tsv or train.tsv.gz (a header `label<TAB>text`, then one example a
/// line) and, where there are any, dev, test and labels.txt (a class name a line). The output folder
/// keeps config.toml, vocabulary.json, weights.safetensors, metrics.json and model.kilo.
///
/// After every epoch the folder has a checkpoint: a training that Ctrl-C or anything worse ended goes on with the
/// same command and --resume, to the same model, bit for bit. `kilornn recipes` shows what recipes there are, and
/// `kilornn recipes --keys` what they can say.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder with the data
    data: PathBuf,
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
    let data = Dataset::read(&args.data)?;
    describe(console, &args.data, &data)?;
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
            let state = checkpoint::from_bytes(&path, &bytes, &asked)?;
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
    let fitted = fit(&mut network, &task, state, &interrupt, |state| {
        folder.write_checkpoint(&checkpoint::to_bytes(&asked, state)?)?;
        if let Some(epoch) = state.history.last() {
            console.say(epoch_line(epoch, recipe.epochs, train.texts.len()))?;
        }
        metrics.epochs.clone_from(&state.history);
        folder.write_json("metrics.json", &metrics)
    });
    if fitted.as_ref().is_err_and(|error| error.is::<Interrupted>()) {
        let settings: Vec<String> =
            args.settings.iter().map(|setting| format!("--set {}", quoted(setting))).collect();
        let out = format!("--out {}", quoted(&out.to_string_lossy()));
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

/// Says what was read, class by class.
pub(super) fn describe(console: Console, folder: &Path, data: &Dataset) -> Result<()> {
    let part = |name: &str, examples: &[Example]| format!("{} {name}", grouped(examples.len()));
    let mut parts = vec![part("train", &data.train)];
    parts.extend(data.dev.as_deref().map(|dev| part("dev", dev)));
    parts.extend(data.test.as_deref().map(|test| part("test", test)));
    let of_class = |class: usize| data.train.iter().filter(|example| example.class == class).count();
    let shown = data.labels.iter().enumerate().take(10);
    let mut classes: Vec<String> =
        shown.map(|(class, label)| format!("{label} {}", grouped(of_class(class)))).collect();
    if data.labels.len() > classes.len() {
        classes.push("...".to_owned());
    }
    let (folder, count) = (folder.display(), data.labels.len());
    console.say(format!("{folder}: {}; {count} classes ({})", parts.join(", "), classes.join(", ")))
}

fn default_out(args: &Args) -> PathBuf {
    let data = args.data.canonicalize().ok();
    let data = data.as_deref().and_then(|path| path.file_name()).unwrap_or_default().to_string_lossy();
    let recipe = PathBuf::from(&args.recipe);
    let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from("runs").join(format!("{data}-{recipe}"))
}

/// The command that trains this again, with another recipe and more options.
fn command(args: &Args, recipe: &str, more: &[String]) -> String {
    let mut words = vec![
        "kilornn train".to_owned(),
        quoted(&args.data.to_string_lossy()),
        format!("--recipe {}", if recipe.starts_with('<') { recipe.to_owned() } else { quoted(recipe) }),
        format!("--seed {}", args.seed),
    ];
    words.extend(args.groups.as_ref().map(|path| format!("--groups {}", quoted(&path.to_string_lossy()))));
    words.extend_from_slice(more);
    words.join(" ")
}

/// An argument as a shell reads it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./=:,+@%".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', "'\\''"))
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

#[cfg(test)]
mod tests {
    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        let of = super::quoted;
        assert_eq!(of("runs/mine-1.toml"), "runs/mine-1.toml");
        assert_eq!(of("my data"), "'my data'");
        assert_eq!(of("it's"), "'it'\\''s'");
        assert_eq!(of(""), "''");
    }
}
