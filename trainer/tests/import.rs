//! Imported models beside what their libraries answered, as `golden/keras_import.py`, `golden/torch_import.py` and
//! `golden/edgeml_import.py` recorded them, and `kilornn import` as a person runs it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use kilornn_trainer::import::{Imported, keras, torch};
use kilornn_trainer::predict::predict_all;
use kilornn_trainer::quantize::Sample;
use kilornn_trainer::recipe::{Activation, CellKind, End, Pads};
use kilornn_trainer::{evaluate, quantize};
use serde::Deserialize;

mod desk;

use desk::Desk;

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import").join(name)
}

fn recorded<T: for<'a> Deserialize<'a>>(name: &str) -> Vec<T> {
    serde_json::from_slice(&std::fs::read(golden(name)).unwrap()).unwrap()
}

/// What a library answered: probabilities or logits, a list for each text.
#[derive(Deserialize)]
struct Answers {
    name: String,
    texts: Vec<String>,
    #[serde(default)]
    probabilities: Vec<Vec<f64>>,
    #[serde(default)]
    logits: Vec<Vec<f64>>,
}

impl Answers {
    /// The probability of each class.
    fn of_classes(&self) -> Vec<Vec<f64>> {
        let from_logits = self.logits.iter().map(|logits| probabilities(logits));
        let all = self.probabilities.iter().cloned().chain(from_logits);
        all.map(|found| if let [p] = found[..] { vec![1.0 - p, p] } else { found }).collect()
    }
}

#[derive(Deserialize)]
struct KerasCase {
    #[serde(flatten)]
    answers: Answers,
    activation: Option<Activation>,
    /// Of the layers, from the lowest up; without it, one SimpleRNN of 12 units.
    layers: Option<Vec<(CellKind, usize)>>,
    padding: Pads,
    maxlen: usize,
    truncating: End,
}

/// What the last layer's activation makes of logits.
fn probabilities(logits: &[f64]) -> Vec<f64> {
    match *logits {
        [z] => vec![1.0 / (1.0 + (-z).exp())],
        _ => {
            let exps: Vec<f64> = logits.iter().map(|z| z.exp()).collect();
            exps.iter().map(|e| e / exps.iter().sum::<f64>()).collect()
        }
    }
}

fn compare(imported: &Imported, answers: &Answers) {
    let Answers { name, texts, probabilities: of_probabilities, logits: of_logits } = answers;
    let Imported { network, encoder, recipe, unreachable, .. } = imported;
    assert!(unreachable.is_empty(), "{name}: {unreachable:?}");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoded = encoder.encode_all(&texts);
    let logits = evaluate::logits(network, &encoded, recipe.pad_to(), None).unwrap();
    let expected = [&of_probabilities[..], of_logits].concat();
    assert!(texts.len() >= 38 && texts.len() == expected.len());
    for ((logits, expected), text) in logits.chunks_exact(network.outputs()).zip(&expected).zip(&texts) {
        let mut found: Vec<f64> = logits.iter().map(|&logit| logit.into()).collect();
        if of_logits.is_empty() {
            found = probabilities(&found);
        }
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{name}, {text:?}: {found}, recorded {expected}");
        }
    }
    let first: Vec<f64> = answers.of_classes().iter().map(|p| p[0]).collect();
    let spread = first.iter().copied().fold(0.0, f64::max) - first.iter().copied().fold(1.0, f64::min);
    assert!(spread > 0.1, "{name}: all answers are alike, which shows nothing");
}

#[test]
fn keras_models_answer_as_in_keras() {
    let cases: Vec<KerasCase> =
        [recorded("keras.json"), recorded("keras-layers.json")].into_iter().flatten().collect();
    assert_eq!(cases.len(), 5 + 5);
    let (mut texts, mut otherwise) = (0, 0);
    for KerasCase { answers, activation, layers, padding, maxlen, truncating } in &cases {
        let [weights, tokenizer] = ["npz", "json"].map(|e| golden(&format!("keras-{}.{e}", answers.name)));
        let layers = layers.clone().unwrap_or_else(|| vec![(CellKind::SimpleRnn, 12)]);
        let simple = layers.iter().any(|(cell, _)| *cell == CellKind::SimpleRnn);
        let reading = keras::Options {
            // In stacks Keras's default was recorded.
            activation: activation.or(simple.then_some(Activation::Tanh)),
            padding: *padding,
            maxlen: *maxlen,
            truncating: *truncating,
        };
        let imported = keras::read(&weights, &tokenizer, &reading, &[]).unwrap();
        assert_eq!(imported.recipe.layers(), layers, "{}", answers.name);
        compare(&imported, answers);
        texts += answers.texts.len();
        otherwise += lost(&imported, answers);
    }
    assert!(100 * otherwise <= texts, "int8 answers {otherwise} of {texts} texts otherwise");
}

#[test]
fn torch_models_answer_as_in_torch() {
    let cases: Vec<Answers> =
        ["torch.json", "torch-layers.json", "edgeml.json"].into_iter().flat_map(recorded).collect();
    assert_eq!(cases.len(), 2 + 7 + 2);
    let (mut texts, mut otherwise) = (0, 0);
    for answers in &cases {
        let [weights, config] =
            ["safetensors", "toml"].map(|e| golden(&format!("torch-{}.{e}", answers.name)));
        let imported = torch::read(&weights, &config, &[]).unwrap();
        if !answers.logits.is_empty() {
            let cells: Vec<String> =
                imported.recipe.layers().iter().map(|(cell, _)| cell.word().replace("simple-", "")).collect();
            assert_eq!(cells.join("-"), answers.name.trim_end_matches("-no-bias"));
        }
        compare(&imported, answers);
        texts += answers.texts.len();
        otherwise += lost(&imported, answers);
    }
    assert!(100 * otherwise <= texts, "int8 answers {otherwise} of {texts} texts otherwise");
}

/// Texts that the model file answers otherwise than its library does. Fails if one is, of whose answer the library is sure, or if
/// its logits are far from the float network's.
fn lost(Imported { network, encoder, recipe, .. }: &Imported, answers: &Answers) -> usize {
    let texts: Vec<&str> = answers.texts.iter().map(String::as_str).collect();
    let labels: Vec<String> = (0..network.outputs().max(2)).map(|class| class.to_string()).collect();
    let exported =
        quantize::export(network, encoder, recipe, &labels, &Sample::new(encoder, &texts), None).unwrap();
    assert!(exported.logit_error < 0.1, "{}: {}", answers.name, exported.logit_error);
    let model = kilornn::Model::from_bytes(&exported.file).unwrap();
    let device = predict_all(&model, &texts, &indicatif::ProgressBar::hidden());
    let mut lost = 0;
    for (of_classes, answer) in answers.of_classes().iter().zip(&device) {
        let most = of_classes.iter().copied().fold(0.0, f64::max);
        let behind = most - of_classes[answer.class as usize];
        assert!(behind < 0.03, "{}: {of_classes:?} answered {}", answers.name, answer.class);
        lost += usize::from(behind > 0.0);
    }
    lost
}

/// `docs/import.md` shows the scripts in `docs/import/` as they are.
#[test]
fn the_page_shows_the_scripts_as_they_are() {
    let page = include_str!("../../docs/import.md");
    for script in
        [include_str!("../../docs/import/keras_model.py"), include_str!("../../docs/import/torch_model.py")]
    {
        assert!(page.contains(&format!("```python\n{script}```\n")), "another script: {script}");
    }
}

/// A folder for one test, with data of two and of three classes.
fn two_and_three() -> Desk {
    let desk = Desk::empty();
    let cases: Vec<Answers> = recorded("keras.json");
    for (folder, labels) in [("two", &["bad", "good"][..]), ("three", &["x", "y", "z"])] {
        // Labels that the first model that has as many classes gives.
        let case = cases.iter().find(|case| case.probabilities[0].len() == labels.len() * 2 - 3).unwrap();
        let mut rows = String::from("label\ttext\n");
        for (text, p) in case.texts.iter().zip(&case.probabilities) {
            let class = match p[..] {
                [p] => usize::from(p > 0.5),
                _ => (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap(),
            };
            rows += &format!("{class}\t{text}\n");
        }
        // Every class has an example.
        (0..labels.len()).for_each(|class| rows += &format!("{class}\tthe film\n"));
        let lines: Vec<&str> = rows.lines().collect();
        let test = lines[..lines.len() - labels.len()].join("\n");
        for (name, content) in
            [("train.tsv", rows.as_str()), ("test.tsv", &test), ("labels.txt", &labels.join("\n"))]
        {
            desk.write(&format!("{folder}/{name}"), content.as_bytes());
        }
    }
    desk
}

/// The words of `kilornn import keras`.
fn keras_args<'a>(weights: &'a str, tokenizer: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["import", "keras", "--weights", weights, "--tokenizer", tokenizer], more].concat()
}

#[test]
fn an_imported_run_is_like_a_trained_one() {
    let desk = two_and_three();
    let file = |name: &str| golden(name).display().to_string();
    let [npz, json] = [file("keras-seed.npz"), file("keras-seed.json")];
    let how = ["--activation", "relu", "--padding", "pre-with-pads", "--maxlen", "12", "--data", "two"];
    let args = keras_args(&npz, &json, &[&how[..], &["--out", "run", "--json"]].concat());
    let metrics = desk.json(&args);
    for name in ["config.toml", "vocabulary.json", "weights.safetensors", "metrics.json", "model.kilo"] {
        assert!(desk.path("run").join(name).is_file(), "no {name}");
    }
    // The test part's labels are Keras's own answers.
    assert_eq!(metrics["test"]["accuracy"], 1.0, "{metrics}");
    assert!(metrics["quantized"]["test"]["accuracy"].as_f64().unwrap() > 0.9, "{metrics}");
    assert!(metrics["quantized"]["logit_error"].as_f64().unwrap() < 0.1, "{metrics}");
    let evaluated = desk.json(&["evaluate", "run", "two", "--json"]);
    assert_eq!(evaluated["accuracy"], metrics["quantized"]["test"]["accuracy"]);
    let inspected = desk.json(&["inspect", "run", "--json"]);
    assert_eq!((&inspected["window"], &inspected["pads_are_read"]), (&12.into(), &true.into()));
    assert!(desk.ok(&["predict", "run", "a fine film"]).contains("\ta fine film"));

    // A finished model is only replaced on demand; the same files give the same model.
    let model = std::fs::read(desk.path("run/model.kilo")).unwrap();
    assert!(desk.refused(&args).contains("--force"));
    desk.ok(&[&args[..], &["--force"]].concat());
    assert!(std::fs::read(desk.path("run/model.kilo")).unwrap() == model, "another import, another model");

    // The configuration trains a network of the same form.
    desk.ok(&["train", "two", "--recipe", "run/config.toml", "--set", "epochs=1", "--out", "trained"]);
    let trained = desk.json(&["inspect", "trained", "--json"]);
    assert_eq!((&trained["units"], &trained["window"]), (&inspected["units"], &inspected["window"]));
}

#[test]
fn torch_and_several_classes_work_end_to_end() {
    let desk = two_and_three();
    let file = |name: &str| golden(name).display().to_string();
    let [npz, json] = [file("keras-oov.npz"), file("keras-oov.json")];
    let how = ["--activation", "tanh", "--padding", "masked", "--data", "three", "--labels", "z,y,x"];
    desk.ok(&keras_args(&npz, &json, &[&how[..], &["--out", "run"]].concat()));
    let inspected = desk.json(&["inspect", "run", "--json"]);
    assert_eq!(inspected["outputs"], 3);
    let label = desk.json(&["predict", "run", "--json", "x"])["predictions"][0].clone();
    assert_eq!(label["label"], ["z", "y", "x"][label["class"].as_u64().unwrap() as usize]);

    for (case, data) in [("packed", "two"), ("padded", "three")] {
        let [weights, config] = ["safetensors", "toml"].map(|e| file(&format!("torch-{case}.{e}")));
        let args = ["import", "torch", "--weights", &weights, "--config", &config, "--data", data];
        let metrics = desk.json(&[&args[..], &["--out", case, "--json"]].concat());
        let [float, int8] = [&metrics["test"], &metrics["quantized"]["test"]].map(|part| &part["accuracy"]);
        assert!((float.as_f64().unwrap() - int8.as_f64().unwrap()).abs() < 0.1, "{metrics}");
        assert!(metrics["quantized"]["logit_error"].as_f64().unwrap() < 0.1, "{metrics}");
    }
}

#[test]
fn gates_and_stacks_work_end_to_end() {
    let desk = two_and_three();
    let file = |name: &str| golden(name).display().to_string();
    // No --activation: neither has a SimpleRNN.
    let [npz, json] = [file("keras-lstm-gru.npz"), file("keras-lstm-gru.json")];
    let how = ["--padding", "tokens", "--maxlen", "9", "--truncating", "post", "--data", "three"];
    let of_keras = keras_args(&npz, &json, &[&how[..], &["--out", "keras", "--json"]].concat());
    let [weights, config] = ["safetensors", "toml"].map(|e| file(&format!("torch-gru.{e}")));
    let of_torch = ["import", "torch", "--weights", &weights, "--config", &config, "--data", "two"];
    let of_torch = [&of_torch[..], &["--set", "fold=never", "--out", "torch", "--json"]].concat();
    for (run, data, args, expected) in [
        ("keras", "three", of_keras, vec![("LSTM", 6), ("GRU", 10)]),
        ("torch", "two", of_torch, vec![("GRU", 10)]),
    ] {
        let metrics = desk.json(&args);
        assert!(metrics["quantized"]["logit_error"].as_f64().unwrap() < 0.05, "{metrics}");
        assert!(
            metrics["warnings"].as_array().unwrap().iter().all(|w| w["kind"] != "quantization-loss"),
            "{metrics}"
        );
        let evaluated = desk.json(&["evaluate", run, data, "--json"]);
        assert_eq!(evaluated["accuracy"], metrics["quantized"]["test"]["accuracy"]);
        let layers = |run: &str| -> Vec<(String, u64)> {
            let inspected = desk.json(&["inspect", run, "--json"]);
            let layers = inspected["layers"].as_array().unwrap().iter();
            layers.map(|l| (l["cell"].as_str().unwrap().to_owned(), l["units"].as_u64().unwrap())).collect()
        };
        let filled = |(cell, units): (&str, u64)| (cell.to_owned(), units.next_multiple_of(4));
        assert_eq!(layers(run), expected.into_iter().map(filled).collect::<Vec<_>>());
        // The configuration trains a network of the same form.
        let recipe = format!("{run}/config.toml");
        desk.ok(&["train", data, "--recipe", &recipe, "--set", "epochs=1", "--out", "trained", "--force"]);
        assert_eq!(layers(run), layers("trained"));
    }
}

/// Names, orientation and forms of EdgeML's modules.
#[test]
fn fastgrnn_modules_are_read_by_their_names() {
    let (desk, args) = torch_desk();
    let module = |width: usize, units: usize, name: &str| {
        let shapes = [
            ("W", [width, units]),
            ("U", [units, units]),
            ("bias_gate", [1, units]),
            ("bias_update", [1, units]),
            ("zeta", [1, 1]),
            ("nu", [1, 1]),
        ];
        shapes.map(|(own, shape)| (format!("{name}{own}"), shape))
    };
    let save = |modules: &[(String, [usize; 2])]| {
        let mut all = tensors(8, "rnn", 1, 6, 0);
        for (place, (name, shape)) in modules.iter().enumerate() {
            let values = (0..shape[0] * shape[1]).map(|i| ((i * 37 + place * 11) as f32 * 0.7).sin() * 0.4);
            let tensor = Tensor::from_vec(values.collect::<Vec<f32>>(), shape, &Device::Cpu).unwrap();
            all.insert(name.clone(), tensor);
        }
        candle_core::safetensors::save(&all, desk.path("w.safetensors")).unwrap();
    };
    let run = ["--out", "run", "--force"];
    // The names of the module that holds a cell.
    save(&[module(8, 6, "rnn.cell."), module(8, 6, "rnn.unrollRNN.RNNCell.")].concat());
    desk.ok(&[&args[..], &run].concat());
    let inspected = desk.json(&["inspect", "run", "--json"]);
    assert_eq!((&inspected["layers"][0]["cell"], &inspected["version"]), (&"FastGRNN".into(), &5.into()));
    assert_eq!(inspected["layers"][0]["units"], 8);
    // Square: which way it lies must be said.
    save(&[module(8, 6, "a."), module(6, 6, "b.")].concat());
    desk.ok(&[&args[..], &run].concat());
    let square: Vec<(String, [usize; 2])> = module(6, 6, "a.").to_vec();
    let mut all = tensors(6, "rnn", 1, 6, 0);
    for (name, shape) in &square {
        all.insert(name.clone(), Tensor::ones(shape, candle_core::DType::F32, &Device::Cpu).unwrap());
    }
    candle_core::safetensors::save(&all, desk.path("w.safetensors")).unwrap();
    let said = desk.refused(&[&args[..], &run].concat());
    assert!(said.contains("a.W is square") && said.contains("transposed = true"), "{said}");
    desk.write("c.toml", format!("{GATED}[tensors]\ntransposed = true\n"));
    desk.ok(&[&args[..], &run].concat());
    desk.write("c.toml", GATED);
    save(&[module(8, 6, "a."), module(8, 6, "a_reverse.")].concat());
    let said = desk.refused(&[&args[..], &run].concat());
    assert!(said.contains("a_reverse.zeta") && said.contains("bidirectional=False"), "{said}");
    let mut lacking = module(8, 6, "a.").to_vec();
    lacking.remove(2);
    save(&lacking);
    assert!(desk.refused(&[&args[..], &run].concat()).contains("no tensor a.bias_gate"));
    save(&module(7, 6, "a."));
    let said = desk.refused(&[&args[..], &run].concat());
    assert!(
        said.contains("a.W (W) is of shape (7, 6), but a fastgrnn of 6 units that reads 8 numbers"),
        "{said}"
    );
}

/// Tensors of a model over the vocabulary of `torch-packed`: an embedding of this width, then recurrent layers of these gates.
/// Values are small and differ.
fn tensors(width: usize, module: &str, gates: usize, units: usize, layers: usize) -> HashMap<String, Tensor> {
    let mut all = HashMap::new();
    let mut add = |name: String, shape: &[usize]| {
        let count: usize = shape.iter().product();
        let values = (0..count).map(|i| ((i * 37 + all.len() * 11) as f32 * 0.7).sin() * 0.6).collect();
        all.insert(name, Tensor::from_vec(values, shape, &Device::Cpu).unwrap());
    };
    add("embedding.weight".into(), &[32, width]);
    for layer in 0..layers {
        let inputs = if layer == 0 { width } else { units };
        add(format!("{module}.weight_ih_l{layer}"), &[gates * units, inputs]);
        add(format!("{module}.weight_hh_l{layer}"), &[gates * units, units]);
        add(format!("{module}.bias_ih_l{layer}"), &[gates * units]);
        add(format!("{module}.bias_hh_l{layer}"), &[gates * units]);
    }
    add("linear.weight".into(), &[1, units]);
    add("linear.bias".into(), &[1]);
    all
}

/// A folder with data and with the vocabulary of `torch-packed`, and the words of `kilornn import torch` for its `w.safetensors`
/// and `c.toml`.
fn torch_desk() -> (Desk, [&'static str; 8]) {
    let desk = two_and_three();
    desk.write("torch-packed.txt", std::fs::read(golden("torch-packed.txt")).unwrap());
    desk.write("c.toml", GATED);
    let args = ["import", "torch", "--weights", "w.safetensors", "--config", "c.toml", "--data", "two"];
    (desk, args)
}

/// The configuration of a network with gates.
const GATED: &str =
    "vocabulary = \"torch-packed.txt\"\nunknown = \"<unk>\"\npad = \"<pad>\"\npadding = \"masked\"\n";

#[test]
fn embeddings_of_any_width_run_on_a_device() {
    let (desk, args) = torch_desk();
    // The module's name is found.
    for (gates, module) in [(3, "gru"), (4, "encoder.lstm"), (1, "rnn")] {
        let tensors = tensors(5, module, gates, 6, 2);
        candle_core::safetensors::save(&tensors, desk.path("w.safetensors")).unwrap();
        let activation = if gates == 1 { "activation = \"tanh\"\n" } else { "" };
        desk.write("c.toml", format!("{GATED}{activation}"));
        for (bits, numbers) in [("8", 8), ("4", 4)] {
            let bits = format!("embedding_bits={bits}");
            let how = ["--set", "fold=never", "--set", &bits, "--out", "run", "--force", "--json"];
            let metrics = desk.json(&[&args[..], &how].concat());
            let inspected = desk.json(&["inspect", "run", "--json"]);
            assert_eq!(inspected["embedding_bits"], numbers);
            assert_eq!(inspected["embedding_width"], 8, "filled up");
            let limit = if numbers == 8 { 0.05 } else { 0.5 };
            assert!(metrics["quantized"]["logit_error"].as_f64().unwrap() < limit, "{module}: {metrics}");
        }
    }
}

#[test]
fn torch_models_that_no_device_runs_are_refused() {
    let (desk, args) = torch_desk();
    let refused = |tensors: &HashMap<String, Tensor>| {
        candle_core::safetensors::save(tensors, desk.path("w.safetensors")).unwrap();
        let said = desk.refused(&[&args[..], &["--out", "refused"]].concat());
        assert!(said.contains("w.safetensors: "), "{said}");
        said
    };
    let gru = || tensors(8, "gru", 3, 6, 2);
    let with = |name: &str, like: &str| {
        let mut tensors = gru();
        tensors.insert(name.into(), tensors[like].clone());
        tensors
    };
    let without = |names: &[&str]| {
        let mut tensors = gru();
        assert!(names.iter().all(|name| tensors.remove(*name).is_some()));
        tensors
    };
    let said = refused(&with("gru.weight_ih_l0_reverse", "gru.weight_ih_l0"));
    assert!(said.contains("gru.weight_ih_l0_reverse") && said.contains("bidirectional=False"), "{said}");
    let said = refused(&with("gru.weight_hr_l0", "gru.weight_hh_l0"));
    assert!(said.contains("gru.weight_hr_l0") && said.contains("proj_size=0"), "{said}");
    let said = refused(&with("norm.weight", "gru.bias_ih_l0"));
    assert!(
        said.contains("also holds norm.weight: only one nn.Embedding, one nn.RNN, nn.GRU or nn.LSTM"),
        "{said}"
    );
    // A layer, a part of one, a bias that are missing.
    let said = refused(&with("gru.weight_ih_l3", "gru.weight_ih_l1"));
    assert!(said.contains("no tensor gru.weight_ih_l2: it holds gru.weight_ih_l3"), "{said}");
    let said = refused(&without(&["gru.weight_hh_l1"]));
    assert!(said.contains("no tensor gru.weight_hh_l1"), "{said}");
    assert!(refused(&without(&["gru.bias_hh_l0"])).contains("no tensor gru.bias_hh_l0"));
    let said = refused(&without(&["gru.bias_ih_l1", "gru.bias_hh_l1"]));
    assert!(said.contains("no tensor gru.bias_ih_l1"), "{said}");
    let said = refused(&with("gru.bias_hh_l0", "linear.bias"));
    assert!(said.contains("gru.bias_hh_l0 is of shape (1), but gru.weight_hh_l0 needs (18)"), "{said}");
    let said = refused(&with("gru.weight_ih_l1", "gru.weight_ih_l0"));
    assert!(
        said.contains("gru.weight_ih_l1, transposed, (layer_2/kernel) is of shape (8, 18), but a gru of 6"),
        "{said}"
    );
    assert!(refused(&tensors(8, "gru", 2, 6, 1)).contains("(6, 12), which is no recurrent kernel"));
    let said = refused(&tensors(8, "gru", 3, 6, 5));
    assert!(said.contains("has 5 recurrent layers, but a device runs at most 4"), "{said}");
    // Two modules, of which none is told.
    let two: HashMap<_, _> = gru().into_iter().chain(tensors(8, "more", 3, 6, 1)).collect();
    assert!(refused(&two).contains("no tensor rnn.weight_ih_l0"));
    // Activations: nn.RNN has a choice, nn.GRU has not.
    let said = refused(&tensors(8, "rnn", 1, 6, 1));
    assert!(said.contains("give activation = \"relu\" or activation = \"tanh\""), "{said}");
    desk.write("c.toml", format!("{GATED}activation = \"relu\"\n"));
    let said = refused(&gru());
    assert!(said.contains("other cells can be imported with tanh only"), "{said}");
}

#[test]
fn keras_files_that_cannot_be_used_are_named() {
    let desk = two_and_three();
    let file = |name: &str| golden(name).display().to_string();
    let [npz, json] = [file("keras-seed.npz"), file("keras-seed.json")];
    let how = ["--activation", "relu", "--padding", "tokens", "--maxlen", "12", "--data", "two"];
    let refused = |weights: &str, tokenizer: &str, more: &[&str]| {
        let more = [&how[..], more, &["--out", "refused"]].concat();
        desk.refused(&keras_args(weights, tokenizer, &more))
    };
    let bytes = std::fs::read(&npz).unwrap();
    desk.write("cut.npz", &bytes[..bytes.len() / 2]);
    desk.write("text.npz", b"no zip");
    for name in ["cut.npz", "text.npz"] {
        let said = refused(name, &json, &[]);
        assert!(said.contains(name) && said.contains("np.savez"), "{said}");
    }
    assert!(refused("nowhere.npz", &json, &[]).contains("nowhere.npz: "));
    assert!(refused(&npz, "nowhere.json", &[]).contains("nowhere.json: "));
    // An array too few, by its name in the archive and its directory.
    let renamed = String::from_utf8_lossy(&bytes).matches("arr_5.npy").count();
    assert_eq!(renamed, 2);
    let mut other = bytes.clone();
    while let Some(at) = other.windows(9).position(|name| name == b"arr_5.npy") {
        other[at + 4] = b'9';
    }
    desk.write("other.npz", &other);
    let said = refused("other.npz", &json, &[]);
    assert!(said.contains("should hold arr_0, arr_1 and so on") && said.contains("arr_9"), "{said}");

    desk.write("filters.json", std::fs::read_to_string(&json).unwrap().replace("\"!", "\"…!").as_bytes());
    let said = refused(&npz, "filters.json", &[]);
    assert!(said.contains("filters.json: filters has \"…\": the device filters ASCII"), "{said}");
    // The tokenizer of another model, with more words than these weights have rows.
    let said = refused(&file("keras-limited.npz"), &json, &[]);
    assert!(said.contains("the embedding has 20 rows, ids 0 to 19, but the word"), "{said}");
    // Of a GRU it is tanh.
    let said = refused(&file("keras-gru.npz"), &file("keras-gru.json"), &[]);
    assert!(said.contains("keras-gru.npz: has no SimpleRNN (nn.RNN) layer, but"), "{said}");
    assert!(refused(&npz, &json, &["--labels", "a,b,c"]).contains("2 classes, but the labels are a, b, c"));
    assert!(refused(&npz, &json, &["--set", "units=3"]).contains("imported weights decide"));
    assert!(refused(&npz, &json, &["--set", "fingerprint_bits=9"]).contains("8 or 16"));
    // Pads to read need a length; and nothing is quantized without texts.
    let without = |option: &str| {
        let at = how.iter().position(|&word| word == option).unwrap();
        let rest = [&how[..at], &how[at + 2..], &["--out", "refused"]].concat();
        desk.refused(&keras_args(&npz, &json, &rest))
    };
    assert!(without("--maxlen").contains("needs a maxlen"));
    assert!(without("--data").contains("--data"));
    let said = without("--activation");
    assert!(
        said.contains("arr_2 is of a SimpleRNN (nn.RNN) layer") && said.contains("--activation relu"),
        "{said}"
    );
    assert!(without("--padding").contains("--padding"));
    desk.write("two/train.tsv", b"label\ttext\n");
    assert!(refused(&npz, &json, &[]).contains("train.tsv: there are no examples in it"));
}

#[test]
fn torch_files_that_cannot_be_used_are_named() {
    let desk = two_and_three();
    let [weights, vocabulary, toml] =
        ["safetensors", "txt", "toml"].map(|ending| golden(&format!("torch-packed.{ending}")));
    let (words, toml) =
        (std::fs::read_to_string(vocabulary).unwrap(), std::fs::read_to_string(toml).unwrap());
    let weights = weights.display().to_string();
    let run = |weights: &str, toml: &str, words: &str| {
        desk.write("c/torch-packed.txt", words.as_bytes());
        desk.write("c/c.toml", toml.as_bytes());
        let files = ["--weights", weights, "--config", "c/c.toml", "--data", "two", "--out", "refused"];
        desk.refused(&[&["import", "torch"], &files[..]].concat())
    };
    let of_toml = |from: &str, to: &str| {
        assert!(toml.contains(from));
        run(&weights, &toml.replace(from, to), &words)
    };
    assert!(of_toml("\"<unk>\"", "\"<none>\"").contains("c.toml: unknown = \"<none>\" is no line of"));
    assert!(of_toml("\"relu\"", "\"gelu\"").contains("unknown value `gelu`"));
    assert!(of_toml("padding", "paddings").contains("unknown field `paddings`"));
    assert!(of_toml("pad = \"<pad>\"\npadding = \"masked\"", "padding = \"tokens\"").contains("needs pad"));
    assert!(of_toml("torch-packed.txt", "nowhere.txt").contains("nowhere.txt: "));
    assert!(of_toml("[\"bad\", \"good\"]", "[\"bad\", \"so-so\", \"good\"]").contains("2 classes"));
    assert!(of_toml("[\"bad\", \"good\"]", "[\"meh\", \"good\"]").contains("the model's meh, good"));
    let other = format!("{toml}\n[tensors]\nembedding = \"words.weight\"\n");
    let said = run(&weights, &other, &words);
    assert!(said.contains("no tensor words.weight: it holds embedding.weight, linear.bias"), "{said}");
    assert!(run(&weights, &toml, &format!("{words}\nx\n")).contains("torch-packed.txt:33: empty"));
    assert!(
        run(&weights, &toml, &format!("{words}<pad>\n")).contains("torch-packed.txt:33: this word stands")
    );
    assert!(run(&weights, &toml, &format!("{words}more\n")).contains("the word `more` has the id 32"));
    desk.write("text.safetensors", b"no tensors");
    assert!(run("text.safetensors", &toml, &words).contains("cannot be read as safetensors"));
    assert!(run("nowhere.safetensors", &toml, &words).contains("nowhere.safetensors: "));
}

#[test]
fn words_that_the_device_never_makes_are_told() {
    let desk = two_and_three();
    for (name, content) in [("torch-packed.txt", "txt"), ("c.toml", "toml")] {
        let content = std::fs::read_to_string(golden(&format!("torch-packed.{content}"))).unwrap();
        desk.write(&format!("c/{name}"), content.replace("\nfilm\n", "\nFilm\n").as_bytes());
    }
    let weights = golden("torch-packed.safetensors").display().to_string();
    let said = desk.ok(&[&[
        "import",
        "torch",
        "--weights",
        &weights,
        "--config",
        "c/c.toml",
        "--data",
        "two",
        "--out",
        "run",
    ][..]]
    .concat());
    assert!(said.contains("note: 1 of these words never occur") && said.contains("`Film`"), "{said}");
}
