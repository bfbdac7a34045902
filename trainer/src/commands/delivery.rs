//! Delivery of a network, trained or imported: quantize it, test it, write the rest of the output folder.

use std::borrow::Cow;

use anyhow::Result;
use indicatif::ProgressBar;
use kilornn::Model;
use kilornn_host::OwnedPrediction;
use serde::Serialize;

use super::{Console, grouped};
use crate::data::counts::Counts;
use crate::data::{Dataset, Example, texts_of};
use crate::evaluate;
use crate::fit::{Epoch, Material};
use crate::network::loss::Tally;
use crate::network::{Grid, Network};
use crate::quantize::{Exported, Sample, export};
use crate::recipe::Recipe;
use crate::report::{self, Evaluation, Subject};
use crate::run_folder::{self, RunFolder};
use crate::search::Proof;
use crate::suggest::Suggestion;
use crate::text::Encoder;
use crate::verdict::{self, Answered, Provenance};
use crate::warning::Warning;

/// What `metrics.json` holds and `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Metrics {
    /// Texts trained on; none if the weights were imported.
    pub(super) examples: usize,
    pub(super) vocabulary: usize,
    pub(super) parameters: usize,
    pub(super) epochs: Vec<Epoch>,
    pub(super) test: Option<TestResult>,
    pub(super) quantized: Option<Quantized>,
    pub(super) data: Counts,
    /// What a person should know before trusting the rest.
    pub(super) warnings: Vec<Warning>,
    /// What was chosen for the data and why, if no recipe was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suggestion: Option<Suggestion>,
    /// If the model was to fit one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) budget: Option<Proof>,
}

impl Metrics {
    /// Where a network that is being trained comes from.
    pub(super) fn trained<'a>(&'a self, recipe: &'a Recipe, data: &'a Dataset) -> Provenance<'a> {
        Provenance::Trained { recipe, epochs: &self.epochs, data, counts: &self.data }
    }

    /// Before anything is trained or tested.
    pub(super) fn new(
        examples: usize,
        vocabulary: usize,
        parameters: usize,
        data: Counts,
        warnings: Vec<Warning>,
    ) -> Self {
        Self {
            examples,
            vocabulary,
            parameters,
            epochs: Vec::new(),
            test: None,
            quantized: None,
            warnings,
            data,
            suggestion: None,
            budget: None,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TestResult {
    examples: usize,
    loss: f64,
    accuracy: f64,
}

impl From<Tally> for TestResult {
    fn from(score: Tally) -> Self {
        Self { examples: score.examples, loss: score.mean_loss(), accuracy: score.accuracy() }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Quantized {
    bytes: usize,
    logit_error: f64,
    zeros: f64,
    test: Option<TestResult>,
}

/// A network that is to run on a device, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery<'a> {
    /// What a report calls it.
    pub(super) name: &'a str,
    pub(super) network: &'a Network,
    pub(super) encoder: &'a Encoder,
    pub(super) recipe: &'a Recipe,
    /// The grid of its last epochs, if they were trained on one.
    pub(super) grid: Option<&'a Grid>,
    pub(super) data: &'a Dataset,
    /// Those of the data that calibrate the quantization.
    pub(super) sample: &'a Sample<'a>,
    /// Those that the network and the model file are tried on.
    pub(super) tried_on: &'a TriedOn<'a>,
    /// Whether it was trained here, not imported.
    pub(super) is_trained: bool,
}

/// Texts that a network is tried on, encoded.
#[derive(Debug)]
pub(super) struct TriedOn<'a> {
    /// Which part of the data they are: `test`, ...
    part: &'static str,
    examples: Cow<'a, [Example]>,
    /// The ids of each text's words.
    ids: Cow<'a, [Vec<u32>]>,
}

impl<'a> TriedOn<'a> {
    /// The test part; without one, the texts that validated, or else those that were trained on.
    pub(super) fn of(data: &'a Dataset, material: &'a Material) -> Self {
        let (part, examples, ids) = if let Some(test) = &data.test {
            ("test", test.into(), material.encoder.encode_all(&texts_of(test)).into())
        } else if let (Some((part, held)), Some(encoded)) =
            (data.validating(&material.held), material.validation())
        {
            (part, held, encoded.texts.into())
        } else {
            // Behind these are texts without labels.
            ("training", (&data.train).into(), material.train().texts[..data.train.len()].into())
        };
        Self { part, examples, ids }
    }

    /// The same for an imported network; and texts that calibrate its quantization.
    pub(super) fn of_imported(data: &'a Dataset, encoder: &Encoder) -> (Self, Sample<'a>) {
        let train = texts_of(&data.train);
        if let Some((part, examples)) = data
            .test
            .as_ref()
            .map(|test| ("test", test))
            .or_else(|| data.dev.as_ref().map(|dev| ("dev", dev)))
        {
            let ids = encoder.encode_all(&texts_of(examples)).into();
            return (Self { part, examples: examples.into(), ids }, Sample::new(encoder, &train));
        }
        let ids = encoder.encode_all(&train);
        let sample = Sample::of_encoded(&train, |text| &ids[text]);
        (Self { part: "training", examples: (&data.train).into(), ids: ids.into() }, sample)
    }
}

impl Delivery<'_> {
    /// Quantizes it.
    pub(super) fn export(&self, console: Console) -> Result<Exported> {
        let Self { network, encoder, recipe, grid, data, sample, .. } = *self;
        console.say("quantizing")?;
        export(network, encoder, recipe, &data.labels, sample, grid)
    }

    /// Tests it, writes weights, model file, metrics and report, and prints the metrics if JSON is asked for.
    pub(super) fn deliver(
        &self,
        console: Console,
        folder: &RunFolder,
        exported: &Exported,
        mut metrics: Metrics,
    ) -> Result<()> {
        let Self { network, encoder, recipe, grid, data, tried_on, .. } = *self;
        folder.write_vocabulary(encoder)?;
        folder.write_weights(network)?;

        let TriedOn { part, examples, ids } = tried_on;
        let classes: Vec<usize> = examples.iter().map(|example| example.class).collect();
        // The network as it was trained: after quantized epochs that is the one on the device's grid.
        let logits = evaluate::logits(network, ids, recipe.pad_to(), grid)?;
        let float = evaluate::score(network, &logits, &classes, 0.0);
        let tested = data.test.is_some();
        if tested {
            console.say(format!("Test score: {:.4}", float.mean_loss()))?;
            console.say(format!("Test accuracy: {:.4}", float.accuracy()))?;
            metrics.test = Some(float.into());
        }

        let model = Model::from_bytes(&exported.file)?;
        let (predictions, device) = evaluate::quantized(&model, examples, &ProgressBar::hidden());
        if tested {
            console.say(format!("int8 test score: {:.4}", device.mean_loss()))?;
            console.say(format!("int8 test accuracy: {:.4}", device.accuracy()))?;
        }
        let worth = self.verdict(&metrics, part, examples, &predictions, [float, device]);
        console.warn(&worth)?;
        metrics.warnings.extend(worth);
        metrics.quantized = Some(Quantized {
            bytes: exported.file.len(),
            logit_error: exported.logit_error,
            zeros: exported.zeros,
            test: tested.then_some(device.into()),
        });
        folder.write_json("metrics.json", &metrics)?;
        folder.write_model(&exported.file)?;
        folder.write_report(&report::page(&Subject {
            name: self.name,
            config: &folder.read_config()?,
            recipe,
            labels: &data.labels,
            trained_on: metrics.examples,
            epochs: &metrics.epochs,
            warnings: &metrics.warnings,
            network,
            grid,
            encoder,
            model: &model,
            bytes: exported.file.len(),
            evaluation: Evaluation {
                part,
                examples,
                ids,
                logits: &logits,
                float,
                predictions: &predictions,
                device,
            },
        })?)?;
        console.say(format!(
            "{}: {} bytes; logits differ from the trained network's by {:.3} (root mean square)",
            folder.path(run_folder::MODEL).display(),
            grouped(exported.file.len()),
            exported.logit_error,
        ))?;
        console.say(format!(
            "{}: curves, mistakes and what the bytes are for",
            folder.path(run_folder::REPORT).display()
        ))?;
        if let Some(proof) = &metrics.budget {
            proof.lines(&model).iter().try_for_each(|line| console.say(line))?;
        }
        console.conclude(&metrics)
    }

    /// What the result is worth, by the network's and the model file's answers and scores.
    fn verdict(
        &self,
        metrics: &Metrics,
        part: &str,
        examples: &[Example],
        predictions: &[OwnedPrediction],
        [float, device]: [Tally; 2],
    ) -> Vec<Warning> {
        let (recipe, labels) = (self.recipe, &self.data.labels);
        let origin = match self.is_trained {
            true => metrics.trained(recipe, self.data),
            false => Provenance::Imported { recipe },
        };
        let answered = Answered::new(part, labels, examples, predictions);
        let all = [
            verdict::of_course(&origin, labels.len()),
            verdict::of_answers(&origin, &answered),
            verdict::of_quantization(&origin, part, float, device),
        ];
        all.into_iter().flatten().collect()
    }
}
