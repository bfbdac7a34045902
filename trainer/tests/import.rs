//! Imported models beside what their libraries answered, as `golden/keras_import.py` and `golden/torch_import.py`
//! recorded them, and `kilornn import` as a person runs it.

use std::path::{Path, PathBuf};

use kilornn_trainer::import::{Imported, keras, torch};
use kilornn_trainer::predict::predict_all;
use kilornn_trainer::quantize::Sample;
use kilornn_trainer::recipe::{Activation, End, Pads};
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

#[derive(Deserialize)]
struct Answers {
    name: String,
    texts: Vec<String>,
    probabilities: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct KerasCase {
    #[serde(flatten)]
    answers: Answers,
    activation: Activation,
    padding: Pads,
    maxlen: usize,
    truncating: End,
}

/// What the last layer's activation makes of logits, in doubles.
fn probabilities(logits: &[f32]) -> Vec<f64> {
    match *logits {
        [z] => vec![1.0 / (1.0 + (-f64::from(z)).exp())],
        _ => {
            let exps: Vec<f64> = logits.iter().map(|&z| f64::from(z).exp()).collect();
            exps.iter().map(|e| e / exps.iter().sum::<f64>()).collect()
        }
    }
}

fn compare(imported: &Imported, Answers { name, texts, probabilities: expected }: &Answers) {
    let Imported { network, encoder, recipe, unreachable, .. } = imported;
    assert!(unreachable.is_empty(), "{name}: {unreachable:?}");
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let encoded = encoder.encode_all(&texts);
    let logits = evaluate::logits(network, &encoded, recipe.pad_to(), None).unwrap();
    assert!(texts.len() >= 38 && texts.len() == expected.len());
    for ((logits, expected), text) in logits.chunks_exact(network.outputs()).zip(expected).zip(&texts) {
        let found = probabilities(logits);
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{name}, {text:?}: {found}, recorded {expected}");
        }
    }
    let first: Vec<f64> = expected.iter().map(|p| p[0]).collect();
    let spread = first.iter().copied().fold(0.0, f64::max) - first.iter().copied().fold(1.0, f64::min);
    assert!(spread > 0.1, "{name}: all answers are alike, which shows nothing");
}

#[test]
fn keras_models_answer_as_in_keras() {
    let cases: Vec<KerasCase> = recorded("keras.json");
    assert_eq!(cases.len(), 5);
    let (mut texts, mut otherwise) = (0, 0);
    for KerasCase { answers, activation, padding, maxlen, truncating } in &cases {
        let [weights, tokenizer] = ["npz", "json"].map(|e| golden(&format!("keras-{}.{e}", answers.name)));
        let reading = keras::Options {
            activation: *activation,
            padding: *padding,
            maxlen: *maxlen,
            truncating: *truncating,
        };
        let imported = keras::read(&weights, &tokenizer, &reading, &[]).unwrap();
        compare(&imported, answers);
        texts += answers.texts.len();
        otherwise += lost(&imported, answers);
    }
    assert!(100 * otherwise <= texts, "int8 answers {otherwise} of {texts} texts otherwise");
}

#[test]
fn torch_models_answer_as_in_torch() {
    let cases: Vec<Answers> = recorded("torch.json");
    assert_eq!(cases.len(), 2);
    for answers in &cases {
        let [weights, config] =
            ["safetensors", "toml"].map(|e| golden(&format!("torch-{}.{e}", answers.name)));
        let imported = torch::read(&weights, &config, &[]).unwrap();
        compare(&imported, answers);
        assert_eq!(lost(&imported, answers), 0, "{}", answers.name);
    }
}

/// Texts that the model file answers otherwise than its library does. Fails if one is, of whose answer the library is sure.
fn lost(Imported { network, encoder, recipe, .. }: &Imported, answers: &Answers) -> usize {
    let texts: Vec<&str> = answers.texts.iter().map(String::as_str).collect();
    let labels: Vec<String> = (0..network.outputs().max(2)).map(|class| class.to_string()).collect();
    let file = quantize::export(network, encoder, recipe, &labels, &Sample::new(encoder, &texts), None)
        .unwrap()
        .file;
    let model = kilornn::Model::from_bytes(&file).unwrap();
    let device = predict_all(&model, &texts, &indicatif::ProgressBar::hidden());
    let mut lost = 0;
    for (probabilities, answer) in answers.probabilities.iter().zip(&device) {
        let of_classes = match probabilities[..] {
            [p] => vec![1.0 - p, p],
            _ => probabilities.clone(),
        };
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
    assert!(said.contains("should hold arr_0 to arr_5") && said.contains("arr_9"), "{said}");

    desk.write("filters.json", std::fs::read_to_string(&json).unwrap().replace("\"!", "\"…!").as_bytes());
    let said = refused(&npz, "filters.json", &[]);
    assert!(said.contains("filters.json: filters has \"…\": the device filters ASCII"), "{said}");
    // The tokenizer of another model, with more words than these weights have rows.
    let said = refused(&file("keras-limited.npz"), &json, &[]);
    assert!(said.contains("the embedding has 20 rows, ids 0 to 19, but the word"), "{said}");
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
    assert!(without("--activation").contains("--activation"));
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
    // A second layer must not be left out silently.
    let file = std::fs::read(&weights).unwrap();
    let mut tensors = candle_core::safetensors::load_buffer(&file, &candle_core::Device::Cpu).unwrap();
    tensors.insert("rnn.weight_ih_l1".into(), tensors["rnn.weight_hh_l0"].clone());
    candle_core::safetensors::save(&tensors, desk.path("two.safetensors")).unwrap();
    let said = run("two.safetensors", &toml, &words);
    assert!(
        said.contains("also holds rnn.weight_ih_l1: only one nn.Embedding, one nn.RNN of one layer"),
        "{said}"
    );
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
