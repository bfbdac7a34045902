//! Training and the forward pass beside Keras's own, as `golden/keras_training.py` recorded them.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, safetensors};
use kilornn::layers::Activation;

use kilornn_trainer::network::loss::Objective;
use kilornn_trainer::network::{Array, Batch, Cell, Dropout, LayerArrays, Network, Training};
use kilornn_trainer::optim::Optimizers;
use kilornn_trainer::random::Stream;
use kilornn_trainer::recipe::Recipe;
use serde::Deserialize;

/// Networks of one SimpleRNN.
const SIMPLE_RNN: &[u8] = include_bytes!("golden/keras_training.safetensors");
/// Networks of GRU, LSTM and two layers.
const LAYERS: &[u8] = include_bytes!("golden/keras_layers.safetensors");

/// How far a loss may be from Keras's, relatively.
const LOSS: f64 = 1e-4;
/// How far a weight may be from Keras's, in units of the learning rate: the whole of a step is about
/// one (Adam) or at most 3.2 (RMSprop), and after twenty of them a weight has moved by up to thirty.
const WEIGHT: f64 = 0.005;

/// The recurrent layers of a recorded network.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stack {
    cells: Vec<String>,
    units: Vec<usize>,
}

/// One recorded run; Keras's defaults where nothing is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Keras's.
    backend: String,
    optimizer: String,
    rate: f64,
    /// Of a SimpleRNN that is the only layer. In a stack Keras's default is recorded, tanh.
    activation: Option<String>,
    /// Where there is more than one SimpleRNN.
    cells: Option<Vec<String>>,
    units: Option<Vec<usize>>,
    mask: bool,
    outputs: usize,
    /// The embedding is not trained.
    frozen: bool,
    rho: Option<f64>,
}

impl Case {
    /// Whether RMSprop squares the embedding's gradient slice by slice: on TensorFlow.
    fn slices(&self) -> bool {
        self.backend == "tensorflow" && self.optimizer == "rmsprop" && !self.frozen
    }

    fn stack(&self) -> Stack {
        Stack {
            cells: self.cells.clone().unwrap_or_else(|| vec!["simple-rnn".to_owned()]),
            units: self.units.clone().unwrap_or_else(|| vec![8]),
        }
    }

    fn recipe(&self, maxlen: usize, width: usize) -> Recipe {
        let mut toml = format!("optimizer = \"{}\"\nlearning_rate = {}\n", self.optimizer, self.rate);
        toml += &self.stack().toml(self.activation.as_deref(), self.mask, maxlen, width);
        if self.slices() {
            toml += "embedding_squares = \"occurrence\"\n";
        }
        if let Some(rho) = self.rho {
            toml += &format!("rho = {rho}\n");
        }
        Recipe::from_toml(&toml).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Stack {
    /// The keys of a recipe for such a network.
    fn toml(&self, activation: Option<&str>, mask: bool, maxlen: usize, width: usize) -> String {
        let Self { cells, units } = self;
        let padding = if mask { "masked" } else { "tokens" };
        let reading = format!("padding = \"{padding}\"\nmaxlen = {maxlen}\nembedding = {width}\n");
        let activation = activation.unwrap_or("tanh");
        // Where one would do, a person writes no list.
        let layers = match (&cells[..], &units[..]) {
            ([cell], [units]) if cell == "simple-rnn" => format!("units = {units}\n"),
            ([cell], [units]) => format!("cell = {cell:?}\nunits = {units}\n"),
            ([cell, rest @ ..], _) if rest.iter().all(|other| other == cell) => {
                format!("cell = {cell:?}\nunits = {units:?}\n")
            }
            _ => format!("cell = {cells:?}\nunits = {units:?}\n"),
        };
        format!("{reading}{layers}activation = \"{activation}\"\nstate_limit = 0\n")
    }

    /// The parameters, in the order of Keras's `get_weights()`, as `golden/keras_training.py` names them.
    fn parameters(&self) -> Vec<String> {
        let mut names = vec!["embedding".to_owned()];
        for layer in 1..=self.cells.len() {
            let end = if layer == 1 { String::new() } else { format!("_{layer}") };
            names.extend(["kernel", "recurrent_kernel", "bias"].map(|name| name.to_owned() + &end));
        }
        names.extend(["dense_kernel", "dense_bias"].map(str::to_owned));
        names
    }
}

struct Fixture {
    cases: Vec<Case>,
    /// Networks of which only logits are recorded.
    forward: HashMap<String, Stack>,
    tensors: HashMap<String, Tensor>,
}

impl Fixture {
    fn read(file: &[u8]) -> Self {
        let (_, metadata) = ::safetensors::SafeTensors::read_metadata(file).unwrap();
        let metadata = metadata.metadata().as_ref().unwrap();
        let cases = serde_json::from_str(&metadata["cases"]).unwrap();
        let forward = metadata.get("forward").map(|stacks| serde_json::from_str(stacks).unwrap());
        let tensors = safetensors::load_buffer(file, &Device::Cpu).unwrap();
        Self { cases, forward: forward.unwrap_or_default(), tensors }
    }

    /// A network of the weights under `prefix`.
    fn network(&self, prefix: &str, stack: &Stack, recipe: &Recipe, outputs: usize) -> Network {
        let rows = self.tensor(&format!("{prefix}/embedding")).dim(0).unwrap();
        let mut network = Network::zeros(recipe, rows, outputs);
        let names = stack.parameters();
        network.set_weights(names.iter().map(|name| self.floats(&format!("{prefix}/{name}"))).collect());
        network
    }

    fn width(&self, prefix: &str) -> usize {
        self.tensor(&format!("{prefix}/embedding")).dim(1).unwrap()
    }

    fn tensor(&self, name: &str) -> &Tensor {
        self.tensors.get(name).unwrap_or_else(|| panic!("the fixture has no {name}"))
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        self.tensor(name).flatten_all().unwrap().to_vec1().unwrap()
    }

    fn rows(&self, name: &str) -> Vec<Vec<i64>> {
        self.tensor(name).to_dtype(DType::I64).unwrap().to_vec2().unwrap()
    }

    fn array(&self, name: &str) -> Array {
        Array::from_tensor(name, self.tensor(name)).unwrap()
    }

    /// Ids without the pads in front.
    fn texts(&self) -> (Vec<Vec<u32>>, usize) {
        let rows = self.rows("texts");
        let maxlen = rows[0].len();
        let words = |row: Vec<i64>| row.into_iter().filter(|&id| id != 0).map(|id| id as u32).collect();
        (rows.into_iter().map(words).collect(), maxlen)
    }
}

fn activation(name: &str) -> Activation {
    match name {
        "relu" => Activation::Relu,
        "tanh" => Activation::Tanh,
        other => panic!("no activation {other}"),
    }
}

/// Repeats a recorded run and compares every loss and accuracy, and the weights after the steps after which they were
/// recorded.
fn replay(fixture: &Fixture, case: &Case, after: &[usize]) {
    let Case { name, outputs, .. } = case;
    let (texts, maxlen) = fixture.texts();
    let (stack, initial) = (case.stack(), format!("{name}/initial"));
    let recipe = case.recipe(maxlen, fixture.width(&initial));
    let classes = fixture.tensor(if *outputs == 1 { "classes/2" } else { "classes/5" });
    let classes: Vec<i64> = classes.to_dtype(DType::I64).unwrap().to_vec1().unwrap();
    let losses = fixture.floats(&format!("{name}/losses"));
    let accuracies = fixture.floats(&format!("{name}/accuracies"));
    let batches = fixture.rows("batches");
    assert_eq!((batches.len(), losses.len(), accuracies.len()), (20, 20, 20));

    let mut network = fixture.network(&initial, &stack, &recipe, *outputs);
    assert_eq!(network.outputs(), *outputs);
    let mut optimizers = Optimizers::new(&recipe, &network);
    let mut rng = Stream::Dropout.rng(0);
    let (objective, dropout) = (Objective::plain(2.max(*outputs)), Dropout::default());
    let training = Training {
        objective: &objective,
        dropout,
        opinions: None,
        squares: case.slices(),
        grid: None,
        processor: &Device::Cpu,
    };
    let (mut worst_loss, mut worst_weight, mut compared) = (0.0, 0.0, 0);
    for (step, examples) in (1..).zip(&batches) {
        let examples: Vec<usize> = examples.iter().filter_map(|&index| index.try_into().ok()).collect();
        let batch = Batch::new(&examples, &texts, recipe.pad_to());
        let of_batch: Vec<usize> = examples.iter().map(|&example| classes[example] as usize).collect();
        let backward = |network: &Network| {
            let (score, mut gradients) = network.backward(&batch, &of_batch, training, &mut rng)?;
            if case.frozen {
                // Without weight decay a gradient of zero moves nothing.
                gradients.embedding.fill(0.0);
            }
            Ok::<_, candle_core::Error>((score, gradients))
        };
        let score = optimizers.step(&mut network, None, &batch.ids, recipe.learning_rate, backward).unwrap();

        let loss = f64::from(losses[step - 1]);
        let off = (score.mean_loss() - loss).abs() / loss;
        assert!(off < LOSS, "{name}, step {step}: loss {}, Keras's {loss}", score.mean_loss());
        worst_loss = f64::max(worst_loss, off);
        let correct = (f64::from(accuracies[step - 1]) * examples.len() as f64).round() as usize;
        assert_eq!(score.correct, correct, "{name}, step {step}: right answers");

        if !after.contains(&step) {
            continue;
        }
        let recorded = stack.parameters();
        assert_eq!(network.parameters().len(), recorded.len());
        for (parameter, recorded) in network.parameters().iter().zip(recorded) {
            let recorded = format!("{name}/after-{step}/{recorded}");
            compared += 1;
            let theirs = fixture.floats(&recorded);
            assert_eq!(parameter.values.len(), theirs.len());
            for (index, (ours, theirs)) in parameter.values.iter().zip(theirs).enumerate() {
                let off = f64::from((ours - theirs).abs()) / case.rate;
                assert!(off < WEIGHT, "{recorded} {index}: {ours}, Keras's {theirs}");
                worst_weight = f64::max(worst_weight, off);
            }
        }
    }
    assert_eq!(compared, after.len() * stack.parameters().len(), "{name}: weights after {after:?}");
    println!("{name}: losses off by at most {worst_loss:.1e}, weights by {worst_weight:.1e} learning rates");
}

/// Repeats the runs of an optimizer, of which there are so many.
fn replay_all(file: &[u8], optimizer: &str, count: usize, after: &[usize]) {
    let fixture = Fixture::read(file);
    let cases: Vec<&Case> = fixture.cases.iter().filter(|case| case.optimizer == optimizer).collect();
    assert_eq!(cases.len(), count);
    cases.into_iter().for_each(|case| replay(&fixture, case, after));
}

#[test]
fn rmsprop_trains_as_keras_does() {
    replay_all(SIMPLE_RNN, "rmsprop", 9, &[1, 5, 20]);
}

#[test]
fn adam_trains_as_keras_does() {
    replay_all(SIMPLE_RNN, "adam", 3, &[1, 5, 20]);
}

#[test]
fn rmsprop_trains_layers_as_keras_does() {
    replay_all(LAYERS, "rmsprop", 12, &[1, 20]);
}

#[test]
fn adam_trains_layers_as_keras_does() {
    replay_all(LAYERS, "adam", 10, &[1, 20]);
}

/// The logits of GRU, LSTM and stacks, for weights that drive their gates far from where they are linear.
#[test]
fn layers_compute_as_keras_does() {
    let fixture = Fixture::read(LAYERS);
    let (texts, maxlen) = fixture.texts();
    assert_eq!(fixture.forward.len(), 5);
    for (name, stack) in &fixture.forward {
        let prefix = format!("forward/{name}");
        for (mask, logits) in [(false, "logits"), (true, "logits-masked")] {
            let toml = stack.toml(None, mask, maxlen, fixture.width(&prefix));
            let recipe = Recipe::from_toml(&toml).unwrap_or_else(|error| panic!("{name}: {error}"));
            let network = fixture.network(&prefix, stack, &recipe, 5);
            let all: Vec<usize> = (0..texts.len()).collect();
            let ours = network.logits(&Batch::new(&all, &texts, recipe.pad_to()), None).unwrap();
            let theirs = fixture.floats(&format!("{prefix}/{logits}"));
            assert_eq!(ours.len(), theirs.len());
            let spread = theirs.iter().fold(f32::MIN, |a, &b| a.max(b))
                - theirs.iter().fold(f32::MAX, |a, &b| a.min(b));
            assert!(spread > 1.0, "{name}: all logits are alike, which shows nothing");
            for (index, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                let off = (ours - theirs).abs() / theirs.abs().max(1.0);
                assert!(off < 1e-5, "{name}, {logits} of text {}: {ours}, Keras's {theirs}", index / 5);
            }
        }
    }
}

/// The last states of a SimpleRNN, for weights that drive it far from where it is linear.
#[test]
fn simple_rnn_computes_as_keras_does() {
    let fixture = Fixture::read(SIMPLE_RNN);
    let (texts, maxlen) = fixture.texts();
    let units = fixture.tensor("rnn/bias").elem_count();
    let zeros = |name: &str, shape: &[usize]| Array {
        name: name.to_owned(),
        shape: shape.to_vec(),
        values: vec![0.0; shape.iter().product()],
    };
    for (name, kind, pad_to) in [
        ("relu", "relu", Some(maxlen)),
        ("relu-masked", "relu", None),
        ("relu-masked-post", "relu", None),
        ("tanh", "tanh", Some(maxlen)),
        ("tanh-masked", "tanh", None),
    ] {
        let [embedding, kernel, recurrent, bias] =
            ["embedding", "kernel", "recurrent_kernel", "bias"].map(|p| fixture.array(&format!("rnn/{p}")));
        let dense = [zeros("dense_kernel", &[units, 1]), zeros("dense_bias", &[1])];
        let [dense_kernel, dense_bias] = dense;
        let cell = Cell::SimpleRnn { activation: activation(kind), limit: f32::INFINITY };
        let layer = LayerArrays { cell, kernel, recurrent_kernel: recurrent, bias, further: Vec::new() };
        let dense = [dense_kernel, dense_bias];
        let network = Network::from_arrays(embedding, vec![layer], dense).unwrap();
        let all: Vec<usize> = (0..texts.len()).collect();
        let batch = Batch::new(&all, &texts, pad_to);
        let states = network.states(&batch, None).remove(0);
        let last = &states[states.len() - texts.len() * units..];
        let theirs = fixture.floats(&format!("rnn/{name}"));
        assert_eq!(last.len(), theirs.len());
        assert!(theirs.iter().any(|h| h.abs() > 0.5) && theirs.iter().any(|h| h.abs() < 0.5), "{name}");
        for (index, (ours, theirs)) in last.iter().zip(&theirs).enumerate() {
            let off = (ours - theirs).abs() / theirs.abs().max(1.0);
            assert!(off < 1e-5, "{name}, text {}: {ours}, Keras's {theirs}", index / units);
        }
    }
}
