//! The program `kilornn` on this machine: the starter corpus, a model trained on it, the host's predictions.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use kilornn_host::OwnedPrediction;
use serde_json::Value;

use crate::labelled::Labelled;
use crate::process;

/// The trainer, built.
pub(crate) struct Trainer {
    program: PathBuf,
    /// Where cargo puts what it builds, as short as it can be said from the root.
    target: PathBuf,
    /// Where the demo's data and models go.
    dir: PathBuf,
    /// How its commands run: with their output on standard output, or aside.
    run: fn(&mut Command) -> Result<()>,
}

/// How good a model is on labelled texts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Test {
    pub(crate) examples: u64,
    pub(crate) accuracy: f64,
    pub(crate) macro_f1: f64,
}

impl Trainer {
    /// Builds the trainer in the release profile. The first time this compiles candle.
    pub(crate) fn build() -> Result<Self> {
        Self::build_by(process::run)
    }

    /// The same, with standard output left to what a program is to read.
    pub(crate) fn build_aside() -> Result<Self> {
        Self::build_by(process::run_aside)
    }

    fn build_by(run: fn(&mut Command) -> Result<()>) -> Result<Self> {
        // With the packages of `cargo xtask test`, so that it is the program that the tests have built: by the packages,
        // cargo also chooses the features of what they share.
        let build = ["build", "--release", "--workspace", "--exclude", "xtask", "--bin", "kilornn"];
        run(&mut process::cargo(&process::root(), build))?;
        let target = process::target_dir(&process::root())?;
        let program = target.join("release").join(format!("kilornn{}", std::env::consts::EXE_SUFFIX));
        // Short names where they will do: commands run in the root, and a person reads them.
        let target = target.strip_prefix(process::root()).unwrap_or(&target);
        Ok(Self { program, target: target.to_owned(), dir: target.join("demo"), run })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(process::root());
        command
    }

    /// Trains, quantizes and writes a model of the starter corpus. Returns its file.
    pub(crate) fn starter_model(&self) -> Result<PathBuf> {
        let (data, run) = (self.dir.join("data"), self.dir.join("run"));
        process::run(self.command().arg("starter").arg(&data))?;
        process::run(
            self.command()
                .arg("train")
                .arg(&data)
                .args(["--recipe", "starter", "--force", "--out"])
                .arg(&run),
        )?;
        let model = self.starter_model_file();
        process::root()
            .join(&model)
            .canonicalize()
            .with_context(|| format!("the training left no {}", model.display()))
    }

    /// Where [`starter_model`](Self::starter_model) leaves its model.
    pub(crate) fn starter_model_file(&self) -> PathBuf {
        process::root().join(self.dir.join("run").join("model.kilo"))
    }

    /// Where trained models go that the manifest names, seen from the root if they can be.
    pub(crate) fn models(&self) -> PathBuf {
        self.target.join("models")
    }

    /// Trains with these arguments, whatever was in the folder.
    pub(crate) fn train(&self, arguments: &[String], out: &Path) -> Result<()> {
        (self.run)(self.command().arg("train").args(arguments).args(["--force", "--out"]).arg(out))
    }

    /// Tests a model on the host, on all texts of the test part but those of one class.
    pub(crate) fn test(&self, model: &Path, data: &Path, without: Option<&str>) -> Result<Test> {
        let mut command = self.command();
        command.arg("evaluate").arg(model).arg(data).arg("--json");
        if let Some(label) = without {
            command.args(["--without", label]);
        }
        parse_test(&process::output(&mut command)?)
    }

    /// Runs a whole data set through the firmware in QEMU and on the host.
    pub(crate) fn evaluate(&self, model: &Path, data: &Path, board: &str) -> Result<Evaluation> {
        let mut command = self.command();
        command.arg("evaluate").arg(model).arg(data).args(["--qemu", board, "--json"]);
        println!("    $ {}", process::describe(&command));
        parse_evaluation(&process::output(&mut command)?)
    }

    /// Compares all logits of some texts, on the host and on a board in QEMU.
    pub(crate) fn validate(&self, board: &str, model: &Path, data: &Path, texts: usize) -> Result<()> {
        let mut command = self.command();
        command.arg("device").arg(format!("qemu:{board}")).arg("validate").arg(model).arg(data);
        process::run(command.args(["--limit", &texts.to_string()]))
    }

    /// What the host says of a model that it refuses.
    pub(crate) fn refusal(&self, model: &Path) -> Result<String> {
        let output = self.command().arg("inspect").arg(model).output()?;
        match output.status.code() {
            Some(2) => Ok(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()),
            _ => bail!("`kilornn inspect` did not refuse {}", model.display()),
        }
    }

    /// Where the starter corpus lies after [`starter_model`](Self::starter_model).
    pub(crate) fn starter_data(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// The host's predictions, one a text.
    pub(crate) fn predict(&self, model: &Path, texts: &[String]) -> Result<Vec<Labelled>> {
        let json =
            process::output(self.command().arg("predict").arg(model).arg("--json").arg("--").args(texts))?;
        let predictions = parse_predictions(&json)?;
        if predictions.len() != texts.len() {
            bail!("the host gave {} predictions for {} texts", predictions.len(), texts.len());
        }
        Ok(predictions)
    }
}

/// Reads the object that `kilornn evaluate --json` prints.
fn parse_test(json: &str) -> Result<Test> {
    parse_object(json, "an evaluation", |value| {
        Some(Test {
            examples: value["examples"].as_u64()?,
            accuracy: value["accuracy"].as_f64()?,
            macro_f1: value["macro_f1"].as_f64()?,
        })
    })
}

/// Parses the JSON object that `kilornn evaluate --json` prints. `read` makes the result of it, or `None` if a key is
/// missing; `what` is the result's name for an error message.
fn parse_object<T>(json: &str, what: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<T> {
    let value: Value = serde_json::from_str(json).context("`kilornn evaluate --json` printed no JSON")?;
    read(&value).with_context(|| format!("not {what}: {json}"))
}

/// What an evaluation through the firmware found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Evaluation {
    pub(crate) examples: u64,
    pub(crate) accuracy: f64,
    pub(crate) mismatches: u64,
    pub(crate) instructions_per_word: f64,
}

/// Reads the object that `kilornn evaluate --qemu --json` prints.
fn parse_evaluation(json: &str) -> Result<Evaluation> {
    parse_object(json, "an evaluation through the firmware", |value| {
        Some(Evaluation {
            examples: value["examples"].as_u64()?,
            accuracy: value["accuracy"].as_f64()?,
            mismatches: value["mismatches"].as_u64()?,
            instructions_per_word: value["instructions_per_word"].as_f64()?,
        })
    })
}

/// Reads the object that `kilornn predict --json` prints.
fn parse_predictions(json: &str) -> Result<Vec<Labelled>> {
    let value: Value = serde_json::from_str(json).context("`kilornn predict --json` printed no JSON")?;
    let list =
        value["predictions"].as_array().context("`kilornn predict --json` printed no `predictions`")?;
    list.iter()
        .map(|item| parse_prediction(item).with_context(|| format!("not a prediction: {item}")))
        .collect()
}

fn parse_prediction(item: &Value) -> Option<Labelled> {
    let logits = item["logits"].as_array()?;
    let number = |key: &str| u32::try_from(item[key].as_u64()?).ok();
    Some(Labelled {
        label: item["label"].as_str()?.to_owned(),
        prediction: OwnedPrediction {
            class: number("class")?,
            // JSON's numbers are read as f64; the score is an f32, printed with as many digits as tell it from others.
            score: item["score"].as_f64()? as f32,
            words: number("words")?,
            known_words: number("known_words")?,
            logits: logits.iter().map(|logit| i32::try_from(logit.as_i64()?).ok()).collect::<Option<_>>()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_read() {
        let json = r#"{"predictions":[
            {"text":"a","label":"good","class":1,"score":0.9312,"logits":[-5,7],"words":3,"known_words":2},
            {"text":"","label":"bad","class":0,"score":0.5,"logits":[3],"words":0,"known_words":0}]}"#;
        let predictions = parse_predictions(json).unwrap();
        assert_eq!(predictions.len(), 2);
        let prediction =
            OwnedPrediction { class: 1, score: 0.9312, words: 3, known_words: 2, logits: vec![-5, 7] };
        assert_eq!(predictions[0], Labelled { label: "good".into(), prediction });
    }

    #[test]
    fn evaluations_are_read() {
        let json =
            r#"{"examples":800,"accuracy":0.9,"loss":0.3,"mismatches":0,"instructions_per_word":1500.5}"#;
        let read = Evaluation { examples: 800, accuracy: 0.9, mismatches: 0, instructions_per_word: 1500.5 };
        assert_eq!(parse_evaluation(json).unwrap(), read);
        assert!(parse_evaluation(r#"{"examples":800,"accuracy":0.9}"#).is_err());
        let test = parse_test(r#"{"examples":800,"accuracy":0.9,"macro_f1":0.8,"loss":0.3}"#).unwrap();
        assert_eq!(test, Test { examples: 800, accuracy: 0.9, macro_f1: 0.8 });
        assert!(parse_test(r#"{"examples":800,"accuracy":0.9}"#).is_err());
    }

    #[test]
    fn what_is_no_prediction_is_an_error() {
        assert!(parse_predictions("label: good").is_err());
        assert!(parse_predictions(r#"{"predictions":[{"label":"good"}]}"#).is_err());
        let too_large = r#"{"predictions":[{"label":"g","class":0,"score":0.5,"logits":[2147483648],"words":1,"known_words":1}]}"#;
        assert!(parse_predictions(too_large).is_err());
    }
}
