//! Training and the forward pass beside Keras's own, as `golden/keras_training.py` recorded them.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor, safetensors};
use kilornn::layers::Activation;

use kilornn_trainer::network::loss::Objective;
use kilornn_trainer::network::{Array, Batch, Dropout, Network, Training};
use kilornn_trainer::optim::Optimizers;
use kilornn_trainer::random::Stream;
use kilornn_trainer::recipe::Recipe;
use serde::Deserialize;

const FILE: &[u8] = include_bytes!("golden/keras_training.safetensors");
const PARAMETERS: [&str; 6] =
    ["embedding", "kernel", "recurrent_kernel", "bias", "dense_kernel", "dense_bias"];

/// How far a loss may be from Keras's, relatively.
const LOSS: f64 = 1e-4;
/// How far a weight may be from Keras's, in units of the learning rate: the whole of a step is about
/// one (Adam) or at most 3.2 (RMSprop), and after twenty of them a weight has moved by up to thirty.
const WEIGHT: f64 = 0.005;

/// One recorded run; Keras's defaults where nothing is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Keras's.
    backend: String,
    optimizer: String,
    rate: f64,
    activation: String,
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

    fn recipe(&self, maxlen: usize) -> Recipe {
        let padding = if self.mask { "masked" } else { "tokens" };
        let mut toml = format!(
            "optimizer = \"{}\"\nlearning_rate = {}\nactivation = \"{}\"\npadding = \"{padding}\"\nmaxlen = {maxlen}\n",
            self.optimizer, self.rate, self.activation
        );
        if self.slices() {
            toml += "embedding_squares = \"occurrence\"\n";
        }
        if let Some(rho) = self.rho {
            toml += &format!("rho = {rho}\n");
        }
        Recipe::from_toml(&toml).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

struct Fixture {
    cases: Vec<Case>,
    tensors: HashMap<String, Tensor>,
}

impl Fixture {
    fn read() -> Self {
        let (_, metadata) = ::safetensors::SafeTensors::read_metadata(FILE).unwrap();
        let cases = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["cases"]).unwrap();
        Self { cases, tensors: safetensors::load_buffer(FILE, &Device::Cpu).unwrap() }
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

/// Repeats a recorded run and compares every loss and accuracy, and the weights where they were recorded.
fn replay(fixture: &Fixture, case: &Case) {
    let Case { name, outputs, .. } = case;
    let (texts, maxlen) = fixture.texts();
    let recipe = case.recipe(maxlen);
    let classes = fixture.tensor(if *outputs == 1 { "classes/2" } else { "classes/5" });
    let classes: Vec<i64> = classes.to_dtype(DType::I64).unwrap().to_vec1().unwrap();
    let losses = fixture.floats(&format!("{name}/losses"));
    let accuracies = fixture.floats(&format!("{name}/accuracies"));
    let batches = fixture.rows("batches");
    assert_eq!((batches.len(), losses.len(), accuracies.len()), (20, 20, 20));

    let initial = PARAMETERS.map(|parameter| fixture.array(&format!("{name}/initial/{parameter}")));
    let mut network = Network::from_arrays(activation(&case.activation), initial).unwrap();
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

        for parameter in network.parameters() {
            let recorded = format!("{name}/after-{step}/{}", parameter.name);
            if !fixture.tensors.contains_key(&recorded) {
                continue;
            }
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
    assert_eq!(compared, 3 * PARAMETERS.len(), "{name}: weights of three steps were recorded");
    println!("{name}: losses off by at most {worst_loss:.1e}, weights by {worst_weight:.1e} learning rates");
}

#[test]
fn rmsprop_trains_as_keras_does() {
    let fixture = Fixture::read();
    let cases: Vec<&Case> = fixture.cases.iter().filter(|case| case.optimizer == "rmsprop").collect();
    assert_eq!(cases.len(), 9);
    cases.into_iter().for_each(|case| replay(&fixture, case));
}

#[test]
fn adam_trains_as_keras_does() {
    let fixture = Fixture::read();
    let cases: Vec<&Case> = fixture.cases.iter().filter(|case| case.optimizer == "adam").collect();
    assert_eq!(cases.len(), 3);
    cases.into_iter().for_each(|case| replay(&fixture, case));
}

/// The last states of a SimpleRNN, for weights that drive it far from where it is linear.
#[test]
fn simple_rnn_computes_as_keras_does() {
    let fixture = Fixture::read();
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
        let arrays = [embedding, kernel, recurrent, bias, dense_kernel, dense_bias];
        let network = Network::from_arrays(activation(kind), arrays).unwrap();
        let all: Vec<usize> = (0..texts.len()).collect();
        let batch = Batch::new(&all, &texts, pad_to);
        let states = network.states(&batch, None);
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
