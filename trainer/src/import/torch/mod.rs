//! PyTorch: the `state_dict` of nn.Embedding, a recurrent module (nn.RNN, nn.GRU, nn.LSTM or EdgeML's FastGRNN), and nn.Linear as
//! safetensors, and a TOML file for the rest.

mod fastgrnn;
mod recurrent;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, safetensors};
use serde::Deserialize;

use super::layers::{Told, zeros};
use super::{Ids, Imported, Weights, assemble};
use crate::error::InputError;
use crate::network::{Array, LayerArrays, Unfit};
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
    /// `nonlinearity` of the nn.RNN. (No other module has a choice.)
    activation: Option<Activation>,
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

/// The names of the tensors. Those of the recurrent module's lowest layer end in `_l0`, and are found if they are not given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Names {
    embedding: String,
    weight_ih: Option<String>,
    weight_hh: Option<String>,
    bias_ih: Option<String>,
    bias_hh: Option<String>,
    linear_weight: String,
    linear_bias: String,
    /// Whether matrices of a module that may have them either way are transposed, if their shapes do not say.
    transposed: Option<bool>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            embedding: "embedding.weight".into(),
            weight_ih: None,
            weight_hh: None,
            bias_ih: None,
            bias_hh: None,
            linear_weight: "linear.weight".into(),
            linear_bias: "linear.bias".into(),
            transposed: None,
        }
    }
}

/// Reads a model of `nn.Embedding`, one to four recurrent layers (`nn.RNN`, `nn.GRU`, `nn.LSTM` or EdgeML's `FastGRNN`), and
/// `nn.Linear`: `weights` as safetensors, the rest in the TOML file `config`.
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
    let told = Told {
        activation: read.activation,
        option: "activation = \"relu\" or activation = \"tanh\" in the configuration",
    };
    let arrays = read_arrays(weights, &read.tensors, &told)?;
    let keras = Recipe::default();
    let recipe = Recipe {
        char_level: read.char_level,
        lowercase: read.lowercase.unwrap_or(keras.lowercase),
        filters: read.filters.unwrap_or_else(|| keras.filters.clone()),
        maxlen: read.maxlen,
        truncating: read.truncating,
        padding: read.padding,
        activation: read.activation.unwrap_or(keras.activation),
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

/// The arrays of a network in Keras's orientation and order of gates.
fn read_arrays(path: &Path, names: &Names, told: &Told) -> Result<Weights, InputError> {
    let fault = |reason: String| InputError::in_file(path, reason);
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let tensors = safetensors::load_buffer(&bytes, &Device::Cpu)
        .map_err(|error| fault(format!("cannot be read as safetensors: {error}")))?;
    let weights = Tensors(tensors).weights(names, told).map_err(|Unfit(reason)| fault(reason))?;
    told.check(&weights).map_err(|Unfit(reason)| fault(reason))?;
    Ok(weights)
}

/// The recurrent layers that a module has, from the lowest up; `None` if there is none of its kind.
type Module = fn(&mut Tensors, &Names, &Told) -> Result<Option<Vec<LayerArrays>>, Unfit>;

/// The kinds of modules, by the names of whose tensors recurrent layers are known: a file each.
const MODULES: [Module; 2] = [fastgrnn::layers, recurrent::layers];

/// The tensors of a `state_dict` that nobody has taken yet.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn weights(mut self, names: &Names, told: &Told) -> Result<Weights, Unfit> {
        let embedding = self.take(&names.embedding)?;
        let linear = self.transposed(&names.linear_weight)?;
        let outputs = linear.shape.last().copied().unwrap_or_default();
        let linear_bias = match self.0.contains_key(&names.linear_bias) {
            true => self.take(&names.linear_bias)?,
            false => zeros(&names.linear_bias, vec![outputs]),
        };
        let mut layers = Vec::new();
        for module in MODULES {
            if let Some(found) = module(&mut self, names, told)? {
                layers = found;
                break;
            }
        }
        if !self.0.is_empty() {
            return Err(Unfit(format!(
                "also holds {}: only one nn.Embedding, one nn.RNN, nn.GRU or nn.LSTM (of up to four layers, num_layers) or up to four of EdgeML's FastGRNN, \
                 and one nn.Linear can be imported",
                self.names().join(", ")
            )));
        }
        Ok(Weights { embedding, layers, dense: [linear, linear_bias] })
    }

    /// All names, sorted.
    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }

    fn get(&mut self, name: &str) -> Result<Tensor, Unfit> {
        self.0.remove(name).ok_or_else(|| {
            Unfit(format!(
                "no tensor {name}: it holds {} ([tensors] in the configuration gives other names)",
                self.names().join(", ")
            ))
        })
    }

    fn take(&mut self, name: &str) -> Result<Array, Unfit> {
        Array::from_tensor(name, &self.get(name)?)
    }

    /// In Keras's orientation.
    fn transposed(&mut self, name: &str) -> Result<Array, Unfit> {
        let tensor = self.get(name)?.t().map_err(|error| Unfit(format!("{name}: {error}")))?;
        Array::from_tensor(format!("{name}, transposed,"), &tensor)
    }
}
