//! PyTorch: the `state_dict` of nn.Embedding, nn.RNN and nn.Linear as safetensors, and a TOML file for the rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, safetensors};
use serde::Deserialize;

use super::{Ids, Imported, assemble};
use crate::error::InputError;
use crate::network::Array;
use crate::recipe::{Activation, End, Letters, Pads, Recipe};

/// The TOML file: what a `state_dict` does not say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// A text file, beside this one: one word a line.
    vocabulary: PathBuf,
    /// The id of its first line.
    #[serde(default)]
    first_id: usize,
    /// The line that stands for unknown words, or its id. Without it they are left out.
    unknown: Option<Line>,
    /// The line that stands for the pad, or its id.
    pad: Option<Line>,
    /// Whether the network reads pads, in front of short texts.
    padding: Pads,
    /// Most words of a text that count; 0 counts all.
    #[serde(default)]
    maxlen: usize,
    /// Which end of a longer text is cut off.
    #[serde(default = "pre")]
    truncating: End,
    /// `nonlinearity` of the nn.RNN.
    activation: Activation,
    /// Names of the classes, in the order of the outputs.
    labels: Option<Vec<String>>,
    /// How text becomes words, as in recipes.
    #[serde(default)]
    char_level: bool,
    lowercase: Option<Letters>,
    filters: Option<String>,
    #[serde(default)]
    tensors: Names,
}

fn pre() -> End {
    End::Pre
}

/// A line of the vocabulary.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Line {
    Word(String),
    Id(usize),
}

/// The names of the tensors: those of a module with the fields `embedding`, `rnn` and `linear`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    embedding: String,
    weight_ih: String,
    weight_hh: String,
    bias_ih: String,
    bias_hh: String,
    linear_weight: String,
    linear_bias: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            embedding: "embedding.weight".into(),
            weight_ih: "rnn.weight_ih_l0".into(),
            weight_hh: "rnn.weight_hh_l0".into(),
            bias_ih: "rnn.bias_ih_l0".into(),
            bias_hh: "rnn.bias_hh_l0".into(),
            linear_weight: "linear.weight".into(),
            linear_bias: "linear.bias".into(),
        }
    }
}

/// Reads a model of `nn.Embedding`, `nn.RNN` and `nn.Linear`: `weights` as safetensors, the rest in the TOML file `config`.
/// `settings` are `key=value`, of the keys in [`SETTINGS`](super::SETTINGS).
///
/// # Errors
///
/// If a file cannot be read, or its content is no such model.
pub fn read(weights: &Path, config: &Path, settings: &[String]) -> Result<Imported, InputError> {
    let fault = |reason: String| InputError::in_file(config, reason);
    let text = std::fs::read_to_string(config).map_err(|error| fault(error.to_string()))?;
    let read: Config = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
    let vocabulary = config.parent().unwrap_or(Path::new("")).join(&read.vocabulary);
    let ids = read_ids(&read, &vocabulary)?.map_err(fault)?;
    let arrays = read_arrays(weights, &read.tensors)?;
    let keras = Recipe::default();
    let recipe = Recipe {
        char_level: read.char_level,
        lowercase: read.lowercase.unwrap_or(keras.lowercase),
        filters: read.filters.unwrap_or_else(|| keras.filters.clone()),
        maxlen: read.maxlen,
        truncating: read.truncating,
        padding: read.padding,
        activation: read.activation,
        ..keras
    };
    Ok(Imported { labels: read.labels, ..assemble(weights, arrays, ids, recipe, settings)? })
}

/// What the ids mean; the inner error is about the configuration, not the vocabulary.
fn read_ids(config: &Config, path: &Path) -> Result<Result<Ids, String>, InputError> {
    let text = std::fs::read_to_string(path).map_err(|error| InputError::in_file(path, error.to_string()))?;
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut words = Vec::new();
    for (index, word) in text.lines().enumerate() {
        let id = config.first_id + index;
        let earlier = ids.insert(word, id);
        if word.is_empty() || earlier.is_some() {
            let reason =
                if word.is_empty() { "empty: every line is a word" } else { "this word stands twice" };
            return Err(InputError::at_line(path, index + 1, reason));
        }
        words.push((word.to_owned(), id));
    }
    let find = |key: &str, line: &Option<Line>| match line {
        None => Ok(None),
        Some(Line::Id(id)) => Ok(Some(*id)),
        Some(Line::Word(word)) => match ids.get(word.as_str()) {
            Some(&id) => Ok(Some(id)),
            None => Err(format!("{key} = {word:?} is no line of {}", path.display())),
        },
    };
    let special = || {
        let (unknown, pad) = (find("unknown", &config.unknown)?, find("pad", &config.pad)?);
        if config.padding == Pads::Tokens && pad.is_none() {
            return Err(
                "padding = \"tokens\" needs pad: the line or the id of the pad that is read".to_owned()
            );
        }
        Ok((unknown, pad))
    };
    Ok(special().map(|(unknown, pad)| {
        words.retain(|&(_, id)| Some(id) != unknown && Some(id) != pad);
        Ids { words, unknown, pad: pad.filter(|_| config.padding == Pads::Tokens) }
    }))
}

/// The arrays of a network in Keras's orientation, its two biases added up.
fn read_arrays(path: &Path, names: &Names) -> Result<[Array; 6], InputError> {
    let fault = |reason: String| InputError::in_file(path, reason);
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let mut tensors = safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| fault(format!("cannot be read as safetensors: {error}")))?;
    let mut take = |name: &String| -> Result<Tensor, InputError> {
        tensors.remove(name).ok_or_else(|| {
            let mut found: Vec<&str> = tensors.keys().map(String::as_str).collect();
            found.sort_unstable();
            let found = found.join(", ");
            fault(format!(
                "no tensor {name}: it holds {found} ([tensors] in the configuration gives other names)"
            ))
        })
    };
    let array = |name: String, tensor: candle_core::Result<Tensor>| {
        let tensor = tensor.map_err(|error| fault(format!("{name}: {error}")))?;
        Array::from_tensor(name, &tensor).map_err(|error| fault(error.to_string()))
    };
    let transposed = |name: &String, tensor: Tensor| array(format!("{name}, transposed,"), tensor.t());
    let embedding = take(&names.embedding)?;
    let [ih, hh, linear] = [take(&names.weight_ih)?, take(&names.weight_hh)?, take(&names.linear_weight)?];
    let [bias_ih, bias_hh, bias] = [take(&names.bias_ih)?, take(&names.bias_hh)?, take(&names.linear_bias)?];
    if !tensors.is_empty() {
        let mut left: Vec<&str> = tensors.keys().map(String::as_str).collect();
        left.sort_unstable();
        return Err(fault(format!(
            "also holds {}: only one nn.Embedding, one nn.RNN of one layer and one direction, and one nn.Linear can \
             be imported",
            left.join(", ")
        )));
    }
    let sum = format!("{} + {}", names.bias_ih, names.bias_hh);
    Ok([
        array(names.embedding.clone(), Ok(embedding))?,
        transposed(&names.weight_ih, ih)?,
        transposed(&names.weight_hh, hh)?,
        array(sum, bias_ih + bias_hh)?,
        transposed(&names.linear_weight, linear)?,
        array(names.linear_bias.clone(), Ok(bias))?,
    ])
}
