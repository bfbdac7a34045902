//! Keras: `np.savez(path, *model.get_weights())` and `tokenizer.to_json()` of its legacy `Tokenizer`.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::npy::NpzTensors;
use serde::Deserialize;
use serde_json::Value;

use super::{Ids, Imported, assemble};
use crate::error::InputError;
use crate::network::Array;
use crate::recipe::{Activation, End, Letters, Pads, Recipe};

/// What neither the weights nor the tokenizer say.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Of the `SimpleRNN`.
    pub activation: Activation,
    /// `mask_zero` of the `Embedding`.
    pub padding: Pads,
    /// Of `pad_sequences`; 0 if texts were never cut.
    pub maxlen: usize,
    /// Of `pad_sequences`.
    pub truncating: End,
}

/// Reads a model of Embedding, SimpleRNN and Dense: `weights` from `numpy.savez`, `tokenizer` from `Tokenizer.to_json()`.
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
    let arrays = read_npz(weights)?;
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
        activation: reading.activation,
        ..Recipe::default()
    };
    assemble(weights, arrays, ids, recipe, settings)
}

/// `arr_0` to `arr_5`.
fn read_npz(path: &Path) -> Result<[Array; 6], InputError> {
    let fault = |reason: String| InputError::in_file(path, reason);
    let size = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
    let not_npz = |error: candle_core::Error| {
        fault(format!("cannot be read as np.savez writes it (np.savez_compressed is not read): {error}"))
    };
    let file = NpzTensors::new(path).map_err(not_npz)?;
    let mut found: Vec<&str> = file.names().into_iter().map(String::as_str).collect();
    found.sort_unstable();
    if found != ["arr_0", "arr_1", "arr_2", "arr_3", "arr_4", "arr_5"] {
        return Err(fault(format!(
            "should hold arr_0 to arr_5, the weights of Embedding, SimpleRNN and Dense as `np.savez(path, \
             *model.get_weights())` writes them, but holds {}",
            if found.is_empty() { "nothing".to_owned() } else { found.join(", ") }
        )));
    }
    let read = |index: usize| {
        let name = format!("arr_{index}");
        let (shape, dtype) = file.get_shape_and_dtype(&name).map_err(not_npz)?;
        // A damaged header must not ask for more memory than there can be values.
        let bytes = shape.dims().iter().try_fold(dtype.size_in_bytes(), |n, &d| n.checked_mul(d));
        if bytes.is_none_or(|bytes| bytes as u64 > size) {
            return Err(fault(format!("{name} says that it is larger than the file: cut short or damaged")));
        }
        let tensor = file.get(&name).map_err(not_npz)?.ok_or_else(|| fault(format!("no {name}")))?;
        Array::from_tensor(name, &tensor).map_err(|error| fault(error.to_string()))
    };
    Ok([read(0)?, read(1)?, read(2)?, read(3)?, read(4)?, read(5)?])
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
