//! Keras: `np.savez(path, *model.get_weights())` and `tokenizer.to_json()` of its legacy `Tokenizer`.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::npy::NpzTensors;
use serde::Deserialize;
use serde_json::Value;

use super::layers::{Told, zeros};
use super::{Ids, Imported, Weights, assemble};
use crate::error::InputError;
use crate::network::{Array, Cell, LayerArrays, Unfit};
use crate::recipe::{Activation, End, Letters, Pads, Recipe};

/// What neither the weights nor the tokenizer say.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of the `SimpleRNN` layers, if there are any. (A GRU or an LSTM has tanh and the sigmoid, Keras's defaults.)
    pub activation: Option<Activation>,
    /// `mask_zero` of the `Embedding`.
    pub padding: Pads,
    /// Of `pad_sequences`; 0 if texts were never cut.
    pub maxlen: usize,
    /// Of `pad_sequences`.
    pub truncating: End,
}

/// Reads a model of Embedding, one to four SimpleRNN, GRU or LSTM layers, and Dense: `weights` from `numpy.savez`, `tokenizer` from `Tokenizer.to_json()`.
/// `settings` are `key=value`, of the keys in [`SETTINGS`](super::SETTINGS).
///
/// # Errors
///
/// If a file cannot be read, or its content is no such model.
pub fn read(
    weights: &Path,
    tokenizer: &Path,
    reading: &Options,
    settings: &[String],
) -> Result<Imported, InputError> {
    let told = Told { activation: reading.activation, option: "--activation relu or --activation tanh" };
    let unfit = |Unfit(reason)| InputError::in_file(weights, reason);
    let arrays = sort(read_npz(weights)?, &told).map_err(unfit)?;
    told.check(&arrays).map_err(unfit)?;
    let text = std::fs::read_to_string(tokenizer);
    let text = text.map_err(|error| InputError::in_file(tokenizer, error.to_string()))?;
    let fault = |reason: String| InputError::in_file(tokenizer, reason);
    let tokenizer = Tokenizer::parse(&text).map_err(fault)?;
    let (ids, letters) = (tokenizer.ids(reading.padding).map_err(fault)?, tokenizer.lower);
    let recipe = Recipe {
        char_level: tokenizer.char_level,
        lowercase: if letters { Letters::Unicode } else { Letters::None },
        filters: tokenizer.filters,
        maxlen: reading.maxlen,
        truncating: reading.truncating,
        padding: reading.padding,
        activation: reading.activation.unwrap_or(Recipe::default().activation),
        ..Recipe::default()
    };
    assemble(weights, arrays, ids, recipe, settings)
}

/// `arr_0`, `arr_1` and so on.
fn read_npz(path: &Path) -> Result<Vec<Array>, InputError> {
    let fault = |reason: String| InputError::in_file(path, reason);
    let size = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
    let not_npz = |error: candle_core::Error| {
        fault(format!("cannot be read as np.savez writes it (np.savez_compressed is not read): {error}"))
    };
    let file = NpzTensors::new(path).map_err(not_npz)?;
    let mut found: Vec<&str> = file.names().into_iter().map(String::as_str).collect();
    let names: Vec<String> = (0..found.len()).map(|index| format!("arr_{index}")).collect();
    if found.is_empty() || names.iter().any(|name| !found.contains(&&**name)) {
        found.sort_unstable();
        return Err(fault(format!(
            "should hold arr_0, arr_1 and so on, the weights of Embedding, recurrent layers and Dense as `np.savez(path, \
             *model.get_weights())` writes them, but holds {}",
            if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
        )));
    }
    let read = |name: String| {
        let (shape, dtype) = file.get_shape_and_dtype(&name).map_err(not_npz)?;
        // A damaged header must not ask for more memory than there can be values.
        let bytes = shape.dims().iter().try_fold(dtype.size_in_bytes(), |n, &d| n.checked_mul(d));
        if bytes.is_none_or(|bytes| bytes as u64 > size) {
            return Err(fault(format!("{name} says that it is larger than the file: cut short or damaged")));
        }
        let tensor = file.get(&name).map_err(not_npz)?.ok_or_else(|| fault(format!("no {name}")))?;
        Array::from_tensor(name, &tensor).map_err(|error| fault(error.to_string()))
    };
    names.into_iter().map(read).collect()
}

/// Which array is which: those of the embedding, then of each recurrent layer the kernel, the recurrent kernel and, unless
/// `use_bias=False`, the bias, then kernel and bias of the dense layer. Gates are in Keras's order, which is ours.
fn sort(arrays: Vec<Array>, told: &Told) -> Result<Weights, Unfit> {
    let mut arrays = arrays.into_iter().peekable();
    let no_dense =
        || Unfit("holds no weights of a Dense layer behind those of the recurrent layers".to_owned());
    let embedding = arrays.next().ok_or_else(no_dense)?;
    let mut layers: Vec<LayerArrays> = Vec::new();
    let dense = loop {
        let kernel = arrays.next().ok_or_else(no_dense)?;
        let Some(recurrent_kernel) = arrays.next() else {
            let outputs = kernel.shape.last().copied().unwrap_or_default();
            break [kernel, zeros("the dense layer's bias", vec![outputs])];
        };
        if let ([_, _], [_]) = (&kernel.shape[..], &recurrent_kernel.shape[..])
            && arrays.len() == 0
        {
            break [kernel, recurrent_kernel];
        }
        if kernel.shape.len() != 2 || recurrent_kernel.shape.len() != 2 {
            return Err(Unfit(format!(
                "{} and {}, of the shapes {} and {}, are not of a recurrent layer: only one Embedding, then SimpleRNN, \
                 GRU or LSTM layers and one Dense layer can be imported",
                kernel.name,
                recurrent_kernel.name,
                kernel.shape_shown(),
                recurrent_kernel.shape_shown()
            )));
        }
        let cell = told.cell(&recurrent_kernel)?;
        let shape = cell.bias_shape(recurrent_kernel.shape[1]);
        let bias = match arrays.next_if(|next| next.shape.len() == 1 || next.shape == shape) {
            Some(bias) => bias,
            None => zeros("a bias of zeros", shape),
        };
        if cell == Cell::Gru && bias.shape == recurrent_kernel.shape[1..] {
            return Err(Unfit(format!(
                "{} is the bias of a GRU with reset_after=False, of shape {}: a device applies the reset gate after the \
                 recurrent product only; train with keras.layers.GRU(..., reset_after=True), Keras's default",
                bias.name,
                bias.shape_shown()
            )));
        }
        layers.push(LayerArrays { cell, kernel, recurrent_kernel, bias, further: Vec::new() });
    };
    refuse_bidirectional(&layers, &dense[0])?;
    Ok(Weights { embedding, layers, dense })
}

/// `Bidirectional` has the arrays of its two layers one after the other. The second reads what the first reads, and what is
/// above reads, unless told otherwise, the outputs of both.
fn refuse_bidirectional(layers: &[LayerArrays], dense_kernel: &Array) -> Result<(), Unfit> {
    let reads = |kernel: &Array| kernel.shape.first().copied().unwrap_or_default();
    let above = layers.iter().skip(2).map(|layer| &layer.kernel).chain([dense_kernel]);
    for (two, above) in layers.windows(2).zip(above) {
        let [first, second] = two else { continue };
        let units = reads(&first.recurrent_kernel);
        let equal = first.kernel.shape == second.kernel.shape
            && first.recurrent_kernel.shape == second.recurrent_kernel.shape;
        if equal && (reads(&second.kernel) != units || reads(above) == 2 * units) {
            return Err(Unfit(format!(
                "{} and {} are the kernels of two equal layers that read the same, as a Bidirectional layer has them: a \
                 device reads a text once, from its beginning; train without Bidirectional",
                first.kernel.name, second.kernel.name
            )));
        }
    }
    Ok(())
}

/// The `config` of a tokenizer's JSON. Counts of words and documents are of no use here.
#[derive(Debug, Deserialize)]
struct Tokenizer {
    num_words: Option<usize>,
    filters: String,
    lower: bool,
    split: String,
    char_level: bool,
    oov_token: Option<String>,
    /// JSON within JSON.
    word_index: String,
}

impl Tokenizer {
    fn parse(text: &str) -> Result<Self, String> {
        let not_json =
            |error: serde_json::Error| format!("is not the JSON of `tokenizer.to_json()`: {error}");
        let mut value: Value = serde_json::from_str(text).map_err(not_json)?;
        // `json.dump(tokenizer.to_json(), file)` wraps the JSON into a string once more.
        if let Value::String(inner) = &value {
            value = serde_json::from_str(inner).map_err(not_json)?;
        }
        if value["class_name"] != "Tokenizer" {
            return Err(format!(
                "should be the JSON of `tokenizer.to_json()`, of the class Tokenizer, but its class is {}",
                value["class_name"]
            ));
        }
        let tokenizer: Self = serde_json::from_value(value["config"].take())
            .map_err(|error| format!("the tokenizer's config: {error}"))?;
        tokenizer.check()?;
        Ok(tokenizer)
    }

    /// Refuses what the device cannot do.
    fn check(&self) -> Result<(), String> {
        // Characters are taken one by one before anything is split or filtered.
        if !self.char_level && self.split != " " {
            return Err(format!("split={:?}: the device separates words at spaces only", self.split));
        }
        if !self.char_level && !self.filters.is_ascii() {
            let foreign: String = self.filters.chars().filter(|c| !c.is_ascii()).collect();
            return Err(format!("filters has {foreign:?}: the device filters ASCII characters only"));
        }
        Ok(())
    }

    /// What its ids mean, as `texts_to_sequences` gives them: those from `num_words` on are not given to words.
    fn ids(&self, padding: Pads) -> Result<Ids, String> {
        let index: BTreeMap<String, usize> = serde_json::from_str(&self.word_index)
            .map_err(|error| format!("word_index is no JSON of words and ids: {error}"))?;
        if let Some((word, _)) = index.iter().find(|(_, id)| **id == 0) {
            return Err(format!("word_index gives the id 0, which is the pad's, to `{word}`"));
        }
        // Where texts hold the oov token itself, Keras has one id for it and for unknown words.
        let unknown = match &self.oov_token {
            Some(token) => match index.get(token) {
                Some(&id) => Some(id),
                None => return Err(format!("oov_token `{token}` has no id in word_index")),
            },
            None => None,
        };
        let limit = self.num_words.filter(|&limit| limit > 0).unwrap_or(usize::MAX);
        let is_word = |(word, id): &(String, usize)| *id < limit && Some(word) != self.oov_token.as_ref();
        let mut words: Vec<(String, usize)> = index.into_iter().filter(is_word).collect();
        words.sort_by_key(|(_, id)| *id);
        Ok(Ids { words, unknown, pad: (padding == Pads::Tokens).then_some(0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Words = Vec<(String, usize)>;

    /// What `sort` makes of arrays of these shapes.
    fn sorted(shapes: &[&[usize]]) -> Result<Weights, String> {
        let array = |(index, shape): (usize, &&[usize])| zeros(&format!("arr_{index}"), shape.to_vec());
        let told = Told { activation: Some(Activation::Tanh), option: "--activation" };
        sort(shapes.iter().enumerate().map(array).collect(), &told).map_err(|Unfit(reason)| reason)
    }

    /// Names of its layers' arrays and shapes of their biases.
    fn shown(weights: &Weights) -> Vec<(Cell, [&str; 2], &[usize])> {
        let arrays =
            |l: &LayerArrays| [&l.kernel, &l.recurrent_kernel].map(|array| array.name.clone().leak() as &str);
        weights.layers.iter().map(|l| (l.cell, arrays(l), &l.bias.shape[..])).collect()
    }

    #[test]
    fn arrays_are_those_of_layers() {
        let (gru, lstm) = ([&[4, 9][..], &[3, 9], &[2, 9]], [&[3, 20][..], &[5, 20], &[20]]);
        let found = sorted(&[&[&[7, 4][..]][..], &gru, &lstm, &[&[5, 2], &[2]]].concat()).unwrap();
        let expected =
            [(Cell::Gru, ["arr_1", "arr_2"], &[2, 9][..]), (Cell::Lstm, ["arr_4", "arr_5"], &[20])];
        assert_eq!(shown(&found), expected);
        assert_eq!(found.dense.map(|array| array.name), ["arr_7", "arr_8"]);
    }

    #[test]
    fn a_missing_bias_is_zeros() {
        let found = sorted(&[&[7, 4], &[4, 9], &[3, 9], &[3, 20], &[5, 20], &[5, 2]]).unwrap();
        let expected =
            [(Cell::Gru, ["arr_1", "arr_2"], &[2, 9][..]), (Cell::Lstm, ["arr_3", "arr_4"], &[20])];
        assert_eq!(shown(&found), expected);
        assert_eq!((&*found.dense[0].name, &found.dense[1].shape[..]), ("arr_5", &[2][..]));
        let biases = found.layers.iter().map(|layer| &layer.bias).chain([&found.dense[1]]);
        assert!(biases.into_iter().all(|bias| bias.values.iter().all(|value| *value == 0.0)));
    }

    #[test]
    fn layers_that_cannot_be_imported_are_named() {
        let fault = |shapes: &[&[usize]]| sorted(shapes).map(|_| ()).unwrap_err();
        let said = fault(&[&[7, 4], &[4, 9], &[3, 9], &[9], &[3, 2], &[2]]);
        assert!(
            said.starts_with("arr_3 is the bias of a GRU with reset_after=False, of shape (9)"),
            "{said}"
        );
        assert!(said.contains("reset_after=True), Keras's default"), "{said}");
        let said = fault(&[&[7, 4], &[4, 6], &[3, 6], &[6], &[3, 2], &[2]]);
        assert!(said.starts_with("arr_2 is of shape (3, 6), which is no recurrent kernel"), "{said}");
        // Two Dense layers, a normalization, none.
        for shapes in [
            &[&[7, 4][..], &[4, 3], &[3, 3], &[3], &[3, 5], &[5], &[5, 2], &[2]][..],
            &[&[7, 4], &[4, 3], &[3, 3], &[3], &[3], &[3], &[3, 2], &[2]],
        ] {
            let said = fault(shapes);
            assert!(said.starts_with("arr_4 and arr_5, of the shapes (3"), "{said}");
        }
        assert!(fault(&[&[7, 4], &[4, 3], &[3, 3], &[3]]).contains("no weights of a Dense layer"));
        assert!(fault(&[]).contains("no weights of a Dense layer"));
        // Bidirectional: outputs side by side, or added up.
        let twice = [&[4, 12][..], &[3, 12], &[12], &[4, 12], &[3, 12], &[12]];
        for dense in [&[6, 2][..], &[3, 2]] {
            let said = fault(&[&[&[7, 4][..]][..], &twice, &[dense, &[2]]].concat());
            assert!(
                said.starts_with("arr_1 and arr_4 are the kernels") && said.contains("Bidirectional"),
                "{said}"
            );
        }
        let same = [&[3, 12][..], &[3, 12], &[12], &[3, 12], &[3, 12], &[12]];
        assert!(fault(&[&[&[7, 3][..]][..], &same, &[&[6, 2], &[2]]].concat()).contains("Bidirectional"));
        assert!(sorted(&[&[&[7, 3][..]][..], &same, &[&[3, 2], &[2]]].concat()).is_ok(), "a stack");
    }

    fn json(changes: &[(&str, Value)]) -> String {
        let mut config = serde_json::json!({
            "num_words": null, "filters": "!.", "lower": true, "split": " ", "char_level": false,
            "oov_token": null, "document_count": 3, "word_index": r#"{"b": 2, "a": 1, "c": 3}"#,
        });
        changes.iter().for_each(|(key, value)| config[*key] = value.clone());
        serde_json::json!({ "class_name": "Tokenizer", "config": config }).to_string()
    }

    fn ids(changes: &[(&str, Value)]) -> Result<(Words, Option<usize>), String> {
        let ids = Tokenizer::parse(&json(changes))?.ids(Pads::Masked)?;
        Ok((ids.words, ids.unknown))
    }

    fn words(words: &[(&str, usize)]) -> Words {
        words.iter().map(|&(word, id)| (word.to_owned(), id)).collect()
    }

    #[test]
    fn ids_are_those_of_texts_to_sequences() {
        assert_eq!(ids(&[]), Ok((words(&[("a", 1), ("b", 2), ("c", 3)]), None)));
        assert_eq!(ids(&[("num_words", 3.into())]), Ok((words(&[("a", 1), ("b", 2)]), None)));
        assert_eq!(ids(&[("num_words", 0.into())]).unwrap().0.len(), 3, "0 is no limit");
        let oov = ("oov_token", Value::from("<OOV>"));
        let index = ("word_index", Value::from(r#"{"<OOV>": 1, "a": 2, "b": 3}"#));
        assert_eq!(ids(&[oov.clone(), index]), Ok((words(&[("a", 2), ("b", 3)]), Some(1))));
        // The texts had the token itself: Keras wrote its rank over the 1, and uses it even beyond `num_words`.
        let index = ("word_index", Value::from(r#"{"a": 2, "unk": 3}"#));
        let set = [("oov_token", "unk".into()), index, ("num_words", 3.into())];
        assert_eq!(ids(&set), Ok((words(&[("a", 2)]), Some(3))));
    }

    #[test]
    fn a_string_of_json_is_read_as_well() {
        let twice = Value::from(json(&[])).to_string();
        assert_eq!(Tokenizer::parse(&twice).unwrap().filters, "!.");
    }

    #[test]
    fn what_the_device_cannot_do_is_said() {
        let fault = |key: &'static str, value: Value| ids(&[(key, value)]).unwrap_err();
        assert_eq!(fault("split", "|".into()), "split=\"|\": the device separates words at spaces only");
        assert_eq!(
            fault("filters", "!…".into()),
            "filters has \"…\": the device filters ASCII characters only"
        );
        assert_eq!(fault("oov_token", "?".into()), "oov_token `?` has no id in word_index");
        assert!(fault("word_index", "[]".into()).starts_with("word_index is no JSON of words and ids"));
        assert!(fault("word_index", r#"{"a": 0}"#.into()).contains("the id 0, which is the pad's, to `a`"));
        assert!(fault("lower", "yes".into()).starts_with("the tokenizer's config: "));
        assert!(Tokenizer::parse("[1]").unwrap_err().contains("its class is null"));
        assert!(Tokenizer::parse("{").unwrap_err().contains("is not the JSON"));
        // With char_level Keras neither splits nor filters.
        assert!(ids(&[("char_level", true.into()), ("split", "|".into())]).is_ok());
    }
}
