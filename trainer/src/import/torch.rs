//! PyTorch: the `state_dict` of nn.Embedding, nn.RNN, nn.GRU or nn.LSTM, and nn.Linear as safetensors, and a TOML file for the
//! rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor, safetensors};
use serde::Deserialize;

use super::layers::{Told, check_count, zeros};
use super::{Ids, Imported, Weights, assemble};
use crate::error::InputError;
use crate::network::{Array, Cell, LayerArrays, Unfit};
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
    /// `nonlinearity` of the nn.RNN. (An nn.GRU or nn.LSTM has no choice.)
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
        }
    }
}

/// Reads a model of `nn.Embedding`, `nn.RNN`, `nn.GRU` or `nn.LSTM` of one to four layers, and `nn.Linear`: `weights` as
/// safetensors, the rest in the TOML file `config`.
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

/// The tensors of a `state_dict` that nobody has taken yet.
struct Tensors(HashMap<String, Tensor>);

impl Tensors {
    fn weights(mut self, names: &Names, told: &Told) -> Result<Weights, Unfit> {
        self.refuse_other_forms()?;
        let embedding = self.take(&names.embedding)?;
        let linear = self.transposed(&names.linear_weight)?;
        let outputs = linear.shape.last().copied().unwrap_or_default();
        let linear_bias = match self.0.contains_key(&names.linear_bias) {
            true => self.take(&names.linear_bias)?,
            false => zeros(&names.linear_bias, vec![outputs]),
        };
        let layers = self.layers(names, told)?;
        if !self.0.is_empty() {
            return Err(Unfit(format!(
                "also holds {}: only one nn.Embedding, one nn.RNN, nn.GRU or nn.LSTM (of up to four layers, num_layers), \
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

    /// Refuses recurrent modules of a form that the device has not.
    fn refuse_other_forms(&self) -> Result<(), Unfit> {
        let find = |what: fn(&str) -> bool| self.names().into_iter().find(|name| what(name));
        if let Some(name) = find(|name| name.ends_with("_reverse")) {
            return Err(Unfit(format!(
                "holds {name}, of a bidirectional layer: a device reads a text once, from its beginning; train with \
                 bidirectional=False"
            )));
        }
        if let Some(name) = find(|name| name.contains("weight_hr_l")) {
            return Err(Unfit(format!(
                "holds {name}, the projection of an nn.LSTM with proj_size: the device has none; train with proj_size=0, \
                 PyTorch's default, and with fewer units"
            )));
        }
        Ok(())
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

    /// The recurrent layers, from the lowest up.
    fn layers(&mut self, names: &Names, told: &Told) -> Result<Vec<LayerArrays>, Unfit> {
        const OWN: [&str; 4] = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"];
        // Of what module, if there is only one.
        let mut modules = self.0.keys().filter_map(|name| name.strip_suffix(OWN[0]));
        let module = modules.next().filter(|_| modules.next().is_none()).unwrap_or("rnn.").to_owned();
        let given = [&names.weight_ih, &names.weight_hh, &names.bias_ih, &names.bias_hh];
        let lowest: Vec<String> = given
            .into_iter()
            .zip(OWN)
            .map(|(given, own)| given.clone().unwrap_or_else(|| format!("{module}{own}")))
            .collect();
        let index = |name: &String| {
            let of_layers = lowest.iter().filter_map(|lowest| lowest.strip_suffix('0'));
            of_layers.filter_map(|stem| name.strip_prefix(stem)?.parse::<usize>().ok()).max()
        };
        let count = self.0.keys().filter_map(index).max().unwrap_or(0).saturating_add(1);
        check_count(count)?;
        let of_layer = |lowest: &String, layer: usize| match lowest.strip_suffix('0') {
            Some(stem) => format!("{stem}{layer}"),
            None => lowest.clone(),
        };
        // nn.RNN, nn.GRU and nn.LSTM have biases in all layers or, with bias=False, in none.
        let is_bias =
            |name: &String| lowest[2..].iter().any(|of| (0..count).any(|layer| of_layer(of, layer) == *name));
        let has_bias = self.0.keys().any(is_bias);
        (0..count)
            .map(|layer| {
                let [ih, hh, bias_ih, bias_hh] = std::array::from_fn(|part| of_layer(&lowest[part], layer));
                self.layer([&ih, &hh], has_bias.then_some([&bias_ih, &bias_hh]), told)
            })
            .collect()
    }

    fn layer(
        &mut self,
        [ih, hh]: [&str; 2],
        biases: Option<[&str; 2]>,
        told: &Told,
    ) -> Result<LayerArrays, Unfit> {
        let (mut kernel, mut recurrent_kernel) = (self.transposed(ih)?, self.transposed(hh)?);
        let cell = told.cell(&recurrent_kernel)?;
        let columns = recurrent_kernel.shape[1];
        let shape = cell.bias_shape(columns);
        let mut bias = match biases {
            None => zeros("a bias of zeros", shape),
            Some(names) => {
                let [of_inputs, of_states] = [self.take(names[0])?, self.take(names[1])?];
                for bias in [&of_inputs, &of_states] {
                    if bias.shape != [columns] {
                        return Err(Unfit(format!(
                            "{} is of shape {}, but {hh} needs ({columns})",
                            bias.name,
                            bias.shape_shown()
                        )));
                    }
                }
                let (of_inputs, of_states) = (of_inputs.values, of_states.values);
                let values = match cell {
                    // Only the second one is multiplied by the reset gate.
                    Cell::Gru => [of_inputs, of_states].concat(),
                    Cell::SimpleRnn { .. } | Cell::Lstm => {
                        of_inputs.iter().zip(of_states).map(|(a, b)| a + b).collect()
                    }
                };
                Array { name: names.join(" and "), shape, values }
            }
        };
        if cell == Cell::Gru {
            [&mut kernel, &mut recurrent_kernel, &mut bias].into_iter().for_each(update_first);
        }
        Ok(LayerArrays { cell, kernel, recurrent_kernel, bias })
    }
}

/// From PyTorch's order of a GRU's gates, r, z, n, to Keras's, z, r, n: in each row of an array.
fn update_first(array: &mut Array) {
    let columns = array.shape.last().copied().unwrap_or_default();
    for row in array.values.chunks_exact_mut(columns.max(1)) {
        let gates = columns / 3;
        row[..2 * gates].rotate_left(gates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_of_a_gru_are_put_in_order() {
        let values = b"rrzznnRRZZNN".iter().map(|&gate| f32::from(gate)).collect();
        let mut array = Array { name: "kernel".into(), shape: vec![2, 6], values };
        update_first(&mut array);
        let gates: Vec<u8> = array.values.iter().map(|&gate| gate as u8).collect();
        assert_eq!(gates, *b"zzrrnnZZRRNN");
    }
}
