//! `kilornn import`: weights of Keras or PyTorch -> quantize -> model file.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

use super::data::show;
use super::delivery::{Delivery, Metrics, TriedOn};
use super::{Console, grouped};
use crate::data::counts::Counts;
use crate::data::{Dataset, Inputs, Reading};
use crate::hints::before_quantizing;
use crate::import::{Imported, agree_on_labels, keras, torch};
use crate::recipe::{Activation, CellKind, End, Pads, Recipe};
use crate::run_folder::{Begin, RunFolder};

/// Take a model that Keras or PyTorch trained: quantize it, test it.
///
/// It must be one Embedding, one to four recurrent layers, and one Dense (nn.Linear) layer with sigmoid or
/// softmax that reads the last state of the last of them. A recurrent layer is a SimpleRNN (nn.RNN) with ReLU or
/// tanh, a GRU with reset_after=True, an LSTM or, from PyTorch, EdgeML's FastGRNN; a bias of the libraries' own
/// layers may be missing. The output folder is that of `kilornn train`. docs/import.md shows both ways from the
/// Python script on.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Debug, clap::Subcommand)]
enum Peer {
    Keras(KerasArgs),
    Torch(TorchArgs),
}

/// From Keras: `np.savez("W.npz", *model.get_weights())` and the text of `tokenizer.to_json()`.
///
/// Cells and units of the layers are found in the weights. The options say what these files do not. --padding
/// has no default, nor has --activation where there is a SimpleRNN, because with a wrong one the model runs and
/// answers badly.
#[derive(Debug, clap::Args)]
struct KerasArgs {
    /// The weights
    #[arg(long, value_name = "W.npz")]
    weights: PathBuf,
    /// The tokenizer (keras.src.legacy.preprocessing.text.Tokenizer)
    #[arg(long, value_name = "T.json")]
    tokenizer: PathBuf,
    /// The activation of SimpleRNN layers. GRU and LSTM must have Keras's, tanh and the sigmoid, and need no option
    #[arg(long)]
    activation: Option<Unit>,
    /// Whether the network reads pads
    #[arg(long)]
    padding: Padding,
    /// The maxlen of pad_sequences; 0: texts are never cut
    #[arg(long, value_name = "WORDS", default_value_t = 0)]
    maxlen: usize,
    /// The end of longer texts at which pad_sequences cuts
    #[arg(long, default_value = "pre")]
    truncating: Cut,
    /// Names of the classes, in the order of the outputs [default: as DATA numbers them]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    labels: Option<Vec<String>>,
    #[command(flatten)]
    common: Common,
}

/// From PyTorch: `safetensors.torch.save_file(model.state_dict(), "W.safetensors")` and a TOML file.
///
/// The TOML file has vocabulary (a text file beside it, one word a line), first_id (of its first line,
/// default 0), unknown and pad (a line or its id), padding ("masked" or "tokens"), with an nn.RNN activation
/// ("relu" or "tanh") and, if needed, maxlen, truncating, labels, char_level, lowercase, filters and [tensors]
/// (other names than embedding.weight, linear.weight and linear.bias, and those of the nn.RNN, nn.GRU or nn.LSTM
/// if they do not end in weight_ih_l0 and so on; transposed, if a FastGRNN's square matrices are of W·x).
#[derive(Debug, clap::Args)]
struct TorchArgs {
    /// The weights
    #[arg(long, value_name = "W.safetensors")]
    weights: PathBuf,
    /// The rest
    #[arg(long, value_name = "C.toml")]
    config: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Data as for `kilornn train`, a folder or a file: its train part calibrates the quantization (labels are not used for
    /// that), its test part, if there is one, tests
    #[arg(long, value_name = "DATA")]
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// Output folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Change a key of the recipe that is about the model file: fold, embedding_bits or
    /// fingerprint_bits, for example --set fold=never (can be repeated)
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Replace the model in the output folder, if there is one
    #[arg(long)]
    force: bool,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Padding {
    /// It skips them: mask_zero=True. On which side they stand makes no difference then
    Masked,
    /// It reads them, up to maxlen, in front of the words: mask_zero=False and padding="pre", Keras's defaults
    #[value(alias = "pre-with-pads")]
    Tokens,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Unit {
    Relu,
    /// Keras's default
    Tanh,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cut {
    /// Keras's default
    Pre,
    Post,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let (imported, common, sources) = match &args.peer {
        Peer::Keras(args) => {
            let reading = keras::Options {
                activation: args.activation.map(|activation| match activation {
                    Unit::Relu => Activation::Relu,
                    Unit::Tanh => Activation::Tanh,
                }),
                padding: match args.padding {
                    Padding::Masked => Pads::Masked,
                    Padding::Tokens => Pads::Tokens,
                },
                maxlen: args.maxlen,
                truncating: match args.truncating {
                    Cut::Pre => End::Pre,
                    Cut::Post => End::Post,
                },
            };
            let read = keras::read(&args.weights, &args.tokenizer, &reading, &args.common.settings)?;
            let imported = Imported { labels: args.labels.as_ref().map(|all| trimmed(all)), ..read };
            (imported, &args.common, ("Keras", [&args.weights, &args.tokenizer]))
        }
        Peer::Torch(args) => {
            let imported = torch::read(&args.weights, &args.config, &args.common.settings)?;
            (imported, &args.common, ("PyTorch", [&args.weights, &args.config]))
        }
    };
    deliver(&imported, common, sources)
}

/// Names without blanks around them, as data has them.
fn trimmed(labels: &[String]) -> Vec<String> {
    labels.iter().map(|label| label.trim().to_owned()).collect()
}

/// The recurrent layers, from the lowest up: `lstm of 16 units, gru of 8 units`. Only units where it is one SimpleRNN.
fn layers_shown(recipe: &Recipe) -> String {
    match recipe.layers()[..] {
        [(CellKind::SimpleRnn, units)] => format!("{units} units"),
        ref layers => {
            let shown = layers.iter().map(|(cell, units)| format!("{} of {units} units", cell.word()));
            shown.collect::<Vec<_>>().join(", ")
        }
    }
}

fn deliver(imported: &Imported, args: &Common, (peer, files): (&str, [&PathBuf; 2])) -> Result<()> {
    let console = Console { json: args.json };
    let Imported { network, encoder, recipe, labels, unreachable } = imported;
    // All input is read and checked before anything is written.
    let reading = Reading { calibrates: true, ..args.reading.clone() };
    let inputs = Inputs { reading, ..Inputs::from(args.data.as_path()) };
    let mut data = Dataset::read(&inputs)?;
    agree_on_labels(labels.as_deref(), network.outputs(), &args.data, &mut data)?;
    let folder = RunFolder::open(&args.out, Begin::asked(args.force, false))?;

    let counts = Counts::of(&data, encoder);
    show(console, &counts, 10)?;
    let warnings = before_quantizing(recipe, &data, &counts);
    console.warn(&warnings)?;
    let parameters = network.parameters().iter().map(|p| p.values.len()).sum();
    console.say(format!(
        "imported from {peer}: vocabulary {} words, embedding {}, {}, {} parameters",
        grouped(encoder.words().len()),
        recipe.embedding,
        layers_shown(recipe),
        grouped(parameters),
    ))?;
    if let Some(first) = unreachable.first() {
        console.say(format!(
            "note: {} of these words never occur, because the device's tokenizer splits or changes them (the first \
             is `{first}`): is the vocabulary one of another tokenizer?",
            grouped(unreachable.len()),
        ))?;
    }
    let metrics = Metrics::new(0, encoder.words().len(), parameters, counts, warnings);
    let comment = format!(
        "The weights are {peer}'s: {}, {}\nkilornn train DATA --recipe <this file> trains a network of the same form \
         on data of its own.",
        files[0].display(),
        files[1].display(),
    );
    folder.write_config(recipe, &comment)?;
    let name = args.out.file_name().unwrap_or_default().to_string_lossy();
    let (tried_on, sample) = TriedOn::of_imported(&data, encoder);
    let delivery = Delivery {
        name: &name,
        network,
        encoder,
        recipe,
        grid: None,
        data: &data,
        sample: &sample,
        tried_on: &tried_on,
        is_trained: false,
    };
    delivery.deliver(console, &folder, &delivery.export(console)?, metrics)
}
