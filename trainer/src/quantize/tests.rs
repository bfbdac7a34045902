//! The device's integers against the float network, step by step.

use kilornn::{Classifier, Model};

use super::*;
use crate::data::Batch;
use crate::fit::Stream;

const WORDS: usize = 30;

/// A network as training leaves it: weights larger than at the start, a state that lives.
fn network(recipe: &Recipe, encoder: &Encoder, outputs: usize) -> Network {
    let mut network = Network::new(recipe, encoder.rows(), outputs, &mut Stream::Weights.rng(1));
    network.embedding.values.iter_mut().for_each(|w| *w *= 12.0);
    network.bias.values.iter_mut().enumerate().for_each(|(i, b)| *b = 0.02 * (i as f32 - 3.0));
    network
}

fn recipe(toml: &str) -> Recipe {
    let common = "units = 10\nembedding = 6\nrecurrent_initializer = \"identity\"\n";
    Recipe::from_toml(&format!("{common}{toml}")).unwrap()
}

/// Texts of 0 to 60 words, all of them known.
fn texts() -> Vec<String> {
    let word = |text: usize, i: usize| format!("w{}", (text * 31 + i * i * 7 + i) % WORDS);
    (0..40).map(|t| (0..t * 3 / 2).map(|i| word(t, i)).collect::<Vec<_>>().join(" ")).collect()
}

fn encoder(recipe: &Recipe) -> Encoder {
    Encoder::new(recipe, (0..WORDS).map(|i| format!("w{i}")).collect())
}

/// Exports a network, folded or not, and compares every state and logit with the float network on
/// the same grid. Returns the largest difference of states in steps, and the share that differ.
fn compare(toml: &str, outputs: usize) -> (f32, f64, f64) {
    let recipe = recipe(toml);
    let encoder = encoder(&recipe);
    let network = network(&recipe, &encoder, outputs);
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let labels: Vec<String> = (0..outputs.max(2)).map(|i| i.to_string()).collect();
    let encoded = encoder.encode_all(&texts);
    let grid = choose_grid(&network, &encoded, recipe.pad_to()).unwrap();
    let exported = export(&network, &encoder, &recipe, &labels, &texts, Some(&grid)).unwrap();
    let model = Model::from_bytes(&exported.file).unwrap();
    let mut classifier: Classifier<10, 64> = Classifier::new(&model).unwrap();

    let projected = network.projected(Some(&grid));
    let (mut largest, mut differ, mut all) = (0f32, 0, 0);
    for (text, ids) in texts.iter().zip(&encoded) {
        let batch = Batch::new(&[0], std::slice::from_ref(ids), recipe.pad_to());
        let states = network.states(&projected, &batch, Some(&grid));
        let mut compare = |device: &[i8], float: &[f32]| {
            for ((device, float), scale) in device.iter().zip(float).zip(&grid.scales) {
                let steps = (f32::from(*device) - float / scale).abs().round();
                largest = largest.max(steps);
                differ += usize::from(steps > 0.0);
                all += 1;
            }
        };
        if model.contents().sequence.window() == 0 {
            for (word, float) in text.split_whitespace().zip(states.chunks_exact(10)) {
                classifier.push(word);
                classifier.push(" ");
                compare(classifier.state(), float);
            }
            classifier.finish();
        } else {
            classifier.push(text);
            classifier.finish();
            compare(classifier.state(), states.chunks_exact(10).last().unwrap());
        }
    }
    assert!(all > 300, "{all} states");
    (largest, differ as f64 / all as f64, exported.logit_error)
}

#[test]
fn the_folded_device_follows_the_float_network_step_by_step() {
    // Equal but where float rounding falls on the other side of a half; the state remembers it a while.
    let (largest, differ, error) = compare("fold = \"always\"", 1);
    assert!(largest <= 1.0 && differ < 0.04, "{largest} steps, {differ} differ");
    assert!(error < 0.05, "logits off by {error}");
}

#[test]
fn the_projected_device_is_close() {
    // Here embedding and input kernel are rounded one by one, not on the grid of the folded table.
    let (largest, _, error) = compare("fold = \"never\"", 1);
    assert!(largest <= 6.0, "{largest} steps");
    assert!(error < 0.1, "logits off by {error}");
}

#[test]
fn pads_are_the_float_network_s() {
    for truncating in ["pre", "post"] {
        let toml =
            format!("padding = \"tokens\"\nmaxlen = 40\ntruncating = \"{truncating}\"\nfold = \"always\"");
        let (largest, differ, _) = compare(&toml, 1);
        assert!(largest <= 1.0 && differ < 0.04, "{truncating}: {largest} steps, {differ} differ");
    }
}

#[test]
fn several_classes_keep_their_order() {
    let (largest, _, error) = compare("fold = \"always\"", 5);
    assert!(largest <= 1.0 && error < 0.05, "{largest} steps, logits off by {error}");
}

/// The network with all weights but the embedding multiplied.
fn export_scaled(factor: f32) -> Result<Exported> {
    let recipe = recipe("");
    let encoder = encoder(&recipe);
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut network = network(&recipe, &encoder, 1);
    for parameter in network.others_mut() {
        parameter.values.iter_mut().for_each(|w| *w *= factor);
    }
    export(&network, &encoder, &recipe, &["a".to_owned(), "b".to_owned()], &texts, None)
}

#[test]
fn a_dead_network_exports() {
    assert_eq!(export_scaled(0.0).unwrap().zeros, 1.0);
}

#[test]
fn a_network_that_diverged_is_refused() {
    let error = export_scaled(1e6).unwrap_err().to_string();
    assert!(error.contains("diverged"), "{error}");
}
