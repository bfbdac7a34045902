//! The device's answers to many texts, and how they differ from the host's.

use std::path::Path;
use std::thread;

use anyhow::{Result, ensure};
use indicatif::ProgressBar;
use kilornn_link::message;

use super::batch;
use super::boards::Emulation;
use super::client::{self, Client, Info, Patience};
use super::qemu::Qemu;
use crate::answer::Answer;

/// Fails if the device runs another model than the file, or none.
///
/// # Errors
///
/// That is one; it names both.
pub fn runs(info: &Info, file: &[u8]) -> Result<()> {
    let checksum = message::checksum(file);
    let found = match info.model {
        Some(model) if model.checksum == checksum && model.length as usize == file.len() => return Ok(()),
        Some(model) => format!("one of {} bytes with checksum {:08x}", model.length, model.checksum),
        None => "none".to_owned(),
    };
    anyhow::bail!(
        "the device runs another model: {found}, where the file has {} bytes and checksum {checksum:08x} (`update` \
         sends it)",
        file.len()
    )
}

/// Classifies texts on a device, one after the other.
///
/// # Errors
///
/// If an answer does not come.
pub fn classify<T: AsRef<[u8]>>(
    client: &mut Client,
    classes: u32,
    texts: &[T],
    progress: &ProgressBar,
) -> Result<Vec<client::Answer>> {
    let answers = texts.iter().map(|text| {
        let answer = client.classify(text.as_ref(), classes)?;
        progress.inc(1);
        Ok(answer)
    });
    answers.collect()
}

/// What came of texts in QEMU.
#[derive(Debug)]
pub struct Emulated {
    /// The answers, in order.
    pub answers: Vec<client::Answer>,
    /// Ticks of the firmware's clock in a second.
    pub ticks_per_second: u32,
    /// The most bytes of stack that were in use.
    pub peak_stack: u32,
}

/// Classifies texts with the firmware in QEMU, which must have the model `file`. They are divided among as many QEMUs as
/// there are processors.
///
/// # Errors
///
/// If QEMU is missing or the firmware does not answer.
pub fn emulated<T: AsRef<[u8]> + Sync>(
    emulation: &Emulation,
    elf: &Path,
    file: &[u8],
    texts: &[T],
    progress: &ProgressBar,
) -> Result<Emulated> {
    let run = |texts: &[T]| -> Result<Emulated> {
        let mut client = Client::new(Qemu::start(emulation, elf)?, Patience::default());
        let info = client.first_info()?;
        runs(&info, file)?;
        let classes = info.model.map_or(0, |model| model.classes);
        let answers = classify(&mut client, classes, texts, progress)?;
        let peak_stack = client.statistics()?.stack;
        Ok(Emulated { answers, ticks_per_second: info.ticks_per_second, peak_stack })
    };
    let runs = thread::scope(|scope| {
        let threads: Vec<_> =
            batch::shares(texts).into_iter().map(|share| scope.spawn(move || run(share))).collect();
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(run) => run,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Result<Vec<_>>>()
    })?;
    let mut all = Emulated { answers: Vec::with_capacity(texts.len()), ticks_per_second: 0, peak_stack: 0 };
    for run in runs {
        all.answers.extend(run.answers);
        all.ticks_per_second = run.ticks_per_second;
        all.peak_stack = all.peak_stack.max(run.peak_stack);
    }
    ensure!(all.answers.len() == texts.len(), "some texts have no answer");
    Ok(all)
}

/// Logits of all classes: of two classes with one logit, the second has it, and the first its negative.
#[must_use]
pub fn per_class(logits: &[i32]) -> Vec<i32> {
    match *logits {
        [one] => vec![one.wrapping_neg(), one],
        _ => logits.to_vec(),
    }
}

/// Something that the device says otherwise than the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub what: &'static str,
    /// What the host says.
    pub host: String,
    /// What the device says.
    pub device: String,
}

/// In what an answer of the device differs from the host's: class, words, known words, and the logits of all classes.
#[must_use]
pub fn differences(host: &Answer, device: &client::Answer) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut compare = |what, host: String, device: String| {
        if host != device {
            differences.push(Difference { what, host, device });
        }
    };
    let client::Answer { prediction, scores } = device;
    compare("class", host.class.to_string(), prediction.class.to_string());
    compare("words", host.words.to_string(), prediction.words.to_string());
    compare("known words", host.known_words.to_string(), prediction.known.to_string());
    let logits: Vec<i32> = scores.iter().map(|score| score.logit).collect();
    compare("logits", format!("{:?}", per_class(&host.logits)), format!("{logits:?}"));
    differences
}

#[cfg(test)]
mod tests {
    use kilornn_link::message::{Predicted, Score};

    use super::*;

    #[test]
    fn every_difference_is_told() {
        let host = Answer { class: 1, score: 0.9, words: 3, known_words: 2, logits: vec![7] };
        let prediction = Predicted { class: 1, score: 0.9, words: 3, known: 2, ticks: 5 };
        let scores = [-7, 7].map(|logit| Score { logit, probability: 0.5 }).to_vec();
        let same = client::Answer { prediction, scores };
        assert_eq!(differences(&host, &same), []);
        let other = client::Answer {
            prediction: Predicted { class: 0, words: 4, known: 1, ..prediction },
            scores: same.scores[1..].to_vec(),
        };
        let told: Vec<_> =
            differences(&host, &other).into_iter().map(|d| (d.what, d.host, d.device)).collect();
        let expected = [
            ("class", "1", "0"),
            ("words", "3", "4"),
            ("known words", "2", "1"),
            ("logits", "[-7, 7]", "[7]"),
        ];
        assert_eq!(told, expected.map(|(what, host, device)| (what, host.to_owned(), device.to_owned())));
    }

    #[test]
    fn another_model_is_named() {
        let model = message::RunningModel {
            source: message::Source::BuiltIn,
            length: 9,
            checksum: message::checksum(b"a model__"),
            classes: 2,
            units: 1,
            slots: 1,
            scale: 1.0,
        };
        let info = Info {
            firmware: String::new(),
            board: String::new(),
            ticks_per_second: 1,
            units: 1,
            window: 0,
            room: 0,
            model: Some(model),
        };
        assert!(runs(&info, b"a model__").is_ok());
        let error = runs(&info, b"another__").unwrap_err().to_string();
        assert!(error.contains(&format!("{:08x}", model.checksum)), "{error}");
        assert!(error.contains(&format!("{:08x}", message::checksum(b"another__"))), "{error}");
        assert!(runs(&Info { model: None, ..info }, b"a model__").unwrap_err().to_string().contains("none"));
    }
}
