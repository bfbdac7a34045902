//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::outcome::{Metrics, Outcome, encode};
use super::{Console, grouped};
use crate::data::{Dataset, Example};
use crate::error::InputError;
use crate::fit::{Epoch, Examples, Stream, fit};
use crate::network::Network;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::text::Encoder;

/// Train a model: fit the float network, quantize it, test both.
///
/// DATA is a folder with train.tsv or train.tsv.gz (a header `label<TAB>text`, then one example a
/// line) and, where there are any, dev, test and labels.txt (a class name a line). The output folder
/// keeps config.toml, vocabulary.json, weights.safetensors, metrics.json and model.kilo.
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
    /// Replace the model in the output folder, if there is one
    #[arg(long)]
    force: bool,
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
    let recipe = Recipe::load(&args.recipe, &args.settings)?;
    // All input is read and checked before anything is written.
    let data = Dataset::read(&args.data)?;
    describe(console, &args.data, &data)?;
    let folder = RunFolder::create(&args.out.clone().unwrap_or_else(|| default_out(args)), args.force)?;

    let texts: Vec<&str> = data.train.iter().map(|example| example.text.as_str()).collect();
    let encoder = Encoder::fit(&recipe, texts.iter().copied());
    let (encoded, classes) = encode(&encoder, &data.train);
    let kept = kept(encoded.len(), recipe.validation_split);
    if kept == 0 {
        return Err(InputError::new("validation_split leaves no example to train on").into());
    }
    let train = Examples { texts: &encoded[..kept], classes: &classes[..kept] };
    let dev = data.dev.as_deref().map(|dev| encode(&encoder, dev));
    let validation = match &dev {
        _ if kept < encoded.len() => Some(Examples { texts: &encoded[kept..], classes: &classes[kept..] }),
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
    let again = format!("kilornn train {} --recipe <this file> --seed {}", args.data.display(), args.seed);
    folder.write_config(&recipe, &again)?;
    let grid = fit(&mut network, &recipe, args.seed, encoder.unknown_id(), train, validation, |epoch| {
        console.say(epoch_line(epoch, recipe.epochs, train.texts.len()))?;
        metrics.epochs.push(*epoch);
        folder.write_json("metrics.json", &metrics)
    })?;
    let outcome =
        Outcome { network: &network, encoder: &encoder, recipe: &recipe, grid: grid.as_ref(), data: &data };
    outcome.deliver(console, &folder, metrics)
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

/// How many examples stay for training: `floor(n · (1 - split))` in doubles, as Keras computes it.
fn kept(examples: usize, split: f64) -> usize {
    (examples as f64 * (1.0 - split)).floor() as usize
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
    /// As Keras splits, by running it.
    #[test]
    fn splits_as_keras_does() {
        for (n, split, train) in [(7, 0.3, 4), (10, 0.8, 1), (1000, 0.8, 199), (10, 0.9, 0), (100, 0.9, 9)] {
            assert_eq!(super::kept(n, split), train, "{n} examples, split {split}");
        }
    }
}
