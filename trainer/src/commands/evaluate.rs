//! `kilornn evaluate`: a model file on labelled texts, on the host and in the emulated device.

use anyhow::{Result, ensure};
use kilornn_host::OwnedPrediction;
use kilornn_host::compare::differ;
use kilornn_host::emulated::{self, Emulated};
use serde::Serialize;

use super::firmware::Firmware;
use super::tested::Tested;
use super::{Console, grouped, labels, parse_model, read_model};
use crate::data::{Example, Test};
use crate::evaluate::quantized;
use crate::progress;
use crate::verdict::{self, Answered, Provenance};
use crate::warning::Warning;

/// Test a model file on labelled texts, as the device computes it.
///
/// DATA is a folder with a test part, or one or more files (`kilornn train --help` says of which kinds). With --qemu, all
/// texts also go through the firmware in QEMU, and every class and logit is compared. (`kilornn device PORT validate` does
/// this with a board on your desk.)
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    tested: Tested,
    /// Run the texts through the firmware on this board as well
    #[arg(long, value_name = "BOARD")]
    qemu: Option<String>,
    #[command(flatten)]
    firmware: Firmware,
    /// Print one JSON object on standard output (and the rest on standard error)
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    examples: usize,
    accuracy: f64,
    macro_f1: f64,
    loss: f64,
    #[serde(flatten)]
    device: Option<DeviceReport>,
    /// What a person should know before trusting the rest.
    warnings: Vec<Warning>,
}

#[derive(Debug, Serialize)]
struct DeviceReport {
    board: String,
    device_accuracy: f64,
    mismatches: usize,
    instructions_per_word: f64,
    stack_bytes: u32,
}

/// Runs the command.
///
/// # Errors
///
/// Whatever the program then prints: an [`InputError`](crate::error::InputError) if the input is at fault.
pub fn run(args: &Args) -> Result<()> {
    let console = Console { json: args.json };
    let (path, bytes) = read_model(&args.tested.model)?;
    let model = parse_model(&path, &bytes)?;
    let labels = labels(&model);
    let Test { examples, mut warnings } = args.tested.read(&labels)?;
    console.warn(&warnings)?;
    let counted: Vec<bool> = labels.iter().map(|label| !args.tested.without.contains(label)).collect();
    let board = args.qemu.as_deref().map(|name| args.firmware.on(name)).transpose()?;

    let progress = progress::bar("host", examples.len(), "texts");
    let (predictions, score) = quantized(&model, &examples, &progress);
    progress.finish_and_clear();
    let macro_f1 = macro_f1(&predictions, &examples, &counted);
    console.say(format!("examples: {}", grouped(score.examples)))?;
    console.say(format!("accuracy: {:.4}", score.accuracy()))?;
    console.say(format!("macro F1: {macro_f1:.4}"))?;
    console.say(format!("loss: {:.4}", score.mean_loss()))?;
    let worthless =
        verdict::of_answers(&Provenance::Given, &Answered::new("test", &labels, &examples, &predictions));
    console.warn(worthless.as_slice())?;
    warnings.extend(worthless);

    let device = match board {
        None => None,
        Some(on) => {
            console.say(format!("building the firmware for {} with this model", on.board.name))?;
            let elf = on.build(&path)?;
            let texts: Vec<&str> = examples.iter().map(|example| example.text.as_str()).collect();
            let progress = progress::bar(on.board.name.as_str(), texts.len(), "texts");
            let outputs = model.contents().dense().map_or(0, |dense| dense.outputs as usize);
            let Emulated { predictions: found, peak_stack } =
                emulated::classify(&on.emulation, &elf, &bytes, outputs, &texts, |done| {
                    progress.set_position(done);
                })?;
            progress.finish_and_clear();
            let correct = found.iter().zip(&examples).filter(|(a, e)| a.class as usize == e.class).count();
            let mismatches =
                predictions.iter().zip(&found).filter(|(host, device)| differ(host, device)).count();
            let words: u64 = found.iter().map(|answer| u64::from(answer.words)).sum();
            let instructions: u64 = found.iter().map(|answer| answer.instructions).sum();
            let report = DeviceReport {
                board: on.board.name,
                device_accuracy: correct as f64 / examples.len() as f64,
                mismatches,
                instructions_per_word: instructions as f64 / words.max(1) as f64,
                stack_bytes: peak_stack,
            };
            console.say(format!(
                "{} in QEMU: accuracy {:.4}; {} of {} predictions differ from the host's (classes, words and logits); \
                 {:.0} instructions per word over {} words; peak stack {} bytes",
                report.board,
                report.device_accuracy,
                grouped(mismatches),
                grouped(found.len()),
                report.instructions_per_word,
                grouped(words as usize),
                report.stack_bytes,
            ))?;
            Some(report)
        }
    };
    let mismatches = device.as_ref().map_or(0, |device| device.mismatches);
    console.conclude(&Report {
        examples: score.examples,
        accuracy: score.accuracy(),
        macro_f1,
        loss: score.mean_loss(),
        device,
        warnings,
    })?;
    ensure!(mismatches == 0, "host and device disagree on {mismatches} texts");
    Ok(())
}

/// The mean over the classes that count of the harmonic mean of precision and recall.
fn macro_f1(predictions: &[OwnedPrediction], examples: &[Example], counted: &[bool]) -> f64 {
    let classes = counted.len();
    let mut right = vec![0; classes];
    let mut said = vec![0; classes];
    let mut were = vec![0; classes];
    for (answer, example) in predictions.iter().zip(examples) {
        let class = answer.class as usize;
        said[class] += 1;
        were[example.class] += 1;
        right[class] += usize::from(class == example.class);
    }
    let f1 = |class: usize| 2.0 * right[class] as f64 / (said[class] + were[class]).max(1) as f64;
    let counted: Vec<usize> = (0..classes).filter(|&class| counted[class]).collect();
    counted.iter().copied().map(f1).sum::<f64>() / counted.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macro_f1_is_the_mean_over_classes() {
        let answer = |class| OwnedPrediction { class, score: 1.0, words: 1, known_words: 1, logits: vec![] };
        let example = |class| Example::new(class, "");
        // Class 0: precision 2/3, recall 1, F1 4/5. Class 1: precision 1, recall 1/2, F1 2/3.
        let predictions = [answer(0), answer(0), answer(0), answer(1)];
        let examples = [example(0), example(0), example(1), example(1)];
        assert!((macro_f1(&predictions, &examples, &[true; 2]) - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-12);
        // A class whose texts were left out may still be answered: that costs the others, and has no F1 itself.
        assert!(
            (macro_f1(&predictions, &examples, &[true, true, false]) - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-12
        );
    }
}
