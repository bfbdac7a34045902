//! Models that were trained with other libraries, as a network, an encoder and a recipe.
//!
//! [`keras`] and [`torch`] read what these libraries save. This file then puts ids and arrays in the order that is used here,
//! which is the same work for both.

pub mod keras;
mod layers;
pub mod torch;

use std::path::Path;

use crate::data::{Dataset, Example, classes_of, label_fault, names_shown};
use crate::error::InputError;
use crate::network::{Array, LayerArrays, Network, Unfit};
use crate::recipe::{PerLayer, Recipe, UnknownWords};
use crate::text::{Encoder, for_each_word};

/// A model of another library, ready to be tested, quantized and written.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its weights; rows of the embedding in the order of our ids.
    pub network: Network,
    /// Its vocabulary and how text becomes words.
    pub encoder: Encoder,
    /// A recipe for a network of the same form. What training would need besides has its default.
    pub recipe: Recipe,
    /// Names of its classes, if it brings them.
    pub labels: Option<Vec<String>>,
    /// Words of the vocabulary that the device's tokenizer never makes, so that their rows are dead weight.
    pub unreachable: Vec<String>,
}

/// The keys of a recipe that are about the model file alone, so that they can be set for imported weights too.
pub const SETTINGS: [&str; 3] = ["fold", "embedding_bits", "fingerprint_bits"];

/// A peer's weights, in the shapes and gate orders of [`Network::from_arrays`].
struct Weights {
    embedding: Array,
    layers: Vec<LayerArrays>,
    dense: [Array; 2],
}

/// What a peer's ids stand for.
struct Ids {
    /// The words, by falling frequency where that is known.
    words: Vec<(String, usize)>,
    /// The id that unknown words share, if they are kept.
    unknown: Option<usize>,
    /// The id of the pad, if the network reads pads.
    pad: Option<usize>,
}

/// Puts a model together. `recipe` says how text is read; what the weights say, it gets here.
fn assemble(
    path: &Path,
    Weights { embedding, layers, dense }: Weights,
    ids: Ids,
    mut recipe: Recipe,
    settings: &[String],
) -> Result<Imported, InputError> {
    let unfit = |Unfit(reason)| InputError::in_file(path, reason);
    layers::check_count(layers.len()).map_err(unfit)?;
    let mut network = Network::from_arrays(embedding, layers, dense).map_err(unfit)?;
    if ids.words.is_empty() {
        return Err(InputError::in_file(path, "cannot be imported: the vocabulary has no words"));
    }

    // Our ids: the pad, the words, then unknown words.
    let [rows, width] = network.embedding.shape;
    let words = ids.words.iter().map(|(word, id)| (format!("the word `{word}`"), *id));
    let others = [ids.pad.map(|id| ("the pad".to_owned(), id))].into_iter().flatten();
    let unknown = ids.unknown.map(|id| ("unknown words".to_owned(), id));
    if let Some((what, id)) = others.chain(words).chain(unknown).find(|(_, id)| *id >= rows) {
        let reason = format!(
            "the embedding has {rows} rows, ids 0 to {}, but {what} has the id {id}: not the vocabulary of these weights",
            rows - 1
        );
        return Err(InputError::in_file(path, reason));
    }
    let row = |id: usize| &network.embedding.values[id * width..][..width];
    // Nothing reads the row of a pad that is masked.
    let mut values = ids.pad.map_or_else(|| vec![0.0; width], |id| row(id).to_vec());
    ids.words.iter().for_each(|(_, id)| values.extend(row(*id)));
    ids.unknown.iter().for_each(|id| values.extend(row(*id)));
    network.embedding.shape = [values.len() / width, width];
    network.embedding.values = values;

    recipe.vocabulary = ids.words.len();
    recipe.unknown = if ids.unknown.is_some() { UnknownWords::Row } else { UnknownWords::Drop };
    recipe.embedding = width;
    let kinds: Vec<_> = network.layers.iter().map(|layer| layer.cell.kind()).collect();
    recipe.cell = match kinds.iter().all(|kind| *kind == kinds[0]) {
        true => kinds[0].into(),
        false => PerLayer::Each(kinds),
    };
    recipe.units = network.layers.iter().map(|layer| layer.units()).collect::<Vec<_>>().into();
    // The libraries' ReLU has none.
    recipe.state_limit = 0.0;
    let recipe = with_settings(&recipe, settings)?;
    let encoder = Encoder::new(&recipe, ids.words.into_iter().map(|(word, _)| word).collect());
    let unreachable = encoder.words().iter().filter(|word| !is_one_word(&encoder, word)).cloned().collect();
    Ok(Imported { network, encoder, recipe, labels: None, unreachable })
}

/// Applies `key=value` settings and checks that a device can run such a network.
fn with_settings(recipe: &Recipe, settings: &[String]) -> Result<Recipe, InputError> {
    let mut table = toml::Table::try_from(recipe).map_err(|error| InputError::new(error.to_string()))?;
    for setting in settings {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| InputError::new(format!("--set {setting}: should be key=value")))?;
        let key = key.trim();
        if !SETTINGS.contains(&key) {
            let keys = SETTINGS.join(", ");
            let reason = format!("--set {setting}: imported weights decide all of the recipe but {keys}");
            return Err(InputError::new(reason));
        }
        let value = value.parse().unwrap_or_else(|_| toml::Value::String(value.to_owned()));
        table.insert(key.to_owned(), value);
    }
    Recipe::from_toml(&table.to_string())
}

/// Whether the device's tokenizer makes exactly this word of it.
fn is_one_word(encoder: &Encoder, word: &str) -> bool {
    let mut found = Vec::new();
    for_each_word(encoder.normalization(), word, |word| found.push(word.to_owned()));
    found == [word]
}

/// The names of the classes, in the order of the outputs: the model's own, or the data's. Renumbers the classes of
/// the data where its order is another.
///
/// # Errors
///
/// If the labels are not as many as the model has classes, or those of the data are others.
pub fn agree_on_labels(
    own: Option<&[String]>,
    outputs: usize,
    folder: &Path,
    data: &mut Dataset,
) -> Result<Vec<String>, InputError> {
    let labels = own.map_or_else(|| data.labels.clone(), <[String]>::to_vec);
    let twice = labels.iter().enumerate().find(|(place, label)| labels[..*place].contains(label));
    let fault = labels.iter().find_map(|label| label_fault(label)).or(twice.map(|_| "a class stands twice"));
    if let Some(reason) = fault {
        return Err(InputError::new(format!("the labels are {}: {reason}", names_shown(&labels))));
    }
    let classes = if outputs == 1 { 2 } else { outputs };
    if labels.len() != classes {
        let outputs = if outputs == 1 { "one output".to_owned() } else { format!("{outputs} outputs") };
        let reason = format!(
            "the model has {outputs}, so {classes} classes, but the labels are {}",
            names_shown(&labels)
        );
        return Err(InputError::in_file(folder, reason));
    }
    // As everywhere, labels are names of classes or their numbers.
    let Some(renumbered) = classes_of(&labels, &data.labels) else {
        let reason =
            format!("its classes are {}, the model's {}", names_shown(&data.labels), names_shown(&labels));
        return Err(InputError::in_file(folder, reason));
    };
    let parts = [Some(&mut data.train), data.dev.as_mut(), data.test.as_mut()];
    for Example { class, .. } in parts.into_iter().flatten().flatten() {
        *class = renumbered[*class];
    }
    data.labels.clone_from(&labels);
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(labels: &[&str]) -> Dataset {
        let train = (0..labels.len()).map(|class| Example::new(class, "x")).collect();
        Dataset {
            labels: labels.iter().map(|&label| label.to_owned()).collect(),
            train,
            ..Dataset::default()
        }
    }

    fn agreed(own: &[&str], outputs: usize, found: &[&str]) -> Result<Vec<usize>, String> {
        let own: Vec<String> = own.iter().map(|&label| label.to_owned()).collect();
        let mut data = data(found);
        let own = Some(&own[..]).filter(|own| !own.is_empty());
        let labels = agree_on_labels(own, outputs, Path::new("d"), &mut data).map_err(|e| e.to_string())?;
        assert_eq!(labels, data.labels);
        Ok(data.train.iter().map(|example| example.class).collect())
    }

    #[test]
    fn classes_follow_the_model_s_order() {
        assert_eq!(agreed(&[], 1, &["ham", "spam"]), Ok(vec![0, 1]));
        assert_eq!(agreed(&["spam", "ham"], 1, &["ham", "spam"]), Ok(vec![1, 0]));
        assert_eq!(agreed(&["a", "b", "c"], 3, &["0", "1", "2"]), Ok(vec![0, 1, 2]));
        assert_eq!(agreed(&["a", "b"], 2, &["0", "1"]), Ok(vec![0, 1]), "a softmax over two");
    }

    #[test]
    fn classes_that_do_not_fit_are_named() {
        let error = agreed(&[], 1, &["a", "b", "c"]).unwrap_err();
        assert_eq!(error, "d: the model has one output, so 2 classes, but the labels are a, b, c");
        let error = agreed(&["a", "b"], 1, &["a", "x"]).unwrap_err();
        assert_eq!(error, "d: its classes are a, x, the model's a, b");
        assert!(agreed(&["a", "a"], 1, &["a", "b"]).unwrap_err().contains("a class stands twice"));
        assert!(agreed(&["a\nb", "c"], 1, &["a", "c"]).unwrap_err().contains("a label of several lines"));
    }

    #[test]
    fn only_the_model_file_can_be_set() {
        let set = |setting: &str| with_settings(&Recipe::default(), &[setting.to_owned()]);
        assert_eq!(set("fingerprint_bits=16").unwrap().fingerprint_bits, 16);
        let error = set("epochs=3").unwrap_err().to_string();
        assert!(error.ends_with("all of the recipe but fold, embedding_bits, fingerprint_bits"), "{error}");
        assert!(set("fold=sideways").unwrap_err().to_string().contains("sideways"));
        assert!(set("fold").unwrap_err().to_string().contains("should be key=value"));
    }
}
