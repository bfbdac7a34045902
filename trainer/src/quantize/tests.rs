//! The device's integers against the float network, step by step.

use kilornn::{Classifier, Model, Session, Values};

use super::*;
use crate::fixture::{WORDS, encoder, gated, network, recipe, texts};
use crate::footprint::Needs;
use crate::network::{Batch, StateGrid};
use crate::random::Stream;

/// How far the device's states are from the float network's on the same grid.
#[derive(Debug, Default)]
struct Distance {
    /// The largest difference, in steps.
    largest: f32,
    /// The share of states that differ.
    differ: f64,
    /// The share of states at their limit.
    saturated: f64,
    /// Root of the mean squared difference of logits.
    logits: f64,
}

/// Exports a network and compares every state with the float network's on the same grid, which is the best one with
/// its scales made finer by a factor, so that states reach their limits.
fn compare_on(toml: &str, outputs: usize, finer: f32) -> Distance {
    let recipe = recipe(toml);
    let encoder = encoder(&recipe);
    let network = network(&recipe, &encoder, outputs);
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let labels: Vec<String> = (0..outputs.max(2)).map(|i| i.to_string()).collect();
    let encoded = encoder.encode_all(&texts);
    let mut grid = choose_grid(&network, &encoded, recipe.pad_to(), number_bits(&recipe, &network)).unwrap();
    if finer > 1.0 {
        let layer = &mut grid.layers[0];
        layer.factors.iter_mut().for_each(|factor| *factor *= finer);
        if let StateGrid::Int8 { scales, .. } = &mut layer.states {
            scales.iter_mut().for_each(|scale| *scale /= finer);
        }
    }
    let exported =
        export(&network, &encoder, &recipe, &labels, &Sample::new(&encoder, &texts), Some(&grid)).unwrap();
    let model = Model::from_bytes(&exported.file).unwrap();
    let mut classifier: Classifier<24, 64> = Classifier::new(&model).unwrap();

    let scales = grid.lowest().outputs(10);
    let (mut largest, mut differ, mut saturated, mut all) = (0f32, 0, 0, 0);
    for (text, ids) in texts.iter().zip(&encoded) {
        let batch = Batch::new(&[0], std::slice::from_ref(ids), recipe.pad_to());
        let states = network.states(&batch, Some(&grid)).remove(0);
        let mut compare = |device: Values<'_>, float: &[f32]| {
            let device: Vec<i8> = device.iter().map(|h| h as i8).collect();
            assert!(device[10..].iter().all(|&h| h == 0), "units that fill a block are not zero");
            for ((device, float), scale) in device.iter().zip(float).zip(&scales) {
                let steps = (f32::from(*device) - float / scale).abs().round();
                largest = largest.max(steps);
                differ += usize::from(steps > 0.0);
                saturated += usize::from(device.unsigned_abs() == 127);
                all += 1;
            }
        };
        if model.contents().text().unwrap().sequence.window() == 0 {
            let mut steps = 0;
            for (word, float) in text.split_whitespace().zip(states.chunks_exact(10)) {
                classifier.push(word);
                classifier.push(" ");
                compare(classifier.state(), float);
                steps += 1;
            }
            assert_eq!(steps, ids.len(), "{text}");
            if steps == 0 {
                classifier.push(text);
                compare(classifier.state(), &[0.0; 10]);
            }
            classifier.finish();
        } else {
            classifier.push(text);
            classifier.finish();
            compare(classifier.state(), states.chunks_exact(10).last().unwrap());
        }
    }
    assert!(all > 300, "{all} states");
    let share = |part| part as f64 / all as f64;
    Distance { largest, differ: share(differ), saturated: share(saturated), logits: exported.logit_error }
}

fn compare(toml: &str, outputs: usize) -> Distance {
    compare_on(toml, outputs, 1.0)
}

#[test]
fn the_folded_device_follows_the_float_network_step_by_step() {
    // Equal but where float rounding falls on the other side of a half; the state remembers it a while.
    let distance = compare("fold = \"always\"", 1);
    assert!(distance.largest <= 1.0 && distance.differ < 0.04, "{distance:?}");
    assert!(distance.logits < 0.05, "{distance:?}");
}

#[test]
fn saturated_states_follow_too() {
    let distance = compare_on("fold = \"always\"", 1, 3.0);
    assert!(distance.saturated > 0.1, "{distance:?}");
    assert!(distance.largest <= 1.0 && distance.differ < 0.04, "{distance:?}");
}

#[test]
fn tanh_follows_the_float_network_step_by_step() {
    for toml in ["", "padding = \"tokens\"\nmaxlen = 40\n"] {
        let distance = compare(&format!("activation = \"tanh\"\nfold = \"always\"\n{toml}"), 1);
        assert!(distance.largest <= 1.0 && distance.differ < 0.02, "{toml}: {distance:?}");
        assert!(distance.logits < 0.05, "{toml}: {distance:?}");
    }
}

#[test]
fn the_device_with_a_narrow_embedding_follows_the_float_network_step_by_step() {
    for toml in [
        "",
        "activation = \"tanh\"\nembedding = 8",
        // Rows that are filled up.
        "activation = \"tanh\"",
        "activation = \"tanh\"\nembedding_bits = 4\nembedding = 5",
        "embedding_bits = 4\nembedding = 5",
        "embedding_bits = 4",
        "embedding_bits = 4\npadding = \"tokens\"\nmaxlen = 40",
    ] {
        let distance = compare(&format!("fold = \"never\"\n{toml}"), 1);
        assert!(distance.largest <= 1.0 && distance.differ < 0.02, "{toml}: {distance:?}");
        assert!(distance.logits < 0.05, "{toml}: {distance:?}");
    }
}

/// Exports a network with gates and compares the last layer's states behind every word with the float network's on the same
/// grid: root of the mean squared difference, and that of the logits.
fn compare_gated(toml: &str) -> [f64; 2] {
    let width = if toml.contains("embedding =") { "" } else { "embedding = 8\n" };
    let recipe = recipe(&format!("recurrent_initializer = \"orthogonal\"\n{width}{toml}"));
    let encoder = encoder(&recipe);
    let network = network(&recipe, &encoder, 3);
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let labels = ["a", "b", "c"].map(str::to_owned);
    let encoded = encoder.encode_all(&texts);
    let grid = choose_grid(&network, &encoded, recipe.pad_to(), number_bits(&recipe, &network)).unwrap();
    let exported =
        export(&network, &encoder, &recipe, &labels, &Sample::new(&encoder, &texts), Some(&grid)).unwrap();
    let model = Model::from_bytes(&exported.file).unwrap();
    assert!(file::version(model.contents()) >= 4, "{toml}");
    let mut buffer = vec![0; model.workspace()];
    let mut session = Session::new(&model, &mut buffer).unwrap();
    let scales = grid.layers.last().unwrap().outputs(network.units());
    let (mut squares, mut all) = (0.0, 0);
    let mut compare = |device: Values<'_>, float: &[f32]| {
        for ((device, float), scale) in device.iter().zip(float).zip(&scales) {
            squares += f64::from(device as f32 * scale - float).powi(2);
            all += 1;
        }
    };
    for (text, ids) in texts.iter().zip(&encoded) {
        let batch = Batch::new(&[0], std::slice::from_ref(ids), recipe.pad_to());
        let states = network.states(&batch, Some(&grid)).pop().unwrap();
        if recipe.pad_to().is_some() {
            session.push(text);
            session.finish();
            compare(session.state(), states.chunks_exact(network.units()).last().unwrap());
            continue;
        }
        for (word, float) in text.split_whitespace().zip(states.chunks_exact(network.units())) {
            session.push(word);
            session.push(" ");
            compare(session.state(), float);
        }
        session.finish();
    }
    assert!(all > 300, "{all} states");
    [(squares / f64::from(all)).sqrt(), exported.logit_error]
}

#[test]
fn the_device_follows_gated_networks_step_by_step() {
    for cell in gated() {
        for toml in [
            "fold = \"never\"",
            "fold = \"never\"\nembedding_bits = 4\nunknown = \"row\"",
            "fold = \"always\"",
            "fold = \"never\"\npadding = \"tokens\"\nmaxlen = 40",
            "fold = \"always\"\nunits = 7",
            "fold = \"never\"\nunits = [9, 6]",
            "fold = \"never\"\nembedding = 6",
            "fold = \"never\"\nembedding = 5\nembedding_bits = 4",
        ] {
            let [states, logits] = compare_gated(&format!("cell = \"{cell}\"\n{toml}"));
            assert!(states < 1e-3 && logits < 0.01, "{cell}, {toml}: states {states}, logits {logits}");
        }
    }
}

/// The 8-bit biases of a folded embedding hold arguments of gates that are as large as trained ones.
#[test]
fn words_that_open_or_close_gates_are_not_clipped() {
    for cell in gated() {
        for fold in ["always", "never"] {
            let recipe = recipe(&format!(
                "cell = \"{cell}\"\nfold = \"{fold}\"\nrecurrent_initializer = \"orthogonal\"\nembedding = 8"
            ));
            let encoder = encoder(&recipe);
            let mut network = network(&recipe, &encoder, 1);
            let largest = network.projected().iter().fold(0f32, |most, value| most.max(value.abs()));
            network.layers[0].kernel.values.iter_mut().for_each(|weight| *weight *= 6.0 / largest);
            let texts = texts();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let sample = Sample::new(&encoder, &texts);
            let labels = ["0", "1"].map(str::to_owned);
            let error = export(&network, &encoder, &recipe, &labels, &sample, None).unwrap().logit_error;
            assert!(error < 0.02, "{cell}, fold = {fold}: {error}");
        }
    }
}

/// Weights go on growing in the quantized epochs, while the grid stays.
#[test]
fn a_grid_makes_room_for_weights_that_have_grown() {
    for toml in [
        "cell = \"gru\"\nfold = \"never\"",
        "cell = \"lstm\"\nfold = \"never\"\nembedding_bits = 4",
        "cell = [\"gru\", \"lstm\"]\nfold = \"never\"",
        "cell = \"fastgrnn\"\nfold = \"never\"",
        "cell = [\"fastgrnn\", \"gru\"]\nfold = \"never\"",
    ] {
        let recipe = recipe(&format!("{toml}\nembedding = 8\nunits = 64"));
        let encoder = encoder(&recipe);
        let mut network = network(&recipe, &encoder, 1);
        let texts = texts();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let bits = number_bits(&recipe, &network);
        let mut grid = choose_grid(&network, &encoder.encode_all(&texts), None, bits).unwrap();
        for layer in &mut network.layers {
            layer.recurrent_kernel.values.iter_mut().for_each(|weight| *weight *= 4.0);
        }
        let labels = ["0", "1"].map(str::to_owned);
        let sample = Sample::new(&encoder, &texts);
        let refused = export(&network, &encoder, &recipe, &labels, &sample, Some(&grid)).err();
        let refused = refused.unwrap_or_else(|| panic!("{toml}: nothing overflows"));
        assert!(format!("{refused:#}").contains("bound of a sum"), "{toml}: {refused:#}");
        grid.make_room(&network);
        let error = export(&network, &encoder, &recipe, &labels, &sample, Some(&grid)).unwrap().logit_error;
        // Weights that are four times as large as calm ones carry a FastGRNN's rounding errors along.
        assert!(error < if toml.contains("fastgrnn") { 0.05 } else { 0.02 }, "{toml}: {error}");
        // Once is enough.
        let before = grid.clone();
        grid.make_room(&network);
        assert_eq!(grid, before, "{toml}");
    }
}

#[test]
fn the_device_follows_stacks_of_different_cells() {
    for toml in [
        "cell = [\"gru\", \"lstm\"]\nunits = [8, 10]\nfold = \"never\"",
        "cell = [\"lstm\", \"gru\", \"gru\", \"lstm\"]\nunits = [8, 4, 12, 9]\nfold = \"always\"",
    ] {
        let [states, logits] = compare_gated(toml);
        assert!(states < 1e-3 && logits < 0.01, "{toml}: states {states}, logits {logits}");
    }
    // With a layer whose states have eight bits, one step of them moves what is above.
    for toml in [
        "cell = [\"simple-rnn\", \"gru\"]\nunits = [8, 10]\nactivation = \"tanh\"\nfold = \"never\"",
        "cell = [\"simple-rnn\", \"lstm\"]\nunits = [10, 8]\nfold = \"always\"",
        "cell = [\"gru\", \"simple-rnn\"]\nunits = [10, 8]\nactivation = \"tanh\"\nfold = \"never\"",
        "cell = \"simple-rnn\"\nunits = [12, 8]\nactivation = \"tanh\"\nfold = \"never\"",
    ] {
        let [states, logits] = compare_gated(toml);
        assert!(states < 1e-2 && logits < 0.05, "{toml}: states {states}, logits {logits}");
    }
}

#[test]
fn pads_are_the_float_network_s() {
    for truncating in ["pre", "post"] {
        let toml =
            format!("padding = \"tokens\"\nmaxlen = 40\ntruncating = \"{truncating}\"\nfold = \"always\"");
        let distance = compare(&toml, 1);
        // All texts begin with the same pads: what falls on the other side of a half there does so in all of them.
        assert!(distance.largest <= 1.0 && distance.differ < 0.15, "{truncating}: {distance:?}");
        assert!(distance.logits < 0.05, "{truncating}: {distance:?}");
    }
}

#[test]
fn several_classes_keep_their_order() {
    let distance = compare("fold = \"always\"", 5);
    assert!(distance.largest <= 1.0 && distance.logits < 0.05, "{distance:?}");
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
    export(
        &network,
        &encoder,
        &recipe,
        &["a".to_owned(), "b".to_owned()],
        &Sample::new(&encoder, &texts),
        None,
    )
}

#[test]
fn a_dead_network_exports() {
    assert_eq!(export_scaled(0.0).unwrap().zeros, 1.0);
}

#[test]
fn weights_of_any_size_export_or_are_refused_in_words() {
    let mut refused = 0;
    for exponent in [-30, -9, -3, 0, 1, 2, 3, 6, 9, 20, 30] {
        let Err(error) = export_scaled(10f32.powi(exponent)) else { continue };
        let said = error.to_string();
        assert!(said.starts_with("the network's weights are"), "1e{exponent}: {said}");
        refused += 1;
    }
    assert!((1..8).contains(&refused), "{refused} of 11");
    let error = export_scaled(f32::NAN).unwrap_err().to_string();
    assert!(error.starts_with("training diverged"), "{error}");
}

/// A network whose states grow by three tenths with every word, as trained ReLU networks may, over words of which each
/// adds to one of two units.
fn expansive(recipe: &Recipe, encoder: &Encoder) -> Network {
    let mut network = Network::new(recipe, encoder.rows(), 1, &mut Stream::Weights.rng(2));
    for (id, row) in network.embedding.values.chunks_exact_mut(6).enumerate() {
        row.fill(0.0);
        row[id % 2] = 0.1;
    }
    let layer = &mut network.layers[0];
    layer.kernel.values.fill(0.0);
    layer.recurrent_kernel.values.fill(0.0);
    network.dense_kernel.values.fill(0.0);
    for unit in 0..2 {
        layer.kernel.values[unit * 10 + unit] = 1.0;
        layer.recurrent_kernel.values[unit * 11] = 1.3;
        network.dense_kernel.values[unit] = [3.0, -3.0][unit];
    }
    network
}

#[test]
fn one_long_text_does_not_decide_the_scales() {
    let recipe = recipe("state_limit = 0");
    let encoder = encoder(&recipe);
    let network = expansive(&recipe, &encoder);
    let text = |t: usize, words: usize| -> String {
        (0..words).map(|i| format!("w{} ", ((t * 31 + i * i * 7 + i) % 29 + t % 2) % WORDS)).collect()
    };
    let ordinary: Vec<String> = (0..200).map(|t| text(t, 3 + t % 6)).collect();
    let labels = ["0", "1"].map(str::to_owned);
    let export_with = |longer: &[usize]| {
        let mut texts = ordinary.clone();
        texts.extend(longer.iter().map(|&words| text(1, words)));
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        export(&network, &encoder, &recipe, &labels, &Sample::new(&encoder, &texts), None).unwrap()
    };
    let ordinary: Vec<&str> = ordinary.iter().map(String::as_str).collect();
    let float = logits(&network, &encoder.encode_all(&ordinary), None, None).unwrap();
    let differ = |file: &[u8]| {
        let device = device_logits(&Model::from_bytes(file).unwrap(), &ordinary);
        float.iter().zip(&device).filter(|(float, device)| (**float > 0.0) != (**device > 0.0)).count()
    };
    let without = differ(&export_with(&[]).file);
    // 1.3^30 is 2,600, 1.3^100 is 2.5e11, and 1.3^3000 is beyond floats.
    for longer in [&[30][..], &[100], &[400], &[3000], &[40, 60, 80]] {
        let found = differ(&export_with(longer).file);
        assert!(found <= without + 2, "{longer:?}: {found} of 200 answers differ, without them {without}");
    }
}

#[test]
fn the_size_of_a_file_is_known_before_training() {
    for toml in [
        "fold = \"always\"",
        "fold = \"never\"\nembedding = 8\nunits = 20",
        "fold = \"never\"\nembedding_bits = 4",
        "fold = \"never\"\nembedding_bits = 4\nembedding = 5",
        "fold = \"never\"\ncell = \"lstm\"\nembedding = 5",
        "activation = \"tanh\"\nembedding = 8\nunknown = \"row\"\nfingerprint_bits = 16",
        "padding = \"tokens\"\nmaxlen = 200",
        "padding = \"tokens\"\nmaxlen = 3\nunits = 7",
        "cell = \"gru\"",
        "cell = \"gru\"\nembedding = 8\nfold = \"never\"\nunits = 7",
        "cell = \"lstm\"\nembedding = 8\nfold = \"never\"\nembedding_bits = 4\nunknown = \"row\"",
        "cell = \"lstm\"\nfold = \"always\"\npadding = \"tokens\"\nmaxlen = 30",
        "units = [12, 7]",
        "cell = [\"gru\", \"simple-rnn\", \"lstm\"]\nunits = [8, 5, 12]",
    ] {
        let recipe = recipe(toml);
        let encoder = encoder(&recipe);
        let hash = encoder.perfect_hash().unwrap();
        for outputs in [1, 3] {
            let labels: Vec<String> = (0..outputs.max(2)).map(|i| format!("class {i}")).collect();
            let (size, needs) = FileSize::with_needs(&recipe, encoder.words().len(), &labels, hash).unwrap();
            let network = network(&recipe, &encoder, outputs);
            let texts = texts();
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let file = export(&network, &encoder, &recipe, &labels, &Sample::new(&encoder, &texts), None)
                .unwrap()
                .file;
            assert!((size.least..=size.most).contains(&file.len()), "{toml}: {} not in {size:?}", file.len());
            let model = Model::from_bytes(&file).unwrap();
            let stores_states =
                model.contents().text().unwrap().sequence.padding.is_some_and(|p| p.states().is_some());
            assert_eq!(size.least == size.most, !stores_states, "{toml}: {size:?}");
            // What runs it on the device, and in how much memory.
            let found = Needs::of(model.contents(), size.most);
            assert_eq!(needs.classifier, found.classifier, "{toml}");
            let order = |_, _| Order::Columns;
            assert_eq!(needs.ordered(order).step, found.ordered(order).step, "{toml}");
            assert!(needs.classifier >= model.workspace(), "{toml}: {needs:?}, {}", model.workspace());
        }
    }
}
