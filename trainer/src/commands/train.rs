//! `kilornn train`: data -> fit -> quantize -> model file.

use std::path::PathBuf;

use anyhow::Result;
use indicatif::ProgressBar;
use kilornn::Model;
use serde::Serialize;

use super::data::show;
use super::{Console, grouped};
use crate::data::counts::Counts;
use crate::data::{Dataset, Example, Inputs};
use crate::fit::{Epoch, Examples, Stream, fit};
use crate::network::Network;
use crate::network::loss::Score;
use crate::quantize::export;
use crate::recipe::Recipe;
use crate::run_folder::RunFolder;
use crate::text::Encoder;
use crate::{error::InputError, evaluate};

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

/// What `metrics.json` holds and `--json` prints.
#[derive(Debug, Serialize)]
struct Metrics {
    examples: usize,
    vocabulary: usize,
    parameters: usize,
    epochs: Vec<Epoch>,
    test: Option<Measured>,
    quantized: Option<Quantized>,
    data: Counts,
}

#[derive(Debug, Serialize)]
struct Measured {
    examples: usize,
    loss: f64,
    accuracy: f64,
}

impl From<Score> for Measured {
    fn from(score: Score) -> Self {
        Self { examples: score.examples, loss: score.mean_loss(), accuracy: score.accuracy() }
    }
}

#[derive(Debug, Serialize)]
struct Quantized {
    bytes: usize,
    logit_error: f64,
    zeros: f64,
    test: Option<Measured>,
}

/// Trains.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let recipe = Recipe::load(&args.recipe, &args.settings)?;
    // All input is read and checked before anything is written.
    let data = Dataset::read(&args.inputs)?;
    let folder = RunFolder::create(&args.out.clone().unwrap_or_else(|| default_out(args)), args.force)?;

    let texts: Vec<&str> = data.train.iter().map(|example| example.text.as_str()).collect();
    let encoder = Encoder::fit(&recipe, texts.iter().copied());
    let counts = Counts::of(&data, &encoder);
    show(console, &counts, 10)?;
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
        data: counts,
    };
    folder.write_config(&recipe, args.seed, &args.inputs.command_line())?;
    let grid = fit(&mut network, &recipe, args.seed, encoder.unknown_id(), train, validation, |epoch| {
        console.say(epoch_line(epoch, recipe.epochs, train.texts.len()))?;
        metrics.epochs.push(*epoch);
        folder.write_json("metrics.json", &metrics)
    })?;
    folder.write_vocabulary(&encoder)?;
    folder.write_weights(&network)?;

    if let Some(test) = &data.test {
        let (texts, classes) = encode(&encoder, test);
        // The network as it was trained: after quantized epochs that is the one on the device's grid.
        let score = evaluate::float(&network, &texts, &classes, recipe.pad_to(), grid.as_ref())?;
        console.say(format!("Test score: {:.4}", score.mean_loss()))?;
        console.say(format!("Test accuracy: {:.4}", score.accuracy()))?;
        metrics.test = Some(score.into());
    }

    console.say("quantizing")?;
    let exported = export(&network, &encoder, &recipe, &data.labels, &texts, grid.as_ref())?;
    let model = Model::from_bytes(&exported.file)?;
    let tested = data.test.as_ref().map(|test| evaluate::quantized(&model, test, &ProgressBar::hidden()).1);
    if let Some(score) = tested {
        console.say(format!("int8 test score: {:.4}", score.mean_loss()))?;
        console.say(format!("int8 test accuracy: {:.4}", score.accuracy()))?;
    }
    metrics.quantized = Some(Quantized {
        bytes: exported.file.len(),
        logit_error: exported.logit_error,
        zeros: exported.zeros,
        test: tested.map(Measured::from),
    });
    folder.write_json("metrics.json", &metrics)?;
    folder.write_model(&exported.file)?;
    console.say(format!(
        "{}: {} bytes; logits differ from the trained network's by {:.3} (root mean square)",
        folder.path(crate::run_folder::MODEL).display(),
        grouped(exported.file.len()),
        exported.logit_error,
    ))?;
    console.conclude(&metrics)
}

fn default_out(args: &Args) -> PathBuf {
    let recipe = PathBuf::from(&args.recipe);
    let recipe = recipe.file_stem().unwrap_or_default().to_string_lossy();
    PathBuf::from("runs").join(format!("{}-{recipe}", args.inputs.name()))
}

fn encode(encoder: &Encoder, examples: &[Example]) -> (Vec<Vec<u32>>, Vec<usize>) {
    let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
    (encoder.encode_all(&texts), examples.iter().map(|example| example.class).collect())
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
